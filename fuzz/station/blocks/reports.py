"""Reports: GetBaseReport, GetReport and the NotifyReports that follow them (Part 2, B07 and B08)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from fuzz.station.blocks.base import Block, Handler, member, status, whole
from fuzz.station.blocks.limits import limited
from fuzz.station.context import Context
from fuzz.station.device_model import (
    DeviceModel,
    Variable,
    describe_characteristics,
    describe_component,
)
from strategies.labels import JsonObject

PART_ITEMS = 25
"""Variables in one NotifyReport: a FullInventory takes a few parts, each of a few kilobytes."""

_PROBLEMS = ("Problem", "Tripped", "Overload", "Fallback")


class ReportsBlock(Block):
    """Tells the device model, in parts."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        for variable in context.model:
            if variable.component == "Connector" and variable.name == "Problem":
                context.model.live[variable.key] = partial(self._has_problem, variable)

    def handlers(self) -> Mapping[str, Handler]:
        """Answers GetBaseReport and GetReport."""
        return {"GetBaseReport": self._get_base_report, "GetReport": self._get_report}

    def _get_base_report(self, request: JsonObject) -> JsonObject:
        selections: Mapping[str, Callable[[Variable], bool]] = {
            "ConfigurationInventory": lambda variable: variable.writable,
            "FullInventory": lambda variable: True,
            "SummaryInventory": self._is_in_summary,
        }
        base = str(request["reportBase"])
        if base == "SummaryInventory" and not self.context.pics.items["C-56"]:
            return status("NotSupported")
        chosen = list(filter(selections[base], self.context.model))
        return self._report(request, chosen)

    def _get_report(self, request: JsonObject) -> JsonObject:
        named = limited(self.context, "GetReport", request.get("componentVariable"))
        criteria = request.get("componentCriteria")
        model = self.context.model
        chosen = [
            variable
            for variable in model
            if (not isinstance(criteria, list) or _meets_any(model, variable, criteria))
            and (not named or any(_is_meant(variable, item) for item in named))
        ]
        return self._report(request, chosen) if chosen else status("EmptyResultSet")

    def _has_problem(self, problem: Variable) -> str:
        evse = self.context.evses.get(problem.evse or 0)
        return "true" if evse is not None and problem.connector in evse.faulted else "false"

    def _is_in_summary(self, variable: Variable) -> bool:
        # C-56: what can be used, and what is wrong.
        active = variable.name in _PROBLEMS and self.context.model.read(variable) == "true"
        return active or variable.name == "AvailabilityState"

    def _report(self, request: JsonObject, chosen: list[Variable]) -> JsonObject:
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


def _meets_any(model: DeviceModel, variable: Variable, criteria: Sequence[object]) -> bool:
    """Whether the variable's component meets one of the criteria; they are alternatives (B08)."""
    return any(_component_is(model, variable, str(criterion)) for criterion in criteria)


def _component_is(model: DeviceModel, variable: Variable, criterion: str) -> bool:
    found = model.find(describe_component(variable), {"name": criterion})
    if isinstance(found, Variable):
        return model.read(found) == "true"
    # A component without the variable is active, available and enabled, and has no problem.
    return criterion != "Problem"


def _is_meant(variable: Variable, item: JsonObject) -> bool:
    """Whether a ComponentVariable means the variable; whatever it leaves out may be anything (B08)."""
    component, named = member(item, "component"), member(item, "variable")
    evse = member(component, "evse")
    wanted = (
        (component.get("name"), variable.component),
        # No component of the model has an instance.
        (component.get("instance"), ""),
        (named.get("name"), variable.name),
        (named.get("instance"), variable.instance),
    )
    tiers = ((evse.get("id"), variable.evse), (evse.get("connectorId"), variable.connector))
    return all(want is None or str(want).lower() == has.lower() for want, has in wanted) and all(
        want is None or want == has for want, has in tiers
    )
