"""Scenarios of availability (G03, G04): made unavailable and back, while in use and over a reboot."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.moves import Act, Ask, Await, Move, Pause
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenario, scenarios_over
from strategies.sequences.steps import (
    GLANCE_S,
    booted,
    change_availability,
    charge,
    charge_on,
    leave,
    present,
    reboot,
    start_remotely,
    tell_status,
)


@scenarios_over
def availability(place: Place) -> Iterable[tuple[str, Script]]:
    """Something is made unavailable and available again, over a reboot too."""
    evse, connector = place.connectors[0]
    for name, where in (("station", ()), ("evse", (evse,)), ("connector", (evse, connector))):
        yield name, partial(_unavailable, where)


def _unavailable(where: tuple[int, ...], place: Place) -> list[Move]:
    evse, _ = place.connectors[0]
    return [
        change_availability("Inoperative", *where),
        Await("StatusNotification", (("/connectorStatus", "Unavailable"),), 10.0),
        start_remotely(place, evse),
        *reboot(place),
        Await("StatusNotification", (("/connectorStatus", "Unavailable"),), 10.0),
        *tell_status(place),
        change_availability("Operative", *where),
        Await("StatusNotification", (("/connectorStatus", "Available"),), 10.0),
    ]


@scenario
def unavailable_while_charging(place: Place) -> Iterable[Move]:
    """An EVSE is to become unavailable while somebody charges there, and does when he leaves."""
    n = place.evses[0]
    return [
        *charge(place),
        change_availability("Inoperative", n),
        Pause(GLANCE_S),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        *leave(place),
        *tell_status(place),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        change_availability("Operative", n),
        *tell_status(place),
    ]


@scenario
def unavailable_under_way(place: Place) -> Iterable[Move]:
    """An EVSE is to become unavailable where somebody has been charging for a while."""
    moves = charge_on(place, [change_availability("Inoperative", place.evses[0])])
    back: list[Move] = [change_availability("Operative", place.evses[0]), *tell_status(place)]
    return [*moves, *back] if moves else []


@scenario
def availability_over_a_power_cut(place: Place) -> Iterable[Move]:
    """An EVSE is unavailable when the power goes, and must be when it comes back."""
    n = place.evses[0]
    return [
        change_availability("Inoperative", n),
        Pause(0.1),
        Act("power-cycle"),
        booted(place),
        *tell_status(place),
        change_availability("Operative", n),
        *tell_status(place),
    ]
