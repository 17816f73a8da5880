"""What the recorded bytes of one connection tell, both directions, without a key: hellos, chains, alerts, Finished.

Hostile bytes never make it raise; what cannot be understood is left out. Must not know who terminated TLS, nor what
was expected.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tlslab.flight import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    CertificateRequest,
    KeyExchange,
    ServerHello,
    read_certificate_request,
    read_certificates,
    read_key_exchange,
    read_server_hello,
)
from tlslab.records import (
    ALERT_RECORD,
    CHANGE_CIPHER_SPEC,
    DATA_RECORD,
    HANDSHAKE_RECORD,
    HelloError,
    Record,
    messages,
    plain_alert,
    records,
)
from tlslab.seen import MAX_TAPE, Alert, Chunk, Way
from tlslab.wire import ClientHello, parse_client_hello

T = TypeVar("T")

MAX_ALERTS = 100
"""Alerts kept of one connection."""

_HIDDEN_ALERTS = (19, 11)
"""Length of an encrypted alert in TLS 1.3: two bytes, its type, and a tag of 16 or (CCM_8) 8 bytes."""
_SHORTEST_FINISHED = 4 + 32 + 1 + 8
"""Nothing shorter can hold the Finished of TLS 1.3 (RFC 8446 4.4.4)."""


@dataclass(frozen=True, slots=True)
class TapeFacts:
    """What a connection's bytes tell.

    Attributes:
        client: who sent the ClientHello, or spoke first when nobody did.
        hello: the ClientHello; None when none was understood.
        server_hello: the last ServerHello; None when none was understood.
        alerts: those in plain text, of both sides, in order of time.
        hidden_alerts: when and by whom an alert was sent that is encrypted; in TLS 1.3 known by its length, and only
            as the first that was encrypted.
        server_chain: DER, of up to TLS 1.2.
        client_chain: DER, of up to TLS 1.2; () also for one that was asked and had none.
        request: the CertificateRequest of up to TLS 1.2; None when the server did not ask.
        exchange: what the server exchanges keys with, of up to TLS 1.2; None without a ServerKeyExchange.
        client_finished: whether the client's Finished went over the socket.
        server_finished: whether the server's did.
    """

    client: Way
    hello: ClientHello | None = None
    server_hello: ServerHello | None = None
    alerts: tuple[Alert, ...] = ()
    hidden_alerts: tuple[tuple[float, Way], ...] = ()
    server_chain: tuple[bytes, ...] = ()
    client_chain: tuple[bytes, ...] = ()
    request: CertificateRequest | None = None
    exchange: KeyExchange | None = None
    client_finished: bool = False
    server_finished: bool = False

    @property
    def version(self) -> int:
        """The version that the server chose; 0 when it chose none."""
        return self.server_hello.version if self.server_hello else 0

    @property
    def suite(self) -> int:
        """The suite that the server chose; 0 when it chose none."""
        return self.server_hello.cipher_suite if self.server_hello else 0

    @property
    def requested_names(self) -> tuple[bytes, ...]:
        """The CA names that the server told the client, DER."""
        return self.request.names if self.request else ()


@dataclass(frozen=True, slots=True)
class _Side:
    """What one side said, and when."""

    way: Way
    data: bytes
    ends: tuple[int, ...]
    times: tuple[float, ...]
    records: tuple[Record, ...]

    def at_s(self, end: int) -> float:
        """When the byte before `end` went over the socket."""
        return self.times[min(bisect_left(self.ends, end), len(self.times) - 1)]

    def message(self, kind: int, read: Callable[[bytes], T]) -> T | None:
        """The last plain handshake message of this kind that can be read; None when there is none."""
        found: T | None = None
        for message in messages(self.records):
            if message.type == kind:
                found = _or_none(read, message.body) or found
        return found


def facts(chunks: Sequence[Chunk]) -> TapeFacts:
    """What these bytes tell; never raises."""
    peer, lab = (_side(way, chunks) for way in (Way.PEER, Way.LAB))
    client, server = (peer, lab) if _is_client(peer, lab, chunks) else (lab, peer)
    hello = server.message(SERVER_HELLO, read_server_hello)
    version = hello.version if hello else 0
    suite = hello.cipher_suite if hello else 0
    return TapeFacts(
        client=client.way,
        hello=_or_none(parse_client_hello, client.data),
        server_hello=hello,
        alerts=_alerts(client, server),
        hidden_alerts=tuple(sorted((*_hidden(client, version), *_hidden(server, version)))),
        server_chain=server.message(CERTIFICATE, read_certificates) or (),
        client_chain=client.message(CERTIFICATE, read_certificates) or (),
        request=server.message(
            CERTIFICATE_REQUEST, lambda body: read_certificate_request(body, version)
        ),
        exchange=server.message(SERVER_KEY_EXCHANGE, lambda body: read_key_exchange(body, suite)),
        client_finished=_finished(client, version),
        server_finished=_finished(server, version),
    )


def _side(way: Way, chunks: Sequence[Chunk]) -> _Side:
    own = [c for c in chunks if c.way is way and c.data]
    data = b"".join(c.data for c in own)[:MAX_TAPE]
    ends, total = [], 0
    for chunk in own:
        total += len(chunk.data)
        ends.append(total)
    return _Side(way, data, tuple(ends), tuple(c.at_s for c in own), tuple(records(data)))


def _is_client(peer: _Side, lab: _Side, chunks: Sequence[Chunk]) -> bool:
    """Whether the peer is the client; whoever spoke first when nobody sent a ClientHello."""
    for side in (peer, lab):
        if side.data[:1] == b"\x16" and side.data[5:6] == b"\x01":
            return side is peer
    return not chunks or chunks[0].way is Way.PEER


def _or_none(read: Callable[[bytes], T], data: bytes) -> T | None:
    try:
        return read(data)
    except HelloError:
        return None


def _alerts(*sides: _Side) -> tuple[Alert, ...]:
    found: list[Alert] = []
    for side in sides:
        for record in side.records:
            said = plain_alert(record)
            if said is not None and len(found) < MAX_ALERTS:
                found.append(Alert(side.at_s(record.end), side.way, said[1], said[0]))
    return tuple(sorted(found, key=lambda alert: alert.at_s))


def _hidden(side: _Side, version: int) -> tuple[tuple[float, Way], ...]:
    """Alerts of this side that cannot be read."""
    if version >= 0x0304:
        first = next((r for r in side.records if r.type == DATA_RECORD), None)
        found = [first] if first and len(first.body) in _HIDDEN_ALERTS else []
    else:
        found = [r for r in side.records if r.type == ALERT_RECORD and len(r.body) > 2]
    return tuple((side.at_s(record.end), side.way) for record in found[:MAX_ALERTS])


def _finished(side: _Side, version: int) -> bool:
    """Whether a Finished went out: encrypted, so known by what comes before it, or in TLS 1.3 by its length."""
    if version >= 0x0304:
        return any(
            r.type == DATA_RECORD and len(r.body) >= _SHORTEST_FINISHED for r in side.records
        )
    kinds = [r.type for r in side.records]
    if CHANGE_CIPHER_SPEC not in kinds:
        return False
    return HANDSHAKE_RECORD in kinds[kinds.index(CHANGE_CIPHER_SPEC) :]
