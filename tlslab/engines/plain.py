"""Answers a ClientHello with HTTP in plain text, as a server that speaks no TLS would."""

from __future__ import annotations

from tlslab.engines.raw import Wire
from tlslab.offers import Offer

BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
"""What those are told who speak HTTP where TLS is spoken, or the other way round."""


async def decline(wire: Wire, offer: Offer) -> None:
    """The offer's HTTP answer is said, or a plain 400; what the caller makes of it is on the tape."""
    await wire.write(offer.http or BAD_REQUEST)
    await wire.close()
