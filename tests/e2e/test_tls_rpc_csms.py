"""A CSMS of Node's TLS and `ocpp-rpc` before the lab: what it does right passes, what it lacks is told and no more."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SECRET = "0123456789abcdef-secret"
ONE_CERTIFICATE = {"TC-03", "TC-12"}
"""It has an ECDSA certificate alone."""
LAX = {"TC-09", "TC-53"}
"""Node renegotiates a few times; `ocpp-rpc` speaks without a subprotocol."""
NAMES = {"TC-20", "TC-21", "TC-22"}
"""It trusts whoever has a certificate under the root."""
WEAK = {"TC-25"}


@pytest.fixture
def pki(ocppfuzz, tmp_path):
    folder = tmp_path / "pki"
    assert ocppfuzz("pki", "create", folder, "--name", "localhost", "--serial", "CS-1").code == 0
    return folder


@pytest.fixture
def csms(peers, pki):
    """Starts the CSMS of Node; gives its port."""
    modules = Path(os.environ.get("OCPPFUZZ_PEERS", "build/peers")).resolve() / "node_modules"
    if not (modules / "ocpp-rpc").is_dir() or shutil.which("node") is None:
        reason = f"no ocpp-rpc in {modules}, or no node"
        if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:

        def start(*words):
            certificate = ("--cert", pki / "csms-ecdsa.pem", "--key", pki / "csms-ecdsa.key")
            process = stack.enter_context(
                subprocess.Popen(
                    ["node", peers / "driven_rpc_csms.js", *certificate, *words],
                    env={**os.environ, "NODE_PATH": str(modules)},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            stack.callback(process.kill)
            return json.loads(process.stdout.readline())["listening"]

        yield start


def failed(done) -> set[str]:
    assert done.code == 1, done.err
    cases = json.loads(done.out)["cases"]
    assert [c["id"] for c in cases if c["outcome"] == "not observed"] == []
    return {c["id"] for c in cases if c["outcome"] == "failed"}


def test_passwords_are_looked_at(ocppfuzz, csms, pki):
    port = csms("--credentials", f"CS-1:{SECRET}")
    done = ocppfuzz(
        *("tls", "--target", f"wss://localhost:{port}/{{identity}}", "--identity", "CS-1"),
        *("--ca", pki / "root.pem", "--json"),
        env={"OCPPFUZZ_PASSWORD": SECRET},
    )
    assert failed(done) == ONE_CERTIFICATE | LAX


def test_chains_are_verified_and_names_are_not(ocppfuzz, csms, pki):
    port = csms("--ca", pki / "root.pem")
    done = ocppfuzz(
        *("tls", "--target", f"wss://localhost:{port}/{{identity}}", "--identity", "CS-1"),
        *("--cert", pki / "station.pem", "--key", pki / "station.key", "--ca", pki / "root.pem"),
        *("--client-ca", pki / "root.pem", "--client-ca-key", pki / "root.key", "--json"),
    )
    assert failed(done) == ONE_CERTIFICATE | LAX | NAMES | WEAK
