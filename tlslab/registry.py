"""What a case of the TLS lab is, and the table of all of them.

Knows the facts that a case declares of itself. Must not know how it is played. One decorated function a case; its
docstring is its text in the report.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

EDITIONS = ("ed3", "2025-09")
"""Edition 3, and edition 3 with the errata of 2025."""


class Side(StrEnum):
    """Which end is under test."""

    STATION = "station"
    CSMS = "csms"


class Severity(IntEnum):
    """How bad it is when the case fails, worst last."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Effect(StrEnum):
    """What the case may leave behind on the peer, harmless first."""

    NONE = "none"
    VOLATILE = "volatile"
    PERSISTENT = "persistent"
    LOCK_OUT = "lock-out"
    ONE_WAY = "one-way"


class Attacker(StrEnum):
    """Where somebody must stand to do what the case does."""

    ON_PATH = "on the path between station and CSMS"
    REACHES = "reaches the port"
    HOLDS_CERTIFICATE = "holds a valid certificate or password"
    IS_PEER = "is the CSMS, or the station, itself"


class Need(StrEnum):
    """What a case needs beyond a connection; without it the case is not asked."""

    CA_KEY = "the key of a CA that the peer trusts"
    OPERATOR = "somebody at the station"
    OCPP = "OCPP over the connection"
    STATION_CA = "the CA of the station's own certificate"
    CLOCK = "a station whose clock can be shifted"
    TWO_IDENTITIES = "a second identity that the CSMS knows, with its credentials"
    REVOCATION = "a certificate that its CA has revoked"


@dataclass(frozen=True, slots=True)
class TlsCase:
    """One case and what is known of it before it is played.

    `requirements` are the ids that it rests on, profile 2 and 3 alike; `severity` is that of a failure; `endangers`
    are the certification tests that a failure puts at risk; `profiles` the security profiles in which it makes sense;
    `items` the PICS items that must be Yes, or No with a leading `!`; `suites` is `ecdsa` or `rsa` when the station
    must have declared that pair (C-41); `editions` those in which its expectation holds. `telling` marks the few of a
    Charging Station that a pull request waits for: what real stations get wrong, and few connections show.
    """

    id: str
    topic: str
    title: str
    text: str
    side: Side
    expects: str
    requirements: tuple[str, ...]
    severity: Severity
    effect: Effect
    needs: frozenset[Need]
    endangers: tuple[str, ...]
    profiles: frozenset[int]
    items: tuple[str, ...]
    suites: str
    editions: tuple[str, ...]
    attacker: Attacker
    cwe: str
    telling: bool
    play: Callable[[Any], Awaitable[None]]


Play: TypeAlias = Callable[..., Awaitable[None]]
F = TypeVar("F", bound=Play)

_CASES: dict[str, TlsCase] = {}
_LEFT_OUT: dict[str, str] = {}


def tls_case(
    id_: str,
    *requirements: str,
    expects: str,
    severity: Severity,
    endangers: tuple[str, ...] = (),
    needs: tuple[Need, ...] = (),
    profiles: tuple[int, ...] = (2, 3),
    items: tuple[str, ...] = (),
    suites: str = "",
    editions: tuple[str, ...] = EDITIONS,
    effect: Effect = Effect.NONE,
    attacker: Attacker = Attacker.ON_PATH,
    cwe: str = "",
    telling: bool = False,
) -> Callable[[F], F]:
    """Registers a case. `expects` says in a few words what a correct peer does: `refuse`, `accept`, `record` ...

    The topic is the module's name, the side follows from the id: TC-xx are for a CSMS. Raises ValueError when an id
    comes twice.
    """

    def register(function: F) -> F:
        if id_ in _CASES:
            raise ValueError(f"two cases are called {id_}")
        text = inspect.getdoc(function) or ""
        _CASES[id_] = TlsCase(
            id=id_,
            topic=function.__module__.rpartition(".")[2].replace("_", " ").replace("csms", "CSMS"),
            title=text.partition("\n")[0],
            text=text,
            side=Side.CSMS if id_.startswith("TC") else Side.STATION,
            expects=expects,
            requirements=requirements,
            severity=severity,
            effect=effect,
            needs=frozenset(needs),
            endangers=endangers,
            profiles=frozenset(profiles),
            items=items,
            suites=suites,
            editions=editions,
            attacker=attacker,
            cwe=cwe,
            telling=telling,
            play=function,
        )
        return function

    return register


def left_out(id_: str, reason: str) -> None:
    """An id of the check list that has no case here, and why."""
    _LEFT_OUT[id_] = reason


def all_cases() -> Mapping[str, TlsCase]:
    """Every case by id, in the order of topics and ids."""
    import tlslab.cases  # noqa: F401 - fills the table

    order = sorted(_CASES.values(), key=lambda c: (_family(c.id), c.id))
    return MappingProxyType({c.id: c for c in order})


def all_left_out() -> Mapping[str, str]:
    """The ids of the check list without a case, with the reason."""
    import tlslab.cases  # noqa: F401 - fills the table

    return MappingProxyType(dict(sorted(_LEFT_OUT.items())))


def _family(id_: str) -> int:
    return ("TS", "TR", "TP", "TC").index(id_[:2]) if id_[:2] in ("TS", "TR", "TP", "TC") else 9


def matching(patterns: tuple[str, ...]) -> tuple[TlsCase, ...]:
    """The cases whose id fits one of the shell patterns, such as `TS-3*`, in their order; all without a pattern."""
    every = all_cases()
    fitting = (every[id_] for p in patterns or ("*",) for id_ in every if fnmatchcase(id_, p))
    return tuple(dict.fromkeys(fitting))
