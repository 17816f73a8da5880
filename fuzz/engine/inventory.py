"""Reads what a campaign may change before the first hostile case, and puts it back afterwards (design 2.7).

Knows SetVariables, ChangeAvailability and base reports; must not know cases or oracles. Whatever the target says is
rebuilt out of names and numbers before it is kept or said again, and all of it is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fuzz.engine.conversation import Flooded, Take
from fuzz.engine.effects import CREDENTIAL_VARIABLES
from fuzz.engine.executor import Executor
from fuzz.engine.stage import is_scene
from fuzz.ocppj.history import Happening, history
from fuzz.ocppj.variables import describe, folded, items_of, member_of, named, text_of
from fuzz.records import FrameKind, Heard, Observation
from strategies.labels import JsonObject, JsonValue
from strategies.pool import Pool

REPORT_WAIT_S = 36.0
"""How long a report may take (the certificate's limit for triggered functions)."""

MAX_REPORT_ENTRIES = 20_000
MAX_CHANGED = 1_000
GIVE_UP_AFTER = 2
"""Proper CALLs in a row without any answer after which nothing more is put back: the target does not listen."""

_BACK_OFF = ("retrybackoffwaitminimum", "retrybackoffrandomrange")
"""What a first wait is made of (Part 4 section 5.3)."""

_CHANGED = frozenset({"Accepted", "RebootRequired"})
_AVAILABLE = frozenset({"Accepted", "Scheduled"})


@dataclass(slots=True)
class Inventory:
    """What the target said of itself before the campaign, and what was changed since."""

    report: list[JsonValue] = field(default_factory=list)
    changed: dict[str, JsonObject] = field(default_factory=dict)
    availability_changed: bool = False
    lost: list[str] = field(default_factory=list)
    _unanswered: int = 0
    _values: dict[tuple[object, ...], str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._index(self.report)

    @property
    def pool(self) -> Pool:
        """What the target named, for messages that are to name it too."""
        return Pool.from_report(self.report)

    def component_names(self) -> frozenset[str]:
        """Lower-case names of all components of the report."""
        return frozenset(
            text_of(member_of(e, "component"), "name").lower() for e in self.report
        ) - {""}

    @property
    def back_off_s(self) -> float | None:
        """How long the station waits at most before it dials again for the first time, None when it does not tell."""
        told = {
            v.variable.lower(): v.value
            for v in self.pool.variables
            if v.component.lower() == "ocppcommctrlr" and v.value is not None
        }
        waits = [told.get(name, "") for name in _BACK_OFF]
        return float(sum(map(int, waits))) if all(_is_seconds(w) for w in waits) else None

    # --- what was changed ---------------------------------------------------------------------------------

    def note(self, observation: Observation) -> None:
        """Take note of what the target accepted in a case, in every exchange of a scene."""
        if is_scene(observation.case):
            for call, answer in history(observation.entries).asked():
                self._note_exchange(call, answer)
            return
        action = observation.case.action
        for heard in observation.replies:
            if heard.kind is FrameKind.CALLRESULT:
                self._note_answer(action, None, heard.payload)

    def _note_exchange(self, call: Happening, answer: Happening | None) -> None:
        if answer is not None and not answer.error_code:
            self._note_answer(call.action, call.payload, answer.payload)

    def _note_answer(self, action: str, asked: JsonValue, result: JsonValue) -> None:
        if action == "ChangeAvailability":
            self.availability_changed |= text_of(result, "status") in _AVAILABLE
        if action == "SetVariables":
            values = {
                _attribute(item): text_of(item, "attributeValue")
                for item in items_of(asked, "setVariableData")
            }
            for item in items_of(result, "setVariableResult"):
                if text_of(item, "attributeStatus") in _CHANGED:
                    self._note_variable(named(item), values.get(_attribute(item)))

    def _note_variable(self, item: JsonObject, value: str | None) -> None:
        """What is set to the value that it had is not changed any more."""
        key = describe(item)
        if value is not None and value == self._original(item):
            self.changed.pop(key, None)
        elif len(self.changed) < MAX_CHANGED:
            self.changed[key] = item

    def left_changed(self) -> list[str]:
        """What is changed and not put back, in words."""
        open_ends = list(self.changed)
        if self.availability_changed:
            open_ends.append("availability")
        return [*self.lost, *open_ends]

    # --- before -------------------------------------------------------------------------------------------

    async def read(self, executor: Executor) -> bool:
        """Ask for the full base report; False when the target gives none. Raises `LinkClosed`."""
        conversation = await executor.conversation()
        take = conversation.begin()
        try:
            answer = await conversation.call(
                "GetBaseReport",
                {"requestId": 1, "reportBase": "FullInventory"},
                executor.facts.message_timeout_s,
            )
            if answer is None or text_of(answer.payload, "status") != "Accepted":
                return False
            await conversation.wait(_LastPart(take), REPORT_WAIT_S)
        except Flooded:
            await executor.hang_up()
        self._keep(take.calls)
        return bool(self.report)

    def _keep(self, calls: Iterable[Heard]) -> None:
        for heard in calls:
            if heard.action == "NotifyReport":
                data = member_of(heard.payload, "reportData")
                room = MAX_REPORT_ENTRIES - len(self.report)
                part = data[:room] if isinstance(data, list) else []
                self.report.extend(part)
                self._index(part)

    def _index(self, part: Iterable[JsonValue]) -> None:
        """Have the values of a report at hand: of an attribute that is told twice, the first."""
        for entry in part:
            name = folded(named(entry))
            for attribute in items_of(entry, "variableAttribute"):
                if isinstance(value := attribute.get("value"), str):
                    self._values.setdefault((*name, _type_of(attribute)), value)

    # --- afterwards ---------------------------------------------------------------------------------------

    async def put_back(self, executor: Executor, *, only: Iterable[str] | None = None) -> None:
        """Set what was changed to what it was; what cannot be put back is kept in `lost`."""
        wanted = list(self.changed) if only is None else [k for k in only if k in self.changed]
        for key in wanted:
            done = await self._put_back_variable(executor, self.changed[key])
            del self.changed[key]
            if not done:
                self.lost.append(key)
        if only is None and self.availability_changed:
            await self._put_back_availability(executor)
            self.availability_changed = False

    async def _call(self, executor: Executor, action: str, payload: JsonObject) -> JsonValue:
        """The payload of the answer to a proper CALL; None when there is none, or nobody listens any more."""
        if self._unanswered >= GIVE_UP_AFTER:
            return None
        answer = await executor.proper_call(action, payload)
        self._unanswered = self._unanswered + 1 if answer is None else 0
        return None if answer is None else answer.payload

    async def _put_back_variable(self, executor: Executor, item: JsonObject) -> bool:
        value = self._original(item)
        if value is None or text_of(item["variable"], "name").lower() in CREDENTIAL_VARIABLES:
            return False
        data: JsonObject = {**item, "attributeValue": value[:1000]}
        payload = await self._call(executor, "SetVariables", {"setVariableData": [data]})
        results = member_of(payload, "setVariableResult")
        return isinstance(results, list) and any(
            text_of(r, "attributeStatus") in _CHANGED for r in results
        )

    def _original(self, item: JsonObject) -> str | None:
        """The value that an attribute had in the report, None when it was not told."""
        return self._values.get(_attribute(item))

    async def _put_back_availability(self, executor: Executor) -> None:
        """Station, EVSEs and connectors as they were: operative unless the report said `Unavailable` (G03, G04)."""
        for evse, connector in sorted(self._places()):
            state = "Inoperative" if self._was_unavailable(evse, connector) else "Operative"
            payload: JsonObject = {"operationalStatus": state}
            if evse:
                payload["evse"] = {"id": evse, **({"connectorId": connector} if connector else {})}
            answer = await self._call(executor, "ChangeAvailability", payload)
            if text_of(answer, "status") not in _AVAILABLE:
                self.lost.append(f"availability of {_place(evse, connector)}")

    def _places(self) -> set[tuple[int, int]]:
        """The whole station (0, 0), each EVSE (n, 0), and each connector (n, m) that the report names."""
        pool = self.pool
        evses = set(pool.evse_ids)
        connectors = {
            (v.evse_id, v.connector_id)
            for v in pool.variables
            if v.evse_id in evses and v.connector_id in pool.connector_ids
        }
        return {(0, 0), *((e, 0) for e in evses), *((e, c) for e, c in connectors if e and c)}

    def _was_unavailable(self, evse: int, connector: int) -> bool:
        return any(
            v.variable == "AvailabilityState"
            and v.value == "Unavailable"
            and ((v.evse_id or 0), (v.connector_id or 0)) == (evse, connector)
            for v in self.pool.variables
        )


class _LastPart:
    """True once a NotifyReport came that announces no further part (B07); looks at each CALL once."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._seen = 0

    def __call__(self) -> bool:
        new = self._take.calls[self._seen :]
        self._seen += len(new)
        return any(
            h.action == "NotifyReport"
            and isinstance(h.payload, dict)
            and not h.payload.get("tbc", False)
            for h in new
        )


def _is_seconds(value: str) -> bool:
    return value.isdecimal() and len(value) <= 6


def _attribute(item: JsonObject) -> tuple[object, ...]:
    return (*folded(item), text_of(item, "attributeType") or "Actual")


def _type_of(attribute: JsonObject) -> str:
    return text_of(attribute, "type") or "Actual"


def _place(evse: int, connector: int) -> str:
    if not evse:
        return "the station"
    return f"EVSE {evse}, connector {connector}" if connector else f"EVSE {evse}"
