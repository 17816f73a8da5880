"""Learns which variables change by themselves: reads all of them a few times while nothing is asked.

Knows GetVariables and the limits that a target declares. Must not know cases or oracles. It is bounded in messages and
in time, and whatever goes wrong only means that less is learned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from fuzz.engine.executor import Executor
from fuzz.errors import TargetUnavailable
from fuzz.ocppj.variables import describe, items_of, named
from fuzz.records import FrameKind
from strategies.labels import JsonObject
from strategies.pool import Pool, PoolVariable

NEEDED_BY = frozenset({"twins", "stateful"})
"""The phases whose scenes compare readings."""

READINGS = 3
IDLE_S = 1.1
"""How long nothing is asked, all in all: clocks tell whole seconds."""

BUDGET_S = 4.0
MAX_READ = 400
MAX_CHUNK = 50
USUAL_CHUNK = 10
"""Variables in one message where the target declares no limit."""


async def learn_volatile(
    executor: Executor, pool: Pool, *, idle_s: float = IDLE_S, budget_s: float = BUDGET_S
) -> frozenset[str]:
    """Names of the variables whose values differed between readings; those read until the time was up."""
    chunks = list(_chunks(pool, executor.facts.items_per_message.get("GetVariables")))
    seen: dict[str, set[str]] = {}
    try:
        async with asyncio.timeout(budget_s):
            await _read_often(executor, chunks, seen, idle_s)
    except (TimeoutError, TargetUnavailable):
        # What takes longer is left: a variable that is not known to be volatile is judged like the others.
        pass
    return frozenset(name for name, values in seen.items() if len(values) > 1)


async def _read_often(
    executor: Executor,
    chunks: Sequence[Sequence[PoolVariable]],
    seen: dict[str, set[str]],
    idle_s: float,
) -> None:
    for reading in range(READINGS if chunks else 0):
        if reading:
            await executor.serve(idle_s / (READINGS - 1))
        for chunk in chunks:
            if not await _read(executor, chunk, seen):
                return


async def _read(
    executor: Executor, chunk: Iterable[PoolVariable], seen: dict[str, set[str]]
) -> bool:
    """Read some variables; False when nobody answered."""
    payload: JsonObject = {"getVariableData": [_item(v) for v in chunk]}
    answer = await executor.proper_call("GetVariables", payload)
    if answer is None:
        return False
    if answer.kind is FrameKind.CALLRESULT:
        for item in items_of(answer.payload, "getVariableResult"):
            value = item.get("attributeValue")
            if isinstance(value, str) and len(seen) < MAX_READ:
                seen.setdefault(describe(named(item)), set()).add(value)
    return True


def _chunks(pool: Pool, most: int | None) -> Iterator[tuple[PoolVariable, ...]]:
    readable = [v for v in pool.variables if v.mutability != "WriteOnly"][:MAX_READ]
    size = min(max(1, USUAL_CHUNK if most is None else most), MAX_CHUNK)
    for start in range(0, len(readable), size):
        yield tuple(readable[start : start + size])


def _item(variable: PoolVariable) -> JsonObject:
    return {"component": variable.component_json(), "variable": variable.variable_json()}
