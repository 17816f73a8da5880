from __future__ import annotations

from fuzz.ocppj.framed import Written, writes_frames, written
from fuzz.records import Disconnect, RepeatSteps, SendFrames, SendText, Wait
from strategies.wsframes import Opcode, frame

TEXT = frame(b"[2,1]", mask=None)
PING = frame(b"hello", Opcode.PING, mask=None)
CLOSE = frame(b"", Opcode.CLOSE, mask=None)


def test_only_raw_bytes_are_frames_however_deep_they_lie():
    assert writes_frames([Wait(1), RepeatSteps((RepeatSteps((SendFrames(TEXT),), 2),), 2)])
    assert not writes_frames([SendText(("x",)), RepeatSteps((Wait(1),), 2)])


def test_messages_are_found_in_repetitions_and_across_steps():
    steps = [RepeatSteps((SendFrames(TEXT[:3]), Wait(1), SendFrames(TEXT[3:] + PING)), 2)]
    assert written(steps) == Written(("[2,1]", "[2,1]"), b"hello")


def test_a_ping_of_an_earlier_connection_is_forgotten_and_its_messages_are_not():
    steps = [SendFrames(TEXT + PING + CLOSE), Disconnect(1006), SendFrames(TEXT)]
    assert written(steps) == Written(("[2,1]", "[2,1]"), None, closing=False)
    assert written(steps[:1]) == Written(("[2,1]",), b"hello", closing=True)


def test_half_a_frame_does_not_swallow_what_the_next_connection_says():
    steps = [SendFrames(TEXT[:3]), Disconnect(1006), SendFrames(TEXT)]
    assert written(steps).texts == ("[2,1]",)
