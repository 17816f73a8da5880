"""`ocppfuzz tls` in the hands of somebody careless or in a hurry: one clear line, the right exit code, nothing lost."""

import json
import shutil
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tlslab.pki import Lab

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
STATION = ("--listen", "127.0.0.1:0", "--identity", "CS-1", "--security-profile", 3, "--wait", 1)
CSMS = ("--target", "wss://localhost:9/ocpp/{identity}", "--identity", "CS-1")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC), serial="CS-1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "nope"), "no case fits nope"),
        (("--only", "TC-01"), "none of this side"),
        (("--severity", "huge"), "'huge' is not one of"),
        (("--jobs", 0), "not in the range"),
        (("--defect", "P99"), "unknown defect 'P99'"),
        (("--self-test", "csms", *STATION), "leave one out"),
        (("--self-test", "csms", "--decoy", "D01"), "embedded station only"),
        (("--issuer", "root.pem"), "--issuer means nothing without --listen"),
        (("--listen", "127.0.0.1:0"), "--identity"),
        (("--listen", "9000", "--identity", "CS-1"), "is not HOST:PORT"),
        (("--listen", "0.0.0.0:9", "--identity", "CS-1"), "authorized = true"),
        (("--target", "wss://192.0.2.1/CS-1", "--identity", "CS-1"), "authorized = true"),
        ((*STATION[:4], "--security-profile", 1), "security profile 2 or 3"),
        ((*STATION, "--issuer", "root.pem"), "--issuer means nothing without --issuer-key"),
        ((*STATION, "--issuer", "none.pem", "--issuer-key", "root.key", "--root", "root.pem"), "cannot read none.pem"),
        ((*STATION, "--issuer", "root.pem", "--issuer-key", "other.key"), "other.key is not the key of"),
        ((*STATION, "--cert", "root.pem", "--key", "other.key"), "other.key is not the key of"),
        ((*STATION, "--cert", "root.pem"), "cert and key belong together"),
        ((*STATION, "--ca", "none.pem"), "cannot read none.pem"),
        ((*STATION, "--ca", "garbage.pem"), "garbage.pem holds no certificate"),
        ((*STATION, "--client-ca", "garbage.pem"), "garbage.pem holds no certificate"),
        ((*STATION, "--declared", "none"), "unknown PICS file"),
        ((*CSMS, "--security-profile", 2), "OCPPFUZZ_PASSWORD"),
        ((*CSMS, "--security-profile", 3), "--cert and --key"),
        ((*CSMS, "--second", "CS-2", "--security-profile", 3, "--cert", "station.pem", "--key", "station.key"), "--second needs its credentials"),
        ((*CSMS, "--ca", "none.pem", "--security-profile", 3, "--cert", "station.pem", "--key", "station.key"), "cannot read none.pem"),
        ((*CSMS, "--client-ca", "garbage.pem", "--security-profile", 3, "--cert", "station.pem", "--key", "station.key"), "garbage.pem holds no certificate"),
        (("--plan", "--only", "nope"), "no case fits nope"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_wrong_word_is_a_usage_error_in_one_line(ocppfuzz, lab, tmp_path, words, said):
    for name in ("root.pem", "root.key", "station.pem", "station.key"):
        shutil.copy(lab.folder / name, tmp_path / name)
    shutil.copy(lab.station.key, tmp_path / "other.key")
    (tmp_path / "garbage.pem").write_bytes(b"\x1b[31mnot a certificate\n" * 99)
    refused = ocppfuzz("tls", *words)
    assert (refused.code, refused.out.count("\n") < 9) == (2, True), refused.err
    assert said in refused.complains_once()


def test_a_port_that_is_taken_is_told(ocppfuzz):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = ocppfuzz("tls", "--listen", place, *STATION[2:])
    assert refused.code == 2
    assert f"cannot listen on {place}" in refused.complains_once()


def test_a_station_that_never_calls_and_a_csms_that_is_not_there_are_no_verdict(ocppfuzz, lab):
    alone = ocppfuzz("tls", *STATION)
    assert alone.code == 3
    assert "nobody called" in alone.complains_once()
    own = ("--cert", lab.station.certificate, "--key", lab.station.key)
    absent = ocppfuzz("tls", *CSMS, "--security-profile", 3, *own)
    assert absent.code == 3
    assert "wss://localhost:9/ocpp/CS-1" in absent.complains_once()


# --- what it says -----------------------------------------------------------------------------------------


def test_json_is_the_only_thing_on_stdout_and_quiet_says_what_failed_only(ocppfuzz):
    told = ocppfuzz("tls", "--only", "TS-0*", "--json")
    assert told.code == 0, told.err
    assert {case["outcome"] for case in told.json["cases"]} == {"passed"}
    plan = ocppfuzz("tls", "--only", "TS-0*", "--plan", "--json")
    assert plan.json["cases"][:2] == ["TS-01", "TS-02"]
    quiet = ocppfuzz("tls", "--only", "TS-0*", "--quiet")
    assert "TS-01" not in quiet.out + quiet.err
    assert "9 passed" in quiet.out


@pytest.mark.parametrize("columns", [20, 40, 400])
def test_a_narrow_terminal_gets_every_case(ocppfuzz, columns):
    told = ocppfuzz("tls", "--only", "TS-0*", env={"COLUMNS": str(columns)})
    assert (told.code, "Traceback" in told.err) == (0, False)
    assert all(f"TS-0{number}" in told.out for number in range(1, 10))


# --- stopping and going on --------------------------------------------------------------------------------

PLANTED = ("tls", "--self-test", "csms", "--defect", "cert-identity-unbound")
LONG = (*PLANTED, "--security-profile", 3, "--only", "TC-19", "--only", "TC-48")
"""A case that fails, and one that waits until passwords are taken again."""


def test_ctrl_c_keeps_what_was_found_and_resume_goes_on_behind_it(
    ocppfuzz, started, until, tmp_path
):
    running = started(OCPPFUZZ, *LONG)
    until(lambda: "[1/2] TC-19 failed" in running.text, lambda: running.text, 60)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(20) == 130
    assert running.text.count("error: stopped; what was found so far is saved") == 1
    assert "Traceback" not in running.text
    assert "[2/2]" not in running.text
    (finding,) = (tmp_path / "findings").glob("*/finding.json")
    assert json.loads(finding.read_text())["violation"]["symptom"].startswith("TC-19 ")

    before = finding.stat().st_mtime_ns
    rest = ocppfuzz(*LONG, "--resume")
    assert rest.code == 1, rest.err
    assert "1 failed" in rest.out.splitlines()[-1]
    assert "TC-48 recorded" in rest.out
    assert finding.stat().st_mtime_ns == before
