"""Network connection profiles as a test writes them: which slots there are, and what goes into one.

Knows SetNetworkProfile and NetworkConfigurationPriority (B09, B10). Must not know a test.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuzz.conformance import inventory
from fuzz.conformance.script import Csms
from strategies.labels import JsonObject


@dataclass(frozen=True, slots=True)
class Slots:
    """The slot in use, and another one that may be overwritten."""

    active: int
    free: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the station says of its slots: the one in use, and all there are."""

    active: int
    all: tuple[int, ...]


async def slots(s: Csms) -> Known:
    """The first slot of the priority, and the valuesList of it (B09.FR.05)."""
    held = (await s.get_variable("OCPPCommCtrlr", "NetworkConfigurationPriority")).text(
        "attributeValue"
    )
    s.require(held.split(",")[0].isdigit(), "NetworkConfigurationPriority lists slots", held)
    rows = await inventory.report(s, "FullInventory")
    lists = [
        row.text("variableCharacteristics.valuesList")
        for row in rows
        if inventory.same(row.text("variable.name"), "NetworkConfigurationPriority")
    ]
    values = [v for text in lists for v in text.split(",") if v.isdigit()]
    s.require(len(values) >= 2, "at least two slots", values)
    return Known(int(held.split(",")[0]), tuple(map(int, values)))


def free_slot(s: Csms, known: Known) -> int:
    """A slot that is not in use."""
    free = [slot for slot in known.all if slot != known.active]
    s.require(free, "a slot that is not in use", known.all)
    return free[0]


def profile_data(url: str, security_profile: int) -> JsonObject:
    """A NetworkConnectionProfileType that leads to `url`."""
    return {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": url,
        "messageTimeout": 30,
        "securityProfile": security_profile,
        "ocppInterface": "Wired0",
    }
