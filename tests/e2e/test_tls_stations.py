"""Other people's TLS clients as stations before the lab: the report tells the careful ones from the careless one.

Only classes of behaviour are asserted: who verifies refuses every chain that leads nowhere, who does not takes it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

IDENTITY = "STATION-1"
NOWHERE = ("TS-31", "TS-32", "TS-33", "TS-39", "TS-40", "TS-41", "TS-43", "TS-44", "TS-45", "TS-54")
"""Chains that no verifying client takes, whatever its library."""
REST = (
    "TS-01",
    "TS-02",
    "TS-04",
    "TS-07",
    "TS-16",
    "TS-17",
    "TS-19",
    "TS-22",
    "TS-25",
    "TS-48",
    "TS-55",
)
BINARY = Path(sys.executable).with_name("ocppfuzz")


def missing(reason: str) -> None:
    if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def root(ocppfuzz, tmp_path):
    """The lab's certificates are there before its first run, so that a station can be given the root."""
    folder = tmp_path / "findings" / "private" / "pki"
    folder.parent.mkdir(parents=True)
    made = ocppfuzz(
        "pki", "create", folder, "--name", "localhost", "--name", "127.0.0.1", "--serial", IDENTITY
    )
    assert made.code == 0, made.err
    return folder / "root.pem"


@pytest.fixture
def lab(started, port, root, tmp_path):
    """Plays cases against a station that a command starts; gives outcome by id."""

    def play(*command: object, only=(*NOWHERE, *REST), env=None) -> dict:
        started(*command, env=env)
        words = [
            "tls",
            "--listen",
            f"127.0.0.1:{port}",
            "--identity",
            IDENTITY,
            "--security-profile",
            "2",
        ]
        words += ["--unattended", "--json", "--wait", "60"]
        words += [word for id_ in only for word in ("--only", id_)]
        done = subprocess.run(
            [BINARY, *words], cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False
        )
        assert done.stdout, done.stderr
        report = json.loads(done.stdout)
        return {case["id"]: case for case in report["cases"]}

    return play


def outcomes(found: dict, ids=NOWHERE) -> dict:
    return {id_: found[id_]["outcome"] for id_ in ids}


def assert_careful(found: dict) -> None:
    bad = {i: o for i, o in outcomes(found).items() if not o.startswith("passed")}
    assert bad == {}, {i: found[i]["why"] for i in bad}


def assert_nothing_unseen(found: dict) -> None:
    assert [i for i, case in found.items() if case["outcome"] == "not observed"] == []


def test_a_default_python_client_is_careful(lab, peers, port, root):
    url = f"wss://localhost:{port}/ocpp/{IDENTITY}"
    found = lab(sys.executable, peers / "tls_station.py", url, root, "verify")
    assert_careful(found)
    assert_nothing_unseen(found)


def test_a_client_that_verifies_nothing_is_told_apart(lab, peers, port, root):
    url = f"wss://localhost:{port}/ocpp/{IDENTITY}"
    found = lab(sys.executable, peers / "tls_station.py", url, root, "trust", only=NOWHERE)
    assert set(outcomes(found).values()) == {"failed"}
    assert found["TS-39"]["stage"] in ("S4", "S5", "S6")
    assert "TC_A_05_CS" in found["TS-39"]["endangers"]


def test_openssl_is_careful(lab, peers, port, root):
    if shutil.which("openssl") is None:
        missing("openssl is not installed")
    client = (
        "openssl",
        "s_client",
        "-quiet",
        "-connect",
        f"localhost:{port}",
        "-servername",
        "localhost",
    )
    verify = ("-CAfile", root, "-verify_return_error", "-verify_hostname", "localhost")
    path = f"/ocpp/{IDENTITY}"
    found = lab(sys.executable, peers / "tls_client_station.py", path, *client, *verify)
    assert_careful(found)
    assert_nothing_unseen(found)


def test_gnutls_is_careful(lab, peers, port, root):
    if shutil.which("gnutls-cli") is None:
        missing("gnutls-cli is not installed (Debian: gnutls-bin)")
    client = ("gnutls-cli", "--x509cafile", root, "-p", port, "localhost")
    path = f"/ocpp/{IDENTITY}"
    found = lab(sys.executable, peers / "tls_client_station.py", path, *client, only=NOWHERE)
    assert_careful(found)
    assert_nothing_unseen(found)


def test_node_is_careful(lab, peers, port, root):
    modules = Path(os.environ.get("OCPPFUZZ_PEERS", "build/peers")).resolve() / "node_modules"
    if not (modules / "ocpp-rpc").is_dir() or shutil.which("node") is None:
        missing(f"no ocpp-rpc in {modules}, or no node")
    where = f"wss://localhost:{port}/ocpp"
    found = lab(
        "node", peers / "rpc_tls_station.js", where, IDENTITY, root, env={"NODE_PATH": str(modules)}
    )
    assert_careful(found)
    assert_nothing_unseen(found)
