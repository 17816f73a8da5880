"""What is said of callers that were turned away: at once, with what to configure.

Knows refusals of the listening door. Must not know who listens for what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from fuzz.records import EngineEvent, Note
from fuzz.transport.admission import Refused

REMEDIES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "give OCPPFUZZ_PASSWORD or --password-file the password as it is set on the station, whose "
    "Basic user is its identity",
    HTTPStatus.NOT_FOUND: "give --identity as the station spells it at the end of its URL",
    HTTPStatus.SWITCHING_PROTOCOLS: "set the station to OCPP 2.0.1, whose subprotocol is ocpp2.0.1",
}


def remedy(refused: Refused) -> str:
    """What to configure, "" where the reason says it all."""
    return REMEDIES.get(refused.status, "")


def saying(sink: Callable[[EngineEvent], None], *, addresses: bool) -> Callable[[Refused], None]:
    """Tells of a caller that was turned away; without `addresses` where they are those of a relay of ours."""

    def say(refused: Refused) -> None:
        who = refused if addresses else replace(refused, remote="")
        what = f"; {remedy(refused)}" if remedy(refused) else ""
        sink(Note(f"somebody dialled in and was refused: {who}{what}", "warning"))

    return say
