"""Watches a decrypted stream for how far the caller gets: HTTP, an open WebSocket, a message of OCPP.

Knows the shapes of HTTP/1.1 (RFC 9112) and of WebSocket frames (RFC 6455 5.2). Keeps the names of headers, never their
values; must not know OCPP.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tlslab.seen import AUTHORIZATION, Connection, Stage
from tlslab.session import Stream

MAX_HEAD = 2**14
MAX_LINE = 1024
MAX_NAMES = 100
MAX_WATCHED = 2**20
"""Bytes behind the upgrade in which a first message is looked for."""
_TEXT, _BINARY = 1, 2
_REQUEST = re.compile(rb"[A-Z]{1,16} \S+ HTTP/\d\.\d")


class Watched:
    """A stream that writes what it sees into the connection; `changed` is told of every new stage."""

    def __init__(self, stream: Stream, connection: Connection, changed: Callable[[], None]) -> None:
        self._stream = stream
        self._connection = connection
        self._changed = changed
        self._head = bytearray()
        self._headed = False
        self._answer = bytearray()
        self._frames = Frames()
        self._watched = 0

    async def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        data = await self._stream.read()
        if data:
            self._hear(data)
        return data

    async def write(self, data: bytes) -> None:
        """Say something."""
        if not self._connection.status:
            self._said(data)
        await self._stream.write(data)

    async def close(self) -> None:
        """End it."""
        await self._stream.close()

    @property
    def headed(self) -> bool:
        """Whether the request is complete, or longer than any."""
        return self._headed

    def _hear(self, data: bytes) -> None:
        self._reached(Stage.UPGRADE)
        if not self._headed:
            data = self._request(data)
        if data and self._connection.stage < Stage.OCPP and self._watched < MAX_WATCHED:
            self._watched += len(data)
            self._frames.feed(data)
            self._spoke()

    def _request(self, data: bytes) -> bytes:
        """What comes behind the head of the request."""
        self._head += data
        head, end, rest = bytes(self._head).partition(b"\r\n\r\n")
        lines = head[:MAX_HEAD].split(b"\r\n")
        # Half a name would be one that was not sent; a name with its colon is whole.
        whole = lines if end or b":" in lines[-1] else lines[:-1]
        # Only what is a request line for certain: anything else may be a header.
        self._connection.request = _word(lines[0]) if _REQUEST.fullmatch(lines[0]) else ""
        names = [_word(line.partition(b":")[0]).strip().lower() for line in whole[1:]]
        # Whoever hides credentials behind a hundred headers has sent them all the same.
        late = [AUTHORIZATION] if AUTHORIZATION in names[MAX_NAMES:] else []
        self._connection.header_names = (*names[:MAX_NAMES], *late)
        self._headed = bool(end) or len(self._head) > MAX_HEAD
        if self._headed and not end:
            # Nobody reads on whether credentials follow.
            self._connection.keep_no_secrets()
        if self._headed:
            # Its values are nobody's business from here on.
            self._head.clear()
        return rest

    def _said(self, data: bytes) -> None:
        self._answer += data[:16]
        words = bytes(self._answer[:16]).split(b" ")
        if len(self._answer) >= 12 and words[0].startswith(b"HTTP/") and words[1][:3].isdigit():
            self._connection.status = int(words[1][:3])
        if self._connection.status == 101:
            self._reached(Stage.WEBSOCKET)
            self._spoke()

    def _spoke(self) -> None:
        if self._frames.spoke and self._connection.stage >= Stage.WEBSOCKET:
            self._reached(Stage.OCPP)

    def _reached(self, stage: Stage) -> None:
        if stage > self._connection.stage:
            self._connection.reached(stage)
            self._changed()


class Frames:
    """Finds the first data frame in what a client says after the opening handshake, whatever it says."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._skip = 0
        self.spoke = False

    def feed(self, data: bytes) -> None:
        """The next bytes of the client."""
        at = 0
        while at < len(data) and not self.spoke:
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            self._header.append(data[at])
            at += 1
            self._look()

    def _look(self) -> None:
        head = self._header
        self.spoke = head[0] & 0x0F in (_TEXT, _BINARY)
        if len(head) < 2:
            return
        length = head[1] & 0x7F
        wide = {126: 2, 127: 8}.get(length, 0)
        if len(head) < 2 + wide:
            return
        if wide:
            length = int.from_bytes(head[2 : 2 + wide], "big")
        self._skip = length + (4 if head[1] & 0x80 else 0)
        head.clear()


def _word(line: bytes) -> str:
    return line[:MAX_LINE].decode("ascii", "backslashreplace")
