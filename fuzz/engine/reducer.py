"""Makes a failing value or text smaller while it still fails: structure first, then leaves.

Knows JSON values and texts. Must not know messages, schemas or targets: what may be tried and what still fails is
asked from outside. Walks with loops, so that no depth can exhaust the stack.
"""

from __future__ import annotations

import json
import math
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from strategies.labels import JsonValue

T = TypeVar("T")
Path: TypeAlias = tuple[str | int, ...]

_DEEP = 16
"""Levels that are looked at one by one (no OCPP message has as many); what lies deeper is cut out by halves."""

_MAX_CHARACTERS = 30_000_000
"""Candidates are written out to be remembered; beyond this many characters the search ends without a call."""

_RUN = re.compile(r"(.{1,8}?)\1{7,}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reduction(Generic[T]):
    """The smallest value found, what it cost, and whether everything was tried that this reducer tries."""

    value: T
    calls: int
    complete: bool


async def reduce(
    value: JsonValue,
    still: Callable[[JsonValue], Awaitable[bool]],
    *,
    allowed: Callable[[JsonValue], bool],
    max_calls: int,
) -> Reduction[JsonValue]:
    """A smaller JSON value for which `still` holds: drops members and elements, then simplifies leaves.

    Args:
        value: holds already; it is not asked again.
        still: True when a candidate fails like `value`; asked at most once for each candidate.
        allowed: costs nothing; a candidate that it refuses is never asked.
        max_calls: how often `still` may be asked at most.
    """
    search = _Search(value, canonical, still, allowed, max_calls)
    return await search.run(_shallower, _drop, _simplify)


async def reduce_text(
    text: str,
    still: Callable[[str], Awaitable[bool]],
    *,
    allowed: Callable[[str], bool],
    max_calls: int,
) -> Reduction[str]:
    """A shorter text for which `still` holds: repetitions first, then cuts; the contract of `reduce`."""
    search = _Search(text, str, still, allowed, max_calls)
    return await search.run(_shorten_runs, _cut)


def canonical(value: JsonValue) -> str:
    """One text for equal values, at any depth and with integers of any length."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (RecursionError, ValueError):
        return "".join(_pieces(value))


def _pieces(value: JsonValue) -> Iterator[str]:
    todo: list[tuple[bool, JsonValue]] = [(False, value)]
    while todo:
        written, item = todo.pop()
        if written or not isinstance(item, dict | list):
            yield str(item) if written else _scalar(item)
        elif isinstance(item, list):
            yield "["
            todo.append((True, "]"))
            for i, element in enumerate(reversed(item), start=1):
                todo.append((False, element))
                if i < len(item):
                    todo.append((True, ","))
        else:
            yield "{"
            todo.append((True, "}"))
            for i, key in enumerate(sorted(item, reverse=True), start=1):
                comma = "," if i < len(item) else ""
                todo += [(False, item[key]), (True, f"{comma}{json.dumps(key)}:")]


def _scalar(value: JsonValue) -> str:
    # Python refuses to write integers of more than 4,300 digits in decimal.
    huge = isinstance(value, int) and value.bit_length() > 10_000
    return hex(value) if huge and isinstance(value, int) else json.dumps(value)


class _Spent(Exception):
    """The calls, or the work that no call pays for, are used up."""


class _Search(Generic[T]):
    """The best candidate so far, and everything that was tried."""

    __slots__ = ("_allowed", "_characters", "_max_calls", "_seen", "_still", "_text_of", "best", "calls", "text")  # fmt: skip

    def __init__(
        self,
        start: T,
        text_of: Callable[[T], str],
        still: Callable[[T], Awaitable[bool]],
        allowed: Callable[[T], bool],
        max_calls: int,
    ) -> None:
        self.best = start
        self.text = text_of(start)
        self.calls = 0
        self._text_of = text_of
        self._still = still
        self._allowed = allowed
        self._max_calls = max_calls
        self._seen = {hash(self.text)}
        self._characters = 0

    async def run(self, *passes: Callable[[_Search[T]], Awaitable[None]]) -> Reduction[T]:
        """Do the passes again and again until none of them helps."""
        before = ""
        try:
            while before != self.text:
                before = self.text
                for pass_ in passes:
                    await pass_(self)
        except _Spent:
            return Reduction(self.best, self.calls, complete=False)
        return Reduction(self.best, self.calls, complete=True)

    async def better(self, candidate: T) -> bool:
        """True when the candidate is new, smaller, allowed and still fails; it is the best one from then on."""
        text = self._text_of(candidate)
        self._characters += len(text)
        if self._characters > _MAX_CHARACTERS:
            raise _Spent
        # Hashes keep a million long texts out of memory; a collision only skips a candidate.
        if hash(text) in self._seen or (len(text), text) >= (len(self.text), self.text):
            return False
        if not self._allowed(candidate):
            self._seen.add(hash(text))
            return False
        if self.calls >= self._max_calls:
            raise _Spent
        self._seen.add(hash(text))
        self.calls += 1
        if not await self._still(candidate):
            return False
        self.best, self.text = candidate, text
        return True


# --- ways to try ------------------------------------------------------------------------------------------


async def _thin(parts: Sequence[T], without: Callable[[Sequence[T]], Awaitable[bool]]) -> None:
    """Leave out parts in ever smaller chunks, all of them first; `without` tries what would remain."""
    size = len(parts)
    while size and parts:
        at = 0
        while at < len(parts):
            rest = [*parts[:at], *parts[at + size :]]
            if await without(rest):
                parts = rest
            else:
                at += size
        size //= 2


async def _least(high: int, enough: Callable[[int], Awaitable[bool]]) -> int:
    """The smallest number up to `high` that is enough, when every larger one is; `high` itself is."""
    if high < 1 or await enough(0):
        return 0
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        if await enough(middle):
            high = middle
        else:
            low = middle
    return high


# --- structure --------------------------------------------------------------------------------------------


def _children(value: JsonValue) -> list[tuple[str | int, JsonValue]]:
    match value:
        case dict():
            return list(value.items())
        case list():
            return list(enumerate(value))
        case _:
            return []


def _at(value: JsonValue, path: Path) -> JsonValue:
    for key in path:
        value = value[key]  # type: ignore[index]  # paths come from the value itself
    return value


def _with(value: JsonValue, path: Path, new: JsonValue) -> JsonValue:
    """A copy of `value` with `new` at `path`; shares everything beside the path."""
    spine = [value]
    for key in path[:-1]:
        spine.append(_at(spine[-1], (key,)))
    for parent, key in zip(reversed(spine), reversed(path), strict=False):
        copy = dict(parent) if isinstance(parent, dict) else list(parent)  # type: ignore[arg-type]
        copy[key] = new  # type: ignore[index]
        new = copy
    return new


def _paths(value: JsonValue) -> Iterator[Path]:
    """Every path down to the depth that is looked at one by one, shallow ones first."""
    todo: deque[tuple[Path, JsonValue]] = deque([((), value)])
    while todo:
        path, item = todo.popleft()
        yield path
        if len(path) < _DEEP:
            todo.extend(((*path, key), child) for key, child in _children(item))


def _deepest(value: JsonValue) -> Path:
    """The way down to a deepest leaf."""
    trail: list[tuple[int, str | int]] = []
    depth, end = 0, -1
    todo: list[tuple[JsonValue, int, int]] = [(value, 0, -1)]
    while todo:
        item, level, parent = todo.pop()
        if level > depth:
            depth, end = level, parent
        for key, child in _children(item):
            trail.append((parent, key))
            todo.append((child, level + 1, len(trail) - 1))
    path: list[str | int] = []
    while end >= 0:
        end, key = trail[end]
        path.append(key)
    return tuple(reversed(path))


async def _shallower(search: _Search[JsonValue]) -> None:
    """Cut levels out of the middle of a hostile depth, by halves."""
    path = _deepest(search.best)
    size = len(path) // 2
    while size and len(path) > _DEEP:
        start = (len(path) - size) // 2
        inner = _at(search.best, path[: start + size])
        if await search.better(_with(search.best, path[:start], inner)):
            path = _deepest(search.best)
            size = min(size, len(path) // 2)
        else:
            size //= 2


async def _drop(search: _Search[JsonValue]) -> None:
    """Drop members and elements, from the top down, the biggest first."""
    todo: deque[Path] = deque([()])
    while todo:
        path = todo.popleft()
        await _drop_children(search, path)
        if len(path) < _DEEP:
            todo.extend((*path, key) for key, child in _children(_at(search.best, path)) if isinstance(child, dict | list))  # fmt: skip


async def _drop_children(search: _Search[JsonValue], path: Path) -> None:
    whole = _children(_at(search.best, path))
    as_list = isinstance(_at(search.best, path), list)
    order = sorted(whole, key=lambda pair: -len(canonical(pair[1])))

    async def without(rest: Sequence[tuple[str | int, JsonValue]]) -> bool:
        kept = {key for key, _ in rest}
        pairs = [(str(key), child) for key, child in whole if key in kept]
        smaller: JsonValue = [child for _, child in pairs] if as_list else dict(pairs)
        return await search.better(_with(search.best, path, smaller))

    await _thin(order, without)


# --- leaves -----------------------------------------------------------------------------------------------


async def _simplify(search: _Search[JsonValue]) -> None:
    """Make strings shorter and numbers smaller, the biggest first."""
    leaves = [p for p in _paths(search.best) if not isinstance(_at(search.best, p), dict | list)]
    for path in sorted(leaves, key=lambda p: -len(canonical(_at(search.best, p)))):
        leaf = _at(search.best, path)

        async def put(new: JsonValue, path: Path = path) -> bool:
            return await search.better(_with(search.best, path, new))

        match leaf:
            case str():
                await _simplify_string(leaf, put)
            case bool() | None:
                pass
            case int():
                await _simplify_integer(leaf, put)
            case float():
                await _simplify_float(leaf, put)
            case dict() | list():
                raise AssertionError("containers are no leaves")


async def _simplify_string(text: str, put: Callable[[JsonValue], Awaitable[bool]]) -> None:
    """The shortest head, then the shortest tail of it, then all characters alike."""
    head = text[: await _least(len(text), lambda n: put(text[:n]))]
    tail = head[len(head) - await _least(len(head), lambda n: put(head[len(head) - n :])) :]
    if len(tail) > 8:
        await put("0" * len(tail))


async def _simplify_integer(number: int, put: Callable[[JsonValue], Awaitable[bool]]) -> None:
    """0, 1, fewer bits, and then the number nearest to zero within reach."""
    if await put(0) or await put(1):
        return
    sign, size = (-1, -number) if number < 0 else (1, number)
    bits = size.bit_length()
    left = await _least(bits, lambda n: put(sign * (size >> (bits - n))))
    size >>= bits - left
    if size < 2**16:
        await _least(size, lambda n: put(sign * n))


async def _simplify_float(number: float, put: Callable[[JsonValue], Awaitable[bool]]) -> None:
    """0, 1, a whole number, or fewer digits."""
    if await put(0) or await put(1) or not math.isfinite(number):
        return
    if not await put(int(number)):
        await put(round(number, 1))


# --- text -------------------------------------------------------------------------------------------------


async def _shorten_runs(search: _Search[str]) -> None:
    """Repeat repeated units less often, the longest runs first, equally long ones together (brackets that close)."""
    tried: set[int] = set()
    while counts := {_times(run) for run in _RUN.finditer(search.text)} - tried:
        times = max(counts)
        tried |= {times, await _shorten_alike(search, times)}


async def _shorten_alike(search: _Search[str], times: int) -> int:
    """Shorten all runs of one length at once; how long they are then."""
    whole = search.text
    alike = [run for run in _RUN.finditer(whole) if _times(run) == times]
    return await _least(times, lambda n: search.better(_repeated(whole, alike, n)))


def _times(run: re.Match[str]) -> int:
    return len(run[0]) // len(run[1])


def _repeated(text: str, runs: Sequence[re.Match[str]], times: int) -> str:
    """The text with each of the runs written `times` times."""
    pieces, at = [], 0
    for run in runs:
        pieces += [text[at : run.start()], run[1] * times]
        at = run.end()
    return "".join([*pieces, text[at:]])


async def _cut(search: _Search[str]) -> None:
    """Cut pieces out, by halves down to single characters."""
    await _thin(search.text, lambda rest: search.better("".join(rest)))
