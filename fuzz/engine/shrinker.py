"""Makes a failing case smaller while it fails in the same way: runs first, then structure, then Hypothesis.

Knows cases and reducers; a predicate given from outside plays the candidates. Must not know oracles.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fuzz.clock import Clock
from fuzz.engine.cases import compact
from fuzz.engine.drawing import minimise
from fuzz.engine.reducer import reduce, reduce_text
from fuzz.engine.validity import call_parts, hostile_step, same_class, same_text
from fuzz.records import AnswerNext, Ask, Case, Disconnect, Gauge, RepeatSteps, SendText, Step
from strategies.labels import Channel, JsonValue, Kind, Position, Repeated, Stance, Text, spell
from strategies.payloads import payloads
from strategies.text import text_fault
from strategies.version import Version

Still = Callable[[Case], Awaitable[bool]]
Cut = Callable[[Sequence[Step]], Iterator[slice]]

_LONGEST_TEXT = 20_000
_SHORT_ENOUGH = 160
"""Characters below which a second search is not worth the target's time."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one shrinking: plays, seconds on the clock, and reconnects; a restart is one too. None: no limit."""

    plays: int = 150
    seconds: float = 20.0
    reconnects: int | None = None


GENTLE = Budget(plays=60, seconds=300.0, reconnects=10)
"""For targets that we cannot restart: each reconnect may cost them half a minute."""


class _Spent(Exception):
    """The budget of one shrinking is used up."""


class Shrinker:
    """Shrinks cases within a budget; the smallest case that still failed is never lost."""

    def __init__(
        self,
        version: Version,
        clock: Clock,
        budget: Budget,
        reconnects: Callable[[], int] = lambda: 0,
    ) -> None:
        """`reconnects` tells how many there were so far."""
        self._version = version
        self._clock = clock
        self._budget = budget
        self._reconnects = reconnects

    async def shrink(self, case: Case, still: Still, *, share: float = 1.0) -> tuple[Case, str]:
        """The smallest case found, and a note when the budget, or the share of it that is allowed, ended the search."""
        best, budget = case, self._budget
        plays, end = 0, self._clock.monotonic() + budget.seconds * share
        before = self._reconnects()

        async def try_(candidate: Case) -> bool:
            nonlocal best, plays
            reconnects = self._reconnects() - before
            if plays >= budget.plays * share or self._clock.monotonic() >= end:
                raise _Spent
            if budget.reconnects is not None and reconnects >= budget.reconnects * share:
                raise _Spent
            plays += 1
            holds = await still(candidate)
            if holds and size(candidate) <= size(best):
                best = candidate
            return holds

        try:
            for pass_ in (self._steps, self._runs, self._structure, self._text, self._hypothesis):
                await pass_(best, try_)
        except _Spent:
            lost = self._reconnects() - before
            return best, f"the budget ended after {plays} plays and {lost} reconnects"
        return best, ""

    async def _steps(self, case: Case, still: Still) -> None:
        """Drop whole connections, then halves, quarters and single steps of what is left; then repeat less."""
        sizes = [len(case.steps) >> n for n in range(1, len(case.steps).bit_length())]
        cuts: list[Cut] = [_connections, *(partial(_blocks, size_) for size_ in sizes)]
        for cut in cuts:
            case = await self._without(case, cut, still)
        await self._repeat_less(case, still)

    async def _without(self, case: Case, cut: Cut, still: Still) -> Case:
        """The case without every part, the last one first, that it fails without."""
        for part in sorted(cut(case.steps), key=lambda p: -int(p.start)):
            steps = case.steps[: part.start] + case.steps[part.stop :]
            if steps and len(steps) < len(case.steps) and _keeps_gauges(case.steps, steps):
                candidate = replace(case, steps=steps)
                if await still(candidate):
                    case = candidate
        return case

    async def _repeat_less(self, case: Case, still: Still) -> None:
        """Bisect how often steps are repeated, all that are repeated equally often together."""
        for times in sorted(
            {s.times for s in case.steps if isinstance(s, RepeatSteps)}, reverse=True
        ):
            low, high = 0, times
            while high - low > 1:
                middle = (low + high) // 2
                candidate = replace(case, steps=_repeated(case.steps, high, middle))
                if await still(candidate):
                    case, high = candidate, middle
                else:
                    low = middle

    async def _runs(self, case: Case, still: Still) -> None:
        """Bisect how often each long run is repeated; equal runs (brackets that close) shrink together."""
        text = _text(case)
        if text is None:
            return
        allowed = same_text(case, self._version)
        for times in sorted({p.times for p in text if isinstance(p, Repeated)}, reverse=True):
            low, high = 0, times
            while high - low > 1:
                middle = (low + high) // 2
                shorter = _with_runs(text, times, middle)
                if allowed(spell(shorter)) and await still(_with_text(case, shorter)):
                    high = middle
                else:
                    low = middle
            text = _with_runs(text, times, high)

    async def _structure(self, case: Case, still: Still) -> None:
        parts = call_parts(case)
        if parts is None:
            return
        payload, _ = parts
        if all(m.channel is Channel.PAYLOAD for m in case.mutations):
            allowed = same_class(case, self._version, payload)
        else:
            same = same_text(case, self._version)

            def allowed(candidate: JsonValue) -> bool:
                return same(spell(_frame_text(case, candidate)))

        async def holds(candidate: JsonValue) -> bool:
            return await still(_with_text(case, _frame_text(case, candidate)))

        await reduce(payload, holds, allowed=allowed, max_calls=self._budget.plays)

    async def _text(self, case: Case, still: Still) -> None:
        """Shorten what is no JSON or no array, as long as it stays so in the same way."""
        text = _text(case)
        if text is None or sum(map(_length, text)) > _LONGEST_TEXT:
            return
        whole = spell(text)
        if text_fault(whole) is None and (call_parts(case) is not None or not _is_array(whole)):
            return

        async def holds(candidate: str) -> bool:
            return await still(_with_text(case, compact(candidate)))

        allowed = same_text(case, self._version)
        await reduce_text(whole, holds, allowed=allowed, max_calls=self._budget.plays)

    async def _hypothesis(self, case: Case, still: Still) -> None:
        """Let Hypothesis look for a simpler valid payload, where the structural pass left a long one."""
        parts = call_parts(case)
        if (
            parts is None
            or case.position is not Position.CALL
            or case.expectation.stance is not Stance.ACCEPT
            or size(case) < _SHORT_ENOUGH
        ):
            return
        payload = parts[0]
        allowed = same_class(case, self._version, payload)
        loop = asyncio.get_running_loop()

        def holds(candidate: JsonValue) -> bool:
            if not allowed(candidate):
                return False
            played = still(_with_text(case, _frame_text(case, candidate)))
            return asyncio.run_coroutine_threadsafe(_as_future(played), loop).result()

        strategy = payloads(case.action, Kind.REQUEST, version=self._version)
        await asyncio.to_thread(
            lambda: minimise(payload, strategy, holds, max_calls=self._budget.plays // 4)
        )


async def _as_future(awaitable: Awaitable[bool]) -> bool:
    return await awaitable


def size(case: Case) -> int:
    """Characters of all texts of a case, runs written out."""
    return sum(_step_size(s) for s in case.steps)


def _step_size(step: Step) -> int:
    match step:
        case SendText() | AnswerNext() | Ask():
            return 1 + sum(map(_length, step.text))
        case RepeatSteps():
            return step.times * sum(map(_step_size, step.steps)) + 1
        case _:
            return len(getattr(step, "data", b"")) + 1


def _length(part: str | Repeated) -> int:
    return len(part) if isinstance(part, str) else len(part.unit) * part.times


def _text(case: Case) -> Text | None:
    index = hostile_step(case)
    step = None if index is None else case.steps[index]
    return step.text if isinstance(step, SendText | AnswerNext) else None


def _with_text(case: Case, text: Text) -> Case:
    """The case with another text in its hostile message."""
    index = hostile_step(case)
    if index is None:
        return case
    step = case.steps[index]
    assert isinstance(step, SendText | AnswerNext)
    changed = replace(step, text=text)
    return replace(case, steps=(*case.steps[:index], changed, *case.steps[index + 1 :]))


def _connections(steps: Sequence[Step]) -> Iterator[slice]:
    """The parts between one end of a connection and the next."""
    ends = [i + 1 for i, s in enumerate(steps) if isinstance(s, Disconnect)]
    starts = [0, *ends]
    if ends:
        yield from (slice(a, b) for a, b in zip(starts, [*ends, len(steps)], strict=True))


def _blocks(size_: int, steps: Sequence[Step]) -> Iterator[slice]:
    """Blocks of so many steps."""
    return (slice(i, i + size_) for i in range(0, len(steps), size_))


def _keeps_gauges(before: Sequence[Step], after: Sequence[Step]) -> bool:
    """True unless a reading of figures, or what it measures, was dropped: without all of them nothing is proved."""
    measures = [s for s in before if isinstance(s, Gauge)]
    return not measures or [s for s in after if isinstance(s, Gauge | RepeatSteps)] == [
        s for s in before if isinstance(s, Gauge | RepeatSteps)
    ]


def _repeated(steps: Sequence[Step], times: int, less: int) -> tuple[Step, ...]:
    return tuple(
        replace(s, times=less) if isinstance(s, RepeatSteps) and s.times == times else s
        for s in steps
    )


def _with_runs(text: Text, times: int, shorter: int) -> Text:
    return tuple(
        Repeated(p.unit, shorter) if isinstance(p, Repeated) and p.times == times else p
        for p in text
    )


def _frame_text(case: Case, payload: JsonValue) -> Text:
    """The frame with another payload; everything before the payload stays as it was spelled."""
    whole = spell(_text(case) or ())
    before = 2 if case.position is Position.CALLRESULT else 3
    return compact(
        f"{whole[: _payload_start(whole, before)]}{json.dumps(payload, separators=(',', ':'))}]"
    )


def _payload_start(whole: str, before: int) -> int:
    """Where the element behind the first `before` of a JSON array begins."""
    decoder, at = json.JSONDecoder(), whole.index("[") + 1
    for _ in range(before):
        _, at = decoder.raw_decode(whole, _past_blank(whole, at))
        at = _past_blank(whole, at) + 1
    return at


def _past_blank(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _is_array(text: str) -> bool:
    return _arity(text) is not None


def _arity(text: str) -> int | None:
    """How many elements an array has; None for anything that our reader does not take for one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return len(value) if isinstance(value, list) else None
