"""Same version, seed, corpus and answers: the same cases, byte for byte, in every process."""

import os
import subprocess
import sys

import pytest

CASES = """
import asyncio, hashlib, sys
from fuzz.engine.phases import Generated, Ground, Known, Systematic
from fuzz.engine.support import Coverage, Support
from fuzz.records import Side
from fuzz.station.bench import Bench
from fuzz.store.codec import case_to_json, dump
from strategies.pool import Pool
from strategies.version import version

SUPPORTED = {"ChangeAvailability", "ClearCache", "GetVariables", "SetVariables", "TriggerMessage"}

bench = Bench().boot()
bench.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
parts = [frame[3] for frame in bench.settle() if frame[0] == 2 and frame[2] == "NotifyReport"]
report = [entry for part in parts for entry in part["reportData"]]
assert len(report) > 50

ground = Ground(version(), Side.STATION, int(sys.argv[1]), Support(set(SUPPORTED)), Coverage())
ground.pool = Pool.from_report(report)

async def systematic():
    return [case async for case in Systematic(ground).cases(None)]

generated = Generated(ground)
known = Known(frozenset(SUPPORTED), {"ClearCache": ({},)})
for name, cases in {
    "systematic": asyncio.run(systematic()),
    "chunk 0": generated.chunk(0, known),
    "chunk 1": generated.chunk(1, known),
}.items():
    texts = b"".join(dump(case_to_json(case)) for case in cases)
    print(name, len(cases), hashlib.sha256(texts).hexdigest())
"""

BESIDE = """
SECRET = "a-constant-of-an-unrelated-module"
NUMBERS = (987654321, 1234.5678)
BYTES = b"more-of-them"
"""


@pytest.fixture
def cases_of(tmp_path):
    """What a process of its own makes, one line a source: name, how many, a digest of all case files."""
    (tmp_path / "beside.py").write_text(BESIDE, "utf-8")

    def run(seed, hash_seed, *, first=""):
        done = subprocess.run(
            [sys.executable, "-c", first + CASES, str(seed)],
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.mark.slow
def test_the_cases_of_a_seed_are_the_same_in_every_process(cases_of):
    one = cases_of(7, hash_seed=0)
    assert [line.rsplit(" ", 2)[0] for line in one] == ["systematic", "chunk 0", "chunk 1"]
    assert all(int(line.rsplit(" ", 2)[1]) > 100 for line in one)
    assert cases_of(7, hash_seed=4242, first="import beside\n") == one


@pytest.mark.slow
def test_another_seed_draws_other_cases_but_the_tables_stay(cases_of):
    one, other = cases_of(7, hash_seed=0), cases_of(8, hash_seed=0)
    assert one[0].split()[:2] == other[0].split()[:2]
    assert one[1] != other[1]
