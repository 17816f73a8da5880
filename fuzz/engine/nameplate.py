"""Who a station is, where it did not say so by booting: read out of its report, or asked for.

Knows the variables of the component ChargingStation. Must not know phases or cases: what is asked here belongs to none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fuzz.engine.executor import Executor
from fuzz.ocppj.variables import items_of, text_of
from fuzz.records import TargetFacts
from strategies.labels import JsonObject
from strategies.pool import Pool

COMPONENT = "ChargingStation"
VENDOR, MODEL, SERIAL, FIRMWARE = "VendorName", "Model", "SerialNumber", "FirmwareVersion"
"""What a BootNotification tells, as variables (Part 2, appendix: typical variables of the component)."""

MAX_TOLD = 100


def read(facts: TargetFacts, pool: Pool) -> TargetFacts:
    """The facts with what the station's report tells of those that are not known."""
    own = [
        v for v in pool.variables if v.component.lower() == COMPONENT.lower() and v.evse_id is None
    ]
    return _filled(facts, {v.variable.lower(): v.value or "" for v in own})


async def ask(executor: Executor) -> TargetFacts:
    """The facts with what GetVariables tells of those that are not known; one a CALL, since no limit may be known."""
    told: dict[str, str] = {}
    for name in (VENDOR, MODEL, SERIAL, FIRMWARE):
        item: JsonObject = {"component": {"name": COMPONENT}, "variable": {"name": name}}
        answer = await executor.proper_call("GetVariables", {"getVariableData": [item]})
        if answer is None:
            break  # Who does not listen now is not asked again.
        for result in items_of(answer.payload, "getVariableResult")[:1]:
            if text_of(result, "attributeStatus") == "Accepted":
                told[name.lower()] = text_of(result, "attributeValue")
    return _filled(executor.facts, told)


def _filled(facts: TargetFacts, told: Mapping[str, str]) -> TargetFacts:
    def known(fact: str, name: str) -> str:
        return fact or told.get(name.lower(), "")[:MAX_TOLD]

    return replace(
        facts,
        vendor=known(facts.vendor, VENDOR),
        model=known(facts.model, MODEL),
        serial=known(facts.serial, SERIAL),
        firmware=known(facts.firmware, FIRMWARE),
    )
