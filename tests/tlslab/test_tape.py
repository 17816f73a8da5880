from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, strategies as st

from tlslab.build import alert, client_hello, codes, flight, handshake, record, server_hello, vector
from tlslab.describe import Description, KeyKind
from tlslab.flight import KeyExchange
from tlslab.pki import Credential, issue
from tlslab.seen import Alert, Chunk, Way
from tlslab.tape import TapeFacts, facts

NOW = datetime.now(UTC)
ROOT = issue(Description("root", is_ca=True), now=NOW)
SERVER = issue(Description("csms.test", key=KeyKind.EC_P256), now=NOW, issuer=ROOT)
CLIENT = issue(Description("CS-1", key=KeyKind.EC_P256), now=NOW, issuer=ROOT)


@pytest.fixture
def server_context(tmp_path) -> Callable[..., ssl.SSLContext]:
    def make(*, ask: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _load(context, SERVER, tmp_path)
        if ask:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=ROOT.certificate.decode())
        return context

    return make


@pytest.fixture
def client_context(tmp_path) -> Callable[..., ssl.SSLContext]:
    def make(*, version: ssl.TLSVersion, trusts: bool, shows: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = version
        if trusts:
            context.load_verify_locations(cadata=ROOT.certificate.decode())
        if shows:
            _load(context, CLIENT, tmp_path)
        return context

    return make


def _load(context: ssl.SSLContext, credential: Credential, folder) -> None:
    file = folder / "credential.pem"
    file.write_bytes(credential.presented + credential.key)
    context.load_cert_chain(file)


def _play(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> TapeFacts:
    """A handshake in memory, the peer being the client, as far as the two get; one second a turn."""
    bios = [ssl.MemoryBIO() for _ in range(4)]
    client = client_context.wrap_bio(bios[0], bios[1], server_hostname="csms.test")
    server = server_context.wrap_bio(bios[2], bios[3], server_side=True)
    tape = []
    for at in range(4):
        for end, source, sink, way in (
            (client, bios[1], bios[2], Way.PEER),
            (server, bios[3], bios[0], Way.LAB),
        ):
            with contextlib.suppress(ssl.SSLError):
                end.do_handshake()
            data = source.read()
            sink.write(data)
            if data:
                tape.append(Chunk(float(at), way, data))
    return facts(tape)


def _der(credential: Credential) -> bytes:
    return ssl.PEM_cert_to_DER_cert(credential.certificate.decode())


def test_a_whole_handshake_of_tls_1_2_is_told(server_context, client_context) -> None:
    client = client_context(version=ssl.TLSVersion.TLSv1_2, trusts=True, shows=True)
    told = _play(client, server_context(ask=True))
    assert told.client is Way.PEER
    assert (told.version, told.suite) == (0x0303, 0xC02C)
    assert told.server_chain[0] == _der(SERVER)
    assert told.client_chain[0] == _der(CLIENT)
    assert told.request is not None
    assert told.exchange == KeyExchange(group=29)
    assert told.hello is not None
    assert told.hello.server_name == "csms.test"
    assert told.client_finished
    assert told.server_finished
    assert told.alerts == told.hidden_alerts == ()


def test_a_whole_handshake_of_tls_1_3_is_told_as_far_as_it_is_plain(
    server_context, client_context
) -> None:
    client = client_context(version=ssl.TLSVersion.TLSv1_3, trusts=True, shows=False)
    told = _play(client, server_context(ask=False))
    assert (told.version, told.suite) == (0x0304, 0x1302)
    assert told.server_chain == ()
    assert told.client_finished
    assert told.server_finished
    assert told.hidden_alerts == ()


def test_a_client_that_refuses_in_tls_1_2_says_why(server_context, client_context) -> None:
    client = client_context(version=ssl.TLSVersion.TLSv1_2, trusts=False, shows=False)
    told = _play(client, server_context(ask=False))
    assert told.alerts == (Alert(1.0, Way.PEER, 48, 2),)
    assert not told.client_finished


def test_a_client_that_refuses_in_tls_1_3_did_not_finish(server_context, client_context) -> None:
    client = client_context(version=ssl.TLSVersion.TLSv1_3, trusts=False, shows=False)
    told = _play(client, server_context(ask=False))
    assert [a.way for a in told.alerts] == [Way.PEER]
    assert not told.client_finished
    assert told.server_finished


HELLO = Chunk(0.0, Way.PEER, client_hello(suites=(0x1301,)))
CHOSEN_1_3 = Chunk(0.1, Way.LAB, flight(server_hello(suite=0x1301, extensions=((43, b"\3\4"),))))


@pytest.mark.parametrize(
    ("size", "hidden", "finished"), [(19, 1, False), (53, 0, True), (30, 0, False)]
)
def test_what_is_encrypted_in_tls_1_3_is_known_by_its_length(
    size: int, hidden: int, finished: bool
) -> None:
    told = facts(
        [HELLO, CHOSEN_1_3, Chunk(0.2, Way.PEER, record(20, b"\1") + record(23, bytes(size)))]
    )
    assert told.hidden_alerts == ((0.2, Way.PEER),) * hidden
    assert told.client_finished is finished


def test_an_encrypted_alert_of_tls_1_2_is_told() -> None:
    told = facts([Chunk(0.2, Way.PEER, record(20, b"\1") + record(21, bytes(26)))])
    assert told.hidden_alerts == ((0.2, Way.PEER),)


def test_a_server_that_refuses_is_heard() -> None:
    hello = client_hello(suites=(0xC02B,))
    told = facts([Chunk(0.5, Way.LAB, hello), Chunk(0.7, Way.PEER, alert(2, 70))])
    assert told.client is Way.LAB
    assert told.alerts == (Alert(0.7, Way.PEER, 70, 2),)
    assert (told.version, told.suite) == (0, 0)


def test_an_alert_is_told_with_the_time_of_its_last_byte() -> None:
    data = alert(1, 90) + alert(2, 40)
    told = facts([Chunk(float(i), Way.PEER, data[i : i + 1]) for i in range(len(data))])
    assert [(a.at_s, a.number, a.level) for a in told.alerts] == [(6.0, 90, 1), (13.0, 40, 2)]


def test_a_flood_of_alerts_is_bounded() -> None:
    assert len(facts([Chunk(0.0, Way.PEER, alert(1, 90) * 5000)]).alerts) == 100


def test_the_names_of_a_request_are_told() -> None:
    request = handshake(13, b"\x01\x40" + codes((0x0403,), 2) + vector(vector(b"name", 2), 2))
    chosen = flight(server_hello(suite=0xC02B), request)
    assert facts([HELLO, Chunk(0.1, Way.LAB, chosen)]).requested_names == (b"name",)


def test_nothing_said_tells_nothing() -> None:
    assert facts([]) == TapeFacts(Way.PEER)


STREAMS = st.one_of(
    st.binary(max_size=100),
    st.builds(
        lambda kind, body, size: record(22, handshake(kind, body), size=size),
        st.sampled_from([1, 2, 11, 12, 13, 14]),
        st.binary(max_size=100),
        st.integers(1, 100),
    ),
    st.builds(record, st.integers(19, 24), st.binary(max_size=60)),
    st.sampled_from(
        [
            client_hello(suites=(0xC02B,)),
            flight(server_hello(suite=0xC02B)),
            flight(server_hello(suite=0x1301, extensions=((43, b"\x03\x04"),))),
        ]
    ),
)


@given(said=st.lists(st.tuples(st.sampled_from(list(Way)), STREAMS), max_size=6))
@example(said=[(Way.LAB, flight(server_hello(suite=0x0090), handshake(12, b"\x00\x02ab\x00")))])
def test_hostile_bytes_never_make_it_raise(said: list[tuple[Way, bytes]]) -> None:
    told = facts([Chunk(float(at), way, data) for at, (way, data) in enumerate(said)])
    assert told.client in Way
    assert all(0 <= a.at_s < max(len(said), 1) for a in told.alerts)
