r"""Reads logs of one message a line: JSON lines, and what the logger of the `ocpp` package prints.

A JSON line is `{"direction": ..., "message": ..., "connection": "CS-1"}`. `direction` is `station->csms` or `csms->station`,
or `send` or `receive` as the log's owner has it; `message` is the message as text (then every byte is kept) or as an array;
`connection`, or `identity`, names the station and may be missing; `time` and other members are passed over. What was sent
as binary, or is no UTF-8, stands in `base64` instead of `message`, and `opcode` says `text` or `binary`.

The `ocpp` package writes `%s: send %s` and `%s: receive message %s`, the station's identity first.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from typing import IO

from fuzz.records import Side
from fuzz.traffic.events import MAX_MESSAGE, Lost, Opened, Said, Secret, Told
from fuzz.traffic.perspective import Perspective
from strategies.labels import JsonValue

SOMEBODY = "log"
"""The name of a connection that has none."""

MAX_NAME = 200

_PACKAGE = re.compile(r"([^\s:]{1,200}): (send|receive message) (.*)", re.DOTALL)
_DIRECTIONS = {
    "station->csms": Side.STATION,
    "station": Side.STATION,
    "csms->station": Side.CSMS,
    "csms": Side.CSMS,
}
_WAYS = {"send": True, "sent": True, "out": True, "receive": False, "received": False, "in": False}
DIRECTIONS = ("station->csms", "csms->station", "send", "receive")


def read_lines(
    file: IO[bytes], perspective: Perspective, told: Callable[[int], None]
) -> Iterator[Told]:
    """Everything that a log tells; `told` hears how many bytes were read so far."""
    talks: set[str] = set()
    while line := file.readline(MAX_MESSAGE + 1):
        told(file.tell())
        if len(line) > MAX_MESSAGE:
            yield Lost(f"a line of more than {MAX_MESSAGE} bytes")
            _pass_over(file)
            continue
        for event in _line(line, perspective):
            if isinstance(event, Said) and event.talk not in talks and len(talks) < 100_000:
                talks.add(event.talk)
                named = event.talk != SOMEBODY
                yield Opened(event.talk, ((Secret.IDENTITY, event.talk),) if named else ())
            yield event


def _pass_over(file: IO[bytes]) -> None:
    while (line := file.readline(MAX_MESSAGE)) and not line.endswith(b"\n"):
        pass


def _line(line: bytes, perspective: Perspective) -> Iterator[Told]:
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError:
        yield Lost("a line that is no UTF-8")
        return
    if not text:
        return
    yield _json(text, perspective) if text.startswith("{") else _logged(text, perspective)


def _logged(text: str, perspective: Perspective) -> Told:
    found = _PACKAGE.search(text)
    if found is None:
        return Lost("a line that holds no message")
    talk, way, message = found.groups()
    return _said(talk, message, perspective, sent=way == "send")


def _json(text: str, perspective: Perspective) -> Told:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Lost("a line that is no JSON")
    if not isinstance(value, dict) or not {"message", "base64"} & value.keys():
        return Lost("a line without a message")
    name = value.get("connection", value.get("identity"))
    talk = name[:MAX_NAME] if isinstance(name, str) and name else SOMEBODY
    if "message" not in value:
        return _bytes(talk, value)
    message = value["message"]
    try:
        whole = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        whole.encode("utf-8")
    except (ValueError, RecursionError):
        return Lost("a message that has no UTF-8 form")
    direction = value.get("direction")
    side = _DIRECTIONS.get(direction) if isinstance(direction, str) else None
    if side is not None:
        return Said(talk, side, whole)
    way = _WAYS.get(direction) if isinstance(direction, str) else None
    if way is None:
        return Lost(f"a line whose direction is none of {', '.join(DIRECTIONS)}")
    return _said(talk, whole, perspective, sent=way)


def _bytes(talk: str, value: dict[str, JsonValue]) -> Told:
    direction, data = value.get("direction"), value["base64"]
    side = _DIRECTIONS.get(direction) if isinstance(direction, str) else None
    if side is None:
        return Lost("bytes of which nobody can tell who said them")
    try:
        found = base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except (ValueError, binascii.Error):
        found = None
    if found is None:
        return Lost("bytes that are no base64")
    return Said(talk, side, found, binary=value.get("opcode") == "binary")


def _said(talk: str, message: str, perspective: Perspective, *, sent: bool) -> Told:
    sender = perspective.sender(talk, message, sent=sent)
    if sender is None:
        return Lost("a message of which nobody can tell who said it; --recorded-by helps")
    return Said(talk, sender, message)
