"""What the engine tells while it works; displays and reports listen.

Knows findings and figures of a campaign. Must not know who listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from fuzz.records.facts import TargetFacts
from fuzz.records.findings import Finding, Violation
from strategies.labels import Position


@dataclass(frozen=True, slots=True)
class CampaignStarted:
    """The first event: what is attacked, with what seed and phases."""

    facts: TargetFacts
    seed: int
    phases: tuple[str, ...]
    max_time_s: float | None
    max_cases: int | None


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase begins; `planned` is None when it runs on budget."""

    phase: str
    planned: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Counters so far, sent a few times a second at most.

    `answers` counts by class (`CALLRESULT`, an error code, `silence`, `closed`); `coverage` maps a table's name
    (`sites`, `boundaries`, ...) to (reached, total) for supported actions; `rate` is cases per second.
    """

    phase: str
    cases: int
    elapsed_s: float
    rate: float
    findings: int
    remarks: int
    inconclusive: int
    answers: Mapping[str, int]
    coverage: Mapping[str, tuple[int, int]]
    current: str = ""


@dataclass(frozen=True, slots=True)
class FindingReported:
    """A finding is new, or known better than before (same fingerprint)."""

    finding: Finding


class Pursuit(StrEnum):
    """What is begun with a suspicion, and the end of it."""

    CONFIRMING = "making sure of"
    CROSSING = "looking for a crossing behind"
    SEARCHING = "tracing"
    SHRINKING = "making smaller"
    SHRUNK = "is as small as it gets"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A suspicion is followed up; `plays` is at most how many plays that takes, 0 where it is not known."""

    finding: Finding
    doing: Pursuit
    plays: int = 0


@dataclass(frozen=True, slots=True)
class RemarkReported:
    """A tolerated deviation was seen for the first time in this campaign."""

    violation: Violation
    case_id: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know; `level` is `info`, `warning`, `action` (a person must do something) or `target` (who is attacked)."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """A phase is over; `complete` is False when the budget or Ctrl-C ended it.

    `cases` were played, `left_out` counts by reason those that were planned and not played.
    """

    phase: str
    cases: int
    complete: bool
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turnout:
    """What came of the cases of one action in one position; `action` is "" for messages that name none.

    `judged` cases came to a verdict, `inconclusive` ones did not, `left_out` ones were never played, counted by reason;
    in `measured` ones the figures of the target's process were read. `remarks` holds the first one of each oracle and
    how many there were, `objections` pairs of an oracle and the fingerprint of the finding that its objection became,
    or adds nothing to.
    """

    action: str
    position: Position
    judged: int = 0
    inconclusive: int = 0
    measured: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[tuple[Violation, int], ...] = ()
    objections: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Constraint:
    """How many of the cases were played to a verdict that meet one rule (`maxLength`) of one message."""

    action: str
    position: Position
    keyword: str
    reached: int
    total: int


@dataclass(frozen=True, slots=True)
class Reach:
    """What was reached and what was not, one by one, for whoever draws it.

    `states` and `changes` say of each state, and of each change from one to another, whether the target showed it.
    """

    constraints: tuple[Constraint, ...] = ()
    states: Mapping[str, bool] = field(default_factory=dict)
    changes: Mapping[tuple[str, str], bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FullPass:
    """What the whole systematic phase costs a target: its cases, how many end a connection, and measured seconds.

    `reconnect_s` is None where no connection was lost, so that nothing was measured.
    """

    cases: int
    reconnects: int
    answer_s: float
    reconnect_s: float | None

    @property
    def seconds(self) -> float:
        """About how long it takes: every case waits for one answer."""
        return self.cases * self.answer_s + self.reconnects * (self.reconnect_s or 0.0)


@dataclass(frozen=True, slots=True)
class Summary:
    """The outcome of a campaign; `exit_code` is 0 no finding, 1 findings, 3 nothing proven.

    `unconfirmed` was seen and did not repeat, or showed without its fault too; it counts for nothing. `exchanges` counts
    the CALLs of both sides and what was said that is no CALL. `warnings` are doubts about the campaign itself,
    `unreached` what it could not reach, with the reason. `disturbed` counts the reasons for which single cases were
    inconclusive. `answer_times_s` are those of the first healthy answers.
    """

    facts: TargetFacts
    seed: int
    cases: int
    elapsed_s: float
    findings: tuple[Finding, ...]
    remarks: tuple[RemarkReported, ...]
    inconclusive: int
    answers: Mapping[str, int]
    coverage: Mapping[str, tuple[int, int]]
    left_changed: tuple[str, ...]
    unavailable: tuple[str, ...]
    exit_code: int
    reason: str = ""
    blocked: Mapping[str, int] = field(default_factory=dict)
    not_asked: Mapping[str, int] = field(default_factory=dict)
    exchanges: int = 0
    warnings: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    turnouts: tuple[Turnout, ...] = ()
    unconfirmed: tuple[Finding, ...] = ()
    full_pass: FullPass | None = None
    disturbed: Mapping[str, int] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)
    answer_times_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignEnded:
    """The last event."""

    summary: Summary


EngineEvent: TypeAlias = (
    CampaignStarted
    | PhaseStarted
    | Progress
    | FindingReported
    | FollowUp
    | RemarkReported
    | Note
    | PhaseEnded
    | CampaignEnded
)
