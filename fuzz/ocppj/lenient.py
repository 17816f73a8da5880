"""Reads whatever the target sends without ever refusing, so that oracles can judge it.

Knows the outer shape of OCPP-J messages; the strict reading is in `codec.py`.
"""

from __future__ import annotations

import json

from fuzz.records import FrameKind, Heard

_KINDS = {2: FrameKind.CALL, 3: FrameKind.CALLRESULT, 4: FrameKind.CALLERROR}


def hear(data: str | bytes, at_s: float) -> Heard:
    """One message from the target, never an exception. Bytes are read as UTF-8, bad ones replaced."""
    binary = isinstance(data, bytes)
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Heard(at_s, text, FrameKind.GARBAGE, binary=binary)
    if not isinstance(value, list):
        return Heard(at_s, text, FrameKind.OTHER, binary=binary)
    first = value[0] if value else None
    kind = FrameKind.OTHER
    if isinstance(first, int) and not isinstance(first, bool):
        kind = _KINDS.get(first, FrameKind.OTHER)
    return Heard(at_s, text, kind, tuple(value), binary=binary)
