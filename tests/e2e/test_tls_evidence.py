"""What a finding of the TLS lab leaves on disk: a capture that Wireshark reads, and nothing that is secret."""

import json
import os
import shutil
import subprocess

import pytest

FINDING = ("tls", "--only", "TS-31", "--defect", "P47", "--with-secrets")


def tshark(capture, *options):
    """The lines that Wireshark's own dissectors make of a capture."""
    program = shutil.which("tshark")
    if program is None:
        if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
            pytest.fail("tshark is not installed")
        pytest.skip("tshark is not installed")
    # A port drawn at random may be one that Wireshark takes for another protocol.
    words = [program, "-r", capture, "-d", "tcp.port==1024-65535,tls", *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def only_finding(folder):
    (finding,) = folder.glob("findings/*/finding.json")
    return finding.parent


def everything_in(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_wireshark_opens_a_finding_and_reads_it_with_its_secrets(ocppfuzz, tmp_path):
    done = ocppfuzz(*FINDING, "--security-profile", 3)
    assert done.code == 1, done.out + done.err
    finding = only_finding(tmp_path)
    capture, keys = finding / "handshake.pcapng", finding / "private" / "keys.log"

    shown = tshark(capture, "-Y", "tls")
    for part in ("Client Hello", "Server Hello, Certificate", "Application Data", "Alert"):
        assert part in shown, shown
    # Two connections may well have been given the same port, one after the other.
    flagged = "(tcp.analysis.flags and not tcp.analysis.reused_ports) or _ws.malformed"
    assert tshark(capture, "-Y", flagged) == ""
    assert tshark(capture, "-Y", "http") == ""

    decrypted = tshark(capture, "-o", f"tls.keylog_file:{keys}", "-Y", "http or websocket")
    assert "GET /ocpp/OCPPFUZZ0001" in decrypted, decrypted
    assert "WebSocket Connection Close" in decrypted, decrypted
    assert keys.stat().st_mode & 0o077 == 0
    assert keys.parent.stat().st_mode & 0o077 == 0

    secret = keys.read_text().split()[2].encode()
    files = everything_in(tmp_path)
    told = done.out.encode() + done.err.encode()
    assert not any(secret in data for file, data in files.items() if file != keys)
    assert not any(b"PRIVATE KEY" in data for data in (*files.values(), told))

    again = ocppfuzz("replay", finding, "--defect", "P47")
    assert (again.code, again.out.splitlines()[-1].split()[0]) == (1, "reproduced"), again.out
    mended = ocppfuzz("replay", finding)
    assert (mended.code, mended.out.splitlines()[-1].split()[0]) == (0, "fixed"), mended.out


def test_a_password_is_in_no_file_and_the_connection_that_carried_it_stays_unreadable(
    ocppfuzz, tmp_path
):
    from fuzz.lab.stations import PASSWORD

    done = ocppfuzz(*FINDING, "--security-profile", 2, "--json")
    assert done.code == 1, done.out + done.err
    finding = only_finding(tmp_path)
    (exposure,) = json.loads((finding / "tls.json").read_text())["exposures"]
    assert any("authorization" in c["request_headers"] for c in exposure["connections"])
    assert not (finding / "private" / "keys.log").exists()
    everything = (*everything_in(tmp_path).values(), done.out.encode(), done.err.encode())
    for secret in (PASSWORD.encode(), b"Basic ", b"CLIENT_RANDOM", b"PRIVATE KEY"):
        assert not any(secret in data for data in everything)
