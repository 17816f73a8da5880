"""A build in CI: handshakes, then messages, then accepted findings, all held against the policy of the project.

Knows how a build is composed. Must not know how it is shown.
"""

from __future__ import annotations

import asyncio
import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from fuzz import store
from fuzz.app.accepting import Accepted
from fuzz.app.build_planning import foretold, plan_build
from fuzz.app.campaign import TOOL, Course, Sink, campaign_on
from fuzz.app.dossier import files_of, signed
from fuzz.app.handshaking import Handshakes, handshakes
from fuzz.app.hooks import before, ready
from fuzz.app.pinning import check_names, stock
from fuzz.app.planning import left_out
from fuzz.app.rig import rig
from fuzz.app.shortening import LEFT, for_the_night, told
from fuzz.app.sniffing import sniffing
from fuzz.clock import SystemClock, rfc3339
from fuzz.config import RegressOptions, RunOptions
from fuzz.engine.fixed import Fixed
from fuzz.engine.phases import Ground, Phase, Replay, Systematic
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.policy.baseline import Known, accept, match
from fuzz.policy.failing import fail_on
from fuzz.policy.flaw import Flaw, day, over
from fuzz.policy.judgement import Judgement, Policy, Standing, judge
from fuzz.policy.lock import Ahead
from fuzz.policy.quirks import Quirk
from fuzz.policy.regression import Regression
from fuzz.records import (
    CampaignEnded,
    Case,
    EngineEvent,
    Finding,
    FindingReported,
    Note,
    PhaseEnded,
    Summary,
    TargetFacts,
)
from fuzz.report.tls import TlsRow

NEVER = "never"
FIXED = ("replay", "systematic")
QUIRKS = Path("quirks.toml")
TOLD = ("vendor", "model", "firmware", "serial")
"""What a target tells of itself at boot, and not again on a later connection."""


def regress(
    options: RunOptions,
    wanted: RegressOptions,
    sink: Sink,
    second: Mapping[str, object] | None = None,
    told: Callable[[TlsRow], None] = lambda _: None,
) -> Regression:
    """Play a build and judge it; `second` are the credentials of a second identity, as `LabOptions` has them.

    `told` hears of each handshake.

    Raises `OcppfuzzError` for what we could not do, such as a bad policy file or a target that never came.
    """
    check(options, wanted)
    build = _Build(options, wanted, sink, second or {}, told, today=SystemClock().now().date())
    return build.run()


def check(options: RunOptions, wanted: RegressOptions) -> None:
    """Raises `UsageError` for what cannot be meant."""
    if wanted.self_test and not options.embedded:
        raise UsageError("--self-test is about our own ends; leave the target out, or --self-test")
    if not wanted.self_test and options.embedded:
        raise UsageError(
            "regress needs a target: --listen, --target or [target] in ocppfuzz.toml; "
            "--self-test attacks the embedded station"
        )
    if options.strict:
        raise UsageError("remarks never fail a build; leave --strict out, or use --fail-on")
    if options.fail_fast or options.resume:
        raise UsageError("--fail-fast and --resume are for `run`; a build plays its whole list")
    fail_on(wanted.fail_on)
    if wanted.expires and wanted.expires != NEVER:
        try:
            day(wanted.expires, "expires")
        except Flaw as flaw:
            raise UsageError(f"--expires {flaw}") from None


@dataclass(slots=True)
class _Build:
    """One build under way."""

    options: RunOptions
    wanted: RegressOptions
    sink: Sink
    second: Mapping[str, object]
    told: Callable[[TlsRow], None]
    today: date
    clock: SystemClock = field(default_factory=SystemClock)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    phases: list[Fixed] = field(default_factory=list)
    complete: set[str] = field(default_factory=set)
    not_run: list[str] = field(default_factory=list)
    ground: Ground | None = None
    known: tuple[Known, ...] = ()
    summary: Summary | None = None
    met: TargetFacts | None = None
    spent: str = ""
    gone: tuple[Finding, ...] = ()

    def run(self) -> Regression:
        """Everything, in order. What is wrong in a file is told before anything is sent."""
        began = self.clock.monotonic()
        policy = self._policy()
        self._prepare()
        self.known = policy.known
        accepted = Accepted(policy.known, self.options, self.today)
        shaken = self._shaken(accepted, began)
        if self.wanted.self_test != "csms":
            self._messages(policy, accepted, began, shaken)
        judged = self._judge(accepted, shaken)
        judgement = judged(policy)
        kept = policy.known
        if self.wanted.update_baseline:
            kept = self._updated(judgement, policy.known)
        return self._result(judged(replace(policy, known=kept)), policy, kept, shaken, began)

    def _prepare(self) -> None:
        """What the user wants done first, and the target there where it is waited for."""
        if not self.options.embedded:
            # Our own ends take a minute or two; to count for them would only take longer.
            for note in foretold(plan_build(self.options, self.wanted)):
                self.sink(note)
        asyncio.run(before(self.wanted.before))
        if self.wanted.wait_ready_s is not None:
            self.met = asyncio.run(ready(self.options, self.wanted.wait_ready_s, self._heard))

    def _shaken(self, accepted: Accepted, began: float) -> Handshakes:
        """The lab's handshakes, with what they leave to tell."""
        shaken = handshakes(
            self.options,
            self.wanted,
            accepted.handshakes(),
            self.second,
            self.sink,
            self.told,
            began,
        )
        self.not_run += shaken.not_run
        self.notes += shaken.notes
        return shaken

    def _judge(self, accepted: Accepted, shaken: Handshakes) -> Callable[[Policy], Judgement]:
        """What holds everything that was seen against one policy or another."""
        findings = [*shaken.findings, *self.gone, *self._found(), *accepted.found]
        visits = [*accepted.of_handshakes(shaken.rows), *accepted.visits()]
        unproven = self._unproven(shaken)
        facts = self._facts(shaken)

        def judged(policy: Policy) -> Judgement:
            still = [v for v in visits if v.known in policy.known]
            return judge(
                findings,
                still,
                policy,
                facts=facts,
                tool=TOOL,
                not_run=tuple(self.not_run),
                unproven=unproven,
                allow_incomplete=self.wanted.allow_incomplete,
            )

        return judged

    def _result(
        self,
        judgement: Judgement,
        policy: Policy,
        kept: tuple[Known, ...],
        shaken: Handshakes,
        began: float,
    ) -> Regression:
        """The whole build; `policy` is what it began with, `kept` what is accepted from now on."""
        left_out: Counter[str] = Counter()
        for phase in self.phases:
            left_out.update(phase.left_out())
        night = {"handshakes": shaken.night, "messages": left_out.pop(LEFT, 0)}
        names_before = {one.entry.name for one in policy.known}
        names = {one.entry.name for one in kept}
        return Regression(
            judgement=judgement,
            facts=self._facts(shaken),
            mode=self.wanted.mode,
            summary=self.summary,
            handshakes=shaken.counts,
            ahead=policy.ahead,
            left_out=dict(left_out),
            night=night,
            quirks=policy.quirks,
            baseline=str(self.wanted.baseline or ""),
            lock=str(self.wanted.lock) if self.wanted.lock.exists() else "",
            added=tuple(sorted(names - names_before)),
            removed=tuple(sorted(names_before - names)),
            notes=(*filter(None, (told(night),)), *self.notes),
            warnings=tuple(self.warnings),
            seconds=self.clock.monotonic() - began,
        )

    def _facts(self, shaken: Handshakes) -> TargetFacts:
        """What the campaign learned of the target; where there was none, what the handshakes did."""
        return shaken.facts if self.summary is None else self.summary.facts

    # --- policy files ---------------------------------------------------------------------------------------

    def _policy(self) -> Policy:
        """What the build is held against, read from files."""
        known = self._known()
        quirks = self._quirks()
        ahead = self._ahead()
        self.notes += expired(known, quirks, self.today)
        return Policy(fail_on(self.wanted.fail_on), self.today, known, quirks, ahead)

    def _known(self) -> tuple[Known, ...]:
        path = self.wanted.baseline
        if path is None:
            return ()
        if not path.exists():
            if not self.wanted.update_baseline:
                self.warnings.append(absent(path))
                self.sink(Note(self.warnings[-1], "warning"))
            return ()
        return store.load_baseline(path)

    def _quirks(self) -> tuple[Quirk, ...]:
        path = self.wanted.quirks or (QUIRKS if QUIRKS.is_file() else None)
        return () if path is None else store.load_quirks(path, check_names())

    def _ahead(self) -> Ahead:
        """What is newer than the lock. To list all cases takes a while: only where there is a lock, or is to be one."""
        path = self.wanted.lock
        if self.wanted.update_lock:
            store.save_lock(path, stock(self.options).locked())
            return Ahead()
        lock = store.load_lock(path)
        if lock is not None:
            return stock(self.options).ahead_of(lock, short=self.wanted.short)
        self.notes.append(
            f"no lock: an upgrade of ocppfuzz may bring checks that fail; --update-lock writes {path}"
        )
        return Ahead()

    def _updated(self, judgement: Judgement, known: tuple[Known, ...]) -> tuple[Known, ...]:
        """The baseline without what is mended and, where there is a reason, with what fails; it is written."""
        path = self.wanted.baseline
        assert path is not None
        stale = {visit.known.entry.fingerprint for visit in judgement.stale}
        kept = {k.entry.fingerprint: k for k in known if k.entry.fingerprint not in stale}
        if self.wanted.reason.strip():
            for placed in judgement.at(Standing.FAILS):
                if placed.known is not None:
                    # What is accepted anew takes the place of the expired entry that it is or adds to.
                    kept.pop(placed.known.entry.fingerprint, None)
                new = self._accepted(placed.finding, path)
                kept[new.entry.fingerprint] = new
        elif judgement.at(Standing.FAILS):
            self.notes.append("nothing new was accepted: give --reason to accept what fails")
        result = tuple(kept.values())
        store.save_baseline(path, result, before=known)
        return result

    def _accepted(self, finding: Finding, path: Path) -> Known:
        folder = (self.options.corpus_dir or Path("corpus")) / store.KNOWN
        name = f"{finding.violation.oracle}-{finding.fingerprint[:8]}"
        entry = accept(
            finding,
            reason=self.wanted.reason.strip(),
            today=self.today,
            expires="" if self.wanted.expires == NEVER else self.wanted.expires,
            case=store.case_file(path, folder, name),
        )
        return Known(entry, finding.case)

    # --- messages -------------------------------------------------------------------------------------------

    def _messages(
        self, policy: Policy, accepted: Accepted, began: float, shaken: Handshakes
    ) -> None:
        guard = self.options.max_time_s
        gone_s = self.clock.monotonic() - began
        left = None if guard is None else round(guard - gone_s)
        if shaken.played and guard is not None:
            self.spent = f": the handshakes took {gone_s:.0f} of {guard:g} s"
        if left is not None and left <= 0:
            self.not_run += [f"phase {name}" for name in self.options.phases]
            return

        def arrange(phases: Sequence[Phase], ground: Ground) -> Sequence[Phase]:
            self.ground = ground
            omitted = self._omitted(accepted, ground)
            self.phases = [Fixed(p, policy.ahead.cases, omitted) for p in phases]
            return self.phases

        course = Course(
            frozenset(c for c in policy.ahead.checks if c.startswith("O")),
            arrange,
            accepted.play,
            goes_on="a build is not resumed: start it again, it plays its whole list",
        )
        if shaken.played and self.met is None:
            self.met = shaken.facts
        try:
            self.summary = asyncio.run(
                self._campaign(replace(self.options, max_time_s=left), course)
            )
        except TargetUnavailable as gone:
            if not shaken.played:
                raise
            # It was there for the handshakes and went away: theirs, as long as nothing else is known.
            self.notes.append(str(gone))
            self.gone = shaken.gone(str(gone), rfc3339(self.clock.now()))
            for finding in self.gone:
                store.save_finding(signed(finding), self.options.findings_dir, render=files_of)
            self.not_run += [f"phase {name}" for name in self.options.phases]
            return
        asyncio.run(self._cut_short())

    def _omitted(self, accepted: Accepted, ground: Ground) -> Callable[[Case], str]:
        """Why a case that this target may be asked is not given to the campaign, else ""."""
        later = for_the_night(self.options, self.wanted)

        def omitted(case: Case) -> str:
            waits = case.id in later and not left_out(case, ground.allowed, self.options)
            return accepted.omitted(case) or (LEFT if waits else "")

        return omitted

    async def _campaign(self, options: RunOptions, course: Course) -> Summary:
        with sniffing(options.capture_interface) as sniffer:
            async with rig(options, self._heard, met=self.met is not None) as made:
                if self.met is not None:
                    told = {name: getattr(self.met, name) for name in TOLD}
                    made.wiring.facts = replace(made.wiring.facts, **told)
                return await campaign_on(made, options, self._heard, course, sniffer=sniffer)

    def _heard(self, event: EngineEvent) -> None:
        """Show an event; the end of the campaign is not that of the build."""
        if isinstance(event, PhaseEnded) and event.complete:
            self.complete.add(event.phase)
        if not isinstance(event, CampaignEnded):
            self.sink(event)
        if isinstance(event, FindingReported):
            one = match(self.known, event.finding)
            if one is not None and not one.entry.expired(self.today):
                self.sink(Note(f"that is, or adds to, the accepted {one.entry.name}"))

    def _found(self) -> Sequence[Finding]:
        return () if self.summary is None else self.summary.findings

    async def _cut_short(self) -> None:
        """Name what the fixed list holds and the campaign did not come to; at night only the tables are fixed."""
        night = self.wanted.mode == "nightly"
        for phase in self.phases:
            by_budget = phase.planned() is None or (night and phase.name not in FIXED)
            if phase.name in self.complete or by_budget:
                continue
            names = await _rest(phase)
            self.not_run += names or [f"phase {phase.name}"]
        if self.summary is not None and self.summary.reason and self.not_run:
            self.notes.append(self.summary.reason + self.spent)

    def _unproven(self, shaken: Handshakes) -> str:
        if self.summary is not None:
            return self.summary.reason if self.summary.exit_code == 3 else ""
        return "" if shaken.proven else "no handshake came to a verdict"


def absent(path: Path) -> str:
    """That a baseline is not there, which is right before the first finding is accepted, and wrong where it is misspelt."""
    beside = path.parent.glob("*.json") if path.parent.is_dir() else ()
    close = difflib.get_close_matches(path.name, sorted(p.name for p in beside), 1)
    hint = f"did you mean {path.with_name(close[0])}?" if close else "--update-baseline writes it"
    return f"there is no baseline {path}, so nothing is accepted; {hint}"


def expired(known: Sequence[Known], quirks: Sequence[Quirk], today: date) -> Iterator[str]:
    """What counts no more, in words."""
    for one in known:
        if one.entry.expired(today):
            yield f"{one.entry.name} was accepted until {one.entry.expires}: it counts as not accepted"
    for quirk in quirks:
        if over(quirk.expires, today):
            yield f"the quirk of {quirk.check} for {quirk.target} ended on {quirk.expires}: it mutes nothing"


async def _rest(phase: Fixed) -> list[str]:
    """The ids of a table's cases that were not given; () where the table depends on what was answered."""
    match phase.phase:
        case Replay() as replay:
            every: Sequence[Case] = replay.stored
        case Systematic() as systematic:
            every = list(systematic.table())
        case _:
            return []
    return [c.id for c in every if c.id not in phase.given and not phase.omitted(c)]
