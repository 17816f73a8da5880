"""A real station is asked nothing that it would keep, unless that was allowed."""

import pytest

from fuzz.clock import SystemClock
from fuzz.conformance.arena import StandingArena, Subject
from fuzz.conformance.registry import written_tests
from fuzz.conformance.script import NotRun
from fuzz.records import Effect

KEPT = {Effect.LOCK_OUT, Effect.ONE_WAY}


def arena(*allowed):
    where = {"host": "127.0.0.1", "port": 0, "name": "localhost", "profile": 0, "password": ""}
    return StandingArena(
        Subject(), SystemClock(), None, **where, operator=None, wait_s=1.0, allowed=allowed
    )


async def why_not(test, *allowed):
    with pytest.raises(NotRun) as told:
        async with arena(*allowed).station(test, 3):
            pass
    return str(told.value)


async def test_what_the_station_would_keep_is_not_played_unless_its_effect_is_allowed():
    risky = [test for test in written_tests().values() if test.effect in KEPT]
    assert {test.effect for test in risky} == KEPT
    for test in risky:
        assert f"allow = ['{test.effect}']" in await why_not(test)
        assert "allow" not in await why_not(test, test.effect)


@pytest.mark.parametrize("id_", ["TC_A_09", "TC_A_11", "TC_A_19", "TC_B_46", "TC_L_01", "TC_M_01"])
def test_credentials_firmware_roots_and_the_way_to_the_csms_are_such_effects(id_):
    assert written_tests()[id_].effect in KEPT
