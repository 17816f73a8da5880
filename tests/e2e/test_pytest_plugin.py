"""The pytest plugin as its users have it: real pytest in a folder of theirs, real processes and sockets."""

import json
import sys
from pathlib import Path

import pytest

QUIETLY = (
    "-q",
    "-rfs",
    "-p",
    "no:cacheprovider",
    "-o",
    "asyncio_default_fixture_loop_scope=function",
)
FAMILIES = ("frames", "schema", "valid")


@pytest.fixture
def tried(started, until, tmp_path):
    """Runs pytest in the user's folder and gives the lines that it printed, and its exit code."""

    def run(*arguments: object, cwd: Path = tmp_path) -> tuple[list[str], int]:
        done = started(sys.executable, "-m", "pytest", *QUIETLY, *arguments, cwd=cwd)
        until(lambda: done.process.poll() is not None, lambda: done.text, 110.0)
        return done.text.splitlines(), done.process.returncode

    return run


@pytest.fixture
def corpus(small_corpus) -> Path:
    """Two families of the corpus and the actions of a third, in a folder of the user's own."""
    return small_corpus("frames/action-*", "schema/*", "valid/*")


def test_a_healthy_station_passes_families_that_came_with_the_product(tried, tmp_path):
    some = "schema or device-model or credentials"
    lines, code = tried("--ocppfuzz", "--ocppfuzz-self-test", "-k", some)
    assert code == 0, lines
    assert " passed" in lines[-1]
    assert "failed" not in lines[-1]
    assert "error" not in lines[-1]
    assert any(
        line.startswith("ocppfuzz attacked: Charging Station ocppfuzz-lab") for line in lines
    )
    assert list(tmp_path.iterdir()) == []


def test_a_planted_defect_fails_exactly_the_cases_that_replay_reproduces(tried, corpus, ocppfuzz):
    lines, code = tried("--ocppfuzz", "--ocppfuzz-self-test", "--ocppfuzz-defect", "P05")
    failed = {line.split()[1] for line in lines if line.startswith("FAILED ")}
    told = ocppfuzz("replay", *(corpus / f for f in FAMILIES), "--defect", "P05", "--json").out
    replayed = [json.loads(line) for line in told.splitlines()]
    wanted = {
        f"ocppfuzz::{Path(one['path']).relative_to(corpus).with_suffix('')}"
        for one in replayed
        if one["outcome"] == "reproduced"
    }
    assert code == 1
    assert failed == wanted == {"ocppfuzz::frames/action-array", "ocppfuzz::frames/action-object"}
    text = "\n".join(lines)
    assert "connection-closed (O3): close 1011" in text
    assert "again: ocppfuzz replay corpus/frames/action-array.json --defect P05" in text
    assert "Traceback" not in text


def test_quick_handshakes_fail_where_a_station_looks_at_no_name(tried, corpus):
    chosen = ("ocppfuzz::tls/TS-33", "ocppfuzz::tls/TS-31", "ocppfuzz::schema/list-empty")
    lines, code = tried(
        *("--ocppfuzz", "--ocppfuzz-self-test", "--ocppfuzz-tls", "--ocppfuzz-defect", "P48"),
        *chosen,
    )
    assert code == 1
    assert [line.split()[1] for line in lines if line.startswith("FAILED ")] == [chosen[0]]
    assert lines[-1].startswith("1 failed, 2 passed")
    assert "again: ocppfuzz tls --only TS-33 --defect P48" in lines


def test_a_station_of_ones_own_is_attacked_over_one_session(
    tried, corpus, ocpp_station, port, tmp_path
):
    (tmp_path / "ocppfuzz.toml").write_text(
        f'[target]\nlisten = "127.0.0.1:{port}"\nidentity = "PLAIN"\nsecurity_profile = 0\n'
        f"start_cmd = {json.dumps(ocpp_station)}\n"
    )
    lines, code = tried(
        "--ocppfuzz", "ocppfuzz::valid/clear-cache", "ocppfuzz::valid/get-local-list-version"
    )
    assert code == 0, lines
    assert any("identity PLAIN" in line for line in lines if line.startswith("ocppfuzz attacked"))
    assert lines[-1].startswith("2 passed")


def test_a_target_that_never_comes_fails_once_and_skips_the_rest(tried, corpus, port, tmp_path):
    (tmp_path / "ocppfuzz.toml").write_text(
        f'[target]\nlisten = "127.0.0.1:{port}"\nidentity = "CS-1"\nsecurity_profile = 0\nwait_s = 1\n'
    )
    lines, code = tried("--ocppfuzz", "-k", "schema")
    assert code == 1
    assert lines[-1].startswith("1 failed, ")
    assert "passed" not in lines[-1]
    assert any("target unavailable: " in line for line in lines)
    assert f"ocppfuzz: configure on the station: CSMS URL ws://127.0.0.1:{port}/ocpp" in "\n".join(
        lines
    )


PROPERTY = """
import subprocess, sys
import pytest
from hypothesis import HealthCheck, given, settings
from fuzz.testing import CallRefused, payloads

@pytest.fixture(scope="module")
def station(ocppfuzz_csms, tmp_path_factory):
    csms = ocppfuzz_csms
    command = [sys.executable, "-P", "-m", "fuzz.station", "--csms", csms.url, "--identity", "CS-1"]
    command += ["--security-profile", "3", "--ca", csms.ca, "--cert", csms.certificate, "--key", csms.key]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    assert csms.wait_for("BootNotification")["reason"] == "PowerUp"
    yield csms
    process.kill()
    process.wait(10)

@settings(max_examples=10, deadline=None, database=None)
@given(payload=payloads("GetVariables"))
def test_each_variable_is_answered(station, payload):
    try:
        answer = station.call("GetVariables", payload)
    except CallRefused as refused:
        assert refused.code == "OccurrenceConstraintViolation"
        return
    assert len(answer["getVariableResult"]) == len(payload["getVariableData"])

def test_what_is_improper_is_refused(station):
    with pytest.raises(CallRefused) as refused:
        station.call("Reset", {"type": "Perhaps"})
    assert refused.value.code == "PropertyConstraintViolation"
    assert station.received and not station.improper
"""


def test_a_property_of_ones_own_holds_for_a_station_that_dials_the_fixture(tried, tmp_path):
    (tmp_path / "test_own.py").write_text(PROPERTY)
    (tmp_path / "ocppfuzz.toml").write_text("[target]\nsecurity_profile = 3\n")
    lines, code = tried("-W", "error", "-W", "ignore:The configuration option")
    assert code == 0, lines
    assert lines[-1].startswith("2 passed")
