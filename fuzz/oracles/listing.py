"""What a target must still list, or list no more: charging profiles and display messages, followed by their ids.

Knows the actions that put, clear and list such things. Must not know violations: `readback` makes them of mismatches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fuzz.ocppj.history import Happening
from fuzz.ocppj.variables import member_of, number_of, text_of
from fuzz.oracles.keeping import NOT_KEPT, READS, REFUSED, Mismatch
from strategies.labels import JsonValue


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind of thing: the actions about it, where their payloads hold its id, and how its absence is told.

    `holder` is the member that holds the thing where it is put, `asked` the path to the ids that are asked for, and
    `ends` the members that let it end by itself.
    """

    name: str
    put: str
    holder: str
    clear: str
    clear_id: str
    get: str
    asked: tuple[str, ...]
    absent: str
    ends: tuple[str, ...]
    clause: str


PROFILES = Shelf(
    "charging profile",
    "SetChargingProfile",
    "chargingProfile",
    "ClearChargingProfile",
    "chargingProfileId",
    "GetChargingProfiles",
    ("chargingProfile", "chargingProfileId"),
    "NoProfiles",
    ("validTo", "validFrom", "transactionId"),
    "K01; K09; K10",
)

MESSAGES = Shelf(
    "display message",
    "SetDisplayMessage",
    "message",
    "ClearDisplayMessage",
    "id",
    "GetDisplayMessages",
    ("id",),
    "Unknown",
    ("endDateTime", "startDateTime", "transactionId", "state"),
    "O01; O03; O05",
)


@dataclass(slots=True)
class Listed:
    """Follows one kind of thing; only what is asked for by a single id and nothing else is compared.

    `_there` tells of an id whether it must be listed, `_refused` whose last request was refused since it was known.
    """

    shelf: Shelf
    _there: dict[int, bool] = field(default_factory=dict)
    _refused: set[int] = field(default_factory=set)

    def forget(self) -> None:
        """Nothing is known any more."""
        self._there.clear()
        self._refused.clear()

    def take(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """Take note of one exchange; tell the lists that do not fit."""
        shelf = self.shelf
        if call.action == shelf.put:
            thing = member_of(call.payload, shelf.holder)
            lasts = not any(member_of(thing, end) is not None for end in shelf.ends)
            self._wrote(number_of(thing, "id"), answer, there=True if lasts else None)
        elif call.action == shelf.clear:
            self._wrote(number_of(call.payload, shelf.clear_id), answer, there=False)
        elif call.action == shelf.get:
            yield from self._told(_only_id(call.payload, shelf.asked), answer)
        elif call.action not in READS:
            self.forget()

    def _wrote(self, id_: int | None, answer: Happening | None, *, there: bool | None) -> None:
        if id_ is None:
            # Cleared by criteria, which may mean any of them.
            self.forget()
        elif answer is not None and (answer.error_code or _status(answer) != "Accepted"):
            self._refused.add(id_)
        elif answer is not None and there is not None:
            self._there[id_] = there
            self._refused.discard(id_)
        else:
            self._there.pop(id_, None)

    def _told(self, id_: int | None, answer: Happening | None) -> Iterator[Mismatch]:
        now = {"Accepted": True, self.shelf.absent: False}.get(_status(answer))
        if id_ is None or now is None:
            return
        wanted = self._there.get(id_)
        if wanted is not None and wanted is not now:
            symptom = REFUSED if id_ in self._refused else NOT_KEPT
            text = f"{self.shelf.name} {id_} is {'still' if now else 'not'} listed"
            yield Mismatch(symptom, f"{text} after what was answered", self.shelf.clause)
        self._there[id_] = now
        self._refused.discard(id_)


def _status(answer: Happening | None) -> str:
    return text_of(answer.payload, "status") if answer is not None else ""


def _only_id(payload: JsonValue, path: tuple[str, ...]) -> int | None:
    """The id that a list is asked for, None where it is asked for anything else or more."""
    plain = {"requestId"}
    for name in path:
        if not isinstance(payload, dict) or set(payload) - plain != {name}:
            return None
        payload, plain = payload[name], set()
    if not isinstance(payload, list) or len(payload) != 1:
        return None
    return number_of({"id": payload[0]}, "id")
