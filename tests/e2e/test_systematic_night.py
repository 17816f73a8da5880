"""A whole systematic pass against a station as slow as a real one: it fits into a night, and leaves nothing changed.

The station is not ours to restart here, answers after about 0.2 s, and needs 30 s and more to come back. Its hours
pass on a clock that jumps.
"""

import asyncio

import pytest

from fuzz.app.campaign import campaign_on
from fuzz.app.rig import Rig
from fuzz.config import RunOptions
from fuzz.csms.voice import CsmsVoice
from fuzz.engine.executor import Executor
from fuzz.engine.inventory import Inventory
from fuzz.engine.line import Pace, Wiring
from fuzz.lab.hours import JumpingLoop, LoopClock, StationInLoop
from fuzz.lab.stations import Place
from fuzz.pics.loading import load_pics
from fuzz.records import Side, TargetFacts
from fuzz.transport.listen import Listener
from tlslab.pki import Lab

NIGHT_S = 10 * 3600.0
PASSWORD = "a-password-of-the-bench-1"


@pytest.fixture
def loop():
    made = JumpingLoop()
    yield made
    made.close()


async def report(wiring):
    """What the station says of itself, as a set of texts, without the time of day."""
    executor = Executor(wiring, Pace(come_back_s=600.0, boot_s=600.0))
    await executor.connect()
    inventory = Inventory()
    assert await inventory.read(executor)
    await executor.hang_up()
    texts = (str(sorted(entry.items())) for entry in inventory.report)
    return {text for text in texts if "'DateTime'" not in text}


async def a_night(tmp_path, options):
    pics = load_pics("dc-2evse-ccs1")
    clock = LoopClock(asyncio.get_running_loop())
    lab = Lab.create(
        tmp_path / "pki", csms_names=("localhost",), serial=pics.serial, now=clock.now()
    )
    listener = Listener(
        "127.0.0.1", 0, identities=frozenset({pics.serial}), basic={pics.serial: PASSWORD}
    )
    await listener.start()
    url = f"ws://localhost:{listener.port}/ocpp"
    place = Place(
        "127.0.0.1", 0, "localhost", pics.serial, 1, "ed3", PASSWORD, 300, pics, pics.items
    )
    station = StationInLoop(place, lab, url, tmp_path / "state")
    facts = TargetFacts(side=Side.STATION, url=url, identity=pics.serial, security_profile=1)
    wiring = Wiring(listener, CsmsVoice(clock), station, clock, facts)
    await station.start()
    try:
        before = await report(wiring)
        await station.stop()
        await station.start()
        began = clock.monotonic()
        made = Rig(wiring, Pace(come_back_s=600.0, boot_s=600.0))
        summary = await campaign_on(made, options, lambda event: None)
        took = clock.monotonic() - began
        await station.stop()
        await station.start()
        return summary, took, before, await report(wiring)
    finally:
        await station.stop()
        await listener.aclose()


def test_a_systematic_pass_fits_into_one_night_and_leaves_the_station_as_it_was(loop, tmp_path):
    (tmp_path / "empty").mkdir()
    options = RunOptions(
        security_profile=1,
        seed=1,
        max_time_s=None,
        phases=("systematic",),
        allow=("persistent", "energise", "lock-out"),
        findings_dir=tmp_path / "findings",
        corpus_dir=tmp_path / "empty",
    )
    summary, took, before, after = loop.run_until_complete(a_night(tmp_path, options))
    assert summary.findings == ()
    assert took < NIGHT_S, f"{took / 3600:.1f} h for {summary.cases} cases"
    for table, (reached, total) in summary.coverage.items():
        assert reached > 0.6 * total, (table, reached, total)
    assert summary.left_changed == ()
    assert len(before) > 50
    assert sorted(before ^ after) == []
