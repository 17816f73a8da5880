"""Scenarios of remote start and stop (F01 to F03), where they fit and where they must be refused."""

from __future__ import annotations

from collections.abc import Iterable

from strategies.labels import JsonObject
from strategies.moves import Act, Ask, Await, Move, Pause, Withhold
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import late_scenario, scenario
from strategies.sequences.steps import (
    CHARGING,
    ENDED,
    GLANCE_S,
    SETTLED_S,
    TIMED_OUT_S,
    answered,
    change_availability,
    charge,
    charge_on,
    get_variable,
    judged,
    leave,
    present,
    start_remotely,
    stop_remotely,
    with_variable,
)


@scenario
def remote_start(place: Place) -> Iterable[Move]:
    """A transaction is started and stopped remotely with the EV plugged in."""
    n = place.evses[0]
    return [
        Act(f"plug-in {n}"),
        start_remotely(place),
        Act(f"start-power {n}"),
        CHARGING,
        stop_remotely(),
        ENDED,
        Act(f"unplug {n}"),
    ]


@scenario
def remote_start_first(place: Place) -> Iterable[Move]:
    """A transaction is started remotely before the EV is plugged in."""
    n = place.evses[0]
    return [
        start_remotely(place),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        CHARGING,
        *leave(place),
    ]


@scenario
def remote_start_twice(place: Place) -> Iterable[Move]:
    """A transaction is started remotely while one runs, on the same EVSE and on any."""
    return [
        *charge(place),
        start_remotely(place, number=8),
        start_remotely(place, number=9),
        Ask("GetTransactionStatus", {}),
        *leave(place),
    ]


@scenario
def remote_start_under_way(place: Place) -> Iterable[Move]:
    """Somebody else's transaction is started remotely where one has been running for a while."""
    kind, number = place.tokens[1][1], place.tokens[1][0]
    payload: JsonObject = {
        "remoteStartId": 8,
        "idToken": {"idToken": number, "type": kind},
        "evseId": place.evses[0],
    }
    return charge_on(place, [Ask("RequestStartTransaction", payload)])


@scenario
def remote_start_while_authorizing(place: Place) -> Iterable[Move]:
    """A transaction is started remotely while the station waits to hear of a token."""
    n = place.evses[0]
    return [
        Withhold("Authorize"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        start_remotely(place),
        answered(judged("Accepted")),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def remote_start_nowhere(place: Place) -> Iterable[Move]:
    """A transaction is started remotely on an EVSE that does not exist, and on one that is unavailable or faulted."""
    n, nowhere = place.evses[0], place.evses[-1] + 50
    return [
        # Whether there is no such EVSE, the station says itself; and whether one is faulted.
        _state_of(nowhere),
        start_remotely(place, nowhere),
        change_availability("Inoperative", nowhere),
        Ask("UnlockConnector", {"evseId": nowhere, "connectorId": 1}),
        change_availability("Operative", nowhere),
        start_remotely(place, -1),
        change_availability("Inoperative", n),
        start_remotely(place),
        change_availability("Operative", n),
        Act(f"fault {n}"),
        Pause(GLANCE_S),
        _state_of(n),
        start_remotely(place),
        Act(f"clear-fault {n}"),
    ]


def _state_of(evse: int) -> Ask:
    return get_variable(PoolVariable("EVSE", "AvailabilityState", evse_id=evse))


@scenario
def remote_start_times_out(place: Place) -> Iterable[Move]:
    """A transaction is started remotely, EVConnectionTimeOut passes, and only then an EV comes."""
    n = place.evses[0]
    if place.variable("TxCtrlr.EVConnectionTimeOut") is None:
        return []
    late: list[Move] = [
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]
    moves: list[Move] = [start_remotely(place), Pause(TIMED_OUT_S), *late]
    return with_variable(place, "TxCtrlr.EVConnectionTimeOut", "1", moves)


@scenario
def remote_stop_of_others(place: Place) -> Iterable[Move]:
    """Transactions that never were, or are over, are stopped remotely while another one runs."""
    near = "{tx.id}"
    return [
        stop_remotely("never-heard-of"),
        *charge(place),
        stop_remotely("never-heard-of"),
        stop_remotely("00000000-0000-0000-0000-000000000000"),
        Ask("GetTransactionStatus", {"transactionId": near}),
        stop_remotely(near),
        ENDED,
        stop_remotely(near),
        stop_remotely(near),
        Act(f"unplug {place.evses[0]}"),
    ]


@late_scenario
def remote_start_elsewhere(place: Place) -> Iterable[Move]:
    """A transaction is started remotely on the last EVSE, and an EV comes to the first one before another comes there."""
    first, last = place.evses[0], place.evses[-1]
    if first == last:
        return []
    return [
        start_remotely(place, last, number=27),
        Act(f"plug-in {first}"),
        Act(f"start-power {first}"),
        Pause(SETTLED_S),
        Act(f"unplug {first}"),
        Act(f"plug-in {last}"),
        Act(f"start-power {last}"),
        CHARGING,
        *leave(place, last),
    ]
