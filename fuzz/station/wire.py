"""The seams below the messages: how TLS is set up, whom the station trusts, what kind of connection it uses.

Knows websockets and ssl; the healthy functions are the defaults, the planted ones in `defects`. The core has its own
seams (`hooks.py`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from websockets.asyncio.client import ClientConnection, connect

from fuzz.station.events import Failure
from fuzz.station.verifying import Shown, why_untrusted

Trusts: TypeAlias = Callable[[Shown], str]
"""Says why the CSMS is not to be trusted, as `why_untrusted` does; "" when it is."""


def _as_made(context: ssl.SSLContext) -> ssl.SSLContext:
    return context


def _as_it_is(connection: type[ClientConnection]) -> type[ClientConnection]:
    return connection


def _nowhere(dialling: connect, answer: Exception) -> Exception | str:
    return answer


def _no_more(failure: Failure) -> None:
    """Nothing is left of an attempt that failed."""


@dataclass(frozen=True, slots=True)
class Wire:
    """The functions that every attempt to connect passes.

    `tls` may alter the context that a connection is made with; `trusts` looks at the certificates of the CSMS;
    `connection` gives the class of connections; `redirected` says where to dial after an answer that is no 101, or
    gives that answer back; `failed` hears of every attempt that came to nothing.
    """

    tls: Callable[[ssl.SSLContext], ssl.SSLContext] = _as_made
    trusts: Trusts = why_untrusted
    connection: Callable[[type[ClientConnection]], type[ClientConnection]] = _as_it_is
    redirected: Callable[[connect, Exception], Exception | str] = _nowhere
    failed: Callable[[Failure], None] = _no_more


HEALTHY = Wire()
"""Everything as it should be."""

Rewire: TypeAlias = Callable[[Wire], Wire]
"""Gives back the wire with one of its functions wrapped."""
