"""Shrinks against scripted targets that fail on one thing: what is left shows that thing, and never another fault."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.clock import SystemClock
from fuzz.engine.cases import CaseMaker
from fuzz.engine.shrinker import GENTLE, Budget, Shrinker, size
from fuzz.engine.validity import at, call_parts, class_of
from fuzz.records import (
    AnswerNext,
    Ask,
    Case,
    Disconnect,
    Expect,
    Gauge,
    Operator,
    RepeatSteps,
    SendBytes,
    SendText,
    Settle,
    Side,
    Step,
    Wait,
)
from fuzz.testing import case, mutation, rejected
from strategies.boundaries import boundaries
from strategies.labels import (
    Channel,
    Fault,
    JsonValue,
    Kind,
    Position,
    Repeated,
    Stance,
    Tier,
    spell,
)
from strategies.schema import message_schema
from strategies.text import text_fault
from strategies.version import version
from strategies.violations import violations

V = version()
ACTIONS = ("Reset", "GetVariables", "SetVariables", "ChangeAvailability", "SetChargingProfile")
BREAKS = [
    b
    for a in ACTIONS
    for b in violations(message_schema(a, Kind.REQUEST, V), full=True)
    if b.expectation.stance is Stance.REJECT
]
UNFIT = [
    b
    for a in ACTIONS
    for b in boundaries(message_schema(a, Kind.REQUEST, V))
    if b.expectation.tier >= Tier.PRIMITIVE and b.expectation.fault is not None
]
MAKER = CaseMaker(Side.STATION, "test", 0)


class Target:
    """Fails whenever `fails` says so, and counts how often it was asked."""

    def __init__(self, fails: Callable[[Case], bool]) -> None:
        self.fails = fails
        self.plays = 0

    async def __call__(self, tried: Case) -> bool:
        self.plays += 1
        return self.fails(tried)


async def shrunk(
    original: Case, fails: Callable[[Case], bool], budget: Budget | None = None
) -> tuple[Case, str, Target]:
    target = Target(fails)
    shrinker = Shrinker(V, SystemClock(), budget or Budget(plays=400, seconds=60.0))
    smallest, note = await shrinker.shrink(original, target)
    return smallest, note, target


def payload(of: Case) -> JsonValue:
    parts = call_parts(of)
    assert parts is not None
    return parts[0]


def text(of: Case) -> str:
    (step,) = of.steps
    assert isinstance(step, SendText)
    return spell(step.text)


# --- the class stays --------------------------------------------------------------------------------------


@given(number=st.sampled_from(range(len(BREAKS))))
async def test_a_target_that_takes_anything_never_makes_a_broken_message_valid(
    number: int,
) -> None:
    broken = BREAKS[number]
    action = broken.site.action
    original = MAKER.broken(action, broken)
    smallest, _, _ = await shrunk(original, lambda tried: True)
    wanted = class_of(V, action, broken.payload)
    assert wanted
    assert class_of(V, action, payload(smallest)) == wanted
    assert size(smallest) <= size(original)


@given(number=st.sampled_from(range(len(BREAKS))))
async def test_what_is_left_still_fails_on_a_target_that_minds_the_fault(number: int) -> None:
    broken = BREAKS[number]
    action = broken.site.action
    wanted = class_of(V, action, broken.payload)
    original = MAKER.broken(action, broken)

    def minds(tried: Case) -> bool:
        return class_of(V, action, payload(tried)) == wanted

    smallest, _, _ = await shrunk(original, minds)
    assert minds(smallest)


@given(number=st.sampled_from(range(len(UNFIT))))
async def test_a_value_that_only_part_2_or_the_model_forbids_is_left_alone(number: int) -> None:
    unfit = UNFIT[number]
    original = MAKER.boundary(unfit.id.split(".")[0], unfit)
    before = payload(original)
    smallest, _, _ = await shrunk(original, lambda tried: True)
    for pointer in (m.pointer for m in original.mutations):
        assert at(payload(smallest), pointer) == at(before, pointer)


async def test_a_variable_that_must_be_refused_keeps_its_whole_item() -> None:
    item = {"component": {"name": "C"}, "variable": {"name": "V"}, "attributeValue": "maybe"}
    said = json.dumps([2, "{call.id}", "SetVariables", {"setVariableData": [item]}])
    original = case(
        rejected(Tier.MODEL, Fault.DEVICE_MODEL), action="SetVariables", steps=[SendText((said,))]
    )
    smallest, _, _ = await shrunk(original, lambda tried: True)
    assert payload(smallest) == {"setVariableData": [item]}


# --- what gets smaller ------------------------------------------------------------------------------------


async def test_a_valid_message_shrinks_to_the_required_members_and_the_cause() -> None:
    said = json.dumps(
        [
            2,
            "{call.id}",
            "ChangeAvailability",
            {
                "operationalStatus": "Inoperative",
                "evse": {"id": 3, "connectorId": 1, "customData": {"vendorId": "somebody"}},
                "customData": {"vendorId": "somebody else"},
            },
        ]
    )
    original = case(action="ChangeAvailability", steps=[SendText((said,))])
    smallest, note, _ = await shrunk(original, lambda c: '"id":3' in text(c).replace(" ", ""))
    assert payload(smallest) == {"operationalStatus": "Inoperative", "evse": {"id": 3}}
    assert note == ""


async def test_steps_that_do_not_matter_are_dropped() -> None:
    original = case(steps=[Wait(1.0), *case().steps, Disconnect()])
    smallest, _, _ = await shrunk(original, lambda c: any(s in case().steps for s in c.steps))
    assert smallest.steps == case().steps


def ask(action: str) -> Ask:
    return Ask((f'[2,"{{call.id}}","{action}",{{}}]',))


async def test_of_a_scene_only_what_the_failure_needs_is_left() -> None:
    needed = (Operator("plug-in", "1"), ask("Reset"), Expect("BootNotification"))
    noise = [ask("ClearCache"), Wait(1.0), Operator("unplug", "1")]
    steps = [
        *noise,
        Disconnect(),
        *noise,
        needed[0],
        *noise,
        needed[1],
        noise[0],
        needed[2],
        *noise,
    ]
    smallest, note, target = await shrunk(case(steps=steps), lambda c: holds(c, needed))
    assert (smallest.steps, note) == (needed, "")
    assert target.plays < 60


def holds(tried: Case, needed: tuple[Step, ...]) -> bool:
    rest = iter(tried.steps)
    return all(step in rest for step in needed)


async def test_the_hostile_message_within_a_scene_shrinks_too() -> None:
    hostile = SendText(('[2,"{call.id}","ClearCache",{"customData":{"vendorId":"abcdef","x":1}}]',))
    smallest, _, _ = await shrunk(
        case(steps=[ask("GetLog"), hostile, Settle()]), lambda c: '"customData"' in str(c.steps)
    )
    (step,) = smallest.steps
    assert isinstance(step, SendText)
    assert "x" not in json.loads(spell(step.text))[3]["customData"]


async def test_a_hostile_answer_keeps_its_envelope_and_its_class() -> None:
    answer = AnswerNext(
        "Heartbeat", ('[3,"{call.id}",{"currentTime":7,"customData":{"vendorId":"v"}}]',)
    )
    smallest, _, _ = await shrunk(
        case(
            rejected(Tier.SCHEMA, Fault.TYPE),
            action="Heartbeat",
            position=Position.CALLRESULT,
            steps=[answer, ask("TriggerMessage")],
            mutations=[mutation("/currentTime", "type", "number")],
        ),
        lambda c: any(isinstance(s, AnswerNext) for s in c.steps),
    )
    (step,) = smallest.steps
    assert isinstance(step, AnswerNext)
    assert json.loads(spell(step.text))[:2] == [3, "{call.id}"]
    assert list(json.loads(spell(step.text))[2]) == ["currentTime"]


async def test_repetitions_are_bisected_and_what_is_measured_is_left_alone() -> None:
    loop = RepeatSteps(case().steps, 100)
    smallest, _, _ = await shrunk(case(steps=[loop, Wait(1.0)]), lambda c: repeats(c) >= 37)
    assert smallest.steps == (RepeatSteps(case().steps, 37),)
    measured = [loop, Gauge("a"), loop, Gauge("b"), Wait(1.0)]
    smallest, _, _ = await shrunk(case(steps=measured), lambda c: repeats(c) >= 20)
    assert smallest.steps == (
        RepeatSteps(case().steps, 20),
        Gauge("a"),
        RepeatSteps(case().steps, 20),
        Gauge("b"),
    )


def repeats(tried: Case) -> int:
    return min((s.times for s in tried.steps if isinstance(s, RepeatSteps)), default=0)


async def test_long_runs_are_bisected_and_runs_of_one_length_together() -> None:
    said = (Repeated("[", 100_000), Repeated("]", 100_000))
    original = case(rejected(Tier.JSON, Fault.HEAVY), steps=[SendText(said)])
    smallest, _, target = await shrunk(original, lambda c: text(c).count("[") > 1_000)
    assert smallest.steps == (SendText((Repeated("[", 1_001), Repeated("]", 1_001))),)
    assert target.plays < 60


async def test_garbage_stays_garbage_of_its_kind() -> None:
    original = case(rejected(Tier.JSON, Fault.NOT_JSON), steps=[SendText(('[2,"a","Reset",{}',))])
    smallest, _, _ = await shrunk(original, lambda c: True)
    with pytest.raises(ValueError, match=r"."):
        json.loads(text(smallest))
    assert len(text(smallest)) < 10


@pytest.mark.parametrize("constant", ["NaN", "-Infinity"])
async def test_a_number_that_json_has_not_stays_although_python_reads_it(constant: str) -> None:
    said = (
        f'[2,"a","DataTransfer",{{"vendorId":"v","customData":{{"vendorId":"o","n":{constant}}}}}]'
    )
    original = case(
        rejected(Tier.JSON, Fault.NOT_JSON),
        action="DataTransfer",
        mutations=[mutation(channel=Channel.TEXT)],
        steps=[SendText((said,))],
    )
    smallest, _, _ = await shrunk(original, lambda c: True)
    assert text_fault(text(smallest)) is Fault.NOT_JSON
    only, _, _ = await shrunk(original, lambda c: constant in text(c))
    assert constant in text(only)
    assert "vendorId" not in text(only)


@pytest.mark.parametrize(
    ("said", "tier", "fault", "shortest"),
    [
        # An id of 37 characters is the shortest that is too long (Part 4 section 4.1.4).
        ('[2,"{}","Reset",{{}}]', Tier.RPC, Fault.ID_TOO_LONG, "m" * 37),
        ('[2,"a","{}",{{}}]', Tier.RPC, Fault.ACTION_UNKNOWN, "m"),
        ('[2,"a","DataTransfer",{{"vendorId":"{}"}}]', Tier.SCHEMA, Fault.OCCURRENCE, "0" * 256),
    ],
)
async def test_a_run_that_is_the_fault_is_not_bisected_into_a_valid_message(
    said: str, tier: Tier, fault: Fault, shortest: str
) -> None:
    head, tail = said.format(">|<").split(">|<")
    original = case(
        rejected(tier, fault),
        action="DataTransfer",
        steps=[SendText((head, Repeated("m", 5_000), tail))],
    )
    smallest, _, _ = await shrunk(original, lambda tried: True)
    assert text(smallest) == said.format(shortest)


async def test_bytes_are_left_as_they_are() -> None:
    original = case(rejected(Tier.JSON), steps=[SendBytes(b"\xff\xfe")])
    smallest, note, target = await shrunk(original, lambda c: True)
    assert (smallest, note, target.plays) == (original, "", 0)


async def test_depths_around_the_limit_of_our_own_stack_are_no_danger() -> None:
    for depth in (100, 125, 130, 250, 900, 985, 1_100):
        nested = '{"customData":' * depth + "{}" + "}" * depth
        said = f'[2,"{{call.id}}","Reset",{nested}]'
        original = case(rejected(Tier.JSON), action="Reset", steps=[SendText((said,))])
        original = replace(original, mutations=(mutation("", "depth", "deep"),))
        smallest, _, _ = await shrunk(original, lambda c: True, Budget(plays=20, seconds=30.0))
        assert size(smallest) <= size(original)


# --- the budget -------------------------------------------------------------------------------------------


async def test_the_budget_ends_the_search_and_the_best_case_is_kept() -> None:
    said = (Repeated("[", 100_000), Repeated("]", 100_000))
    original = case(rejected(Tier.JSON, Fault.HEAVY), steps=[SendText(said)])
    smallest, note, target = await shrunk(
        original, lambda c: text(c).count("[") > 1_000, Budget(plays=5, seconds=60.0)
    )
    assert target.plays == 5
    assert smallest.steps == (SendText((Repeated("[", 3_125), Repeated("]", 3_125))),)
    assert note == "the budget ended after 5 plays and 0 reconnects"


async def test_no_time_means_no_play_at_all() -> None:
    original = case(steps=[Wait(1.0), *case().steps])
    smallest, note, target = await shrunk(original, lambda c: True, Budget(seconds=0.0))
    assert (smallest, target.plays) == (original, 0)
    assert "budget" in note


async def test_reconnects_end_the_search_where_they_are_limited() -> None:
    original = case(rejected(Tier.SCHEMA), steps=[ask("Reset")] * 40)
    plays = 0

    async def still(tried: Case) -> bool:
        nonlocal plays
        plays += 1
        return len(tried.steps) > 20

    def lost() -> int:
        return 100 + 2 * plays

    shrinker = Shrinker(V, SystemClock(), Budget(plays=400, seconds=60.0, reconnects=10), lost)
    _, note = await shrinker.shrink(original, still)
    assert note == "the budget ended after 5 plays and 10 reconnects"
    plays = 0
    _, note = await shrinker.shrink(original, still, share=0.5)
    assert note == "the budget ended after 3 plays and 6 reconnects"


def test_a_target_that_we_cannot_restart_is_reconnected_ten_times_at_most() -> None:
    assert (GENTLE.reconnects, GENTLE.seconds) == (10, 300.0)
    assert Budget().reconnects is None


async def test_a_share_of_the_budget_is_a_share_of_its_plays() -> None:
    target = Target(lambda c: text(c).count("[") > 1_000)
    said = (Repeated("[", 100_000), Repeated("]", 100_000))
    original = case(rejected(Tier.JSON, Fault.HEAVY), steps=[SendText(said)])
    await Shrinker(V, SystemClock(), Budget(plays=10, seconds=60.0)).shrink(
        original, target, share=0.3
    )
    assert target.plays == 3


async def test_a_target_that_never_fails_again_leaves_the_case_as_it_was() -> None:
    original = MAKER.broken(BREAKS[0].site.action, BREAKS[0])
    smallest, _, _ = await shrunk(original, lambda c: False)
    assert smallest == original
