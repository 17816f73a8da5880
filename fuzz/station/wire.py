"""The seams below the messages: how TLS is set up, whom the station trusts, what kind of connection it uses.

Knows websockets and ssl; the healthy functions are the defaults, the planted ones in `defects`. The core has its own
seams (`hooks.py`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from websockets.asyncio.client import ClientConnection

from fuzz.station.events import Failure
from fuzz.station.tls import check_server


class Trusts(Protocol):
    """Says why the CSMS is not to be trusted, as `check_server` does."""

    def __call__(
        self, der_chain: Sequence[bytes], host: str, *, allow_wildcards: bool = False
    ) -> str:
        """The reason, "" when there is none."""
        ...


def _as_made(context: ssl.SSLContext) -> ssl.SSLContext:
    return context


def _as_it_is(connection: type[ClientConnection]) -> type[ClientConnection]:
    return connection


def _no_more(failure: Failure) -> None:
    """Nothing is left of an attempt that failed."""


@dataclass(frozen=True, slots=True)
class Wire:
    """The functions that every attempt to connect passes.

    `tls` may alter the context that a connection is made with; `trusts` looks at the certificates of the CSMS;
    `connection` gives the class of connections; `failed` hears of every attempt that came to nothing.
    """

    tls: Callable[[ssl.SSLContext], ssl.SSLContext] = _as_made
    trusts: Trusts = check_server
    connection: Callable[[type[ClientConnection]], type[ClientConnection]] = _as_it_is
    failed: Callable[[Failure], None] = _no_more


HEALTHY = Wire()
"""Everything as it should be."""

Rewire: TypeAlias = Callable[[Wire], Wire]
"""Gives back the wire with one of its functions wrapped."""
