"""Finds the strings and numbers of a JSON text where they stand, so that one of them can be changed and no other byte is.

Knows JSON (RFC 8259). Must not know what a value means.
"""

from __future__ import annotations

import json.decoder
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_TOKEN = re.compile(r'[\s,:]*([\[\]{}"]|[^\s,:\[\]{}"]+)')


@dataclass(frozen=True, slots=True)
class Leaf:
    """A string, or anything else that holds nothing: where it stands, and where in the value it is.

    `text` is what a string says, None for what is no string. `key` tells that it is the name of a member.
    """

    path: Path
    start: int
    end: int
    text: str | None
    key: bool = False


def leaves(text: str) -> Iterator[Leaf]:
    """The leaves of a JSON text that `json.loads` takes, in their order, without recursion."""
    path: list[str | int] = []
    names: list[bool] = []  # for each open value: True where the next string is a member's name
    at = 0
    while (token := _TOKEN.match(text, at)) is not None:
        word, start = token.group(1), token.start(1)
        at = token.end()
        if word in ("[", "{"):
            path.append(0 if word == "[" else "")
            names.append(word == "{")
            continue
        if word in ("]", "}"):
            path.pop()
            names.pop()
            _next(path, names)
            continue
        said = None
        if word == '"':
            said, at = _scanned(text, start + 1)
        if names and names[-1]:
            assert said is not None
            path[-1], names[-1] = said, False
            yield Leaf(tuple(path), start, at, said, key=True)
            continue
        yield Leaf(tuple(path), start, at, said)
        _next(path, names)


def _scanned(text: str, at: int) -> tuple[str, int]:
    """What a string says whose first quotation mark is behind us, and where it ends."""
    said, end = json.decoder.scanstring(text, at)  # type: ignore[attr-defined]
    return str(said), int(end)


def _next(path: list[str | int], names: list[bool]) -> None:
    """A value is over: the next element, or the next member's name."""
    if not path:
        return
    last = path[-1]
    if isinstance(last, int):
        path[-1] = last + 1
    else:
        names[-1] = True


def changed(text: str, change: Callable[[Leaf], str | None]) -> str:
    """The text with some leaves replaced by other JSON; None leaves one as it is."""
    parts, end = [], 0
    for leaf in leaves(text):
        new = change(leaf)
        if new is not None:
            parts += [text[end : leaf.start], new]
            end = leaf.end
    return "".join([*parts, text[end:]])


def string(text: str) -> str:
    """A string as JSON."""
    return json.dumps(text)
