"""Moves become steps one by one, and hostile messages fit only where the station is steady."""

from __future__ import annotations

import pytest

from fuzz.engine.staging import answer_text, effect, steady_points, steps
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
)

_RESET = Ask("Reset", {"type": "Immediate"})
_BOOT = Await("BootNotification")
_STATUS = Ask("GetTransactionStatus", {})


@pytest.mark.parametrize(
    ("move", "step"),
    [
        (_STATUS, AskStep(('[2,"{call.id}","GetTransactionStatus",{}]',))),
        (Tell("[3]"), SendText(("[3]",))),
        (Answer("Authorize", {"a": 1}), AnswerNext("Authorize", ('[3,"{call.id}",{"a":1}]',))),
        (
            Answer("Authorize", error="InternalError"),
            AnswerNext("Authorize", ('[4,"{call.id}","InternalError","",{}]',)),
        ),
        (AnswerText("Authorize", "[3]"), AnswerNext("Authorize", ("[3]",))),
        (Withhold("Authorize"), AnswerNext("Authorize")),
        (Await("Heartbeat", (("/a", "b"),), 5.0), Expect("Heartbeat", 5.0, (("/a", "b"),))),
        (Act("present-token AB ISO14443"), Operator("present-token", "AB ISO14443")),
        (Pause(2.0), Wait(6.0)),
        (Pause(31.0), Wait(37.0)),
        (Leave(1006), Disconnect(1006)),
        (Again((Pause(1.0),), 4), RepeatSteps((Wait(3.0),), 4)),
    ],
)
def test_a_move_becomes_a_step(move: Move, step: Step) -> None:
    assert steps([move], patience=3.0) == (step,)


def test_an_answer_keeps_the_slot_for_its_id() -> None:
    assert answer_text(Answer("Heartbeat", {})) == '[3,"{call.id}",{}]'


@pytest.mark.parametrize(
    ("moves", "worst"),
    [
        ([_STATUS], Effect.VOLATILE),
        ([_STATUS, _RESET], Effect.PERSISTENT),
        ([Again((Act("present-token AB"),), 2)], Effect.ENERGISE),
        ([Ask("SetNetworkProfile", {}), _RESET], Effect.LOCK_OUT),
    ],
)
def test_a_scene_has_the_worst_effect_of_its_moves(moves: list[Move], worst: Effect) -> None:
    assert effect(moves) is worst


@pytest.mark.parametrize(
    ("moves", "points"),
    [
        ([_STATUS, Pause(1.0), _STATUS], (1, 3)),
        ([_RESET, _STATUS, _BOOT, _STATUS], (3, 4)),
        ([Act("power-cycle"), _STATUS, _BOOT], (3,)),
        ([Leave(1006), _STATUS], (2,)),
        ([Act("cut-network"), Act("restore-network"), _STATUS], (3,)),
        ([Act("cut-network"), Act("power-cycle"), Act("restore-network"), _STATUS, _BOOT], (5,)),
        ([_STATUS, Withhold("BootNotification"), _RESET, _BOOT], ()),
        ([_STATUS, Tell("[3]"), _STATUS], ()),
    ],
)
def test_a_hostile_message_fits_in_where_the_station_is_steady(
    moves: list[Move], points: tuple[int, ...]
) -> None:
    assert steady_points(moves) == points
