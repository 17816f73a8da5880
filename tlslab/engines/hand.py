"""Answers a ClientHello with bytes built by hand, and listens to what the caller makes of them."""

from __future__ import annotations

from tlslab.engines.base import tell_note
from tlslab.engines.raw import Wire
from tlslab.offers import Offer
from tlslab.records import CHANGE_CIPHER_SPEC, HANDSHAKE_RECORD, records

REACTION_S = 5.0
"""How long a caller may think about it."""
MAX_REACTION = 2**17


async def answer(wire: Wire, offer: Offer) -> None:
    """The offer's answer is said; the caller's reaction is on the tape, and in a note when it goes on."""
    connection = wire.connection
    if connection.hello is None or offer.answer is None:
        return
    await wire.write(offer.answer(connection.hello))
    wire.patience_s = REACTION_S
    said = b""
    while len(said) < MAX_REACTION and (data := await wire.read()):
        said += data
    kinds = {record.type for record in records(said)}
    if CHANGE_CIPHER_SPEC in kinds or HANDSHAKE_RECORD in kinds:
        tell_note(connection, "it went on with the handshake")
    elif not said and connection.error:
        tell_note(connection, "it waited for more until the lab hung up")
        connection.error = ""
