"""What the station's own settings are, as far as it said so: accepted by SetVariables, or read by GetVariables.

Knows names and values. Must not know what a setting means. What was asked and not answered, refused, or waits for a boot is
unknown, and so is what belongs to one EVSE or to an instance of a component.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from strategies.labels import JsonObject
from strategies.model.events import Asked, Event, Told, member, objects, text


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and since when it is known to hold."""

    value: str
    since_s: float


@dataclass(slots=True)
class Settings:
    """Settings by `component.variable` or `component.variable/instance`, in small letters."""

    _known: dict[str, Setting] = field(default_factory=dict)
    _asked: dict[str, str] = field(default_factory=dict)
    """The messageId of the SetVariables that was last to name a setting, until it is answered."""

    def of(self, name: str) -> Setting | None:
        """The setting, None where nobody can tell."""
        return self._known.get(name.casefold())

    def note(self, event: Event) -> None:
        """Takes note of what was asked and answered."""
        match event:
            case Asked(action="SetVariables"):
                for item in objects(event.payload, "setVariableData"):
                    self._known.pop(_name(item), None)
                    self._asked[_name(item)] = event.id
            case Told(asked=Asked(action="SetVariables")):
                self._set(event)
            case Told(asked=Asked(action="GetVariables")):
                self._read(event)
            case _:
                pass

    def _set(self, event: Told) -> None:
        wanted: dict[str, list[JsonObject]] = {}
        for item in objects(event.asked.payload, "setVariableData"):
            wanted.setdefault(_name(item), []).append(item)
        for result in objects(event.payload, "setVariableResult"):
            name = _name(result)
            items = wanted.get(name, [])
            if len(items) != 1 or self._asked.get(name) != event.asked.id:
                continue
            if text(result, "attributeStatus") == "Accepted" and _plain(items[0]):
                self._known[name] = Setting(text(items[0], "attributeValue"), event.at_s)
        for name in wanted:
            if self._asked.get(name) == event.asked.id:
                del self._asked[name]

    def _read(self, event: Told) -> None:
        for result in objects(event.payload, "getVariableResult"):
            name, value = _name(result), text(result, "attributeValue")
            read = text(result, "attributeStatus") == "Accepted" and _plain(result)
            before = self._known.get(name)
            if read and name not in self._asked and (before is None or before.value != value):
                self._known[name] = Setting(value, event.at_s)


def _plain(item: JsonObject) -> bool:
    """Whether an item is of the whole station, and of the value that is in force."""
    component = member(item, "component")
    whole = isinstance(component, dict) and not {"evse", "instance"} & component.keys()
    return whole and text(item, "attributeType") in ("", "Actual")


def _name(item: JsonObject) -> str:
    name = f"{text(item, 'component', 'name')}.{text(item, 'variable', 'name')}"
    instance = text(item, "variable", "instance")
    return (f"{name}/{instance}" if instance else name).casefold()
