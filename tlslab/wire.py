"""Reads what a TLS client says first, from raw bytes: records and the ClientHello (RFC 5246, RFC 8446, RFC 6066).

Small and strict on lengths, so that it can sit on the path of every connection. Must not know sockets, policies or
`fuzz`; what a hello means for OCPP is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tlslab.codes import ALPN, SERVER_NAME, SUPPORTED_VERSIONS, VERSIONS, is_grease, version_name
from tlslab.suites import SUITES, suite_name

__all__ = [
    "CLIENT_HELLO",
    "HANDSHAKE_RECORD",
    "MAX_HELLO",
    "MAX_RECORD",
    "SUITES",
    "VERSIONS",
    "ClientHello",
    "HelloError",
    "NeedMoreData",
    "is_grease",
    "parse_client_hello",
    "suite_name",
    "version_name",
]

HANDSHAKE_RECORD = 22
CLIENT_HELLO = 1
MAX_RECORD = 2**14
MAX_HELLO = 2**17
"""Longer than any client needs; bounds what a caller has to keep before it knows."""


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
