"""Builds TLS records, hellos and alerts by hand, well-formed or not: nothing here checks what it is asked for.

Fast, since a server is enumerated with it. Draws nothing: whoever wants another random hands it in. Must not know
sockets, nor why a message is wanted.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from tlslab.codes import (
    ECDSA_SCHEMES,
    EXTENDED_MASTER_SECRET,
    KEY_SHARE,
    POINT_FORMATS,
    RENEGOTIATION_INFO,
    RSA_SCHEMES,
    SERVER_NAME,
    SIGNATURE_SCHEMES,
    SUPPORTED_GROUPS,
    SUPPORTED_VERSIONS,
)
from tlslab.records import ALERT_RECORD, HANDSHAKE_RECORD, MAX_RECORD

Extensions: TypeAlias = tuple[tuple[int, bytes], ...]

CLIENT_HELLO, SERVER_HELLO = 1, 2
SOME_RANDOM = bytes(range(0x20, 0x40))
SOME_SHARE = bytes(range(1, 33))
"""A public key for x25519; any 32 bytes are one."""

X25519 = 29
USUAL_GROUPS = (X25519, 23, 24, 25)
USUAL_SCHEMES = (*ECDSA_SCHEMES, *RSA_SCHEMES)
GREASE = 0x0A0A


def vector(data: bytes, prefix: int) -> bytes:
    """`data` with its length before it, in so many bytes."""
    return len(data).to_bytes(prefix, "big") + data


def codes(values: Sequence[int], prefix: int) -> bytes:
    """A vector of two-byte numbers."""
    return vector(struct.pack(f">{len(values)}H", *values), prefix)


def extension_block(extensions: Sequence[tuple[int, bytes]]) -> bytes:
    """All extensions with their lengths; b"" when there are none."""
    if not extensions:
        return b""
    return vector(b"".join(n.to_bytes(2, "big") + vector(body, 2) for n, body in extensions), 2)


def record(kind: int, body: bytes, version: int = 0x0303, *, size: int = MAX_RECORD) -> bytes:
    """`body` in records of at most `size` bytes each."""
    head = bytes((kind, version >> 8, version & 0xFF))
    if len(body) <= size:
        return head + vector(body, 2)
    parts = (body[i : i + size] for i in range(0, len(body), size))
    return b"".join(head + vector(part, 2) for part in parts)


def handshake(kind: int, body: bytes) -> bytes:
    """One handshake message, not yet in a record."""
    return bytes((kind,)) + vector(body, 3)


def alert(level: int, number: int, version: int = 0x0303) -> bytes:
    """One alert in its record: level 1 is a warning, 2 is fatal."""
    return record(ALERT_RECORD, bytes((level, number)), version)


def client_hello(
    *,
    versions: tuple[int, ...] = (0x0303,),
    suites: tuple[int, ...],
    groups: tuple[int, ...] = USUAL_GROUPS,
    schemes: tuple[int, ...] = USUAL_SCHEMES,
    server_name: str = "",
    compression: bytes = b"\0",
    extra: Extensions = (),
    session_id: bytes = b"",
    random: bytes = SOME_RANDOM,
    grease: bool = False,
    size: int = MAX_RECORD,
    bare: bool = False,
) -> bytes:
    """A ClientHello in its records.

    Up to TLS 1.2 a client can only name the highest of its versions. TLS 1.3 brings a key share when x25519 is among
    the groups; a server then answers with its choice, or with a HelloRetryRequest, which names it too.

    Args:
        versions: those on offer, in any order.
        suites: in order of preference.
        groups: for key exchange; () leaves the extension out.
        schemes: signatures; () leaves the extension out.
        server_name: for SNI; "" leaves it out, as RFC 6066 asks for addresses.
        compression: the methods, one byte each.
        extra: further extensions, at the end.
        session_id: of an earlier session.
        random: 32 bytes.
        grease: reserved values among suites, groups, versions and extensions (RFC 8701).
        size: bytes a record.
        bare: no extension but the `extra` ones.
    """
    highest = max(versions)
    chosen = (GREASE, *suites) if grease else suites
    block = _client_extensions(versions, groups, schemes, server_name, extra, grease, bare)
    body = b"".join(
        (
            min(highest, 0x0303).to_bytes(2, "big"),
            random,
            vector(session_id, 1),
            codes(chosen, 2),
            vector(compression, 1),
            block,
        )
    )
    return record(HANDSHAKE_RECORD, handshake(CLIENT_HELLO, body), min(highest, 0x0301), size=size)


@lru_cache(maxsize=256)
def _client_extensions(
    versions: tuple[int, ...],
    groups: tuple[int, ...],
    schemes: tuple[int, ...],
    server_name: str,
    extra: Extensions,
    grease: bool,  # noqa: FBT001 - a cache knows positions only
    bare: bool,  # noqa: FBT001
) -> bytes:
    # SSL 3.0 knows no extensions, and its servers stumble over them (RFC 6101).
    if bare or max(versions) < 0x0301:
        return extension_block(extra)
    reserved = (GREASE,) if grease else ()
    found: list[tuple[int, bytes]] = [(GREASE, b"")] if grease else []
    if server_name:
        found.append((SERVER_NAME, vector(b"\0" + vector(server_name.encode(), 2), 2)))
    if groups:
        found.append((SUPPORTED_GROUPS, codes((*reserved, *groups), 2)))
        found.append((POINT_FORMATS, b"\x01\x00"))
    if schemes and max(versions) >= 0x0303:
        found.append((SIGNATURE_SCHEMES, codes(schemes, 2)))
    if min(versions) < 0x0304:
        found += [(EXTENDED_MASTER_SECRET, b""), (RENEGOTIATION_INFO, b"\0")]
    if max(versions) >= 0x0304:
        shares = _share() if X25519 in groups else b""
        found.append((SUPPORTED_VERSIONS, codes((*reserved, *versions), 1)))
        found.append((KEY_SHARE, vector(shares, 2)))
    return extension_block((*found, *extra))


def _share() -> bytes:
    return X25519.to_bytes(2, "big") + vector(SOME_SHARE, 2)


SECURE_RENEGOTIATION: Extensions = ((RENEGOTIATION_INFO, b"\0"),)
"""Without it OpenSSL 3 ends the handshake for that reason alone, whatever else was to be shown."""


def server_hello(
    *,
    suite: int,
    version: int = 0x0303,
    random: bytes = SOME_RANDOM,
    session_id: bytes = b"",
    compression: int = 0,
    extensions: Extensions = SECURE_RENEGOTIATION,
) -> bytes:
    """A ServerHello message, not yet in a record; `version` is the number in its old field."""
    body = b"".join(
        (
            version.to_bytes(2, "big"),
            random,
            vector(session_id, 1),
            suite.to_bytes(2, "big"),
            compression.to_bytes(1, "big"),
            extension_block(extensions),
        )
    )
    return handshake(SERVER_HELLO, body)


def flight(*messages: bytes, version: int = 0x0303, size: int = MAX_RECORD) -> bytes:
    """Handshake messages in records, one after the other."""
    return record(HANDSHAKE_RECORD, b"".join(messages), version, size=size)
