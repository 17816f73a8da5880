"""Scenarios of resets (B11, B12) in the midst of something else."""

from __future__ import annotations

from collections.abc import Iterable

from strategies.moves import Act, Ask, Await, Move, Pause
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import scenario
from strategies.sequences.steps import (
    ENDED,
    GLANCE_S,
    booted,
    charge,
    get_log,
    get_variable,
    reboot,
    reset,
    tell_status,
    update_firmware,
)

LATE_S = 2.0
"""How long we look whether what was done once is done again."""

NOT_YET_S = 2.5
"""How long we look whether a station waits with what it must not do yet."""


@scenario
def reset_while_charging(place: Place) -> Iterable[Move]:
    """The station is reset at once while somebody charges."""
    n = place.evses[0]
    return [*charge(place), *reboot(place), ENDED, Act(f"unplug {n}")]


@scenario
def reset_when_idle(place: Place) -> Iterable[Move]:
    """The station is to be reset when it is idle, while somebody charges."""
    n = place.evses[0]
    return [
        *charge(place),
        reset("OnIdle"),
        Pause(NOT_YET_S),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        Act(f"unplug {n}"),
        ENDED,
        booted(place),
        Pause(LATE_S),
        *tell_status(place),
    ]


@scenario
def reset_when_idle_without_a_network(place: Place) -> Iterable[Move]:
    """The station is reset when it is idle, and to be reset once more; the last EV leaves while the network is gone."""
    n = place.evses[0]
    leaves: list[Move] = [Act("cut-network"), Pause(LATE_S), Act(f"unplug {n}"), Pause(GLANCE_S)]
    back: list[Move] = [Act("restore-network"), booted(place)]
    return [*_when_idle(place), *charge(place), reset("OnIdle"), *leaves, *back]


@scenario
def reset_when_idle_now(place: Place) -> Iterable[Move]:
    """The station is to be reset when it is idle, and is."""
    return [*_when_idle(place), Pause(LATE_S), *tell_status(place)]


def _when_idle(place: Place) -> list[Move]:
    return [reset("OnIdle"), booted(place)]


@scenario
def reset_of_an_evse(place: Place) -> Iterable[Move]:
    """An EVSE that is not there is to be reset while somebody charges."""
    n, nowhere = place.evses[0], place.evses[-1] + 50
    return [
        # Whether there is no such EVSE, the station says itself.
        get_variable(PoolVariable("EVSE", "AvailabilityState", evse_id=nowhere)),
        *charge(place),
        Ask("Reset", {"type": "OnIdle", "evseId": nowhere}),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        Act(f"unplug {n}"),
        ENDED,
    ]


@scenario
def reset_while_uploading(place: Place) -> Iterable[Move]:
    """The station is reset while it tries to upload a log."""
    return [get_log(31), Await("LogStatusNotification"), *reboot(place), *tell_status(place)]


@scenario
def reset_while_updating(place: Place) -> Iterable[Move]:
    """The station is reset while new firmware is downloaded, if it began to."""
    return [update_firmware(32), Pause(GLANCE_S), *reboot(place), *tell_status(place)]
