"""What terminates TLS for the lab server, each library behind the same small machine, and which one an offer needs.

One module a library. Must not know OCPP, nor what an offer is meant to show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from tlslab.engines.base import Machine, Unable
from tlslab.offers import ClientAuth, Engine, Offer
from tlslab.pki import LabError
from tlslab.seen import Connection

Elapsed = Callable[[], float]
"""Seconds since the connection began."""


def engine_of(offer: Offer) -> Engine:
    """The engine that carries the offer out: the one it names, or another when that one cannot."""
    if offer.engine is not Engine.STDLIB:
        return offer.engine
    if offer.sign_with:
        return Engine.TLSLITE
    special = offer.renegotiate or offer.staple or offer.told_roots is not None
    return Engine.PYOPENSSL if special or offer.client_auth is ClientAuth.ANY else Engine.STDLIB


def ready(offer: Offer) -> Offer:
    """The offer with the engine that carries it out. Raises `LabError` when none can, which is our mistake."""
    offer = replace(offer, engine=engine_of(offer))
    try:
        _try(offer)
    except Unable as error:
        if offer.engine is not Engine.STDLIB:
            raise LabError(f"{offer.engine} cannot make this offer: {error}") from error
        return ready(replace(offer, engine=Engine.TLSLITE))
    return offer


def _try(offer: Offer) -> None:
    match offer.engine:
        case Engine.HAND if offer.answer is None:
            raise Unable("it says no answer")
        case Engine.HAND | Engine.PLAIN:
            return
        case _:
            machine(offer, Connection(0, 0.0, datetime.fromtimestamp(0, UTC)), lambda: 0.0)


def machine(offer: Offer, connection: Connection, elapsed: Elapsed) -> Machine:
    """A server end of TLS that writes what it sees into the connection. Raises `Unable`."""
    wants_secrets = offer.engine is Engine.STDLIB and connection.keeps_secrets
    match offer.engine:
        case Engine.STDLIB | Engine.PYOPENSSL if wants_secrets or offer.engine is not Engine.STDLIB:
            # Imported when needed: each costs a tenth of a second.
            from tlslab.engines import pyopenssl

            return pyopenssl.machine(offer, connection, elapsed)
        case Engine.TLSLITE:
            from tlslab.engines import tlslite

            return tlslite.machine(offer, connection, elapsed)
        case _:
            from tlslab.engines import stdlib

            return stdlib.machine(offer, connection, elapsed)
