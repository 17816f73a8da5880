"""Turns moves into the steps of a case.

Knows the words of `strategies.moves` and those of a case; must not know what a scene is for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from fuzz.engine.cases import call_text, compact
from fuzz.engine.effects import effect_of
from fuzz.records import (
    AnswerNext,
    Ask as AskStep,
    Disconnect,
    Effect,
    Expect,
    Operator,
    RepeatSteps,
    SendText,
    Step,
    Wait,
)
from strategies.moves import (
    Act,
    Again,
    Answer,
    AnswerText,
    Ask,
    Await,
    Leave,
    Move,
    Pause,
    Tell,
    Withhold,
    flat,
)

LONGER_S = 6.0
"""What patience adds to a pause at most: one that waits for a time-out of the target is long enough by itself."""

_ENERGISING = frozenset({"present-token", "start-power"})


def steps(moves: Iterable[Move], *, patience: float = 1.0) -> tuple[Step, ...]:
    """The steps of moves; in a pause `patience` times as much time passes as they say, and a few seconds more at most."""
    return tuple(_step(move, patience) for move in moves)


def _step(move: Move, patience: float) -> Step:
    match move:
        case Ask():
            return AskStep(call_text(move.action, move.payload))
        case Tell():
            return SendText(compact(move.text))
        case Answer():
            return AnswerNext(move.action, compact(answer_text(move)))
        case AnswerText():
            return AnswerNext(move.action, compact(move.text))
        case Withhold():
            return AnswerNext(move.action)
        case Await():
            return Expect(move.action, move.timeout_s, move.where)
        case Act():
            return Operator(move.event, move.argument)
        case Pause():
            return Wait(min(move.seconds * patience, move.seconds + LONGER_S))
        case Leave():
            return Disconnect(move.code)
        case Again():
            return RepeatSteps(steps(move.moves, patience=patience), move.times)
        case _:
            assert_never(move)


def answer_text(answer: Answer) -> str:
    """A CALLRESULT, or a CALLERROR, with a slot for the messageId (OCPP-J 4.2.2, 4.2.3)."""
    if answer.error:
        return f'[4,"{{call.id}}",{json.dumps(answer.error)},"",{{}}]'
    return f'[3,"{{call.id}}",{json.dumps(answer.payload, separators=(",", ":"))}]'


def effect(moves: Sequence[Move]) -> Effect:
    """The worst that moves may leave behind."""
    return max(_effects(moves), key=list(Effect).index)


def _effects(moves: Sequence[Move]) -> Iterator[Effect]:
    yield Effect.VOLATILE
    for move in flat(moves):
        if isinstance(move, Ask):
            yield effect_of(move.action, move.payload)
        elif isinstance(move, Act) and move.event in _ENERGISING:
            yield Effect.ENERGISE


def steady_points(moves: Sequence[Move]) -> tuple[int, ...]:
    """Where another CALL of ours fits in: the station is connected and registered, and nobody waits for its boot.

    None in a scene that answers a boot in its own way, or that says messages of its own beside its CALLs.
    """
    every = list(flat(moves))
    if any(isinstance(m, Tell) or _answers_boot(m) for m in every):
        return ()
    found: list[int] = []
    waits_for: frozenset[str] = frozenset()
    for at, move in enumerate(moves, 1):
        waits_for = _then_waits_for(move, waits_for)
        if not waits_for and isinstance(move, Ask | Await | Again):
            found.append(at)
    return tuple(found)


def _answers_boot(move: Move) -> bool:
    return isinstance(move, Answer | AnswerText | Withhold) and move.action == "BootNotification"


def _then_waits_for(move: Move, before: frozenset[str]) -> frozenset[str]:
    """What has to happen before the station is steady again, by the names of CALLs or deeds; empty when it is."""
    match move:
        case Ask(action="Reset") | Act(words="power-cycle"):
            return before | {"BootNotification"}
        case Act(words="cut-network"):
            return before | {"restore-network", _CONTACT}
        case Act(words="restore-network"):
            return before - {"restore-network"}
        case Leave():
            return before | {_CONTACT}
        case Await(action="BootNotification"):
            return before - {"BootNotification", _CONTACT}
        case Ask() | Await() if "restore-network" not in before:
            return before - {_CONTACT}
        case _:
            return before


_CONTACT = "contact"
