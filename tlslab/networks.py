"""Where else a Charging Station may dial: its network profiles and their priority (A05, B09, B10).

Knows SetNetworkProfile and NetworkConfigurationPriority by name. Must not know a case, nor judge one.
"""

from __future__ import annotations

from dataclasses import dataclass

from tlslab.bench import StationBench
from tlslab.notes import NotAsked, Unfinished
from tlslab.rotation import ACCEPTED, told

COMPONENT, PRIORITY = "OCPPCommCtrlr", "NetworkConfigurationPriority"
SLOTS = range(4)
"""Slots that are tried: a station has two at least (B09.FR.06)."""
REBOOT = "RebootRequired"
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots in NetworkConfigurationPriority as it was found, and one that is not in it."""

    before: str
    free: int


async def slots(bench: StationBench) -> Slots:
    """Which slots are in use, and one that takes this lab's own profile. Raises `NotAsked` without one."""
    before = await bench.session.get_variable(COMPONENT, PRIORITY)
    if not before:
        raise Unfinished(f"{PRIORITY} cannot be read")
    used = {slot.strip() for slot in before.split(",")}
    level = bench.station.security_profile
    for slot in SLOTS:
        if str(slot) not in used and await put(bench, slot, bench.server.url, level) == ACCEPTED:
            return Slots(before, slot)
    raise NotAsked("a station with a network profile that is not in use")


async def put(bench: StationBench, slot: int, url: str, security_profile: int) -> str:
    """The status, or CALLERROR code, of SetNetworkProfile."""
    data = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": url,
        "messageTimeout": TIMEOUT_S,
        "securityProfile": security_profile,
        "ocppInterface": "Wired0",
    }
    return await told(
        bench, "SetNetworkProfile", {"configurationSlot": slot, "connectionData": data}
    )


async def prefer(bench: StationBench, *found: int | str) -> str:
    """The status of setting the priority to these slots; it is set back after the lab."""
    return await bench.session.set_variable(COMPONENT, PRIORITY, ",".join(map(str, found)))


async def reset(bench: StationBench) -> None:
    """A reboot is asked for. Raises `Unfinished` when it is not granted."""
    status = await told(bench, "Reset", {"type": "OnIdle"})
    if status not in (ACCEPTED, "Scheduled"):
        raise Unfinished(f"Reset was answered with {status}")
