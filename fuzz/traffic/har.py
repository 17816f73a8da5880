"""Reads HAR files: what browsers and their tools keep of WebSockets, as `_webSocketMessages`.

Whoever made the recording dialled, as a Charging Station does: what it sent is the station's.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from fuzz.errors import UsageError
from fuzz.records import Side
from fuzz.traffic.events import Lost, Opened, Said, Secret, Told

MAX_HAR = 64 * 2**20
"""A HAR file is read as a whole; longer ones are refused, bytes."""

_BINARY = 2


def read_har(file: IO[bytes], name: str) -> Iterator[Told]:
    """Everything that a HAR file tells. Raises `UsageError`."""
    data = file.read(MAX_HAR + 1)
    if len(data) > MAX_HAR:
        raise UsageError(f"{name}: a HAR file of more than {MAX_HAR} bytes; cut it into parts")
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise UsageError(f"{name}: not readable as JSON; export it as HAR again") from None
    entries = _at(value, "log", "entries")
    if not isinstance(entries, list):
        raise UsageError(f"{name}: no HAR file, it has no log.entries; export it as HAR again")
    for number, entry in enumerate(entries):
        yield from _entry(entry, f"{name}#{number}")


def _entry(entry: object, talk: str) -> Iterator[Told]:
    messages = _at(entry, "_webSocketMessages")
    if not isinstance(messages, list):
        return
    yield Opened(talk, _secrets(_at(entry, "request", "url")))
    for message in messages:
        way, data = _at(message, "type"), _at(message, "data")
        if way not in ("send", "receive") or not isinstance(data, str):
            yield Lost("a WebSocket message of the HAR file without type or data")
            continue
        sender = Side.STATION if way == "send" else Side.CSMS
        yield _said(talk, sender, data, binary=_at(message, "opcode") == _BINARY)


def _said(talk: str, sender: Side, data: str, *, binary: bool) -> Told:
    try:
        if binary:
            return Said(talk, sender, base64.b64decode(data, validate=True), binary=True)
        data.encode("utf-8")
    except (ValueError, binascii.Error):
        return Lost("a message that has no UTF-8 form, or is no base64")
    return Said(talk, sender, data)


def _secrets(url: object) -> tuple[tuple[Secret, str], ...]:
    if not isinstance(url, str):
        return ()
    try:
        parts = urlsplit(url)
        found = (
            (Secret.IDENTITY, unquote(parts.path.rsplit("/", 1)[-1])),
            (Secret.IDENTITY, unquote(parts.username or "")),
            (Secret.SECRET, unquote(parts.password or "")),
        )
    except ValueError:
        return ()
    return tuple((kind, text) for kind, text in found if text)


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
