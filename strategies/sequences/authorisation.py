"""Scenarios of authorisation (block C): whose token lets energy flow, for how long, and what takes it back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.labels import JsonObject
from strategies.moves import Act, Answer, Await, Leave, Move, Pause, Withhold
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenario, scenarios_over
from strategies.sequences.steps import (
    CHARGING,
    ENDED,
    GLANCE_S,
    answered,
    charge,
    judged,
    leave,
    present,
    reboot,
    tell_status,
    trigger,
)

ANSWERED_S = 0.6
"""After it nobody may think that an answer was still on its way (`model.energy`)."""


@scenarios_over
def authorization_refused(place: Place) -> Iterable[tuple[str, Script]]:
    """A token that is not accepted is shown, and the EV wants energy."""
    for status in ("Blocked", "Expired", "Invalid", "NoCredit", "Unknown", "ConcurrentTx"):
        yield status.lower(), partial(_refused, status)


def _refused(status: str, place: Place) -> list[Move]:
    n = place.evses[0]
    return [
        Answer("Authorize", judged(status)),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_elsewhere(place: Place) -> Iterable[Move]:
    """The token is accepted for another EVSE than the one in use."""
    n = place.evses[0]
    info: JsonObject = {"idTokenInfo": {"status": "Accepted", "evseId": [place.evses[-1] + 50]}}
    return [
        Answer("Authorize", info),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_carried_over(place: Place) -> Iterable[Move]:
    """Somebody is authorised and unplugs, and another EV comes."""
    n = place.evses[0]
    return [
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Pause(ANSWERED_S),
        Act(f"unplug {n}"),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_used_up(place: Place) -> Iterable[Move]:
    """Somebody charges and leaves, and another EV comes without a token."""
    n = place.evses[0]
    return [
        *charge(place),
        *leave(place),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_over_a_reset(place: Place) -> Iterable[Move]:
    """Somebody is authorised, the station is reset, and the EV wants energy."""
    n = place.evses[0]
    return [
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        *reboot(place),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_over_a_cut(place: Place) -> Iterable[Move]:
    """Somebody is authorised, the connection is cut, he leaves, and another EV comes."""
    n = place.evses[0]
    return [
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Leave(1006),
        Act(f"unplug {n}"),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        *tell_status(place),
    ]


@scenario
def authorization_late(place: Place) -> Iterable[Move]:
    """The answer to Authorize comes after the EV wanted energy."""
    n = place.evses[0]
    return [
        Withhold("Authorize"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        answered(judged("Accepted")),
        CHARGING,
        *leave(place),
    ]


@scenario
def authorization_swapped(place: Place) -> Iterable[Move]:
    """Authorize is refused, after an acceptance under the messageId of the CALL before it."""
    n = place.evses[0]
    return [
        trigger("Heartbeat"),
        Await("Heartbeat"),
        Withhold("Authorize"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        answered(judged("Accepted"), "{asked.previous}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        answered(judged("Blocked")),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_changed_mind(place: Place) -> Iterable[Move]:
    """Authorize is refused, and accepted by a second answer to the same CALL."""
    n = place.evses[0]
    return [
        Answer("Authorize", judged("Blocked")),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        answered(judged("Accepted")),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_by_error(place: Place) -> Iterable[Move]:
    """Authorize is answered with a CALLERROR, and the EV wants energy."""
    n = place.evses[0]
    return [
        Answer("Authorize", error="InternalError"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def second_token(place: Place) -> Iterable[Move]:
    """Another token, of nobody here, is shown while somebody charges, and its authorisation is used up."""
    n = place.evses[0]
    used_up: list[Move] = [Act(f"plug-in {n}"), Pause(0.1), Act(f"unplug {n}")]
    return [*_shown_meanwhile(place, judged("Accepted")), *leave(place), *used_up]


@scenario
def second_token_of_the_group(place: Place) -> Iterable[Move]:
    """Another token of the same group is shown while somebody charges."""
    ends: list[Move] = [ENDED, Act(f"unplug {place.evses[0]}")]
    return [*_shown_meanwhile(place, judged("Accepted", "GROUP-A")), *ends]


@scenario
def second_token_refused(place: Place) -> Iterable[Move]:
    """Another token of the same group is shown while somebody charges, and refused."""
    return [*_shown_meanwhile(place, judged("Blocked", "GROUP-A")), *leave(place)]


def _shown_meanwhile(place: Place, answer: JsonObject) -> list[Move]:
    other = place.tokens[1]
    return [
        Answer("Authorize", judged("Accepted", "GROUP-A")),
        Answer("Authorize", answer),
        *charge(place),
        present(other),
        Await("Authorize", (("/idToken/idToken", other[0]),), 10.0),
        Pause(0.1),
    ]


@scenario
def token_taken_back(place: Place) -> Iterable[Move]:
    """The token of a running transaction is refused in the answer to a TransactionEvent."""
    n = place.evses[0]
    refusals: list[Move] = [Answer("TransactionEvent", judged("Blocked")) for _ in range(3)]
    return [
        *refusals,
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Await("TransactionEvent"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        ENDED,
    ]
