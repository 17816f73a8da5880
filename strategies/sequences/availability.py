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
    settled,
    start_remotely,
    status,
    tell_status,
    tells_at_once,
)


@scenarios_over
def availability(place: Place) -> Iterable[tuple[str, Script]]:
    """Something is made unavailable and available again, over a reboot too."""
    evse, connector = place.connectors[0]
    for name, where in (("station", ()), ("evse", (evse,)), ("connector", (evse, connector))):
        yield name, partial(_unavailable, where)


def _unavailable(where: tuple[int, ...], place: Place) -> list[Move]:
    evse, _ = place.connectors[0]
    within = [p for p in place.connectors if p[: len(where)] == where]
    ends = list(dict.fromkeys((within[0], within[-1])))

    def shown(word: str) -> list[Move]:
        if tells_at_once(place):
            return [status(pair, word, 10.0) for pair in ends]
        return [Await("StatusNotification", (("/connectorStatus", word),), 10.0)]

    return [
        # What is told is then taken: a status that comes next is the one that must follow.
        *(move for pair in ends for move in tell_status(place, pair)),
        change_availability("Inoperative", *where),
        *shown("Unavailable"),
        start_remotely(place, evse),
        *reboot(place),
        *shown("Unavailable"),
        *tell_status(place),
        change_availability("Operative", *where),
        *shown("Available"),
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
        *settled(place),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        change_availability("Operative", n),
        *tell_status(place),
    ]


@scenario
def unavailable_thought_better(place: Place) -> Iterable[Move]:
    """While somebody charges an EVSE is to be available, as it is, then not when he leaves, which is taken back."""
    n = place.evses[0]
    return [
        change_availability("Operative", n),
        *settled(place),
        *charge(place),
        change_availability("Operative", n),
        change_availability("Inoperative", n),
        change_availability("Operative", n),
        *leave(place),
        *settled(place),
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
