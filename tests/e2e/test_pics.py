"""`ocppfuzz pics` fills a PICS file from a station that dials in, and tells where one is contradicted."""

import sys
import tomllib
from pathlib import Path

import pytest

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
PASSWORD = {"OCPPFUZZ_PASSWORD": "a-password-of-the-lab"}


@pytest.fixture
def pics(started, until, port):
    """The command at the port, once it listens."""

    def listen(*arguments: object, env=None):
        place = ("--listen", f"127.0.0.1:{port}", "--identity", "CS-1", "--wait", 30)
        running = started(OCPPFUZZ, "pics", *arguments, *place, env=env)
        until(lambda: "PLEASE DO: identity: CS-1" in running.text, lambda: running.text)
        return running

    return listen


def test_a_draft_of_a_station_over_tls_is_what_the_station_declares(
    pics, started, own_station, ocppfuzz, port, tmp_path
):
    running = pics("draft", "-o", "my.pics.toml")
    lab = tmp_path / "findings" / "private" / "pki"
    identity = ("--identity", "CS-1", "--security-profile", 3, "--ca", lab / "root.pem")
    shown = ("--cert", lab / "station.pem", "--key", lab / "station.key")
    started(*own_station(f"wss://localhost:{port}/ocpp", *identity, *shown))
    assert running.process.wait(60) == 0, running.text

    text = (tmp_path / "my.pics.toml").read_text("utf-8")
    found = tomllib.loads(text)
    assert set(found["cipher_suites"]) == {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    }
    assert [row["type"] for row in found["evse"]] == ["cCCS1", "cCCS1"]
    assert "\nC-56 = true  # observed: GetBaseReport\n" in text
    assert "\nC-13 = false  # assumed: " in text
    assert "my.pics.toml: Hardware" in ocppfuzz("show", "pics", "my.pics.toml").out
    assert ocppfuzz("pics", "check", "my.pics.toml").code == 0


@pytest.mark.parametrize(("declared", "code"), [("ac-1evse-type2", 0), ("dc-2evse-ccs1", 1)])
def test_a_station_is_held_to_what_is_declared(pics, started, own_station, port, declared, code):
    running = pics("check", declared, "--security-profile", 1, env=PASSWORD)
    identity = ("--identity", "CS-1", "--security-profile", 1, "--pics", "ac-1evse-type2")
    started(*own_station(f"ws://localhost:{port}/ocpp", *identity), env=PASSWORD)
    assert running.process.wait(60) == code, running.text
    assert ("C-09.5" in running.text) == bool(code)


def test_nobody_came(ocppfuzz, port):
    seen = ocppfuzz("pics", "check", "dc-2evse-ccs1", "--listen", f"127.0.0.1:{port}", "--wait", 1)
    assert seen.code == 3
    assert "no station connected" in seen.complains_once()


def test_the_invented_station_is_attacked_without_a_finding(ocppfuzz, small_corpus):
    small_corpus("schema/*")
    budget = ("--max-cases", 2000, "--seed", 1)
    seen = ocppfuzz("run", "--pics", "ac-1evse-type2", *budget, patience_s=400)
    assert seen.code == 0, seen.out
    assert "NO FINDING" in seen.out
    assert "ac-1evse-type2" in seen.out
