from __future__ import annotations

import pytest
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame
from websockets.protocol import OPEN, Protocol
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from strategies.labels import Fault, Stance, Tier
from strategies.wsfaults import (
    CONTEXT,
    DEFLATE,
    MAX_ID,
    OVERSIZED,
    Again,
    Cut,
    Framing,
    framings,
)
from strategies.wsframes import FrameReader

PAYLOAD = {"key": "value with some length to it, so that there is something to cut"}
LIMIT = 2**25


def table(*, masked: bool) -> tuple[Framing, ...]:
    return framings("Ask", PAYLOAD, masked=masked)


def by_id(*, masked: bool) -> dict[str, Framing]:
    return {one.id: one for one in table(masked=masked)}


BOTH = [
    pytest.param(one, masked, id=f"{one.id}-{'masked' if masked else 'plain'}")
    for masked in (False, True)
    for one in table(masked=masked)
]


def written(framing: Framing) -> bytes:
    parts = [p.data * p.times if isinstance(p, Again) else p for p in framing.parts]
    return b"".join(p for p in parts if isinstance(p, bytes))


def heard_by_a_library(framing: Framing, *, masked: bool) -> tuple[Protocol, list[str]]:
    """How another WebSocket implementation takes it, and the messages that it finds."""
    deflate = PerMessageDeflate(False, False, 15, 15)
    extensions = [] if framing.uncompressed else [deflate]
    protocol: Protocol = (
        ServerProtocol(max_size=LIMIT)
        if masked
        else ClientProtocol(parse_uri("ws://x/"), max_size=LIMIT)
    )
    protocol.state, protocol.extensions = OPEN, extensions
    protocol.parser = Protocol.parse(protocol)
    next(protocol.parser)
    protocol.receive_data(written(framing))
    texts, parts = [], b""
    for event in protocol.events_received():
        if isinstance(event, Frame) and event.opcode < 8:
            parts += bytes(event.data)
            if event.fin:
                texts.append(parts.decode("utf-8", "replace"))
                parts = b""
    return protocol, texts


@pytest.mark.parametrize(("framing", "masked"), BOTH)
def test_a_library_serves_what_is_legal_and_fails_what_is_ill(framing, masked):
    protocol, texts = heard_by_a_library(framing, masked=masked)
    if framing.expectation.stance is Stance.ACCEPT:
        assert protocol.parser_exc is None
        assert texts[-1].startswith(f'[2,"{framing.family}-{framing.name}"'[: MAX_ID + 4])
    elif framing.expectation.stance is Stance.UNSPECIFIED:
        assert framing.expectation.fault in (None, Fault.HEAVY, Fault.FRAME)
    elif framing.expectation.fault is Fault.FRAME and framing.name != "shorter":
        assert protocol.close_sent is not None
        assert protocol.close_sent.code == 1002
    elif framing.family == "utf8":
        assert "\ufffd" in texts[-1]


@pytest.mark.parametrize("masked", [False, True])
def test_ids_are_unique_and_so_are_the_messages_said_on_one_connection(masked):
    every = table(masked=masked)
    assert len({one.id for one in every}) == len(every)
    said = [t[:MAX_ID] for one in every if one.calls for t in FrameReader().feed(written(one))]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(("framing", "masked"), BOTH)
def test_a_call_is_found_where_one_is_promised_and_its_control_is_the_same(framing, masked):
    found = FrameReader().feed(written(framing))
    if not framing.calls:
        assert framing.control == b""
        return
    assert found
    _, (controlled,) = heard_by_a_library(
        Framing("", "", (framing.control,), framing.expectation), masked=masked
    )
    start = f'[2,"{framing.family}-{framing.name}","Ask",{{"key":"{PAYLOAD["key"]}"'
    assert controlled.startswith(start)
    assert ("customData" in controlled) == ("customData" in found[-1]) or framing.name == "bomb"
    assert len(f"{framing.family}-{framing.name}") <= MAX_ID


@pytest.mark.parametrize("masked", [False, True])
def test_however_short_the_call_what_is_cut_holds_no_whole_one(masked):
    for one in framings("A", {}, masked=masked):
        said = [text for text in FrameReader().feed(written(one)) if text.endswith("]")]
        assert len(said) <= 2 if one.calls else not said or one.name in _WHOLE


_WHOLE = {"then-call", "rsv1-continuation"}
"""Members that hold a CALL which is never to be looked at."""


@pytest.mark.parametrize(("framing", "masked"), BOTH)
def test_what_stays_unfinished_is_cut(framing, masked):
    reader = FrameReader()
    reader.feed(written(framing))
    assert not reader.unfinished or isinstance(framing.parts[-1], Cut)


def test_only_members_of_one_family_need_compression():
    for one in table(masked=False):
        squeezed = FrameReader()
        squeezed.feed(written(one))
        assert squeezed._squeezed == (one.family == DEFLATE or one.uncompressed)
    assert {o.name for o in table(masked=False) if o.name.startswith(CONTEXT)} == {
        "context",
        "context-long",
    }


def test_the_wrong_mask_is_the_one_of_the_other_role():
    assert "frames/mask/masked" in by_id(masked=False)
    assert "frames/mask/unmasked" in by_id(masked=True)


def test_what_is_heavy_is_small_in_the_case_and_large_on_the_wire():
    oversized = by_id(masked=False)["frames/heavy/oversized"]
    assert len(written(oversized)) > OVERSIZED
    for one in table(masked=False):
        kept = sum(len(p.data) if isinstance(p, Again) else len(p) for p in one.parts if isinstance(p, Again | bytes))  # fmt: skip
        assert kept < 20_000


def test_the_mutation_names_family_and_member_and_no_value():
    one = by_id(masked=False)["frames/rsv/rsv2"]
    assert one.mutation.class_ == "frame:rsv:rsv2"
    assert one.expectation.tier is Tier.JSON


@pytest.mark.parametrize("masked", [False, True])
def test_only_the_sender_is_bound_by_the_least_number_of_length_bytes(masked):
    padded = [f for f in table(masked=masked) if f.name.startswith("minimal")]
    assert {f.name for f in padded} == {"minimal-64", "minimal-ping"}
    told = {(f.expectation.stance, f.expectation.fault) for f in padded}
    assert told == {(Stance.UNSPECIFIED, Fault.FRAME)}
