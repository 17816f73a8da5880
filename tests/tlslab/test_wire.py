from __future__ import annotations

import ssl

import pytest
from hypothesis import example, given, strategies as st

from tlslab.build import client_hello
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


def test_facts_of_a_hello_are_read_from_its_extensions() -> None:
    hello = parse_client_hello(TLS_1_2)
    assert hello.groups[:2] == (29, 23)
    assert 0x0403 in hello.signature_schemes
    assert hello.has_extended_master_secret
    assert hello.has_renegotiation_info
    assert hello.session_ticket == b""
    assert hello.suites == (0xC02B, 0xC02C)
    assert len(hello.random) == 32
    assert not hello.resumes


def test_a_bare_hello_has_none_of_them() -> None:
    hello = parse_client_hello(client_hello(suites=(0xC02B,), bare=True))
    assert hello.groups == hello.signature_schemes == ()
    assert not hello.has_extended_master_secret
    assert not hello.has_renegotiation_info
    assert hello.session_ticket is None


@pytest.mark.parametrize(
    "options",
    [
        {"extra": ((35, b"ticket"),)},
        {"session_id": b"earlier"},
        {"versions": (0x0304,), "extra": ((41, b"psk"),)},
    ],
)
def test_a_client_that_goes_on_with_a_session_is_told(options: dict[str, object]) -> None:
    hello = client_hello(suites=(0xC02B,), **options)  # type: ignore[arg-type]
    assert parse_client_hello(hello).resumes


@given(body=st.binary(max_size=20))
def test_a_broken_list_in_an_extension_is_empty_or_read(body: bytes) -> None:
    hello = parse_client_hello(client_hello(suites=(), bare=True, extra=((10, body), (13, body))))
    assert len(hello.groups) * 2 <= len(body)
    assert len(hello.signature_schemes) * 2 <= len(body)


def test_fingerprints_do_not_depend_on_reserved_values_or_random() -> None:
    plain = parse_client_hello(client_hello(suites=(0xC02B, 0xC02C)))
    greased = parse_client_hello(
        client_hello(suites=(0xC02B, 0xC02C), grease=True, random=bytes(32))
    )
    assert plain.fingerprint == greased.fingerprint
    assert plain.loose_fingerprint == greased.loose_fingerprint


def test_only_the_strict_fingerprint_depends_on_order() -> None:
    one = parse_client_hello(client_hello(suites=(0xC02B, 0xC02C)))
    other = parse_client_hello(client_hello(suites=(0xC02C, 0xC02B)))
    assert one.fingerprint != other.fingerprint
    assert one.loose_fingerprint == other.loose_fingerprint
    assert one.loose_fingerprint.startswith("TLSv1.2-2-")


def test_the_strict_fingerprint_is_ja3() -> None:
    # 771,49195-49196,10-11-13-23-65281,29-23-24-25,0
    hello = parse_client_hello(client_hello(suites=(0xC02B, 0xC02C)))
    assert hello.fingerprint == "5e61856263d16ab37f171ab35a6b7078"
