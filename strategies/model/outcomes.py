"""What cannot become of logs and firmware (N01, L01): success where nobody is, and more of what has failed or was given up.

Knows requests, and in which order their statuses were told and acknowledged. Must not know which status must follow
(`transfers` does), nor who came to our catcher (O36 does). Nothing is said of a request whose statuses may have been told
twice since one of them was not acknowledged, nor where somebody asked for a status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from strategies.model.echoes import BEGUN, FIRMWARE, LOG
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Objection,
    Told,
    Weight,
    number,
    text,
)
from strategies.model.facts import NEVER, Facts
from strategies.model.rule import Rule

_TOLD_BY: Mapping[str, str] = {"GetLog": LOG, "UpdateFirmware": FIRMWARE}
_WHERE: Mapping[str, tuple[str, str]] = {
    LOG: ("log", "remoteLocation"),
    FIRMWARE: ("firmware", "location"),
}
_NOWHERE = ("http://127.0.0.1:9/", "http://localhost:9/")
"""Whoever listens at the discard port says nothing (RFC 863), and so no HTTP."""

_DONE: Mapping[str, frozenset[str]] = {
    LOG: frozenset({"Uploaded"}),
    FIRMWARE: frozenset(
        {"Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"}
    ),
}
"""What can be told only of a transfer that succeeded."""

_FAILED = frozenset(
    {
        "UploadFailure",
        "BadMessage",
        "PermissionDenied",
        "NotSupportedOperation",
        "DownloadFailed",
        "InvalidSignature",
    }
)
"""The end of what is tried only once; whether an installation that failed is tried again is the station's own choice."""

_INSTALLATION = frozenset({"InstallationFailed", "InstallVerificationFailed"})
_CANCELLED = "AcceptedCanceled"
_ENDS = (
    _FAILED
    | _INSTALLATION
    | {
        _CANCELLED,
        "Uploaded",
        "Installed",
    }
)
_LATER_S = 2.0
"""How long what was on its way may still come, unless a boot comes first."""


@dataclass(slots=True)
class _Work:
    """What was asked for under one requestId, and what was told of it."""

    requests: list[Asked] = field(default_factory=list)
    taken: bool = False
    fetched: bool = False
    """Whether anything was told that takes a file which is here."""
    begun_s: float = NEVER
    """When it was first told to begin."""
    over: str = ""
    """The status that ended it."""
    heir: int | None = None
    """The requestId of what it was given up for."""
    waiting: Called | None = None
    doubtful: bool = False
    """Whether a status may be one that was told before."""


class Outcomes(Rule):
    """Follows every GetLog and UpdateFirmware."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._works: dict[tuple[str, int], _Work] = {}
        self._triggered: set[str] = set()

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a status."""
        match event:
            case Asked(action="TriggerMessage"):
                self._triggered.add(text(event.payload, "requestedMessage"))
            case Asked() if event.action in _TOLD_BY:
                work = self._of(_TOLD_BY[event.action], number(event.payload, "requestId"))
                if work is not None:
                    work.requests.append(event)
            case Told() if event.asked.action in _TOLD_BY:
                self._answered(event)
            case Called() if event.action in _WHERE:
                yield from self._told(event)
            case Answered() if event.called.action in _WHERE:
                self._acknowledged(event)
            case _:
                pass

    def _of(self, message: str, id_: int | None) -> _Work | None:
        return None if id_ is None else self._works.setdefault((message, id_), _Work())

    def _answered(self, event: Told) -> None:
        message, id_ = _TOLD_BY[event.asked.action], number(event.asked.payload, "requestId")
        work = self._of(message, id_)
        if work is None or event.status not in ("Accepted", _CANCELLED):
            return
        if event.status == _CANCELLED:
            before = [
                w for (m, i), w in self._works.items() if m == message and i != id_ and _goes_on(w)
            ]
            if len(before) == 1:
                before[0].heir = id_
        work.taken = True

    def _acknowledged(self, event: Answered) -> None:
        id_ = number(event.called.payload, "requestId")
        work = self._works.get((event.called.action, -1 if id_ is None else id_))
        if work is not None and work.waiting is event.called:
            heard = event.proper and event.prompt and not event.error_code
            work.doubtful |= not heard
            work.waiting = None

    def _told(self, event: Called) -> Iterator[Objection]:
        id_, status = number(event.payload, "requestId"), text(event.payload, "status")
        work = self._of(event.action, id_)
        if work is None:
            # It may be of any.
            for (message, _), any_ in self._works.items():
                any_.doubtful |= message == event.action
            return
        work.doubtful |= work.waiting is not None or not work.requests
        work.waiting = event
        if work.taken and not work.doubtful and event.action not in self._triggered:
            yield from self._judged(event.action, work, status, event.at_s)
        work.fetched |= status in _DONE[event.action]
        if status in BEGUN and work.begun_s == NEVER:
            work.begun_s = event.at_s
        if status in _ENDS:
            work.over = status

    def _judged(self, message: str, work: _Work, status: str, at_s: float) -> Iterator[Objection]:
        where = [text(asked.payload, *_WHERE[message]) for asked in work.requests]
        begun = work.begun_s > NEVER
        if status in _DONE[message] and begun and all(w.startswith(_NOWHERE) for w in where):
            yield Objection(
                "N01.FR.09, L01.FR.10",
                f"{message} of a transfer that cannot have been",
                f"{message} says {status} of what was to go to or come from where nothing can",
            )
        unfetched = begun and not work.fetched and all(w.startswith(_NOWHERE) for w in where)
        if status in _INSTALLATION and unfetched:
            yield Objection(
                "L01, TC_L_07",
                "installation failed of what was never downloaded",
                f"{message} says {status} of what nobody can download, and nothing said that it was; DownloadFailed is due",
                weight=Weight.LOW,
            )
        if len(work.requests) != 1 or status not in _DONE[message] | BEGUN:
            return
        if work.over == _CANCELLED:
            yield Objection(
                "N01.FR.20",
                "cancelled upload goes on",
                f"{message} says {status} after {_CANCELLED}",
                weight=Weight.LOW,
            )
        elif work.over in _FAILED and number(work.requests[0].payload, "retries") == 0:
            yield Objection(
                "N01.FR.10, L01.FR.30",
                f"{message} goes on after the end",
                f"{message} says {status} after {work.over} of what was to be tried once",
            )
        if message == FIRMWARE and self._given_up(work, at_s):
            yield Objection(
                "L01",
                "firmware that was given up goes on",
                f"{message} says {status} of an update that another one was AcceptedCanceled for",
            )

    def _given_up(self, work: _Work, at_s: float) -> bool:
        """True once nothing can be on its way any more: what came instead was told to begin a while or a boot ago."""
        heir = None if work.heir is None else self._works.get((FIRMWARE, work.heir))
        if heir is None or heir.begun_s == NEVER or heir.doubtful:
            return False
        return self._facts.booted_s > heir.begun_s or at_s - heir.begun_s >= _LATER_S


def _goes_on(work: _Work) -> bool:
    return work.taken and not work.over and work.heir is None
