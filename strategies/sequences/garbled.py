"""Scenarios in which an answer of ours is not what it should be."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.moves import Act, AnswerText, Await, Move, Pause
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenarios_over
from strategies.sequences.steps import GLANCE_S, SIGN, get_variable, present, reboot, trigger


@scenarios_over
def answer_garbled(place: Place) -> Iterable[tuple[str, Script]]:
    """An answer of ours is not what it should be."""
    for name, text in _GARBLED:
        for action in ("Heartbeat", "SignCertificate", "StatusNotification"):
            yield f"{action}-{name}", partial(_garbled, action, text)


_GARBLED = (
    ("empty", '[3,"{call.id}",{}]'),
    ("null", '[3,"{call.id}",null]'),
    ("short", '[3,"{call.id}"]'),
    ("wrong-type", '[3,"{call.id}",{"status":7,"currentTime":[]}]'),
    ("error-null", '[4,"{call.id}","GenericError",null,{}]'),
    ("error-short", '[4,"{call.id}"]'),
    ("error-unknown", '[4,"{call.id}","NoSuchError","",{}]'),
)


def _garbled(action: str, text: str, place: Place) -> list[Move]:
    asked = {"SignCertificate": SIGN}.get(action, trigger(action))
    if action == "StatusNotification":
        asked = trigger(action, place.connectors[0])
    first: list[Move] = [AnswerText(action, text), asked, Await(action)]
    return [*first, trigger("Heartbeat"), Await("Heartbeat")]


@scenarios_over
def boot_garbled(place: Place) -> Iterable[tuple[str, Script]]:
    """The answer to BootNotification is not what it should be."""
    for name, text in _GARBLED:
        yield name, partial(_boot_garbled, text)


def _boot_garbled(text: str, place: Place) -> list[Move]:
    heartbeat = PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")
    first: list[Move] = [AnswerText("BootNotification", text), *reboot(place)]
    return [*first, Pause(0.1), get_variable(heartbeat)]


@scenarios_over
def authorization_garbled(place: Place) -> Iterable[tuple[str, Script]]:
    """The answer to Authorize is not what it should be, and the EV wants energy."""
    for name, text in _GARBLED:
        yield name, partial(_authorization_garbled, text)


def _authorization_garbled(text: str, place: Place) -> list[Move]:
    n = place.evses[0]
    return [
        AnswerText("Authorize", text),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
    ]
