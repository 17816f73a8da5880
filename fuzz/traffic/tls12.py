"""Decrypts recorded TLS 1.2 connections whose secrets are known (RFC 5246, RFC 5288; key logs: RFC 9850).

Knows records, hellos and AES-GCM suites. Must not know what is said inside. What it cannot decrypt it tells; keys are kept
in memory only and never shown.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fuzz.traffic.events import Lost, Told
from fuzz.traffic.tcp import Reader
from tlslab.records import HelloError, Reader as Fields

MAX_RECORD = 2**14 + 2_048
MAX_HELLOS = 256 * 2**10
MAX_KEYS = 200_000
"""Lines of a key log that are kept."""

_CHANGE, _ALERT, _HANDSHAKE, _DATA = 20, 21, 22, 23
_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_SUPPORTED_VERSIONS = 43
_TLS13 = bytes.fromhex("0304")
_NONCE, _SALT, _TAG = 8, 4, 16

# Key length and hash of the AES-GCM suites (RFC 5288 section 3, RFC 5289 section 3.2).
_SUITES = {
    0x009C: (16, "sha256"),
    0x009D: (32, "sha384"),
    0x009E: (16, "sha256"),
    0x009F: (32, "sha384"),
    0xC02B: (16, "sha256"),
    0xC02C: (32, "sha384"),
    0xC02F: (16, "sha256"),
    0xC030: (32, "sha384"),
}


def keys_of(log: bytes) -> dict[bytes, bytes]:
    """The master secrets of a key log by client random; lines of other kinds and broken ones are passed over."""
    found: dict[bytes, bytes] = {}
    for line in log.splitlines():
        words = line.split()
        if len(words) != 3 or words[0] != b"CLIENT_RANDOM" or len(found) >= MAX_KEYS:
            continue
        try:
            random, master = (bytes.fromhex(w.decode("ascii")) for w in words[1:])
        except ValueError:
            continue
        found[random] = master
    return found


def prf(name: str, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """The pseudorandom function of TLS 1.2 (RFC 5246 section 5)."""
    made, step = b"", label + seed
    while len(made) < size:
        step = hmac.digest(secret, step, name)
        made += hmac.digest(secret, step + label + seed, name)
    return made[:size]


@dataclass(slots=True)
class _Half:
    """One direction: what is not read yet, and how it is decrypted once its keys are on."""

    buffer: bytearray = field(default_factory=bytearray)
    hellos: bytearray = field(default_factory=bytearray)
    cipher: AESGCM | None = None
    salt: bytes = b""
    number: int = 0
    changed: bool = False

    def records(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Type, head and body of the whole records. Raises `_Unreadable`."""
        at = 0
        try:
            while len(self.buffer) >= at + 5:
                head = bytes(self.buffer[at : at + 5])
                size = int.from_bytes(head[3:], "big")
                if head[1] != 3 or not _CHANGE <= head[0] <= _DATA or size > MAX_RECORD:
                    raise _Unreadable("a connection that stops being TLS")
                if len(self.buffer) < at + 5 + size:
                    return
                yield head[0], head, bytes(self.buffer[at + 5 : at + 5 + size])
                at += 5 + size
        finally:
            del self.buffer[:at]

    def opened(self, head: bytes, body: bytes) -> bytes:
        """The plain text of a record. Raises `_Unreadable`."""
        if self.cipher is None:
            raise _Unreadable("a TLS connection whose handshake is missing")
        length = len(body) - _NONCE - _TAG
        if length < 0:
            raise _Unreadable("a TLS record that is too short")
        about = self.number.to_bytes(8, "big") + head[:3] + length.to_bytes(2, "big")
        self.number += 1
        try:
            return self.cipher.decrypt(self.salt + body[:_NONCE], body[_NONCE:], about)
        except InvalidTag:
            raise _Unreadable("a TLS connection that its key does not open") from None


class _Unreadable(Exception):
    """The rest of the connection is not read; the reason is its text."""


@dataclass(slots=True)
class Tls:
    """One TLS connection; what is inside goes to `inside`. Implements `fuzz.traffic.tcp.Reader`."""

    inside: Reader
    keys: dict[bytes, bytes]
    _halves: tuple[_Half, _Half] = field(default_factory=lambda: (_Half(), _Half()))
    _client_random: bytes = b""
    _server_random: bytes = b""
    _suite: int = 0
    _over: bool = False

    def feed(self, data: bytes, *, by_opener: bool) -> Iterator[Told]:
        """What these bytes tell."""
        if self._over:
            return
        half = self._halves[not by_opener]
        half.buffer += data
        try:
            for kind, head, body in half.records():
                plain = half.opened(head, body) if half.changed else body
                if kind == _CHANGE:
                    self._change(half, by_opener=by_opener)
                elif kind == _HANDSHAKE:
                    self._hello(half, plain)
                elif kind == _DATA and half.changed:
                    yield from self.inside.feed(plain, by_opener=by_opener)
        except _Unreadable as why:
            self._over = True
            yield Lost(str(why))

    def end(self) -> Iterator[Told]:
        """What the inside has left."""
        if not self._over:
            yield from self.inside.end()

    def _hello(self, half: _Half, data: bytes) -> None:
        if half.changed:
            # Finished, or what begins a renegotiation: 0 is HelloRequest, 1 ClientHello.
            if data[:1] in (b"\x00", b"\x01"):
                raise _Unreadable("a TLS connection that is renegotiated")
            return
        half.hellos += data
        if len(half.hellos) > MAX_HELLOS:
            raise _Unreadable("a TLS handshake that does not end")
        for kind, body in _messages(half.hellos):
            try:
                if kind == _CLIENT_HELLO:
                    self._client_random = Fields(body[2:]).take(32)
                elif kind == _SERVER_HELLO:
                    self._server_hello(Fields(body[2:]))
            except HelloError:
                raise _Unreadable("a TLS hello that cannot be read") from None

    def _server_hello(self, fields: Fields) -> None:
        self._server_random = fields.take(32)
        fields.vector(1)
        self._suite = fields.number(2)
        fields.take(1)
        if fields.extensions().get(_SUPPORTED_VERSIONS) == _TLS13:
            raise _Unreadable("a TLS 1.3 connection; only TLS 1.2 is decrypted")
        if self._suite not in _SUITES:
            raise _Unreadable(
                f"a TLS connection of suite 0x{self._suite:04X}; only AES-GCM is read"
            )

    def _change(self, half: _Half, *, by_opener: bool) -> None:
        master = self.keys.get(self._client_random)
        if not self._suite:
            raise _Unreadable("a TLS connection whose handshake is missing")
        if master is None:
            raise _Unreadable("a TLS connection whose key is not known; --keylog names them")
        size, name = _SUITES[self._suite]
        seed = self._server_random + self._client_random
        block = prf(name, master, b"key expansion", seed, 2 * (size + _SALT))
        at = 0 if by_opener else 1
        half.cipher = AESGCM(block[at * size : (at + 1) * size])
        salts = block[2 * size :]
        half.salt = salts[at * _SALT : (at + 1) * _SALT]
        half.number, half.changed = 0, True


def _messages(joined: bytearray) -> Iterable[tuple[int, bytes]]:
    """The whole handshake messages, which are taken out."""
    found, at = [], 0
    while at + 4 <= len(joined):
        end = at + 4 + int.from_bytes(joined[at + 1 : at + 4], "big")
        if end > len(joined):
            break
        found.append((joined[at], bytes(joined[at + 4 : end])))
        at = end
    del joined[:at]
    return found
