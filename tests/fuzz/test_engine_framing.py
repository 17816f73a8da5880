"""The phase `frames`: what it plans and what its cases are made of."""

from __future__ import annotations

import pytest

from fuzz.engine.framing import CHOICE, FAILURES, TABLE, Frames
from fuzz.engine.line import PROBES
from fuzz.engine.phases import Ground
from fuzz.engine.support import Coverage, Support
from fuzz.records import (
    Ask,
    Case,
    Disconnect,
    Effect,
    Misbehave,
    RepeatSteps,
    SendFrames,
    Side,
    Wait,
)
from fuzz.store.codec import case_from_json, case_to_json
from fuzz.transport.misbehaving import UNCOMPRESSED, WAYS
from strategies.labels import Channel, Position
from strategies.version import version
from strategies.wsfaults import DEFLATE


def ground(**more: object) -> Ground:
    side = more.pop("side", Side.STATION)
    return Ground(version(), side, 1, Support(), Coverage(), owned=True, **more)  # type: ignore[arg-type]


async def nothing(_: float) -> None:
    return None


async def played(on: Ground) -> list[Case]:
    return [case async for case in Frames(on).cases(nothing)]


@pytest.mark.parametrize("side", list(Side))
async def test_the_whole_table_is_planned_and_counted(side: Side) -> None:
    on = ground(side=side)
    cases = await played(on)
    assert Frames(on).planned() == len(cases)
    assert on.coverage.counts() == {TABLE: (0, len(cases))}
    assert len({c.id for c in cases}) == len(cases)
    assert {c.side for c in cases} == {side}


async def test_two_campaigns_ask_the_same_whatever_their_seed() -> None:
    other = ground()
    other.seed = 2
    first, second = await played(ground()), await played(other)
    assert [(c.id, c.steps) for c in first] == [(c.id, c.steps) for c in second]


async def test_what_is_heavy_comes_last() -> None:
    heavy = [case.heavy for case in await played(ground())]
    assert heavy == sorted(heavy)
    assert sum(heavy) == 3


async def test_every_case_survives_being_stored() -> None:
    for case in await played(ground()):
        assert case_from_json(case_to_json(case), source=case.id) == case


async def test_only_a_csms_is_written_to_with_masks() -> None:
    def second_bytes(cases: list[Case]) -> set[bool]:
        frames = [s for c in cases if c.id.startswith("frames/fragment") for s in c.steps]
        return {bool(s.data[1] & 0x80) for s in frames if isinstance(s, SendFrames)}

    assert second_bytes(await played(ground())) == {False}
    assert second_bytes(await played(ground(side=Side.CSMS))) == {True}


async def test_without_compression_nothing_is_compressed() -> None:
    squeezed = {c.id for c in await played(ground())}
    plain = {c.id for c in await played(ground(compression=False))}
    assert {i.split("/")[1] for i in squeezed - plain} == {DEFLATE}
    assert not any(f"/{DEFLATE}/" in i for i in plain)


async def test_a_connection_without_compression_is_asked_for_where_that_is_the_point() -> None:
    asking = [c for c in await played(ground()) if Misbehave(UNCOMPRESSED) in c.steps]
    assert {c.id for c in asking} == {"frames/rsv/rsv1-plain", "frames/rsv/not-negotiated"}
    for case in asking:
        assert case.steps[:2] == (Misbehave(UNCOMPRESSED), Disconnect(1000))


async def test_what_is_cut_is_followed_by_something_harmless() -> None:
    cut = [c for c in await played(ground()) if c.id.startswith("frames/cut/")]
    assert cut
    for case in cut:
        kinds = [type(step) for step in case.steps]
        assert kinds == [SendFrames, Wait, Disconnect, Ask]


async def test_a_station_is_received_badly_in_every_way_and_a_csms_in_none() -> None:
    stations = [c for c in await played(ground()) if c.mutations[0].channel is Channel.HANDSHAKE]
    ways = [CHOICE, *(way for way in WAYS if way != CHOICE)]
    assert [c.steps[0] for c in stations] == [Misbehave(way, FAILURES) for way in ways]
    assert all(c.steps[1] == Disconnect(1006) and isinstance(c.steps[2], Ask) for c in stations)
    csms = await played(ground(side=Side.CSMS))
    assert not [c for c in csms if c.mutations[0].channel is Channel.HANDSHAKE]


async def test_where_a_client_may_stay_it_is_looked_later_what_became_of_it() -> None:
    stations = [c for c in await played(ground()) if c.mutations[0].channel is Channel.HANDSHAKE]
    assert [c.mutations[0].operator for c in stations if isinstance(c.steps[-1], Wait)] == [CHOICE]


async def test_on_a_station_of_somebody_else_each_way_costs_one_attempt() -> None:
    on = ground()
    on.owned = False
    handshakes = [c for c in await played(on) if c.mutations[0].channel is Channel.HANDSHAKE]
    assert {c.steps[0].times for c in handshakes if isinstance(c.steps[0], Misbehave)} == {1}


async def test_a_target_of_others_meets_what_it_may_not_come_back_from_last() -> None:
    elsewhere = ground()
    elsewhere.owned = False
    own, others = [[c.id for c in await played(on)] for on in (ground(), elsewhere)]
    assert sorted(own) == sorted(others)
    ends = [id_ for id_ in others if "handshake/101-" in id_]
    assert others[-len(ends) :] == ends
    assert own[-len(ends) :] != ends


async def test_an_action_that_is_left_out_is_not_put_into_frames() -> None:
    excluded = ground(exclude=frozenset({PROBES[Side.STATION][0]}))
    assert {c.mutations[0].channel for c in await played(excluded)} == {Channel.HANDSHAKE}


async def test_cases_without_a_call_expect_no_answer_and_none_outlives_its_effect() -> None:
    for case in await played(ground()):
        assert (case.position is Position.CALL) == bool(case.action)
        assert case.effect is Effect.VOLATILE


async def test_a_call_has_a_proper_frame_and_a_cut_a_mere_cut_for_its_control() -> None:
    for case in await played(ground()):
        kinds = [type(step) for step in case.control]
        if case.action:
            assert kinds == [SendFrames]
        elif any(isinstance(step, Ask) for step in case.steps):
            assert kinds == [Disconnect, Ask]
        else:
            assert kinds == []


async def test_a_flood_is_stored_as_a_repetition() -> None:
    (flood,) = [c for c in await played(ground()) if c.id == "frames/ping/flood"]
    assert isinstance(flood.steps[0], RepeatSteps)
    assert flood.steps[0].times * flood.steps[0].steps[0].data.count(b"flood") == 1_000  # type: ignore[union-attr]
