"""The handshakes of a build: which cases of the TLS lab are in the list, and what came of them.

Knows the lab and its options. Must not know policies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fuzz import store
from fuzz.app.campaign import Sink
from fuzz.app.elsewhere import naming_of
from fuzz.app.tls_planning import asked, cheapest_first
from fuzz.app.tlsing import chosen, side_of, tls
from fuzz.clock import SystemClock
from fuzz.config import RegressOptions, RunOptions
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.lab.findings import stored_case
from fuzz.lab.options import LabOptions
from fuzz.oracles.registry import violation
from fuzz.records import Basis, Finding, Note, Severity, Side, TargetFacts
from fuzz.report.safe import safe
from fuzz.report.tls import TlsRow
from tlslab.registry import Effect, TlsCase, all_cases, matching

NONE = "none"
NO_TLS = "no handshakes: the TLS lab needs security profile 2 or 3"
_PROVEN = ("passed", "passed with a remark", "recorded", "failed")
_UNPLAYED = ("not asked", "n/a")


@dataclass(frozen=True, slots=True)
class Handshakes:
    """What came of them, in the order in which they were played.

    `not_run` are those that the guard, or a target that went away, left over; `night` is how many wait for the night.
    """

    facts: TargetFacts
    rows: tuple[TlsRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    not_run: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    night: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many cases came to each outcome."""
        return dict(Counter(row.outcome for row in self.rows))

    @property
    def played(self) -> bool:
        """True when the target was there for at least one."""
        return any(row.outcome not in _UNPLAYED for row in self.rows)

    def gone(self, why: str, now: str) -> tuple[Finding, ...]:
        """The finding that a target is which was there and never came back: by the first case without a verdict."""
        shown = [row for row in self.rows if row.outcome not in _UNPLAYED]
        proven = [n for n, row in enumerate(shown) if row.outcome in _PROVEN]
        if not proven:
            return ()
        last = shown[min(proven[-1] + 1, len(shown) - 1)]
        case = stored_case(all_cases()[last.id])
        text = f"the target did not come back behind handshake {last.id}: {why}"
        lost = violation("O5", Basis.STOPPED_SERVING, Severity.HIGH, f"gone after {last.id}", text)
        name = store.fingerprint(lost, case)
        return (Finding(name, lost, case, case, self.facts, first_seen=now),)

    @property
    def proven(self) -> bool:
        """True when at least one came to a verdict."""
        return any(row.outcome in _PROVEN for row in self.rows)


class _OutOfTime(Exception):
    """The guard of the run struck."""


@dataclass(slots=True)
class _Listener:
    """Keeps rows as they come, so that a run that is cut short keeps what it has."""

    sink: Sink
    told: Callable[[TlsRow], None]
    until_s: float | None
    rows: list[TlsRow] = field(default_factory=list)

    def __call__(self, row: TlsRow, done: int, total: int) -> None:
        self.rows.append(row)
        self.told(row)
        why = f": {safe('; '.join(row.why), 300)}" if row.why and row.outcome != "passed" else ""
        self.sink(Note(f"[{done}/{total}] {row.id} {row.outcome}{why}"))
        if self.until_s is not None and SystemClock().monotonic() > self.until_s:
            raise _OutOfTime


def quick(case: TlsCase) -> bool:
    """True for a handshake that a pull request waits for: it leaves nothing behind, and shows much for its time.

    A CSMS is dialled and answers at once; a Charging Station comes back in its own time, so that few cases are for it.
    """
    answers_at_once = case.side.value == Side.CSMS.value
    return case.effect is Effect.NONE and (answers_at_once or case.telling)


def in_the_list(wanted: RegressOptions, side: Side, accepted: Sequence[str]) -> tuple[str, ...]:
    """The ids of the cases that are played. Raises `UsageError` when a pattern fits none of this side."""
    ours = [c for c in all_cases().values() if c.side.value == side.value]
    carried = [c.id for c in ours if c.id in accepted]
    if wanted.handshakes == (NONE,):
        return tuple(carried)
    if wanted.handshakes:
        fitting = [c.id for c in matching(wanted.handshakes) if c in ours]
        if not fitting:
            raise UsageError(
                f"no handshake case of this side fits {', '.join(wanted.handshakes)}; "
                "`ocppfuzz show tls-cases` lists them"
            )
        return tuple(dict.fromkeys((*fitting, *carried)))
    return tuple(dict.fromkeys((*(c.id for c in _usual(wanted, side, ours)), *carried)))


def _usual(wanted: RegressOptions, side: Side, ours: Sequence[TlsCase]) -> Sequence[TlsCase]:
    """Where none is named: all, or the quick ones, of which those that cost a station least come first."""
    if not wanted.short:
        return ours
    few = [case for case in ours if quick(case)]
    return few if side is Side.CSMS else cheapest_first(few)


def left_for_night(
    options: RunOptions, lab: LabOptions, wanted: RegressOptions, ids: Sequence[str]
) -> int:
    """How many handshakes a night asks of this target beyond `ids`; 0 where the user chose them."""
    if not wanted.short or wanted.handshakes:
        return 0
    side = side_of(options, lab)
    later = [c for c in all_cases().values() if c.side is side and c.id not in ids]
    return asked(options, lab, later)


def lab_of(
    options: RunOptions, wanted: RegressOptions, second: Mapping[str, Any]
) -> tuple[RunOptions, LabOptions]:
    """What the lab is told: of a peer a PICS file is what it declares, of our station what it is built of."""
    if wanted.self_test == "csms":
        return options, LabOptions(self_test="csms", attended=False, fast=True)
    lab = LabOptions(attended=False, fast=True)
    if options.target is not None:
        return replace(options, pics=None), replace(lab, **second)
    if options.listen is not None:
        return replace(options, pics=None), replace(lab, declared=options.pics or "")
    return options, lab


def handshakes(
    options: RunOptions,
    wanted: RegressOptions,
    accepted: Sequence[str],
    second: Mapping[str, Any],
    sink: Sink,
    told: Callable[[TlsRow], None],
    began_s: float,
) -> Handshakes:
    """Play the list's handshakes. Raises `OcppfuzzError` for what we could not do."""
    options, lab = lab_of(options, wanted, second)
    side = side_of(options, lab)
    facts = TargetFacts(
        Side(side.value),
        identity=options.identity,
        security_profile=options.security_profile,
        edition=options.edition,
        naming=naming_of(options),
    )
    ids = in_the_list(wanted, Side(side.value), accepted)
    if not ids:
        return Handshakes(facts)
    if options.security_profile < 2:
        sink(Note(NO_TLS))
        return Handshakes(facts, notes=(NO_TLS,))
    shaken = _play(options, lab, ids, facts, sink, told, began_s)
    return replace(shaken, night=left_for_night(options, lab, wanted, ids))


def _play(
    options: RunOptions,
    lab: LabOptions,
    ids: Sequence[str],
    facts: TargetFacts,
    sink: Sink,
    told: Callable[[TlsRow], None],
    began_s: float,
) -> Handshakes:
    guard = options.max_time_s
    listener = _Listener(sink, told, None if guard is None else began_s + guard)
    lab = replace(lab, only=tuple(ids))
    notes: list[str] = []
    try:
        report, _ = tls(options, lab, told=listener, note=lambda text: sink(Note(text)))
        notes += [*report.notes, *(f"stays changed on the peer: {t}" for t in report.left_changed)]
        facts = report.facts or facts
    except (TargetUnavailable, _OutOfTime) as stopped:
        if isinstance(stopped, TargetUnavailable) and not listener.rows:
            raise
        notes.append(str(stopped) or f"{guard:g} s are over")
    rows = tuple(listener.rows)
    left = {c.id for c in chosen(lab, side_of(options, lab))} - {row.id for row in rows}
    findings = tuple(store.load_finding(Path(r.folder)) for r in rows if r.folder)
    facts = findings[0].facts if findings else facts
    return Handshakes(
        facts,
        tuple(rows),
        findings,
        tuple(f"handshake {id_}" for id_ in sorted(left)),
        tuple(notes),
    )
