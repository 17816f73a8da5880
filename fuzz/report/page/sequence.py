"""A conversation as the rows of a sequence diagram, and what two conversations do not have in common.

Knows transcripts. Must not know HTML, nor what was expected. Texts are made safe and cut.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fuzz.ocppj.lenient import hear
from fuzz.records import Entry, FrameKind, Who
from fuzz.report.page.look import Bounds
from fuzz.report.safe import safe

READ_LIMIT = 20_000
"""Characters up to which a message is read to be named; a longer one is named by its size."""

LABEL_LIMIT = 48
PER_LINE = 16
_BASE64 = frozenset({"bytes", "frames", "pong"})


class Way(StrEnum):
    """Which way something goes."""

    OUT = "out"
    BACK = "back"
    NONE = "none"


class Kind(StrEnum):
    """What a row is, for its colour: a message of the case, one of our proper voice, one of the target, an end, a note."""

    CASE = "case"
    PROPER = "proper"
    TARGET = "target"
    END = "end"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a diagram.

    `at` is such as `+0.003 s`, `text` the message, `dump` its bytes line by line. `parts` says that from here on the two
    conversations are not alike.
    """

    at: str
    way: Way
    kind: Kind
    label: str
    text: str = ""
    dump: tuple[str, ...] = ()
    parts: bool = False


def diagram(entries: Sequence[Entry], bounds: Bounds) -> tuple[Row, ...]:
    """The rows of one conversation; where there are too many, what is left out in the middle is counted."""
    if len(entries) <= bounds.rows:
        return tuple(_row(entry, bounds) for entry in entries)
    first = max(1, bounds.rows // 3)
    last = max(1, bounds.rows - first)
    between = Row("", Way.NONE, Kind.NOTE, f"{len(entries) - first - last:,} more lines")
    return (
        *(_row(entry, bounds) for entry in entries[:first]),
        between,
        *(_row(entry, bounds) for entry in entries[-last:]),
    )


def compared(
    fault: Sequence[Row], control: Sequence[Row]
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Both with a mark on the first row of the target, or end, in which they are not alike."""
    if not fault or not control:
        return tuple(fault), tuple(control)
    mine, theirs = list(_reactions(fault)), list(_reactions(control))
    same = 0
    while same < min(len(mine), len(theirs)) and mine[same][1] == theirs[same][1]:
        same += 1
    return _marked(fault, mine, same), _marked(control, theirs, same)


def _reactions(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    return ((i, r.label) for i, r in enumerate(rows) if r.kind in (Kind.TARGET, Kind.END))


def _marked(
    rows: Sequence[Row], reactions: Sequence[tuple[int, str]], same: int
) -> tuple[Row, ...]:
    at = reactions[same][0] if same < len(reactions) else -1
    return tuple(replace(row, parts=i == at) for i, row in enumerate(rows))


def _row(entry: Entry, bounds: Bounds) -> Row:
    at = f"+{entry.at_s:.3f} s"
    data, label = _data(entry), _label(entry)
    if entry.kind in ("close", "process"):
        way = Way.BACK if entry.who is Who.TARGET else Way.NONE
        return Row(at, way, Kind.END, safe(label, 80))
    if entry.kind in ("open", "operator", "note", "caller"):
        return Row(at, Way.NONE, Kind.NOTE, entry.kind, safe(entry.text, bounds.characters))
    way = Way.BACK if entry.who is Who.TARGET else Way.OUT
    kinds = {Who.US: Kind.CASE, Who.TARGET: Kind.TARGET, Who.HARNESS: Kind.PROPER}
    return Row(
        at,
        way,
        kinds[entry.who],
        safe(label, LABEL_LIMIT),
        safe(entry.text, bounds.characters),
        tuple(hex_dump(data[: bounds.dumped], len(data))) if bounds.dumped else (),
    )


def _data(entry: Entry) -> bytes:
    """The bytes that an entry tells; its text as UTF-8 where it tells none."""
    if entry.kind in _BASE64:
        try:
            return base64.b64decode(entry.text, validate=True)
        except (binascii.Error, ValueError):
            pass
    return entry.text.encode("utf-8", "surrogatepass")


def _label(entry: Entry) -> str:
    if entry.kind == "close":
        return f"connection ended, {entry.text}"
    if entry.kind == "process":
        return f"process ended, {entry.text}"
    if entry.kind != "text":
        return entry.kind
    return name_of(entry.text)


def name_of(text: str) -> str:
    """What a message is, in a few words: `CALL GetVariables`, `CALLERROR NotSupported`, `no JSON`."""
    if len(text) > READ_LIMIT:
        return f"text of {len(text):,} characters"
    heard = hear(text, 0.0)
    match heard.kind:
        case FrameKind.CALL:
            return f"CALL {heard.action if isinstance(heard.action, str) else 'of no action'}"
        case FrameKind.CALLERROR:
            code = heard.error_code
            return f"CALLERROR {code if isinstance(code, str) else 'without code'}"
        case FrameKind.CALLRESULT:
            return "CALLRESULT"
        case FrameKind.OTHER:
            return "JSON, no OCPP message"
        case FrameKind.GARBAGE:
            return "text, no JSON"


def hex_dump(data: bytes, total: int) -> Iterator[str]:
    """Lines such as `0000  5b 32 2c   [2,`; `total` tells how many bytes there were."""
    for at in range(0, len(data), PER_LINE):
        part = data[at : at + PER_LINE]
        shown = "".join(chr(b) if 0x20 <= b < 0x7F else "." for b in part)
        yield f"{at:04x}  {part.hex(' '):<{3 * PER_LINE - 1}}  {shown}"
    if total > len(data):
        yield f"... {len(data):,} of {total:,} bytes"
