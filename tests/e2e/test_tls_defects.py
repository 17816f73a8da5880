"""Each planted defect of TLS is caught by exactly the cases that should catch it, hours in seconds.

Every defect is played with the cases of its `caught_by` and with neighbours of every topic, which must pass; with
OCPPFUZZ_WHOLE_MATRIX=1 beside every case of a handshake (a few minutes). What needs a process, or somebody at the station,
is played in test_tls_renewal_defects.py.
"""

import os

import pytest

from fuzz.app.rig import key_for
from fuzz.app.tlsing import terms_of
from fuzz.config import RunOptions
from fuzz.lab.hours import JumpingLoop, LoopClock, StationInLoop
from fuzz.lab.stations import EVERYTHING, PASSWORD, Place, embedded_station
from fuzz.pics.loading import load_pics
from fuzz.station.defects import defects
from tlslab.lab import play, skipped
from tlslab.registry import all_cases
from tlslab.verdict import Outcome

PROFILE = 2
NEIGHBOURS = ("TS-04", "TS-17", "TS-31", "TS-33", "TS-34", "TS-40", "TS-48", "TS-53", "TS-63")
ELSEWHERE = {
    "P70": "localhost has no parent domain whose wildcard could stand for it",
}
NO_FAILURES = {"TS-67", "TS-84"}
"""Cases about failed attempts: a station that trusts everybody has none."""
CAUGHT = {
    d.number: d
    for d in defects().values()
    if d.number not in ELSEWHERE and any(id_.startswith("TS-") for id_ in d.caught_by)
}


@pytest.fixture
def loop():
    made = JumpingLoop()
    yield made
    made.close()


async def failing(loop, pics, defect, cases) -> tuple[set[str], dict[str, str]]:
    """The ids that failed, and why anything else did not pass."""
    place = Place(
        "127.0.0.1",
        0,
        "localhost",
        pics.serial,
        PROFILE,
        "2025-09",
        PASSWORD,
        300,
        pics,
        pics.items,
        (defect.name,),
    )
    clock = LoopClock(loop)
    async with embedded_station(
        place, clock, key_for(pics), tuned=False, made=StationInLoop
    ) as rig:
        rig.bench.available = EVERYTHING
        played = [await play(case, rig.bench) for case in cases]
    failed = {p.case.id for p in played if p.outcome is Outcome.FAILED}
    unseen = {p.case.id: p.judged.texts for p in played if p.outcome is Outcome.NOT_OBSERVED}
    return failed, unseen


@pytest.mark.parametrize("number", CAUGHT)
def test_a_defect_is_caught_by_exactly_the_cases_that_should(loop, number):
    defect = CAUGHT[number]
    pics = load_pics("dc-2evse-ccs1")
    terms = terms_of(RunOptions(edition="2025-09"), pics, PROFILE, own=True)
    whole = os.environ.get("OCPPFUZZ_WHOLE_MATRIX") == "1"
    beside = all_cases() if whole else NEIGHBOURS
    wanted = [c for i, c in all_cases().items() if i in {*defect.caught_by, *beside}]
    cases = [c for c in wanted if skipped(c, terms) is None and c.id.startswith("TS-")]
    failed, unseen = loop.run_until_complete(failing(loop, pics, defect, cases))
    assert set(unseen) <= NO_FAILURES, unseen
    assert failed == set(defect.caught_by) & {c.id for c in cases}
    assert failed
