"""What can be done to a peer below whole messages, and what a correct one makes of each (RFC 6455, RFC 7692).

Knows frames and one harmless CALL that is put into them. Must not know what was negotiated, nor who plays it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    Mutation,
    Stance,
    Tier,
)
from strategies.wsframes import (
    KEY,
    RESERVED_OPCODES,
    RSV1,
    RSV2,
    RSV3,
    Opcode,
    deflated,
    deflater,
    frame,
    masked,
)

DEFLATE = "deflate"
"""The family that says nothing where permessage-deflate was not negotiated."""

PINGS = "ping"
"""The family that asks for pongs."""

CONTEXT = "context"
"""How its members begin that need the context to be taken over (RFC 7692 section 7.1.1.1)."""

BOMB = 10 * 2**20
"""What a small compressed frame inflates to, bytes: a nuisance, nothing that kills a healthy peer."""

OVERSIZED = 20 * 2**20
ENDLESS = 2**63 - 1
MAX_ID = 36

_LEGAL = Expectation(Stance.ACCEPT, Tier.MODEL)
_ILL = Expectation(Stance.REJECT, Tier.JSON, Fault.FRAME)
_NOT_UTF8 = Expectation(Stance.REJECT, Tier.JSON, Fault.NOT_UTF8)
_OPEN = Expectation(Stance.UNSPECIFIED, Tier.JSON)
_PADDED = Expectation(Stance.UNSPECIFIED, Tier.JSON, Fault.FRAME)
"""Only the sender is bound (RFC 6455 section 5.2): whoever takes it is right, and whoever fails the connection too."""

_HEAVY = Expectation(Stance.UNSPECIFIED, Tier.JSON, Fault.HEAVY, "no limit named")

_END = 2**20
_CHUNK = 2**14
_CLOSING_S = 0.5
_BAD_CODES = (0, 999, 1004, 1005, 1006, 1015, 65535)
_OTHER_TEXT = "Ünïcödé €uro 漢字 😀"
_LONG = "".join(f"{number * 7919 % 65_537:x}" for number in range(1, 56))
"""Text that hardly repeats itself, so that it stays long when it is compressed."""


@dataclass(frozen=True, slots=True)
class Again:
    """The same bytes many times over."""

    data: bytes
    times: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is written for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is cut here, without a close frame."""


Part: TypeAlias = bytes | Again | Pause | Cut


@dataclass(frozen=True, slots=True)
class Framing:
    """One thing done below whole messages.

    `calls` tells whether a CALL is in it that somebody might answer, `control` is the same CALL in one proper frame.
    `uncompressed` asks for a connection on which no compression was negotiated.
    """

    family: str
    name: str
    parts: tuple[Part, ...]
    expectation: Expectation
    control: bytes = b""
    calls: bool = True
    heavy: bool = False
    uncompressed: bool = False

    @property
    def id(self) -> str:
        """Stable over releases and seeds."""
        return f"frames/{self.family}/{self.name}"

    @property
    def mutation(self) -> Mutation:
        """What is bent: all of one family bend one rule."""
        return Mutation(Channel.FRAME, "", self.family, self.name)


def framings(action: str, payload: JsonObject, *, masked: bool) -> tuple[Framing, ...]:
    """Every case of the table around a harmless CALL; `masked` is what our role asks for (RFC 6455 section 5.1)."""
    table = _Table(action, payload, KEY if masked else None)
    families = (
        table.fragments(),
        table.texts(),
        table.reserved_bits(),
        table.opcodes(),
        table.controls(),
        table.pings(),
        table.masks(),
        table.lengths(),
        table.slow(),
        table.compressed(),
        table.closes(),
        table.cuts(),
        table.heavy(),
    )
    return tuple(one for family in families for one in family)


@dataclass(frozen=True, slots=True)
class _Table:
    action: str
    payload: JsonObject
    mask: bytes | None

    def frame(self, payload: bytes = b"", opcode: int = Opcode.TEXT, **how: int | None) -> bytes:
        return frame(
            payload,
            opcode,
            mask=self.mask,
            fin=how.get("fin", 1) == 1,
            rsv=how.get("rsv") or 0,
            width=how.get("width"),
            told=how.get("told"),
        )

    def call(self, name: str, vendor: str = "") -> bytes:
        """The CALL, under an id of its own; with `vendor` it carries customData."""
        payload = {**self.payload, "customData": {"vendorId": vendor}} if vendor else self.payload
        text = json.dumps(
            [2, name[:MAX_ID], self.action, payload], ensure_ascii=False, separators=(",", ":")
        )
        return text.encode()

    def fragmented(self, *pieces: bytes, rsv: int = 0) -> list[bytes]:
        """A message in as many frames."""
        last = len(pieces) - 1
        return [
            self.frame(
                piece,
                Opcode.CONTINUATION if i else Opcode.TEXT,
                fin=int(i == last),
                rsv=0 if i else rsv,
            )
            for i, piece in enumerate(pieces)
        ]

    def _made(
        self,
        family: str,
        name: str,
        expectation: Expectation,
        *parts: Part,
        calls: bool = True,
        heavy: bool = False,
        uncompressed: bool = False,
        vendor: str = "",
    ) -> Framing:
        joined: list[Part] = []
        for part in parts:
            if isinstance(part, bytes) and joined and isinstance(joined[-1], bytes):
                joined[-1] += part
            else:
                joined.append(part)
        return Framing(
            family,
            name,
            tuple(joined),
            expectation,
            self.frame(self.call(f"{family}-{name}", vendor)) if calls else b"",
            calls,
            heavy,
            uncompressed,
        )

    # --- messages in parts ---------------------------------------------------------------------------------

    def fragments(self) -> Iterator[Framing]:
        """Fragmentation, right (RFC 6455 section 5.4) and wrong."""
        for name, at in (
            ("two", (20,)),
            ("three", (1, 40)),
            ("bytes", range(1, 100)),
            ("empty-first", (0,)),
            ("empty-between", (9, 9)),
            ("empty-last", (_END,)),
        ):
            text = self.call(f"fragment-{name}")
            yield self._made("fragment", name, _LEGAL, *self.fragmented(*_cut(text, *at)))
        ping, pong = self.frame(b"between", Opcode.PING), self.frame(b"", Opcode.PONG)
        for name, between in (("ping", ping), ("pong", pong), ("pong-and-ping", pong + ping)):
            text = self.call(f"fragment-{name}-between")
            first, *others = self.fragmented(*_cut(text, 20))
            yield self._made("fragment", f"{name}-between", _LEGAL, first, between, *others)
        text = self.call("fragment-inside-character", _OTHER_TEXT)
        inside = text.index("€".encode()) + 1
        pieces = self.fragmented(*_cut(text, inside))
        yield self._made("fragment", "inside-character", _LEGAL, *pieces, vendor=_OTHER_TEXT)
        first, last = self.fragmented(*_cut(self.call("fragment-paused"), 30))
        yield self._made("fragment", "paused", _LEGAL, first, Pause(0.3), last)
        yield from self._ill_fragments()

    def _ill_fragments(self) -> Iterator[Framing]:
        alone = self.frame(self.call("fragment-no-start"), Opcode.CONTINUATION)
        yield self._made("fragment", "no-start", _ILL, alone)
        begun, text = self.frame(b"[2,", fin=0), self.call("fragment-text-inside")
        yield self._made("fragment", "text-inside", _ILL, begun, self.frame(text))

    def _ill(self, family: str, name: str, data: bytes) -> Framing:
        return self._made(family, name, _ILL, data, calls=False)

    def texts(self) -> Iterator[Framing]:
        """Text that is not UTF-8, across the border of two fragments (RFC 6455 section 8.1)."""
        for name, first, second in (
            ("broken-across", b"\xc3", b"("),
            ("surrogate-across", b"\xed", b"\xa0\x80"),
            ("overlong-across", b"\xc0", b"\xaf"),
            ("too-high-across", b"\xf4\x90", b"\x80\x80"),
        ):
            before, after = self.call(f"utf8-{name}", "|").split(b"|")
            pieces = self.fragmented(before + first, second + after)
            yield self._made("utf8", name, _NOT_UTF8, *pieces, vendor=_OTHER_TEXT)

    # --- single frames -------------------------------------------------------------------------------------

    def reserved_bits(self) -> Iterator[Framing]:
        """Reserved bits that nobody negotiated (RFC 6455 section 5.2)."""
        for name, rsv in (("rsv2", RSV2), ("rsv3", RSV3)):
            text = self.call(f"rsv-{name}")
            yield self._made("rsv", name, _ILL, self.frame(text, rsv=rsv))
        yield self._ill("rsv", "rsv1-ping", self.frame(b"", Opcode.PING, rsv=RSV1))
        first, second = _cut(self.call("rsv-rsv3-continuation"), 20)
        last = self.frame(second, Opcode.CONTINUATION, rsv=RSV3)
        yield self._made("rsv", "rsv3-continuation", _ILL, self.frame(first, fin=0), last)
        text = self.call("rsv-rsv1-plain")
        yield self._made("rsv", "rsv1-plain", _ILL, self.frame(text, rsv=RSV1), uncompressed=True)
        squeezed = deflated(self.call("rsv-not-negotiated"), deflater())
        yield self._made(
            "rsv", "not-negotiated", _ILL, self.frame(squeezed, rsv=RSV1), uncompressed=True
        )

    def opcodes(self) -> Iterator[Framing]:
        """Opcodes that have no meaning (RFC 6455 section 5.2)."""
        for opcode in RESERVED_OPCODES:
            name = f"{opcode:x}"
            payload = self.call(f"opcode-{name}") if opcode < Opcode.CLOSE else b""
            yield self._made(
                "opcode", name, _ILL, self.frame(payload, opcode), calls=opcode < Opcode.CLOSE
            )

    def controls(self) -> Iterator[Framing]:
        """Control frames that are too long, or in parts (RFC 6455 section 5.5)."""
        for name, opcode in (("ping", Opcode.PING), ("pong", Opcode.PONG)):
            yield self._ill("control", f"{name}-126", self.frame(bytes(126), opcode))
            parts = self.frame(b"a", opcode, fin=0) + self.frame(b"b", Opcode.CONTINUATION)
            yield self._ill("control", f"{name}-fragmented", parts)

    def pings(self) -> Iterator[Framing]:
        """Pings and pongs as they may come at any time; the last ping has a pong (RFC 6455 section 5.5.2)."""
        full = bytes(range(125))
        for name, frames in (
            ("empty", self.frame(b"", Opcode.PING)),
            ("full", self.frame(full, Opcode.PING)),
            ("two", self.frame(b"one", Opcode.PING) + self.frame(b"two", Opcode.PING)),
            ("unsolicited-pong", self.frame(b"nobody asked", Opcode.PONG)),
        ):
            text = self.frame(self.call(f"ping-{name}"))
            yield self._made(PINGS, name, _LEGAL, frames, text)
        ten = self.frame(b"flood", Opcode.PING) * 10
        text = self.frame(self.call("ping-flood"))
        # Some libraries cut off whoever does not read as many pongs.
        yield self._made(PINGS, "flood", _HEAVY, Again(ten, 100), text)

    def masks(self) -> Iterator[Framing]:
        """Masking as the other role does it, or with a key that hides nothing (RFC 6455 section 5.1)."""
        name = "masked" if self.mask is None else "unmasked"
        other = KEY if self.mask is None else None
        yield self._made("mask", name, _ILL, frame(self.call(f"mask-{name}"), mask=other))
        if self.mask is not None:
            zero = frame(self.call("mask-zero-key"), mask=bytes(4))
            yield self._made("mask", "zero-key", _OPEN, zero)

    def lengths(self) -> Iterator[Framing]:
        """Lengths that are written too long, or wrong (RFC 6455 section 5.2)."""
        text = self.call("length-minimal-64")
        yield self._made("length", "minimal-64", _PADDED, self.frame(text, width=64))
        ping = self.frame(b"", Opcode.PING, width=16)
        yield self._made("length", "minimal-ping", _PADDED, ping + self.frame(self.call("length-minimal-ping")))  # fmt: skip
        short = self.frame(text, told=len(text) - 2)
        yield self._made("length", "shorter", _ILL, short, Pause(_CLOSING_S), Cut(), calls=False)
        for name, told, expectation in (
            ("longer", len(text) + 10, _OPEN),
            ("highest-bit", 2**63, _OPEN),
            ("four-gigabytes", 2**32, _HEAVY),
            ("endless", ENDLESS, _HEAVY),
        ):
            lie = self.frame(text, told=told, width=64)
            yield self._made(
                "length", name, expectation, lie, Pause(_CLOSING_S), Cut(), calls=False
            )

    # --- time ----------------------------------------------------------------------------------------------

    def slow(self) -> Iterator[Framing]:
        """One frame that takes seconds to come."""
        text = self.frame(self.call("drip-slow"))
        size = len(text) // 20 + 1
        parts: list[Part] = []
        for start in range(0, len(text), size):
            parts += [text[start : start + size], Pause(0.1)]
        yield self._made("drip", "slow", _LEGAL, *parts[:-1])

    # --- compression ---------------------------------------------------------------------------------------

    def compressed(self) -> Iterator[Framing]:
        """Compressed messages, right and wrong (RFC 7692 section 7)."""
        yield self._squeezed("one", deflated(self.call("deflate-one"), deflater()))
        yield self._squeezed("stored", deflated(self.call("deflate-stored"), deflater(level=0)))
        yield self._pair("fresh-each", "", takes_over=False)
        yield self._pair(CONTEXT, "", takes_over=True)
        yield self._pair(f"{CONTEXT}-long", _LONG, takes_over=True)
        squeezed = deflated(self.call("deflate-fragmented"), deflater())
        frames = self.fragmented(*_cut(squeezed, 20), rsv=RSV1)
        yield self._made(DEFLATE, "fragmented", _LEGAL, *frames)
        yield from self._not_deflate()

    def _not_deflate(self) -> Iterator[Framing]:
        yield self._ill(DEFLATE, "garbage", self.frame(b"\xff" * 40, rsv=RSV1))
        first, second = _cut(deflated(self.call("deflate-rsv1-continuation"), deflater()), 20)
        last = self.frame(second, Opcode.CONTINUATION, rsv=RSV1)
        yield self._ill(DEFLATE, "rsv1-continuation", self.frame(first, fin=0, rsv=RSV1) + last)
        yield self._made(DEFLATE, "nothing", _OPEN, self.frame(b"\x00", rsv=RSV1), calls=False)
        squeezed = deflated(self.call("deflate-half"), deflater())
        half = self.frame(squeezed[: len(squeezed) // 2], rsv=RSV1)
        # Whatever came behind it would be unpacked from the middle of a block.
        yield self._made(DEFLATE, "half", _OPEN, half, Pause(0.1), Cut(), calls=False)

    def _squeezed(self, name: str, payload: bytes) -> Framing:
        return self._made(DEFLATE, name, _LEGAL, self.frame(payload, rsv=RSV1))

    def _pair(self, name: str, vendor: str, *, takes_over: bool) -> Framing:
        """Two compressed CALLs in one write; nothing can come between, and so the context is what we think."""
        by = deflater()
        first = deflated(self.call(f"deflate-{name}-first", _LONG[::-1][:60] if vendor else ""), by)
        by = by if takes_over else deflater()
        second = deflated(self.call(f"deflate-{name}", vendor), by)
        both = self.frame(first, rsv=RSV1) + self.frame(second, rsv=RSV1)
        return self._made(DEFLATE, name, _LEGAL, both, vendor=vendor)

    # --- ends ----------------------------------------------------------------------------------------------

    def closes(self) -> Iterator[Framing]:
        """Close frames, most of them ill (RFC 6455 sections 5.5.1 and 7.4)."""
        yield self._closing("one-byte", _ILL, b"\x03")
        for code in _BAD_CODES:
            yield self._closing(f"code-{code}", _ILL, code.to_bytes(2, "big"))
        yield self._closing("reason-not-utf8", _NOT_UTF8, b"\x03\xe8\xff\xfe")
        yield self._closing("too-long", _ILL, b"\x03\xe8" + b"x" * 124)
        yield self._closing("in-parts", _ILL, b"\x03\xe8", fin=0)
        text = self.frame(self.call("close-then-call"))
        yield self._closing("then-call", _OPEN, b"\x03\xe8", behind=text)
        ping = self.frame(b"late", Opcode.PING)
        yield self._closing("then-ping", _OPEN, b"\x03\xe8", behind=ping)
        yield self._closing("twice", _OPEN, b"\x03\xe8", behind=self._close(b"\x03\xe9"))
        begun = self.frame(b"[2,", fin=0)
        yield self._closing("inside-message", _OPEN, b"\x03\xe8", before=begun)

    def _close(self, payload: bytes, fin: int = 1) -> bytes:
        return self.frame(payload, Opcode.CLOSE, fin=fin)

    def _closing(
        self,
        name: str,
        expectation: Expectation,
        payload: bytes,
        *,
        fin: int = 1,
        before: bytes = b"",
        behind: bytes = b"",
    ) -> Framing:
        data = before + self._close(payload, fin) + behind
        parts: tuple[Part, ...] = (data, Pause(_CLOSING_S), Cut())
        return self._made("close", name, expectation, *parts, calls=False)

    def cuts(self) -> Iterator[Framing]:
        """Connections that end in the middle of something."""
        text = self.frame(self.call("cut"))
        ping = self.frame(b"cut", Opcode.PING)
        for name, data in (
            ("in-head", text[:1]),
            ("in-payload", text[: len(text) // 2]),
            ("in-ping", ping[:-1]),
            ("between-fragments", self.frame(b"[2,", fin=0)),
        ):
            yield self._made("cut", name, _OPEN, data, Pause(0.1), Cut(), calls=False)

    # --- size ----------------------------------------------------------------------------------------------

    def heavy(self) -> Iterator[Framing]:
        """What costs memory or time, bounded."""
        text = self.call("heavy-empty-fragments")
        first, middle, last = self.fragmented(text[:20], b"", text[20:])
        yield self._made(
            "heavy", "empty-fragments", _HEAVY, first, Again(middle * 100, 100), last, heavy=True
        )
        text = self.call("heavy-oversized")
        # Blanks before the last bracket are JSON; every piece but the last is a multiple of the mask's four bytes.
        before = text[:-1] + b" " * (-(len(text) - 1) % 4)
        blanks = Again(self._turned(b" " * _CHUNK), OVERSIZED // _CHUNK)
        head = self.frame(told=len(before) + OVERSIZED + 1, width=64)
        start, end = head + self._turned(before), self._turned(b"]")
        yield self._made("heavy", "oversized", _HEAVY, start, blanks, end, heavy=True)
        bomb = self.call("heavy-bomb", "|").replace(b'"|"', b'"x","load":"' + b"0" * BOMB + b'"')
        payload = deflated(bomb, deflater(level=9))
        yield self._made(DEFLATE, "bomb", _HEAVY, self.frame(payload, rsv=RSV1), heavy=True)

    def _turned(self, payload: bytes) -> bytes:
        """A piece of a frame's payload as it is written, when a multiple of four bytes came before it."""
        return payload if self.mask is None else masked(payload, self.mask)


def _cut(message: bytes, *at: int) -> list[bytes]:
    """The message in pieces that begin there."""
    return [message[a:b] for a, b in zip([0, *at], [*at, _END], strict=True)]
