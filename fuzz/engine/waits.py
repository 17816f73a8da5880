"""What was waited for in vain, so that nobody waits for it for ever again.

Knows scenes and what their transcripts tell of waiting; must not know phases, nor why a target sends nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from fuzz.engine.stage import IN_VAIN, REFUSED
from fuzz.records import AnswerNext, Expect, Observation, RepeatSteps, Step

_S = TypeVar("_S", Expect, AnswerNext)

ENOUGH = 3
"""Scenes that wait in vain for one CALL before others are spared it."""

_Key: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class Waits:
    """Counts in how many scenes a CALL of the target was waited for in vain, and for how long, or refused to be sent."""

    _vain: dict[_Key, list[float]] = field(default_factory=dict)
    _refused: Counter[str] = field(default_factory=Counter)
    _came: set[_Key] = field(default_factory=set)
    _heard: set[str] = field(default_factory=set)

    def learn(self, observation: Observation) -> None:
        """Take note of what a scene waited for, as far as it was played and nothing broke it off."""
        if observation.inconclusive or observation.close is not None:
            return
        awaited = {(e.action, e.where): e for e in _of(Expect, observation.case.steps)}
        if not awaited:
            return
        notes = {e.text for e in observation.entries if e.kind == "note"}
        calls = {h.action for h in observation.calls if isinstance(h.action, str)}
        self._heard |= calls
        self._refused.update({a for a, _ in awaited if f"{REFUSED} {a}" in notes})
        for key, step in awaited.items():
            if f"{IN_VAIN} {step.action}" in notes:
                self._vain.setdefault(key, []).append(step.timeout_s)
            elif step.action in calls:
                self._came.add(key)

    def hopeless(self, steps: Sequence[Step]) -> str:
        """The CALL that these steps wait for, or have an answer for, although it never comes; "" for none."""
        never = [e.action for e in _of(Expect, steps) if self._never_comes(e)]
        never += [a.action for a in _of(AnswerNext, steps) if self._never_sent(a.action)]
        return never[0] if never else ""

    def _never_comes(self, step: Expect) -> bool:
        key = (step.action, step.where)
        as_long = [s for s in self._vain.get(key, ()) if s >= step.timeout_s]
        return key not in self._came and len(as_long) >= ENOUGH

    def _never_sent(self, action: str) -> bool:
        return action not in self._heard and self._refused[action] >= ENOUGH


def _of(kind: type[_S], steps: Iterable[Step]) -> Iterator[_S]:
    for step in steps:
        if isinstance(step, kind):
            yield step
        elif isinstance(step, RepeatSteps):
            yield from _of(kind, step.steps)
