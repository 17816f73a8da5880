"""The cases of a CSMS against a proper server of Python's ssl, and against one with each flaw."""

import asyncio
import ssl
import time
import warnings
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from tlslab import pki
from tlslab.authority import Authority
from tlslab.client import LabClient
from tlslab.csms_bench import Csms, CsmsBench
from tlslab.describe import Chain, Description, KeyKind
from tlslab.knock import Identity
from tlslab.lab import play
from tlslab.registry import Need, Side, all_cases
from tlslab.session import NotAnswered
from tlslab.verdict import Outcome

SUITES = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
PASSWORDS = {"CS1": "first-password-0000", "CS2": "other-password-0000"}


def _now():
    return datetime.now(UTC)


class _Conversation:
    """A conversation in which the BootNotification of whom the path names is accepted."""

    def __init__(self, stream, status, name=""):
        self.stream, self.status, self.open, self.name = stream, status, status == 101, name

    async def call(self, action, payload, *, within=10.0):
        if action != "BootNotification":
            raise NotAnswered(action)
        own = payload["chargingStation"]["serialNumber"] == self.name
        return {"status": "Accepted" if own else "Rejected"}

    def answer(self, action, payload):
        raise AssertionError(action)

    async def close(self):
        await self.stream.close()


class _Caller:
    async def dial(self, stream, *, host, path, headers=(), basic=None, subprotocol=None):
        told = list(headers)
        if basic is not None:
            told.append(("Authorization", "Basic " + b64encode(":".join(basic).encode()).decode()))
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{n}: {v}" for n, v in told), "", ""]
        await stream.write("\r\n".join(lines).encode())
        answer = b""
        while b"\r\n" not in answer:
            data = await stream.read()
            if not data:
                return _Conversation(stream, 0)
            answer += data
        return _Conversation(stream, int(answer.split(b" ")[1]), path.rpartition("/")[2])


class _Pki:
    def __init__(self):
        self.root = pki.issue(Description("root", is_ca=True), now=_now())
        self.authority = Authority(self.root, now=_now)
        kinds = (KeyKind.EC_P256, KeyKind.RSA_2048)
        self.shown = [
            self.authority.issue(Chain(Description("localhost", names=("localhost",), key=kind)))
            for kind in kinds
        ]

    def identity(self, name):
        credential = self.authority.issue(Chain(Description(name)))
        return Identity(name, password=PASSWORDS[name], credential=credential)


@pytest.fixture(scope="session")
def csms_pki():
    return _Pki()


class _Door:
    """A CSMS of a few lines; its flaws are the keyword arguments."""

    def __init__(self, keys, profile, tmp, **flaws):
        self.keys, self.profile, self.flaws = keys, profile, flaws
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers(flaws.get("suites", SUITES))
        for number, credential in enumerate(keys.shown[: flaws.get("certificates", 2)]):
            file = tmp / f"{number}.pem"
            file.write_bytes(credential.key + credential.presented)
            self.context.load_cert_chain(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.context.minimum_version = flaws.get("lowest", ssl.TLSVersion.TLSv1_2)
        if profile == 3:
            asks = ssl.CERT_OPTIONAL if flaws.get("no_certificate") else ssl.CERT_REQUIRED
            self.context.verify_mode = asks
            self.context.load_verify_locations(cadata=keys.root.certificate.decode())
            if flaws.get("any_time"):
                self.context.verify_flags |= ssl.VerifyFlags(0x200000)

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            name = head[0].split(" ")[1].rpartition("/")[2]
            status = 101 if self.admits(name, head[1:], writer) else 401
            writer.write(f"HTTP/1.1 {status} X\r\n\r\n".encode())
            await writer.drain()
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    def admits(self, name, headers, writer):
        if self.profile == 3:
            shown = writer.get_extra_info("peercert") or {}
            names = dict(part[0] for part in shown.get("subject", ()))
            return self.flaws.get("unbound") or names.get("commonName") == name
        right = b64encode(f"{name}:{PASSWORDS.get(name)}".encode()).decode()
        told = [h.split(" ", 2)[1:] for h in headers if h.lower().startswith("authorization:")]
        if self.flaws.get("any_password"):
            return bool(told)
        scheme = str.lower if not self.flaws.get("strict_scheme") else str
        return any(scheme(t[0]).title() == "Basic" and t[1:] == [right] for t in told) and (
            not self.flaws.get("strict_scheme") or told[0][0] == "Basic"
        )


@pytest.fixture
async def outcomes(csms_pki, tmp_path):
    """Plays cases against a server: id to outcome."""
    servers = []

    async def run(*ids, profile=2, **flaws):
        door = _Door(csms_pki, profile, tmp_path, **flaws)
        server = await asyncio.start_server(door.serve, "127.0.0.1", 0, ssl=door.context)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        first, other = (csms_pki.identity(n) for n in ("CS1", "CS2"))
        bench = CsmsBench(
            Csms("localhost", first, profile, server_name="localhost", other=other),
            LabClient("127.0.0.1", port, monotonic=time.monotonic, now=_now),
            _Caller(),
            _now,
            time.monotonic,
            authority=csms_pki.authority,
            available=frozenset({Need.STATION_CA, Need.TWO_IDENTITIES}),
        )
        return {i: (await play(all_cases()[i], bench)).outcome for i in ids}

    yield run
    for server in servers:
        server.close()


BASIC = ("TC-41", "TC-42", "TC-43", "TC-44", "TC-45", "TC-46")
CERTIFICATES = ("TC-13", "TC-14", "TC-15", "TC-16", "TC-17", "TC-18", "TC-19", "TC-21", "TC-27")


async def test_a_proper_server_of_passwords_passes(outcomes):
    assert set((await outcomes(*BASIC, "TC-50")).values()) == {Outcome.PASSED}


async def test_a_proper_server_of_certificates_passes(outcomes):
    assert set((await outcomes(*CERTIFICATES, profile=3)).values()) == {Outcome.PASSED}


async def test_a_proper_server_passes_what_hellos_tell(outcomes):
    ids = ("TC-01", "TC-02", "TC-03", "TC-04", "TC-06", "TC-09", "TC-12")
    assert set((await outcomes(*ids)).values()) == {Outcome.PASSED}


@pytest.mark.parametrize(
    ("case", "profile", "flaws"),
    [
        ("TC-41", 2, {"any_password": True}),
        ("TC-44", 2, {"any_password": True}),
        ("TC-45", 2, {"strict_scheme": True}),
        ("TC-19", 3, {"unbound": True}),
        ("TC-21", 3, {"unbound": True}),
        ("TC-13", 3, {"unbound": True, "no_certificate": True}),
        ("TC-33", 3, {"unbound": True, "no_certificate": True}),
        ("TC-17", 3, {"any_time": True}),
        ("TC-53", 2, {}),
        ("TC-12", 2, {"certificates": 1}),
        ("TC-03", 2, {"certificates": 1}),
        ("TC-01", 2, {"suites": "ALL:@SECLEVEL=0", "lowest": ssl.TLSVersion.TLSv1}),
    ],
)
async def test_a_flaw_fails_its_case(outcomes, case, profile, flaws):
    assert await outcomes(case, profile=profile, **flaws) == {case: Outcome.FAILED}


def test_every_id_of_the_check_list_is_a_case_or_is_left_out_with_a_reason():
    from tlslab.registry import all_left_out

    known = {**all_cases(), **all_left_out()}
    assert [f"TC-{n:02}" for n in range(1, 55) if f"TC-{n:02}" not in known] == []


def test_every_case_of_a_csms_says_what_it_is_about():
    cases = [c for c in all_cases().values() if c.side is Side.CSMS]
    assert [c.id for c in cases if not c.title.endswith(".") or not c.expects] == []
