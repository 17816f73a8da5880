"""Plays stored cases and findings again, with the executor and the oracles of a campaign.

Knows how an outcome is decided; must not know how it is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fuzz import store
from fuzz.app import Replayed
from fuzz.app.campaign import make_judge, prepare
from fuzz.app.claiming import with_claims
from fuzz.app.credentials import PERMISSION, vault_for
from fuzz.app.dossier import files_of, hidden
from fuzz.app.elsewhere import named_for
from fuzz.app.packing import load_pack
from fuzz.app.rig import rig
from fuzz.app.tls_replaying import case_of, cases_of, replay_handshakes
from fuzz.config import RunOptions
from fuzz.engine.behaviour import shows_nothing
from fuzz.engine.effects import allowed_effects, names_credentials
from fuzz.engine.executor import Executor
from fuzz.engine.investigate import Investigator, Judge
from fuzz.engine.shrinker import Budget, Shrinker
from fuzz.engine.vault import Vault
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import (
    Case,
    Effect,
    EngineEvent,
    Finding,
    Note,
    Observation,
    ReplayOutcome,
    Side,
    Violation,
    Who,
)
from fuzz.report.naming import whom
from strategies.version import version

ENDED = frozenset({"O1", "O2"})
"""Oracles of which a target that ends the connection and stays away gives proof enough: it ended, or restarts no more."""

BACK_OFFS, BOOT_S = 2.0, 30.0
"""Behind so many of its own back-offs, and a boot, a station does not merely dial again: it ended."""

Sink = Callable[[EngineEvent], None]
Told = Callable[[Replayed], None]


def replay(
    paths: Sequence[Path],
    options: RunOptions,
    sink: Sink,
    told: Told = lambda _: None,
    *,
    stations: int = 1,
) -> list[Replayed]:
    """Read everything first, so that a bad file stops before anything is sent; then play, and tell of each case.

    Whom that attacks is told first, and nothing found elsewhere is played on our own station unasked.
    `stations` of our own are played with side by side; heavy cases come alone, behind all others.
    """
    stored = [(path, _load(path)) for given in paths for path in _files(given)]
    if not stored:
        raise UsageError("no case or finding to replay; name a case file or a folder of findings/")
    named_for(stored, options)
    sink(Note(f"Attacking {whom(options, [case_of(item).side for _, item in stored])}", "target"))
    handshakes = [(path, item) for path, item in stored if cases_of(item)]
    messages = [(path, item) for path, item in stored if not cases_of(item)]
    outcomes = replay_handshakes(handshakes, options, sink, told) if handshakes else []
    alone = [stations > 1 and case_of(item).heavy for _, item in messages]
    light = [stored for stored, heavy in zip(messages, alone, strict=True) if not heavy]
    heavy = [stored for stored, heavy in zip(messages, alone, strict=True) if heavy]
    for together in ([light[i::stations] for i in range(stations)], [heavy]):
        outcomes += asyncio.run(_side_by_side([*filter(None, together)], options, sink, told))
    return outcomes


async def _side_by_side(
    groups: Sequence[Sequence[tuple[Path, Finding | Case]]],
    options: RunOptions,
    sink: Sink,
    told: Told,
) -> list[Replayed]:
    heard: list[EngineEvent] = []

    def once(event: EngineEvent) -> None:
        # What one of them is said of, the others are said of as well.
        if event not in heard:
            heard.append(event)
            sink(event)

    tell = once if len(groups) > 1 else sink
    played = await asyncio.gather(*(_replay(group, options, tell, told) for group in groups))
    return [outcome for outcomes in played for outcome in outcomes]


def _files(path: Path) -> list[Path]:
    if path.is_dir() and not (path / "finding.json").exists():
        findings = [p.parent for p in path.glob("*/finding.json") if not _hidden(p, path)]
        inside = sorted([*findings, *path.glob(f"*{store.SUFFIX}")])
        return inside or sorted(p for p in path.rglob("*.json") if _is_case(p, path))
    return [path]


def _is_case(path: Path, below: Path) -> bool:
    """True for what may be a case: a corpus also holds the schema of its own form."""
    return not _hidden(path, below) and not path.name.endswith(".schema.json")


def _hidden(path: Path, below: Path) -> bool:
    """True for what a campaign keeps for itself, such as its journal."""
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def _load(path: Path) -> Finding | Case:
    if path.suffix == store.SUFFIX:
        return load_pack(path)
    return store.load_finding(path) if path.is_dir() else store.load_case(path)


async def _replay(
    stored: Sequence[tuple[Path, Finding | Case]], options: RunOptions, sink: Sink, told: Told
) -> list[Replayed]:
    outcomes: list[Replayed] = []

    def add(outcome: Replayed, item: Finding | Case) -> None:
        outcomes.append(replace(outcome, item=item, facts=executor.facts))
        told(outcomes[-1])

    async with rig(options, sink) as made:
        # The vault stands between the door and the executor: it comes first.
        vault = vault_for(made, options, sink)
        executor = Executor(made.wiring, made.pace)
        try:
            player = await ready(executor, vault, options, sink)
            for path, item in stored:
                add(await player.play(path, item), item)
            await player.put_back(sink)
        except TargetUnavailable as gone:
            played = {o.path for o in outcomes}
            for path, item in stored:
                if path not in played:
                    add(Replayed(path, ReplayOutcome.NOT_RUN, str(gone)), item)
        await executor.hang_up()
    return outcomes


@dataclass(frozen=True, slots=True)
class Player:
    """Plays stored cases on a target that is there and known."""

    executor: Executor
    judged: Judge
    vault: Vault | None
    allowed: frozenset[Effect]
    back_off_s: float | None = None

    async def play(self, path: Path, item: Finding | Case) -> Replayed:
        """What becomes of one of them. Raises `TargetUnavailable`."""
        executor, case = self.executor, case_of(item)
        if case.side is not executor.facts.side:
            other = "--listen" if case.side is Side.STATION else "--target"
            return Replayed(
                path, ReplayOutcome.NOT_RUN, f"it attacks a {case.side.value}; use {other}"
            )
        if why := _barred(case, self.vault, self.allowed):
            return Replayed(path, ReplayOutcome.NOT_RUN, why)
        observation = await executor.play_alone(case, self._patience_s(item))
        if observation.inconclusive:
            return Replayed(path, ReplayOutcome.NOT_RUN, observation.inconclusive)
        outcome = _outcome(path, item, observation, self.judged(observation))
        why = shows_nothing(observation)
        if why and outcome.outcome is ReplayOutcome.FIXED and not isinstance(item, Finding):
            return Replayed(path, ReplayOutcome.NOT_RUN, why)
        return outcome

    def _patience_s(self, item: Finding | Case) -> float:
        """How long the target may stay away afterwards, seconds, before that is what came of it."""
        longest_s = self.executor.pace.come_back_s
        ends = isinstance(item, Finding) and item.violation.oracle in ENDED
        if not ends or self.back_off_s is None:
            return longest_s
        return min(longest_s, BACK_OFFS * self.back_off_s + BOOT_S)

    async def put_back(self, sink: Sink) -> None:
        """Put the target's credentials back, and tell what stays changed."""
        await _put_back(self.executor, self.vault, sink)


async def ready(executor: Executor, vault: Vault | None, options: RunOptions, sink: Sink) -> Player:
    """Meet the target and learn what it is. Raises `TargetUnavailable`."""
    inventory = await prepare(executor, sink)
    executor.facts = with_claims(executor.facts, options, inventory)
    allowed = allowed_effects(owned=executor.owned, allow=options.allow)
    judged = make_judge(strict=True, edition=options.edition)
    return Player(executor, judged, vault, allowed, inventory.back_off_s)


async def _put_back(executor: Executor, vault: Vault | None, sink: Sink) -> None:
    for left in await vault.put_back(executor) if vault is not None else ():
        sink(Note(f"stays changed on the target: {left}", "warning"))


def _barred(case: Case, vault: Vault | None, allowed: frozenset[Effect]) -> str:
    """Why a case may not be played: its effect, or the credentials that it names; else "" (design 2.7)."""
    if case.effect not in allowed:
        return f"effect {case.effect.value} is not allowed on this target; --allow {case.effect.value} lets it"
    if not names_credentials(case):
        return ""
    if vault is None:
        return f"it would change how we get in; --allow {PERMISSION} lets it"
    return vault.refuses(case)


def _outcome(
    path: Path, item: Finding | Case, observation: Observation, violations: Sequence[Violation]
) -> Replayed:
    if not isinstance(item, Finding):
        firm = [v for v in violations if not v.remark and v.basis.value != "hardening"]
        if firm:
            words = _words(firm[0])
            return Replayed(path, ReplayOutcome.REPRODUCED, words, violation=firm[0])
        return Replayed(path, ReplayOutcome.FIXED, "no oracle objects")
    wanted = item.violation
    if any(v.oracle == wanted.oracle and v.symptom == wanted.symptom for v in violations):
        return Replayed(path, ReplayOutcome.REPRODUCED, _words(wanted), violation=wanted)
    if wanted.oracle in ENDED and _stayed_away(observation):
        text = f"{_words(wanted)}; now it ended the connection and stays away"
        return Replayed(path, ReplayOutcome.REPRODUCED, text, violation=wanted)
    # What only hardening advice objects to does not make a mended defect a changed one.
    others = [v for v in violations if v.basis.value != "hardening"]
    if others:
        was, now = _words(wanted), _words(others[0])
        return Replayed(
            path,
            ReplayOutcome.CHANGED,
            f"now {now}, was {was}",
            violation=others[0],
            expected=was,
            seen=now,
        )
    return Replayed(path, ReplayOutcome.FIXED, f"no longer {_words(wanted)}")


def _stayed_away(observation: Observation) -> bool:
    """True when the target ended the connection, which nobody asked for, and did not come back by itself."""
    last = [e for e in observation.entries if e.kind in ("open", "close")][-1:]
    ended = observation.close is not None or any(
        e.kind == "close" and e.who is Who.TARGET for e in last
    )
    back = observation.probes.new_connection is not False
    return ended and not back and not observation.restart_asked


def _words(violation: Violation) -> str:
    return f"{violation.name} ({violation.oracle}): {violation.symptom}"


def shrink(path: Path, options: RunOptions, sink: Sink) -> Replayed:
    """Shrink a stored finding with a generous budget and store what came of it."""
    finding = store.load_finding(path)
    if cases_of(finding):
        raise UsageError("a case of the TLS lab is as small as it gets; replay it")
    named_for([(path, finding)], options)
    sink(Note(f"Attacking {whom(options, [finding.case.side])}", "target"))
    return asyncio.run(_shrink(path, finding, options, sink))


async def _shrink(path: Path, finding: Finding, options: RunOptions, sink: Sink) -> Replayed:
    async with rig(options, sink) as made:
        vault = vault_for(made, options, sink)
        allowed = allowed_effects(owned=made.wiring.target.owned, allow=options.allow)
        if why := _barred(finding.case, vault, allowed):
            return Replayed(path, ReplayOutcome.NOT_RUN, why)
        executor = Executor(made.wiring, made.pace)
        inventory = await prepare(executor, sink)
        executor.facts = with_claims(executor.facts, options, inventory)
        judged = make_judge(strict=True, edition=options.edition)
        shrinker = Shrinker(
            version(), made.wiring.clock, Budget(plays=1000, seconds=options.max_time_s or 600.0)
        )
        investigator = Investigator(executor, judged, shrinker)
        confirmed = await investigator.confirm(finding)
        if not confirmed.confirmed:
            return Replayed(path, ReplayOutcome.FIXED, f"no longer {_words(finding.violation)}")
        save = partial(_save, root=path.parent, hide=made.wiring.hide)
        smaller = await investigator.shrink(confirmed, save)
        await _put_back(executor, vault, sink)
        save(smaller)
        await executor.hang_up()
    left = f"; not minimal yet: {smaller.not_minimal}" if smaller.not_minimal else ""
    text = f"{store.case_size(smaller.case)[1]} characters now{left}"
    return Replayed(path, ReplayOutcome.REPRODUCED, text)


def _save(finding: Finding, root: Path, hide: Callable[[bytes], bytes]) -> None:
    """Store what is known now, so that another day goes on from there."""
    store.save_finding(hidden(finding, hide), root, render=files_of)
