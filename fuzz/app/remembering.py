"""What is remembered of a replay: which stored findings a target still shows, and on which firmware one is mended.

Knows outcomes of replays and the store. Must not know how either is told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from fuzz import store
from fuzz.app import Replayed
from fuzz.clock import SystemClock, rfc3339
from fuzz.errors import StoreError
from fuzz.records import Finding, ReplayOutcome, TargetFacts
from fuzz.report.safe import safe


def remember_replay(replayed: Sequence[Replayed]) -> None:
    """Add a line to the folders of findings that remember their runs; others stay as they are."""
    roots: dict[Path, list[Replayed]] = {}
    for one in replayed:
        if isinstance(one.item, Finding) and one.path.is_dir():
            roots.setdefault(one.path.resolve().parent, []).append(one)
    for root, found in roots.items():
        if (root / ".campaign").is_dir():
            # Findings may lie on a read-only disk; what a replay says stands without any memory of it.
            with contextlib.suppress(StoreError):
                store.remember(root, _line(found))


def _line(found: Sequence[Replayed]) -> store.PastRun:
    facts = next(filter(None, (one.facts for one in found)), None) or _stored(found)
    return store.PastRun(
        "replay",
        rfc3339(SystemClock().now()),
        safe(f"{facts.vendor} {facts.model}".strip(), 200),
        safe(facts.firmware, 60),
        all(one.outcome is not ReplayOutcome.NOT_RUN for one in found),
        found=_marks(one for one in found if one.outcome is ReplayOutcome.REPRODUCED),
        fixed=_marks(one for one in found if one.outcome is ReplayOutcome.FIXED),
    )


def _stored(found: Sequence[Replayed]) -> TargetFacts:
    """Those of a stored finding without what may have changed since."""
    items = (one.item for one in found)
    facts = next(item.facts for item in items if isinstance(item, Finding))
    return TargetFacts(facts.side, vendor=facts.vendor, model=facts.model)


def _marks(found: Iterable[Replayed]) -> tuple[str, ...]:
    return tuple(one.item.fingerprint for one in found if isinstance(one.item, Finding))
