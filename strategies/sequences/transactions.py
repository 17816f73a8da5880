"""Scenarios of transactions (block E): their points, more than one, and events that are not answered well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from strategies.moves import Act, Again, Answer, Ask, Await, Move, Pause, Withhold
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenario, scenarios_over
from strategies.sequences.steps import (
    CHARGING,
    ENDED,
    GLANCE_S,
    SETTLED_S,
    SHOWN_AGAIN_S,
    TIMED_OUT_S,
    answered,
    booted,
    charge,
    event,
    get_variable,
    leave,
    present,
    reboot,
    reset,
    sent_again_soon,
    tell_status,
    with_variable,
)

APART_S = 0.5
"""How long one deed comes after another so that it is plain which of them a station tells of."""


@scenario
def plug_first(place: Place) -> Iterable[Move]:
    """An EV is plugged in, somebody shows a token, charges, shows it again and leaves."""
    n = place.evses[0]
    return [
        *charge(place),
        Act(f"stop-power {n}"),
        Act(f"start-power {n}"),
        Pause(SHOWN_AGAIN_S),
        present(place.tokens[0]),
        ENDED,
        Act(f"unplug {n}"),
    ]


@scenario
def token_first(place: Place) -> Iterable[Move]:
    """Somebody shows a token before he plugs in."""
    n = place.evses[0]
    return [
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        CHARGING,
        *leave(place),
    ]


@scenarios_over
def transaction_points(place: Place) -> Iterable[tuple[str, Script]]:
    """Transactions begin and end at other points than before, with the EV or the token first."""
    for name in ("TxStartPoint", "TxStopPoint"):
        found = place.variable(f"TxCtrlr.{name}")
        for value in () if found is None else found.values:
            if found is not None and value != found.value:
                yield f"{name}-{value}", partial(_points, f"TxCtrlr.{name}", value)


def _points(variable: str, value: str, place: Place) -> Iterable[Move]:
    """An EV that comes before the token, and one that comes after it; each deed for itself, so that points can be told apart."""
    n, shown = place.evses[0], present(place.tokens[0])
    starts, stops = variable.endswith("TxStartPoint"), variable.endswith("TxStopPoint")
    both: list[Move] = [
        Act(f"plug-in {n}"),
        event(eventType="Started") if starts and value == "EVConnected" else Pause(APART_S),
        shown,
        Act(f"start-power {n}"),
        CHARGING,
        *leave(place),
        shown,
        Await("Authorize"),
        event(eventType="Started") if starts and value == "Authorized" else Pause(APART_S),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        CHARGING,
        Pause(SHOWN_AGAIN_S if stops else APART_S),
        shown,
        ENDED if stops and value in ("Authorized", "PowerPathClosed") else Pause(GLANCE_S),
        Act(f"unplug {n}"),
        Pause(GLANCE_S),
    ]
    return with_variable(place, variable, value, both)


@scenario
def nobody_plugs_in(place: Place) -> Iterable[Move]:
    """A token is shown, EVConnectionTimeOut passes, and only then an EV comes."""
    n = place.evses[0]
    if place.variable("TxCtrlr.EVConnectionTimeOut") is None:
        return []
    moves: list[Move] = [
        present(place.tokens[0]),
        Await("Authorize"),
        Pause(TIMED_OUT_S),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]
    return with_variable(place, "TxCtrlr.EVConnectionTimeOut", "1", moves)


@scenarios_over
def two_transactions(_place: Place) -> Iterable[tuple[str, Script]]:
    """Somebody charges twice, with a reset or a power cut between."""
    yield "", lambda place: _first_ones(place, reboot(place))
    yield "power-cycle", lambda place: _first_ones(place, [Act("power-cycle"), booted(place)])
    yield "on-idle", lambda place: _first_ones(place, [reset("OnIdle"), booted(place)])


def _first_ones(place: Place, boot: Sequence[Move]) -> list[Move]:
    """The first transaction behind one boot, and the first one behind the next: what is counted anew is the same then."""
    return [*boot, *charge(place), *leave(place), *boot, *charge(place), *leave(place)]


@scenario
def many_transactions(place: Place) -> Iterable[Move]:
    """Somebody charges four times in a row."""
    return [Again((*charge(place), *leave(place)), 4)]


@scenario
def two_evses(place: Place) -> Iterable[Move]:
    """Two EVs charge at the same time, and one of them leaves."""
    if len(place.evses) < 2:
        return []
    first, second = place.evses[:2]
    _, other = place.tokens
    return [
        *charge(place, first),
        Act(f"plug-in {second}"),
        present(other),
        Act(f"start-power {second}"),
        CHARGING,
        Act(f"unplug {first}"),
        ENDED,
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        Act(f"unplug {second}"),
        ENDED,
    ]


@scenario
def fault_while_charging(place: Place) -> Iterable[Move]:
    """A connector fails while somebody charges, and is mended."""
    n = place.evses[0]
    return [
        *charge(place),
        Pause(SETTLED_S),
        Act(f"fault {n}"),
        ENDED,
        Act(f"clear-fault {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        *tell_status(place),
    ]


@scenario
def power_lost_while_charging(place: Place) -> Iterable[Move]:
    """The power goes while somebody charges, and comes back."""
    n = place.evses[0]
    return [*charge(place), Act("power-cycle"), booted(place), ENDED, Act(f"unplug {n}")]


@scenario
def meter_over_a_power_cut(place: Place) -> Iterable[Move]:
    """Somebody charges, the power goes and comes back, and somebody charges again at the same place."""
    charged: list[Move] = [*charge(place), Pause(1.0), *leave(place)]
    return [*charged, Act("power-cycle"), booted(place), *charge(place), *leave(place)]


@scenario
def transaction_status(place: Place) -> Iterable[Move]:
    """GetTransactionStatus is asked before, during and after a transaction, and for one that never was."""
    of_it = Ask("GetTransactionStatus", {"transactionId": "{tx.id}"})
    of_all = Ask("GetTransactionStatus", {})
    unknown = Ask("GetTransactionStatus", {"transactionId": "never-heard-of"})
    return [of_all, unknown, *charge(place), of_it, of_all, *leave(place), of_it, of_all]


@scenario
def event_refused(place: Place) -> Iterable[Move]:
    """TransactionEvents are answered with CALLERRORs (E13)."""
    refused: list[Move] = [Answer("TransactionEvent", error="InternalError") for _ in range(3)]
    moves: list[Move] = [*refused, *charge(place), *leave(place)]
    return sent_again_soon(place, moves)


@scenario
def event_refused_once(place: Place) -> Iterable[Move]:
    """The Started of a transaction is answered with a CALLERROR, and comes again (E13)."""
    n, started = place.evses[0], event(eventType="Started")
    moves: list[Move] = [
        Answer("TransactionEvent", error="InternalError"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        started,
        event(6.0, eventType="Started"),
        *leave(place),
    ]
    return sent_again_soon(place, moves)


@scenario
def event_answered_late(place: Place) -> Iterable[Move]:
    """The answer to a TransactionEvent comes late, and once more."""
    n = place.evses[0]
    return [
        Withhold("TransactionEvent"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Await("TransactionEvent"),
        get_variable(PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")),
        answered({}),
        answered({}),
        *leave(place),
    ]
