"""Tells what a campaign would do, by making all of its cases and sending none.

Knows phases and what may be done to whom; must not know the wire. Where it has to assume something, it says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from fuzz.app import Plan, PlanRow
from fuzz.app.campaign import make_ground, make_phases
from fuzz.app.credentials import PERMISSION, configured
from fuzz.app.rig import catcher_address
from fuzz.config import RunOptions
from fuzz.engine.course import cost_of, count_of, reconnects_of
from fuzz.engine.effects import allowed_effects, effect_of, names_credentials
from fuzz.engine.executor import names_canary
from fuzz.engine.inventory import Inventory
from fuzz.engine.phases import Ground, Phase
from fuzz.records import Case, Effect, Operator, Side

_SHOWN_ACTIONS = 6


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things are assumed to take, in seconds; `visit_s` is how long a canary's visitors are waited for."""

    answer_s: float
    reconnect_s: float
    visit_s: float
    whose: str


EMBEDDED = Pace(0.001, 0.2, 0.05, "our own station on this machine")
CERTIFIED = Pace(0.2, 30.0, 0.05, "certified stations")
STARTED = Pace(0.05, 3.0, 0.05, "a program that dials again within a few seconds")
DIALLED = Pace(0.2, 0.5, 0.05, "a CSMS, which we dial again at once")


@dataclass(slots=True)
class _Count:
    """What one phase comes to."""

    cases: int = 0
    steps: int = 0
    reconnects: int = 0
    hand_actions: int = 0
    visits: int = 0
    without: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    actions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def plan(
    options: RunOptions, first: Sequence[PlanRow] = (), without: Container[str] = frozenset()
) -> Plan:
    """Count what a campaign would send, as if every action were supported and the target had no variables.

    `first` is what is done before the campaign, out of the same budget; `without` are ids of cases that it leaves out.
    """
    side = Side.CSMS if options.target else Side.STATION
    ground = make_ground(options, side, options.seed or 0, Inventory())
    owned = options.embedded or bool(options.start_cmd)
    ground.allowed = allowed_effects(owned=owned, allow=options.allow)
    ground.support.supported.update(ground.actions())
    ground.catches = catcher_address(options) is not None
    pace = pace_of(options)
    counts = {p.name: _counted(p, ground, options, without) for p in make_phases(options, ground)}
    known = [c for c in counts.values() if c is not None]
    return Plan(
        target=options.listen or options.target or "embedded reference station",
        rows=(*first, *_rows(counts, pace, options.max_time_s, sum(r.seconds for r in first))),
        not_asked=_not_asked(known),
        night={"messages": sum(count.without for count in known)},
        max_time_s=options.max_time_s,
        notes=_notes(pace),
        pace=f"{pace.answer_s:g} s an answer and {pace.reconnect_s:g} s a reconnect",
    )


def pace_of(options: RunOptions) -> Pace:
    """What is assumed of a target before it was met."""
    if options.embedded:
        return EMBEDDED
    if options.start_cmd and options.target is None:
        return STARTED
    return CERTIFIED if options.target is None else DIALLED


def _counted(
    phase: Phase, ground: Ground, options: RunOptions, without: Container[str]
) -> _Count | None:
    """All cases of a phase that ends by itself; None for one that runs until the budget ends."""
    if phase.planned() is None:
        return None
    made = _Count()
    for case in asyncio.run(_all(phase)):
        why = left_out(case, ground.allowed, options)
        if case.id in without:
            # Counted where it may be asked at all.
            made.without += not why
        elif why:
            made.left_out[why] += 1
            made.actions[why].add(case.action)
        else:
            made.cases += 1
            made.steps += cost_of(case)
            made.reconnects += reconnects_of(case)
            made.hand_actions += count_of(case.steps, Operator)
            made.visits += names_canary(case.steps)
    return made


async def _all(phase: Phase) -> list[Case]:
    async def idle(seconds: float) -> None:
        await asyncio.sleep(0)

    return [case async for case in phase.cases(idle)]


def left_out(case: Case, allowed: frozenset[Effect], options: RunOptions) -> str:
    """Why a campaign would not play a case, "" when it would."""
    if names_credentials(case):
        if PERMISSION not in options.allow:
            return f"would change how we get in; --allow {PERMISSION} asks it"
        if configured(options)[1] is None:
            return "would change credentials that are not known here"
    if case.effect not in allowed:
        return f"effect {case.effect.value}; --allow {case.effect.value} asks it"
    return ""


def _rows(
    counts: Mapping[str, _Count | None], pace: Pace, budget_s: float | None, spent: float
) -> list[PlanRow]:
    rows, connected = [], False
    for name, count in counts.items():
        if count is None:
            rows.append(PlanRow(name, None, None, 0, "until the budget ends"))
            continue
        reconnects = count.reconnects + (not connected)
        connected = True
        seconds = count.steps * pace.answer_s + reconnects * pace.reconnect_s
        seconds += count.visits * pace.visit_s
        cut = budget_s is not None and spent < budget_s < spent + seconds
        note = f"about {in_words(seconds)}" + ("; the budget may end here" if cut else "")
        rows.append(PlanRow(name, count.cases, reconnects, count.hand_actions, note, seconds))
        spent += seconds
    return rows


def in_words(seconds: float) -> str:
    """A span as one says it: `45 s`, `31 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60):,} min"


def _not_asked(counts: list[_Count]) -> tuple[tuple[str, int], ...]:
    total: Counter[str] = Counter()
    actions: dict[str, set[str]] = defaultdict(set)
    for count in counts:
        total.update(count.left_out)
        for why, names in count.actions.items():
            actions[why] |= names
    return tuple((f"{why}: {_named(actions[why])}", n) for why, n in sorted(total.items()))


def _named(actions: set[str]) -> str:
    order = list(Effect)
    names = sorted(actions - {""}, key=lambda a: (order.index(effect_of(a)), a))
    more = len(names) - _SHOWN_ACTIONS
    return ", ".join(names[:_SHOWN_ACTIONS]) + (f" and {more} more" if more > 0 else "")


def _notes(pace: Pace) -> tuple[str, ...]:
    answer, back = f"{pace.answer_s:g}", f"{pace.reconnect_s:g}"
    return (
        f"Times assume {answer} s an answer and {back} s a reconnect, as with {pace.whose}.",
        "A suspicion costs more: it is repeated with its control, then made smaller.",
        "Every action counts as supported; of one that the target refuses only samples are asked.",
        "Variables of the target add cases, once its base report is known.",
    )
