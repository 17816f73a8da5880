"""Scenarios of what connectors are said to be (G01 to G04, B04): with and without an EV, a fault, and on each level of availability."""

from __future__ import annotations

from collections.abc import Iterable

from strategies.moves import Act, Await, Move, Pause
from strategies.sequences.place import Place
from strategies.sequences.registry import scenario
from strategies.sequences.steps import (
    change_availability,
    settled,
    status,
    tell_status,
    tells_at_once,
)


def _last(place: Place) -> tuple[int, int]:
    """The first connector of the last EVSE: what is right at the first one may be wrong at others."""
    n = place.connectors[-1][0]
    return next((pair for pair in place.connectors if pair[0] == n), (n, 1))


@scenario
def status_of_a_place(place: Place) -> Iterable[Move]:
    """An EV comes to the last EVSE and goes, and a fault comes and is mended; each time the status is asked for."""
    m, _ = _last(place)
    deeds = (f"plug-in {m}", f"unplug {m}", f"fault {m}", f"clear-fault {m}")
    return [move for deed in deeds for move in (Act(deed), *settled(place, _last(place)))]


@scenario
def status_by_itself(place: Place) -> Iterable[Move]:
    """An EV comes and goes, and nobody asks for the status (G01.FR.03, G01.FR.04)."""
    pair = m, connector = _last(place)
    if connector != 1 or not tells_at_once(place):
        return []
    return [
        *tell_status(place, pair),
        Act(f"plug-in {m}"),
        status(pair, "Occupied", place.prompt_s),
        Act(f"unplug {m}"),
        status(pair, "Available", place.prompt_s),
    ]


@scenario
def availability_in_levels(place: Place) -> Iterable[Move]:
    """An EVSE and the whole station are made unavailable, and each available again by itself (G03, G04)."""
    m, connector = _last(place)
    return [
        *settled(place, _last(place)),
        change_availability("Inoperative", m),
        change_availability("Inoperative"),
        change_availability("Operative"),
        *settled(place, _last(place)),
        change_availability("Operative", m),
        change_availability("Inoperative", m, connector),
        change_availability("Operative", m),
        *settled(place, _last(place)),
        change_availability("Operative", m, connector),
        *settled(place, _last(place)),
    ]


@scenario
def news_of_a_time_offline(place: Place) -> Iterable[Move]:
    """Without a network an EV comes, and somebody opens the housing; both are told when it is back (B04.FR.02, A04.FR.02)."""
    m, _ = pair = _last(place)
    return [
        Act("cut-network"),
        Pause(0.1),
        Act(f"plug-in {m}"),
        Act("tamper"),
        Pause(0.1),
        Act("restore-network"),
        status(pair, "Occupied"),
        Await("SecurityEventNotification", (("/type", "TamperDetectionActivated"),)),
        Act(f"unplug {m}"),
        *settled(place, _last(place)),
    ]
