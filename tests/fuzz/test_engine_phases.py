"""The stored and the systematic phase; the generated one has a file of its own."""

import asyncio

import pytest

from fuzz.engine.phases import SAMPLES_OF_UNSUPPORTED, Ground, Phase, Replay, Systematic
from fuzz.engine.support import Coverage, Support
from fuzz.records import Case, Effect, SendText, Side
from fuzz.testing import VALID, case, error, observation, result
from strategies.boundaries import boundaries
from strategies.labels import Kind, Stance, spell
from strategies.pool import Pool, PoolVariable
from strategies.schema import message_schema
from strategies.version import version
from strategies.violations import violations

V = version()


def ground(side: Side = Side.STATION, **more: object) -> Ground:
    made = Ground(V, side, 7, Support(), Coverage())
    for name, value in more.items():
        setattr(made, name, value)
    return made


def played(phase: Phase, *supported: str) -> list[Case]:
    """Every case of a phase, where each example is answered before the next case is asked for."""

    async def play() -> list[Case]:
        cases = []
        async for one in phase.cases(asyncio.sleep):
            cases.append(one)
            if one.id.endswith("#example") and isinstance(phase, Systematic):
                answer = result() if one.action in supported else error("NotSupported")
                phase.ground.learn(observation(one, replies=[answer]))
        return cases

    return asyncio.run(play())


def test_stored_cases_are_played_in_their_order() -> None:
    stored = [case(), case(action="Reset")]
    phase = Replay(stored)
    assert phase.planned() == 2
    assert played(phase) == stored


def test_actions_come_most_harmless_first_and_as_asked_for() -> None:
    everything = ground().actions()
    assert everything.index("GetVariables") < everything.index("Reset")
    assert everything[-1] == "UpdateFirmware"
    assert "Heartbeat" not in everything
    assert "Heartbeat" in ground(Side.CSMS).actions()
    assert ground(only=frozenset({"Reset"})).actions() == ["Reset"]
    assert "Reset" not in ground(exclude=frozenset({"Reset"})).actions()


@pytest.mark.parametrize("full", [True, False])
def test_all_boundaries_and_sites_of_a_supported_action_are_played_once(full: bool) -> None:
    made = ground(only=frozenset({"ChangeAvailability"}), full=full)
    cases = [c.id for c in played(Systematic(made), "ChangeAvailability")]
    schema = message_schema("ChangeAvailability", Kind.REQUEST, V)
    wanted = [b.id for b in boundaries(schema)] + [b.id for b in violations(schema, full=full)]
    assert cases[0] == "ChangeAvailability.req#example"
    assert set(wanted) <= set(cases)
    assert len(cases) == len(set(cases))
    reached, total = made.coverage.counts()["violations"]
    assert (reached, total) == (0, len(violations(schema, full=full)))


def test_an_action_that_is_not_supported_is_sampled_and_not_planned() -> None:
    made = ground(only=frozenset({"ReserveNow"}))
    cases = [c for c in played(Systematic(made)) if c.action == "ReserveNow"]
    assert 1 < len(cases) <= 1 + 2 * SAMPLES_OF_UNSUPPORTED
    assert "boundaries" not in made.coverage.counts()


def test_an_action_counts_as_reached_when_it_was_served_once() -> None:
    made = ground()
    for action, answer in (
        ("Reset", result()),
        ("ClearCache", error("InternalError")),
        ("ReserveNow", error("NotSupported")),
    ):
        made.learn(observation(case(action=action), replies=[answer]))
    assert made.coverage.counts() == {"actions": (1, 2)}
    assert made.coverage.left("actions") == ["action ClearCache"]


def test_every_kind_of_fault_is_met_before_what_is_heavy_and_what_comes_twice() -> None:
    cases = played(Systematic(ground()), "GetVariables")
    first_heavy = [c.heavy for c in cases].index(True)
    light = {c.mutation_class for c in cases if not c.heavy}
    assert {c.mutation_class for c in cases[:first_heavy]} == light
    assert first_heavy < len(cases) / 2


def test_a_word_that_is_on_no_list_is_tried_early_where_a_message_must_name_one() -> None:
    ids = [c.id for c in played(Systematic(ground()), "GetBaseReport", "GetLog", "Reset")]
    unknown = [id_ for id_ in ids if id_.endswith("#enum:unknown")]
    must_name = ["GetBaseReport.req/reportBase", "GetLog.req/logType", "Reset.req/type"]
    assert unknown[:3] == [f"{name}#enum:unknown" for name in must_name]
    first_twice = ids.index("GetLog.req/customData#type:string")
    assert ids.index(unknown[2]) < first_twice


def test_what_a_message_must_name_is_left_out_and_replaced_early() -> None:
    ids = [c.id for c in played(Systematic(ground()), "GetBaseReport", "GetLog", "UpdateFirmware")]
    second_site = ids.index("GetLog.req/customData#type:string")
    for must in ("GetBaseReport.req/reportBase", "GetLog.req/log", "UpdateFirmware.req/firmware"):
        for fault in ("required:missing", "type:null", "type:array"):
            assert ids.index(f"{must}#{fault}") < second_site


def test_a_kind_of_fault_comes_to_each_action_before_it_comes_to_one_again() -> None:
    supported = ("GetBaseReport", "GetLog", "UpdateFirmware")
    ids = [c.id for c in played(Systematic(ground()), *supported)]
    twice = ids.index("GetLog.req/log#type:boolean")
    for action in supported:
        assert ids.index(f"{action}.req/customData#type:boolean") < twice


def test_what_the_plan_says_is_what_is_played_when_all_is_supported() -> None:
    only = frozenset({"Reset", "GetVariables"})
    phase = Systematic(ground(only=only))
    assert phase.planned() == len(played(phase, *only))


def test_variables_that_are_there_and_that_are_not_are_asked_for_together() -> None:
    made = {c.id: c for c in played(Systematic(ground()), "GetVariables")}
    (step,) = made["mixed/GetVariables"].steps
    assert isinstance(step, SendText)
    assert spell(step.text).count('"NoSuchVariable"') == 2
    without = played(Systematic(ground(exclude=frozenset({"GetVariables"}))))
    assert "mixed/GetVariables" not in {c.id for c in without}


def test_as_many_variables_as_the_target_takes_are_asked_for_at_once() -> None:
    pool = Pool(variables=tuple(PoolVariable("Ctrlr", f"V{n}", value="x") for n in range(9)))
    few = ground(pool=pool, items_per_message={"GetVariables": 4})
    for on, count in ((ground(pool=pool), 9), (few, 4)):
        made = {c.id: c for c in played(Systematic(on), "GetVariables")}
        (step,) = made["many/GetVariables"].steps
        assert isinstance(step, SendText)
        assert spell(step.text).count('"Ctrlr"') == count


def test_the_size_of_a_whole_pass_is_what_is_played_of_what_is_supported() -> None:
    only = frozenset({"Reset", "GetVariables", "ReserveNow"})
    phase = Systematic(ground(only=only))
    cases = played(phase, "Reset", "GetVariables")
    size, closing = phase.size()
    assert size == len(cases)
    accepted = [c for c in cases if c.action == "Reset" and c.expectation.stance is Stance.ACCEPT]
    assert closing >= len(accepted) > 1
    gentle = Systematic(ground(only=only, allowed=frozenset({Effect.NONE, Effect.VOLATILE})))
    played(gentle, "Reset", "GetVariables")
    assert gentle.size()[0] < size


def test_variables_of_the_target_are_broken_one_by_one() -> None:
    switch = PoolVariable("AuthCtrlr", "Enabled", data_type="boolean", value="true")
    made = ground(pool=Pool(variables=(switch,)), only=frozenset({"SetVariables"}))
    ids = [c.id for c in played(Systematic(made)) if "AuthCtrlr.Enabled" in c.id]
    assert len(ids) > 2
    silent = ground(pool=Pool(variables=(switch,)), exclude=frozenset({"SetVariables"}))
    assert not [c for c in played(Systematic(silent)) if "AuthCtrlr" in c.id]


def test_every_case_has_an_id_of_its_own_a_side_and_an_effect() -> None:
    cases = played(Systematic(ground()), "GetVariables", "SetVariables")
    assert len({c.id for c in cases}) == len(cases) > 800
    assert {c.side for c in cases} == {Side.STATION}
    assert all(isinstance(c.effect, Effect) for c in cases)


@pytest.mark.slow
def test_a_csms_is_asked_what_a_station_may_ask() -> None:
    cases = played(Systematic(ground(Side.CSMS)), "Heartbeat")
    assert {c.side for c in cases} == {Side.CSMS}
    examples = [c for c in cases if c.id.endswith("#example")]
    assert {"BootNotification", "Heartbeat", "TransactionEvent"} <= {c.action for c in examples}
    assert all(c.expectation == VALID for c in examples)
