"""Is the WebSocket protocol kept below whole messages? Ill frames (O33), bad handshakes (O34); what pings and closes demand, for O3.

Knows frames that a case wrote and pongs that came; must not look into messages.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from fuzz.ocppj.framed import writes_frames, written
from fuzz.oracles.registry import oracle, violation
from fuzz.records import WENT_ON, Basis, Disconnect, Observation, Severity, Violation, Who
from strategies.labels import Channel, Fault, Stance
from strategies.wsfaults import PINGS


@oracle("O33", name="ill-frame-served", clause="RFC 6455 section 7.1.7", cwe="CWE-1286")
def ill_frame_served(obs: Observation) -> Iterator[Violation]:
    """A frame that breaks RFC 6455 ends the connection.

    Reserved bits and opcodes, wrong masking, control frames in parts: the receiver fails the connection, because from
    here on it cannot know what the sender means. Many libraries are lenient and go on; nobody is hurt at once, so it is
    a remark. What a lenient reader may lead to, such as text that is not UTF-8 being taken, is judged elsewhere.

    Seen: readers that go on after a reserved bit, and then take the rest of the stream for something else.

    Fix: turn on the strict mode of the WebSocket library, or check opcode, reserved bits and mask before the payload.
    """
    expectation = obs.case.expectation
    if expectation.stance is not Stance.REJECT or expectation.fault is not Fault.FRAME:
        return
    if obs.process is not None or obs.boots:
        return
    went_on = bool(obs.replies) or obs.probes.same_connection is True
    if obs.close is not None or not went_on or _cuts(obs):
        return
    family = next((m.keyword for m in obs.case.mutations if m.channel is Channel.FRAME), "frame")
    text = "the connection goes on after a frame that RFC 6455 forbids"
    yield violation(
        "O33", Basis.HARDENING, Severity.LOW, f"{family} fault tolerated", text, remark=True
    )


@oracle("O34", name="bad-handshake-taken", clause="RFC 6455 section 4.1", cwe="CWE-345")
def bad_handshake_taken(obs: Observation) -> Iterator[Violation]:
    """A client fails an opening handshake whose answer is not the one that it asked for.

    A wrong Sec-WebSocket-Accept, a subprotocol or an extension that was never offered: whoever answers so is no peer of
    this client, perhaps a cache or a server of something else. Seen when a ping behind such an answer gets its pong.
    Nothing is lost by it at once, so it is a remark.

    Seen: clients that look at the number 101 only, so that any cache or proxy in between can answer for the CSMS.

    Fix: compare Sec-WebSocket-Accept, subprotocol and extensions with the request before the first frame.
    """
    for name in received_badly(obs, WENT_ON):
        text = f"the handshake answered with {name} was taken for a connection"
        yield violation("O34", Basis.HARDENING, Severity.LOW, name, text, remark=True)


def received_badly(obs: Observation, and_then: str) -> list[str]:
    """The ways, each once, in which the target was received badly and then did this: `WENT_ON` or `LEFT_OPEN`."""
    told = [e.text.partition(": ") for e in obs.entries if e.kind == "caller"]
    return list(dict.fromkeys(way for way, _, what in told if what == and_then))


def _cuts(obs: Observation) -> bool:
    """True when the case itself ends the connection, so that what is served afterwards proves nothing."""
    steps = obs.case.steps
    last = max((i for i, s in enumerate(steps) if isinstance(s, Disconnect)), default=-1)
    return last >= 0 and writes_frames(steps[:last])


def asks_to_close(obs: Observation) -> bool:
    """True when a close frame stands in the case's own frames: whatever closes then is what was asked for."""
    steps = [s for s in obs.case.steps if not isinstance(s, Disconnect)]
    return writes_frames(steps) and written(steps).closing


def unanswered_ping(obs: Observation) -> str:
    """What is wrong with the pong to the last ping of the case's frames, "" when nothing is or it cannot be told.

    Only the latest of several pings need be answered, with its own data (RFC 6455 sections 5.5.2 and 5.5.3).
    """
    accepted = obs.case.expectation.stance is Stance.ACCEPT
    if not accepted or not any(m.keyword == PINGS for m in obs.case.mutations):
        return ""
    served = bool(obs.replies) or obs.probes.same_connection is True
    ping = written(obs.case.steps).ping
    if ping is None or not served or obs.close is not None or obs.process is not None or obs.boots:
        return ""
    pongs = [_data(e.text) for e in obs.entries if e.kind == "pong" and e.who is Who.TARGET]
    if ping in pongs:
        return ""
    return "pong without its data" if pongs else "no pong"


def _data(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""
