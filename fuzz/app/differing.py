"""Plays the same cases on two targets, one after the other, and tells where they disagree (O27).

Knows how a comparison is composed; must not know how it is shown. The cases depend on no answer, and name what the
first target has, so that both are asked exactly the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from fuzz.app.campaign import TOOL, prepare
from fuzz.app.rig import rig
from fuzz.config import RunOptions
from fuzz.engine.effects import allowed_effects, names_credentials
from fuzz.engine.executor import Executor
from fuzz.engine.inventory import Inventory
from fuzz.engine.phases import Ground, Systematic
from fuzz.engine.support import Coverage, Support
from fuzz.errors import UsageError
from fuzz.oracles.differential import compare, outcome
from fuzz.records import Case, Effect, EngineEvent, Note, Observation, Side, TargetFacts
from fuzz.report.words import attacked
from strategies.version import version

Sink = Callable[[EngineEvent], None]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Cases of one kind that two targets treat differently: how many, and one of them."""

    kind: str
    first: str
    second: str
    count: int
    example: Case


@dataclass(frozen=True, slots=True)
class Difference:
    """The outcome of a comparison: who was asked, how many cases both came to a verdict on, and where they differ."""

    targets: tuple[str, str]
    compared: int
    disagreements: tuple[Disagreement, ...]


def diff(first: RunOptions, second: RunOptions, sink: Sink) -> Difference:
    """Play the cases on both. Raises `TargetUnavailable` for either, `UsageError` for two of unlike sides."""
    if (first.target is None) != (second.target is None):
        raise UsageError(
            "one target is a Charging Station, the other a CSMS; compare like with like"
        )
    here = asyncio.run(_play(first, None, sink))
    there = asyncio.run(_play(second, [seen.case for seen in here[1].values()], sink))
    return _compared(here, there)


def _cases(options: RunOptions, inventory: Inventory) -> Iterator[Case]:
    """The systematic cases as if every action were supported, no credentials and nothing heavy among them."""
    ground = Ground(
        version=version(),
        side=Side.CSMS if options.target is not None else Side.STATION,
        seed=0,
        support=Support(),
        coverage=Coverage(),
        pool=inventory.pool,
        components=inventory.component_names(),
        only=frozenset(options.only),
        exclude=frozenset(options.exclude),
        full=options.tier == "full",
        tool=TOOL,
    )
    ground.support.supported.update(ground.actions())
    made = (c for c in Systematic(ground).table() if not c.heavy and not names_credentials(c))
    for number, case in enumerate(made):
        if options.max_cases is not None and number >= options.max_cases:
            return
        yield case


async def _play(
    options: RunOptions, cases: Sequence[Case] | None, sink: Sink
) -> tuple[TargetFacts, dict[str, Observation]]:
    seen: dict[str, Observation] = {}
    async with rig(options, sink) as made:
        executor = Executor(made.wiring, made.pace)
        inventory = await prepare(executor, sink)
        sink(Note(f"asking {attacked(executor.facts)}"))
        allowed = allowed_effects(owned=executor.owned, allow=options.allow)
        for case in _cases(options, inventory) if cases is None else cases:
            if case.effect in allowed:
                seen[case.id] = _slim(await executor.play(case))
                await _put_back(executor, inventory, seen[case.id])
        await inventory.put_back(executor)
        await executor.hang_up()
        return executor.facts, seen


async def _put_back(executor: Executor, inventory: Inventory, seen: Observation) -> None:
    inventory.note(seen)
    if seen.case.effect is Effect.LOCK_OUT and inventory.changed:
        await inventory.put_back(executor, only=list(inventory.changed))


def _slim(seen: Observation) -> Observation:
    """What a comparison needs of an observation: thousands are kept."""
    return replace(seen, entries=(), calls=(), log=())


def _compared(
    here: tuple[TargetFacts, dict[str, Observation]],
    there: tuple[TargetFacts, dict[str, Observation]],
) -> Difference:
    counts: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], Case] = {}
    both = [id_ for id_ in here[1] if id_ in there[1]]
    for id_ in both:
        first, second = here[1][id_], there[1][id_]
        if compare(first, second) is not None:
            kind = (first.case.mutation_class, outcome(first), outcome(second))
            counts[kind] += 1
            examples.setdefault(kind, first.case)
    return Difference(
        (attacked(here[0]), attacked(there[0])),
        len(both),
        tuple(Disagreement(*kind, count, examples[kind]) for kind, count in counts.most_common()),
    )
