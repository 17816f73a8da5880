"""Scenarios of what connectors are said to be (G01 to G04, B04): with and without an EV, a fault, and on each level of availability."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from strategies.moves import Act, Ask, Await, Move, Pause
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import late_scenario, scenario
from strategies.sequences.steps import (
    GLANCE_S,
    SETTLED_S,
    change_availability,
    get_variable,
    present,
    reboot,
    settled,
    status,
    tell_status,
    tells_at_once,
    with_variable,
)


def _last(place: Place) -> tuple[int, int]:
    """The first connector of the last EVSE: what is right at the first one may be wrong at others."""
    n = place.connectors[-1][0]
    return next((pair for pair in place.connectors if pair[0] == n), (n, 1))


@scenario
def status_of_a_place(place: Place) -> Iterable[Move]:
    """An EV comes to the last EVSE and goes, and a fault comes and is mended; each time the status is asked for."""
    m, connector = pair = _last(place)
    deeds = (f"plug-in {m}", f"unplug {m}", f"fault {m}", f"clear-fault {m}")
    named = (v for v in place.pool.variables if (v.evse_id, v.connector_id) == (m, connector))
    told = tells_at_once(place)
    state = [get_variable(v) for v in named if told and v.variable == "AvailabilityState"]
    return [move for deed in deeds for move in (Act(deed), *settled(place, pair), *state)]


@scenario
def status_by_itself(place: Place) -> Iterable[Move]:
    """An EV comes and goes, and nobody asks for the status (G01.FR.03, G01.FR.04)."""
    return _by_itself(place, "plug-in", "Occupied", "unplug")


def _by_itself(place: Place, deed: str, word: str, undone: str) -> list[Move]:
    """A deed at the last EVSE that brings a status about, and the one that brings Available back."""
    pair = m, connector = _last(place)
    if connector != 1 or not tells_at_once(place):
        return []
    return [
        *tell_status(place, pair),
        Act(f"{deed} {m}"),
        status(pair, word, place.prompt_s),
        Act(f"{undone} {m}"),
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


_LONG_S = 4.0
"""How long there is no network, where a second is long."""


@late_scenario
def away_for_long(place: Place) -> Iterable[Move]:
    """There is no network for longer than OfflineThreshold, and every status is told when it is back (B04.FR.01)."""
    threshold = "OCPPCommCtrlr.OfflineThreshold"
    found = place.variable(threshold)
    if found is None or (found.min_limit or 0) > 1:
        return []
    ends = list(dict.fromkeys((place.connectors[0], _last(place))))
    told: list[Move] = [
        Await("StatusNotification", (("/evseId", str(n)), ("/connectorId", str(c))))
        for n, c in ends
    ]
    cut: list[Move] = [Act("cut-network"), Pause(_LONG_S), Act("restore-network")]
    before = [move for pair in ends for move in tell_status(place, pair)]
    return with_variable(place, threshold, "1", [*before, *cut, *told])


@late_scenario
def unavailable_and_used(place: Place) -> Iterable[Move]:
    """An EVSE is unavailable, and somebody comes to charge there all the same (G03)."""
    m, _ = _last(place)
    return [
        change_availability("Inoperative", m),
        Pause(SETTLED_S),
        Act(f"plug-in {m}"),
        present(place.tokens[0]),
        Act(f"start-power {m}"),
        Pause(SETTLED_S),
        Act(f"unplug {m}"),
        Pause(GLANCE_S),
        change_availability("Operative", m),
        *tell_status(place, _last(place)),
    ]


@late_scenario
def fault_by_itself(place: Place) -> Iterable[Move]:
    """A fault comes and is mended, and nobody asks for the status (G01)."""
    return _by_itself(place, "fault", "Faulted", "clear-fault")


@late_scenario
def available_over_two_boots(place: Place) -> Iterable[Move]:
    """An EVSE is unavailable over a boot, and available again over the next one (G03.FR.08)."""
    m, _ = _last(place)
    return [
        *settled(place, _last(place)),
        change_availability("Inoperative", m),
        *reboot(place),
        change_availability("Operative", m),
        *reboot(place),
        *settled(place, _last(place)),
        change_availability("Operative", m),
    ]


@late_scenario
def connector_nowhere(place: Place) -> Iterable[Move]:
    """What cannot be done at a connector that does not exist is asked for (F05.FR.03, G03)."""
    n, connector = place.connectors[-1]
    nowhere = connector + 50
    known = PoolVariable("Connector", "AvailabilityState", evse_id=n, connector_id=connector)
    return [
        # Whether there is no such connector, the station says itself.
        get_variable(known),
        get_variable(replace(known, connector_id=nowhere)),
        change_availability("Inoperative", n, nowhere),
        Ask("UnlockConnector", {"evseId": n, "connectorId": nowhere}),
        change_availability("Operative", n, nowhere),
        *tell_status(place, (n, connector)),
    ]
