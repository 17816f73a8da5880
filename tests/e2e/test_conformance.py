"""The whole conformance suite against the healthy station, over real sockets: everything that applies passes."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

OCPPFUZZ = Path(sys.executable).parent / "ocppfuzz"
PATIENCE_S = 600.0
APPLICABLE = 155


def _play(folder, *arguments):
    """The exit code, the output and the JSON document of one run."""
    done = subprocess.run(
        [OCPPFUZZ, "conformance", "--json", "out.json", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    told = json.loads((folder / "out.json").read_text())
    return done.returncode, done.stdout + done.stderr, told["details"]


@pytest.mark.parametrize("profile", ["2", "3"])
def test_the_healthy_station_passes_every_test_that_applies(profile, tmp_path):
    code, said, document = _play(tmp_path, "--security-profile", profile)
    verdicts = Counter(test["verdict"] for test in document["tests"])
    assert verdicts == {"passed": APPLICABLE}, said
    assert code == 0, said
    assert {p["not_applicable"] for p in document["abstract"]["profiles"]} == {73, 2}
    assert "This is not an OCA certification result" in said
    for timing in document["abstract"]["timings"][:3]:
        assert timing["samples"], timing


def test_a_planted_defect_fails_a_test(tmp_path):
    code, said, document = _play(tmp_path, "TC_B_11", "--defect", "P20")
    assert [t["id"] for t in document["tests"]] == ["TC_B_11"], said
    assert (code, document["tests"][0]["verdict"]) == (1, "failed"), said
