"""Requests that no station may accept as they stand: of no customer in particular (N09), of a vendor that there is not (P01).

Knows only what stands in the request. Must not know what was done before, nor what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.labels import JsonValue
from strategies.model.events import Asked, Event, Objection, Told, Weight, member, text

NO_VENDOR = "com.example.ocppfuzz"
"""A vendorId that nobody can have: example names are never given away (RFC 2606)."""

_CUSTOMER = ("idToken", "customerCertificate", "customerIdentifier")


class Requests:
    """Looks at what was accepted."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with an answer."""
        match event:
            case Told(asked=Asked(action="CustomerInformation", payload=asked)):
                if event.status == "Accepted":
                    yield from _customer(asked)
            case Told(asked=Asked(action="DataTransfer", payload=asked)):
                if event.status == "Accepted" and text(asked, "vendorId") == NO_VENDOR:
                    yield Objection(
                        "P01.FR.05",
                        "DataTransfer of an unknown vendor accepted",
                        f"DataTransfer of {NO_VENDOR} was accepted, which no station can have an implementation for",
                        weight=Weight.LOW,
                    )
            case _:
                pass


def _customer(asked: JsonValue) -> Iterator[Objection]:
    # N09.FR.07 only recommends what becomes of a request that wants nothing.
    wants = member(asked, "report") is True or member(asked, "clear") is True
    named = [name for name in _CUSTOMER if member(asked, name) is not None]
    if wants and len(named) != 1:
        words = "several customers at once" if named else "no customer"
        yield Objection(
            "N09.FR.09",
            f"CustomerInformation of {words} accepted",
            f"CustomerInformation was accepted although it names {words}; Invalid is due",
        )
