"""Reads what a campaign may change before the first hostile case, and puts it back afterwards (design 2.7).

Knows SetVariables, ChangeAvailability and base reports; must not know cases or oracles. Whatever the target says is
rebuilt out of names and numbers before it is kept or said again, and all of it is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fuzz.engine.conversation import Flooded, Take
from fuzz.engine.effects import CREDENTIAL_VARIABLES
from fuzz.engine.executor import Executor
from fuzz.records import FrameKind, Heard, Observation
from strategies.labels import JsonObject, JsonValue
from strategies.pool import Pool

REPORT_WAIT_S = 36.0
"""How long a report may take (the certificate's limit for triggered functions)."""

MAX_REPORT_ENTRIES = 20_000
MAX_CHANGED = 1_000
MAX_NAME = 100
GIVE_UP_AFTER = 2
"""Proper CALLs in a row without any answer after which nothing more is put back: the target does not listen."""

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

    @property
    def pool(self) -> Pool:
        """What the target named, for messages that are to name it too."""
        return Pool.from_report(self.report)

    def component_names(self) -> frozenset[str]:
        """Lower-case names of all components of the report."""
        return frozenset(_text(_member(e, "component"), "name").lower() for e in self.report) - {""}

    # --- what was changed ---------------------------------------------------------------------------------

    def note(self, observation: Observation) -> None:
        """Take note of what the target accepted in a case."""
        case = observation.case
        results = [h.payload for h in observation.replies if h.kind is FrameKind.CALLRESULT]
        if case.action == "ChangeAvailability":
            self.availability_changed |= any(_text(r, "status") in _AVAILABLE for r in results)
        if case.action == "SetVariables":
            for result in results:
                self._note_variables(result)

    def _note_variables(self, result: JsonValue) -> None:
        items = _member(result, "setVariableResult")
        for item in items if isinstance(items, list) else ():
            if _text(item, "attributeStatus") in _CHANGED and len(self.changed) < MAX_CHANGED:
                named = _named(item)
                self.changed[describe(named)] = named

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
            if answer is None or _text(answer.payload, "status") != "Accepted":
                return False
            await conversation.wait(_LastPart(take), REPORT_WAIT_S)
        except Flooded:
            await executor.hang_up()
        self._keep(take.calls)
        return bool(self.report)

    def _keep(self, calls: Iterable[Heard]) -> None:
        for heard in calls:
            if heard.action == "NotifyReport":
                data = _member(heard.payload, "reportData")
                room = MAX_REPORT_ENTRIES - len(self.report)
                self.report.extend(data[:room] if isinstance(data, list) else [])

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
        if value is None or _text(item["variable"], "name").lower() in CREDENTIAL_VARIABLES:
            return False
        data: JsonObject = {**item, "attributeValue": value[:1000]}
        payload = await self._call(executor, "SetVariables", {"setVariableData": [data]})
        results = _member(payload, "setVariableResult")
        return isinstance(results, list) and any(
            _text(r, "attributeStatus") in _CHANGED for r in results
        )

    def _original(self, item: JsonObject) -> str | None:
        """The value that an attribute had in the report, None when it was not told."""
        wanted, type_ = _folded(item), item.get("attributeType", "Actual")
        for entry in self.report:
            if not isinstance(entry, dict) or _folded(_named(entry)) != wanted:
                continue
            attributes = entry.get("variableAttribute")
            for attribute in attributes if isinstance(attributes, list) else ():
                value = _member(attribute, "value")
                if (_text(attribute, "type") or "Actual") == type_ and isinstance(value, str):
                    return value
        return None

    async def _put_back_availability(self, executor: Executor) -> None:
        """Station, EVSEs and connectors as they were: operative unless the report said `Unavailable` (G03, G04)."""
        for evse, connector in sorted(self._places()):
            state = "Inoperative" if self._was_unavailable(evse, connector) else "Operative"
            payload: JsonObject = {"operationalStatus": state}
            if evse:
                payload["evse"] = {"id": evse, **({"connectorId": connector} if connector else {})}
            answer = await self._call(executor, "ChangeAvailability", payload)
            if _text(answer, "status") not in _AVAILABLE:
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


def describe(item: JsonObject) -> str:
    """`Component[evse].Variable[instance]` of a SetVariables item, for people; unlike for unlike attributes."""
    component, instance, evse, connector, variable, variable_instance = _key(item)
    place = f"[{evse},{connector}]" if connector is not None else f"[{evse}]"
    first = f"{component}/{instance}" if instance else component
    name = f"{first}{place if evse is not None else ''}.{variable}"
    name += f"[{variable_instance}]" if variable_instance else ""
    type_ = _text(item, "attributeType")
    return f"{name} ({type_})" if type_ not in ("", "Actual") else name


def _place(evse: int, connector: int) -> str:
    if not evse:
        return "the station"
    return f"EVSE {evse}, connector {connector}" if connector else f"EVSE {evse}"


def _named(item: JsonValue) -> JsonObject:
    """Which attribute an item names, in lower-level parts that are proper: nothing else of it is kept."""
    made: JsonObject = {}
    for holder in ("component", "variable"):
        found = _member(item, holder)
        made[holder] = {
            key: text[:MAX_NAME] for key in ("name", "instance") if (text := _text(found, key))
        }
    evse = _member(_member(item, "component"), "evse")
    numbers = {k: n for k in ("id", "connectorId") if (n := _number(evse, k)) is not None}
    if numbers and isinstance(component := made["component"], dict):
        component["evse"] = {**numbers}
    if type_ := _text(item, "attributeType"):
        made["attributeType"] = type_[:MAX_NAME]
    return made


def _key(item: Mapping[str, JsonValue]) -> tuple[str, str, int | None, int | None, str, str]:
    component, variable = item.get("component"), item.get("variable")
    evse = _member(component, "evse")
    return (
        _text(component, "name"),
        _text(component, "instance"),
        _number(evse, "id"),
        _number(evse, "connectorId"),
        _text(variable, "name"),
        _text(variable, "instance"),
    )


def _folded(item: Mapping[str, JsonValue]) -> tuple[object, ...]:
    """The key without regard to case, as names are compared (Part 2, identifierString)."""
    return tuple(part.lower() if isinstance(part, str) else part for part in _key(item))


def _member(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: JsonValue, name: str) -> str:
    found = _member(value, name)
    return found if isinstance(found, str) else ""


def _number(value: JsonValue, name: str) -> int | None:
    found = _member(value, name)
    whole = isinstance(found, int) and not isinstance(found, bool)
    return found if whole and isinstance(found, int) and abs(found) < 2**31 else None
