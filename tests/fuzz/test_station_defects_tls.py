"""Each defect of TLS in a real handshake: with a CSMS that the healthy station turns away, or with one that it likes."""

import asyncio
import ssl
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from fuzz.station import connecting
from fuzz.station.connecting import NotConnected, Route, dial
from fuzz.station.defects import defects
from fuzz.station.events import Failure
from fuzz.station.keystore import Credentials
from fuzz.station.planting import find_wire
from fuzz.station.wire import HEALTHY
from tlslab.authority import Authority
from tlslab.describe import DAY, Chain, Description, Digest, KeyKind, Root
from tlslab.pki import Credential, issue

SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
LEAF = Description("localhost")
CA = Description("intermediate", is_ca=True)
RSA_CA = replace(CA, key=KeyKind.RSA_2048)
PASSWORD = "a-password-of-old"

PROPER = Chain(LEAF)
NAMED = Chain(replace(LEAF, names=("localhost",)))
SHOWN = {
    "expired": Chain(replace(LEAF, begins=-9 * DAY, validity=-2 * DAY)),
    "not yet valid": Chain(replace(LEAF, begins=2 * DAY)),
    "expired CA": Chain(LEAF, (replace(CA, begins=-9 * DAY, validity=-2 * DAY),)),
    "another host": Chain(replace(LEAF, common_name="other.test")),
    "NUL": Chain(replace(LEAF, common_name="localhost\0.other.test")),
    "*": Chain(replace(LEAF, common_name="*")),
    "self-signed": Chain(LEAF, root=Root.NONE),
    "unknown root": Chain(LEAF, root=Root.STRANGER),
    "namesake": Chain(LEAF, root=Root.NAMESAKE),
    "broken": Chain(replace(LEAF, broken=True)),
    "no basicConstraints": Chain(LEAF, (replace(CA, is_ca=None),)),
    "signed by a leaf": Chain(LEAF, leaf_signs=True),
    "too long": Chain(LEAF, (replace(CA, path_length=0), replace(CA, common_name="second"))),
    "constrained": Chain(
        replace(LEAF, names=("localhost",)), (replace(CA, permitted=("other.test",)),)
    ),
    "not understood": Chain(replace(LEAF, unknown_critical=True)),
    "for clients": Chain(replace(LEAF, extended=("clientAuth",))),
    "weak CA": Chain(LEAF, (replace(CA, key=KeyKind.RSA_1024),)),
    "SHA-1": Chain(replace(LEAF, digest=Digest.SHA1)),
    "MD5": Chain(replace(LEAF, digest=Digest.MD5), (RSA_CA,)),
}  # fmt: skip
TRUSTS = {
    "P47": set(SHOWN),
    "P48": {"another host", "NUL"},
    "P70": {"*"},
    "P72": {"expired", "expired CA"},
    "P73": {"not yet valid"},
    "P75": {"no basicConstraints", "signed by a leaf"},
    "P76": {"too long"},
    "P77": {"constrained"},
    "P78": {"self-signed"},
    "P79": {"namesake", "broken"},
    "P80": {"weak CA"},
    "P81": {"SHA-1", "MD5"},
    "P82": {"for clients"},
    "P83": {"not understood"},
}
LIKE_THE_HEALTHY = ("P84", "P85", "P86", "P87", "P88", "P97")


@pytest.fixture(scope="module")
def authority():
    now = datetime.now(UTC)
    root = issue(Description("root", is_ca=True, validity=3650 * DAY), now=now)
    return Authority(root, now=lambda: now)


@pytest.fixture(scope="module")
def context(authority, tmp_path_factory) -> Callable[..., ssl.SSLContext]:
    """The TLS of a CSMS that shows a chain."""
    folder = tmp_path_factory.mktemp("csms")
    made: dict[Chain, ssl.SSLContext] = {}

    def show(chain: Chain) -> ssl.SSLContext:
        if chain not in made:
            path = folder / f"{len(made)}.pem"
            write(path, authority.issue(chain))
            made[chain] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made[chain].set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
            made[chain].load_cert_chain(path)
        return made[chain]

    return show


def write(path: Path, credential: Credential) -> None:
    path.write_bytes(credential.key + credential.presented)


class Csms:
    """A CSMS that lets everybody in; the requests that it got."""

    def __init__(self, tls: ssl.SSLContext, answer: Response | None = None) -> None:
        self.requests = []
        self._tls = tls
        self._answer = answer

    async def __aenter__(self):
        self._server = await serve(
            lambda socket: socket.wait_closed(),
            "127.0.0.1",
            0,
            ssl=self._tls,
            subprotocols=["ocpp2.0.1"],
            process_request=self._take,
        )
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"wss://localhost:{port}"
        return self

    async def __aexit__(self, *_exception):
        self._server.close()
        await self._server.wait_closed()

    def _take(self, _connection, request):
        self.requests.append(request)
        return self._answer


@pytest.fixture
def outcome(authority, context):
    """What comes of an attempt: None when it is connected; a new station each time, unless its wire is given."""

    async def dialled(chain, *defect, wire=None, tls=None):
        async with Csms(tls or context(chain)) as csms:
            return await attempt(csms.url, authority, wire or find_wire(defect))

    return dialled


async def attempt(url, authority, wire):
    route = Route(url, "CS", 2, "ocpp2.0.1", SUITES)
    connecting._context.cache_clear()  # which a defect may have altered
    given = Credentials(password=PASSWORD, roots=(authority.root.certificate.decode(),))
    try:
        connection = await dial(route, given, wire)
    except NotConnected as error:
        return error.failure
    await connection.close()
    return None


# --- whom it trusts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", [PROPER, NAMED, Chain(LEAF, (CA,))])
@pytest.mark.parametrize("defect", [(), *((number,) for number in (*TRUSTS, *LIKE_THE_HEALTHY))])
async def test_everybody_trusts_a_proper_csms(outcome, chain, defect):
    assert await outcome(chain, *defect) is None


@pytest.mark.parametrize("shown", SHOWN)
async def test_the_healthy_station_trusts_no_other(outcome, shown):
    assert await outcome(SHOWN[shown]) is Failure.CSMS_CERTIFICATE


@pytest.mark.parametrize("number", TRUSTS)
async def test_a_defect_trusts_what_it_overlooks_and_nothing_else(outcome, number):
    trusted = {shown for shown, chain in SHOWN.items() if await outcome(chain, number) is None}
    assert trusted == TRUSTS[number]


@pytest.mark.parametrize("number", LIKE_THE_HEALTHY)
async def test_a_defect_of_something_else_trusts_nobody_more(outcome, number):
    for chain in SHOWN.values():
        assert await outcome(chain, number) is Failure.CSMS_CERTIFICATE


async def test_p74_needs_an_alternative_name_and_nothing_else(outcome):
    assert await outcome(PROPER, "P74") is Failure.CSMS_CERTIFICATE
    assert await outcome(NAMED, "P74") is None
    beside = Chain(replace(LEAF, common_name="other.test", names=("localhost",)))
    assert await outcome(beside, "P74") is None
    assert await outcome(beside) is Failure.CSMS_CERTIFICATE
    for shown in ("expired", "self-signed", "another host"):
        assert await outcome(SHOWN[shown], "P74") is Failure.CSMS_CERTIFICATE


# --- what it offers ---------------------------------------------------------------------------------------


def only(context, *suites):
    context.set_ciphers(":".join((*suites, "@SECLEVEL=0")))
    return context


@pytest.fixture
def fresh(authority, tmp_path):
    """The TLS of a CSMS that may be altered."""

    def make(chain=PROPER):
        write(tmp_path / "own.pem", authority.issue(chain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
        context.load_cert_chain(tmp_path / "own.pem")
        return context

    return make


RSA_LEAF = Chain(replace(LEAF, key=KeyKind.RSA_2048))


@pytest.mark.parametrize("suite", ["NULL-SHA256", "AES128-SHA"])
async def test_p84_offers_suites_that_protect_nothing(outcome, fresh, suite):
    for defect, connected in (((), False), (("P84",), True)):
        tls = only(fresh(RSA_LEAF), suite)
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
        failure = await outcome(RSA_LEAF, *defect, tls=tls)
        assert (failure is None) is connected


def ending_at(context, version):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
    return context


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
async def test_p97_speaks_old_versions(outcome, fresh, version):
    old = ssl.TLSVersion[version]
    assert await outcome(PROPER, "P97", tls=ending_at(fresh(), old)) is None
    assert await outcome(PROPER, tls=ending_at(fresh(), old)) is not None


async def test_p85_offers_old_versions_after_a_failure_and_at_no_other_time(outcome, fresh):
    wire = find_wire(["P85"])

    async def old_is_taken():
        taken = await outcome(PROPER, wire=wire, tls=ending_at(fresh(), ssl.TLSVersion.TLSv1))
        return taken is None

    assert not await old_is_taken()
    assert await old_is_taken()
    assert not await old_is_taken()
    assert await outcome(PROPER, wire=wire) is None
    assert not await old_is_taken()


# --- what it says too early, and to whom ------------------------------------------------------------------


@pytest.mark.parametrize(("defect", "requests"), [((), 0), (("P86",), 1)])
async def test_p86_tells_its_password_to_whom_it_does_not_trust(
    authority, context, defect, requests
):
    async with Csms(context(SHOWN["self-signed"])) as csms:
        failure = await attempt(csms.url, authority, find_wire(defect))
    assert failure is Failure.CSMS_CERTIFICATE
    assert ["Authorization" in request.headers for request in csms.requests] == [True] * requests


@pytest.mark.parametrize(("defect", "said"), [((), b""), (("P87",), b"GET /elsewhere")])
async def test_p87_follows_a_redirect_into_the_open(authority, context, defect, said):
    heard = bytearray()

    async def hear(reader, writer):
        heard.extend(await reader.read(100))
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as plain:
        there = f"http://localhost:{plain.sockets[0].getsockname()[1]}/elsewhere"
        headers = Headers({"Location": there, "Content-Length": "0"})
        async with Csms(context(PROPER), Response(301, "Moved", headers, b"")) as csms:
            assert await attempt(csms.url, authority, find_wire(defect)) is Failure.UNREACHABLE
    assert bytes(heard).startswith(said)
    assert bool(heard) is bool(said)


def test_p88_alone_lets_the_csms_renegotiate():
    def made():
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    context = made()
    context.options |= ssl.OP_NO_RENEGOTIATION
    assert HEALTHY.tls(context).options & ssl.OP_NO_RENEGOTIATION
    assert not defects()["P88"].rewire(HEALTHY).tls(context).options & ssl.OP_NO_RENEGOTIATION
