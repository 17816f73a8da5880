"""What our enumeration finds out about OpenSSL's server, next to what sslscan finds out about the same one."""

import asyncio
import shutil
import socket
import subprocess
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from tlslab.pki import Lab
from tlslab.probe import Reply, survey
from tlslab.suites import code_of

OPENSSL = shutil.which("openssl") or "openssl"
SSLSCAN = shutil.which("sslscan") or "sslscan"
OCPP = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)
OLD = (
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "AES128-SHA",
    "NULL-SHA256",
    "AECDH-NULL-SHA",
)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture
def serve(started, until, port, tmp_path):
    """An s_server with both certificates of a lab; gives its port."""
    lab = Lab.create(tmp_path / "lab", now=datetime.now(UTC))

    def start(*flags: object) -> int:
        server = started(
            *(OPENSSL, "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-quiet"),
            *("-cert", lab.csms.certificate, "-key", lab.csms.key),
            *("-dcert", lab.csms_rsa.certificate, "-dkey", lab.csms_rsa.key),
            *flags,
        )
        until(lambda: _listens(port), lambda: server.text)
        return port

    return start


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def look_at(port: int):
    return asyncio.run(
        survey(lambda: asyncio.open_connection("127.0.0.1", port), server_name="localhost")
    )


def codes(names) -> set[int | None]:
    return {code_of(name) for name in names}


@pytest.mark.parametrize(
    ("flags", "versions"),
    [
        (("-tls1_2",), (0x0303,)),
        (("-tls1_3",), (0x0304,)),
        ((), (0x0303, 0x0304)),
        (("-cipher", "ALL:@SECLEVEL=0"), (0x0301, 0x0302, 0x0303, 0x0304)),
    ],
    ids=["1.2", "1.3", "default", "all"],
)
def test_the_versions_of_s_server_are_found(serve, flags, versions):
    found = look_at(serve(*flags))
    assert found.supported == versions
    assert found.undecided == ()


@pytest.mark.parametrize("suite", OCPP)
def test_a_server_of_one_suite_has_that_suite_only(serve, suite):
    found = look_at(serve("-tls1_2", "-cipher", suite))
    assert found.accepted(0x0303) == (code_of(suite),)
    assert all(not e.undecided for e in found.suites)


def test_the_four_suites_of_ocpp_are_told_apart_by_certificate(serve):
    found = look_at(serve("-tls1_2", "-cipher", ":".join(OCPP)))
    assert set(found.accepted(0x0303, "ecdsa")) == codes(OCPP[:2])
    assert set(found.accepted(0x0303, "rsa")) == codes(OCPP[2:])


def test_suites_that_are_unfit_for_use_are_found(serve):
    found = look_at(serve("-cipher", ":".join((*OCPP, *OLD)) + ":@SECLEVEL=0"))
    assert codes((*OCPP, *OLD)) == set(found.accepted(0x0303))
    assert codes(["AES128-SHA", "ECDHE-RSA-AES128-SHA"]) <= set(found.accepted(0x0301))
    assert found.fallback is not None
    assert (found.fallback.reply, found.fallback.alert) == (Reply.ALERT, 86)


def test_a_client_certificate_that_is_asked_for_changes_nothing(serve, tmp_path):
    roots = ("-Verify", 1, "-CAfile", tmp_path / "lab" / "root.pem", "-verify_return_error")
    found = look_at(serve("-tls1_2", "-cipher", ":".join(OCPP), *roots))
    assert set(found.accepted(0x0303)) == codes(OCPP)


@pytest.mark.skipif(shutil.which("sslscan") is None, reason="sslscan is not installed")
@pytest.mark.parametrize(
    "flags",
    [("-tls1_2", "-cipher", ":".join(OCPP)), ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")],
    ids=["OCPP", "all"],
)
def test_sslscan_finds_the_same(serve, flags):
    port = serve(*flags)
    theirs = _sslscan(port)
    found = look_at(port)
    assert {v for v, suites in theirs.items() if suites} == set(found.supported)
    for version in found.supported:
        assert set(found.accepted(version)) == theirs[version]


def _sslscan(port: int) -> dict[int, set[int]]:
    """The suites by version; those versions are there that it looked at."""
    words = (SSLSCAN, "--xml=-", "--no-heartbleed", "--no-groups", f"127.0.0.1:{port}")
    done = subprocess.run(words, capture_output=True, timeout=60, check=True)
    tree = ElementTree.fromstring(done.stdout)
    names = {"TLSv1.0": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
    found: dict[int, set[int]] = {code: set() for code in names.values()}
    for cipher in tree.iter("cipher"):
        found[names[cipher.attrib["sslversion"]]].add(int(cipher.attrib["id"], 16))
    return found
