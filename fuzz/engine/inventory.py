"""Reads what a campaign may change before the first hostile case, and puts it back afterwards (design 2.7).

Knows SetVariables, ChangeAvailability and base reports; must not know cases or oracles.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fuzz.engine.effects import CREDENTIAL_VARIABLES
from fuzz.engine.executor import Executor
from fuzz.records import FrameKind, Heard, Observation
from strategies.labels import JsonObject, JsonValue
from strategies.pool import Pool

_CHANGED = frozenset({"Accepted", "RebootRequired"})
REPORT_WAIT_S = 36.0
"""How long a report may take (the certificate's limit for triggered functions)."""

MAX_REPORT_ENTRIES = 20_000


@dataclass(slots=True)
class Inventory:
    """What the target said of itself before the campaign, and what was changed since."""

    report: list[JsonValue] = field(default_factory=list)
    changed: dict[str, JsonObject] = field(default_factory=dict)
    availability_changed: bool = False
    lost: list[str] = field(default_factory=list)

    @property
    def pool(self) -> Pool:
        """What the target named, for messages that are to name it too."""
        return Pool.from_report(self.report)

    def component_names(self) -> frozenset[str]:
        """Lower-case names of all components of the report."""
        return frozenset(_text(_member(e, "component"), "name").lower() for e in self.report) - {""}

    def note(self, observation: Observation) -> None:
        """Take note of what the target accepted in a case."""
        case = observation.case
        results = [h.payload for h in observation.replies if h.kind is FrameKind.CALLRESULT]
        if case.action == "ChangeAvailability":
            self.availability_changed |= any(
                isinstance(r, dict) and r.get("status") in ("Accepted", "Scheduled")
                for r in results
            )
        if case.action == "SetVariables":
            for result in results:
                self._note_variables(result)

    def _note_variables(self, result: JsonValue) -> None:
        items = result.get("setVariableResult") if isinstance(result, dict) else None
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and item.get("attributeStatus") in _CHANGED:
                self.changed[_key(item)] = {
                    k: v for k, v in item.items() if k in ("component", "variable", "attributeType")
                }

    def _original(self, key: str) -> str | None:
        for entry in self.report:
            if isinstance(entry, dict) and _key(entry) == key:
                attributes = entry.get("variableAttribute")
                for a in attributes if isinstance(attributes, list) else ():
                    if isinstance(a, dict) and a.get("type", "Actual") == "Actual":
                        value = a.get("value")
                        return value if isinstance(value, str) else None
        return None

    async def read(self, executor: Executor) -> bool:
        """Ask for the full base report; False when the target gives none."""
        reports: list[Heard] = []
        conversation = await executor.conversation()
        take = conversation.begin()
        answer = await conversation.call(
            "GetBaseReport",
            {"requestId": 1, "reportBase": "FullInventory"},
            executor.facts.message_timeout_s,
        )
        if (
            answer is None
            or not isinstance(answer.payload, dict)
            or answer.payload.get("status") != "Accepted"
        ):
            return False
        await conversation.wait(lambda: _complete(take.calls), REPORT_WAIT_S)
        reports = [h for h in take.calls if h.action == "NotifyReport"]
        for heard in reports:
            data = heard.payload.get("reportData") if isinstance(heard.payload, dict) else None
            self.report.extend(
                (data if isinstance(data, list) else [])[: MAX_REPORT_ENTRIES - len(self.report)]
            )
        return bool(self.report)

    async def put_back(self, executor: Executor, *, only: Iterable[str] | None = None) -> None:
        """Set what was changed to what it was; what cannot be put back is kept in `lost`."""
        keys = list(self.changed) if only is None else [k for k in only if k in self.changed]
        for key in keys:
            item = self.changed.pop(key)
            if not await self._put_back_variable(executor, key, item):
                self.lost.append(describe(item))
        if only is None and self.availability_changed:
            self.availability_changed = False
            await self._put_back_availability(executor)

    async def _put_back_variable(self, executor: Executor, key: str, item: JsonObject) -> bool:
        value = self._original(key)
        if value is None or _text(item.get("variable"), "name").lower() in CREDENTIAL_VARIABLES:
            return False
        data: JsonObject = {**item, "attributeValue": value[:1000]}
        answer = await executor.proper_call("SetVariables", {"setVariableData": [data]})
        payload = answer.payload if answer is not None else None
        results = payload.get("setVariableResult") if isinstance(payload, dict) else None
        return isinstance(results, list) and any(
            isinstance(r, dict) and r.get("attributeStatus") in _CHANGED for r in results
        )

    async def _put_back_availability(self, executor: Executor) -> None:
        targets: list[JsonObject] = [{}]
        for evse in self.pool.evse_ids:
            targets.append({"evse": {"id": evse}})
            targets.append({"evse": {"id": evse, "connectorId": 1}})
        for where in targets:
            await executor.proper_call(
                "ChangeAvailability", {**where, "operationalStatus": "Operative"}
            )


def describe(item: Mapping[str, JsonValue]) -> str:
    """`Component.Variable[instance]` of a SetVariables item, for people."""
    variable = item.get("variable")
    instance = _text(variable, "instance")
    name = f"{_text(item.get('component'), 'name')}.{_text(variable, 'name')}"
    return f"{name}[{instance}]" if instance else name


def _complete(calls: Iterable[Heard]) -> bool:
    return any(
        h.action == "NotifyReport"
        and isinstance(h.payload, dict)
        and not h.payload.get("tbc", False)
        for h in calls
    )


def _key(entry: Mapping[str, JsonValue]) -> str:
    component, variable = entry.get("component"), entry.get("variable")
    evse = _member(component, "evse")
    parts = [
        _text(component, "name").lower(),
        _text(component, "instance").lower(),
        json.dumps([_member(evse, "id"), _member(evse, "connectorId")]),
        _text(variable, "name").lower(),
        _text(variable, "instance").lower(),
    ]
    return "|".join(parts)


def _member(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: JsonValue, name: str) -> str:
    found = _member(value, name)
    return found if isinstance(found, str) else ""
