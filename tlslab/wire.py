"""Reads what a TLS client says first, from raw bytes: the ClientHello (RFC 5246, RFC 8446, RFC 6066).

Small and strict on lengths, so that it can sit on the path of every connection. Must not know sockets, policies or
`fuzz`; what a hello means for OCPP is judged elsewhere. What a server says is read by `flight`, hellos are built by
`build`, and the tables are in `suites` and `codes`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from tlslab.codes import (
    ALPN,
    EXTENDED_MASTER_SECRET,
    POINT_FORMATS,
    PRE_SHARED_KEY,
    RENEGOTIATION_INFO,
    SERVER_NAME,
    SESSION_TICKET,
    SIGNATURE_SCHEMES,
    SUPPORTED_GROUPS,
    SUPPORTED_VERSIONS,
    VERSIONS,
    is_grease,
    version_name,
)
from tlslab.records import HANDSHAKE_RECORD, MAX_RECORD, HelloError, NeedMoreData, Reader
from tlslab.suites import FALLBACK_SCSV, RENEGOTIATION_INFO_SCSV, SUITES, suite_name

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

CLIENT_HELLO = 1
MAX_HELLO = 2**17
"""Longer than any client needs; bounds what a caller has to keep before it knows."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a TLS client offers.

    `supported_versions` is the extension of RFC 8446, () for a client that does not send it. `extensions` maps each
    extension's code to its raw body, in the order in which they came. What is read from them later is empty when the
    client got it wrong.
    """

    legacy_version: int
    cipher_suites: tuple[int, ...]
    supported_versions: tuple[int, ...] = ()
    compression_methods: tuple[int, ...] = ()
    session_id: bytes = b""
    server_name: str = ""
    alpn: tuple[str, ...] = ()
    extensions: dict[int, bytes] = field(default_factory=dict)
    random: bytes = b""

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
    def suites(self) -> tuple[int, ...]:
        """The suites offered, in the client's order, without signals and reserved values (RFC 8701)."""
        signals = (RENEGOTIATION_INFO_SCSV, FALLBACK_SCSV)
        return tuple(c for c in self.cipher_suites if c not in signals and not is_grease(c))

    @property
    def suite_names(self) -> tuple[str, ...]:
        """The offered suites and signals by IANA name, in the client's order, without reserved values (RFC 8701)."""
        return tuple(suite_name(c) for c in self.cipher_suites if not is_grease(c))

    @property
    def groups(self) -> tuple[int, ...]:
        """The groups that it can do key exchange with, reserved values left out."""
        return tuple(c for c in self._listed(SUPPORTED_GROUPS) if not is_grease(c))

    @property
    def signature_schemes(self) -> tuple[int, ...]:
        """The signatures that it verifies; () when it does not say, which means SHA-1 (RFC 5246 7.4.1.4.1)."""
        return tuple(c for c in self._listed(SIGNATURE_SCHEMES) if not is_grease(c))

    @property
    def has_extended_master_secret(self) -> bool:
        """It binds the master secret to the whole handshake (RFC 7627)."""
        return EXTENDED_MASTER_SECRET in self.extensions

    @property
    def has_renegotiation_info(self) -> bool:
        """It knows of secure renegotiation, by extension or by signal (RFC 5746)."""
        signalled = RENEGOTIATION_INFO_SCSV in self.cipher_suites
        return signalled or RENEGOTIATION_INFO in self.extensions

    @property
    def session_ticket(self) -> bytes | None:
        """The ticket of RFC 5077 that it shows: b"" when it wants its first one, None when it knows of none."""
        return self.extensions.get(SESSION_TICKET)

    @property
    def resumes(self) -> bool:
        """It offers to go on with an earlier session: by ticket, by pre-shared key, or below TLS 1.3 by session id."""
        by_id = bool(self.session_id) and 0x0304 not in self.versions
        return bool(self.session_ticket) or PRE_SHARED_KEY in self.extensions or by_id

    @property
    def fingerprint(self) -> str:
        """JA3: a digest of version, suites, extensions, groups and point formats, in the client's order."""
        formats = self.extensions.get(POINT_FORMATS, b"")[1:]
        lists = (
            (self.legacy_version,),
            [c for c in self.cipher_suites if not is_grease(c)],
            [c for c in self.extensions if not is_grease(c)],
            self.groups,
            formats,
        )
        words = ",".join("-".join(map(str, codes)) for codes in lists)
        return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()

    @property
    def loose_fingerprint(self) -> str:
        """What stays the same when a client shuffles: version, counts, and digests of what it offers, sorted.

        In the manner of JA4. Server name and ALPN do not count, since they depend on who is called.
        """
        known = (c for c in self.extensions if not is_grease(c))
        extensions = sorted(c for c in known if c not in (SERVER_NAME, ALPN))
        best = version_name(self.versions[0]) if self.versions else "none"
        kinds = _short((*extensions, 0, *self.signature_schemes))
        return f"{best}-{len(self.suites)}-{len(extensions)}-{_short(sorted(self.suites))}-{kinds}"

    def _listed(self, extension: int) -> tuple[int, ...]:
        try:
            return Reader(self.extensions[extension]).codes(2)
        except (KeyError, HelloError):
            return ()


def _short(codes: Iterable[int]) -> str:
    return hashlib.sha256(",".join(map(str, codes)).encode()).hexdigest()[:12]


def parse_client_hello(data: bytes) -> ClientHello:
    """The ClientHello at the start of `data`, which may be split over several records.

    Raises:
        NeedMoreData: so far it is one, but not all of it is there.
        HelloError: it is not one. Nothing else is raised, whatever the bytes are.
    """
    body = Reader(_handshake_message(data))
    legacy_version = body.number(2)
    random = body.take(32)
    session_id = body.vector(1)
    suites = body.codes(2)
    compression = tuple(body.vector(1))
    extensions = body.extensions()
    return ClientHello(
        legacy_version=legacy_version,
        cipher_suites=suites,
        supported_versions=_supported_versions(extensions.get(SUPPORTED_VERSIONS)),
        compression_methods=compression,
        session_id=session_id,
        server_name=_server_name(extensions.get(SERVER_NAME)),
        alpn=_alpn(extensions.get(ALPN)),
        extensions=extensions,
        random=random,
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


def _supported_versions(body: bytes | None) -> tuple[int, ...]:
    return () if body is None else Reader(body).codes(1)


def _server_name(body: bytes | None) -> str:
    """The first host_name of RFC 6066 section 3; "" when there is none."""
    if not body:
        return ""
    names = Reader(Reader(body).vector(2))
    while names.rest:
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            return name.decode("ascii", "backslashreplace")
    return ""


def _alpn(body: bytes | None) -> tuple[str, ...]:
    if body is None:
        return ()
    names = Reader(Reader(body).vector(2))
    found = []
    while names.rest:
        found.append(names.vector(1).decode("ascii", "backslashreplace"))
    return tuple(found)
