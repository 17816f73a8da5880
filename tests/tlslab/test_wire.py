from __future__ import annotations

import ssl

import pytest
from hypothesis import example, given, strategies as st

from tlslab.wire import (
    ClientHello,
    HelloError,
    NeedMoreData,
    is_grease,
    parse_client_hello,
    suite_name,
    version_name,
)


def _hello(context: ssl.SSLContext, server_name: str | None = "csms.test") -> bytes:
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def _context(suites: str, top: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = top
    context.set_ciphers(suites)
    context.set_alpn_protocols(["http/1.1"])
    return context


TLS_1_2 = _hello(
    _context("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", ssl.TLSVersion.TLSv1_2)
)
TLS_1_3 = _hello(_context("AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_3))


def test_the_hello_of_a_tls_1_2_station_is_read() -> None:
    hello = parse_client_hello(TLS_1_2)
    assert hello.legacy_version == 0x0303
    assert hello.version_names == ("TLSv1.2",)
    assert hello.suite_names == (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
    )
    assert hello.server_name == "csms.test"
    assert hello.alpn == ("http/1.1",)
    assert hello.compression_methods == (0,)


def test_the_hello_of_a_tls_1_3_client_names_its_real_versions() -> None:
    hello = parse_client_hello(TLS_1_3)
    assert hello.legacy_version == 0x0303
    assert hello.version_names == ("TLSv1.3", "TLSv1.2")
    assert {0x1301, 0x009C} <= set(hello.cipher_suites)
    assert len(hello.session_id) == 32


def test_a_client_without_server_name_has_none() -> None:
    context = _context("AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_2)
    context.check_hostname = False
    assert parse_client_hello(_hello(context, None)).server_name == ""


@given(size=st.integers(1, 600))
def test_a_hello_split_over_records_is_read_the_same(size: int) -> None:
    message = TLS_1_2[5:]
    records = b"".join(
        b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
        for part in (message[i : i + size] for i in range(0, len(message), size))
    )
    assert parse_client_hello(records) == parse_client_hello(TLS_1_2)


@given(size=st.integers(0, len(TLS_1_2) - 1))
def test_a_hello_that_is_cut_short_needs_more(size: int) -> None:
    with pytest.raises(NeedMoreData):
        parse_client_hello(TLS_1_2[:size])


def test_bytes_after_the_hello_do_not_matter() -> None:
    assert parse_client_hello(TLS_1_2 + b"\x14garbage") == parse_client_hello(TLS_1_2)


def _parse_or_refuse(data: bytes) -> ClientHello | None:
    try:
        return parse_client_hello(data)
    except HelloError:
        return None


@given(data=st.binary(max_size=400))
@example(data=b"\x16\x03\x01\x00\x00")
@example(data=b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\x00")
def test_garbage_raises_only_the_documented_error(data: bytes) -> None:
    found = _parse_or_refuse(data)
    assert found is None or isinstance(found, ClientHello)


@given(
    at=st.integers(0, len(TLS_1_3) - 1),
    byte=st.integers(0, 255),
    cut=st.integers(0, len(TLS_1_3)),
)
def test_a_damaged_hello_raises_only_the_documented_error(at: int, byte: int, cut: int) -> None:
    damaged = bytearray(TLS_1_3)
    damaged[at] = byte
    found = _parse_or_refuse(bytes(damaged[:cut]))
    assert found is None or isinstance(found, ClientHello)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET /CS001 HTTP/1.1\r\n", "record type 71"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "record type 21"),
        (b"\x16\x02\x00", "record version 2"),
        (b"\x16\x03\x01\x00\x00", "record of 0 bytes"),
        (b"\x16\x03\x01\x00\x01\x02", "handshake message 2"),
        (b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", "longer than"),
    ],
)
def test_what_is_no_hello_is_named(data: bytes, words: str) -> None:
    with pytest.raises(HelloError, match=words) as caught:
        parse_client_hello(data)
    assert not isinstance(caught.value, NeedMoreData)


@pytest.mark.parametrize("code", [0x0A0A, 0x1A1A, 0xFAFA])
def test_reserved_values_are_known(code: int) -> None:
    assert is_grease(code)


@pytest.mark.parametrize("code", [0x0303, 0xC02B, 0x0A1A, 0x1301])
def test_ordinary_values_are_not_reserved(code: int) -> None:
    assert not is_grease(code)


def test_unknown_codes_are_shown_as_numbers() -> None:
    assert suite_name(0xC0FF) == "0xC0FF"
    assert version_name(0x0305) == "0x0305"
