"""Follows suspicions up with a scripted investigator: what is kept, what is merged, what is dropped."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from fuzz.clock import SystemClock
from fuzz.engine.crossing import CROSSED
from fuzz.engine.docket import (
    MAX_CROSSED,
    MAX_FINDINGS_PER_SYMPTOM,
    MAX_IN_VAIN,
    MAX_LEANED,
    MAX_UNTRACED,
    Docket,
)
from fuzz.engine.quarantine import Quarantine
from fuzz.errors import TargetUnavailable
from fuzz.records import (
    Basis,
    Case,
    EngineEvent,
    Entry,
    Finding,
    FindingStatus,
    FollowUp,
    Observation,
    Operator,
    Pursuit,
    Severity,
    Violation,
)
from fuzz.testing import case, mutation, observation, rejected, target, us, voice
from strategies.labels import Channel, Mutation, Tier

DEATH = Violation(
    "O1", "process-death", Basis.STOPPED_SERVING, Severity.CRITICAL, "exit 1", "it ended"
)
SHAPE = replace(DEATH, oracle="O7", name="rpc-shape", symptom="arity")
SILENCE = replace(DEATH, oracle="O5", name="zombie", symptom="CALL unserved")
UNCROSSED = replace(DEATH, oracle=CROSSED[0], name="concurrency", symptom=CROSSED[1])
REMARK = replace(SHAPE, remark=True)


@dataclass
class Script:
    """An investigator that says what it is told: which cases repeat, and whose control fails too."""

    repeats: set[str] = field(default_factory=set)
    guilty_controls: set[str] = field(default_factory=set)
    culprit_is: Case | None = None
    leans_on: Case | None = None
    crosses: bool = False
    shows: bool = True
    shown_once: list[str] = field(default_factory=list)
    looked: int = 0
    traced: int = 0
    asked: list[str] = field(default_factory=list)

    async def confirm(self, finding: Finding) -> Finding:
        name = finding.case.id
        self.asked.append(name)
        if name in self.guilty_controls:
            return replace(
                finding, confirmed=3, tries=3, control_hits=3, status=FindingStatus.UNCONFIRMED
            )
        certain = name in self.repeats
        status = FindingStatus.CONFIRMED if certain else FindingStatus.UNCONFIRMED
        return replace(finding, confirmed=3 * certain, tries=3, status=status)

    async def shrink(self, finding: Finding) -> Finding:
        return replace(finding, notes=("shrunk",), not_minimal="")

    async def culprit(self, window: list[Case], violation: Violation) -> Case | None:
        self.traced += 1
        return self.culprit_is

    async def carried(self, recent: list[Case], finding: Finding) -> Case | None:
        self.looked += 1
        return self.leans_on

    async def once_more(
        self, again: Case, violation: Violation
    ) -> list[tuple[Observation, Violation]]:
        if again.id == "crossing":
            self.asked.append("crossing once")
            return [(observation(again), UNCROSSED)] * self.crosses
        self.shown_once.append(again.id)
        return [(observation(again), violation)] * self.shows


@dataclass
class Memory:
    """A shelf that remembers every state of every finding."""

    saved: list[Finding] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def fingerprint(self, violation: Violation, of: Case) -> str:
        return f"{violation.oracle}/{violation.symptom}/{of.mutation_class}"

    def save(self, finding: Finding) -> None:
        self.saved.append(finding)

    def drop(self, finding: Finding) -> None:
        self.dropped.append(finding.case.id)


def docket(script: Script) -> tuple[Docket, Memory, list[EngineEvent]]:
    shelf, events = Memory(), []
    made = Docket(
        script,
        shelf,
        Quarantine(),
        SystemClock(),
        events.append,
        "test",
        lambda: 7,  # type: ignore[arg-type]
    )
    return made, shelf, events


def broken(name: str, keyword: str = "type", operator: str = "null") -> Case:
    made = case(rejected(Tier.SCHEMA), mutations=[mutation("/a", keyword, operator)])
    return replace(made, id=name)


def suspect(
    made: Docket, of: Case, violation: Violation = DEATH, recent: tuple[Case, ...] = ()
) -> None:
    asyncio.run(made.take(observation(of), [violation], recent))


def test_a_candidate_is_saved_before_it_is_confirmed_and_the_shrunk_finding_last() -> None:
    made, shelf, _ = docket(Script(repeats={"killer"}))
    suspect(made, broken("killer"))
    assert [f.status for f in shelf.saved] == [
        FindingStatus.CANDIDATE,
        FindingStatus.CONFIRMED,
        FindingStatus.CONFIRMED,
    ]
    assert shelf.saved[-1].notes == ("shrunk",)
    assert [f.not_minimal for f in shelf.saved] == ["", "it was not made smaller yet", ""]


def test_each_objection_is_entered_under_the_finding_that_tells_it() -> None:
    made, _, _ = docket(Script(repeats={"first", "second"}))
    suspect(made, replace(broken("first", operator="null"), action="Reset"))
    suspect(made, replace(broken("second", operator="array"), action="GetLog"))
    (finding,) = made.confirmed()
    assert [(t.action, t.objections) for t in made.ledger.turnouts()] == [
        ("Reset", (("O1", finding.fingerprint),)),
        ("GetLog", (("O1", finding.fingerprint),)),
    ]


def test_a_remark_is_counted_and_told_once() -> None:
    made, shelf, events = docket(Script())
    suspect(made, broken("odd"), REMARK)
    suspect(made, broken("odd"), REMARK)
    assert [r.count for r in made.remarks.values()] == [2]
    assert [t.remarks for t in made.ledger.turnouts()] == [((REMARK, 2),)]
    assert len(events) == 1
    assert not shelf.saved


def test_another_operator_of_the_same_rule_joins_the_finding() -> None:
    made, _, _ = docket(Script(repeats={"first", "second"}))
    suspect(made, broken("first", operator="null"))
    suspect(made, broken("second", operator="array"))
    assert [f.also for f in made.confirmed()] == [("second",)]


@pytest.mark.parametrize(
    ("rule", "family", "grown"),
    [
        (mutation("", "number", "5000-digits", channel=Channel.TEXT), "growth", "digits"),
        (mutation("/2", "action", "long", channel=Channel.ENVELOPE), "growth", "unknown-action"),
        (mutation("/2", "action", "long", channel=Channel.ENVELOPE), "flood", "unknown-action"),
    ],
)
def test_what_grows_too_long_is_the_finding_of_what_is_too_long(
    rule: Mutation, family: str, grown: str
) -> None:
    made, _, _ = docket(Script(repeats={"long", "longer", "deeper"}))
    suspect(made, replace(case(mutations=[rule]), id="long"))
    suspect(made, broken("longer", family, grown))
    suspect(made, broken("deeper", "growth", "objects"))
    assert [(f.original.id, f.also) for f in made.confirmed()] == [
        ("long", ("longer",)),
        ("deeper", ()),
    ]


def test_another_rule_is_a_finding_of_its_own_until_a_symptom_has_enough() -> None:
    names = {f"rule-{n}" for n in range(MAX_FINDINGS_PER_SYMPTOM + 3)}
    made, _, _ = docket(Script(repeats=names))
    for name in sorted(names):
        suspect(made, broken(name, keyword=name))
    assert len(made.confirmed()) == MAX_FINDINGS_PER_SYMPTOM


def test_a_valid_message_with_a_known_symptom_joins_the_finding() -> None:
    made, _, _ = docket(Script(repeats={"killer", "by-chance"}))
    suspect(made, broken("killer"))
    suspect(made, replace(case(), id="by-chance"))
    assert [f.also for f in made.confirmed()] == [("by-chance",)]


def test_a_killer_closes_its_class_and_a_wrong_shape_does_not() -> None:
    made, _, _ = docket(Script(repeats={"killer", "shape"}))
    suspect(made, broken("killer"))
    suspect(made, broken("shape", keyword="enum"), SHAPE)
    assert made.quarantine.blocks(broken("next"))
    assert not made.quarantine.blocks(broken("next", keyword="enum"))


def test_when_the_control_fails_too_the_fault_is_acquitted_and_the_control_is_the_suspect() -> None:
    script = Script(repeats={"mutant/control"}, guilty_controls={"mutant"})
    made, shelf, _ = docket(script)
    suspect(made, replace(broken("mutant"), control=case().steps))
    assert shelf.dropped == ["mutant"]
    assert script.asked == ["mutant", "mutant/control"]
    assert [f.case.id for f in made.confirmed()] == ["mutant/control"]


def test_an_acquitted_fault_is_not_asked_again_and_its_class_is_sampled() -> None:
    script = Script(guilty_controls={"mutant"})
    made, _, _ = docket(script)
    for _ in range(2):
        suspect(made, replace(broken("mutant"), control=case().steps))
    assert len(script.asked) == 2
    assert made.quarantine.blocks(broken("next"))


def test_a_late_death_is_blamed_on_the_case_before() -> None:
    before = broken("poison", keyword="enum")
    made, _, _ = docket(Script(repeats={"poison"}, culprit_is=before))
    suspect(made, broken("bystander"), recent=(before,))
    assert [f.case.id for f in made.confirmed()] == ["poison"]
    assert made.dropped == 0


def test_what_never_repeats_and_has_no_culprit_is_dropped_and_counted() -> None:
    made, _, _ = docket(Script())
    suspect(made, broken("once"))
    assert made.confirmed() == []
    assert [f.case.id for f in made.unconfirmed()] == ["once"]
    assert made.dropped == 1


def test_what_ends_and_is_nobodys_fault_is_counted_apart() -> None:
    script = Script()
    made, _, _ = docket(script)
    suspect(made, broken("a"))
    suspect(made, broken("b"), SHAPE)
    assert (made.dropped, made.unexplained) == (2, 1)
    assert made.innocent == {
        "process-death (O1) that was not seen again": 1,
        "rpc-shape (O7) that was not seen again": 1,
    }


def test_what_cannot_be_followed_up_because_the_target_is_gone_stays_a_candidate() -> None:
    class Gone(Script):
        async def confirm(self, finding: Finding) -> Finding:
            raise TargetUnavailable("it is gone")

    made, memory, _ = docket(Gone())
    seen = observation(broken("a"))
    with pytest.raises(TargetUnavailable):
        asyncio.run(made.take(seen, [SHAPE, DEATH], ()))
    assert [f.violation.oracle for f in made.candidates()] == ["O7", "O1"]
    assert [f.violation.oracle for f in memory.saved] == ["O7", "O1"]


def scene(name: str) -> Case:
    made = case(mutations=[Mutation(Channel.PAYLOAD, "", "scenario", name)])
    return replace(made, id=name, steps=(Operator("plug-in", "1"),))


def test_a_scene_that_leans_on_another_becomes_one_case_with_it_and_is_forgotten_itself() -> None:
    pair = replace(scene("first+second"), mutations=scene("both").mutations)
    made, shelf, _ = docket(Script(repeats={"first+second"}, leans_on=pair))
    suspect(made, scene("second"), SHAPE, (scene("first"),))
    assert [f.original.id for f in made.confirmed()] == ["first+second"]
    assert (made.unconfirmed(), shelf.dropped) == ([], ["second"])


def test_what_a_scene_leans_on_is_looked_for_a_few_times_only() -> None:
    script = Script()
    made, _, _ = docket(script)
    for number in range(MAX_LEANED + 3):
        suspect(made, scene(f"scene {number}"), SHAPE)
    assert script.looked == MAX_LEANED


def test_a_message_by_itself_leans_on_nothing() -> None:
    script = Script()
    made, _, _ = docket(script)
    suspect(made, broken("message"), SHAPE)
    assert script.looked == 0


def test_one_that_stops_the_target_may_lean_on_the_message_before() -> None:
    pair = replace(scene("first+second"), mutations=scene("both").mutations)
    made, _, events = docket(Script(repeats={"first+second"}, leans_on=pair))
    suspect(made, broken("second"), DEATH, (broken("first"),))
    assert [f.original.id for f in made.confirmed()] == ["first+second"]
    assert [doing for doing, _ in followed(events)][:3] == [
        Pursuit.CONFIRMING,
        Pursuit.SEARCHING,
        Pursuit.CONFIRMING,
    ]


def test_what_came_to_nothing_again_and_again_is_played_once_before_it_is_made_sure_of() -> None:
    script = Script(shows=False)
    made, _, _ = docket(script)
    names = [f"flaky {number}" for number in range(MAX_IN_VAIN + 3)]
    for name in names:
        suspect(made, broken(name, keyword=name))
    assert script.asked == names[:MAX_IN_VAIN]
    assert script.shown_once == names[MAX_IN_VAIN:]
    assert made.dropped == made.unexplained == len(names)
    assert [f.case.id for f in made.unconfirmed()] == names


def test_it_is_followed_up_all_the_same_where_it_shows_again() -> None:
    script = Script(repeats={"real"})
    made, _, _ = docket(script)
    for number in range(MAX_IN_VAIN):
        suspect(made, broken(f"flaky {number}", keyword=f"rule {number}"))
    suspect(made, broken("real", keyword="real"))
    assert [f.case.id for f in made.confirmed()] == ["real"]


@pytest.mark.parametrize(
    ("violation", "expected"),
    [(SILENCE, MAX_UNTRACED), (DEATH, MAX_UNTRACED + 2)],
    ids=["takes time-outs", "is quick"],
)
def test_silences_that_come_and_go_are_traced_a_few_times_only(
    violation: Violation, expected: int
) -> None:
    script = Script()
    made, _, _ = docket(script)
    for number in range(MAX_UNTRACED + 2):
        suspect(made, broken(f"flaky {number}", keyword=f"rule {number}"), violation)
    assert script.traced == expected
    assert len(made.unconfirmed()) == MAX_UNTRACED + 2


@pytest.mark.parametrize(("violation", "expected"), [(SILENCE, True), (DEATH, False)])
def test_a_target_is_known_to_fall_silent_once_that_is_confirmed(
    violation: Violation, expected: bool
) -> None:
    made, _, _ = docket(Script(repeats={"killer"}))
    suspect(made, broken("once"), SILENCE)
    assert not made.silent
    suspect(made, broken("killer", keyword="enum"), violation)
    assert made.silent is expected


# --- CALLs that crossed ---------------------------------------------------------------------------------------

MET = (
    us(0.0, [2, "a", "ClearCache", {}]),
    target(0.0, [2, "t", "Heartbeat", {}]),
    voice(0.0, [3, "t", {}]),
)


def crossed(script: Script, *cases: Case, entries: tuple[Entry, ...] = MET) -> Docket:
    """A docket that was told of a silence in each of the cases, behind CALLs that crossed."""
    made, _, _ = docket(script)
    made.crossing = replace(case(), id="crossing")
    for one in cases:
        seen = replace(observation(one), entries=entries)
        asyncio.run(made.take(seen, [SILENCE], ()))
    return made


def test_a_silence_behind_calls_that_crossed_is_the_finding_of_calls_that_cross() -> None:
    script = Script(repeats={"crossing"}, crosses=True)
    made = crossed(script, broken("bystander"))
    assert script.asked == ["crossing once", "crossing"]
    assert [f.case.id for f in made.confirmed()] == ["crossing"]
    assert made.unconfirmed() == made.candidates() == []
    assert not made.quarantine.blocks(broken("next"))


def test_later_silences_of_that_kind_join_it_and_cost_nothing() -> None:
    script = Script(repeats={"crossing"}, crosses=True)
    later = [broken(name, keyword=name) for name in ("second", "third")]
    made = crossed(script, broken("first"), *later)
    assert script.asked == ["crossing once", "crossing"]
    assert [f.also for f in made.confirmed()] == [("second", "third")]
    assert not made.quarantine.blocks(broken("next", keyword="third"))


def test_a_silence_of_its_own_is_another_finding_all_the_same() -> None:
    script = Script(repeats={"crossing", "killer"}, crosses=True)
    made = crossed(script, broken("first"))
    suspect(made, broken("killer"), SILENCE)
    assert [f.case.id for f in made.confirmed()] == ["crossing", "killer"]


def test_where_crossing_calls_are_served_the_case_itself_is_looked_at_and_after_a_few_at_once() -> (
    None
):
    names = [f"killer {number}" for number in range(MAX_CROSSED + 1)]
    script = Script(repeats=set(names))
    made = crossed(script, *(broken(name, keyword=name) for name in names))
    assert [f.case.id for f in made.confirmed()] == names
    assert script.asked.count("crossing once") == MAX_CROSSED


def test_where_nothing_crossed_no_call_is_made_to_cross() -> None:
    script = Script()
    crossed(script, broken("mute"), entries=MET[:1])
    assert script.asked == ["mute"]


def followed(events: list[EngineEvent]) -> list[tuple[Pursuit, int]]:
    return [(e.doing, e.plays) for e in events if isinstance(e, FollowUp)]


@pytest.mark.parametrize(
    ("violation", "plays"), [(DEATH, 4), (SHAPE, 3)], ids=["needs silence too", "does not"]
)
def test_every_stage_is_told_once_with_how_many_plays_it_takes_to_be_sure(violation, plays) -> None:
    made, _, events = docket(Script(repeats={"killer"}))
    suspect(made, broken("killer"), violation)
    suspect(made, broken("killer"), violation)
    told = [(Pursuit.CONFIRMING, plays), (Pursuit.SHRINKING, 0), (Pursuit.SHRUNK, 0)]
    assert followed(events) == told


def test_a_case_with_a_control_needs_its_plays_too() -> None:
    made, _, events = docket(Script(repeats={"killer"}))
    killer = broken("killer")
    suspect(made, replace(killer, control=killer.steps))
    assert followed(events)[0] == (Pursuit.CONFIRMING, 7)


def test_what_does_not_repeat_is_looked_for_before_it() -> None:
    made, _, events = docket(Script())
    suspect(made, broken("once"))
    assert [doing for doing, _ in followed(events)] == [Pursuit.CONFIRMING, Pursuit.SEARCHING]


def test_what_is_measured_is_not_made_smaller() -> None:
    made, _, events = docket(Script(repeats={"big"}))
    suspect(made, broken("big"), replace(DEATH, oracle="O20"))
    assert [doing for doing, _ in followed(events)] == [Pursuit.CONFIRMING]
