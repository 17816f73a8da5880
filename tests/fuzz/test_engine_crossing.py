"""Knows a silence that may come of CALLs that crossed, and makes them cross for certain."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from fuzz.engine.crossing import CROSSED, may_come_of_a_crossing, sure_crossing
from fuzz.engine.phases import Ground
from fuzz.engine.support import Coverage, Support
from fuzz.oracles.registry import judge
from fuzz.records import Basis, Effect, Entry, Observation, Severity, Side, Violation
from fuzz.testing import case, observation, target, us, voice
from fuzz.transport.memory import MemoryLink
from strategies.version import version

ZOMBIE = Violation(
    "O5", "zombie", Basis.STOPPED_SERVING, Severity.HIGH, "CALL unserved", "it serves none"
)
ASKED = us(0.0, [2, "a", "ClearCache", {}])
BEAT = target(0.0, [2, "t", "Heartbeat", {}])
BEAT_ANSWERED = voice(0.0, [3, "t", {}])
TOLD = target(0.1, [3, "a", {}])


def ground(side: Side = Side.STATION, **fields: object) -> Ground:
    return Ground(version(), side, 1, Support(), Coverage(), **fields)  # type: ignore[arg-type]


def seen(*entries: Entry) -> Observation:
    return replace(observation(case()), entries=entries)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((ASKED, BEAT, BEAT_ANSWERED), True),
        ((BEAT, ASKED), True),
        ((ASKED,), False),
        ((BEAT, BEAT_ANSWERED, ASKED), False),
        ((ASKED, BEAT, TOLD), False),
    ],
    ids=["met", "held open", "alone", "answered before", "served"],
)
def test_a_silence_behind_calls_that_crossed_may_come_of_them(
    entries: tuple[Entry, ...], expected: bool
) -> None:
    assert may_come_of_a_crossing(seen(*entries), ZOMBIE) is expected


@pytest.mark.parametrize(
    ("oracle", "symptom"), [("O5", "not back"), ("O4", "answered twice"), ("O1", "exit 1")]
)
def test_what_is_no_silence_does_not(oracle: str, symptom: str) -> None:
    other = replace(ZOMBIE, oracle=oracle, symptom=symptom)
    assert not may_come_of_a_crossing(seen(ASKED, BEAT, BEAT_ANSWERED), other)


def test_the_crossing_asks_for_nothing_that_lasts_or_was_left_out() -> None:
    made = sure_crossing(ground())
    assert made is not None
    assert made.effect is Effect.VOLATILE
    assert sure_crossing(ground(exclude=frozenset({"TriggerMessage"}))) is None
    assert sure_crossing(ground(only=frozenset({"ClearCache"}))) is None


def test_a_csms_cannot_be_made_to_call() -> None:
    assert sure_crossing(ground(Side.CSMS)) is None


class Beating:
    """Sends a Heartbeat when it is asked to; `deaf` serves no CALL until that is answered, and then forgets them."""

    def __init__(self, *, deaf: bool) -> None:
        self.deaf = deaf
        self.waits = False

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] != 2:
            self.waits = False
            return
        if self.waits and self.deaf:
            return
        await link.send_text(json.dumps([3, frame[1], {"status": "Accepted"}]))
        if frame[2] == "TriggerMessage":
            self.waits = True
            await link.send_text('[2,"beat","Heartbeat",{}]')


@pytest.mark.parametrize(("deaf", "expected"), [(True, [CROSSED]), (False, [])])
async def test_it_tells_a_target_that_copes_from_one_that_does_not(
    scripted: Callable, deaf: bool, expected: list[tuple[str, str]]
) -> None:
    made = sure_crossing(ground())
    assert made is not None
    async with scripted(Beating(deaf=deaf)) as executor:
        told = judge(await executor.play(made))
    assert [(v.oracle, v.symptom) for v in told if v.oracle == CROSSED[0]] == expected
