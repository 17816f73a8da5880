"""Scenarios without a network, and back (B04, E04, E12): cut by the operator, by us, or left half-open."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.moves import Act, Again, Answer, Ask, Await, Leave, Move, Pause, Withhold
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenario, scenarios_over, slow_scenario
from strategies.sequences.steps import (
    ENDED,
    SETTLED_S,
    answered,
    booted,
    charge,
    get_variable,
    judged,
    leave,
    present,
    sent_again_soon,
    set_variable,
    tell_status,
    trigger,
    with_variable,
)

EVENTS = 40
"""How many events wait to be sent after a long time without a network: 16 and 32 are sizes that queues have."""

GOES_ON_S = 2.5
"""How long we look whether energy flows on that must not."""

_NOBODY = ("04FEEDC0DE", "ISO14443")
"""A token that no other scene shows, so that no cache knows it."""

DEAD_S = 4.0
"""How long a connection is left half-open."""

PONGLESS_S = 35.0
"""The same where it shall be noticed: many a library waits twenty seconds for a pong, and ten for an end in order."""


def _offline(place: Place, moves: Iterable[Move]) -> Iterable[Move]:
    # A token that was refused in an earlier scene and is cached as such would be refused here too (C12.FR.05).
    forgotten = Ask("ClearCache", {})
    name = "AuthCtrlr.OfflineTxForUnknownIdEnabled"
    return with_variable(place, name, "true", [forgotten, Act("cut-network"), *moves])


def _session(place: Place, evse: int) -> tuple[Move, ...]:
    """A session that nobody waits for."""
    return (
        Act(f"plug-in {evse}"),
        present(place.tokens[0]),
        Act(f"start-power {evse}"),
        Act(f"unplug {evse}"),
    )


@scenario
def offline_session(place: Place) -> Iterable[Move]:
    """Somebody charges and leaves while the network is gone."""
    moves: list[Move] = [
        *_session(place, place.evses[0]),
        Pause(0.1),
        Act("restore-network"),
        ENDED,
    ]
    return _offline(place, [*moves, *tell_status(place)])


@scenario
def offline_many_sessions(place: Place) -> Iterable[Move]:
    """Many charge and leave while the network is gone, and the power goes too."""
    sessions = Again(_session(place, place.evses[0]), 8)
    back: list[Move] = [
        Act("power-cycle"),
        Pause(0.1),
        Act("restore-network"),
        booted(place),
        ENDED,
    ]
    return _offline(place, [sessions, *back, *tell_status(place)])


@scenario
def offline_for_long(place: Place) -> Iterable[Move]:
    """Somebody charges on and off while the network is gone for long, and leaves before it is back; then what waits is asked about."""
    n = place.evses[0]
    on_and_off = Again((Act(f"stop-power {n}"), Pause(0.05), Act(f"start-power {n}")), EVENTS // 2)
    moves: list[Move] = [
        Act("cut-network"),
        Pause(0.1),
        on_and_off,
        Act(f"unplug {n}"),
        Act("restore-network"),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        Ask("GetTransactionStatus", {}),
        ENDED,
    ]
    return [*charge(place), *moves, *tell_status(place)]


@scenario
def offline_power_cut(place: Place) -> Iterable[Move]:
    """The power goes while somebody charges without a network."""
    n = place.evses[0]
    moves: list[Move] = [
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Act("power-cycle"),
        Pause(0.1),
        Act("restore-network"),
        booted(place),
        ENDED,
        Act(f"unplug {n}"),
    ]
    return _offline(place, moves)


@scenario
def offline_while_charging(place: Place) -> Iterable[Move]:
    """The network goes and comes back while somebody charges, and he leaves meanwhile."""
    n = place.evses[0]
    moves: list[Move] = [
        Act("cut-network"),
        Pause(0.1),
        Act(f"unplug {n}"),
        Act("restore-network"),
        ENDED,
    ]
    return [*charge(place), *moves, *tell_status(place)]


@scenario
def offline_across(place: Place) -> Iterable[Move]:
    """The network goes and comes back while somebody charges on."""
    moves: list[Move] = [Act("cut-network"), Pause(0.1), Act("restore-network")]
    # By then nothing of before can be on its way.
    return [*charge(place), *moves, *tell_status(place), Pause(SETTLED_S), *leave(place)]


@scenario
def offline_refused(place: Place) -> Iterable[Move]:
    """Somebody begins to charge without a network, and his token is refused when it is back."""
    n = place.evses[0]
    refusals: list[Move] = [Answer("TransactionEvent", judged("Invalid")) for _ in range(4)]
    moves: list[Move] = [
        *refusals,
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Pause(0.1),
        Act("restore-network"),
        Await("TransactionEvent"),
        Pause(GOES_ON_S),
        Act(f"unplug {n}"),
        ENDED,
    ]
    allowance = get_variable(PoolVariable("TxCtrlr", "MaxEnergyOnInvalidId"))
    return [allowance, *_offline(place, moves)]


@scenario
def offline_and_unknown(place: Place) -> Iterable[Move]:
    """Somebody whom nobody knows wants to charge without a network, where all that would let him in is off (C15)."""
    n, named = place.evses[0], [v for v in place.pool.variables if _lets_in(v)]
    found = [v for v in map(place.variable, dict.fromkeys(v.name for v in named)) if v is not None]
    unknown = any(v.variable == "OfflineTxForUnknownIdEnabled" for v in found)
    if not unknown or len(found) < len(named) or place.value("AuthCtrlr.Enabled", "") == "false":
        return []
    return [
        *[set_variable(v, "false") for v in found],
        Ask("ClearCache", {}),
        Act("cut-network"),
        Pause(0.3),
        Act(f"plug-in {n}"),
        present(_NOBODY),
        Act(f"start-power {n}"),
        Pause(0.5),
        Act(f"unplug {n}"),
        Act("restore-network"),
        *tell_status(place),
        Pause(1.0),
        *[set_variable(v, v.value or "false") for v in found],
    ]


def _lets_in(variable: PoolVariable) -> bool:
    return variable.component == "AuthCtrlr" and "OfflineTx" in variable.variable


@scenario
def event_under_way(place: Place) -> Iterable[Move]:
    """The connection is cut while the end of a transaction waits for its answer, and comes again (E04, E12)."""
    moves: list[Move] = [
        *charge(place),
        Withhold("TransactionEvent"),
        *leave(place),
        Leave(1006),
        ENDED,
        *tell_status(place),
    ]
    return sent_again_soon(place, moves)


@scenarios_over
def cut_while_charging(place: Place) -> Iterable[tuple[str, Script]]:
    """The connection ends while somebody charges, properly, badly or without a word."""
    for code in (1000, 1001, 1002, 1006, 1011, 1012):
        yield str(code), partial(_cut_while_charging, code)


def _cut_while_charging(code: int, place: Place) -> list[Move]:
    return [*charge(place), Leave(code), *tell_status(place), *leave(place)]


@scenario
def cut_with_a_call_open(place: Place) -> Iterable[Move]:
    """The connection is cut while the station waits for an answer, which comes over the next one."""
    return [
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        Leave(1006),
        *tell_status(place),
        answered({"currentTime": "{time.now}"}, "{asked.previous}"),
        *tell_status(place),
    ]


@slow_scenario
def half_open(place: Place) -> Iterable[Move]:
    """The connection dies without a word; whether the station dials again meanwhile or not, it is served on one."""
    return [Leave(0), Pause(DEAD_S), *tell_status(place), *tell_status(place)]


@slow_scenario
def half_open_with_pings(place: Place) -> Iterable[Move]:
    """The connection of a station that sends pings dies without a word: it may notice, and dial a second time."""
    noticed: list[Move] = [
        Leave(1000),
        *tell_status(place),
        Leave(0),
        Pause(PONGLESS_S),
        *tell_status(place),
    ]
    return with_variable(place, "OCPPCommCtrlr.WebSocketPingInterval", "1", noticed)


@slow_scenario
def half_open_with_a_call_open(place: Place) -> Iterable[Move]:
    """The connection dies without a word while the station waits for an answer."""
    return [
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        Leave(0),
        Pause(DEAD_S),
        *tell_status(place),
        *tell_status(place),
    ]


@scenario
def cut_again_and_again(place: Place) -> Iterable[Move]:
    """The connection is cut five times."""
    return [Again((Leave(1006), *tell_status(place)), 5)]
