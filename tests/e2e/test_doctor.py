"""`ocppfuzz doctor` tells how a station dialled, or what to look at when it did not get in."""

import json
import socket
import sys
from pathlib import Path

import pytest

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
PASSWORD = {"OCPPFUZZ_PASSWORD": "a-password-of-the-lab"}


def facts(text: str) -> dict[str, str]:
    lines = [line.split("  ", 1) for line in text.splitlines() if "  " in line]
    return {topic.strip(): seen.strip() for topic, seen in lines}


@pytest.fixture
def doctor(started, until, port):
    """Doctor at the port, once it listens."""

    def listen(*arguments: object, env=None):
        words = ("doctor", "--listen", f"127.0.0.1:{port}", "--identity", "CS-1")
        running = started(OCPPFUZZ, *words, *arguments, env=env)
        until(lambda: "PLEASE DO: identity: CS-1" in running.text, lambda: running.text)
        return running

    return listen


def test_without_a_target_it_looks_at_the_embedded_station(ocppfuzz):
    seen = ocppfuzz("doctor")
    assert (seen.code, seen.err) == (0, "")
    assert facts(seen.out)["identity"] == "OCPPFUZZ0001"
    assert facts(seen.out)["client certificate"] == "CN OCPPFUZZ0001"


def test_a_station_that_dials_over_tls_is_told_from_its_first_byte_to_its_boot(
    doctor, started, own_station, port, tmp_path
):
    running = doctor("--wait", 20)
    assert f"CSMS URL wss://localhost:{port}/ocpp" in running.text
    lab = tmp_path / "findings" / "private" / "pki"
    identity = ("--identity", "CS-1", "--security-profile", 3, "--ca", lab / "root.pem")
    shown = ("--cert", lab / "station.pem", "--key", lab / "station.key")
    started(*own_station(f"wss://localhost:{port}/ocpp", *identity, *shown))

    assert running.process.wait(120) == 0
    seen = facts(running.text)
    assert seen["SNI"] == "localhost"
    assert seen["TLS versions offered"] == "TLSv1.2"
    assert "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" in seen["cipher suites offered"]
    assert seen["TLS"].startswith("TLSv1.2, TLS_ECDHE_ECDSA_WITH_AES_")
    assert seen["client certificate"] == "CN CS-1"
    assert seen["subprotocols offered"] == seen["subprotocol agreed"] == "ocpp2.0.1"
    assert seen["identity"] == "CS-1"
    assert seen["path"] == "/ocpp/CS-1"
    assert seen["Basic user"] == "none"
    assert seen["boot reason"] == "PowerUp"
    assert seen["vendorName"] == "ocppfuzz-lab"


@pytest.mark.parametrize(("env", "told"), [(None, True), (PASSWORD, False)])
def test_whoever_knows_no_password_hears_that_anybody_is_let_in(doctor, env, told):
    running = doctor("--security-profile", 1, "--wait", 1, env=env)
    assert running.process.wait(120) == 3
    assert ("no password is known, so whoever calls is let in" in running.text) is told


def test_a_station_that_dials_without_tls_is_told_with_its_basic_user_but_no_password(
    doctor, started, own_station, port
):
    running = doctor("--security-profile", 1, "--wait", 20, env=PASSWORD)
    assert f"CSMS URL ws://127.0.0.1:{port}/ocpp" in running.text
    started(*own_station(f"ws://localhost:{port}/ocpp", "--identity", "CS-1"), env=PASSWORD)

    assert running.process.wait(120) == 0
    seen = facts(running.text)
    assert seen["spoke"] == "HTTP: GET /ocpp/CS-1 HTTP/1.1"
    assert seen["Basic user"] == "CS-1"
    assert seen["model"] == "dc-2evse-ccs1"
    assert "SNI" not in seen
    assert PASSWORD["OCPPFUZZ_PASSWORD"] not in running.text


def test_a_station_that_booted_for_doctor_is_named_by_the_campaign_that_meets_it_next(
    doctor, started, own_station, port, ocppfuzz
):
    running = doctor("--security-profile", 1, "--wait", 60)
    quickly = ("--backoff-min-s", 0.2, "--backoff-range-s", 0)
    started(*own_station(f"ws://localhost:{port}/ocpp", "--identity", "CS-1", *quickly))
    assert running.process.wait(60) == 0
    listen = ("--listen", f"127.0.0.1:{port}", "--identity", "CS-1", "--security-profile", 1)
    few = ("--phases", "systematic", "--only", "ClearCache", "--max-cases", 20)
    campaign = ocppfuzz("run", *listen, *few, "--unattended", "--json")
    assert campaign.code == 0, campaign.err
    attacked = campaign.json["attacked"]
    assert (attacked["vendor"], attacked["model"]) == ("ocppfuzz-lab", "dc-2evse-ccs1")
    assert attacked["firmware"] == "1.0.0"
    assert campaign.json["cases"] == 20


def test_when_nobody_calls_it_says_what_to_check(doctor):
    running = doctor("--security-profile", 1, "--wait", 1)
    assert running.process.wait(120) == 3
    checks = [line for line in running.text.splitlines() if line.startswith("check: ")]
    assert checks[0] == "check: nobody called within 1 s"
    assert len(checks) == 5
    assert "Traceback" not in running.text


def test_a_station_that_does_not_trust_our_root_is_told_with_what_it_offered(
    doctor, started, own_station, port
):
    running = doctor("--wait", 10)
    words = ("--identity", "CS-1", "--security-profile", 2)
    started(*own_station(f"wss://localhost:{port}/ocpp", *words))
    assert running.process.wait(120) == 3
    seen = facts(running.text)
    assert seen["SNI"] == "localhost"
    assert "do not trust our certificate" in seen["handshake failed"]
    assert "check: does the station trust our root certificate" in running.text


def test_a_station_without_a_certificate_is_told_so(doctor, started, own_station, port, tmp_path):
    running = doctor("--wait", 10)
    root = tmp_path / "findings" / "private" / "pki" / "root.pem"
    words = ("--identity", "CS-1", "--security-profile", 2, "--ca", root)
    started(*own_station(f"wss://localhost:{port}/ocpp", *words))
    assert running.process.wait(120) == 3
    assert facts(running.text)["handshake failed"] == "the peer sent no client certificate"


def test_a_station_with_another_identity_or_password_is_told_why_it_was_refused(
    doctor, started, own_station, port
):
    running = doctor("--security-profile", 1, "--wait", 10, env=PASSWORD)
    wrong = {"OCPPFUZZ_PASSWORD": "not-the-password-at-all"}
    url = f"ws://localhost:{port}/ocpp"
    started(*own_station(url, "--identity", "CS-2"), env=PASSWORD)
    started(*own_station(url, "--identity", "CS-1"), env=wrong)
    assert running.process.wait(120) == 3
    assert "'CS-2' with HTTP 404: not an identity that was named" in running.text
    assert "'CS-1' with HTTP 401: wrong Basic password" in running.text
    assert "check: give --identity as the station spells it" in running.text
    assert "check: give OCPPFUZZ_PASSWORD or --password-file the password" in running.text


def test_a_wrong_password_is_told_on_the_spot_and_once_however_often_it_is_given(
    doctor, own_station, started, until, port
):
    running = doctor("--security-profile", 1, "--wait", 60, env=PASSWORD)
    url = f"ws://localhost:{port}/ocpp"
    wrong = {"OCPPFUZZ_PASSWORD": "not-the-password-at-all"}
    for _ in range(2):
        station = started(*own_station(url, "--identity", "CS-1"), env=wrong)
        told = (
            "somebody dialled in and was refused: 'CS-1' with HTTP 401: wrong Basic password; give"
        )
        until(lambda told=told: told in running.text, lambda: running.text)
        station.end()
    started(*own_station(url, "--identity", "CS-1"), env=PASSWORD)
    assert running.process.wait(60) == 0
    assert running.text.count("somebody dialled in and was refused") == 1
    assert "not-the-password-at-all" not in running.text


def test_a_station_that_speaks_plain_http_to_a_tls_port_is_told_so(doctor, port):
    running = doctor("--wait", 10)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
        caller.sendall(b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert running.process.wait(120) == 3
    assert facts(running.text)["spoke"] == "HTTP: GET /ocpp/CS-1 HTTP/1.1"
    assert "its URL needs wss://" in facts(running.text)["handshake failed"]


def test_a_csms_is_dialled_step_by_step(ocppfuzz, started, until, tmp_path):
    csms = started(
        OCPPFUZZ,
        "serve",
        "csms",
        "--identity",
        "CS-1",
        "--listen",
        "127.0.0.1:0",
        "--security-profile",
        2,
        env=PASSWORD,
    )
    until(lambda: "\n" in csms.text, lambda: csms.text)
    port = json.loads(csms.text.splitlines()[0])["csms"][0]["port"]
    target = ("--target", f"wss://localhost:{port}/ocpp/{{identity}}", "--identity", "CS-1")
    ca = ("--ca", tmp_path / "findings" / "private" / "csms-lab" / "root.pem")

    seen = ocppfuzz("doctor", *target, *ca, env=PASSWORD)
    assert (seen.code, seen.err) == (0, "")
    assert [line[:17].split() for line in seen.out.splitlines()] == [
        ["ok", topic]
        for topic in (
            "DNS",
            "TCP",
            "TLS",
            "chain",
            "expiry",
            "name",
            "credentials",
            "subprotocol",
            "boot",
            "clock",
        )
    ]
    assert PASSWORD["OCPPFUZZ_PASSWORD"] not in seen.out

    wrong = ocppfuzz("doctor", *target, *ca, env={"OCPPFUZZ_PASSWORD": "not-the-password-at-all"})
    assert wrong.code == 3
    assert "FAIL  credentials  refused CS-1 with a Basic password with 401; next: " in wrong.out
    stranger = ocppfuzz("doctor", *target, env=PASSWORD)
    assert stranger.code == 3
    assert "give it with --ca FILE" in stranger.out
    assert "credentials" not in stranger.out
