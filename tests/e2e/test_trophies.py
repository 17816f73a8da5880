"""Published bugs in pinned releases of other people's packages: found in the old release, fixed in the new one."""

import json
import os
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "trophies"
TROPHIES = tomllib.loads((HERE / "trophies.toml").read_text("utf-8"))["trophy"]
INSTALLED = Path(os.environ.get("OCPPFUZZ_PEERS", "build/peers")).resolve() / "trophies"


def by_name(trophy: dict) -> str:
    return trophy["name"]


def missing(reason: str) -> None:
    if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def folder(name: str) -> Path:
    if not (INSTALLED / name).is_dir():
        missing(f"no {name} in {INSTALLED}; .ci/run shows how it gets there")
    return INSTALLED / name


@pytest.fixture
def station(port):
    """The command line and environment of a station made of one release, dialling `port`."""
    url = f"ws://127.0.0.1:{port}/ocpp/TROPHY"

    def of(package: str, release: str) -> tuple[str, dict[str, str]]:
        where = folder(f"{package}-{release}")
        if package == "ocpp":
            words = (
                sys.executable,
                HERE / "peers/ocpp_station.py",
                url,
                where,
                folder("jsonschema"),
            )
            return shlex.join(map(str, words)), {}
        if shutil.which("node") is None:
            missing("node is not installed")
        words = ("node", HERE / f"peers/{package}_station.js", url)
        return shlex.join(map(str, words)), {"NODE_PATH": str(where / "node_modules")}

    return of


@pytest.mark.parametrize("trophy", TROPHIES, ids=by_name)
def test_a_published_bug_is_reproduced_in_the_old_release_and_fixed_in_the_new_one(
    trophy, ocppfuzz, port, station
):
    finding = HERE / "cases" / trophy["name"]

    def replayed(release: str):
        command, env = station(trophy["package"], release)
        flags = ("--listen", f"127.0.0.1:{port}", "--security-profile", 0, "--identity", "TROPHY")
        return ocppfuzz("replay", finding, *flags, "--start-cmd", command, env=env)

    old, new = replayed(trophy["old"]), replayed(trophy["new"])
    assert (old.code, new.code) == (1, 0), old.out + old.err + new.out + new.err
    assert old.out.splitlines()[-1].startswith("reproduced")
    assert new.out.splitlines()[-1].startswith("fixed")


def test_every_trophy_has_a_finding_of_its_own_a_public_reference_and_tells_the_truth_about_it():
    assert len(TROPHIES) >= 8
    assert {t["name"] for t in TROPHIES} == {p.name for p in (HERE / "cases").iterdir()}
    assert all(t["reference"].startswith("https://github.com/") for t in TROPHIES)
    for trophy in TROPHIES:
        stored = HERE / "cases" / trophy["name"] / "finding.json"
        violation = json.loads(stored.read_text("utf-8"))["violation"]
        assert violation["oracle"] == trophy["oracle"]
        assert (violation["basis"] == "hardening") is trophy.get("strict", False)
