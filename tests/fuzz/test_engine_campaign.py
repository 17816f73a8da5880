"""Campaigns over a handful of cases against scripted stations: what is asked, kept, put back, and how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from fuzz.clock import SystemClock
from fuzz.engine.campaign import BATCH, Campaign, CampaignTally, Limits, answer_class
from fuzz.engine.effects import HARMLESS
from fuzz.engine.executor import Executor
from fuzz.engine.inventory import Inventory
from fuzz.engine.investigate import SURE_S, Investigator
from fuzz.engine.phases import Ground, Phase, Systematic
from fuzz.engine.quarantine import PATIENCE
from fuzz.engine.shrinker import Budget, Shrinker
from fuzz.engine.support import Coverage, Support
from fuzz.oracles.registry import judge
from fuzz.records import (
    CampaignEnded,
    CampaignStarted,
    Case,
    Close,
    Effect,
    EngineEvent,
    Finding,
    FindingStatus,
    Heard,
    Observation,
    PhaseEnded,
    ProcessEnd,
    SendText,
    Side,
    Summary,
    Violation,
)
from fuzz.testing import VALID, case, error, heard, mutation, observation, rejected, result
from fuzz.transport.memory import MemoryLink
from strategies.labels import Channel, Expectation, Tier
from strategies.version import version

Behaviour = Callable[[MemoryLink, str], Awaitable[None]]


def call(
    name: str,
    text: str = "{}",
    *,
    action: str = "DataTransfer",
    expectation: Expectation = VALID,
    effect: Effect = Effect.VOLATILE,
    keyword: str = "",
    heavy: bool = False,
) -> Case:
    """One CALL; with a `keyword` it is a mutant with a proper control."""
    made = case(
        expectation,
        action=action,
        mutations=[mutation("/a", keyword, "any", channel=Channel.ENVELOPE)] if keyword else [],
        steps=[SendText((f'[2,"{{call.id}}","{action}",{text}]',))],
        heavy=heavy,
    )
    control = (
        SendText(
            (f'[2,"{{call.id}}","{action}",{{"vendorId":"v"}}]',),
        ),
    )
    return replace(made, id=name, effect=effect, control=control if keyword else ())


def killer(name: str, text: str = '{"vendorId":"bad"}') -> Case:
    return call(name, text, expectation=rejected(Tier.RPC), keyword="action")


def good(count: int, start: int = 0) -> list[Case]:
    return [call(f"good-{start + n}", '{"vendorId":"v"}') for n in range(count)]


@dataclass
class Stored(Phase):
    """A phase that plays what it is given."""

    stored: Sequence[Case]
    name: str = "replay"

    def planned(self) -> int | None:
        return len(self.stored)

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        for one in self.stored:
            yield one


@dataclass
class Shelf:
    """Keeps findings and the journal in memory."""

    saved: list[Finding] = field(default_factory=list)
    journal: list[tuple[str, int, int]] = field(default_factory=list)

    def fingerprint(self, violation: Violation, of: Case) -> str:
        return f"{violation.oracle}-{violation.symptom}-{of.mutation_class}"

    def save(self, finding: Finding) -> None:
        self.saved.append(finding)

    def drop(self, finding: Finding) -> None:
        """What was saved stays in the list of what was."""

    def checkpoint(self, phase: str, played: Mapping[str, int], state: CampaignTally) -> None:
        self.journal.append((phase, played.get(phase, 0), state.cases))


class Station:
    """Answers every CALL with an accepting result, unless `answers` has something else for its action."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers
        self.asked: list[tuple[str, object]] = []

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] != 2:
            return
        self.asked.append((frame[2], frame[3]))
        await self.answer(link, frame)

    async def answer(self, link: MemoryLink, frame: list) -> None:
        payload = self.answers.get(frame[2], {"status": "Accepted"})
        await link.send_text(json.dumps([3, frame[1], payload]))

    def named(self, action: str) -> list[object]:
        """The payloads of one action, in the order in which they came."""
        return [payload for asked, payload in self.asked if asked == action]


@dataclass
class Outcome:
    """A campaign that is over, with everything that it told."""

    summary: Summary
    events: list[EngineEvent]
    shelf: Shelf
    ground: Ground
    tally: CampaignTally


async def attack(
    executor: Executor,
    cases: Sequence[Case],
    *,
    limits: Limits | None = None,
    inventory: Inventory | None = None,
    tally: CampaignTally | None = None,
    strict: bool = False,
    on_event: Callable[[Campaign, EngineEvent], None] | None = None,
    planned: Sequence[str] = (),
    whole: bool = False,
) -> Outcome:
    """Play the cases as one phase and tell what came of it; `whole` adds the systematic phase, unplayed."""
    shelf, events = Shelf(), []
    ground = Ground(version(), Side.STATION, 1, Support(), Coverage())
    ground.coverage.plan("planned", planned)
    clock = SystemClock()
    kept = tally or CampaignTally()

    def judged(seen: Observation) -> Sequence[Violation]:
        return judge(seen, strict=strict)

    def sink(event: EngineEvent) -> None:
        events.append(event)
        if on_event is not None:
            on_event(campaign, event)

    shrinker = Shrinker(version(), clock, Budget(plays=20, seconds=10.0))
    campaign = Campaign(
        executor,
        Investigator(executor, judged, shrinker),
        judged,
        ground,
        inventory or Inventory(),
        shelf,
        clock,
        limits or Limits(),
        sink,
        tool="test",
        tally=kept,
    )
    summary = await campaign.run([Stored(cases), *([Systematic(ground)] if whole else [])])
    return Outcome(summary, events, shelf, ground, kept)


# --- the whole --------------------------------------------------------------------------------------------


async def test_a_healthy_station_ends_in_exit_code_0(scripted: Callable) -> None:
    async with scripted(Station()) as executor:
        outcome = await attack(executor, good(3))
    summary = outcome.summary
    assert (summary.exit_code, summary.reason, summary.cases) == (0, "", 3)
    assert summary.answers == {"CALLRESULT": 3}
    assert isinstance(outcome.events[0], CampaignStarted)
    assert isinstance(outcome.events[-1], CampaignEnded)
    (ended,) = [e for e in outcome.events if isinstance(e, PhaseEnded)]
    assert (ended.cases, ended.complete) == (3, True)
    assert outcome.shelf.journal[-1] == ("replay", 3, 3)


async def test_a_station_that_serves_no_call_proves_nothing(scripted: Callable) -> None:
    class Refusing(Station):
        async def answer(self, link: MemoryLink, frame: list) -> None:
            await link.send_text(json.dumps([4, frame[1], "NotSupported", "", {}]))

    async with scripted(Refusing()) as executor:
        summary = (await attack(executor, good(3))).summary
    assert summary.exit_code == 3
    assert "nothing is proven" in summary.reason


async def test_no_case_at_all_proves_nothing(scripted: Callable) -> None:
    async with scripted(Station()) as executor:
        assert (await attack(executor, [])).summary.exit_code == 3


async def test_what_came_of_each_action_is_told(scripted: Callable) -> None:
    cases = [*good(2), call("c", action="Reset", effect=Effect.ONE_WAY), killer("k"), killer("l")]
    async with scripted(Station(), owned=False) as executor:
        summary = (await attack(executor, cases, limits=Limits(allowed=HARMLESS))).summary
    transfer, reset = summary.turnouts
    assert (transfer.action, transfer.judged, transfer.left_out) == ("DataTransfer", 4, {})
    assert transfer.objections == (("O8", summary.findings[0].fingerprint),)
    assert (reset.action, reset.judged) == ("Reset", 0)
    assert reset.left_out == {"effect one-way is not allowed on this target": 1}


# --- first, do no harm ------------------------------------------------------------------------------------


async def test_what_is_not_allowed_is_not_sent_and_told_with_its_reason(
    scripted: Callable,
) -> None:
    station = Station()
    cases = [call(f"c-{e.value}", action=f"A-{e.value}", effect=e) for e in Effect]
    async with scripted(station, owned=False) as executor:
        outcome = await attack(executor, cases, limits=Limits(allowed=HARMLESS))
    said = {action for action, _ in station.asked if action.startswith("A-")}
    assert said == {"A-none", "A-volatile"}
    assert outcome.summary.not_asked == {
        f"effect {name} is not allowed on this target": 1
        for name in ("persistent", "lock-out", "energise", "one-way")
    }


async def test_the_end_of_a_phase_counts_what_was_played_and_says_why_not_more(
    scripted: Callable,
) -> None:
    cases = [*good(3), call("c", action="Reset", effect=Effect.ONE_WAY)]
    async with scripted(Station(), owned=False) as executor:
        outcome = await attack(executor, cases, limits=Limits(allowed=HARMLESS))
    (ended,) = [e for e in outcome.events if isinstance(e, PhaseEnded)]
    assert (ended.cases, ended.complete) == (3, True)
    assert ended.left_out == {"effect one-way is not allowed on this target": 1}


async def test_what_a_table_planned_and_did_not_give_is_accounted_for(
    scripted: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stored, "planned", lambda self: 10)
    async with scripted(Station()) as executor:
        outcome = await attack(executor, good(3))
    (ended,) = [e for e in outcome.events if isinstance(e, PhaseEnded)]
    assert ended.cases + sum(ended.left_out.values()) == 10
    assert "few are played" in next(iter(ended.left_out))


async def test_named_effects_are_sent_as_well(scripted: Callable) -> None:
    station = Station()
    cases = [call(f"c-{e.value}", action=f"A-{e.value}", effect=e) for e in Effect]
    allowed = HARMLESS | {Effect.PERSISTENT}
    async with scripted(station, owned=False) as executor:
        await attack(executor, cases, limits=Limits(allowed=allowed))
    said = {action for action, _ in station.asked if action.startswith("A-")}
    assert said == {"A-none", "A-volatile", "A-persistent"}


@pytest.mark.parametrize("name", ["BasicAuthPassword", "basicauthpassword", "Identity"])
async def test_credentials_are_never_touched_without_a_vault(name: str, scripted: Callable) -> None:
    station = Station()
    item = {"component": {"name": "C"}, "variable": {"name": name}, "attributeValue": "x"}
    text = json.dumps({"setVariableData": [item]})
    cases = [call("secret", text, action="SetVariables", effect=Effect.PERSISTENT)]
    async with scripted(station) as executor:
        outcome = await attack(executor, cases)
    assert station.named("SetVariables") == []
    assert outcome.summary.not_asked == {"would change how we get in (allow 'lock-out' by name)": 1}


# --- what was changed -------------------------------------------------------------------------------------

INTERVAL = {"component": {"name": "Ctrlr"}, "variable": {"name": "Interval"}}
ACCEPTED = {"setVariableResult": [{**INTERVAL, "attributeStatus": "Accepted"}]}
SET = json.dumps({"setVariableData": [{**INTERVAL, "attributeValue": "1"}]})


def setting(effect: Effect) -> Case:
    return call("set", SET, action="SetVariables", effect=effect)


def inventory(value: str | None) -> Inventory:
    attributes = [] if value is None else [{"value": value}]
    return Inventory(report=[{**INTERVAL, "variableAttribute": attributes}])


def values(station: Station) -> list[str]:
    payloads = station.named("SetVariables")
    return [p["setVariableData"][0]["attributeValue"] for p in payloads]  # type: ignore[index]


async def test_what_was_accepted_is_put_back_at_the_end(scripted: Callable) -> None:
    station = Station(SetVariables=ACCEPTED)
    async with scripted(station) as executor:
        outcome = await attack(
            executor, [setting(Effect.PERSISTENT), *good(2)], inventory=inventory("300")
        )
    assert values(station) == ["1", "300"]
    assert station.asked[-1][0] == "SetVariables"
    assert outcome.summary.left_changed == ()


async def test_what_may_lock_us_out_is_put_back_at_once(scripted: Callable) -> None:
    station = Station(SetVariables=ACCEPTED)
    async with scripted(station) as executor:
        await attack(executor, [setting(Effect.LOCK_OUT), *good(1)], inventory=inventory("300"))
    actions = [a for a, _ in station.asked if a in ("SetVariables", "DataTransfer")]
    assert actions == ["SetVariables", "SetVariables", "DataTransfer"]


async def test_what_cannot_be_put_back_is_told(scripted: Callable) -> None:
    async with scripted(Station(SetVariables=ACCEPTED)) as executor:
        outcome = await attack(executor, [setting(Effect.PERSISTENT)], inventory=inventory(None))
    assert outcome.summary.left_changed == ("Ctrlr.Interval",)


async def test_what_a_lost_target_still_has_changed_is_told(scripted: Callable) -> None:
    class Leaving(Station):
        async def answer(self, link: MemoryLink, frame: list) -> None:
            await super().answer(link, frame)
            if frame[2] == "SetVariables":
                raise asyncio.CancelledError

    async with scripted(Leaving(SetVariables=ACCEPTED), owned=False) as executor:
        outcome = await attack(
            executor, [setting(Effect.PERSISTENT), *good(2)], inventory=inventory("300")
        )
    assert outcome.summary.unavailable
    assert outcome.summary.left_changed == ("Ctrlr.Interval",)


# --- budgets ----------------------------------------------------------------------------------------------


async def test_max_cases_ends_a_campaign_in_order(scripted: Callable) -> None:
    async with scripted(Station()) as executor:
        outcome = await attack(executor, good(10), limits=Limits(max_cases=4))
    assert (outcome.summary.cases, outcome.summary.exit_code) == (4, 0)
    assert outcome.summary.reason == "4 cases played"
    (ended,) = [e for e in outcome.events if isinstance(e, PhaseEnded)]
    assert not ended.complete
    assert outcome.shelf.journal[-1] == ("replay", 4, 4)


async def test_no_time_left_ends_a_campaign_before_its_first_case(scripted: Callable) -> None:
    async with scripted(Station()) as executor:
        outcome = await attack(executor, good(3), limits=Limits(max_time_s=0.0))
    assert (outcome.summary.cases, outcome.summary.exit_code) == (0, 3)
    assert "nothing is proven" in outcome.summary.reason


async def test_a_stop_is_obeyed_after_the_present_case(scripted: Callable) -> None:
    class Impatient(Station):
        campaign: Campaign

        async def answer(self, link: MemoryLink, frame: list) -> None:
            await super().answer(link, frame)
            if len(self.named("DataTransfer")) == 2:
                self.campaign.stop("stopped by hand")

    station = Impatient()

    def introduce(campaign: Campaign, event: EngineEvent) -> None:
        station.campaign = campaign

    async with scripted(station) as executor:
        outcome = await attack(executor, good(5), on_event=introduce)
    assert (outcome.summary.cases, outcome.summary.reason) == (2, "stopped by hand")
    assert outcome.summary.exit_code == 0


# --- findings ---------------------------------------------------------------------------------------------


class Fragile(Station):
    """Closes with 1011 on every message that holds the word `bad`."""

    async def __call__(self, link: MemoryLink, text: str) -> None:
        await (link.close(1011) if "bad" in text else super().__call__(link, text))


async def test_a_killer_is_saved_confirmed_and_shrunk_and_the_campaign_goes_on(
    scripted: Callable,
) -> None:
    async with scripted(Fragile()) as executor:
        outcome = await attack(executor, [*good(2), killer("killer"), *good(2, 2)])
    (finding,) = outcome.summary.findings
    assert outcome.summary.exit_code == 1
    assert (finding.original.id, finding.violation.oracle) == ("killer", "O3")
    assert (finding.confirmed, finding.tries, finding.control_hits) == (3, 3, 0)
    assert outcome.summary.cases == 5
    assert outcome.shelf.saved[0].status is FindingStatus.CANDIDATE
    assert outcome.shelf.saved[-1].status is FindingStatus.CONFIRMED


async def test_the_rest_of_a_killer_class_is_blocked_and_not_counted_as_reached(
    scripted: Callable,
) -> None:
    cases = [killer(f"killer-{n}") for n in range(10)]
    async with scripted(Fragile()) as executor:
        outcome = await attack(executor, [*good(1), *cases], planned=[c.id for c in cases])
    assert outcome.summary.cases == 2
    (finding,) = outcome.summary.findings
    assert outcome.summary.blocked == {f"finding O3-{finding.fingerprint[:8]}": 9}
    assert outcome.summary.coverage == {"planned": (1, 10), "actions": (1, 1)}
    assert outcome.tally.missed == {c.id for c in cases[1:]}


async def test_what_did_not_repeat_is_told_apart_and_is_no_finding(scripted: Callable) -> None:
    class Once(Station):
        async def __call__(self, link: MemoryLink, text: str) -> None:
            if "bad" in text and not self.named("Bad"):
                self.asked.append(("Bad", {}))
                await link.close(1011)
                return
            await super().__call__(link, text)

    async with scripted(Once()) as executor:
        outcome = await attack(executor, [*good(2), killer("once")])
    assert outcome.summary.findings == ()
    assert outcome.summary.exit_code == 0
    assert [f.original.id for f in outcome.summary.unconfirmed] == ["once"]
    assert outcome.summary.inconclusive == 0


async def test_a_whole_pass_is_priced_by_what_was_measured(scripted: Callable) -> None:
    async with scripted(Station()) as executor:
        executor.pace.answers_s, executor.pace.returns_s = [0.2, 0.4], [20.0, 40.0]
        outcome = await attack(executor, good(1), limits=Limits(max_cases=1), whole=True)
        alone = await attack(executor, good(1))
    assert alone.summary.full_pass is None
    cost = outcome.summary.full_pass
    assert cost is not None
    assert cost.cases == Systematic(outcome.ground).size()[0] > 300
    assert cost.seconds == cost.cases * cost.answer_s + cost.reconnects * cost.reconnect_s


async def test_a_class_that_only_hangs_up_is_sampled_after_a_few(scripted: Callable) -> None:
    class Orderly(Station):
        async def __call__(self, link: MemoryLink, text: str) -> None:
            await (link.close(1000) if "bad" in text else super().__call__(link, text))

    hanging = [
        replace(killer(f"h-{n}"), expectation=rejected(Tier.JSON)) for n in range(PATIENCE + 5)
    ]
    async with scripted(Orderly()) as executor:
        outcome = await attack(executor, [*good(1), *hanging])
    assert outcome.summary.answers["closed"] == PATIENCE
    assert sum(outcome.summary.blocked.values()) == 5


async def test_a_remark_is_listed_and_changes_no_exit_code(scripted: Callable) -> None:
    class Mute(Station):
        async def __call__(self, link: MemoryLink, text: str) -> None:
            if not text.startswith("nonsense"):
                await super().__call__(link, text)

    silent = replace(call("n"), steps=(SendText(("nonsense",)),), expectation=rejected(Tier.JSON))
    async with scripted(Mute()) as executor:
        outcome = await attack(executor, [*good(1), silent, replace(silent, id="n2")])
    (remark,) = outcome.summary.remarks
    assert (outcome.summary.exit_code, outcome.summary.findings) == (0, ())
    assert (remark.violation.oracle, remark.case_id, remark.count) == ("O4", "n", 2)


async def test_a_second_answer_that_comes_late_is_a_finding_of_its_case(
    scripted: Callable,
) -> None:
    class Stuttering(Station):
        said = ""

        async def answer(self, link: MemoryLink, frame: list) -> None:
            await super().answer(link, frame)
            if self.said:
                await link.send_text(json.dumps([3, self.said, {"status": "Accepted"}]))
            twice = frame[2] == "DataTransfer" and "twice" in frame[3].get("vendorId", "")
            self.said = frame[1] if twice else ""

    cases = [call("twice", '{"vendorId":"twice"}'), *good(3)]
    async with scripted(Stuttering()) as executor:
        outcome = await attack(executor, cases)
    assert {(f.violation.oracle, f.original.id) for f in outcome.shelf.saved} == {("O4", "twice")}


async def test_a_station_that_goes_deaf_behind_a_batch_is_hunted_down(
    scripted: Callable,
) -> None:
    class Deafened(Station):
        deaf: MemoryLink | None = None

        async def __call__(self, link: MemoryLink, text: str) -> None:
            if link is self.deaf:
                return
            await super().__call__(link, text)
            if "bad" in text:
                self.deaf = link

    cases = [*good(3), call("deafening", '{"vendorId":"bad"}')]
    async with scripted(Deafened(), patience_s=0.05) as executor:
        outcome = await attack(executor, cases)
    (finding,) = outcome.summary.findings
    assert (finding.violation.oracle, finding.original.id) == ("O5", "deafening")


def _die(link: MemoryLink) -> None:
    link._end(Close(1006, ""))
    link._peer._end(Close(1006, ""))


@pytest.mark.slow
async def test_one_that_dies_of_it_batches_later_is_hunted_down_as_well(
    scripted: Callable,
) -> None:
    class Dying(Station):
        async def __call__(self, link: MemoryLink, text: str) -> None:
            await super().__call__(link, text)
            if "bad" in text:
                asyncio.get_running_loop().call_later(0.1, _die, link)

    poison = call("poison", '{"vendorId":"bad"}')
    async with scripted(Dying(), patience_s=0.05) as executor:
        executor.pace.linger_s = 0.3
        outcome = await attack(executor, [*good(3), poison, *good(6 * BATCH)])
    assert {f.original.id for f in outcome.summary.findings} == {"poison"}


class Mute(Station):
    """Never answers a message that holds the word `mute`."""

    async def __call__(self, link: MemoryLink, text: str) -> None:
        if "mute" not in text:
            await super().__call__(link, text)


@pytest.mark.parametrize(
    ("station", "word", "expected"),
    [(Mute(), "mute", SURE_S), (Fragile(), "bad", None), (Station(), "good", None)],
    ids=["falls silent", "hangs up", "is healthy"],
)
async def test_only_of_a_target_that_is_known_to_fall_silent_silences_are_not_waited_out(
    scripted: Callable, station: Station, word: str, expected: float | None
) -> None:
    least_s: list[float | None] = []
    async with scripted(station, patience_s=0.1) as executor:
        await attack(
            executor,
            [call("one", f'{{"vendorId":"{word}"}}'), *good(1)],
            on_event=lambda _, event: least_s.append(executor.least_s),
        )
    assert (least_s[0], least_s[-2]) == (None, expected)
    assert executor.least_s is None


class Locking(Station):
    """Sends a Heartbeat when it is triggered; serves nothing more on a connection on which a CALL came meanwhile.

    A message that holds the word `lost` comes while a Heartbeat is on its way.
    """

    waits = False
    locked: MemoryLink | None = None

    async def __call__(self, link: MemoryLink, text: str) -> None:
        call, lost = text.startswith("[2"), "lost" in text
        if lost:
            await link.send_text('[2,"own","Heartbeat",{}]')
        if call and (self.waits or lost):
            self.locked = link
        self.waits = call and "TriggerMessage" in text
        if call and link is not self.locked:
            await super().__call__(link, text)
            if self.waits:
                await link.send_text('[2,"beat","Heartbeat",{}]')


async def test_a_case_whose_call_crossed_one_of_the_targets_is_not_blamed_for_what_that_does(
    scripted: Callable,
) -> None:
    cases = [*good(1), call("crossed by chance", '{"vendorId":"lost"}'), *good(2, 1)]
    async with scripted(Locking(), patience_s=0.3) as executor:
        outcome = await attack(executor, cases)
    (finding,) = outcome.summary.findings
    assert (finding.violation.oracle, finding.original.id) == ("O28", "crossing")
    assert outcome.summary.unconfirmed == ()


async def test_a_budget_that_ends_in_the_middle_of_a_batch_does_not_hide_a_late_death(
    scripted: Callable,
) -> None:
    class Late(Station):
        async def answer(self, link: MemoryLink, frame: list) -> None:
            await super().answer(link, frame)
            if "bad" in json.dumps(frame):
                await link.close(1011)

    cases = [*good(2), call("last", '{"vendorId":"bad"}'), *good(5, 2)]
    assert len(cases) < BATCH
    async with scripted(Late()) as executor:
        outcome = await attack(executor, cases, limits=Limits(max_cases=3))
    assert [f.original.id for f in outcome.summary.findings] == ["last"]


# --- a target that stays away -----------------------------------------------------------------------------


async def test_a_target_that_leaves_in_the_middle_is_no_finding(scripted: Callable) -> None:
    class Leaving(Station):
        async def answer(self, link: MemoryLink, frame: list) -> None:
            if "leave" in json.dumps(frame):
                await link.close(1000)
                raise asyncio.CancelledError
            await super().answer(link, frame)

    polite = replace(
        killer("bye", '{"vendorId":"leave"}'), expectation=rejected(Tier.JSON), control=()
    )
    async with scripted(Leaving(), owned=False) as executor:
        outcome = await attack(executor, [*good(2), polite, *good(2, 2)])
    assert outcome.summary.unavailable
    assert "nobody connected" in outcome.summary.reason


async def test_what_a_target_did_before_it_left_for_good_stands(scripted: Callable) -> None:
    async with scripted(Fragile(), owned=False, lives=1) as executor:
        outcome = await attack(executor, [*good(2), killer("killer"), *good(2, 2)])
    assert outcome.summary.exit_code == 1
    assert [f.status for f in outcome.summary.findings] == [FindingStatus.CANDIDATE]
    assert outcome.shelf.saved[-1].status is FindingStatus.CANDIDATE
    assert outcome.summary.unavailable


# --- resuming ---------------------------------------------------------------------------------------------


async def test_a_resumed_campaign_passes_over_what_was_played(scripted: Callable) -> None:
    station = Station()
    cases = [call(f"c-{n}", f'{{"vendorId":"{n}"}}') for n in range(6)]
    tally = CampaignTally(cases=4, missed={"c-1"})
    async with scripted(station) as executor:
        outcome = await attack(
            executor,
            cases,
            limits=Limits(skip={"replay": 4}),
            tally=tally,
            planned=[c.id for c in cases],
        )
    assert station.named("DataTransfer") == [{"vendorId": "4"}, {"vendorId": "5"}]
    assert outcome.summary.cases == 6
    assert outcome.summary.coverage == {"planned": (5, 6), "actions": (1, 1)}


async def test_a_resumed_campaign_confirms_its_candidates_first(scripted: Callable) -> None:
    async with scripted(Fragile()) as executor:
        first = await attack(executor, [*good(1), killer("killer")])
    candidate = first.shelf.saved[0]
    assert candidate.status is FindingStatus.CANDIDATE

    tally = CampaignTally(cases=2, findings={candidate.fingerprint: candidate})
    async with scripted(Fragile()) as executor:
        outcome = await attack(
            executor,
            [*good(1), killer("killer"), *good(2)],
            limits=Limits(skip={"replay": 2}),
            tally=tally,
        )
    (finding,) = outcome.summary.findings
    assert (finding.status, finding.confirmed) == (FindingStatus.CONFIRMED, 3)


async def test_a_resumed_campaign_knows_its_killers(scripted: Callable) -> None:
    async with scripted(Fragile()) as executor:
        first = await attack(executor, [*good(1), killer("killer")])
    tally = CampaignTally(findings={f.fingerprint: f for f in first.summary.findings})
    async with scripted(Fragile()) as executor:
        outcome = await attack(executor, [*good(1), killer("another")], tally=tally)
    assert "closed" not in outcome.summary.answers
    assert sum(outcome.summary.blocked.values()) == 1


async def test_a_phase_that_is_not_there_any_more_is_no_reason_to_play_nothing(
    scripted: Callable,
) -> None:
    async with scripted(Station()) as executor:
        outcome = await attack(executor, good(2), limits=Limits(skip={"handshake": 7}))
    assert outcome.summary.cases == 2


# --- counting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replies", "more", "expected"),
    [
        ([result()], {}, "CALLRESULT"),
        ([error("NotSupported")], {}, "NotSupported"),
        ([error("x" * 500)], {}, "x" * 40),
        ([error(None)], {}, "malformed CALLERROR"),
        ([heard("[4]")], {}, "malformed CALLERROR"),
        ([], {}, "silence"),
        ([], {"close": Close(1011)}, "closed"),
        ([], {"close": Close(1006), "process": ProcessEnd(1)}, "died"),
    ],
)
def test_reactions_are_counted_in_classes(replies: list[Heard], more: dict, expected: str) -> None:
    assert answer_class(observation(replies=replies, **more)) == expected


# --- other ends -------------------------------------------------------------------------------------------


async def test_a_number_of_exchanges_ends_a_campaign(scripted: Callable) -> None:
    async with scripted(Station()) as executor:
        before = executor.exchanges
        outcome = await attack(executor, good(50), limits=Limits(max_exchanges=before + 12))
    assert 1 < outcome.summary.cases < 13
    assert outcome.summary.exchanges >= 12
    assert "messages exchanged" in outcome.summary.reason


async def test_fail_fast_ends_with_the_first_confirmed_finding(scripted: Callable) -> None:
    async with scripted(Fragile()) as executor:
        outcome = await attack(
            executor, [*good(1), killer("killer"), *good(20)], limits=Limits(fail_fast=True)
        )
    assert outcome.summary.cases < 10
    (finding,) = outcome.summary.findings
    assert 0 < finding.exchanges <= outcome.summary.exchanges


async def test_an_action_that_is_never_served_is_told(scripted: Callable) -> None:
    class Refusing(Station):
        async def answer(self, link: MemoryLink, frame: list) -> None:
            await link.send_text(json.dumps([4, frame[1], "InternalError", "", {}]))

    async with scripted(Refusing()) as executor:
        outcome = await attack(executor, good(1))
    assert outcome.summary.unreached == (
        "actions that were never served with a CALLRESULT: DataTransfer",
    )


async def test_why_cases_proved_nothing_is_told_and_hanging_up_is_nobodys_fault(
    scripted: Callable,
) -> None:
    class Poured(Station):
        """Sends what no link lets in after its third case, as if we had ended the connection for it."""

        async def __call__(self, link: MemoryLink, text: str) -> None:
            await super().__call__(link, text)
            if len(self.named("DataTransfer")) == 3:
                self.asked.clear()
                for _ in range(6_000):
                    await link.send_text("[]")

    async with scripted(Poured()) as executor:
        outcome = await attack(executor, [*good(2), call("poured", '{"vendorId":"v"}'), *good(2)])
    assert outcome.summary.exit_code == 0
    assert sum(outcome.summary.disturbed.values()) == outcome.summary.inconclusive > 0
