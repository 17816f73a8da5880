"""Reports: GetBaseReport and the NotifyReports that follow it (Part 2, B07)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fuzz.station.blocks.base import Block, Handler, status, whole
from fuzz.station.device_model import (
    Variable,
    describe_characteristics,
    describe_component,
)
from strategies.labels import JsonObject

PART_ITEMS = 25
"""Variables in one NotifyReport: a FullInventory takes a few parts, each of a few kilobytes."""

_SELECTIONS: Mapping[str, Callable[[Variable], bool]] = {
    "ConfigurationInventory": lambda variable: variable.writable,
    "FullInventory": lambda variable: True,
    "SummaryInventory": lambda variable: variable.name == "AvailabilityState",
}


class ReportsBlock(Block):
    """Tells the device model, in parts."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers GetBaseReport."""
        return {"GetBaseReport": self._get_base_report}

    def _get_base_report(self, request: JsonObject) -> JsonObject:
        chosen = list(filter(_SELECTIONS[str(request["reportBase"])], self.context.model))
        parts = [chosen[at : at + PART_ITEMS] for at in range(0, len(chosen), PART_ITEMS)]
        possible = self.context.may_ask("NotifyReport", triggered=True)
        if not possible or self.context.peer.room < len(parts):
            return status("Rejected", "OutOfMemory" if possible else "CSNotAccepted")
        for number, part in enumerate(parts):
            self._notify(whole(request["requestId"]), number, part, more=number + 1 < len(parts))
        return status("Accepted")

    def _notify(self, request_id: int, number: int, part: list[Variable], *, more: bool) -> None:
        payload: JsonObject = {
            "requestId": request_id,
            "generatedAt": self.context.timestamp(),
            "seqNo": number,
            "tbc": more,
            "reportData": [self._describe(variable) for variable in part],
        }
        self.context.ask("NotifyReport", payload, triggered=True)

    def _describe(self, variable: Variable) -> JsonObject:
        named: JsonObject = {"name": variable.name}
        if variable.instance:
            named["instance"] = variable.instance
        return {
            "component": describe_component(variable),
            "variable": named,
            "variableAttribute": [self._attribute(variable)],
            "variableCharacteristics": describe_characteristics(variable),
        }

    def _attribute(self, variable: Variable) -> JsonObject:
        attribute: JsonObject = {"type": "Actual", "mutability": _MUTABILITY[variable.access]}
        if variable.access != "WO":
            # A WriteOnly value is never told (A01.FR.01).
            attribute["value"] = self.context.model.read(variable)
        if variable.writable:
            attribute["persistent"] = True
        return attribute


_MUTABILITY = {"RO": "ReadOnly", "RW": "ReadWrite", "WO": "WriteOnly"}
