"""A lab server on loopback, its PKI, a session that only answers the upgrade, and callers made of Python's ssl."""

import asyncio
import contextlib
import socket
import ssl
import time
import warnings
from datetime import UTC, datetime

import pytest

from tlslab import pki
from tlslab.authority import Authority
from tlslab.bench import Station, StationBench
from tlslab.describe import DAY, Chain, Description, KeyKind
from tlslab.offers import ECDSA_SUITES
from tlslab.pretending import Papers
from tlslab.registry import Need
from tlslab.rehearsal import BEGAN, PretendStation
from tlslab.server import LabServer

UPGRADE = b"GET /ocpp/CS1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic c2VjcmV0\r\n\r\n"
PATIENCE_S = 10.0


def _now():
    return datetime.now(UTC)


class AnsweringSession:
    """Answers every request with `answer`, then listens until the caller goes."""

    def __init__(self):
        self.answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        self.heard = []

    async def serve(self, stream, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            data = await stream.read()
            if not data:
                return
            head += data
        await stream.write(self.answer)
        while data := await stream.read():
            self.heard.append(data)


class LabPki:
    """One root that everybody trusts, and what hangs under it."""

    def __init__(self):
        self.root = pki.issue(Description("lab root", is_ca=True), now=_now())
        self.authority = Authority(self.root, now=_now)
        self.ecdsa = self.server()
        self.rsa = self.server(key=KeyKind.RSA_2048)
        self.station = self.authority.issue(Chain(Description("CS1")))

    def server(self, **changes):
        description = Description("localhost", names=("localhost",), **changes)
        return self.authority.issue(Chain(description))

    @property
    def trusted(self):
        return self.root.certificate.decode()


@pytest.fixture(scope="session")
def lab_pki():
    return LabPki()


@pytest.fixture
def lab_session():
    return AnsweringSession()


@pytest.fixture
async def lab_server(lab_session):
    server = LabServer("127.0.0.1", 0, session=lab_session, monotonic=time.monotonic, now=_now)
    await server.start()
    yield server
    await server.aclose()


@pytest.fixture
def ended(lab_server):
    """The newest connection, once it is over."""

    async def wait(number=0):
        def over():
            newest = lab_server.newest
            wanted = newest is not None and newest.number >= number
            return newest if wanted and newest.ended_s is not None else None

        connection = await lab_server.until(over, within=PATIENCE_S)
        assert connection is not None, lab_server.newest
        return connection

    return wait


def _talk(port, context, request, then, shown, tmp):
    if shown is not None:
        path = tmp / "shown.pem"
        path.write_bytes(shown.key + shown.presented)
        context.load_cert_chain(path)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(request)
        answer = tls.recv(1000)
        if then:
            tls.sendall(then)
        with contextlib.suppress(OSError, ssl.SSLError):
            tls.unwrap()
        return answer


@pytest.fixture
def calls(lab_server, lab_pki, tmp_path):
    """Dials the lab in a thread: the answer to the request, or the error that ended it."""

    async def call(
        *, request=UPGRADE, then=b"", suites="", lowest=None, highest=None, trusted=None, shown=None
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=trusted or lab_pki.trusted)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            if suites:
                context.set_ciphers(suites)
            if lowest:
                context.minimum_version = lowest
            if highest:
                context.maximum_version = highest
        arguments = (lab_server.port, context, request, then, shown, tmp_path)
        try:
            return await asyncio.to_thread(_talk, *arguments)
        except (OSError, ssl.SSLError) as error:
            return error

    return call


@pytest.fixture
def bench():
    """A bench with a pretended station in security profile 3 that has papers."""
    pretend = PretendStation(lambda *_: "")
    root = pki.issue(
        Description("lab root", is_ca=True, begins=-DAY, validity=3650 * DAY), now=BEGAN
    )
    authority = Authority(root, now=pretend.wall)
    pretend.papers = Papers(authority, serial="SN-1", organization="O", now=pretend.wall)
    pretend.rule = pretend.papers.meets
    station = Station(
        "csms.test", "SN-1", "O", 3, suites=ECDSA_SUITES, own_roots=(root.certificate,)
    )
    found = StationBench(
        station,
        pretend,
        pretend,
        authority,
        pretend.wall,
        pretend.monotonic,
        signer=authority,
        available=frozenset(Need),
    )
    found.reconnect_s = 1.0
    return found
