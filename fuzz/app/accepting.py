"""Accepted findings in a build: which cases they keep out of it, and what becomes of theirs when they are played.

Knows entries, the executor and the investigator. Must not know how a finding fails a build.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from fuzz import store
from fuzz.app.campaign import TOOL
from fuzz.app.dossier import files_of, hidden, signed
from fuzz.clock import SystemClock, rfc3339
from fuzz.config import RunOptions
from fuzz.engine.effects import names_credentials
from fuzz.engine.executor import Executor
from fuzz.engine.investigate import Investigator, Judge
from fuzz.engine.known import Look, look
from fuzz.engine.phases import Ground
from fuzz.engine.shrinker import Budget, Shrinker
from fuzz.errors import StoreError, TargetUnavailable
from fuzz.policy.baseline import Known, killer_of_the_turn
from fuzz.policy.checks import handshake_of
from fuzz.policy.judgement import State, Visit
from fuzz.records import Case, Finding, FindingStatus, Observation, Violation
from fuzz.report.tls import TlsRow

TURN_FILE = ".regress.json"
KILLS = "like an accepted killer, whose own case is played at the end"
NOT_REACHED = "the run ended before"
NO_HOOK = "one killer a run: nothing can restart the target"

_PLAYED = ("passed", "passed with a remark", "recorded")


@dataclass(slots=True)
class Accepted:
    """The entries of a baseline while a build is played. `found` are findings that their cases led to."""

    known: tuple[Known, ...]
    options: RunOptions
    today: date
    found: list[Finding] = field(default_factory=list)
    _visits: dict[str, Visit] = field(default_factory=dict)

    # --- handshakes -----------------------------------------------------------------------------------------

    def handshakes(self) -> tuple[str, ...]:
        """The cases of the TLS lab that entries carry."""
        return tuple(filter(None, (handshake_of(k.case) for k in self.known)))

    def of_handshakes(self, rows: Iterable[TlsRow]) -> list[Visit]:
        """What became of those."""
        by_id = {row.id: row for row in rows}
        return [
            _of_row(one, by_id.get(handshake_of(one.case)))
            for one in self.known
            if handshake_of(one.case)
        ]

    # --- messages -------------------------------------------------------------------------------------------

    def _messages(self) -> list[Known]:
        return [one for one in self.known if not handshake_of(one.case)]

    def omitted(self, case: Case) -> str:
        """Why a case of another phase is not asked: it would kill the target as an accepted finding does."""
        for one in self._messages():
            same = case.mutations and case.mutation_class == one.case.mutation_class
            if one.entry.kills and (same or case.id in one.entry.ids):
                return KILLS
        return ""

    def visits(self) -> list[Visit]:
        """What became of each entry whose case is one of messages."""
        return [
            self._visits.get(one.entry.fingerprint, Visit(one, State.NOT_RUN, why=NOT_REACHED))
            for one in self._messages()
        ]

    async def play(self, executor: Executor, judge: Judge, ground: Ground) -> None:
        """Play every entry, killers last; where nothing can restart the target, one of them, in its turn."""
        fitting: list[Known] = []
        for one in self._messages():
            if why := _barred(one.case, executor, ground):
                self._note(one, Visit(one, State.NOT_ASKED, why=why))
            else:
                fitting.append(one)
        gentle = [one for one in fitting if not one.entry.kills]
        killers = [one for one in fitting if one.entry.kills]
        if not executor.restartable and killers:
            chosen = killer_of_the_turn(killers, self._turn())
            for one in killers:
                if one is not chosen:
                    self._note(one, Visit(one, State.NOT_ASKED, why=NO_HOOK))
            killers = [one for one in killers if one is chosen]
        try:
            for one in (*gentle, *killers):
                state = await self._visit(executor, judge, ground, one)
                if one.entry.kills and state is not State.PASSED and executor.restartable:
                    await executor.restart()
        except TargetUnavailable:
            return  # what was not reached is told as not run

    def _note(self, one: Known, visit: Visit) -> None:
        self._visits[one.entry.fingerprint] = visit

    async def _visit(self, executor: Executor, judge: Judge, ground: Ground, one: Known) -> State:
        seen = await look(executor, judge, one.case, one.entry.violation)
        visit = _told(one, seen)
        self._note(one, visit)
        if not seen.hits and seen.other is not None:
            await self._follow_up(executor, judge, ground, *seen.other)
        return visit.state

    async def _follow_up(
        self,
        executor: Executor,
        judge: Judge,
        ground: Ground,
        observation: Observation,
        violation: Violation,
    ) -> None:
        """What a known case leads to now, other than what was accepted, is a suspicion like any other."""
        clock = SystemClock()
        finding = Finding(
            fingerprint=store.fingerprint(violation, observation.case),
            violation=violation,
            case=observation.case,
            original=observation.case,
            facts=observation.facts,
            entries=observation.entries,
            tapes=observation.tapes,
            tool=TOOL,
            first_seen=rfc3339(clock.now()),
        )
        investigator = Investigator(executor, judge, Shrinker(ground.version, clock, Budget()))
        self._save(finding, executor)
        finding = await investigator.confirm(finding)
        self._save(finding, executor)
        if finding.status is FindingStatus.CONFIRMED:
            self.found.append(finding)

    def _save(self, finding: Finding, executor: Executor) -> None:
        told = signed(hidden(finding, executor.hide))
        store.save_finding(told, self.options.findings_dir, render=files_of)

    def _turn(self) -> int:
        """How many runs came before, where the folder of findings is kept; else the day decides."""
        path = self.options.findings_dir / TURN_FILE
        turn = self.today.toordinal()
        with suppress(OSError, ValueError, KeyError, TypeError):
            turn = int(json.loads(path.read_text("utf-8"))["turn"])
        with suppress(StoreError):
            store.replace_file(path, json.dumps({"turn": turn + 1}).encode() + b"\n")
        return turn


def _barred(case: Case, executor: Executor, ground: Ground) -> str:
    """Why an entry is not asked of this target, "" when it is."""
    if case.side is not executor.facts.side:
        return f"it is about a {case.side.value}"
    if case.effect not in ground.allowed:
        return f"effect {case.effect.value} is not allowed on this target"
    if names_credentials(case):
        return "it would change how we get in"
    return ""


def _told(one: Known, seen: Look) -> Visit:
    if seen.hits:
        return Visit(one, State.SEEN, seen.hits, seen.tries)
    if seen.inconclusive:
        return Visit(one, State.INCONCLUSIVE, 0, seen.tries, seen.inconclusive)
    if seen.other is not None:
        violation = seen.other[1]
        now = f"now {violation.name} ({violation.oracle}): {violation.symptom}"
        return Visit(one, State.CHANGED, 0, seen.tries, now)
    return Visit(one, State.PASSED, 0, seen.tries)


def _of_row(one: Known, row: TlsRow | None) -> Visit:
    if row is None:
        return Visit(one, State.NOT_RUN, why=NOT_REACHED)
    why = "; ".join(row.why)
    if row.outcome == "failed":
        same = row.symptom == one.entry.violation.symptom
        return Visit(one, State.SEEN if same else State.CHANGED, int(same), 1, why)
    if row.outcome in _PLAYED:
        return Visit(one, State.PASSED, 0, 1)
    state = State.INCONCLUSIVE if row.outcome == "not observed" else State.NOT_ASKED
    return Visit(one, state, why=why)
