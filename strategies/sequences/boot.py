"""Scenarios of booting (B01 to B03): accepted, Pending, Rejected, and answered in an odd way."""

from __future__ import annotations

from collections.abc import Iterable

from strategies.moves import Act, Answer, Ask, Await, Move, Pause, Tell, Withhold
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import scenario, slow_scenario
from strategies.sequences.steps import (
    GLANCE_S,
    SETTLED_S,
    boot_answer,
    booted,
    get_variable,
    present,
    reboot,
    start_remotely,
    stop_remotely,
    tell_status,
    trigger,
)

_NOW = '"currentTime":"{time.now}"'


@scenario
def boot_accepted(place: Place) -> Iterable[Move]:
    """The station boots and is accepted at once; the status of its last connector follows, as of every one (B01.FR.05)."""
    return [*reboot(place), _last_told(place), *tell_status(place)]


def _last_told(place: Place) -> Await:
    evse, connector = place.connectors[-1]
    where = (("/evseId", str(evse)), ("/connectorId", str(connector)))
    return Await("StatusNotification", where)


@scenario
def boot_pending(place: Place) -> Iterable[Move]:
    """The boot is Pending, the station is asked this and that, and accepted after a trigger."""
    heartbeat = PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")
    return [
        boot_answer("Pending", 60),
        *reboot(place),
        start_remotely(place),
        stop_remotely("never-heard-of"),
        get_variable(heartbeat),
        trigger("Heartbeat"),
        Ask("GetBaseReport", {"requestId": 11, "reportBase": "ConfigurationInventory"}),
        Await("NotifyReport"),
        trigger("BootNotification"),
        booted(place),
        _last_told(place),
        *tell_status(place),
    ]


@scenario
def boot_pending_then_plugged(place: Place) -> Iterable[Move]:
    """Somebody comes to charge while the boot is Pending."""
    n = place.evses[0]
    return [
        boot_answer("Pending", 60),
        *reboot(place),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        start_remotely(place),
        trigger("BootNotification"),
        booted(place),
        Act(f"unplug {n}"),
    ]


_UNPACED = 3
"""How often a boot is refused: a station that does not wait at all has been through that many in no time."""


@scenario
def boot_pending_without_interval(place: Place) -> Iterable[Move]:
    """The boot is Pending with the interval 0, which leaves the wait to the station (B02.FR.07); it is accepted in the end."""
    # It boots once by itself, or as often as it is refused and once more: either way each of them comes in the end.
    again = [move for _ in range(_UNPACED) for move in (trigger("BootNotification"), booted(place))]
    refused = [boot_answer("Pending", 0) for _ in range(_UNPACED)]
    return [*refused, *reboot(place), Pause(SETTLED_S), *again]


@scenario
def boot_rejected(place: Place) -> Iterable[Move]:
    """The boot is Rejected, the station is asked all the same, and accepted when it asks again."""
    return [
        boot_answer("Rejected", 1),
        *reboot(place),
        start_remotely(place),
        Ask("GetBaseReport", {"requestId": 12, "reportBase": "ConfigurationInventory"}),
        trigger("Heartbeat"),
        booted(place),
        _last_told(place),
        *tell_status(place),
    ]


@scenario
def boot_rejected_in_use(place: Place) -> Iterable[Move]:
    """Somebody comes to charge while the boot is Rejected."""
    n = place.evses[0]
    return [
        boot_answer("Rejected", 1),
        *reboot(place),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        booted(place),
        Act(f"unplug {n}"),
    ]


@slow_scenario
def boot_refused_by_error(place: Place) -> Iterable[Move]:
    """The BootNotification is answered with a CALLERROR, and the station asks again."""
    refused = Answer("BootNotification", error="InternalError")
    return [refused, *reboot(place), booted(place), *tell_status(place)]


@scenario
def boot_answered_late(place: Place) -> Iterable[Move]:
    """The answer to BootNotification comes late, after other CALLs."""
    return [
        Withhold("BootNotification"),
        *reboot(place),
        get_variable(PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")),
        start_remotely(place),
        Tell(f'[3,"{{asked.id}}",{{"status":"Accepted","interval":300,{_NOW}}}]'),
        *tell_status(place),
    ]


@scenario
def boot_answered_twice(place: Place) -> Iterable[Move]:
    """BootNotification is answered Pending, and then Accepted under the same messageId."""
    return [
        boot_answer("Pending", 60),
        *reboot(place),
        Tell(f'[3,"{{asked.id}}",{{"status":"Accepted","interval":300,{_NOW}}}]'),
        start_remotely(place),
        trigger("BootNotification"),
        booted(place),
    ]


@scenario
def boot_without_reset(place: Place) -> Iterable[Move]:
    """BootNotification is asked for although the last one was accepted."""
    return [trigger("BootNotification"), trigger("Heartbeat"), Await("Heartbeat")]
