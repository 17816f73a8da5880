"""The observation: everything that was seen of one played case, for oracles to read.

Knows the case, the facts and the transcript. Must not know what any of it means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fuzz.records.case import Case
from fuzz.records.facts import TargetFacts
from fuzz.records.transcript import Close, Entry, Heard, ProcessEnd, Tape


class Settled(StrEnum):
    """How the executor knew that no more answers would come."""

    ANSWERED = "answered"
    BY_ORDER = "by-order"
    BY_CLOCK = "by-clock"
    CUT_SHORT = "cut-short"


@dataclass(frozen=True, slots=True)
class Probes:
    """The four liveness probes (design section 7); None means: not asked.

    `deaf_connection` is True when the first connection behind a lost one answered pings and no CALL, and a later one served.
    """

    same_connection: bool | None = None
    ping: bool | None = None
    new_connection: bool | None = None
    fresh_identity: bool | None = None
    process: bool | None = None
    deaf_connection: bool | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process uses at one moment, summed over its descendants; None where the machine does not tell.

    `memory` are resident bytes, `processor_s` seconds of processor time since it began, `label` the step that asked.
    """

    at_s: float
    label: str = ""
    memory: int | None = None
    processor_s: float | None = None
    descriptors: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Caught:
    """One visit to our catcher: somebody followed a URL, or opened a socket, that only our messages told.

    `kind` is `http` or `tcp`, `path` what followed the address of an HTTP request, `data` its body or the first bytes.
    A path that begins with `/ok/` may be visited, one that begins with `/hit/` stood inside an injection only. Secrets
    are hidden before anybody sees it: where the data told a password, it holds `{secret.password.old}` for the
    configured one, `{secret.password.20}` for one of 20 characters that a case set.
    """

    at_s: float
    kind: str
    path: str = ""
    method: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that was seen of one played case; oracles read nothing else.

    `said` are the messages as sent (heavy ones cut), `call_id` the messageId of the case's own message when a
    correct peer could read one. `replies` are CALLRESULTs and CALLERRORs attributed to the case's message
    (ids "-1", "" and null included when the message was unreadable), in order of arrival; `strays` answer nothing
    that we asked; `calls` are the target's own CALLs meanwhile. `probe_after` tells whether the next harmless CALL
    was served. `figures` were read by `Gauge` steps, `caught` came to our catcher, `log` are the lines that the target
    wrote meanwhile, `tapes` the bytes of the connections. What happened in which order is in `entries`;
    `fuzz.ocppj.history` reads it. `inconclusive` is the reason why no verdict may be given, else "".
    """

    case: Case
    facts: TargetFacts
    entries: Sequence[Entry] = ()
    said: tuple[str, ...] = ()
    call_id: str | None = None
    replies: tuple[Heard, ...] = ()
    strays: tuple[Heard, ...] = ()
    calls: tuple[Heard, ...] = ()
    settled: Settled = Settled.ANSWERED
    close: Close | None = None
    process: ProcessEnd | None = None
    boots: int = 0
    boot_reasons: tuple[str, ...] = ()
    restart_asked: bool = False
    probes: Probes = field(default_factory=Probes)
    figures: tuple[Figures, ...] = ()
    caught: tuple[Caught, ...] = ()
    log: tuple[str, ...] = ()
    tapes: tuple[Tape, ...] = ()
    inconclusive: str = ""
