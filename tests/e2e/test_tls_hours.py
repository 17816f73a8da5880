"""The lab against stations as slow as one on a bench, on a clock that jumps: all pass, and the estimate is right."""

import pytest

from fuzz.app.rig import key_for
from fuzz.app.tls_planning import USUAL_DOUBLINGS, USUAL_RECONNECT_S, station_for
from fuzz.app.tlsing import grouped, terms_of
from fuzz.config import RunOptions
from fuzz.lab.hours import JumpingLoop, LoopClock, StationInLoop
from fuzz.lab.stations import EVERYTHING, PASSWORD, Place, embedded_station
from fuzz.pics.loading import load_pics
from tlslab.estimate import estimate
from tlslab.lab import play, skipped
from tlslab.registry import Side, all_cases
from tlslab.verdict import Outcome

HOURS = 3600.0


def handshakes(pics, profile, edition):
    """Every case of a handshake that applies, and does not ask for a station of its own."""
    terms = terms_of(RunOptions(edition=edition), pics, profile, own=True)
    cases = [c for c in all_cases().values() if c.side is Side.STATION and c.id.startswith("TS")]
    shared = [c for _, fresh, group in grouped(cases, profile) if not fresh for c in group]
    return [c for c in shared if skipped(c, terms) is None]


async def played(loop, pics, profile, edition, cases) -> tuple[float, list[str]]:
    """How long it took by the loop's clock, and what did not pass."""
    clock = LoopClock(loop)
    password = PASSWORD if profile == 2 else None
    place = Place(
        "127.0.0.1", 0, "localhost", pics.serial, profile, edition, password, 300, pics, pics.items
    )
    async with embedded_station(
        place, clock, key_for(pics), tuned=False, made=StationInLoop
    ) as rig:
        rig.bench.available = EVERYTHING
        began, bad = clock.monotonic(), []
        for case in cases:
            found = await play(case, rig.bench)
            if found.outcome in (Outcome.FAILED, Outcome.NOT_OBSERVED):
                bad.append(f"{case.id} {found.outcome}: {found.judged.texts}")
        return clock.monotonic() - began, bad


@pytest.fixture
def loop():
    made = JumpingLoop()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("name", "profile", "edition"),
    [("dc-2evse-ccs1", 3, "ed3"), ("ac-1evse-type2", 2, "2025-09")],
)
def test_a_healthy_station_passes_in_the_estimated_time(loop, name, profile, edition):
    pics = load_pics(name)
    cases = handshakes(pics, profile, edition)
    told = loop.run_until_complete(
        estimate(
            cases,
            station_for(pics, profile, edition),
            reconnect_s=USUAL_RECONNECT_S,
            repeat_times=USUAL_DOUBLINGS,
        )
    ).seconds
    took, bad = loop.run_until_complete(played(loop, pics, profile, edition, cases))
    assert bad == []
    assert len(cases) > 70
    assert took < 4 * HOURS, f"{took / HOURS:.1f} h"
    assert abs(took - told) < 0.2 * took, f"estimated {told:.0f} s, took {took:.0f} s"
