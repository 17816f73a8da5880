"""Scenarios of CALLs that cross, and answers out of order or too late (Part 4 section 4.1.1)."""

from __future__ import annotations

from collections.abc import Iterable

from strategies.labels import JsonObject
from strategies.moves import Act, Answer, Ask, Await, Leave, Move, Pause, Tell, Withhold
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import scenario, slow_scenario
from strategies.sequences.steps import (
    ENDED,
    GLANCE_S,
    answered,
    get_variable,
    judged,
    present,
    reboot,
    stop_remotely,
    tell_status,
    trigger,
    with_variable,
)

_HEARTBEAT_ANSWER: JsonObject = {"currentTime": "{time.now}"}
_AT_LARGE = PoolVariable("AuthCtrlr", "OfflineTxForUnknownIdEnabled")
_STRANGER = ("04FEED5712A6E2", "ISO14443")
"""A token that no list knows."""


@scenario
def crossing(place: Place) -> Iterable[Move]:
    """A CALL comes while the station waits for an answer, which comes afterwards."""
    return [
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        get_variable(PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")),
        trigger("StatusNotification", place.connectors[0]),
        answered(_HEARTBEAT_ANSWER),
        Await("StatusNotification"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
    ]


@scenario
def crossing_while_charging(place: Place) -> Iterable[Move]:
    """CALLs come while the station waits for the answer to a TransactionEvent, and while the end of it all waits, too."""
    n = place.evses[0]
    of_it = Ask("GetTransactionStatus", {"transactionId": "{tx.id}"})
    return [
        Withhold("TransactionEvent"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Await("TransactionEvent"),
        of_it,
        stop_remotely(),
        Act(f"unplug {n}"),
        Ask("GetTransactionStatus", {}),
        of_it,
        answered({}),
        ENDED,
    ]


@scenario
def two_calls_at_once(place: Place) -> Iterable[Move]:
    """A second CALL comes while the first one is in process."""
    item = '{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}'
    call = f'[2,"{{call.id}}","GetVariables",{{"getVariableData":[{item}]}}]'
    return [Tell(call), get_variable(PoolVariable("OCPPCommCtrlr", "HeartbeatInterval"))]


@scenario
def answer_to_nothing(place: Place) -> Iterable[Move]:
    """Answers come to CALLs that were answered before, or never made, while the station waits for another."""
    return [
        trigger("Heartbeat"),
        Await("Heartbeat"),
        answered(_HEARTBEAT_ANSWER),
        Withhold("StatusNotification"),
        trigger("StatusNotification", place.connectors[0]),
        Await("StatusNotification"),
        answered(_HEARTBEAT_ANSWER, "{asked.previous}"),
        answered(_HEARTBEAT_ANSWER, "never-asked"),
        trigger("Heartbeat"),
        Pause(GLANCE_S),
        answered({}),
        Await("Heartbeat"),
    ]


def _past_timeout(place: Place) -> Pause:
    told = place.value("OCPPCommCtrlr.MessageTimeout/Default", "30")
    return Pause(min(float(told) if told.isdecimal() else 30.0, 60.0) + 1.0)


@slow_scenario
def answer_after_its_time(place: Place) -> Iterable[Move]:
    """An answer comes after its time, while the station waits for another one."""
    return [
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        _past_timeout(place),
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        answered(_HEARTBEAT_ANSWER, "{asked.previous}"),
        trigger("StatusNotification", place.connectors[0]),
        Pause(GLANCE_S),
        answered(_HEARTBEAT_ANSWER),
        Await("StatusNotification"),
    ]


@slow_scenario
def authorization_never_answered(place: Place) -> Iterable[Move]:
    """Authorize is never answered, and the EV wants energy."""
    n = place.evses[0]
    return [
        Withhold("Authorize"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        _past_timeout(place),
        Act(f"unplug {n}"),
        *tell_status(place),
    ]


@slow_scenario
def authorization_lost(place: Place) -> Iterable[Move]:
    """The connection is lost while the station asks about a token, which is shown twice more when it waits no longer."""
    again: list[Move] = [Answer("Authorize", judged("Invalid")), present(_STRANGER)]
    moves: list[Move] = [
        get_variable(_AT_LARGE),
        Withhold("Authorize"),
        present(_STRANGER),
        Await("Authorize"),
        Leave(1006),
        *tell_status(place),
        _past_timeout(place),
        *again,
        Await("Authorize"),
        *again,
        Await("Authorize"),
    ]
    return with_variable(place, _AT_LARGE.name, "false", moves)


@slow_scenario
def boot_never_answered(place: Place) -> Iterable[Move]:
    """BootNotification is never answered, and answered when it comes again."""
    return [
        Withhold("BootNotification"),
        *reboot(place),
        _past_timeout(place),
        Await("BootNotification", timeout_s=90.0),
        *tell_status(place),
    ]
