"""The case of an accepted finding is played until it shows, three times at most."""

import json
from collections.abc import Callable

from fuzz.engine.known import look
from fuzz.oracles.registry import judge
from fuzz.records import Basis, SendText, Severity, Violation
from fuzz.testing import case, mutation, rejected
from fuzz.transport.memory import MemoryLink
from strategies.labels import Tier

CLOSED = Violation(
    "O3", "connection-closed", Basis.STOPPED_SERVING, Severity.HIGH, "close 1011", "it closed"
)
BAD = case(
    rejected(Tier.SCHEMA),
    action="DataTransfer",
    mutations=[mutation("/a", "type", "null")],
    steps=[SendText(('[2,"{call.id}","DataTransfer",{"bad":1}]',))],
)


class Station:
    """Closes with this code on a bad message; 0 refuses it properly. Counts bad messages."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.bad = 0

    async def __call__(self, link: MemoryLink, text: str) -> None:
        if "bad" in text:
            self.bad += 1
            code = self.codes.pop(0)
            if code == 1006:
                await link.abort()
                return
            if code:
                await link.close(code)
                return
        frame = json.loads(text)
        if frame[0] == 2:
            answer = [4, frame[1], "TypeConstraintViolation", "", {}]
            await link.send_text(json.dumps(answer))


async def test_one_play_that_shows_it_is_enough(scripted: Callable) -> None:
    station = Station(1011)
    async with scripted(station) as executor:
        seen = await look(executor, judge, BAD, CLOSED)
    assert (seen.hits, seen.tries, station.bad) == (1, 1, 1)


async def test_what_shows_only_now_and_then_is_still_there(scripted: Callable) -> None:
    async with scripted(Station(0, 0, 1011)) as executor:
        seen = await look(executor, judge, BAD, CLOSED)
    assert (seen.hits, seen.tries) == (1, 3)


async def test_three_plays_without_it_are_three_passes(scripted: Callable) -> None:
    async with scripted(Station(0, 0, 0)) as executor:
        seen = await look(executor, judge, BAD, CLOSED)
    assert (seen.hits, seen.tries, seen.inconclusive, seen.other) == (0, 3, "", None)


async def test_what_else_is_wrong_now_is_told(scripted: Callable) -> None:
    async with scripted(Station(1006, 1006, 1006)) as executor:
        seen = await look(executor, judge, BAD, CLOSED)
    assert seen.hits == 0
    assert seen.other is not None
    observation, violation = seen.other
    assert observation.case == BAD
    assert violation.symptom == "close 1006"
