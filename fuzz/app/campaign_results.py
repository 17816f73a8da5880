"""What a campaign came to, as the results that reports are made of: each oracle at each place of the conversation.

Knows summaries, engine events and oracles. Must not know formats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from fuzz.app.reporting import TOOL, Desk, code_of, words_of
from fuzz.config import RunOptions
from fuzz.oracles.registry import Oracle, oracle_named, oracles
from fuzz.records import (
    CampaignStarted,
    EngineEvent,
    Finding,
    FindingReported,
    FindingStatus,
    Side,
    Summary,
    TargetFacts,
    Turnout,
)
from fuzz.report.issues import (
    case_place,
    finding_folder,
    issue_of,
    replay_command,
    rule_of,
    rule_of_oracle,
)
from fuzz.report.machine import summary_value
from fuzz.report.naming import policy_words
from fuzz.report.results import Check, Issue, Results, Rule, Status
from fuzz.report.words import folder_name, reached_of
from strategies.labels import Position, Sender
from strategies.version import version

MAX_NOTES = 40
NEVER_CAME = "no case of it came before the end"


@dataclass(slots=True)
class CampaignHarvest:
    """Listens to a campaign; its summary is taken when there is one."""

    desk: Desk
    summary: Summary | None = None
    _facts: TargetFacts | None = None
    _findings: dict[str, Finding] = field(default_factory=dict)

    def heard(self, event: EngineEvent) -> None:
        """Take note of an event."""
        match event:
            case CampaignStarted(facts):
                self._facts = facts
            case FindingReported(finding):
                self._findings[finding.fingerprint] = finding
            case _:
                pass

    def results(self, error: BaseException | None) -> Results:
        """Everything so far."""
        if self.summary is not None:
            return results_of(self.summary, self.desk)
        confirmed = [f for f in self._findings.values() if f.status is FindingStatus.CONFIRMED]
        return Results(
            command=self.desk.command,
            tool=TOOL,
            facts=self._facts or self.desk.facts,
            exit_code=3 if error is None else code_of(error),
            checks=tuple(_homeless(f, self.desk) for f in confirmed),
            rules=tuple({rule.id: rule for rule in map(rule_of, confirmed)}.values()),
            reason="" if error is None else words_of(error),
            began=self.desk.began,
            seconds=self.desk.elapsed_s(),
            config=self.desk.configured,
        )


def results_of(summary: Summary, desk: Desk) -> Results:
    """A whole campaign."""
    rules: dict[str, Rule] = {o.id: rule_of_oracle(o) for o in _speaking(desk.options)}
    rules |= {rule.id: rule for rule in map(rule_of, summary.findings)}
    return Results(
        command=desk.command,
        tool=TOOL,
        facts=summary.facts,
        exit_code=summary.exit_code,
        checks=tuple(_checks(summary, desk)),
        rules=tuple(rules.values()),
        reason=summary.reason,
        began=desk.began,
        seconds=summary.elapsed_s,
        seed=summary.seed,
        notes=(*summary.warnings, *summary.unreached)[:MAX_NOTES],
        left_changed=summary.left_changed,
        details={
            **summary_value(summary, desk.options.findings_dir),
            "reached_of": reached_of(desk.options.only, desk.options.exclude),
        },
        config=desk.configured,
    )


# --- checks -------------------------------------------------------------------------------------------------


def _speaking(options: RunOptions) -> tuple[Oracle, ...]:
    """The oracles that were asked."""
    named = {oracle_named(name).id for name in options.oracles}
    return tuple(o for o in oracles() if not named or o.id in named)


def _checks(summary: Summary, desk: Desk) -> Iterator[Check]:
    """Every oracle at every place, and what was found elsewhere."""
    pages = list(_pages(summary, desk.options))
    speaking = _speaking(desk.options)
    places = {(o.id, page.action, page.position) for o in speaking for page in pages}
    homes: dict[tuple[str, str, Position], list[Finding]] = {}
    for finding in summary.findings:
        homes.setdefault(_home(finding), []).append(finding)
    told = {f.fingerprint: _name(*_home(f)) for f in summary.findings}
    for oracle in speaking:
        for page in pages:
            found = homes.get((oracle.id, page.action, page.position), [])
            issues = tuple(_issue(f, desk) for f in found)
            yield _check(oracle, page, issues, told, desk.options)
    for home, found in homes.items():
        if home not in places:
            check = _homeless(found[0], desk)
            yield replace(check, issues=tuple(_issue(f, desk) for f in found))


def _pages(summary: Summary, options: RunOptions) -> Iterator[Turnout]:
    """The places where cases were played, or would have been, by name: the order never depends on a seed."""
    pages: dict[tuple[str, Position], Turnout] = {}
    for page in summary.turnouts:
        key = (_known(page.action), page.position)
        known = pages.get(key)
        pages[key] = replace(page, action=key[0]) if known is None else _sum(known, page)
    ours = Sender.CSMS if summary.facts.side is Side.STATION else Sender.STATION
    wanted = [
        action
        for action in version().sent_by(ours)
        if action not in options.exclude and (not options.only or action in options.only)
    ]
    for action in wanted if "systematic" in options.phases else ():
        never = Turnout(action, Position.CALL, left_out={NEVER_CAME: 1})
        pages.setdefault((action, Position.CALL), never)
    order = list(Position)
    yield from sorted(pages.values(), key=lambda page: (page.action, order.index(page.position)))


def _known(action: str) -> str:
    """An action of the specification, else "": what else stands there is drawn, and differs from run to run."""
    return action if action in version().actions else ""


def _sum(one: Turnout, other: Turnout) -> Turnout:
    return replace(
        one,
        judged=one.judged + other.judged,
        inconclusive=one.inconclusive + other.inconclusive,
        measured=one.measured + other.measured,
        left_out=dict(Counter(one.left_out) + Counter(other.left_out)),
        remarks=(*one.remarks, *other.remarks),
        objections=(*one.objections, *other.objections),
    )


def _home(finding: Finding) -> tuple[str, str, Position]:
    return finding.violation.oracle, _known(finding.case.action), finding.case.position


def _name(oracle: str, action: str, position: Position) -> str:
    """`process-death (O1): Reset, CALL`: unique, and the same over releases."""
    named = {o.id: f"{o.name} ({o.id})" for o in oracles()}.get(oracle, oracle)
    return f"{named}: {action or 'no action'}, {position.value.upper()}"


def _check(
    oracle: Oracle,
    page: Turnout,
    issues: tuple[Issue, ...],
    told: Mapping[str, str],
    options: RunOptions,
) -> Check:
    status, reason = (Status.FAILED, "") if issues else _outcome(oracle, page, told, options)
    return Check(
        rule=oracle.id,
        group=oracle.name,
        name=_name(oracle.id, page.action, page.position),
        status=status,
        action=page.action,
        position=page.position.value,
        reason=reason,
        played=page.judged,
        issues=issues,
    )


def _outcome(
    oracle: Oracle, page: Turnout, told: Mapping[str, str], options: RunOptions
) -> tuple[Status, str]:
    """What became of an oracle at a place where nothing was found."""
    objected = [fingerprint for id_, fingerprint in page.objections if id_ == oracle.id]
    elsewhere = [f for f in objected if f in told]
    if elsewhere:
        # The finding is told once, where its smallest case is; here it is not passed either.
        return Status.INCONCLUSIVE, f"adds to {elsewhere[0][:8]} of {told[elsewhere[0]]}"
    if objected:
        return Status.INCONCLUSIVE, "an objection that did not repeat"
    remarks = [violation for violation, _ in page.remarks if violation.oracle == oracle.id]
    if remarks:
        return Status.REMARK, remarks[0].text
    if blind := _blind(oracle, page, options):
        return Status.NOT_RUN, blind
    if page.judged:
        return Status.PASSED, ""
    if page.inconclusive:
        return Status.INCONCLUSIVE, "its cases were disturbed by something else"
    return Status.NOT_RUN, next(iter(Counter(page.left_out).most_common(1)), ("", 0))[0]


def _blind(oracle: Oracle, page: Turnout, options: RunOptions) -> str:
    """Why an oracle could see nothing at a place: silence of the blind is no pass."""
    started = options.embedded or options.start_cmd is not None
    match oracle.id:
        case "O1" | "O30" if not started:
            return "the target's process is not ours to see; --start-cmd lets it"
        case "O20" | "O21" if not page.measured:
            return "what the target's process uses was not measured here"
        case "O24" if "injection" not in options.phases:
            return "the phase injection was not played"
        case _:
            return ""


# --- findings -----------------------------------------------------------------------------------------------


def _issue(finding: Finding, desk: Desk) -> Issue:
    root = desk.options.findings_dir
    folder = finding_folder(finding, root)
    place = case_place(root / folder_name(finding))
    again = replay_command(folder, desk.flags, policy_words(finding))
    return issue_of(finding, place, again, folder)


def _homeless(finding: Finding, desk: Desk) -> Check:
    """The check of a finding beside the table, such as one of an earlier part of a resumed campaign."""
    oracle, action, position = _home(finding)
    return Check(
        rule=rule_of(finding).id,
        group=finding.violation.name,
        name=_name(oracle, action, position),
        status=Status.FAILED,
        action=action,
        position=position.value,
        issues=(_issue(finding, desk),),
    )
