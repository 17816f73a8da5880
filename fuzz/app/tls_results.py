"""What a run of the TLS lab came to, as the results that reports are made of: each case is a check.

Knows the lab's rows and the table of cases. Must not know formats.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.app.reporting import TOOL, Desk, code_of, words_of
from fuzz.config import RunOptions
from fuzz.lab.findings import fingerprint_of
from fuzz.records import Basis, Effect, Severity
from fuzz.report.issues import case_place, relative, replay_command, rule_of_case
from fuzz.report.naming import policy_flags
from fuzz.report.results import Check, Issue, Results, Rule, Status
from fuzz.report.tls import TlsReport, TlsRow, report_json
from tlslab.registry import TlsCase, all_cases

STATUSES: Mapping[str, Status] = {
    "failed": Status.FAILED,
    "not observed": Status.INCONCLUSIVE,
    "passed with a remark": Status.REMARK,
    "passed": Status.PASSED,
    "recorded": Status.PASSED,
    "not asked": Status.NOT_RUN,
    "n/a": Status.NOT_RUN,
}
"""What the lab's outcomes are called in reports for programs."""


@dataclass(slots=True)
class TlsHarvest:
    """Listens to the lab, case by case; `chosen` are the ids of all that is to be played."""

    desk: Desk
    chosen: Sequence[str] = ()
    report: TlsReport | None = None
    facts: Sequence[Mapping[str, object]] = ()
    _rows: dict[str, TlsRow] = field(default_factory=dict)

    def told(self, row: TlsRow) -> None:
        """A case is over."""
        self._rows[row.id] = row

    def results(self, error: BaseException | None) -> Results:
        """Everything so far."""
        report, desk = self.report, self.desk
        rows = sorted(self._rows.values(), key=lambda r: r.id) if report is None else report.rows
        played = {row.id for row in rows}
        cut = [_never(id_) for id_ in self.chosen if id_ not in played] if error else []
        strict = desk.options.strict
        return Results(
            command=desk.command,
            tool=TOOL,
            facts=(report.facts if report else None) or desk.facts,
            exit_code=_exit_code(report, error),
            checks=(*(_check(row, desk, strict=strict) for row in rows), *cut),
            rules=tuple(_rules(rows)),
            reason="" if error is None else words_of(error),
            began=desk.began,
            seconds=desk.elapsed_s(),
            notes=() if report is None else report.notes,
            left_changed=() if report is None else report.left_changed,
            details={} if report is None else report_json(report, self.facts),
            config=desk.configured,
        )


def _exit_code(report: TlsReport | None, error: BaseException | None) -> int:
    if error is not None:
        return code_of(error)
    return 3 if report is None else report.exit_code


def _rules(rows: Sequence[TlsRow]) -> Iterator[Rule]:
    for row in rows:
        if row.id in all_cases():
            yield rule_of_case(all_cases()[row.id])


def _never(id_: str) -> Check:
    case = all_cases()[id_]
    return Check(id_, case.topic, id_, Status.NOT_RUN, reason="the run ended before it")


def _check(row: TlsRow, desk: Desk, *, strict: bool) -> Check:
    status = STATUSES[row.outcome]
    if strict and status is Status.REMARK:
        status = Status.FAILED
    failed = status is Status.FAILED
    return Check(
        rule=row.id,
        group=row.topic,
        name=row.id,
        status=status,
        position="handshake",
        reason="; ".join(row.why) if status is not Status.PASSED else "",
        played=int(status is not Status.NOT_RUN),
        seconds=row.seconds,
        issues=(_issue(row, desk),) if failed else (),
    )


def _own(flags: str) -> str:
    """The flags for `replay`, which knows of itself what side a finding is of."""
    return re.sub(r"--self-test \w+", "--self-test", flags)


def _policy(case: TlsCase | None, options: RunOptions) -> str:
    """The flags without which the case would not be asked of this peer, or be judged by another text."""
    effect = Effect.NONE if case is None else Effect(case.effect.value)
    return policy_flags(effect, options.edition, own=options.embedded)


def _issue(row: TlsRow, desk: Desk) -> Issue:
    case = all_cases().get(row.id)
    folder = relative(Path(row.folder)) if row.folder else ""
    told = (desk.flags, _policy(case, desk.options))
    again = " ".join(filter(None, (f"ocppfuzz tls --only {row.id}", *told)))
    return Issue(
        fingerprint=_fingerprint(row, case),
        rule=row.id,
        title=f"{row.topic} ({row.id})",
        text=f"{row.title} Seen: {'; '.join(row.why)}",
        symptom=row.symptom or row.outcome,
        severity=Severity[row.severity.upper()],
        place=case_place(Path(row.folder)) if folder else desk.place,
        replay=replay_command(folder, *map(_own, told)) if folder else again,
        basis=(Basis.SHALL if row.clause else Basis.HARDENING).value,
        clause=", ".join(row.clause),
        cwe=case.cwe if case else "",
        attacker=str(case.attacker) if case else "",
        endangers=row.endangers,
        certainty="played beside an accepted control",
        folder=folder,
        expected=f"A correct peer: {case.expects}." if case else "",
    )


def _fingerprint(row: TlsRow, case: TlsCase | None) -> str:
    """That of the stored finding, so that a report and `findings/` name it alike."""
    if case is not None:
        return fingerprint_of(case, row.symptom)
    return hashlib.sha256(f"{row.id} {row.symptom}".encode()).hexdigest()[:16]
