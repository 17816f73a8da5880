from __future__ import annotations

import ssl

import pytest
from hypothesis import given, strategies as st

from tlslab.build import (
    SOME_RANDOM,
    alert,
    client_hello,
    flight,
    record,
    server_hello,
)
from tlslab.flight import read_server_hello
from tlslab.records import messages, records
from tlslab.wire import is_grease, parse_client_hello

SUITES = st.lists(st.integers(0, 0xFFFF).filter(lambda c: not is_grease(c)), max_size=40).map(tuple)
TAILS = st.lists(
    st.tuples(st.integers(0x1000, 0x2000), st.binary(max_size=20)), max_size=3, unique_by=lambda e: e[0]
).map(tuple)  # fmt: skip


@given(
    suites=SUITES,
    versions=st.sets(st.sampled_from([0x0301, 0x0302, 0x0303, 0x0304]), min_size=1).map(tuple),
    name=st.sampled_from(["", "csms.example"]),
    compression=st.binary(min_size=1, max_size=3),
    session_id=st.binary(max_size=32),
    random=st.binary(min_size=32, max_size=32),
    grease=st.booleans(),
    size=st.integers(1, 500),
    extra=TAILS,
)
def test_a_built_hello_is_read_as_it_was_asked_for(
    suites: tuple[int, ...],
    versions: tuple[int, ...],
    name: str,
    compression: bytes,
    session_id: bytes,
    random: bytes,
    grease: bool,
    size: int,
    extra: tuple[tuple[int, bytes], ...],
) -> None:
    read = parse_client_hello(
        client_hello(
            versions=versions,
            suites=suites,
            server_name=name,
            compression=compression,
            session_id=session_id,
            random=random,
            grease=grease,
            size=size,
            extra=extra,
        )
    )
    best = max(versions)
    assert tuple(c for c in read.cipher_suites if not is_grease(c)) == suites
    assert read.versions == (tuple(sorted(versions, reverse=True)) if best > 0x0303 else (best,))
    assert read.server_name == name
    assert bytes(read.compression_methods) == compression
    assert (read.session_id, read.random) == (session_id, random)
    assert any(is_grease(c) for c in (*read.cipher_suites, *read.extensions)) is grease
    assert dict(extra).items() <= read.extensions.items()
    assert read.groups == (29, 23, 24, 25)


def test_a_hello_of_ssl_3_has_no_extensions() -> None:
    hello = client_hello(versions=(0x0300,), suites=(0x0035,), server_name="csms.example")
    assert hello[1:3] == b"\x03\x00"
    read = parse_client_hello(hello)
    assert read.versions == (0x0300,)
    assert read.extensions == {}


def test_a_bare_hello_has_no_extension_but_those_asked_for() -> None:
    bare = client_hello(suites=(0x0035,), server_name="csms.example", bare=True, extra=((23, b""),))
    assert parse_client_hello(bare).extensions == {23: b""}


def test_records_are_cut_as_asked() -> None:
    cut = list(records(client_hello(suites=(0xC02B,), size=50)))
    assert {len(r.body) for r in cut[:-1]} == {50}
    assert [r.type for r in records(record(22, b""))] == [22]


def _server() -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    return context.wrap_bio(incoming, outgoing, server_side=True), incoming, outgoing


def _answered(hello: bytes) -> tuple[bytes, str]:
    server, incoming, outgoing = _server()
    incoming.write(hello)
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read(), ""
    except ssl.SSLError as exc:
        return outgoing.read(), exc.reason
    raise AssertionError("a handshake ends with Finished of both")


def test_openssl_answers_a_built_hello() -> None:
    said, error = _answered(client_hello(suites=(0xC019,), server_name="csms.example"))
    assert error == ""
    first = next(messages(records(said)))
    chosen = read_server_hello(first.body)
    assert (chosen.version, chosen.cipher_suite) == (0x0303, 0xC019)
    assert chosen.has_extended_master_secret
    assert chosen.has_renegotiation_info


def test_openssl_refuses_a_built_hello_without_a_suite_of_its_own() -> None:
    said, error = _answered(client_hello(suites=(0xC02B,)))
    assert error == "NO_SHARED_CIPHER"
    assert said == alert(2, 40)


def _client_reads(answer: bytes) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(answer)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return "wants more"
    except ssl.SSLError as exc:
        return str(exc.reason)
    raise AssertionError("a handshake ends with Finished of both")


@pytest.mark.parametrize(
    ("hello", "reaction"),
    [
        (server_hello(suite=0xC02B), "wants more"),
        (server_hello(suite=0xC02B, extensions=()), "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"),
        (server_hello(suite=0x0005), "UNKNOWN_CIPHER_RETURNED"),
        (server_hello(suite=0xC02B, version=0x0301), "UNSUPPORTED_PROTOCOL"),
        (server_hello(suite=0xC02B, compression=1), "COMPRESSION"),
    ],
)
def test_openssl_reacts_to_a_built_server_hello(hello: bytes, reaction: str) -> None:
    assert reaction in _client_reads(flight(hello))


@pytest.mark.filterwarnings("ignore")
def test_scapy_reads_what_we_build() -> None:
    from scapy.layers.tls.record import TLS

    hello = client_hello(
        suites=(0xC02B, 0x009C), versions=(0x0303, 0x0304), server_name="csms.test"
    )
    theirs = TLS(hello).msg[0]
    assert theirs.ciphers == [0xC02B, 0x009C]
    read = {e.type: e for e in theirs.ext}
    assert read[0].servernames[0].servername == b"csms.test"
    assert read[43].versions == [0x0303, 0x0304]
    assert read[10].groups == [29, 23, 24, 25]
    answer = TLS(flight(server_hello(suite=0x009C, session_id=b"id"))).msg[0]
    assert (answer.cipher, answer.sid, answer.version) == (0x009C, b"id", 0x0303)


@pytest.mark.filterwarnings("ignore")
def test_we_read_what_scapy_builds() -> None:
    from scapy.layers.tls.extensions import ServerName, TLS_Ext_ServerName
    from scapy.layers.tls.handshake import TLSClientHello, TLSServerHello
    from scapy.layers.tls.record import TLS

    name = TLS_Ext_ServerName(servernames=[ServerName(servername=b"csms.test")])
    hello = TLSClientHello(
        ciphers=[0xC02B, 0x1301], gmt_unix_time=7, random_bytes=bytes(28), ext=[name]
    )
    read = parse_client_hello(bytes(TLS(version=0x0301, msg=[hello])))
    assert read.cipher_suites == (0xC02B, 0x1301)
    assert read.server_name == "csms.test"
    assert read.random == (7).to_bytes(4, "big") + bytes(28)
    theirs = TLSServerHello(cipher=0x009D, gmt_unix_time=0, random_bytes=SOME_RANDOM[4:], sid=b"id")
    (message,) = messages(records(bytes(TLS(version=0x0303, msg=[theirs]))))
    chosen = read_server_hello(message.body)
    assert (chosen.cipher_suite, chosen.session_id) == (0x009D, b"id")
