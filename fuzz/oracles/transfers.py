"""Was there ever a transfer where a station says that one succeeded (O36)?

Knows who came to our catcher, and which requests sent somebody there. Must not know what a transfer holds: O23 reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.ocppj.variables import member_of, number_of, text_of
from fuzz.oracles.reading import scene
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, Caught, Observation, Severity, Side, Violation

_OURS = re.compile(r"http://[^/?#]+/ok/([a-z]{6})")
"""An address of our catcher, as it stands in a message once its slot was filled: nowhere else is one like it."""

_MAX_VISITS = 64
"""As many visits are kept of one play: where there are so many, one may be missing."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of transfer: the request, where its address stands, what tells of it, and what a visitor does."""

    action: str
    place: tuple[str, str]
    told_by: str
    begun: str
    done: str
    methods: frozenset[str]
    clause: str


_KINDS = (
    _Kind(
        "GetLog",
        ("log", "remoteLocation"),
        "LogStatusNotification",
        "Uploading",
        "Uploaded",
        frozenset({"PUT", "POST"}),
        "N01.FR.09",
    ),
    _Kind(
        "UpdateFirmware",
        ("firmware", "location"),
        "FirmwareStatusNotification",
        "Downloading",
        "Downloaded",
        frozenset({"GET"}),
        "L01.FR.10",
    ),
)


@oracle("O36", name="transfers", clause="N01.FR.09; L01.FR.10", cwe="CWE-393")
def transfers(obs: Observation) -> Iterator[Violation]:
    """What is said to be uploaded or downloaded was: somebody came to the address that the request named.

    Spoken of only where the address is one of our catcher, made for this play alone, so that no cache can know it; where
    the request was Accepted, and the transfer began and succeeded under its own requestId after that; and where nobody
    came for it, however late. What was transferred does not matter.

    Seen: stations that only act the part, and say Uploaded a while after each GetLog.

    Fix: tell the status of the transfer itself, not of a timer.
    """
    seen = scene(obs)
    if seen is None or obs.case.side is not Side.STATION or len(obs.caught) >= _MAX_VISITS:
        return
    for kind in _KINDS:
        if any(
            _made_up(kind, seen, asked, told, obs.caught) for asked, told in seen.asked(kind.action)
        ):
            yield violation(
                "O36",
                Basis.SHALL,
                Severity.MEDIUM,
                f"{kind.done} and nobody came",
                f"{kind.told_by} says {kind.done}, and nobody came to the address that {kind.action} named",
                clause=kind.clause,
            )


def _made_up(
    kind: _Kind,
    seen: History,
    asked: Happening,
    told: Happening | None,
    visits: tuple[Caught, ...],
) -> bool:
    """True when a request of ours was carried out, by what is told of it, and no visitor can have done so."""
    where, id_ = (
        _OURS.match(text_of(member_of(asked.payload, kind.place[0]), kind.place[1])),
        _id(asked),
    )
    if (
        where is None
        or id_ is None
        or told is None
        or text_of(told.payload, "status") != "Accepted"
    ):
        return False
    if sum(_id(other) == id_ for other, _ in seen.asked(kind.action)) > 1:
        return False
    later = list(seen)[asked.partner :]
    words = [
        text_of(h.payload, "status")
        for h in later
        if h.deed is Deed.CALLED and h.action == kind.told_by and _id(h) == id_
    ]
    whole = kind.begun in words and kind.done in words[words.index(kind.begun) :]
    came = any(v.method in kind.methods and where[1] in v.path for v in visits)
    return whole and not came


def _id(h: Happening) -> int | None:
    return number_of(h.payload, "requestId")
