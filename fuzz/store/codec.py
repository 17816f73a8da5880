"""The JSON form of the records: what a case, a finding and a transcript look like in a file.

Knows the records and their types. Must not know the file system: it takes and gives JSON values.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum, IntEnum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from fuzz.errors import CaseFormatError
from fuzz.records import (
    CASE_FORMAT,
    FINDING_FORMAT,
    AnswerNext,
    Ask,
    Case,
    Disconnect,
    Expect,
    Finding,
    Gauge,
    Misbehave,
    Operator,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Settle,
    TlsStep,
    Wait,
)
from strategies.labels import JsonObject, Repeated, Text

MAX_TEXT_CHARS = 2**28
"""What the repetitions of one text may add up to: a file must not be able to flood our memory."""

MAX_REPEATS = 1_000_000
"""How often a stored case may repeat steps."""

_STEPS: dict[str, type] = {
    "send-text": SendText,
    "send-bytes": SendBytes,
    "send-frames": SendFrames,
    "ask": Ask,
    "settle": Settle,
    "misbehave": Misbehave,
    "gauge": Gauge,
    "answer-next": AnswerNext,
    "expect": Expect,
    "wait": Wait,
    "disconnect": Disconnect,
    "operator": Operator,
    "repeat": RepeatSteps,
    "tls": TlsStep,
}
_WORDS = ("purpose", "clause", "mirrors")
"""Members of a case for people; a case that has none does without."""

_STEP_NAMES = {kind: name for name, kind in _STEPS.items()}

# A high surrogate followed by a low one: apart they are two halves, in JSON they would melt into one character.
_TOUCHING_HALVES = re.compile("(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")


# --- records to JSON --------------------------------------------------------------------------------------


def case_to_json(case: Case) -> JsonObject:
    """The stored form of a case (`corpus/README.md`); `case_from_json` is its inverse."""
    silent = tuple(name for name in _WORDS if not getattr(case, name))
    return {"format": CASE_FORMAT, **record_to_json(case, leave_out=silent)}


def finding_to_json(finding: Finding) -> JsonObject:
    """The stored form of a finding without its case, transcript, runs and tapes, which have files of their own."""
    members = record_to_json(finding, leave_out=("case", "entries", "runs", "tapes"))
    return {"format": FINDING_FORMAT, **members}


def record_to_json(record: Any, *, leave_out: tuple[str, ...] = ()) -> JsonObject:
    """The members of any record; `record_from_json` is the inverse."""
    kind: Any = type(record)
    hints = _hints(kind)
    members = {
        "base64" if hints[name] is bytes else name: _to_json(hints[name], getattr(record, name))
        for name in hints
        if name not in leave_out
    }
    if tag := _STEP_NAMES.get(kind):
        members["do"] = tag
    return members


def _to_json(kind: Any, value: Any) -> Any:
    if _is_text(kind):
        return [_part_to_json(part) for part in value]
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case IntEnum():
            return value.name.lower()
        case Enum():
            return value.value
        case bool() | int() | float() | str() | None:
            return value
        case Mapping():
            return {k: _to_json(None, v) for k, v in value.items()}
        case frozenset():
            return sorted(value)
        case tuple() | list():
            inner = (get_args(kind) or (None,))[0]
            return [_to_json(inner, item) for item in value]
        case _:
            return record_to_json(value)


def _part_to_json(part: str | Repeated) -> Any:
    if isinstance(part, Repeated):
        return {"repeat": _string_to_json(part.unit), "times": part.times}
    return _string_to_json(part)


def _string_to_json(text: str) -> Any:
    pieces = _TOUCHING_HALVES.split(text)
    return {"join": pieces} if len(pieces) > 1 else text


def dump(value: object, *, indent: int | None = 2) -> bytes:
    """The bytes of a JSON value: sorted keys, ASCII, a newline at the end, made for `git diff`."""
    text = json.dumps(value, sort_keys=True, indent=indent, ensure_ascii=True, allow_nan=False)
    return text.encode() + b"\n"


# --- JSON to records --------------------------------------------------------------------------------------


class Misfit(ValueError):
    """A stored value does not fit its place; `place` is a JSON pointer."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(text)
        self.place = place


def case_from_json(value: object, *, source: str) -> Case:
    """The case that `value` stores. Raises `CaseFormatError` naming `source` and the place for anything else."""
    with reading(source):
        members = opened(value, CASE_FORMAT)
        case: Case = record_from_json(Case, members, "")
        return case


@contextmanager
def reading(source: str) -> Iterator[None]:
    """Whatever does not fit inside becomes a `CaseFormatError` that names `source` and the place."""
    try:
        yield
    except Misfit as error:
        where = f"at {error.place}: " if error.place else ""
        raise CaseFormatError(f"{source}: {where}{error} (format: corpus/README.md)") from None
    except RecursionError:
        raise CaseFormatError(f"{source}: nested too deeply to be a case; remove it") from None


def opened(value: object, newest: int) -> dict[str, object]:
    """The members of a stored object whose format is known, without it. Raises `Misfit`."""
    members = dict(_object(value, ""))
    number = members.pop("format", None)
    if isinstance(number, bool) or not isinstance(number, int):
        raise Misfit("/format", f"{_short(number)} is not a format number; this is not our file")
    if number > newest:
        raise Misfit(
            "/format", f"{number} is newer than {newest}, the newest known; update ocppfuzz"
        )
    if number < 1:
        raise Misfit("/format", f"{number} is no format; known: 1 to {newest}")
    return members


def _object(value: object, place: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Misfit(place, f"{_short(value)} is not an object")
    return value


def record_from_json(kind: Any, value: object, place: str, **given: object) -> Any:
    """The record of type `kind` that `value` stores; `given` members are not read. Raises `Misfit`."""
    members = dict(_object(value, place))
    hints = _hints(kind)
    values = dict(given)
    for field in fields(kind):
        name = "base64" if hints.get(field.name) is bytes else field.name
        if field.name in given or field.name.startswith("_"):
            continue
        if name in members:
            values[field.name] = _from_json(hints[field.name], members.pop(name), f"{place}/{name}")
        elif _required(field):
            raise Misfit(place, f"{name!r} is missing")
    if members:
        raise Misfit(place, f"unknown member {_short(min(members))}")
    return kind(**values)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _from_json(kind: Any, value: object, place: str) -> Any:
    if kind in (str, int, float, bool):
        return _scalar(kind, value, place)
    if kind is bytes:
        return _bytes_from_json(value, place)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(kind, value, place)
    if is_dataclass(kind):
        return record_from_json(kind, value, place)
    if _is_text(kind):
        return _text_from_json(value, place)
    return _shaped(kind, value, place)


def _shaped(kind: Any, value: object, place: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if NoneType in inner:
            rest = next(k for k in inner if k is not NoneType)
            return None if value is None else _from_json(rest, value, place)
        return _step_from_json(value, place)
    if origin is not None and issubclass(origin, Mapping):
        return {
            k: _from_json(inner[1], v, f"{place}/{k}") for k, v in _object(value, place).items()
        }
    items = _list(value, place)
    if origin is tuple and inner[-1] is not Ellipsis:
        if len(items) != len(inner):
            raise Misfit(place, f"{len(items)} items where {len(inner)} belong")
        return tuple(
            _from_json(k, v, f"{place}/{i}")
            for i, (k, v) in enumerate(zip(inner, items, strict=True))
        )
    read = [_from_json(inner[0], v, f"{place}/{i}") for i, v in enumerate(items)]
    return frozenset(read) if origin is frozenset else tuple(read)


def _scalar(kind: type, value: object, place: str) -> Any:
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise Misfit(place, f"{_short(value)} is not of type {kind.__name__}")
    if isinstance(value, float) and not isfinite(value):
        raise Misfit(place, f"{value} is not a finite number")
    return value


def _bytes_from_json(value: object, place: str) -> bytes:
    try:
        return base64.b64decode(_scalar(str, value, place), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Misfit(place, "not base64") from error


def _member(kind: type[Enum], value: object, place: str) -> Enum:
    known = {
        (m.name.lower() if issubclass(kind, IntEnum) else m.value): m
        for m in kind.__members__.values()
    }
    if not isinstance(value, str) or value not in known:
        raise Misfit(place, f"{_short(value)} is unknown; known: {', '.join(known)}")
    return known[value]


def _step_from_json(value: object, place: str) -> Any:
    members = dict(_object(value, place))
    tag = members.pop("do", None)
    kind = _STEPS.get(tag) if isinstance(tag, str) else None
    if kind is None:
        raise Misfit(f"{place}/do", f"{_short(tag)} is no step; known: {', '.join(_STEPS)}")
    step = record_from_json(kind, members, place)
    if isinstance(step, RepeatSteps) and not 0 <= step.times <= MAX_REPEATS:
        raise Misfit(f"{place}/times", f"{step.times} is not within 0 to {MAX_REPEATS}")
    return step


def _text_from_json(value: object, place: str) -> Text:
    text = tuple(_part(v, f"{place}/{i}") for i, v in enumerate(_list(value, place)))
    if (length := text_length(text)) > MAX_TEXT_CHARS:
        raise Misfit(place, f"{length} characters; at most {MAX_TEXT_CHARS}")
    return text


def _part(value: object, place: str) -> str | Repeated:
    if not isinstance(value, dict) or "repeat" not in value:
        return _string(value, place)
    if set(value) != {"repeat", "times"}:
        raise Misfit(place, "a repetition has exactly the members repeat and times")
    times = _scalar(int, value["times"], f"{place}/times")
    if times < 0:
        raise Misfit(f"{place}/times", f"{times} is below 0")
    return Repeated(_string(value["repeat"], f"{place}/repeat"), times)


def _string(value: object, place: str) -> str:
    if isinstance(value, dict) and set(value) == {"join"}:
        pieces = _list(value["join"], f"{place}/join")
        return "".join(_scalar(str, p, f"{place}/join") for p in pieces)
    text: str = _scalar(str, value, place)
    return text


def _list(value: object, place: str) -> list[object]:
    if not isinstance(value, list):
        raise Misfit(place, f"{_short(value)} is not a list")
    return value


def _short(value: object) -> str:
    text = ascii(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."


def text_length(text: Text) -> int:
    """How many characters a text has when it is written out."""
    return sum(len(p) if isinstance(p, str) else len(p.unit) * p.times for p in text)


@cache
def _hints(kind: type) -> dict[str, Any]:
    # `Text` names Repeated as a string, which the records do not import.
    hints = get_type_hints(kind, localns={"Repeated": Repeated})
    return {f.name: hints[f.name] for f in fields(kind)}


def _is_text(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[0] == (str | Repeated)
