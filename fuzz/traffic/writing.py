"""Writes what is said on a connection as a log of one message a line, which `fuzz.traffic.lines` reads.

Knows that form and files. Must not know where messages come from. Every line is in the file before the next is said, so
that nothing is lost by a kill; the file is readable by its owner only, because the wire holds secrets.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from fuzz.records import Side
from fuzz.traffic.events import Said

_WAY = {Side.STATION: "station->csms", Side.CSMS: "csms->station"}
_ODD = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_NAME = 60


def line(said: Said, at: datetime) -> str:
    """One message as a line of JSON, its end included."""
    value: dict[str, str] = {
        "time": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "connection": said.talk,
        "direction": _WAY[said.sender],
    }
    if isinstance(said.data, bytes):
        value |= {"opcode": "binary" if said.binary else "text"}
        value |= {"base64": base64.b64encode(said.data).decode("ascii")}
    else:
        value |= {"message": said.data}
    return json.dumps(value, ensure_ascii=True) + "\n"


class Log:
    """The file of one connection, made with its first message.

    Attributes:
        path: where it lies, or would.
        lines: how many messages are in it.
    """

    def __init__(self, folder: Path, talk: str, began: datetime) -> None:
        stamp = began.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        name = _ODD.sub("_", talk)[:_LONGEST_NAME].lstrip(".") or "_"
        self.path = folder / f"{name}-{stamp}.jsonl"
        self.lines = 0
        self._file: IO[bytes] | None = None

    def add(self, said: Said, at: datetime) -> None:
        """Write one message. Raises `OSError`."""
        if self._file is None:
            self._file = self._made()
        self._file.write(line(said, at).encode("ascii"))
        self._file.flush()
        self.lines += 1

    def _made(self) -> IO[bytes]:
        stem = self.path.stem
        for number in range(1, 1000):
            try:
                file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                # Two connections of one station within a microsecond, or a clock that was set back.
                self.path = self.path.with_name(f"{stem}-{number}.jsonl")
                continue
            return os.fdopen(file, "wb")
        raise FileExistsError(f"{self.path} exists, and so do all names beside it")

    def close(self) -> None:
        """Nothing more is added."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(
                OSError
            ):  # what could not be written was told when it was added
                file.close()
