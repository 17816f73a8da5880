"""Valid payloads that mutation may start from: those of stored cases, and those that made the target do something new.

Knows cases, observations and validity classes; must not know phases. Grows only between cases, so that a phase that
takes a snapshot gets the same seeds in every run with the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fuzz.engine.effects import names_credentials
from fuzz.engine.validity import call_parts, canonical, class_of
from fuzz.records import Case, FrameKind, Observation
from strategies.labels import JsonValue, Stance
from strategies.version import Version

MAX_SEEDS = 64
"""Payloads kept for one action."""

MAX_SEED_CHARS = 20_000
"""Longer payloads are not mutated again: their length is what they are about."""


@dataclass(slots=True)
class Seeds:
    """Valid payloads by action, in the order in which they became known."""

    version: Version
    _payloads: dict[str, list[JsonValue]] = field(default_factory=dict)
    _texts: set[str] = field(default_factory=set)
    _features: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, cases: Iterable[Case]) -> None:
        """Take the payloads of cases that a correct peer accepts; anything else is passed over."""
        for case in cases:
            self._keep(case)

    def learn(self, observation: Observation) -> None:
        """Keep the payload of a valid case whose answer is of a kind that its action has not given before."""
        if observation.inconclusive or observation.case.expectation.stance is not Stance.ACCEPT:
            return
        feature = (observation.case.action, *answer_kind(observation))
        if feature not in self._features:
            self._features.add(feature)
            self._keep(observation.case)

    def snapshot(self) -> Mapping[str, tuple[JsonValue, ...]]:
        """What is known now, unaffected by what is learned later."""
        return {action: tuple(payloads) for action, payloads in self._payloads.items()}

    def _keep(self, case: Case) -> None:
        payload = valid_payload(case, self.version)
        if payload is None:
            return
        text = f"{case.action}{canonical(payload)}"
        kept = self._payloads.setdefault(case.action, [])
        if text in self._texts or len(text) > MAX_SEED_CHARS or len(kept) >= MAX_SEEDS:
            return
        self._texts.add(text)
        kept.append(payload)


def valid_payload(case: Case, version: Version) -> JsonValue:
    """The payload of a plain CALL that breaks no rule and names no credential, else None."""
    if case.expectation.stance is not Stance.ACCEPT or names_credentials(case):
        return None
    parts = call_parts(case)
    if parts is None or parts[1][0] != 2 or parts[1][2] != case.action:
        return None
    return parts[0] if class_of(version, case.action, parts[0]) == frozenset() else None


def answer_kind(observation: Observation) -> tuple[str, str]:
    """The kind of the answer and the first status in it."""
    if not observation.replies:
        return "silence", ""
    reply = observation.replies[0]
    if reply.kind is FrameKind.CALLERROR:
        return "CALLERROR", str(reply.error_code)[:50]
    return reply.kind.value, _status(reply.payload)


def _status(payload: JsonValue) -> str:
    """The status of a CALLRESULT; the different statuses of its items where it is a list of results."""
    if not isinstance(payload, dict):
        return ""
    found = {str(payload.get("status", ""))[:50]}
    for value in payload.values():
        for item in value[:20] if isinstance(value, list) else ():
            if isinstance(item, dict):
                found.add(str(item.get("attributeStatus", ""))[:50])
    return ",".join(sorted(found - {""}))
