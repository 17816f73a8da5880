"""The one way in which strings of a target reach a person: visible, cut, and without power over the reader's screen.

Knows characters and Markdown; must not know what a string means.
"""

from __future__ import annotations

import re
import unicodedata

# Controls, format characters (bidi overrides, zero-width), lone surrogates, private use, unassigned, line separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAX_MARKS = 3
_ACTIVE = re.compile(r"[\\`*_\[\]>#|~<&@]|:(?=//)")
_AS_ENTITY = "<&@:"  # a backslash would not keep these from being HTML, a mention or a link
_TICKS = re.compile("`+")


def safe(text: str, limit: int = 200) -> str:
    r"""One line of visible characters, at most about `limit` of the original ones.

    What cannot be seen, or moves the cursor or the direction of writing, is written as its escape, a lone
    surrogate as `\ud800`; a pile of combining marks is cut down. Rich markup stays as it is: nothing of ours
    interprets it.
    """
    cut = cut_mark(limit, len(text)) if len(text) > limit else ""
    begun = text[:limit]
    if begun.isascii() and begun.isprintable():
        return begun + cut
    shown, marks = [], 0
    for character in begun:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        hidden = category in _HIDDEN or marks > _MAX_MARKS
        shown.append(_escape(character) if hidden else character)
    return "".join(shown) + cut


def cut_mark(shown: int, total: int) -> str:
    """What stands where a long text was cut."""
    return f"... ({shown:,} of {total:,} characters)"


def short(text: str, max_bytes: int = 2_048) -> str:
    """`safe`, and never longer than `max_bytes` in UTF-8, however much its escapes take."""
    shown = safe(text, max_bytes)
    if len(shown.encode()) <= max_bytes:
        return shown
    mark = f"... (cut, {len(text):,} characters)"
    room = shown.encode()[: max(0, max_bytes - len(mark))].decode(errors="ignore")
    return room + mark


def _escape(character: str) -> str:
    if short := _SHORT.get(character):
        return short
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def prose(text: str, limit: int = 400) -> str:
    """Text for a Markdown paragraph or table cell in which nothing is markup, HTML, a mention or a link."""
    return _ACTIVE.sub(_inert, safe(text, limit))


def _inert(match: re.Match[str]) -> str:
    character = match[0]
    return f"&#{ord(character)};" if character in _AS_ENTITY else f"\\{character}"


def code(text: str, limit: int = 200) -> str:
    """A Markdown code span that its content cannot end."""
    inside = safe(text, limit)
    ticks = "`" * (_longest_ticks(inside) + 1)
    padding = " " if inside.startswith("`") or inside.endswith("`") or not inside else ""
    return f"{ticks}{padding}{inside}{padding}{ticks}"


def fence(lines: list[str], limit: int = 2_000) -> list[str]:
    """A fenced Markdown block of lines, each made safe, that its content cannot end."""
    inside = [safe(line, limit) for line in lines]
    ticks = "`" * max(3, _longest_ticks("\n".join(inside)) + 1)
    return [f"{ticks}text", *inside, ticks]


def _longest_ticks(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)
