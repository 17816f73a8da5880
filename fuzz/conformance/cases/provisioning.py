"""Block B: booting, variables, reports, resets and network profiles."""

from __future__ import annotations

from fuzz.conformance import states
from fuzz.conformance.script import Csms, station_test


@station_test("TC_B_01")
async def cold_boot(s: Csms) -> None:
    """After a restart the station says BootNotification, reports every connector and the start itself."""
    await states.reset(s, "Immediate")
    await states.booted(s)


@station_test("TC_B_06")
async def get_one_variable(s: Csms) -> None:
    """One variable is read: its value, and the attribute type that was meant."""
    await s.set_variable("OCPPCommCtrlr", "OfflineThreshold", 300)
    result = await s.get_variable("OCPPCommCtrlr", "OfflineThreshold")
    s.require(
        result["attributeType"] in (None, "Actual"), "attributeType is Actual", result.payload
    )
    s.require(result["attributeValue"] == "300", "the value is 300", result.payload)


@station_test("TC_B_20")
async def reset_on_idle(s: Csms) -> None:
    """Reset OnIdle is accepted by an idle station, which boots and reports every connector."""
    await states.reset(s, "OnIdle")
    await states.booted(s)
