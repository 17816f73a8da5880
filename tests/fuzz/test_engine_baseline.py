"""What changes by itself is learned in a few readings, bounded in messages and in time."""

import json
from collections.abc import Callable
from dataclasses import replace

from fuzz.engine.baseline import MAX_READ, READINGS, learn_volatile
from fuzz.transport.memory import MemoryLink
from strategies.labels import JsonObject, JsonValue
from strategies.pool import Pool, PoolVariable


class Clockwork:
    """Answers GetVariables: `Ticking` counts readings, everything else stays."""

    def __init__(self, answer: JsonValue = None, *, mute: bool = False) -> None:
        self.sizes: list[int] = []
        self.answer = answer
        self.mute = mute

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] != 2:
            return
        asked = frame[3].get("getVariableData", [])
        self.sizes.append(len(asked))
        if not self.mute:
            told = self.answer or {"getVariableResult": [self.tell(item) for item in asked]}
            await link.send_text(json.dumps([3, frame[1], told]))

    def tell(self, item: JsonObject) -> JsonObject:
        ticking = item["variable"] == {"name": "Ticking"}
        value = str(len(self.sizes)) if ticking else "1"
        return {**item, "attributeStatus": "Accepted", "attributeValue": value}


def pool(*names: str, mutability: str = "ReadWrite") -> Pool:
    return Pool(tuple(PoolVariable("Ctrlr", n, mutability=mutability) for n in names))


async def test_only_what_differs_between_readings_changes_by_itself(scripted: Callable) -> None:
    async with scripted(Clockwork()) as executor:
        found = await learn_volatile(executor, pool("Ticking", "Still"), idle_s=0.0)
    assert found == {"Ctrlr.Ticking"}


async def test_no_more_is_asked_at_once_than_the_target_allows(scripted: Callable) -> None:
    station = Clockwork()
    async with scripted(station) as executor:
        await executor.connect()
        executor.facts = replace(executor.facts, items_per_message={"GetVariables": 2})
        await learn_volatile(executor, pool("A", "B", "C"), idle_s=0.0)
    assert station.sizes == [2, 1] * READINGS


async def test_the_number_of_variables_is_bounded(scripted: Callable) -> None:
    station = Clockwork()
    names = [f"V{n}" for n in range(MAX_READ + 7)]
    async with scripted(station) as executor:
        assert not await learn_volatile(executor, pool(*names), idle_s=0.0)
    assert sum(station.sizes) == READINGS * MAX_READ


async def test_what_cannot_be_read_is_not_asked_for(scripted: Callable) -> None:
    station = Clockwork()
    async with scripted(station) as executor:
        await learn_volatile(executor, pool("Secret", mutability="WriteOnly"), idle_s=0.0)
    assert station.sizes == []


async def test_a_target_that_does_not_answer_is_asked_once(scripted: Callable) -> None:
    station = Clockwork(mute=True)
    async with scripted(station, patience_s=0.02) as executor:
        assert not await learn_volatile(executor, pool("A"), idle_s=0.0)
    assert station.sizes == [1]


async def test_what_was_read_when_the_time_is_up_counts(scripted: Callable) -> None:
    async with scripted(Clockwork()) as executor:
        await executor.connect()
        assert not await learn_volatile(executor, pool("Ticking"), idle_s=60.0, budget_s=0.05)


async def test_an_answer_of_the_wrong_shape_teaches_nothing(scripted: Callable) -> None:
    odd: JsonValue = {"getVariableResult": [None, {"attributeValue": 3}, {"component": []}]}
    async with scripted(Clockwork(odd)) as executor:
        assert not await learn_volatile(executor, pool("A"), idle_s=0.0)
