"""Reads a recording, whatever of the known kinds it is.

Knows which reader fits which file. Must not know what becomes of what is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fuzz.errors import UsageError
from fuzz.records import Side
from fuzz.traffic.events import Lost, Told
from fuzz.traffic.har import read_har
from fuzz.traffic.lines import read_lines
from fuzz.traffic.network import segment
from fuzz.traffic.packets import is_capture, packets
from fuzz.traffic.perspective import Perspective
from fuzz.traffic.tcp import Reader, Streams
from fuzz.traffic.tls12 import Tls, keys_of
from fuzz.traffic.websocket import Socket
from strategies.version import Version

MAX_KEY_LOG = 64 * 2**20

_TLS_HANDSHAKE = b"\x16\x03"
_LOOK = 64


@dataclass(frozen=True, slots=True)
class Recording:
    """One file; reading it again tells the same. `owner` wrote it, where it is a log and that is known."""

    path: Path
    version: Version
    owner: Side | None = None
    keys: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)

    def events(self, told: Callable[[int], None] = lambda _bytes: None) -> Iterator[Told]:
        """Everything that it tells. Raises `UsageError` when it is no recording."""
        with _opened(self.path) as file:
            start = file.read(_LOOK)
            file.seek(0)
            if is_capture(start):
                yield from self._capture(file, told)
            elif self.path.suffix.lower() == ".har":
                yield from read_har(file, self.path.name)
            elif _is_text(start):
                yield from read_lines(file, Perspective(self.version, self.owner), told)
            else:
                raise UsageError(
                    f"{self.path}: no recording that is known; give JSON lines, a log of the ocpp package, "
                    "HAR, pcap or pcapng"
                )

    def _capture(self, file: IO[bytes], told: Callable[[int], None]) -> Iterator[Told]:
        keys = dict(self.keys)
        # Keys may stand anywhere in a pcapng file: a first pass collects them.
        for _ in packets(file, self.path.name, told, lambda log: keys.update(keys_of(log))):
            pass
        file.seek(0)
        streams = Streams(lambda talk: _Either(talk, self.version.subprotocol, keys))
        for packet in packets(file, self.path.name, told, lambda _log: None):
            if isinstance(packet, Lost):
                yield packet
                continue
            piece = segment(packet.link, packet.data)
            if piece is not None:
                yield from streams.take(piece)
        yield from streams.end()


def key_log(path: Path) -> dict[bytes, bytes]:
    """The secrets of a key log file. Raises `UsageError`."""
    with _opened(path) as file:
        return keys_of(file.read(MAX_KEY_LOG))


@dataclass(slots=True)
class _Either:
    """A connection that is TLS or plain, as its first bytes tell."""

    talk: str
    subprotocol: str
    keys: dict[bytes, bytes]
    _reader: Reader | None = None

    def feed(self, data: bytes, *, by_opener: bool) -> Iterator[Told]:
        """What these bytes tell."""
        if self._reader is None:
            socket = Socket(self.talk, self.subprotocol)
            secret = data.startswith(_TLS_HANDSHAKE)
            self._reader = Tls(socket, self.keys) if secret else socket
        yield from self._reader.feed(data, by_opener=by_opener)

    def end(self) -> Iterator[Told]:
        """What is left."""
        if self._reader is not None:
            yield from self._reader.end()


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check the path") from None


def _is_text(start: bytes) -> bool:
    """True when it may be lines of text; an empty file is one without lines."""
    return b"\x00" not in start and not any(b < 9 for b in start)
