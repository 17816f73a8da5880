"""What base reports name: a variable that was told once does not vanish because another value was set (B07).

Knows components and variables of NotifyReport by name. Must not know the order of parts (`reports` does), nor values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from strategies.model.events import (
    Asked,
    Called,
    Died,
    Event,
    Objection,
    Opened,
    Operated,
    Told,
    member,
    number,
    objects,
    text,
)

_PLAIN = frozenset({"GetBaseReport", "GetVariables", "SetVariables", "GetReport"})
"""CALLs that neither add nor remove a variable, unless a component is switched on or off."""

_BASES = frozenset({"FullInventory", "ConfigurationInventory"})
"""What a SummaryInventory names depends on what is wrong just now."""

_SWITCHES = frozenset({"enabled", "available", "active"})
_Name = tuple[object, ...]


@dataclass(slots=True)
class _Telling:
    """One report under way; `whole` until a part is missing or cannot be understood."""

    base: str
    names: set[_Name] = field(default_factory=set)
    next: int = 0
    whole: bool = True


class Inventory:
    """Compares each whole report with the last whole one of the same base."""

    def __init__(self) -> None:
        self._telling: dict[int, _Telling] = {}
        self._told: dict[str, set[_Name]] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """What a report that is complete lacks."""
        match event:
            case Asked(action="GetBaseReport"):
                self._begin(event)
            case Asked():
                if event.action not in _PLAIN or _switches(event):
                    self._forget()
            case Told(asked=Asked(action="GetBaseReport")) if event.status != "Accepted":
                self._telling.pop(number(event.asked.payload, "requestId") or 0, None)
            case Called(action="NotifyReport"):
                yield from self._part(event)
            case Called(action="BootNotification") | Operated() | Opened() | Died():
                self._forget()
            case _:
                pass

    def _forget(self) -> None:
        self._telling.clear()
        self._told.clear()

    def _begin(self, event: Asked) -> None:
        id_ = number(event.payload, "requestId")
        if id_ is not None:
            # Two reports under one id cannot be told apart.
            telling = _Telling(text(event.payload, "reportBase"), whole=id_ not in self._telling)
            self._telling[id_] = telling

    def _part(self, event: Called) -> Iterator[Objection]:
        id_ = number(event.payload, "requestId")
        telling = self._telling.get(-1 if id_ is None else id_)
        if telling is None:
            return
        telling.whole &= number(event.payload, "seqNo") == telling.next
        telling.next += 1
        telling.names.update(_name(item) for item in objects(event.payload, "reportData"))
        if member(event.payload, "tbc") is True:
            return
        del self._telling[id_ or 0]
        if telling.whole and telling.base in _BASES:
            yield from self._complete(telling)

    def _complete(self, telling: _Telling) -> Iterator[Objection]:
        missing = self._told.get(telling.base, set()) - telling.names
        self._told[telling.base] = telling.names
        if missing:
            example = min(".".join(str(part) for part in name if part) for name in missing)
            yield Objection(
                "B07",
                "variables missing from a later report",
                f"{telling.base} names {len(missing)} variables less than before, {example} among them, "
                "and nothing that was asked in between removes one",
            )


def _name(item: object) -> _Name:
    value = item if isinstance(item, dict) else {}
    parts = (
        text(value, "component", "name"),
        text(value, "component", "instance"),
        text(value, "variable", "name"),
        text(value, "variable", "instance"),
    )
    evse = number(value, "component", "evse", "id")
    return (*(p.casefold() for p in parts), evse, number(value, "component", "evse", "connectorId"))


def _switches(event: Asked) -> bool:
    """Whether a CALL may switch a component on or off, whose variables may come and go with it."""
    items = objects(event.payload, "setVariableData")
    names = {text(item, "variable", "name").casefold() for item in items}
    return event.action == "SetVariables" and bool(names & _SWITCHES)
