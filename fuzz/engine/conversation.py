"""One live connection with our proper voice on it: says a case's messages and sorts what comes back.

Knows links, voices and message ids. Must not know cases, phases or oracles, nor which end is attacked.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from fuzz.clock import Clock
from fuzz.ocppj.lenient import hear
from fuzz.ocppj.variables import items_of, member_of, text_of
from fuzz.records import (
    Answer,
    Close,
    Entry,
    FrameKind,
    Heard,
    Link,
    LinkClosed,
    Voice,
    Who,
)
from strategies.labels import JsonObject, JsonValue
from strategies.wsframes import FrameReader

UNREADABLE_IDS = ("-1", "")
"""Ids that an answer may carry when the message was unreadable (OCPP-J 4.2.3: "-1"; "" and null are seen too)."""

ENTRY_LIMIT = 65_536
"""Longest text kept of one message in a transcript, characters; the case itself holds the whole."""

FLOOD_LIMIT = 5_000
"""Messages of the target during one play after which we hang up: nothing that talks so much can be judged."""

_HEAD = re.compile(r'\s*\[\s*2\s*,\s*"([^"\\]{1,500})"')
FLOOD_CHARACTERS = 48 * 2**20
"""The same for all texts of one play together: three of the longest messages that the transport lets in."""

POUR_SHARE = 8
"""An answer is not missed behind so much as this part of a flood: it may be on its way still."""

_REMEMBERED_IDS = 4_096
_MAX_PONGS = 64
_SERIAL = 40
"""So long a serialNumber may be (CertificateHashDataType)."""
_LOOK_S = 0.02
_MAX_LATE = 100
_DRAIN_S = 1.0


@dataclass(slots=True)
class Take:
    """What one play of a case has gathered so far; `longest_s` is how long the slowest of the `answered` CALLs took."""

    started: float
    entries: list[Entry] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    call_id: str | None = None
    unreadable: bool = False
    replies: list[Heard] = field(default_factory=list)
    strays: list[Heard] = field(default_factory=list)
    calls: list[Heard] = field(default_factory=list)
    boot_reasons: list[str] = field(default_factory=list)
    overrides: dict[str, deque[str]] = field(default_factory=dict)
    pongs: list[bytes] = field(default_factory=list)
    answered: int = 0
    longest_s: float = 0.0

    def timed(self, seconds: float) -> None:
        """Take note of how long the answer to a CALL of ours took."""
        self.answered += 1
        self.longest_s = max(self.longest_s, seconds)

    def answer_next(self, action: str, text: str) -> None:
        """Answer the target's next CALL of an action with this text, nothing at all when it is empty."""
        self.overrides.setdefault(action, deque()).append(text)

    def override(self, action: str) -> str | None:
        """What the case wants to answer to the CALL that just came, None when the voice may."""
        waiting = self.overrides.get(action)
        return waiting.popleft() if waiting else None

    def answers(self, message_id: JsonValue) -> bool:
        """True when a reply with this id belongs to the case's own message."""
        if isinstance(message_id, str) and message_id == self.call_id:
            return True
        if not self.unreadable:
            return False
        if not isinstance(message_id, str) or message_id in UNREADABLE_IDS:
            return True
        # An id that was cut down to what the target can hold is still an answer to us.
        return (
            self.call_id is not None
            and len(message_id) >= 8
            and self.call_id.startswith(message_id)
        )


@dataclass(slots=True)
class Ledger:
    """What is kept over all connections with a target.

    `named` holds what the target named last, such as `tx.id`, for the slots of later messages; `exchanges` counts the
    CALLs of both sides, and what was said that is no CALL.
    """

    named: dict[str, str] = field(default_factory=dict)
    exchanges: int = 0


class Flooded(Exception):
    """The target sent more messages in one play than anybody could ask for."""


class Conversation:
    """A link, a voice, and the bookkeeping of who answered what.

    What outlives a connection is kept in the ledger.
    """

    def __init__(
        self,
        link: Link,
        voice: Voice,
        clock: Clock,
        ids: Iterator[str],
        ledger: Ledger | None = None,
    ) -> None:
        self.link = link
        self._ledger = ledger or Ledger()
        self.voice = voice
        self.closed: Close | None = None
        self.late: list[tuple[str, Heard]] = []
        self._clock = clock
        self._ids = ids
        self._take = Take(clock.monotonic())
        self._boots_before = 0
        self._own: dict[str, Heard | None] = {}
        self._past: OrderedDict[str, bool] = OrderedDict()
        self._asked_at: OrderedDict[str, float] = OrderedDict()
        self._heard = 0
        self._heard_characters = 0
        self._frames = FrameReader()

    # --- opening ------------------------------------------------------------------------------------------

    async def open(self, timeout_s: float, *, await_boot: bool) -> bool:
        """Bring the target into the booted state; False when it did not get there in time.

        A station need not boot again on a new connection (Part 4 section 5.3), so the caller says whether to wait
        for a BootNotification or to trust an earlier one. Raises `LinkClosed`, `Flooded`.
        """
        for action, payload in self.voice.opening():
            if await self.call(action, payload, timeout_s) is None:
                return False
        take, before = self._take, self._boots_before
        if await_boot:
            return await self.wait(
                lambda: len(take.boot_reasons) > before and self.voice.booted, timeout_s
            )
        return await self.wait(lambda: self.voice.booted, timeout_s)

    # --- takes --------------------------------------------------------------------------------------------

    def begin(self) -> Take:
        """Start a new take; everything heard from now on belongs to it."""
        self._retire()
        self._take = Take(self._clock.monotonic())
        self._boots_before = 0
        self._heard = self._heard_characters = 0
        self._frames.ping = None
        return self._take

    def adopt(self, take: Take) -> None:
        """Go on with a take that began on an earlier connection."""
        self._take = take
        self._boots_before = len(take.boot_reasons)

    def _retire(self) -> None:
        take = self._take
        if take.call_id is None or take.call_id in UNREADABLE_IDS:
            return
        self._remember(take.call_id, answered=bool(take.replies))

    def _remember(self, message_id: str, *, answered: bool) -> None:
        self._past[message_id] = answered
        if len(self._past) > _REMEMBERED_IDS:
            self._past.popitem(last=False)

    def _asks(self, message_id: str) -> None:
        self._asked_at[message_id] = self._clock.monotonic()
        if len(self._asked_at) > _REMEMBERED_IDS:
            self._asked_at.popitem(last=False)

    def log(self, who: Who, kind: str, text: str) -> None:
        """Add a line to the transcript of the present take."""
        if len(text) > ENTRY_LIMIT:
            text = f"{text[:ENTRY_LIMIT]}... ({len(text)} characters)"
        self._take.entries.append(
            Entry(self._clock.monotonic() - self._take.started, who, kind, text)
        )

    # --- saying -------------------------------------------------------------------------------------------

    async def say(self, text: str) -> None:
        """Send the case's own text and note the id under which a correct peer would answer."""
        take = self._take
        take.said.append(text if len(text) <= ENTRY_LIMIT else text[:ENTRY_LIMIT])
        self.log(Who.US, "text", text)
        self._note_id(text)
        await self._send(self.link.send_text(text))

    async def say_raw(self, data: bytes) -> None:
        """Write the case's own bytes below the WebSocket layer; messages that end in them count as said."""
        self.log(Who.US, "frames", base64.b64encode(data[:ENTRY_LIMIT]).decode())
        goes_on = self._frames.unfinished
        for text in self._frames.feed(data):
            self._take.said.append(text)
            self._note_id(text)
            self._take.unreadable = True
        await self._send(self.link.send_raw(data), counts=not goes_on)

    @property
    def unfinished(self) -> bool:
        """True in the middle of a frame or message of the case's own: whatever is said now would become part of it."""
        return self._frames.unfinished

    @property
    def closing(self) -> bool:
        """True once the case itself wrote a close frame."""
        return self._frames.closing

    def said_in_frames(self, texts: Iterable[str]) -> bool:
        """True when one of these messages has an id that was used on this connection before."""
        ids = (_id_at_the_head(text) for text in texts)
        return any(id_ in self._past or id_ == self._take.call_id for id_ in ids if id_)

    async def hear_pong(self, timeout_s: float) -> bool:
        """Wait for the pong to the last ping of the case's own frames; True without one. Raises as `wait`."""
        deadline = self._clock.monotonic() + timeout_s
        while self._frames.ping is not None and self._frames.ping not in self._take.pongs:
            if self._clock.monotonic() >= deadline:
                return False
            await self.idle(_LOOK_S)
        return True

    def _note_pongs(self) -> None:
        """Pongs are bounded: a target that pours them out tells nothing more."""
        for payload in self.link.pongs():
            if payload not in self._take.pongs and len(self._take.pongs) < _MAX_PONGS:
                self._take.pongs.append(payload)
                self.log(Who.TARGET, "pong", base64.b64encode(payload).decode())

    async def put(self, text: str) -> str:
        """Send a CALL of the scene, whose id is in its text already, without waiting; that id. Raises `LinkClosed`."""
        # Our own reader gives up on what is very long.
        message_id = _id_at_the_head(text) or str(hear(text, 0.0).message_id)
        self._own[message_id] = None
        self._asks(message_id)
        self.log(Who.US, "text", text)
        await self._send(self.link.send_text(text))
        return message_id

    async def say_bytes(self, data: bytes, opcode: str) -> None:
        """Send the case's own bytes as one message."""
        take = self._take
        shown = base64.b64encode(data[:ENTRY_LIMIT]).decode()
        take.said.append(shown)
        self.log(Who.US, "bytes", shown)
        self._note_id(data.decode("utf-8", "replace"))
        take.unreadable = True
        await self._send(self.link.send_bytes(data, opcode=opcode))

    def _note_id(self, text: str) -> None:
        take = self._take
        self._retire()
        heard = hear(text, 0.0)
        readable = heard.kind is FrameKind.CALL and isinstance(heard.message_id, str)
        take.call_id = (
            heard.message_id if isinstance(heard.message_id, str) else _id_at_the_head(text)
        )
        if take.call_id is not None:
            self._asks(take.call_id)
        take.unreadable = (
            not readable
            or len(heard.items) != 4
            or not isinstance(heard.action, str)
            or not isinstance(heard.payload, dict)
            or not 0 < len(take.call_id or "") <= 36
        )

    async def _send(self, sending: Awaitable[None], *, counts: bool = True) -> None:
        """Send; when the link is gone already, hear what arrived before it went."""
        self._ledger.exchanges += counts
        try:
            await sending
        except LinkClosed as closed:
            try:
                await self._listen(lambda: False, self._clock.monotonic() + _DRAIN_S)
            finally:
                # A target that goes on talking after the end must not hide it.
                self._end(closed)
            raise

    async def call(self, action: str, payload: JsonObject, timeout_s: float) -> Heard | None:
        """Make a proper CALL of our own and wait for its answer; None when none came. Raises `LinkClosed`."""
        message_id = await self.ask(action, payload)
        answer = await self.answer_to(message_id, timeout_s)
        if answer is not None and answer.kind is FrameKind.CALLRESULT:
            self.voice.learned(action, payload, answer.payload)
        return answer

    async def ask(self, action: str, payload: JsonObject) -> str:
        """Send a proper CALL without waiting; the id to wait for. Raises `LinkClosed`."""
        message_id = next(self._ids)
        self._own[message_id] = None
        self._asks(message_id)
        text = json.dumps([2, message_id, action, payload], separators=(",", ":"))
        self.log(Who.HARNESS, "text", text)
        await self._send(self.link.send_text(text))
        return message_id

    async def answer_to(self, message_id: str, timeout_s: float) -> Heard | None:
        """The answer to a CALL that `ask` made; None when none came in time. Raises `LinkClosed`."""
        own = self._own
        await self._listen(
            lambda: own.get(message_id) is not None, self._clock.monotonic() + timeout_s
        )
        answer = own.pop(message_id, None)
        self._remember(message_id, answered=answer is not None)
        return answer

    def answered(self, message_id: str) -> bool:
        """True when the CALL that `ask` made has its answer."""
        return self._own.get(message_id) is not None

    def pours(self) -> str:
        """Why a missing answer says nothing now, "" when it does: the target said so much that we may not be through."""
        if (
            self._heard * POUR_SHARE < FLOOD_LIMIT
            and self._heard_characters * POUR_SHARE < FLOOD_CHARACTERS
        ):
            return ""
        return (
            f"no answer in time, behind {self._heard:,} messages with "
            f"{self._heard_characters:,} characters"
        )

    # --- hearing ------------------------------------------------------------------------------------------

    async def wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Serve the target until `done()` or the time is up. Raises `LinkClosed`, `Flooded`."""
        return await self._listen(done, self._clock.monotonic() + timeout_s)

    async def idle(self, seconds: float) -> None:
        """Serve the target for `seconds`. Raises `LinkClosed`, `Flooded`."""
        await self._listen(lambda: False, self._clock.monotonic() + seconds)

    async def _listen(self, done: Callable[[], bool], deadline: float) -> bool:
        while not done():
            remaining = deadline - self._clock.monotonic()
            if remaining <= 0:
                return False
            try:
                async with asyncio.timeout(remaining):
                    data = await self.link.receive()
            except TimeoutError:
                self._note_pongs()
                return False
            except LinkClosed as closed:
                self._end(closed)
                raise
            await self._take_in(data)
        self._note_pongs()
        return True

    def _end(self, closed: LinkClosed) -> None:
        if self.closed is None:
            self.closed = closed.close
            who = Who.TARGET if closed.close.by_target else Who.US
            self.log(who, "close", f"{closed.close.code} {closed.close.reason}".strip())

    async def _take_in(self, data: str | bytes) -> None:
        self._heard += 1
        self._heard_characters += len(data)
        if self._heard > FLOOD_LIMIT:
            raise Flooded(f"more than {FLOOD_LIMIT} messages during one case")
        if self._heard_characters > FLOOD_CHARACTERS:
            raise Flooded(f"more than {FLOOD_CHARACTERS} characters during one case")
        take = self._take
        heard = hear(data, self._clock.monotonic() - take.started)
        self.log(Who.TARGET, "bytes" if heard.binary else "text", heard.text)
        match heard.kind:
            case FrameKind.CALL:
                take.calls.append(heard)
                await self._serve(heard)
            case FrameKind.CALLRESULT | FrameKind.CALLERROR:
                self._note_root(heard.payload)
                self._sort(heard)
            case _:
                take.strays.append(heard)

    def _sort(self, heard: Heard) -> None:
        take, message_id = self._take, heard.message_id
        if isinstance(message_id, str) and message_id in self._asked_at:
            take.timed(self._clock.monotonic() - self._asked_at.pop(message_id))
        if isinstance(message_id, str) and message_id in self._own:
            if self._own[message_id] is None:
                self._own[message_id] = heard
            else:
                take.strays.append(heard)
        elif take.answers(message_id):
            take.replies.append(heard)
        elif isinstance(message_id, str) and message_id in self._past:
            if self._past[message_id] and len(self.late) < _MAX_LATE:
                self.late.append((message_id, heard))
            self._past[message_id] = True
        else:
            take.strays.append(heard)

    async def _serve(self, heard: Heard) -> None:
        message_id, action = heard.message_id, heard.action
        if not isinstance(message_id, str) or not isinstance(action, str):
            return
        if action == "BootNotification":
            reason = heard.payload.get("reason") if isinstance(heard.payload, dict) else None
            self._take.boot_reasons.append(reason if isinstance(reason, str) else "")
        self._ledger.exchanges += 1
        self._note(heard, message_id)
        override = self._take.override(action)
        answer = self.voice.answer(action, heard.payload)
        if override == "":
            return
        text = (
            override.replace("{call.id}", json.dumps(message_id)[1:-1])
            if override is not None
            else render(message_id, answer)
        )
        self.log(Who.US if override is not None else Who.HARNESS, "text", text)
        # A link that is gone is noticed by whoever reads next, after what had arrived before.
        with contextlib.suppress(LinkClosed):
            await self.link.send_text(text)

    def _note(self, heard: Heard, message_id: str) -> None:
        """Keep what the target's CALL names for the slots of later messages."""
        named = self._ledger.named
        named["asked.previous"] = named.get("asked.id", message_id)
        named["asked.id"] = message_id
        payload = heard.payload if isinstance(heard.payload, dict) else {}
        info = payload.get("transactionInfo")
        transaction = info.get("transactionId") if isinstance(info, dict) else None
        if isinstance(transaction, str):
            named["tx.id"] = json.dumps(transaction[:36])[1:-1]

    def _note_root(self, payload: JsonValue) -> None:
        """Keep the serial number of the certificate that was listed last, as the target spells it."""
        chains = items_of(payload, "certificateHashDataChain")
        data = member_of(chains[-1], "certificateHashData") if chains else None
        if serial := text_of(data, "serialNumber"):
            self._ledger.named["root.serial"] = json.dumps(serial[:_SERIAL])[1:-1]


def _id_at_the_head(text: str) -> str | None:
    """The messageId of a text that we cannot parse but a peer with other limits may."""
    found = _HEAD.match(text)
    return found.group(1) if found else None


def render(message_id: str, answer: Answer) -> str:
    """The CALLRESULT or CALLERROR for a CALL (OCPP-J 4.2.2, 4.2.3)."""
    frame: list[JsonValue]
    if answer.payload is not None:
        frame = [3, message_id, answer.payload]
    else:
        frame = [4, message_id, answer.error_code, answer.description, {}]
    return json.dumps(frame, separators=(",", ":"))
