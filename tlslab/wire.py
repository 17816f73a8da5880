"""Reads what a TLS client says first, from raw bytes: records and the ClientHello (RFC 5246, RFC 8446, RFC 6066).

Small and strict on lengths, so that it can sit on the path of every connection. Must not know sockets, policies or
`fuzz`; what a hello means for OCPP is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

HANDSHAKE_RECORD = 22
CLIENT_HELLO = 1
MAX_RECORD = 2**14
MAX_HELLO = 2**17
"""Longer than any client needs; bounds what a caller has to keep before it knows."""

SERVER_NAME = 0
ALPN = 16
SUPPORTED_VERSIONS = 43

VERSIONS = {
    0x0300: "SSLv3",
    0x0301: "TLSv1",
    0x0302: "TLSv1.1",
    0x0303: "TLSv1.2",
    0x0304: "TLSv1.3",
}

SUITES = {
    0x0005: "TLS_RSA_WITH_RC4_128_SHA",
    0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA",
    0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
    0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    0x003C: "TLS_RSA_WITH_AES_128_CBC_SHA256",
    0x003D: "TLS_RSA_WITH_AES_256_CBC_SHA256",
    0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    0x006B: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256",
    0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
    0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    0x00FF: "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256",
    0x1305: "TLS_AES_128_CCM_8_SHA256",
    0x5600: "TLS_FALLBACK_SCSV",
    0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    0xC024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0xC028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xC0AC: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
    0xC0AD: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
    0xC0AE: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
    0xC0AF: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCAA: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}
"""IANA names of the suites that clients commonly offer; signalling values included."""


class HelloError(ValueError):
    """The bytes are no ClientHello, and more of them will not change that."""


class NeedMoreData(HelloError):
    """The bytes are the beginning of a ClientHello; call again with more."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a TLS client offers.

    `supported_versions` is the extension of RFC 8446, () for a client that does not send it. `extensions` maps each
    extension's code to its raw body, in the order in which they came.
    """

    legacy_version: int
    cipher_suites: tuple[int, ...]
    supported_versions: tuple[int, ...] = ()
    compression_methods: tuple[int, ...] = ()
    session_id: bytes = b""
    server_name: str = ""
    alpn: tuple[str, ...] = ()
    extensions: dict[int, bytes] = field(default_factory=dict)

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that the client can be served with, as far as the hello tells; highest first."""
        offered = self.supported_versions or (self.legacy_version,)
        return tuple(sorted((v for v in offered if not is_grease(v)), reverse=True))

    @property
    def version_names(self) -> tuple[str, ...]:
        """`versions` in words."""
        return tuple(version_name(v) for v in self.versions)

    @property
    def suite_names(self) -> tuple[str, ...]:
        """The offered suites by IANA name, in the client's order, without reserved values (RFC 8701)."""
        return tuple(suite_name(c) for c in self.cipher_suites if not is_grease(c))


def version_name(code: int) -> str:
    """`TLSv1.2` for 0x0303; the number in hexadecimal when it is unknown."""
    return VERSIONS.get(code, f"0x{code:04X}")


def suite_name(code: int) -> str:
    """The IANA name of a cipher suite; its number in hexadecimal when it is not a common one."""
    return SUITES.get(code, f"0x{code:04X}")


def is_grease(code: int) -> bool:
    """True for the reserved values that clients send to keep servers tolerant (RFC 8701)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF


def parse_client_hello(data: bytes) -> ClientHello:
    """The ClientHello at the start of `data`, which may be split over several records.

    Raises:
        NeedMoreData: so far it is one, but not all of it is there.
        HelloError: it is not one. Nothing else is raised, whatever the bytes are.
    """
    message = _handshake_message(data)
    body = _Reader(message)
    legacy_version = body.number(2)
    body.take(32)
    session_id = body.vector(1)
    suites = _codes(body.vector(2))
    compression = tuple(body.vector(1))
    extensions = dict(_extensions(_Reader(body.vector(2)))) if body.rest else {}
    return ClientHello(
        legacy_version=legacy_version,
        cipher_suites=suites,
        supported_versions=_supported_versions(extensions.get(SUPPORTED_VERSIONS)),
        compression_methods=compression,
        session_id=session_id,
        server_name=_server_name(extensions.get(SERVER_NAME)),
        alpn=_alpn(extensions.get(ALPN)),
        extensions=extensions,
    )


def _handshake_message(data: bytes) -> bytes:
    """The body of the first handshake message, put together from its records (RFC 5246 section 6.2.1)."""
    joined = bytearray()
    at = 0
    while True:
        fragment, at = _record(data, at)
        joined += fragment
        if joined and joined[0] != CLIENT_HELLO:
            raise HelloError(f"handshake message {joined[0]} is no ClientHello (1)")
        if len(joined) < 4:
            continue
        length = int.from_bytes(joined[1:4], "big")
        if length > MAX_HELLO:
            raise HelloError(f"a ClientHello of {length} bytes is longer than {MAX_HELLO}")
        if len(joined) >= 4 + length:
            return bytes(joined[4 : 4 + length])


def _record(data: bytes, at: int) -> tuple[bytes, int]:
    """The fragment of the handshake record at `at`, and where the next record begins."""
    if at < len(data) and data[at] != HANDSHAKE_RECORD:
        raise HelloError(f"record type {data[at]} is no handshake (22)")
    if at + 1 < len(data) and data[at + 1] != 3:
        raise HelloError(f"record version {data[at + 1]} is not TLS (3)")
    if at + 5 > len(data):
        raise NeedMoreData("the record header is incomplete")
    length = int.from_bytes(data[at + 3 : at + 5], "big")
    if not 0 < length <= MAX_RECORD:
        raise HelloError(f"a record of {length} bytes; allowed are 1 to {MAX_RECORD}")
    end = at + 5 + length
    if end > len(data):
        raise NeedMoreData("the record is incomplete")
    return data[at + 5 : end], end


class _Reader:
    """Takes numbers and length-prefixed vectors (RFC 5246 section 4) from a message that is complete."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def rest(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.rest:
            raise HelloError(f"{size} bytes announced, {self.rest} left")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, prefix: int) -> bytes:
        return self.take(self.number(prefix))


def _codes(data: bytes) -> tuple[int, ...]:
    if len(data) % 2:
        raise HelloError(f"{len(data)} bytes are no list of two-byte codes")
    return tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))


def _extensions(reader: _Reader) -> Iterator[tuple[int, bytes]]:
    while reader.rest:
        yield reader.number(2), reader.vector(2)


def _supported_versions(body: bytes | None) -> tuple[int, ...]:
    return () if body is None else _codes(_Reader(body).vector(1))


def _server_name(body: bytes | None) -> str:
    """The first host_name of RFC 6066 section 3; "" when there is none."""
    if not body:
        return ""
    names = _Reader(_Reader(body).vector(2))
    while names.rest:
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            return name.decode("ascii", "backslashreplace")
    return ""


def _alpn(body: bytes | None) -> tuple[str, ...]:
    if body is None:
        return ()
    names = _Reader(_Reader(body).vector(2))
    found = []
    while names.rest:
        found.append(names.vector(1).decode("ascii", "backslashreplace"))
    return tuple(found)
