"""Scenarios that say nothing behind an error, and listen: what a station does over and over that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable

from strategies.moves import Act, Answer, Ask, Await, Move, Pause
from strategies.sequences.place import Place
from strategies.sequences.registry import slow_late_scenario
from strategies.sequences.steps import (
    ENDED,
    SIGN,
    change_availability,
    charge,
    get_log,
    trigger,
    update_firmware,
)

QUIET_S = 15.0
"""How long nothing is said: longer than the ten seconds after which many a peer tries something again."""


@slow_late_scenario
def quiet_behind_an_end(place: Place) -> Iterable[Move]:
    """The end of a transaction is answered with a CALLERROR, and nobody says anything for a while (E13)."""
    unplug = Act(f"unplug {place.evses[0]}")
    return [*charge(place), _refused("TransactionEvent"), unplug, ENDED, Pause(QUIET_S)]


@slow_late_scenario
def quiet_behind_errors(place: Place) -> Iterable[Move]:
    """Whatever the station tells is answered with a CALLERROR each, and nobody says anything for a while."""
    causes: list[tuple[str, Ask]] = [
        ("StatusNotification", change_availability("Inoperative")),
        ("StatusNotification", change_availability("Operative")),
        ("Heartbeat", trigger("Heartbeat")),
        ("NotifyReport", Ask("GetBaseReport", {"requestId": 81, "reportBase": "SummaryInventory"})),
        ("LogStatusNotification", get_log(82)),
        ("FirmwareStatusNotification", update_firmware(83)),
        ("SignCertificate", SIGN),
    ]
    for message, cause in causes:
        yield _refused(message)
        yield cause
        yield Await(message, timeout_s=4.0)
    yield Pause(QUIET_S)


def _refused(message: str) -> Answer:
    return Answer(message, error="InternalError")
