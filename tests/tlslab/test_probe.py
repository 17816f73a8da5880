from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from tlslab.build import alert, flight, server_hello
from tlslab.describe import Description, KeyKind
from tlslab.pki import issue
from tlslab.probe import (
    MAX_SILENCES,
    Connect,
    Enumeration,
    Prober,
    Reply,
    ask,
    enumerate_suites,
    suites_of,
    survey,
)
from tlslab.suites import SIGNALS, SUITES, TLS_1_3_SUITES, suite
from tlslab.wire import ClientHello, NeedMoreData, parse_client_hello

NOW = datetime.now(UTC)
ROOT = issue(Description("root", is_ca=True), now=NOW)
KEYS = {
    kind: issue(Description("localhost", key=kind), now=NOW, issuer=ROOT)
    for kind in (KeyKind.EC_P256, KeyKind.RSA_2048)
}
OCPP = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
LATER = 0.2

Respond = Callable[[bytes], bytes | None]


@pytest.fixture
async def serving():
    """Makes a server of a function from ClientHello to answer; None keeps it silent. Gives how to connect."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(respond: Respond) -> Connect:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    if hello := await _hello(reader):
                        said = respond(hello)
                        writer.write(said or b"")
                        if said is None:
                            await reader.read()
                finally:
                    writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            stack.push_async_callback(server.wait_closed)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            return lambda: asyncio.open_connection("127.0.0.1", port)

        yield start


async def _hello(reader: asyncio.StreamReader) -> bytes:
    """The whole hello; nothing of whoever hung up before it was said."""
    data = b""
    while more := await reader.read(65536):
        data += more
        with contextlib.suppress(NeedMoreData):
            parse_client_hello(data)
            return data
    return b""


@pytest.fixture
def openssl(tmp_path) -> Callable[..., Respond]:
    """OpenSSL as a server with both kinds of certificate, alerts and all, but for the network."""

    def make(ciphers: str = OCPP, *, lowest: int = 0x0303, highest: int = 0x0304) -> Respond:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(ciphers)
        for kind, credential in KEYS.items():
            file = tmp_path / f"{kind.name}.pem"
            file.write_bytes(credential.presented + credential.key)
            context.load_cert_chain(file)
        context.minimum_version = ssl.TLSVersion(lowest)
        context.maximum_version = ssl.TLSVersion(highest)
        return lambda hello: _openssl_says(context, hello)

    return make


def _openssl_says(context: ssl.SSLContext, hello: bytes) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(hello)
    with contextlib.suppress(ssl.SSLError):
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    return outgoing.read()


def _choosing(choose: Callable[[ClientHello], int | None]) -> Respond:
    """A server that speaks TLS 1.2 with the suite that the function picks; None is refused by an alert."""

    def respond(data: bytes) -> bytes:
        hello = parse_client_hello(data)
        code = choose(hello) if 0x0303 in hello.versions else None
        return alert(2, 40) if code is None else flight(server_hello(suite=code))

    return respond


# --- against OpenSSL --------------------------------------------------------------------------------------


async def test_a_certified_csms_is_known_for_what_it_is(serving, openssl) -> None:
    found = await survey(await serving(openssl()))
    assert found.supported == (0x0303, 0x0304)
    assert found.undecided == ()
    assert found.accepted(0x0303, "ecdsa") == (0xC02B, 0xC02C)
    assert found.accepted(0x0303, "rsa") == (0x009C, 0x009D)
    assert found.accepted(0x0303) == (0xC02B, 0xC02C, 0x009C, 0x009D)
    assert set(found.accepted(0x0304)) == {0x1301, 0x1302, 0x1303}
    assert found.compression == 0
    assert found.extended_master_secret
    assert found.secure_renegotiation
    assert found.groups is not None
    assert {29, 23} <= set(found.groups.accepted)
    assert found.fallback is not None
    assert found.fallback.words == "refused by an alert (inappropriate_fallback)"
    assert found.probes < 80


async def test_what_is_not_accepted_is_rejected_by_an_alert(serving, openssl) -> None:
    found = await survey(await serving(openssl()))
    assert [found.versions[v].alert for v in (0x0301, 0x0302)] == [70, 70]
    assert found.versions[0x0300].reply is Reply.ALERT
    for enumeration in found.suites:
        every = {*enumeration.accepted, *enumeration.rejected}
        assert every == set(suites_of(enumeration.version))
        assert enumeration.undecided == enumeration.odd == ()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_old_versions_are_found(serving, openssl) -> None:
    old = openssl("ALL:@SECLEVEL=0", lowest=0x0301, highest=0x0302)
    found = await survey(await serving(old))
    assert found.supported == (0x0301, 0x0302)
    assert {0xC013, 0xC014, 0x002F, 0x0035} <= set(found.accepted(0x0301))
    assert found.extended_master_secret is None


async def test_suites_that_the_server_cannot_serve_do_not_hide_the_others(serving, openssl) -> None:
    # Without a DH group this server chooses ADH from a long list, and then gives up.
    connect = await serving(openssl("ALL:COMPLEMENTOFALL:@SECLEVEL=0", highest=0x0303))
    found = await Prober(connect).suites(0x0303, suites_of(0x0303), kind="ecdsa")
    assert {0xC02B, 0xC02C, 0xC0AC, 0xC05C} <= set(found.accepted)


async def test_groups_are_found_in_tls_1_2_as_well(serving, openssl) -> None:
    connect = await serving(openssl("ECDHE-RSA-AES128-GCM-SHA256", highest=0x0303))
    found = await Prober(connect).groups(0x0303, (0xC02F,))
    assert {29, 23, 24, 25} <= set(found.accepted)
    assert {1, 19, 256} <= set(found.rejected)


async def test_groups_that_an_ecdsa_certificate_hides_are_not_called_rejected(
    serving, openssl
) -> None:
    # It needs secp256r1 on offer, and takes it whenever it is.
    connect = await serving(openssl("ECDHE-ECDSA-AES128-GCM-SHA256", highest=0x0303))
    found = await Prober(connect).groups(0x0303, (0xC02B,))
    assert {29, 23} <= set(found.accepted)
    assert found.rejected == ()
    assert (19, Reply.HELLO) in found.undecided


async def test_without_ephemeral_suites_there_is_no_group_to_find(serving, openssl) -> None:
    found = await Prober(await serving(openssl())).groups(0x0303, (0x009C,))
    assert found == Enumeration(0x0303, "group")


# --- against odd servers ----------------------------------------------------------------------------------


@given(accepted=st.sets(st.sampled_from(suites_of(0x0303)), max_size=20))
async def test_exactly_what_is_taken_is_found(accepted: set[int]) -> None:
    server = _choosing(lambda hello: next((c for c in hello.suites if c in accepted), None))
    found = await Prober(_in_memory(server)).suites(0x0303, suites_of(0x0303))
    assert set(found.accepted) == accepted
    assert set(found.rejected) == set(suites_of(0x0303)) - accepted
    assert len(found.accepted) + len(found.rejected) == len(suites_of(0x0303))


@pytest.mark.slow
@given(cap=st.integers(1, 70))
async def test_a_server_that_takes_only_short_lists_hides_nothing(cap: int) -> None:
    accepted = {0xC02B, 0x009C, 0x000A}

    def choose(hello: ClientHello) -> int | None:
        if len(hello.suites) > cap:
            return None
        return next((c for c in hello.suites if c in accepted), None)

    found = await Prober(_in_memory(_choosing(choose))).suites(0x0303, suites_of(0x0303))
    assert set(found.accepted) == accepted


async def test_a_list_of_suites_never_holds_a_signal() -> None:
    seen: set[int] = set()

    def choose(hello: ClientHello) -> int | None:
        seen.update(hello.cipher_suites)
        return next((c for c in hello.suites if c == 0xC02B), None)

    assert await enumerate_suites(_in_memory(_choosing(choose)), 0x0303, suites_of(0x0303)) == [
        0xC02B
    ]
    assert not seen & set(SIGNALS)


async def test_a_server_that_chooses_what_was_not_offered_does_not_hold_us_up() -> None:
    found = await Prober(_in_memory(_choosing(lambda hello: 0xABCD))).suites(0x0303, (0xC02B,))
    assert (found.accepted, found.rejected, found.odd) == ((), (0xC02B,), (0xABCD,))


async def test_a_server_that_chooses_the_same_for_ever_does_not_hold_us_up() -> None:
    prober = Prober(_in_memory(_choosing(lambda hello: 0xC02B)))
    found = await prober.suites(0x0303, suites_of(0x0303))
    assert found.accepted == (0xC02B,)
    assert set(found.odd) == {0xC02B}
    assert prober.asked < 20


async def test_a_server_that_speaks_another_version_does_not_speak_this_one() -> None:
    answer = flight(server_hello(suite=0x002F, version=0x0301))
    found = await survey(_in_memory(lambda data: answer))
    assert found.supported == (0x0301,)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (b"", Reply.CLOSED),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reply.GARBAGE),
        (b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", Reply.GARBAGE),
        (b"\x16\x03\x03\x40\x00\x02", Reply.GARBAGE),
        (alert(2, 80), Reply.ALERT),
        (alert(1, 112) + flight(server_hello(suite=0xC02B)), Reply.HELLO),
        (flight(server_hello(suite=0xC02B), size=1), Reply.HELLO),
    ],
)
async def test_every_answer_is_told_apart(said: bytes, reply: Reply) -> None:
    assert (await ask(_in_memory(lambda data: said), b"hello")).reply is reply


@given(said=st.binary(max_size=100))
async def test_hostile_answers_never_make_it_raise(said: bytes) -> None:
    answer = await ask(_in_memory(lambda data: b"\x16\x03\x03\x00\x30\x02\x00\x00\x2c" + said), b"")
    assert answer.reply in Reply


async def test_closed_is_not_rejected_and_asked_twice() -> None:
    prober = Prober(_in_memory(lambda data: b""))
    found = await prober.suites(0x0304, (0x1301,))
    assert found.rejected == ()
    assert found.undecided == ((0x1301, Reply.CLOSED),)
    assert found.closed == (0x1301,)
    assert prober.asked == 2


async def test_a_server_that_closes_once_is_asked_again() -> None:
    answers = iter([b"", flight(server_hello(suite=0xC02B))])
    found = await Prober(_in_memory(lambda data: next(answers, alert(2, 40)))).suites(
        0x0303, (0xC02B,)
    )
    assert found.accepted == (0xC02B,)


async def test_silence_is_told_and_ends(serving) -> None:
    prober = Prober(await serving(lambda data: None), patience_s=0.01)
    found = await prober.suites(0x0303, suites_of(0x0303))
    assert {reply for _, reply in found.undecided} == {Reply.SILENCE}
    assert len(found.undecided) == len(suites_of(0x0303))
    assert prober.asked < MAX_SILENCES + prober.parallel


async def test_who_cannot_be_reached_is_not_judged() -> None:
    async def refuse() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise ConnectionRefusedError

    found = await survey(refuse)
    assert found.supported == ()
    assert found.undecided == (0x0300, 0x0301, 0x0302, 0x0303, 0x0304)
    assert found.versions[0x0303].words == "not reachable"


def test_every_suite_is_probed_in_some_version() -> None:
    probed = {*suites_of(0x0303), *TLS_1_3_SUITES}
    assert {suite(c).name for c in SUITES.keys() - probed} == {
        "TLS_NULL_WITH_NULL_NULL",
        "TLS_SHA256_SHA256",
        "TLS_SHA384_SHA384",
        "TLS_SM4_GCM_SM3",
        "TLS_SM4_CCM_SM3",
    }


class _Transport(asyncio.Transport):
    """Hands what is written to a function, and the answer to a reader."""

    def __init__(self, respond: Respond, reader: asyncio.StreamReader) -> None:
        super().__init__()
        self._respond, self._reader = respond, reader

    def write(self, data: object) -> None:
        self._reader.feed_data(self._respond(bytes(data)) or b"")  # type: ignore[call-overload]
        self._reader.feed_eof()

    def is_closing(self) -> bool:
        return True

    def abort(self) -> None:
        pass


def _in_memory(respond: Respond) -> Connect:
    """Connects to a server that is a function, without a network."""

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport = _Transport(respond, reader)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    return connect
