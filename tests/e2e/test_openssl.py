"""OpenSSL's own tools towards our ends: what is certified is served, everything else is refused."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
OPENSSL = shutil.which("openssl") or "openssl"
CERTIFIED = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(*words: object) -> tuple[int, str]:
    done = subprocess.run(
        [OPENSSL, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def lab(ocppfuzz, tmp_path) -> Path:
    made = ocppfuzz("pki", "create", tmp_path / "lab", "--name", "localhost", "--serial", "CS-1")
    assert made.code == 0, made.err
    return tmp_path / "lab"


@pytest.fixture
def listener(started, until, port):
    """Our listener of security profile 3, gone after three seconds without a station."""
    words = ("--listen", f"127.0.0.1:{port}", "--identity", "CS-1", "--security-profile", 3)
    running = started(OCPPFUZZ, "run", *words, "--wait", 3)
    until(lambda: "station certificate and key" in running.text, lambda: running.text)
    return running


@pytest.fixture
def call(listener, port, tmp_path):
    """Dials it by s_client, with the certificate of the lab's station or without."""
    lab = tmp_path / "findings" / "private" / "pki"

    def dial(*flags: object, certificate: bool = True) -> tuple[int, str]:
        shown = ("-cert", lab / "station.pem", "-key", lab / "station.key") if certificate else ()
        trusted = ("-CAfile", lab / "root.pem", "-verify_return_error")
        place = ("-connect", f"127.0.0.1:{port}", "-servername", "localhost")
        return openssl(
            "s_client", *place, *trusted, "-verify_hostname", "localhost", *shown, *flags
        )

    return dial


@pytest.mark.parametrize("suite", CERTIFIED)
def test_a_station_with_the_labs_certificate_gets_every_certified_suite(call, suite):
    code, said = call("-tls1_2", "-cipher", suite)
    assert code == 0, said
    assert f"Cipher is {suite}" in said
    assert "Verify return code: 0 (ok)" in said


@pytest.mark.parametrize(
    ("flags", "certificate", "reason"),
    [
        ((), False, "the peer sent no client certificate"),
        (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), True, "the peer has no TLS version from 1.2"),
        (("-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"), True, "no suite that we serve"),
        (("-cipher", "ECDHE-ECDSA-AES128-SHA"), True, "no suite that we serve"),
        (("-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), True, "no suite that we serve"),
    ],
    ids=["no certificate", "TLS 1.1", "CHACHA20", "CBC", "ECDHE-RSA"],
)
def test_what_is_not_certified_is_refused_and_the_reason_told(
    call, listener, flags, certificate, reason
):
    below_1_3 = () if "-tls1_1" in flags else ("-no_tls1_3",)
    code, said = call(*flags, *below_1_3, certificate=certificate)
    assert code != 0
    assert "Cipher is (NONE)" in said or not certificate

    assert listener.process.wait(20) == 3
    assert reason in listener.text.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "purpose"),
    [("csms-ecdsa", "sslserver"), ("csms-rsa", "sslserver"), ("station", "sslclient")],
)
def test_openssl_verifies_every_certificate_of_the_lab(lab, name, purpose):
    chain = ("-CAfile", lab / "root.pem", lab / f"{name}.pem")
    code, said = openssl("verify", "-x509_strict", "-purpose", purpose, *chain)
    assert (code, said.strip()) == (0, f"{lab / name}.pem: OK")


@pytest.fixture
def csms(lab, started, until, port):
    """An s_server with the lab's CSMS certificate that asks for a client certificate."""
    server = started(
        *(OPENSSL, "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-Verify", 1),
        *("-cert", lab / "csms-ecdsa.pem", "-key", lab / "csms-ecdsa.key"),
        *("-CAfile", lab / "root.pem", "-verify_return_error", "-quiet", "-rev"),
    )
    until(lambda: _listens(port), lambda: server.text)
    return server


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_our_station_offers_certified_suites_only_and_shows_its_certificate(
    csms, lab, started, until, port, own_station
):
    url = f"wss://localhost:{port}/ocpp"
    shown = ("--cert", lab / "station.pem", "--key", lab / "station.key")
    identity = ("--identity", "CS-1", "--security-profile", 3, "--ca", lab / "root.pem")
    started(*own_station(url, *identity, *shown))
    until(lambda: "Verification: OK" in csms.text, lambda: csms.text)
    said = dict(line.split(": ", 1) for line in csms.text.splitlines() if ": " in line)
    assert said["Protocol version"] == "TLSv1.2"
    assert said["Peer certificate"].endswith("CN = CS-1")
    offered = said["Client cipher list"].split(":")
    assert offered[:2] == list(CERTIFIED[:2])
    assert set(offered) <= {*CERTIFIED, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"}


def test_a_csms_whose_root_we_do_not_trust_is_not_spoken_to(csms, ocppfuzz, port, tmp_path):
    assert ocppfuzz("pki", "create", tmp_path / "other").code == 0
    target = ("--target", f"wss://localhost:{port}/CS-1", "--ca", tmp_path / "other" / "root.pem")
    refused = ocppfuzz("run", *target, "--wait", 5)
    assert refused.code == 3
    assert "TLS handshake" in (complaint := refused.complains_once())
    assert "the peer's certificate is not valid" in complaint
    assert "CONNECTION ESTABLISHED" not in csms.text
