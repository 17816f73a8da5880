"""Reads and writes PICS files: TOML with a table for each kind of answer.

Knows the file's shape and explains what does not fit, one line and one `UsageError` each.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from fuzz.config import nearest
from fuzz.errors import UsageError
from fuzz.pics.answers import Cable, Current, Measurands, Outlet, Performance, Pics
from fuzz.pics.checking import contradictions
from fuzz.pics.form import Kind, ids_of

DATA = Path(__file__).parent / "data"
ENDING = ".pics.toml"
MAX_BYTES = 1_000_000
MAX_OUTLETS = 1_000

_TEXTS = ("vendor", "model", "serial", "firmware")
_LISTS = ("certification_profiles", "security_profiles", "cipher_suites", "triggers")
_TABLES = ("evse", "items", "words", "measurands", "limits", "vendor_settings", "performance")
_KEYS = (*_TEXTS, *_LISTS, *_TABLES)
_OUTLET = ("evse", "connector", "current", "phases", "type", "cable")
_PERFORMANCE = ("limit_s", "least_s", "most_s", "average_s")

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)


def known_pics() -> tuple[str, ...]:
    """The names of the PICS files that come with this product, sorted."""
    return tuple(sorted(path.name.removesuffix(ENDING) for path in DATA.glob(f"*{ENDING}")))


def is_own(name: str) -> bool:
    """Whether `name` is the path of somebody's own PICS file, not one of ours."""
    return name.endswith(".toml")


def load_pics(name: str) -> Pics:
    """The answers of the PICS file called `name`, or of the one at the path `name` if that ends in `.toml`.

    Raises:
        UsageError: it is unknown, cannot be read, or its answers cannot be meant.
    """
    if not is_own(name) and name not in known_pics():
        known = ", ".join(known_pics())
        raise UsageError(
            f"unknown PICS file {name!r}; known: {known}; or a path that ends in .toml"
        )
    path = Path(name) if is_own(name) else DATA / f"{name}{ENDING}"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot read the PICS file {name}: {why}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"the PICS file {name} is larger than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{name}: not a text in UTF-8") from None
    return parse_pics(text, name)


def parse_pics(text: str, name: str) -> Pics:
    """The answers in the text of a PICS file. Raises `UsageError` naming what does not fit."""
    try:
        read = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: not readable as TOML: {error}") from None
    try:
        pics = _pics(read, name)
    except _Wrong as wrong:
        raise UsageError(f"{name}: {wrong}") from None
    if found := contradictions(pics):
        raise UsageError(f"{name}: {found[0]}")
    return pics


class _Wrong(Exception):
    """One thing that does not fit; its text says where and what would."""


def _pics(read: Mapping[str, object], name: str) -> Pics:
    _names(read, _KEYS, "key", complete=True)
    texts = {key: _typed(read[key], str, key) for key in _TEXTS}
    lists = {
        key: _list(read[key], int if key == "security_profiles" else str, key) for key in _LISTS
    }
    rows = _list(read["evse"], dict, "evse")
    if not 0 < len(rows) <= MAX_OUTLETS:
        raise _Wrong(f"evse has {len(rows)} rows; give one [[evse]] for each connector")
    return Pics(
        name=name,
        **texts,
        certification_profiles=tuple(map(str, lists["certification_profiles"])),
        security_profiles=tuple(_list(read["security_profiles"], int, "security_profiles")),
        cipher_suites=tuple(map(str, lists["cipher_suites"])),
        triggers=frozenset(map(str, lists["triggers"])),
        outlets=tuple(_outlet(row) for row in rows),
        items=_answers(read, "items", Kind.YES_NO, lambda v, at: _typed(v, bool, at)),
        words=_answers(read, "words", Kind.WORDS, lambda v, at: tuple(_list(v, str, at))),
        measurands=_answers(read, "measurands", Kind.MEASURANDS, _measurands),
        limits=_answers(read, "limits", Kind.LIMIT, _limit),
        vendor_settings=_settings(read["vendor_settings"]),
        performance=_answers(read, "performance", Kind.PERFORMANCE, _performance),
    )


def _answers(
    read: Mapping[str, object], table: str, kind: Kind, answer: Callable[[object, str], T]
) -> Mapping[str, T]:
    given = _typed(read[table], dict, table)
    _names(given, ids_of(kind), f"line in [{table}]", complete=True)
    return {key: answer(value, f"{key} in [{table}]") for key, value in given.items()}


def _names(given: Iterable[str], known: tuple[str, ...], what: str, *, complete: bool) -> None:
    for name in given:
        if name not in known:
            raise _Wrong(f"unknown {what} {name!r}; {nearest(name, known)}")
    missing = [name for name in known if name not in given]
    if complete and missing:
        raise _Wrong(f"no answer to {', '.join(missing[:5])}")


def _typed(value: object, kind: type[T], at: str) -> T:
    # A boolean is an int to Python, not to a person.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _Wrong(f"{at} is {_kind_of(value)}; write {_KINDS[kind]}")
    return value


_KINDS: Mapping[type, str] = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


def _kind_of(value: object) -> str:
    return _KINDS.get(type(value), type(value).__name__)


def _list(value: object, kind: type[T], at: str) -> list[T]:
    return [_typed(member, kind, f"a member of {at}") for member in _typed(value, list, at)]


def _outlet(row: Mapping[str, object]) -> Outlet:
    _names(row, _OUTLET, "key in [[evse]]", complete=True)
    return Outlet(
        evse=_typed(row["evse"], int, "evse in [[evse]]"),
        connector=_typed(row["connector"], int, "connector in [[evse]]"),
        current=_choice(row["current"], Current, "current in [[evse]]"),
        phases=_phases(row["phases"]),
        type=_typed(row["type"], str, "type in [[evse]]"),
        cable=_choice(row["cable"], Cable, "cable in [[evse]]"),
    )


def _phases(value: object) -> int:
    number = _typed(value, int, "phases in [[evse]]")
    if not 0 <= number <= 3:
        raise _Wrong(f"phases in [[evse]] is {number}; write 0 to 3")
    return number


def _choice(value: object, of: type[Choice], at: str) -> Choice:
    text = _typed(value, str, at)
    known = [choice.value for choice in of]
    if text not in known:
        raise _Wrong(f"{at} is {text!r}; {nearest(text, known)}")
    return of(text)


def _measurands(value: object, at: str) -> Measurands:
    table = _typed(value, dict, at)
    _names(table, ("tested", "supported"), f"key of {at}", complete=True)
    return Measurands(
        tuple(_list(table["tested"], str, f"tested of {at}")),
        tuple(_list(table["supported"], str, f"supported of {at}")),
    )


def _limit(value: object, at: str) -> int:
    number = _typed(value, int, at)
    if not 0 <= number < 2**31:
        raise _Wrong(f"{at} is {number}; write 0 to 2147483647")
    return number


def _settings(value: object) -> Mapping[str, str]:
    table = _typed(value, dict, "vendor_settings")
    for name in table:
        if not all(part for part in name.split("::")) or name.count("::") != 1:
            raise _Wrong(f"{name!r} in [vendor_settings] is not Component::Variable")
    return {name: _typed(v, str, f"{name} in [vendor_settings]") for name, v in table.items()}


def _performance(value: object, at: str) -> Performance:
    table = _typed(value, dict, at)
    _names(table, _PERFORMANCE, f"key of {at}", complete=False)
    if "limit_s" not in table:
        raise _Wrong(f"{at} has no limit_s")
    found = {key: _seconds(table[key], f"{key} of {at}") for key in _PERFORMANCE if key in table}
    return Performance(**found)


def _seconds(value: object, at: str) -> float:
    number = float(value) if type(value) is int and value < 2**53 else _typed(value, float, at)
    if not 0 <= number < float("inf"):
        raise _Wrong(f"{at} is {number}; write seconds, 0 or more")
    return number


# --- writing ----------------------------------------------------------------------------------------------


def dump_pics(pics: Pics, notes: Mapping[str, str] | None = None, head: str = "") -> str:
    """The text of a PICS file with these answers; `notes` are comments by key or line, such as `C-13`."""
    given = notes or {}
    lines = [*(f"# {line}".rstrip() for line in head.splitlines()), *([""] if head else [])]
    for key, value in _top(pics):
        lines.append(_entry(key, value, given.get(key, "")))
    for outlet in pics.outlets:
        lines += ["", "[[evse]]"]
        lines += [_entry(k, v, given.get(f"evse.{k}", "")) for k, v in _row(outlet)]
    for title, table in _tables(pics):
        lines += ["", f"[{title}]"]
        lines += [_entry(_key(k), v, given.get(k, "")) for k, v in table]
    return "\n".join(lines) + "\n"


def _top(pics: Pics) -> Iterator[tuple[str, str]]:
    for key in _TEXTS:
        yield key, _string(getattr(pics, key))
    yield "certification_profiles", _strings(pics.certification_profiles)
    yield "security_profiles", f"[{', '.join(map(str, pics.security_profiles))}]"
    yield "cipher_suites", _strings(pics.cipher_suites)
    yield "triggers", _strings(sorted(pics.triggers))


def _row(outlet: Outlet) -> Iterator[tuple[str, str]]:
    for key in _OUTLET:
        value = getattr(outlet, key)
        yield key, str(value) if isinstance(value, int) else _string(value)


def _tables(pics: Pics) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "items", [(k, "true" if v else "false") for k, v in pics.items.items()]
    yield "words", [(k, _strings(v)) for k, v in pics.words.items()]
    yield "measurands", [(k, _both(v)) for k, v in pics.measurands.items()]
    yield "limits", [(k, str(v)) for k, v in pics.limits.items()]
    yield "vendor_settings", [(k, _string(v)) for k, v in pics.vendor_settings.items()]
    yield "performance", [(k, _times(v)) for k, v in pics.performance.items()]


def _both(line: Measurands) -> str:
    return f"{{ tested = {_strings(line.tested)}, supported = {_strings(line.supported)} }}"


def _times(line: Performance) -> str:
    given = [(key, getattr(line, key)) for key in _PERFORMANCE]
    return f"{{ {', '.join(f'{key} = {value!r}' for key, value in given if value is not None)} }}"


def _entry(key: str, value: str, note: str) -> str:
    return f"{key} = {value}  # {note}" if note else f"{key} = {value}"


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain else _string(name)


def _strings(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_string, values))}]"


def _string(text: str) -> str:
    """A basic string of TOML: JSON's escapes, and one for whatever cannot be printed."""
    written = json.dumps(str(text), ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)
