"""The only reader and writer of `corpus/` and `findings/`: their JSON form, and writes that are all or nothing.

Knows the records and the file system. Must not know how a case is played or judged, nor how a report reads: who saves
a finding hands over the function that renders it.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from enum import Enum, IntEnum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from fuzz.errors import CaseFormatError, StoreError, UsageError
from fuzz.records import (
    CASE_FORMAT,
    FINDING_FORMAT,
    AnswerNext,
    Case,
    Disconnect,
    Entry,
    Expect,
    Finding,
    FindingStatus,
    Operator,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Step,
    TlsStep,
    Violation,
    Wait,
)
from strategies.labels import JsonObject, Repeated, Text

MAX_FILE_BYTES = 64 * 2**20
"""Longer case and finding files are refused unread."""

MAX_TEXT_CHARS = 2**28
"""What the repetitions of one text may add up to: a file must not be able to flood our memory."""

MAX_REPEATS = 1_000_000
"""How often a stored case may repeat steps."""

CORPUS_OPTION = "--corpus"
CASE_FILE, FINDING_FILE, TRANSCRIPT_FILE, REPORT_FILE = (
    "case.json",
    "finding.json",
    "transcript.ndjson",
    "REPORT.md",
)

_STEPS: dict[str, type] = {
    "send-text": SendText,
    "send-bytes": SendBytes,
    "send-frames": SendFrames,
    "answer-next": AnswerNext,
    "expect": Expect,
    "wait": Wait,
    "disconnect": Disconnect,
    "operator": Operator,
    "repeat": RepeatSteps,
    "tls": TlsStep,
}
_STEP_NAMES = {kind: name for name, kind in _STEPS.items()}

# A high surrogate followed by a low one: apart they are two halves, in JSON they would melt into one character.
_TOUCHING_HALVES = re.compile("(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")


# --- fingerprints and sizes -------------------------------------------------------------------------------


def fingerprint(violation: Violation, case: Case) -> str:
    """What makes two findings the same (design 2.6), as 16 hex digits: no action, pointer or value takes part."""
    parts = (violation.oracle, case.position.value, violation.symptom, case.mutation_class)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def case_size(case: Case) -> tuple[int, int]:
    """How big a case is, for choosing the smaller one: steps first, then what they put on the wire."""
    sizes = [_step_size(s) for s in case.steps]
    return sum(n for n, _ in sizes), sum(n for _, n in sizes)


def _step_size(step: Step) -> tuple[int, int]:
    match step:
        case SendText(text) | AnswerNext(_, text):
            return 1, _text_length(text)
        case SendBytes(data) | SendFrames(data):
            return 1, len(data)
        case RepeatSteps(steps, times):
            sizes = [_step_size(s) for s in steps]
            return 1 + sum(n for n, _ in sizes), times * sum(n for _, n in sizes)
        case _:
            return 1, 0


def _text_length(text: Text) -> int:
    return sum(len(p) if isinstance(p, str) else len(p.unit) * p.times for p in text)


# --- records to JSON --------------------------------------------------------------------------------------


def case_to_json(case: Case) -> JsonObject:
    """The stored form of a case (`corpus/README.md`); `case_from_json` is its inverse."""
    return {"format": CASE_FORMAT, **_record_to_json(case)}


def _finding_to_json(finding: Finding) -> JsonObject:
    members = _record_to_json(finding, leave_out=("case", "entries"))
    return {"format": FINDING_FORMAT, **members}


def _record_to_json(record: Any, *, leave_out: tuple[str, ...] = ()) -> JsonObject:
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
            return _record_to_json(value)


def _part_to_json(part: str | Repeated) -> Any:
    if isinstance(part, Repeated):
        return {"repeat": _string_to_json(part.unit), "times": part.times}
    return _string_to_json(part)


def _string_to_json(text: str) -> Any:
    pieces = _TOUCHING_HALVES.split(text)
    return {"join": pieces} if len(pieces) > 1 else text


def _dump(value: object, *, indent: int | None = 2) -> bytes:
    text = json.dumps(value, sort_keys=True, indent=indent, ensure_ascii=True, allow_nan=False)
    return text.encode() + b"\n"


# --- JSON to records --------------------------------------------------------------------------------------


class _Misfit(ValueError):
    """A stored value does not fit its place; `place` is a JSON pointer."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(text)
        self.place = place


def case_from_json(value: object, *, source: str) -> Case:
    """The case that `value` stores. Raises `CaseFormatError` naming `source` and the place for anything else."""
    with _reading(source):
        members = _opened(value, CASE_FORMAT)
        case: Case = _record_from_json(Case, members, "")
        return case


@contextmanager
def _reading(source: str) -> Iterator[None]:
    try:
        yield
    except _Misfit as error:
        where = f"at {error.place}: " if error.place else ""
        raise CaseFormatError(
            f"{source}: {where}{error}; repair the file or remove it (format: corpus/README.md)"
        ) from None
    except RecursionError:
        raise CaseFormatError(f"{source}: nested too deeply to be a case; remove it") from None


def _opened(value: object, newest: int) -> dict[str, object]:
    members = dict(_object(value, ""))
    number = members.pop("format", None)
    if isinstance(number, bool) or not isinstance(number, int):
        raise _Misfit("/format", f"{_short(number)} is not a format number; this is not our file")
    if number > newest:
        raise _Misfit(
            "/format", f"{number} is newer than {newest}, the newest known; update ocppfuzz"
        )
    if number < 1:
        raise _Misfit("/format", f"{number} is no format; known: 1 to {newest}")
    return members


def _object(value: object, place: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _Misfit(place, f"{_short(value)} is not an object")
    return value


def _record_from_json(kind: Any, value: object, place: str, **given: object) -> Any:
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
            raise _Misfit(place, f"{name!r} is missing")
    if members:
        raise _Misfit(place, f"unknown member {_short(min(members))}")
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
        return _record_from_json(kind, value, place)
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
            raise _Misfit(place, f"{len(items)} items where {len(inner)} belong")
        return tuple(
            _from_json(k, v, f"{place}/{i}")
            for i, (k, v) in enumerate(zip(inner, items, strict=True))
        )
    read = [_from_json(inner[0], v, f"{place}/{i}") for i, v in enumerate(items)]
    return frozenset(read) if origin is frozenset else tuple(read)


def _scalar(kind: type, value: object, place: str) -> Any:
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise _Misfit(place, f"{_short(value)} is not of type {kind.__name__}")
    if isinstance(value, float) and not isfinite(value):
        raise _Misfit(place, f"{value} is not a finite number")
    return value


def _bytes_from_json(value: object, place: str) -> bytes:
    try:
        return base64.b64decode(_scalar(str, value, place), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _Misfit(place, "not base64") from error


def _member(kind: type[Enum], value: object, place: str) -> Enum:
    known = {
        (m.name.lower() if issubclass(kind, IntEnum) else m.value): m
        for m in kind.__members__.values()
    }
    if not isinstance(value, str) or value not in known:
        raise _Misfit(place, f"{_short(value)} is unknown; known: {', '.join(known)}")
    return known[value]


def _step_from_json(value: object, place: str) -> Any:
    members = dict(_object(value, place))
    tag = members.pop("do", None)
    kind = _STEPS.get(tag) if isinstance(tag, str) else None
    if kind is None:
        raise _Misfit(f"{place}/do", f"{_short(tag)} is no step; known: {', '.join(_STEPS)}")
    step = _record_from_json(kind, members, place)
    if isinstance(step, RepeatSteps) and not 0 <= step.times <= MAX_REPEATS:
        raise _Misfit(f"{place}/times", f"{step.times} is not within 0 to {MAX_REPEATS}")
    return step


def _text_from_json(value: object, place: str) -> Text:
    text = tuple(_part(v, f"{place}/{i}") for i, v in enumerate(_list(value, place)))
    if (length := _text_length(text)) > MAX_TEXT_CHARS:
        raise _Misfit(place, f"{length} characters; at most {MAX_TEXT_CHARS}")
    return text


def _part(value: object, place: str) -> str | Repeated:
    if not isinstance(value, dict) or "repeat" not in value:
        return _string(value, place)
    if set(value) != {"repeat", "times"}:
        raise _Misfit(place, "a repetition has exactly the members repeat and times")
    times = _scalar(int, value["times"], f"{place}/times")
    if times < 0:
        raise _Misfit(f"{place}/times", f"{times} is below 0")
    return Repeated(_string(value["repeat"], f"{place}/repeat"), times)


def _string(value: object, place: str) -> str:
    if isinstance(value, dict) and set(value) == {"join"}:
        pieces = _list(value["join"], f"{place}/join")
        return "".join(_scalar(str, p, f"{place}/join") for p in pieces)
    text: str = _scalar(str, value, place)
    return text


def _list(value: object, place: str) -> list[object]:
    if not isinstance(value, list):
        raise _Misfit(place, f"{_short(value)} is not a list")
    return value


def _short(value: object) -> str:
    text = ascii(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."


@cache
def _hints(kind: type) -> dict[str, Any]:
    # `Text` names Repeated as a string, which the records module does not import.
    hints = get_type_hints(kind, localns={"Repeated": Repeated})
    return {f.name: hints[f.name] for f in fields(kind)}


def _is_text(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[0] == (str | Repeated)


# --- files ------------------------------------------------------------------------------------------------


def _load_json(path: Traversable) -> object:
    try:
        data = _read(path)
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        place = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise CaseFormatError(
            f"{path}: {place}not readable as JSON; repair the file or remove it"
        ) from None


def _read(path: Traversable) -> bytes:
    try:
        with path.open("rb") as file:
            data: bytes = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CaseFormatError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    if len(data) > MAX_FILE_BYTES:
        raise CaseFormatError(f"{path}: longer than {MAX_FILE_BYTES} bytes, no case is; remove it")
    return data


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose another folder with --findings"
        ) from None


def _write_file(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Put `data` on the disk for good before returning."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace_file(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Write or replace one file; whoever reads it sees the old or the new content, never a part."""
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            _write_file(temporary, data, mode=mode)
            temporary.rename(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)


# --- cases ------------------------------------------------------------------------------------------------


def load_case(path: Path) -> Case:
    """The case in a file, or in the folder of a finding. Raises `CaseFormatError`."""
    if path.is_dir() or _aside(path).is_dir():
        _settle(path.parent)
        path = path / CASE_FILE
    return case_from_json(_load_json(path), source=str(path))


def save_case(case: Case, path: Path) -> None:
    """Write or replace one case file. Raises `StoreError`."""
    _replace_file(path, _dump(case_to_json(case)))


def corpus_folder(folder: Path | None = None) -> Traversable:
    """Where stored cases come from: `folder`, else `./corpus`, else what was packaged. Raises `UsageError`."""
    if folder is not None:
        if not folder.is_dir():
            raise UsageError(f"corpus folder {folder} does not exist; give one to {CORPUS_OPTION}")
        return folder
    here = Path("corpus")
    if here.is_dir():
        return here
    packaged = resources.files("fuzz").joinpath("_corpus")
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "corpus"


def corpus_cases(folder: Path | None = None) -> tuple[Case, ...]:
    """All cases `<family>/<name>.json` of the corpus, in the order of their paths. Raises `CaseFormatError`."""
    root = corpus_folder(folder)
    found = [
        case_from_json(_load_json(file), source=str(file))
        for family in _sorted(root)
        if family.is_dir()
        for file in _sorted(family)
        if file.name.endswith(".json")
    ]
    return tuple(found)


def _sorted(folder: Traversable) -> list[Traversable]:
    if not folder.is_dir():
        return []
    return sorted((f for f in folder.iterdir() if not f.name.startswith(".")), key=lambda f: f.name)


# --- findings ---------------------------------------------------------------------------------------------

Render: TypeAlias = Callable[[Finding], str]

_RANK = {FindingStatus.CANDIDATE: 0, FindingStatus.UNCONFIRMED: 1, FindingStatus.CONFIRMED: 2}


def save_finding(finding: Finding, root: Path, *, render: Render | None = None) -> Path:
    """Write a finding, or make the stored one of the same fingerprint better; returns its folder.

    The folder is swapped as a whole, so that a kill at any moment leaves the old finding or the new one, and
    writers wait for each other. `render` makes REPORT.md out of what was stored; without it there is none.

    Raises:
        StoreError: the disk is full, or permission is missing.
    """
    folder = root / f"{finding.violation.oracle}-{finding.fingerprint[:8]}"
    with _writing(folder), _locked(root):
        _sweep(root)
        stored = _stored(folder)
        if stored is not None:
            finding = merge(stored, finding)
        _swap(folder, _files_of(finding, render))
    return folder


def merge(old: Finding, new: Finding) -> Finding:
    """What two writers know of one fingerprint: the higher status, then the smaller case; `also` names the rest."""
    best, other = (new, old) if _merit(new) >= _merit(old) else (old, new)
    names = {*old.also, *new.also, *(c.id for f in (old, new) for c in (f.case, f.original))}
    return replace(
        best,
        also=tuple(sorted(names - {best.case.id, best.original.id})),
        first_seen=min(filter(None, (old.first_seen, new.first_seen)), default=""),
        notes=tuple(dict.fromkeys((*best.notes, *other.notes))),
    )


def _merit(finding: Finding) -> tuple[int, int, int]:
    steps, length = case_size(finding.case)
    return _RANK[finding.status], -steps, -length


def _stored(folder: Path) -> Finding | None:
    if not folder.exists():
        return None
    try:
        return _load_finding(folder)
    except CaseFormatError:
        # Somebody's edit, or a newer format: put aside rather than lost, and never in a new finding's way.
        folder.rename(folder.with_name(f".unreadable-{folder.name}-{secrets.token_hex(4)}"))
        return None


def _files_of(finding: Finding, render: Render | None) -> dict[str, bytes]:
    hints = _hints(Entry)
    lines = [{n: _to_json(hints[n], getattr(e, n)) for n in hints} for e in finding.entries]
    files = {
        CASE_FILE: _dump(case_to_json(finding.case)),
        FINDING_FILE: _dump(_finding_to_json(finding)),
        TRANSCRIPT_FILE: b"".join(_dump(line, indent=None) for line in lines),
    }
    if render is not None:
        files[REPORT_FILE] = render(finding).encode("utf-8", "backslashreplace")
    return files


def load_finding(path: Path) -> Finding:
    """The finding in a folder; a file inside that folder will do. Raises `CaseFormatError`."""
    folder = path.parent if path.is_file() else path
    _settle(folder.parent)
    return _load_finding(folder)


def _load_finding(folder: Path) -> Finding:
    case = case_from_json(_load_json(folder / CASE_FILE), source=str(folder / CASE_FILE))
    source = folder / FINDING_FILE
    value = _load_json(source)
    entries = tuple(_load_entries(folder / TRANSCRIPT_FILE))
    with _reading(str(source)):
        members = _opened(value, FINDING_FORMAT)
        finding: Finding = _record_from_json(Finding, members, "", case=case, entries=entries)
        return finding


def _load_entries(path: Path) -> Iterator[Entry]:
    for number, line in enumerate(_read(path).split(b"\n"), 1):
        if line:
            with _reading(f"{path}, line {number}"):
                yield _record_from_json(Entry, _line(line), "")


def _line(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _Misfit("", "not readable as JSON") from None


def findings_in(root: Path) -> tuple[Finding, ...]:
    """All findings under `root`, in the order of their folders; none when there is no such folder."""
    _settle(root)
    return tuple(
        _load_finding(root / f.name) for f in _sorted(root) if f.joinpath(FINDING_FILE).is_file()
    )


# --- swapping a folder as a whole: `.new-x` is being written, `.old-x` is the former one -------------------


def _aside(folder: Path) -> Path:
    return folder.with_name(f".old-{folder.name}")


def _swap(folder: Path, files: Mapping[str, bytes]) -> None:
    fresh = folder.with_name(f".new-{folder.name}")
    fresh.mkdir()
    for name, data in files.items():
        _write_file(fresh / name, data)
    _sync_folder(fresh)
    if folder.exists():
        folder.rename(_aside(folder))
    fresh.rename(folder)
    _sync_folder(folder.parent)
    shutil.rmtree(_aside(folder), ignore_errors=True)


def _sweep(root: Path) -> None:
    """Finish what a killed writer left behind; the caller holds the lock, so that nobody is writing now."""
    for left in sorted(root.glob(".old-*")):
        folder = left.with_name(left.name.removeprefix(".old-"))
        if folder.exists():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.rename(folder)
    for left in root.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)


def _settle(root: Path) -> None:
    # Only a folder that shows traces of a writer is locked: findings may lie on a read-only disk.
    if any(root.glob(".old-*")):
        with _writing(root), _locked(root):
            _sweep(root)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True)
    handle = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


# --- the campaign's journal and secrets -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CampaignState:
    """Where a campaign stands, so that `--resume` can go on.

    `index` is the next case of `phase`; `config_hash` tells whether the same campaign is asked for; `left_changed`
    says for people what is still changed on the target.
    """

    seed: int
    phase: str
    index: int
    config_hash: str
    counts: Mapping[str, int]
    left_changed: tuple[str, ...] = ()


def _state_file(root: Path) -> Path:
    return root / ".campaign" / "state.json"


def save_state(state: CampaignState, root: Path) -> None:
    """Write the journal of the campaign under `root`. Raises `StoreError`."""
    _replace_file(_state_file(root), _dump({"format": 1, **_record_to_json(state)}))


def load_state(root: Path) -> CampaignState | None:
    """The journal of the campaign under `root`, None when there is none. Raises `CaseFormatError`."""
    path = _state_file(root)
    if not path.exists():
        return None
    value = _load_json(path)
    with _reading(str(path)):
        state: CampaignState = _record_from_json(CampaignState, _opened(value, 1), "")
        return state


def clear_state(root: Path) -> None:
    """Forget the journal: the campaign is complete. Raises `StoreError`."""
    with _writing(_state_file(root)):
        _state_file(root).unlink(missing_ok=True)


def save_private(root: Path, name: str, data: bytes) -> Path:
    """Put a secret into `root/private/`, readable by its owner only, on the disk for good when this returns."""
    path = root / "private" / name
    with _writing(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
    _replace_file(path, data, mode=0o600)
    return path
