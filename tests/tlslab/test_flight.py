from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from tlslab.build import codes, server_hello, vector
from tlslab.flight import (
    RETRY_RANDOM,
    KeyExchange,
    ServerHello,
    read_certificate_request,
    read_certificates,
    read_key_exchange,
    read_server_hello,
)
from tlslab.records import HelloError


def _read(message: bytes) -> ServerHello:
    return read_server_hello(message[4:])


@given(
    suite=st.integers(0, 0xFFFF),
    compression=st.integers(0, 255),
    session_id=st.binary(max_size=32),
    random=st.binary(min_size=32, max_size=32),
)
def test_a_built_server_hello_is_read_as_it_was_asked_for(
    suite: int, compression: int, session_id: bytes, random: bytes
) -> None:
    read = _read(
        server_hello(suite=suite, compression=compression, session_id=session_id, random=random)
    )
    assert (read.cipher_suite, read.compression_method) == (suite, compression)
    assert (read.session_id, read.random) == (session_id, random)
    assert read.has_renegotiation_info
    assert not read.has_extended_master_secret


def test_the_version_of_tls_1_3_stands_in_an_extension() -> None:
    extensions = ((43, b"\x03\x04"), (51, b"\x00\x1d\x00\x20" + bytes(32)))
    read = _read(server_hello(suite=0x1301, extensions=extensions))
    assert (read.legacy_version, read.version, read.group) == (0x0303, 0x0304, 29)


@pytest.mark.parametrize(
    ("end", "version"),
    [(b"DOWNGRD\x01", 0x0303), (b"DOWNGRD\x00", 0x0302), (b"DOWNGRD\x02", 0)],
)
def test_a_downgrade_is_told_by_the_random(end: bytes, version: int) -> None:
    read = _read(server_hello(suite=0xC02B, random=bytes(24) + end))
    assert read.downgraded_to == version
    assert not read.is_retry


def test_a_retry_is_known_by_its_random() -> None:
    assert _read(server_hello(suite=0x1301, random=RETRY_RANDOM)).is_retry


@given(chain=st.lists(st.binary(max_size=30), max_size=5).map(tuple))
def test_a_chain_is_read_in_order(chain: tuple[bytes, ...]) -> None:
    assert read_certificates(vector(b"".join(vector(c, 3) for c in chain), 3)) == chain


def test_a_request_names_types_schemes_and_authorities() -> None:
    names = vector(vector(b"one", 2) + vector(b"two", 2), 2)
    read = read_certificate_request(b"\x02\x01\x40" + codes((0x0403,), 2) + names)
    assert (read.types, read.schemes, read.names) == ((1, 64), (0x0403,), (b"one", b"two"))


def test_a_request_of_tls_1_1_has_no_schemes() -> None:
    read = read_certificate_request(b"\x01\x01" + vector(vector(b"one", 2), 2), 0x0302)
    assert (read.types, read.schemes, read.names) == ((1,), (), (b"one",))


@pytest.mark.parametrize(
    ("body", "suite", "found"),
    [
        (b"\x03\x00\x17\x01\x04", 0xC02B, KeyExchange(group=23)),
        (b"\x01\x00", 0xC013, KeyExchange()),
        (vector(b"\xff" * 128, 2) + b"\x00\x01\x02", 0x009E, KeyExchange(prime_bits=1024)),
        (vector(b"hint", 2) + vector(b"\x01" + bytes(63), 2), 0x00AA, KeyExchange(prime_bits=505)),
    ],
)
def test_the_size_of_the_key_exchange_is_told(body: bytes, suite: int, found: KeyExchange) -> None:
    assert read_key_exchange(body, suite) == found


def test_static_rsa_exchanges_no_key() -> None:
    with pytest.raises(HelloError, match="TLS_RSA_WITH_AES_128_GCM_SHA256"):
        read_key_exchange(b"\x03\x00\x17", 0x009C)


READERS: list[Callable[[bytes], object]] = [
    read_server_hello,
    read_certificates,
    read_certificate_request,
    lambda body: read_certificate_request(body, 0x0301),
    lambda body: read_key_exchange(body, 0xC02B),
    lambda body: read_key_exchange(body, 0x0090),
]


def _refused(read: Callable[[bytes], object], body: bytes) -> bool:
    try:
        read(body)
    except HelloError:
        return True
    return False


@given(data=st.binary(max_size=200), reader=st.sampled_from(READERS))
def test_garbage_raises_only_the_documented_error(
    data: bytes, reader: Callable[[bytes], object]
) -> None:
    assert _refused(reader, data) in (True, False)
    assert _refused(reader, b"")
