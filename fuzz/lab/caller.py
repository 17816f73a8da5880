"""The lab's conversation with a CSMS: `tlslab.session.Caller`, a Charging Station over a stream that the lab made.

Knows the opening handshake and OCPP-J. Must not know TLS, nor what a case thinks of an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.headers import build_authorization_basic
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from fuzz.conformance.view import View
from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Answered, CallReceived, Peer, Refused, Reply
from fuzz.station.voice import StationVoice
from fuzz.transport.pump import LOG
from strategies.labels import JsonObject, Sender
from strategies.version import Version, version
from tlslab.session import AnsweredWithError, NotAnswered, NotSeen, Payload, Stream, Where

OPEN_S = 10.0
MAX_MESSAGE = 2**20
MAX_HEARD = 1_000


class StationCaller:
    """Implements `tlslab.session.Caller`; every conversation is a Charging Station of its own."""

    def __init__(self, voice: Callable[[], StationVoice]) -> None:
        """`voice` gives the proper answers of a fresh Charging Station."""
        self._voice = voice

    async def dial(
        self,
        stream: Stream,
        *,
        host: str,
        path: str,
        headers: Sequence[tuple[str, str]] = (),
        basic: tuple[str, str] | None = None,
        subprotocol: str | None = None,
    ) -> StationDialogue:
        """The conversation; `status` tells whether it came about. Never raises for what the CSMS does."""
        wanted = version().subprotocol if subprotocol is None else subprotocol
        offered = [Subprotocol(wanted)] if wanted else None
        protocol = ClientProtocol(
            WebSocketURI(secure=False, host=host, port=0, path=path, query=""),
            subprotocols=offered,
            max_size=MAX_MESSAGE,
            logger=LOG,
        )
        request = protocol.connect()
        del request.headers["Host"]
        request.headers["Host"] = host
        for name, value in [*_authorization(basic), *headers]:
            request.headers[name] = value
        protocol.send_request(request)
        dialogue = StationDialogue(stream, protocol, self._voice(), version())
        await dialogue.shake_hands()
        return dialogue


def _authorization(basic: tuple[str, str] | None) -> list[tuple[str, str]]:
    return [] if basic is None else [("Authorization", build_authorization_basic(*basic))]


class StationDialogue:
    """Implements `tlslab.session.Dialogue`."""

    def __init__(
        self, stream: Stream, protocol: ClientProtocol, voice: StationVoice, spoken: Version
    ) -> None:
        numbers = itertools.count(1)
        self._stream = stream
        self._protocol = protocol
        self._voice = voice
        self._peer = Peer(
            spoken,
            ids=lambda: f"lab-{next(numbers)}",
            serves=[a for a, s in spoken.actions.items() if s is not Sender.STATION],
        )
        self._text = bytearray()
        self._heard: deque[tuple[str, View]] = deque(maxlen=MAX_HEARD)
        self._answers: dict[str, JsonObject] = {}
        self._waiting: dict[str, asyncio.Future[Answered | Refused]] = {}
        self._news = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._status = 0
        self._response: Response | None = None
        self.ended = False

    @property
    def status(self) -> int:
        """The HTTP status of the upgrade; 0 when no answer came."""
        return self._status

    @property
    def subprotocol(self) -> str:
        """What the CSMS chose; "" when it chose none."""
        return self._protocol.subprotocol or ""

    @property
    def refusal(self) -> str:
        """Why the response opens no WebSocket, in the library's words; "" when it does, or none came."""
        return "" if self._protocol.handshake_exc is None else str(self._protocol.handshake_exc)

    def header(self, name: str) -> str:
        """A header of the response; "" when it is missing."""
        found = [] if self._response is None else self._response.headers.get_all(name)
        return found[0] if found else ""

    @property
    def open(self) -> bool:
        """Whether the WebSocket is open."""
        return self._status == 101 and not self.ended

    async def shake_hands(self) -> None:
        """Say the request and wait for the response."""
        await self._flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPEN_S):
                while not self._status and await self._take():
                    pass
        if self.open:
            self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """End the conversation; never raises."""
        if self.open:
            with contextlib.suppress(Exception):
                self._protocol.send_close(1000)
                await self._flush()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        self.ended = True
        await self._stream.close()

    # --- bytes --------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while await self._take():
                pass
        finally:
            self.ended = True
            self._tell()

    async def _take(self) -> bool:
        """The next bytes are understood; False at the end."""
        data = await self._stream.read()
        if not data:
            self._protocol.receive_eof()
            self.ended = True
            return False
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            match event:
                case Response():
                    self._status, self._response = event.status_code, event
                    self.ended = self._protocol.handshake_exc is not None
                case Frame():
                    await self._frame(event)
                case _:
                    pass
        await self._flush()
        return not self.ended

    async def _frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.CONT | Opcode.BINARY:
                self._text += frame.data
                if frame.fin:
                    message, self._text = bytes(self._text), bytearray()
                    await self._hear(message)
            case Opcode.CLOSE:
                self.ended = True
            case _:
                pass

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                await self._stream.write(data)

    # --- messages -----------------------------------------------------------------------------------------

    async def _hear(self, message: bytes) -> None:
        event = self._peer.hear(message.decode("utf-8", "replace"))
        match event:
            case CallReceived(call):
                self._heard.append((call.action, View(call.payload)))
                await self._say(self._answered(call))
            case Reply(text):
                await self._say(text)
            case Answered(call) | Refused(call):
                waiting = self._waiting.pop(call.id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(event)
            case _:
                pass
        self._tell()

    def _answered(self, call: Call) -> str:
        if call.action in self._answers:
            return self._peer.answer(call, self._answers[call.action])
        told = self._voice.answer(call.action, call.payload)
        if told.payload is not None:
            return self._peer.answer(call, told.payload)
        wrong = RemoteProtocolError(told.error_code, told.description)
        return self._peer.refuse(call, wrong)

    async def _say(self, text: str) -> None:
        self._protocol.send_text(text.encode())
        await self._flush()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
        if self.ended:
            for waiting in self._waiting.values():
                waiting.cancel()

    async def call(self, action: str, payload: Payload, *, within: float = 10.0) -> Payload:
        """The payload of the CALLRESULT. Raises `NotAnswered` or `AnsweredWithError`."""
        if not self.open:
            raise NotAnswered(f"{action} could not be sent: the connection is closed")
        call = self._peer.call(action, dict(payload), proper=False)
        waiting: asyncio.Future[Answered | Refused] = asyncio.get_running_loop().create_future()
        self._waiting[call.id] = waiting
        try:
            async with asyncio.timeout(within):
                await self._say(self._peer.pump(asyncio.get_running_loop().time()) or "")
                answer = await waiting
        except TimeoutError:
            self._peer.expire(float("inf"))
            raise NotAnswered(f"{action} was not answered within {within:g} s") from None
        except asyncio.CancelledError:
            if not self.ended:
                raise
            raise NotAnswered(f"the CSMS closed instead of answering {action}") from None
        if isinstance(answer, Refused):
            raise AnsweredWithError(action, answer.code, broken=answer.broken)
        return answer.payload

    async def wait_for(self, action: str, where: Where = None, *, within: float) -> Payload:
        """The next CALL of the CSMS like this; it is answered properly. Raises `NotSeen`."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            for entry in self._heard:
                if entry[0] == action and _fits(entry[1], where):
                    self._heard.remove(entry)
                    return entry[1].payload
            news, left = self._news, deadline - asyncio.get_running_loop().time()
            if left <= 0 or self.ended:
                raise NotSeen(f"the CSMS sent no {action} within {within:g} s")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await news.wait()

    def answer(self, action: str, payload: Payload) -> None:
        """The CSMS's CALLs of this action are answered with this payload."""
        self._answers[action] = dict(payload)


def _fits(view: View, where: Any) -> bool:
    return bool(where(view.payload)) if callable(where) else view.fits(where)
