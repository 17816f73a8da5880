"""Judges that nobody here wrote: sslscan, testssl.sh and sslyze find what our enumeration finds, on the reference CSMS.

Each is a process of its own. In security profile 3 those that need a certificate to finish a handshake get one.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from fuzz.target.embedded_csms import CsmsPort, CsmsStation, EmbeddedCsms
from tlslab.pki import Lab
from tlslab.probe import survey
from tlslab.suites import code_of

IDENTITY, PASSWORD = "CS-1", "0123456789abcdef-secret"
JUDGE_S = 100
VERSIONS = {"TLSv1.0": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
SERVERS = {
    "profile 2": (2, ()),
    "profile 3": (3, ()),
    "profile 2 with old TLS": (2, ("old-tls",)),
}
HEALTHY = {
    0x0303: {0xC02B, 0xC02C, 0x009C, 0x009D},
    0x0304: {0x1301, 0x1302, 0x1303},
}
"""The four suites of A00.FR.318, and those of TLS 1.3."""

SSLYZE = """
import json, sys
from pathlib import Path
from sslyze import (
    ClientAuthenticationCredentials, ScanCommand, Scanner, ServerNetworkConfiguration,
    ServerNetworkLocation, ServerScanRequest,
)
port, certificate, key = sys.argv[1:]
commands = {c for c in ScanCommand if c.value.endswith("_cipher_suites")}
own = ClientAuthenticationCredentials(certificate_chain_path=Path(certificate), key_path=Path(key))
request = ServerScanRequest(
    ServerNetworkLocation("localhost", int(port), "127.0.0.1"),
    ServerNetworkConfiguration("localhost", tls_client_auth_credentials=own),
    scan_commands=commands,
)
scanner = Scanner()
scanner.queue_scans([request])
(result,) = scanner.get_results()
found = {}
for command in commands:
    accepted = getattr(result.scan_result, command.value).result.accepted_cipher_suites
    found[command.value] = [s.cipher_suite.name for s in accepted]
print(json.dumps(found))
"""


def need(tool: str) -> str:
    """Where the judge is; without it the test fails where peers are required, and is skipped elsewhere."""
    path = shutil.which(tool)
    if path is None:
        _missing(f"{tool} is not installed")
    return path


def _missing(reason: str) -> None:
    if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    return Lab.create(folder, now=datetime.now(UTC), serial=IDENTITY)


@pytest.fixture(params=SERVERS.values(), ids=SERVERS)
async def server(request, lab, tmp_path):
    """The reference CSMS; gives its port and what our own enumeration finds there."""
    profile, defects = request.param
    csms = EmbeddedCsms(
        folder=tmp_path,
        stations=[CsmsStation(IDENTITY, profile, PASSWORD if profile < 3 else None)],
        ports=[CsmsPort(profile)],
        pki=lab.folder,
        defects=defects,
    )
    await csms.start()
    port = urlsplit(csms.url(profile)).port
    found = await survey(
        lambda: asyncio.open_connection("127.0.0.1", port), server_name="localhost"
    )
    ours = {version: set(found.accepted(version)) for version in found.supported}
    if defects:
        assert {v: suites & {0x002F} for v, suites in ours.items()} == {
            0x0301: {0x002F}, 0x0302: {0x002F}, 0x0303: {0x002F}, 0x0304: set(),
        }  # fmt: skip
    else:
        assert ours == HEALTHY
    yield port, ours
    await csms.stop()


async def judged(*words: object) -> bytes:
    """What the judge says; the CSMS goes on meanwhile."""
    return await asyncio.to_thread(_run, [str(word) for word in words])


def _run(words: list[str]) -> bytes:
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, timeout=JUDGE_S, check=False
    )
    assert done.stdout, done.stderr.decode("utf-8", "replace")
    return done.stdout


async def test_sslscan_finds_the_same(server, lab):
    port, ours = server
    certificate = (f"--certs={lab.station.certificate}", f"--pk={lab.station.key}")
    said = await judged(
        need("sslscan"), "--xml=-", "--no-heartbleed", "--no-groups", *certificate, f"127.0.0.1:{port}"
    )  # fmt: skip
    theirs: dict[int, set[int]] = {}
    for cipher in ElementTree.fromstring(said).iter("cipher"):
        suites = theirs.setdefault(VERSIONS[cipher.attrib["sslversion"]], set())
        suites.add(int(cipher.attrib["id"], 16))
    assert theirs == ours


async def test_testssl_finds_the_same(server, tmp_path):
    port, ours = server
    file = tmp_path / "testssl.json"
    await judged(
        need("testssl"), "--jsonfile", file, "--warnings", "off", "--color", 0, "--quiet",
        "-p", "-E", f"127.0.0.1:{port}",
    )  # fmt: skip
    told = json.loads(file.read_text())
    names = {"TLS1": 0x0301, "TLS1_1": 0x0302, "TLS1_2": 0x0303, "TLS1_3": 0x0304}
    offered = {
        names[one["id"]]
        for one in told
        if one["id"] in names and one["finding"].startswith("offered")
    }
    assert offered == set(ours)
    assert _testssl_suites(told) == ours


def _testssl_suites(told: list[dict[str, str]]) -> dict[int, set[int]]:
    """Its `cipher-tls1_2_x9c` are one a suite, with the version in the id and the code behind the last `x`."""
    names = {"tls1": 0x0301, "tls1_1": 0x0302, "tls1_2": 0x0303, "tls1_3": 0x0304}
    found: dict[int, set[int]] = {}
    for one in told:
        if at := re.fullmatch(r"cipher-(tls1(?:_[123])?)_x([0-9a-f]+)", one["id"]):
            found.setdefault(names[at[1]], set()).add(int(at[2], 16))
    return found


async def test_sslyze_finds_the_same(server, lab):
    port, ours = server
    python = os.environ.get("OCPPFUZZ_SSLYZE")
    if python is None or shutil.which(python) is None:
        _missing("OCPPFUZZ_SSLYZE does not name the Python of an environment with sslyze")
    said = await judged(python, "-c", SSLYZE, port, lab.station.certificate, lab.station.key)
    names = {f"tls_1_{minor}_cipher_suites": 0x0301 + minor for minor in range(4)}
    told = {name: suites for name, suites in json.loads(said).items() if suites}
    theirs = {names[name]: {code_of(suite) for suite in suites} for name, suites in told.items()}
    assert theirs == ours
