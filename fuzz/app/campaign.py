"""Runs campaigns: rig, engine, oracles and store put together.

Knows how a campaign is composed; must not know how it is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis.configuration import set_hypothesis_home_dir

from fuzz import __version__, store
from fuzz.app.claiming import with_claims
from fuzz.app.credentials import vault_for
from fuzz.app.dossier import files_of, hidden, signed
from fuzz.app.interrupting import hear_interrupts
from fuzz.app.rig import Rig, rig
from fuzz.app.sniffing import Sniffer, sniffing
from fuzz.config import PHASES, RANDOM_PHASE, RunOptions, campaign_hash
from fuzz.engine import nameplate
from fuzz.engine.answering import Answers
from fuzz.engine.baseline import NEEDED_BY, learn_volatile
from fuzz.engine.campaign import Campaign, CampaignTally, Limits
from fuzz.engine.cases import actions_of
from fuzz.engine.course import easy_first
from fuzz.engine.effects import allowed_effects
from fuzz.engine.executor import Executor
from fuzz.engine.framing import Frames
from fuzz.engine.injection import Injections
from fuzz.engine.inventory import Inventory
from fuzz.engine.investigate import Investigator, Judge
from fuzz.engine.phases import Generated, Ground, Phase, Replay, Systematic
from fuzz.engine.resource import Resource
from fuzz.engine.seeds import Seeds
from fuzz.engine.shrinker import GENTLE, Budget, Shrinker
from fuzz.engine.stage import of_lab
from fuzz.engine.stateful import Stateful
from fuzz.engine.support import Coverage, Support
from fuzz.engine.twins import Twins
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.oracles.registry import judge, oracle_named
from fuzz.records import (
    Ability,
    Case,
    EngineEvent,
    Finding,
    FrameKind,
    Heard,
    LinkClosed,
    Note,
    Observation,
    Side,
    Summary,
    TargetFacts,
    Violation,
)
from strategies.labels import JsonValue
from strategies.version import version

HURRIED_S = 300.0
"""A campaign that ends earlier, or after so many cases, waits for no time-outs of the station in its first round."""

TOOL = f"ocppfuzz {__version__}"

Sink = Callable[[EngineEvent], None]


@dataclass(frozen=True, slots=True)
class Course:
    """What a command does with a campaign beyond its options.

    `advisory` are oracles that silence nobody. `arrange` makes of the campaign's phases those that are played.
    `afterwards` plays on, on the same target, when the campaign has not lost it and nobody stopped it. `goes_on` tells
    who stopped it how to go on.
    """

    advisory: frozenset[str] = frozenset()
    arrange: Callable[[Sequence[Phase], Ground], Sequence[Phase]] = lambda phases, _: phases
    afterwards: Callable[[Executor, Judge, Ground], Awaitable[None]] | None = None
    goes_on: str = "`--resume` goes on"


@dataclass(slots=True)
class FolderFindings:
    """Keeps findings and the campaign's journal in a folder; implements the engine's `Findings`."""

    root: Path
    seed: int
    config_hash: str
    support: Support
    hide: Callable[[bytes], bytes] = bytes
    sniffer: Sniffer | None = None

    def fingerprint(self, violation: Violation, case: Case) -> str:
        """The name under which equal findings meet."""
        return store.fingerprint(violation, case)

    def save(self, finding: Finding) -> None:
        """Write the finding, or merge it with what is there."""
        store.save_finding(
            signed(hidden(finding, self.hide)),
            self.root,
            render=partial(files_of, sniffer=self.sniffer),
        )

    def drop(self, finding: Finding) -> None:
        """Take back a finding that turned out innocent."""
        store.drop_finding(finding, self.root)

    def checkpoint(self, phase: str, played: Mapping[str, int], tally: CampaignTally) -> None:
        """Write how far the campaign has come."""
        counts = {"cases": tally.cases, "inconclusive": tally.inconclusive}
        state = store.CampaignState(
            self.seed,
            phase,
            dict(played),
            self.config_hash,
            counts,
            supported=tuple(sorted(self.support.supported)),
            refused=tuple(sorted(self.support.refused)),
            missed=tuple(sorted(tally.missed)),
        )
        store.save_state(state, self.root)


def make_judge(
    *,
    strict: bool,
    edition: str,
    only: Sequence[str] = (),
    advisory: frozenset[str] = frozenset(),
) -> Judge:
    """Every oracle over one observation, or only those that are named. Raises `UsageError` for an unknown one."""
    chosen = frozenset(oracle_named(name).id for name in only)

    def judged(observation: Observation) -> Sequence[Violation]:
        spoken = judge(observation, strict=strict, edition=edition, advisory=advisory)
        return [v for v in spoken if v.oracle in chosen] if chosen else spoken

    return judged


def run(options: RunOptions, sink: Sink) -> Summary:
    """Run a campaign in an event loop of its own; the first Ctrl-C ends it after the present case."""
    # Hypothesis keeps caches; in a folder of somebody else's they would only be in the way.
    set_hypothesis_home_dir(options.findings_dir / ".campaign" / "hypothesis")
    return asyncio.run(_run(options, sink))


async def _run(options: RunOptions, sink: Sink) -> Summary:
    with sniffing(options.capture_interface) as sniffer:
        async with rig(options, sink) as made:
            return await campaign_on(made, options, sink, sniffer=sniffer)


async def campaign_on(
    made: Rig,
    options: RunOptions,
    sink: Sink,
    course: Course | None = None,
    *,
    sniffer: Sniffer | None = None,
) -> Summary:
    """Run a campaign on a wired target. Raises `TargetUnavailable` when it never comes."""
    course = course or Course()
    vault = vault_for(made, options, sink)
    executor = Executor(made.wiring, made.pace)
    inventory = await prepare(executor, sink)
    executor.facts = with_claims(executor.facts, options, inventory, sink)
    await _baseline(executor, inventory, options)
    resumed = _resumed(options)
    ground = _ground(options, executor, inventory, resumed)
    _survey(ground, made, executor, options)
    _say_what_is_missing(made, inventory, sink)
    judged = make_judge(
        strict=options.strict,
        edition=options.edition,
        only=options.oracles,
        advisory=course.advisory,
    )
    budget = Budget() if executor.owned else GENTLE
    shrinker = Shrinker(ground.version, made.wiring.clock, budget, lambda: executor.reconnects)
    campaign = Campaign(
        executor,
        Investigator(executor, judged, shrinker),
        judged,
        ground,
        inventory,
        _folder(options, made, ground, sniffer),
        made.wiring.clock,
        _limits(options, ground, resumed),
        sink,
        tool=TOOL,
        tally=_tally(resumed, options),
        vault=vault,
    )
    phases = course.arrange(make_phases(options, ground), ground)
    with _interruptible(campaign, sink, course.goes_on):
        summary = await campaign.run(phases)
    if course.afterwards is not None and not summary.unavailable and not campaign.stopped:
        await course.afterwards(executor, judged, ground)
    await executor.hang_up()
    if not summary.reason:
        store.clear_state(options.findings_dir)
    return summary


def _ground(
    options: RunOptions,
    executor: Executor,
    inventory: Inventory,
    resumed: store.CampaignState | None,
) -> Ground:
    """The ground of a new campaign, with a seed of its own where none was given, or of the one that is resumed."""
    seed = resumed.seed if resumed is not None else options.seed
    seed = secrets.randbits(32) if seed is None else seed
    ground = make_ground(options, executor.facts.side, seed, inventory)
    if resumed is not None:
        ground.support = Support(set(resumed.supported), set(resumed.refused))
    return ground


def _folder(
    options: RunOptions, made: Rig, ground: Ground, sniffer: Sniffer | None
) -> FolderFindings:
    return FolderFindings(
        options.findings_dir,
        ground.seed,
        campaign_hash(options),
        ground.support,
        made.wiring.hide,
        sniffer,
    )


def _limits(options: RunOptions, ground: Ground, resumed: store.CampaignState | None) -> Limits:
    return Limits(
        max_time_s=options.max_time_s,
        max_cases=options.max_cases,
        max_exchanges=options.max_exchanges,
        fail_fast=options.fail_fast,
        allowed=ground.allowed,
        skip={} if resumed is None else resumed.played,
    )


def _survey(ground: Ground, made: Rig, executor: Executor, options: RunOptions) -> None:
    """Note on the ground what this target is and lets us do."""
    ground.items_per_message = executor.facts.items_per_message
    ground.abilities = made.wiring.target.abilities
    ground.owned = executor.owned
    short = options.max_time_s is not None and options.max_time_s < HURRIED_S
    ground.hurried = short or options.max_cases is not None
    ground.compression = executor.handshake.compression
    ground.catches = made.wiring.catcher is not None
    ground.late_visits = executor.late_visits
    ground.allowed = allowed_effects(owned=executor.owned, allow=options.allow)


async def _baseline(executor: Executor, inventory: Inventory, options: RunOptions) -> None:
    """Learn what changes by itself, where a phase is to be played whose cases compare readings."""
    if executor.facts.side is Side.STATION and NEEDED_BY & set(options.phases or PHASES):
        volatile = await learn_volatile(executor, inventory.pool)
        executor.facts = replace(executor.facts, volatile=volatile)


def _say_what_is_missing(made: Rig, inventory: Inventory, sink: Sink) -> None:
    missing = sorted(a.value for a in set(Ability) - made.wiring.target.abilities)
    if missing:
        sink(
            Note(
                f"{made.wiring.target.name}: no {', '.join(missing)}; what needs them is not judged"
            )
        )
    if not inventory.report and made.wiring.facts.side is Side.STATION:
        sink(
            Note(
                "the target gave no base report: cases name nothing of its own, and nothing can be put back",
                "warning",
            )
        )


async def prepare(executor: Executor, sink: Sink) -> Inventory:
    """Wait for the target, take the gentle baseline and its inventory, and fill in the facts.

    Raises:
        TargetUnavailable: nobody came, or no harmless CALL is served.
    """
    take = await executor.connect()
    await _see_it_serve(executor, sink)
    facts = _described(executor.facts, take.calls, executor)
    executor.facts = replace(facts, clock_offset_s=executor.clock_offset_s(take))
    inventory = Inventory()
    if executor.facts.side is Side.STATION:
        try:
            await inventory.read(executor)
        except LinkClosed:
            sink(
                Note(
                    "the target closed the connection while it was asked for its base report",
                    "warning",
                )
            )
        await _name(executor, inventory)
    executor.facts = _with_limits(executor.facts, inventory.report)
    return inventory


async def _see_it_serve(executor: Executor, sink: Sink) -> None:
    """See harmless CALLs served; one may get lost beside what the target says after its boot, which is for oracles to judge."""
    lost = 0
    for _ in range(3):
        lost += not await executor.probe()
        if lost > 1 or not executor.connected:
            raise TargetUnavailable(
                "the target is connected but does not serve a harmless CALL; is it booted?"
            )
    if lost:
        sink(Note("a harmless CALL was not served right after the boot; others were", "warning"))


async def _name(executor: Executor, inventory: Inventory) -> None:
    """Learn who a station is that booted for somebody else, before us."""
    executor.facts = nameplate.read(executor.facts, inventory.pool)
    if not (executor.facts.vendor or executor.facts.model):
        executor.facts = await nameplate.ask(executor)


def _described(facts: TargetFacts, calls: Sequence[Heard], executor: Executor) -> TargetFacts:
    """The facts with what the target said of itself at boot."""
    facts = replace(facts, identity=facts.identity or executor.handshake.identity)
    for heard in calls:
        station = heard.payload.get("chargingStation") if isinstance(heard.payload, dict) else None
        if (
            heard.action == "BootNotification"
            and heard.kind is FrameKind.CALL
            and isinstance(station, dict)
        ):
            return replace(
                facts,
                vendor=_short(station.get("vendorName")),
                model=_short(station.get("model")),
                firmware=_short(station.get("firmwareVersion")),
                serial=_short(station.get("serialNumber")),
            )
    return facts


def _short(value: JsonValue) -> str:
    return value[:100] if isinstance(value, str) else ""


def _with_limits(facts: TargetFacts, report: Sequence[JsonValue]) -> TargetFacts:
    """The facts with the limits that the target declares (B05.FR.11, B06.FR.16, MessageTimeout)."""
    items: dict[str, int] = {}
    size: dict[str, int] = {}
    timeout = facts.message_timeout_s
    for entry in report:
        name, instance, value = _integer_entry(entry)
        if value is None:
            continue
        if name == "itemspermessage":
            items[instance] = value
        elif name == "bytespermessage":
            size[instance] = value
        elif name == "messagetimeout" and 0 < value <= 600:
            timeout = float(value)
    return replace(
        facts, items_per_message=items, bytes_per_message=size, message_timeout_s=timeout
    )


def _integer_entry(entry: JsonValue) -> tuple[str, str, int | None]:
    variable = entry.get("variable") if isinstance(entry, dict) else None
    attributes = entry.get("variableAttribute") if isinstance(entry, dict) else None
    first = attributes[0] if isinstance(attributes, list) and attributes else None
    value = first.get("value") if isinstance(first, dict) else None
    if (
        not isinstance(variable, dict)
        or not isinstance(value, str)
        or not value.isdecimal()
        or len(value) > 10
    ):
        return "", "", None
    name, instance = variable.get("name"), variable.get("instance")
    return str(name).lower(), instance if isinstance(instance, str) else "", int(value)


def make_ground(options: RunOptions, side: Side, seed: int, inventory: Inventory) -> Ground:
    """What all phases of one campaign stand on."""
    seeds = Seeds(version())
    seeds.add(c for c in store.corpus_cases(options.corpus_dir) if c.side is side)
    return Ground(
        version=version(),
        side=side,
        seed=seed,
        support=Support(),
        coverage=Coverage(),
        pool=inventory.pool,
        components=inventory.component_names(),
        only=frozenset(options.only),
        exclude=frozenset(options.exclude),
        full=options.tier == "full",
        tool=TOOL,
        seeds=seeds,
    )


def _stored(options: RunOptions, side: Side) -> list[Case]:
    """What was found before, and then the corpus, of which a short campaign has time for the easy cases only."""
    corpus = easy_first(store.corpus_cases(options.corpus_dir))
    findings = (f.case for f in store.findings_in(options.findings_dir))
    return [c for c in (*findings, *corpus) if c.side is side and not of_lab(c)]


def make_phases(options: RunOptions, ground: Ground) -> list[Phase]:
    """The phases that were asked for, in the order in which they were asked for."""
    made: dict[str, Phase] = {
        "replay": Replay(
            [c for c in _stored(options, ground.side) if all(map(ground.asked, actions_of(c)))]
        ),
        "systematic": Systematic(ground),
        "answers": Answers(ground),
        "frames": Frames(ground),
        "twins": Twins(ground),
        "injection": Injections(ground),
        "resource": Resource(ground, named=options.phases != PHASES),
        "stateful": Stateful(ground),
        "generated": Generated(ground),
        RANDOM_PHASE: Generated(ground, RANDOM_PHASE, mutates=False),
    }
    return [made[n] for n in options.phases or PHASES]


def _resumed(options: RunOptions) -> store.CampaignState | None:
    if not options.resume:
        return None
    state = store.load_state(options.findings_dir)
    if state is None:
        raise UsageError(f"nothing to resume in {options.findings_dir}; start without --resume")
    if state.config_hash != campaign_hash(options):
        raise UsageError(
            "the stopped campaign had other options; give the same ones, or start without --resume"
        )
    return state


def _tally(resumed: store.CampaignState | None, options: RunOptions) -> CampaignTally:
    tally = CampaignTally()
    if resumed is not None:
        tally.cases = resumed.counts.get("cases", 0)
        tally.inconclusive = resumed.counts.get("inconclusive", 0)
        tally.missed = set(resumed.missed)
        tally.findings = {f.fingerprint: f for f in store.findings_in(options.findings_dir)}
    return tally


@contextlib.contextmanager
def _interruptible(campaign: Campaign, sink: Sink, goes_on: str) -> Iterator[None]:
    """The first signal ends the campaign in order, which may take as long as its present case; a second one ends it at once."""
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {n: signal.getsignal(n) for n in _ENDING}

    def end(number: signal.Signals) -> None:
        _restore(loop, before)
        hear_interrupts()  # Whoever was heard once is heard twice.
        # Whoever presses a key wants to see something, quiet or not.
        more = "once more stops at once, with everything saved"
        sink(Note(f"stopping after the present case; {more}", "warning"))
        campaign.stop(f"{_ENDING[number]}; {goes_on}")

    try:
        for number in _ENDING:
            loop.add_signal_handler(number, end, number)
    except (NotImplementedError, RuntimeError, ValueError):
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _restore(loop, before)


_ENDING = {
    signal.SIGINT: "stopped by Ctrl-C",
    signal.SIGTERM: "stopped",
}


def _restore(loop: asyncio.AbstractEventLoop, before: Mapping[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        if loop.remove_signal_handler(number):
            signal.signal(number, handler)
