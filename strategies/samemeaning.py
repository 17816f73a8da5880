"""The same message in other bytes: spellings of one JSON text that every correct reader understands alike (RFC 8259).

Knows JSON's grammar only. Must not know what a message asks for, nor how a text is sent. Whether 1 and 1.0 mean the
same is disputed, so numbers are left as they are; so are strings with slots in braces, which are filled in later.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from strategies.labels import JsonValue

KEYWORD = "same-meaning"
"""The keyword of a mutation that changes bytes and no meaning."""

ALL = "all-together"
"""The spelling that does everything at once."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One text and the name of what was done to it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class _Style:
    """How to write a value: `comma` and `colon` with what stands about them, `edge` inside each bracket."""

    name: str
    comma: str = ","
    colon: str = ":"
    edge: str = ""
    around: str = ""
    reverse: bool = field(default=False, kw_only=True)
    string: Callable[[str], str] = field(default=json.dumps, kw_only=True)


def plain(value: JsonValue) -> str:
    """The value as we usually write it."""
    return json.dumps(value, separators=(",", ":"))


def spellings(value: JsonValue) -> tuple[Spelling, ...]:
    """Every other text that means `value`, each done in one way; without those that would change nothing."""
    seen = {plain(value)}
    found: list[Spelling] = []
    for style in _STYLES:
        text = _write(value, style)
        if text not in seen:
            seen.add(text)
            found.append(Spelling(style.name, text))
    return tuple(found)


def all_together(value: JsonValue) -> Spelling:
    """One text that differs in every way."""
    return Spelling(ALL, _write(value, _ALL))


# --- strings -----------------------------------------------------------------------------------------------


def _escaped(text: str) -> str:
    r"""ASCII letters as `\u0061`: RFC 8259 section 7 lets any character be escaped."""
    return _mapped(text, lambda c: f"\\u{ord(c):04x}" if c.isascii() and c.isalpha() else None)


def _escaped_upper(text: str) -> str:
    r"""The same with hexadecimal digits in upper case, `\u006C`."""
    return _mapped(text, lambda c: f"\\u{ord(c):04X}" if c.isascii() and c.isalpha() else None)


def _solidus(text: str) -> str:
    r"""Each solidus as `\/`."""
    return _mapped(text, lambda c: "\\/" if c == "/" else None)


def _raw(text: str) -> str:
    """What is not ASCII as UTF-8 itself, where we usually write escapes and surrogate pairs."""
    spelled = json.dumps(text, ensure_ascii=False)
    # A lone surrogate has no UTF-8.
    return spelled if text.isprintable() else json.dumps(text)


def _mapped(text: str, escape: Callable[[str], str | None]) -> str:
    if "{" in text:
        return json.dumps(text)
    written = (escape(c) or json.dumps(c)[1:-1] for c in text)
    return f'"{"".join(written)}"'


# --- values ------------------------------------------------------------------------------------------------


_STYLES = (
    _Style("spaces", comma=" , ", colon=" : ", edge=" "),
    _Style("lines", comma=",\r\n\t", colon=":\n", edge="\r\n"),
    _Style("around", around=" \t\r\n"),
    _Style("key-order", reverse=True),
    _Style("escapes", string=_escaped),
    _Style("escapes-upper", string=_escaped_upper),
    _Style("solidus", string=_solidus),
    _Style("raw-utf8", string=_raw),
)
_ALL = _Style(ALL, ", ", ":\n", " ", "\n", reverse=True, string=_escaped)


def _write(value: JsonValue, style: _Style) -> str:
    return f"{style.around}{_value(value, style)}{style.around}"


def _value(value: JsonValue, style: _Style) -> str:
    match value:
        case str():
            return style.string(value)
        case dict():
            members = [
                f"{style.string(k)}{style.colon}{_value(v, style)}" for k, v in value.items()
            ]
            return _bracketed("{", members[::-1] if style.reverse else members, "}", style)
        case list():
            return _bracketed("[", [_value(v, style) for v in value], "]", style)
        case _:
            return json.dumps(value)


def _bracketed(opening: str, parts: list[str], closing: str, style: _Style) -> str:
    return f"{opening}{style.edge}{style.comma.join(parts)}{style.edge}{closing}"
