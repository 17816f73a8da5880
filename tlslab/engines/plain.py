"""Answers a ClientHello with HTTP in plain text, as a server that speaks no TLS would."""

from __future__ import annotations

from tlslab.engines.raw import Wire
from tlslab.offers import Offer

_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


async def decline(wire: Wire, offer: Offer) -> None:
    """The offer's HTTP answer is said, or a plain 400; what the caller makes of it is on the tape."""
    await wire.write(offer.http or _BAD_REQUEST)
    await wire.close()
