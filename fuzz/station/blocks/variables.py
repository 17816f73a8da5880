"""Variables: GetVariables and SetVariables (Part 2, B05 and B06)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, member, whole
from fuzz.station.blocks.limits import limited
from fuzz.station.device_model import Variable
from strategies.labels import JsonObject


class VariablesBlock(Block):
    """Reads and writes the device model, item by item, in the order asked."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers GetVariables and SetVariables."""
        return {"GetVariables": self._get_all, "SetVariables": self._set_all}

    def _get_all(self, request: JsonObject) -> JsonObject:
        items = limited(self.context, "GetVariables", request["getVariableData"])
        return {"getVariableResult": [self._get(item) for item in items]}

    def _set_all(self, request: JsonObject) -> JsonObject:
        items = limited(self.context, "SetVariables", request["setVariableData"])
        return {"setVariableResult": [self._set(item) for item in items]}

    def _get(self, item: JsonObject) -> JsonObject:
        found = self._find(item)
        if isinstance(found, str):
            return _result(item, found)
        if found.access == "WO":
            return _result(item, "Rejected", "WriteOnly")
        return {**_result(item, "Accepted"), "attributeValue": self.context.model.read(found)}

    def _set(self, item: JsonObject) -> JsonObject:
        found = self._find(item)
        if isinstance(found, str):
            return _result(item, found)
        if not found.writable:
            return _result(item, "Rejected", "ReadOnly")
        checked = self.context.check_value(found, str(item["attributeValue"]))
        judge = self.context.value_checks.get(found.key)
        reason = checked.reason or (judge(checked.value) if judge else "")
        if reason:
            return _result(item, "Rejected", reason)
        self.context.set_variable(found, checked.value)
        return _result(item, "RebootRequired" if found.reboot else "Accepted")

    def _find(self, item: JsonObject) -> Variable | str:
        found = self.context.model.find(member(item, "component"), member(item, "variable"))
        if isinstance(found, Variable) and item.get("attributeType", "Actual") != "Actual":
            return "NotSupportedAttributeType"
        return found


def _result(item: JsonObject, status: str, reason: str = "") -> JsonObject:
    """One result, with component, variable and attributeType as they were asked for (B05.FR.12, B06.FR.02, FR.11)."""
    result: JsonObject = {
        "attributeStatus": status,
        "attributeType": item.get("attributeType", "Actual"),
        "component": _echo_component(member(item, "component")),
        "variable": _echo_names(member(item, "variable")),
    }
    if reason:
        result["attributeStatusInfo"] = {"reasonCode": reason}
    return result


def _echo_names(named: JsonObject) -> JsonObject:
    return {key: named[key] for key in ("name", "instance") if key in named}


def _echo_component(component: JsonObject) -> JsonObject:
    echo = _echo_names(component)
    if "evse" in component:
        evse = member(component, "evse")
        echo["evse"] = {key: whole(evse[key]) for key in ("id", "connectorId") if key in evse}
    return echo
