"""Does the target give back what it took, and is its time in proportion? O20 and O21.

Knows readings of memory, descriptors, threads and processor time, and what was said between them. Must not use wall time
for a verdict, except as what processor time is a share of: neither another process nor a slow machine may look like a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fuzz.oracles.registry import oracle, violation
from fuzz.records import (
    Ask,
    Basis,
    Figures,
    Gauge,
    Observation,
    RepeatSteps,
    SendBytes,
    SendText,
    Severity,
    Step,
    Violation,
    Who,
)
from strategies.floods import BLOCKS, IDLE, SIZES, START, WARM

MEMORY_FLOOR = 512 * 2**10
"""Bytes that memory must grow by in each block to be more than the pages of a busy heap."""

CONNECTIONS_FLOOR = 4 * 2**20
"""The same where nothing long is said: what connections leave behind, a collector of garbage may be slow to fetch."""

SHARE = 0.25
"""The share of what was said in a block that must have stayed."""

COUNT_FLOOR = 3
"""The same for descriptors and threads, which are counted."""

ALIKE = 4.0
"""How many times more one block may add than another and still be the same growth."""

KEPT = 0.8
"""The share of the growth that is still there after a rest."""

LARGE = 2**20
"""Characters from which on it is the single message that is held."""

TICK_S = 0.01
"""How finely processor time is read (proc(5): clock ticks, 100 in a second)."""

DEAR_S = 0.2
"""Processor time of the longest message below which its growth is not worth a word."""

STEEP = 3.0
"""How many times more twice the length may cost: 2 is in proportion, 4 is the square."""

BUSY = 0.8
"""The share of a rest that the processor was busy."""


@oracle(
    "O20",
    name="resource-slope",
    clause="CWE-400; CWE-401 and CWE-775 for what is never released",
    cwe="CWE-401",
)
def _resource_slope(obs: Observation) -> Iterator[Violation]:
    """What the target takes for messages or connections it gives back.

    The same is done in three equal blocks after a first one to warm up. Spoken of is only what grew in all three by
    about the same, by more than the noise of a rest, by a good share of what was said, and was still there after a
    rest: caches that fill, and memory that a heap keeps for later, do not grow three times.

    Seen: a TLS context lost with each failed connection (https://github.com/EVerest/EVerest/commit/2ee9fe9);
    answers to nothing, kept for as long as the connection lived.

    Fix: drop answers that nobody waits for, bound queues and messages, release what belonged to a connection that
    failed.
    """
    read = _read(obs)
    if read is None or not all(label in read for label in (WARM, START, *BLOCKS, IDLE[-1])):
        return
    said = _said(obs.case.steps)
    for what in _KINDS:
        if (grown := _growth(read, what, said)) is not None:
            yield _slope(what, grown, said)
            return


@oracle(
    "O21",
    name="processor-time",
    clause="CWE-407: inefficient algorithmic complexity",
    cwe="CWE-407",
)
def _processor_time(obs: Observation) -> Iterator[Violation]:
    """The processor time of a message grows with its length, not with the square, and ends with the work.

    Four messages, each twice as long as the one before: spoken of is only what costs about four times as much with
    each doubling, three of three, and a fifth of a second in the end. A processor is busy for nothing when it was so in
    three spells of rest, in which nobody said anything. Processor time of the target alone counts, never the clock.

    Seen: a thread that asked for the next moment for ever (https://github.com/EVerest/EVerest/commit/387a514);
    lists compared item by item.

    Fix: look things up in a table, read and write in one pass, refuse more items than ItemsPerMessage before looking at
    them; wait for events without asking again and again.
    """
    read = _read(obs)
    if read is None:
        return
    if all(label in read for label in (START, *SIZES)):
        yield from _square(read)
    if all(label in read for label in (BLOCKS[-1], *IDLE)):
        yield from _busy(obs, read)


def _read(obs: Observation) -> Mapping[str, Figures] | None:
    """The readings by name; None where there are none, or of more than one process."""
    if not obs.figures or obs.process is not None or obs.boots:
        return None
    return {figures.label: figures for figures in obs.figures}


# --- O20 ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """What the last block said: all its characters, and those of its longest message."""

    characters: int
    longest: int


@dataclass(frozen=True, slots=True)
class _Resource:
    """One member of `Figures`, its word, and the weakness."""

    member: str
    word: str
    cwe: str


_KINDS = (
    _Resource("descriptors", "descriptor", "CWE-775"),
    _Resource("threads", "thread", "CWE-400"),
    _Resource("memory", "memory", "CWE-401"),
)
"""Descriptors first: whoever keeps them keeps memory too."""


def _growth(read: Mapping[str, Figures], what: _Resource, said: _Said) -> Sequence[int] | None:
    """By how much each block grew, when all three did and nothing was given back."""
    values: dict[str, int] = {}
    for label in (WARM, START, *BLOCKS, IDLE[-1]):
        value = getattr(read[label], what.member)
        if value is None:
            return None
        values[label] = value
    grown = [values[b] - values[a] for a, b in pairwise((START, *BLOCKS))]
    noise = abs(values[START] - values[WARM])
    least = _least_memory(said) if what.member == "memory" else COUNT_FLOOR
    if min(grown) < max(least, noise) or max(grown) > ALIKE * min(grown):
        return None
    kept = values[IDLE[-1]] - values[START]
    return grown if kept >= KEPT * sum(grown) else None


def _least_memory(said: _Said) -> float:
    """Bytes that a block must add: a share of what was said, where that is much."""
    share = SHARE * said.characters
    return max(MEMORY_FLOOR, share) if said.characters >= MEMORY_FLOOR else CONNECTIONS_FLOOR


def _slope(what: _Resource, grown: Sequence[int], said: _Said) -> Violation:
    held = what.member == "memory" and said.longest >= LARGE
    amounts = ", ".join(_amount(what, n) for n in grown)
    return violation(
        "O20",
        Basis.STOPPED_SERVING,
        Severity.MEDIUM,
        "memory held" if held else f"{what.word} slope",
        f"{what.word} grew by {amounts} in three equal blocks and was not given back",
        cwe=what.cwe,
    )


def _amount(what: _Resource, number: int) -> str:
    return f"{number // 1024} KiB" if what.member == "memory" else f"{number}"


def _said(steps: Sequence[Step]) -> _Said:
    """What is said between the last two readings before the rest."""
    lengths: list[int] = []
    for step in steps:
        if isinstance(step, Gauge) and step.label == BLOCKS[-1]:
            break
        if isinstance(step, Gauge):
            lengths = []
        lengths.extend(_lengths(step))
    return _Said(sum(lengths), max(lengths, default=0))


def _lengths(step: Step) -> Iterable[int]:
    match step:
        case SendText() | Ask():
            return [sum(len(p) if isinstance(p, str) else len(p.unit) * p.times for p in step.text)]
        case SendBytes():
            return [len(step.data)]
        case RepeatSteps():
            return [n for inner in step.steps for n in _lengths(inner)] * step.times
        case _:
            return []


# --- O21 ----------------------------------------------------------------------------------------------------


def _square(read: Mapping[str, Figures]) -> Iterator[Violation]:
    """Each doubling costs about four times as much, as far as clock ticks can tell."""
    spent = _spent(read, (START, *SIZES))
    if spent is None or spent[-1] < DEAR_S:
        return
    if all(_steep(short, long) for short, long in pairwise(spent)):
        costs = ", ".join(f"{s:.2f} s" for s in spent)
        text = f"processor time for messages of one, two, four and eight times a length: {costs}"
        yield _late("quadratic time", text)


def _steep(short: float, long: float) -> bool:
    return long + TICK_S >= STEEP * (short - TICK_S)


def _busy(obs: Observation, read: Mapping[str, Figures]) -> Iterator[Violation]:
    """The processor is busy in every spell of rest although nobody said anything."""
    labels = (BLOCKS[-1], *IDLE)
    spent = _spent(read, labels)
    if spent is None or _talks(obs, read[labels[0]].at_s, read[labels[-1]].at_s):
        return
    rests = [read[b].at_s - read[a].at_s for a, b in pairwise(labels)]
    if all(rest > 0 and s >= BUSY * rest for s, rest in zip(spent, rests, strict=True)):
        text = f"processor time while nothing was said: {sum(spent):.2f} s in {sum(rests):.2f} s"
        yield _late("busy while idle", text, cwe="CWE-834")


def _talks(obs: Observation, begin: float, end: float) -> bool:
    """True when the target, or we, said anything in between."""
    return any(begin < e.at_s < end and e.who in (Who.US, Who.TARGET) for e in obs.entries)


def _spent(read: Mapping[str, Figures], labels: Sequence[str]) -> Sequence[float] | None:
    """Processor time between each reading and the next; None where it is not told, or of another process."""
    told = [read[label].processor_s for label in labels]
    known = [t for t in told if t is not None]
    spent = [b - a for a, b in pairwise(known)]
    return None if len(known) < len(labels) or any(s < 0 for s in spent) else spent


def _late(symptom: str, text: str, *, cwe: str = "") -> Violation:
    return violation("O21", Basis.STOPPED_SERVING, Severity.MEDIUM, symptom, text, cwe=cwe)
