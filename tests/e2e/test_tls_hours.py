"""The lab against a station as slow as one on a bench, on a clock that jumps: the printed estimate, and its bound."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from fuzz.app.tls_planning import USUAL_DOUBLINGS, USUAL_RECONNECT_S, station_for
from fuzz.app.tlsing import grouped, terms_of
from fuzz.config import RunOptions
from fuzz.lab.hours import JumpingLoop, LoopClock
from fuzz.lab.stations import EVERYTHING, Place, embedded_station
from fuzz.pics.loading import load_pics
from fuzz.station.options import StationOptions
from fuzz.station.shell import serve_station
from fuzz.target.nothing import NoTarget
from tlslab.describe import KeyKind
from tlslab.estimate import estimate
from tlslab.lab import play, skipped
from tlslab.registry import Side, all_cases
from tlslab.verdict import Outcome

HOURS = 3600.0


class InLoop(NoTarget):
    """The reference station as a task of this loop, with the habits of one on a bench."""

    def __init__(self, place: Place, lab, url: str, state: Path) -> None:
        self.options = StationOptions(
            csms=url,
            identity=place.identity,
            security_profile=place.security_profile,
            ca=lab.root.certificate,
            certificate=lab.station.certificate,
            key=lab.station.key,
            state=state,
            bench=True,
        )
        self.task = None

    async def start(self) -> None:
        self.task = asyncio.ensure_future(serve_station(self.options))

    async def stop(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


def handshakes():
    """Every case of a handshake that applies; what needs somebody at the station is not for a task."""
    pics = load_pics("dc-2evse-ccs1")
    terms = terms_of(RunOptions(), pics, 3, own=True)
    cases = [c for c in all_cases().values() if c.side is Side.STATION and c.id.startswith("TS")]
    return [
        c
        for _, fresh, group in grouped(cases, 3)
        if not fresh
        for c in group
        if not skipped(c, terms)
    ]


@pytest.fixture
def loop():
    made = JumpingLoop()
    yield made
    made.close()


def test_the_printed_estimate_is_right_and_the_lab_takes_less_than_four_hours(loop):
    cases = handshakes()
    pics = load_pics("dc-2evse-ccs1")

    async def lab() -> tuple[float, float, list[str]]:
        clock = LoopClock(loop)
        told = await estimate(
            cases,
            station_for(pics, 3, "ed3"),
            reconnect_s=USUAL_RECONNECT_S,
            repeat_times=USUAL_DOUBLINGS,
        )
        place = Place(
            "127.0.0.1",
            0,
            "localhost",
            pics.serial,
            3,
            "ed3",
            wait_s=300,
            pics=pics,
            items=dict(pics.items),
        )
        async with embedded_station(place, clock, KeyKind.EC_P256, tuned=False, made=InLoop) as rig:
            rig.bench.available = EVERYTHING
            began = clock.monotonic()
            bad = []
            for case in cases:
                played = await play(case, rig.bench)
                if played.outcome in (Outcome.FAILED, Outcome.NOT_OBSERVED):
                    bad.append(f"{case.id} {played.outcome}: {played.judged.texts}")
            return told.seconds, clock.monotonic() - began, bad

    told, took, bad = loop.run_until_complete(lab())
    assert bad == []
    assert took < 4 * HOURS, f"{took / HOURS:.1f} h"
    assert abs(took - told) < 0.2 * took, f"estimated {told:.0f} s, took {took:.0f} s"
