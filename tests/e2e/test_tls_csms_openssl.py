"""`openssl s_server` as a CSMS before the lab: its TLS is judged as what it is.

It speaks no WebSocket: the page that it shows is taken for 101, and for an accepted boot.
"""

import asyncio
import shutil
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from tlslab.authority import Authority
from tlslab.client import LabClient
from tlslab.csms_bench import Csms, CsmsBench
from tlslab.describe import Chain, Description
from tlslab.knock import Identity
from tlslab.lab import play
from tlslab.pki import Lab
from tlslab.registry import Need, all_cases
from tlslab.verdict import Outcome

OPENSSL = shutil.which("openssl")
OCPP = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
STRICT = ("-Verify", "3", "-verify_return_error")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")


def _now():
    return datetime.now(UTC)


class _Taken:
    """The conversation with a server that has answered HTTP: whatever we say then counts as accepted."""

    def __init__(self, stream, status):
        self.stream, self.status, self.open = stream, status, status == 101

    async def call(self, action, payload, *, within=10.0):
        return {"status": "Accepted"}

    async def close(self):
        await self.stream.close()


class _Caller:
    """Says a request; any answer is taken for a WebSocket."""

    async def dial(self, stream, *, host, path, headers=(), basic=None, subprotocol=None):
        await stream.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = await stream.read()
        return _Taken(stream, 101 if answer.startswith(b"HTTP/1.0 200") else 0)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("pki"), now=_now(), serial="CS1")


@pytest.fixture
def outcomes(lab, unused_tcp_port):
    """Plays cases in security profile 3, or 2, against s_server with further options: id to outcome."""
    authority = Authority(lab.root.read(), now=_now)

    @asynccontextmanager
    async def running(options):
        command = [OPENSSL, "s_server", "-accept", f"127.0.0.1:{unused_tcp_port}", "-www", "-quiet"]
        command += ["-cert", lab.csms.certificate, "-key", lab.csms.key]
        command += ["-dcert", lab.csms_rsa.certificate, "-dkey", lab.csms_rsa.key]
        command += ["-CAfile", lab.root.certificate, *options]
        null = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *command, stdin=null, stdout=null, stderr=null
        )
        try:
            await _listens(unused_tcp_port)
            yield
        finally:
            process.kill()
            await process.wait()

    async def run(*ids, options=("-cipher", OCPP), security_profile=3):
        one, other = (
            Identity(name, credential=authority.issue(Chain(Description(name))), password="secret")
            for name in ("CS1", "CS2")
        )
        bench = CsmsBench(
            Csms("localhost", one, security_profile, server_name="localhost", other=other),
            LabClient("127.0.0.1", unused_tcp_port, monotonic=time.monotonic, now=_now),
            _Caller(),
            _now,
            time.monotonic,
            authority=authority,
            available=frozenset({Need.STATION_CA, Need.TWO_IDENTITIES}),
        )
        async with running(options):
            await bench.prepare()
            return {i: (await play(all_cases()[i], bench)).outcome for i in ids}

    return run


async def _listens(port):
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    pytest.fail("openssl s_server does not listen")


HELLOS = ("TC-01", "TC-02", "TC-03", "TC-04", "TC-06", "TC-07", "TC-08", "TC-10", "TC-12")
CHAINS = ("TC-13", "TC-14", "TC-15", "TC-16", "TC-17", "TC-18", "TC-24", "TC-27")


async def test_what_openssl_serves_by_hellos_is_fine(outcomes):
    found = await outcomes(*HELLOS, security_profile=2)
    assert {i: o for i, o in found.items() if o is not Outcome.PASSED} == {}


async def test_openssl_that_verifies_refuses_chains_that_lead_nowhere(outcomes):
    found = await outcomes(*CHAINS, options=("-cipher", OCPP, *STRICT))
    assert {i: o for i, o in found.items() if o is not Outcome.PASSED} == {}


async def test_openssl_that_only_asks_lets_them_all_in(outcomes):
    found = await outcomes(*CHAINS[:-1], options=("-cipher", OCPP, "-verify", "3"))
    assert set(found.values()) == {Outcome.FAILED}


async def test_openssl_knows_no_identity(outcomes):
    found = await outcomes("TC-19", "TC-21", "TC-22", options=("-cipher", OCPP, *STRICT))
    assert set(found.values()) == {Outcome.FAILED}


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("TC-01", ("-cipher", "ALL:@SECLEVEL=0")),
        ("TC-02", ("-cipher", "ALL:@SECLEVEL=0")),
        ("TC-03", ("-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:AES128-GCM-SHA256")),
        ("TC-04", ("-cipher", "ALL:eNULL:@SECLEVEL=0")),
        ("TC-09", ("-cipher", OCPP, "-client_renegotiation")),
    ],
)
async def test_a_careless_option_fails_its_case(outcomes, case, options):
    assert await outcomes(case, options=options, security_profile=2) == {case: Outcome.FAILED}
