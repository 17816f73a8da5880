"""The TLS table of a page: every handshake by topic, what failed first.

Knows the model of results and the details of the lab's document, read leniently. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fuzz.report.results import Check, Results, Status
from fuzz.report.safe import safe

POSITION = "handshake"
"""The position of checks that are cases of the TLS lab."""

MAX_SHAKES = 1_000
_ORDER = {s: n for n, s in enumerate((Status.FAILED, Status.INCONCLUSIVE, Status.REMARK))}


@dataclass(frozen=True, slots=True)
class Shake:
    """One case; `stage` is how far the peer went, "" when nothing is known of it."""

    id: str
    status: Status
    outcome: str
    stage: str
    title: str
    why: str
    clause: str
    endangers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """The cases of one topic; `quiet` are those that passed or were not asked."""

    name: str
    loud: tuple[Shake, ...]
    quiet: tuple[Shake, ...]


def topics(results: Results) -> tuple[Topic, ...]:
    """The topics in the order of the lab; () where no handshake was played."""
    told = {str(_get(row, "id")): row for row in _rows(results)}
    titles = {rule.id: rule.text for rule in results.rules}
    by_topic: dict[str, list[Shake]] = {}
    checks = [c for c in results.checks if c.position == POSITION or c.rule in told][:MAX_SHAKES]
    for check in checks:
        shake = _shake(check, told.get(check.rule, {}), titles.get(check.rule, ""))
        by_topic.setdefault(check.group, []).append(shake)
    return tuple(_topic(name, shakes) for name, shakes in by_topic.items())


def _topic(name: str, shakes: list[Shake]) -> Topic:
    loud = sorted((s for s in shakes if s.status in _ORDER), key=lambda s: _ORDER[s.status])
    quiet = tuple(s for s in shakes if s.status not in _ORDER)
    return Topic(safe(name, 80), tuple(loud), quiet)


def _shake(check: Check, row: Mapping[str, object], title: str) -> Shake:
    issue = check.issues[0] if check.issues else None
    endangers = issue.endangers if issue else _texts(row, "endangers")
    return Shake(
        safe(check.rule, 40),
        check.status,
        safe(str(_get(row, "outcome") or check.status.value), 40),
        safe(str(_get(row, "stage") or ""), 20),
        safe(title or str(_get(row, "title") or ""), 300),
        safe(check.reason, 400),
        safe(", ".join(_texts(row, "clause")), 120),
        tuple(safe(test, 40) for test in endangers[:20]),
    )


def suites(results: Results) -> tuple[tuple[str, str, str], ...]:
    """C-41: each suite with whether it was declared and observed, in the certificate's words."""
    declared = _texts(results.details, "declared_suites")
    observed = _texts(results.details, "observed_suites")
    names = tuple(dict.fromkeys((*declared, *observed)))[:100] if observed else ()

    def stated(name: str) -> str:
        return ("Yes" if name in declared else "No") if declared else "not stated"

    return tuple(
        (safe(name, 80), stated(name), "Yes" if name in observed else "No") for name in names
    )


def _rows(results: Results) -> list[Mapping[str, object]]:
    rows = results.details.get("cases")
    found = rows if isinstance(rows, list | tuple) and results.command == "tls" else ()
    return [row for row in found if isinstance(row, Mapping)]


def _get(row: Mapping[str, object], name: str) -> object:
    value = row.get(name)
    return value if isinstance(value, str) else None


def _texts(row: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = row.get(name)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list | tuple) else ()
