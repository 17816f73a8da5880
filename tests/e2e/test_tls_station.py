"""The embedded station in the lab as a user plays it: renewal, roots, security profiles; both PICS files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BINARY = Path(sys.executable).with_name("ocppfuzz")


def play(folder, *words) -> dict:
    done = subprocess.run(
        [BINARY, "tls", "--json", "--quiet", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["exit_code"] == done.returncode
    return {case["id"]: case for case in report["cases"]}


@pytest.mark.parametrize(
    ("pics", "edition"), [("dc-2evse-ccs1", "ed3"), ("ac-1evse-type2", "2025-09")]
)
def test_a_healthy_station_passes_every_step_of_a_certificates_life(tmp_path, pics, edition):
    found = play(tmp_path, "--only", "T[RP]-*", "--pics", pics, "--edition", edition)
    bad = {
        i: c["why"]
        for i, c in found.items()
        if c["outcome"] in ("failed", "not observed", "not asked")
    }
    assert bad == {}
    assert len(found) > 35
    left_out = [c["why"][0] for c in found.values() if c["outcome"] == "n/a"]
    assert all("=" in why or "C-41" in why or "only" in why for why in left_out), left_out


def test_what_the_certificate_denies_is_played_with_the_station_that_has_it(tmp_path):
    ids = ("TR-17", "TR-32", "TR-33", "TR-34")
    words = [word for id_ in ids for word in ("--only", id_)]
    denied = play(tmp_path, *words)
    assert {case["outcome"] for case in denied.values()} == {"n/a"}
    assert "AS-3 = No" in denied["TR-17"]["why"][0]
    had = play(tmp_path, *words, "--pics", "ac-1evse-type2")
    assert {case["outcome"] for case in had.values()} == {"passed"}
