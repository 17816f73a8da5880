"""Answers a ClientHello with bytes built by hand, and listens to what the caller makes of them."""

from __future__ import annotations

from tlslab import tape
from tlslab.engines.base import tell_note
from tlslab.engines.raw import Wire
from tlslab.offers import Offer
from tlslab.records import HANDSHAKE_RECORD, records
from tlslab.seen import WAITED, WENT_ON

REACTION_S = 5.0
"""How long a caller may think about it."""
MAX_REACTION = 2**17


async def answer(wire: Wire, offer: Offer) -> None:
    """The offer's answer is said, and the caller's reaction is on the tape; an empty one hangs up at once."""
    connection = wire.connection
    if connection.hello is None or offer.answer is None:
        return
    if not (words := offer.answer(connection.hello)):
        return
    await wire.write(words)
    wire.patience_s = REACTION_S
    said = b""
    while len(said) < MAX_REACTION and (data := await wire.read()):
        said += data
    told = tape.facts(connection.tape)
    spoke = any(record.type == HANDSHAKE_RECORD for record in records(said))
    waited, connection.error = bool(connection.error), ""
    # Another ClientHello, as HelloRetryRequest asks for it, is no consent by itself; a Finished is.
    if told.client_finished or (spoke and waited):
        tell_note(connection, WENT_ON)
    elif waited:
        tell_note(connection, WAITED)
