"""What becomes of logs and firmware (N01, L01): they end, they are cancelled, no state is skipped, and nothing unsigned goes on.

Knows which status must follow, and objects to a missing one only where somebody waited in vain for what is told of that
very request. Must not know requestIds of anybody else (`echoes` does), nor what was really transferred.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from strategies.labels import JsonValue
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Missed,
    Objection,
    Opened,
    Operated,
    Stray,
    Told,
    Unread,
    Weight,
    number,
    text,
)
from strategies.model.facts import Facts, Standing
from strategies.model.rule import Rule

_LOG, _FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"
_TOLD_BY: Mapping[str, str] = {"GetLog": _LOG, "UpdateFirmware": _FIRMWARE}
_UNDER_WAY: Mapping[str, frozenset[str]] = {
    _LOG: frozenset({"", "Uploading", "Idle"}),
    _FIRMWARE: frozenset({"", "Idle", "Downloading", "DownloadPaused"}),
}
"""What is told before a transfer has come to anything; every other status settles it."""

_CANCELLED = "AcceptedCanceled"
_HERE = ("http://127.0.0.1:", "http://localhost:")
"""Where a transfer fails at once, as nobody listens there; elsewhere a station may try for minutes."""

_TRUSTED = frozenset({"SignatureVerified", "Installing", "Installed", "InstallRebooting"})
_VERIFIED = frozenset({"SignatureVerified", "InvalidSignature"})
"""What can be told only of a file that was downloaded before."""

_FAILED: Mapping[str, str] = {_LOG: "UploadFailure", _FIRMWARE: "DownloadFailed"}
_LONGEST_S = 20
"""How long all tries of one transfer may take together, so that its end is waited for."""

_SLACK_S = 0.5
_PATIENCE_S = 5.0
"""How long after its time a further try may begin."""

_SHORTEST = 32
"""Bytes below which nothing is a signature that OCPP allows: an ECDSA one has 64, an RSA one more."""


@dataclass(frozen=True, slots=True)
class _Owed:
    """One end that must be told of a request, from when on, and until when nothing else could have settled it."""

    message: str
    id: int
    since_s: float
    objection: Objection
    only: str = ""
    """The one status that settles it, "" for any that ends a transfer."""
    until_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class _GivenUp:
    """A transfer that was told to have failed before the next try was due, and until when nothing else disturbed it."""

    failed_s: float
    pause_s: int
    until_s: float = float("inf")


class Transfers(Rule):
    """Follows every GetLog and UpdateFirmware to its end."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._asked: dict[tuple[str, int], list[Asked]] = {}
        self._told: dict[tuple[str, int], set[str]] = {}
        self._working: dict[str, list[int]] = {}
        """The ids of what was accepted and has not ended."""
        self._taken_s: dict[int, float] = {}
        """When an update was accepted that was asked for in an undisturbed talk, as long as all of it is told."""
        self._owed: list[_Owed] = []
        self._again_s: dict[tuple[str, int], tuple[float, int]] = {}
        """When each request was accepted whose first try fails at once, undisturbed since, and the pause before the next."""
        self._given_up: dict[tuple[str, int], _GivenUp] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a status of firmware; takes note of what an event settles and brings about."""
        if _hinders(event):
            self._until(event.at_s)
        match event:
            case Asked() if event.action in _TOLD_BY:
                self._note(event)
            case Told() if event.asked.action in _TOLD_BY:
                self._answered(event)
            case Called() if event.action in _TOLD_BY.values():
                yield from self._status(event)
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """What was never told although somebody waited for it, and nothing hindered the station."""
        facts = self._facts
        if facts.away or facts.outstanding is not None:
            return
        for owed in self._owed:
            waits = [m.timeout_s for m in missed if _waited_for(m, owed)]
            waited_s = min(end_s, owed.until_s) - owed.since_s
            if any(waited_s >= wait_s for wait_s in waits):
                yield owed.objection
        for (message, _), failed in self._given_up.items():
            if min(end_s, failed.until_s) - failed.failed_s >= failed.pause_s + _PATIENCE_S:
                yield _gave_up(message)

    def _note(self, event: Asked) -> None:
        message, id_ = _TOLD_BY[event.action], number(event.payload, "requestId")
        # Whatever comes next may end what is under way.
        self._until(event.at_s, message)
        if id_ is not None:
            self._asked.setdefault((message, id_), []).append(event)

    def _until(self, at_s: float, message: str = "") -> None:
        """What is owed, by this message or by any, must have been told before now."""
        self._owed = [
            replace(o, until_s=min(o.until_s, at_s)) if message in ("", o.message) else o
            for o in self._owed
        ]
        for key, failed in self._given_up.items():
            if message in ("", key[0]):
                self._given_up[key] = replace(failed, until_s=min(failed.until_s, at_s))
        self._again_s = {
            key: again for key, again in self._again_s.items() if message not in ("", key[0])
        }

    def _answered(self, event: Told) -> None:
        message, id_ = _TOLD_BY[event.asked.action], number(event.asked.payload, "requestId")
        taken = event.status in ("Accepted", _CANCELLED)
        if id_ is None or not taken:
            return
        if message == _FIRMWARE and self._speaks():
            self._taken_s[id_] = event.at_s
        working = self._working.setdefault(message, [])
        if event.status == _CANCELLED and message == _LOG and len(working) == 1:
            self._owe(message, working[0], event.at_s, _cancelled(), only=_CANCELLED)
        if event.status == _CANCELLED:
            working.clear()
        if self._fails_at_once(event):
            tries, pause_s = _tries(event.asked.payload)
            if tries * pause_s <= _LONGEST_S:
                ends_s = event.at_s + tries * pause_s
                self._owe(message, id_, ends_s, _unended(event.asked.action))
            if tries and len(self._asked.get((message, id_), ())) == 1:
                self._again_s[message, id_] = event.at_s, pause_s
        if not _settled(message, self._told.get((message, id_), set())):
            working.append(id_)

    def _fails_at_once(self, event: Told) -> bool:
        """True for what is tried where nothing can come of it, while nothing else keeps the station busy."""
        asked, facts = event.asked.payload, self._facts
        is_log = event.asked.action == "GetLog"
        where = ("log", "remoteLocation") if is_log else ("firmware", "location")
        tries, pause_s = number(asked, "retries"), number(asked, "retryInterval") or 0
        bounded = tries == 0 or (tries is not None and tries > 0 and pause_s > 0)
        fails = text(asked, *where).startswith(_HERE) and bounded
        # Implementation's choice: whether firmware is fetched while somebody charges.
        idle = not facts.plugged and not any(t.open for t in facts.transactions.values())
        return fails and idle and self._speaks()

    def _speaks(self) -> bool:
        return self._facts.standing is Standing.ACCEPTED or self._facts.boots == 0

    def _owe(
        self, message: str, id_: int, since_s: float, objection: Objection, only: str = ""
    ) -> None:
        owed = _Owed(message, id_, since_s, objection, only)
        once = len(self._asked.get((message, id_), ())) == 1
        if once and not _pays(owed, self._told.get((message, id_), set())):
            self._owed.append(owed)

    def _status(self, event: Called) -> Iterator[Objection]:
        id_, status = number(event.payload, "requestId"), text(event.payload, "status")
        if id_ is None:
            # Which request it is of is not known: it may be of any.
            self._owed = [o for o in self._owed if o.message != event.action]
            self._taken_s.clear()
            return
        told = self._told.setdefault((event.action, id_), set())
        told.add(status)
        if status not in _UNDER_WAY[event.action]:
            self._working[event.action] = [
                w for w in self._working.get(event.action, ()) if w != id_
            ]
        which = event.action, id_
        self._gives_up(event.at_s, which, status)
        self._owed = [o for o in self._owed if (o.message, o.id) != which or not _pays(o, {status})]
        asked = self._asked.get(which, [])
        if event.action == _FIRMWARE and status in _VERIFIED and len(asked) == 1:
            yield from self._skipped(id_, told)
        badly = bool(asked) and all(_badly_signed(a.payload) for a in asked)
        if event.action == _FIRMWARE and status in _TRUSTED and badly:
            yield Objection(
                "L01.FR.04, L01.FR.12",
                "firmware with a bad signature goes on",
                f"FirmwareStatusNotification says {status} of firmware whose signature cannot be one",
                weight=Weight.CRITICAL,
            )

    def _gives_up(self, at_s: float, which: tuple[str, int], status: str) -> None:
        """N01, L01: as many tries are made as were asked for, and no sooner than was asked for."""
        self._given_up.pop(which, None)
        again = self._again_s.get(which)
        if again is None or status != _FAILED[which[0]]:
            return
        taken_s, pause_s = again
        if at_s - taken_s < pause_s - _SLACK_S:
            self._given_up[which] = _GivenUp(at_s, pause_s)

    def _skipped(self, id_: int, told: set[str]) -> Iterator[Objection]:
        """L01.FR.01: each state is told, and nothing is verified that was not downloaded."""
        facts, taken_s = self._facts, self._taken_s.get(id_)
        # What could not be told in time may have been dropped.
        calm = taken_s is not None and facts.shaken_s < taken_s and facts.outstanding is None
        if calm and not told & {"Downloading", "Downloaded"}:
            yield Objection(
                "L01.FR.01",
                "download of firmware never told",
                f"the signature of an update was judged, and no {_FIRMWARE} told that it was Downloading or Downloaded",
            )


def _tries(asked: JsonValue) -> tuple[int, int]:
    """How many more tries are asked for, and how many seconds come between two."""
    return number(asked, "retries") or 0, max(0, number(asked, "retryInterval") or 0)


def _gave_up(message: str) -> Objection:
    return Objection(
        "N01, L01",
        f"{_FAILED[message]} without the tries that were asked for",
        f"a transfer was to be tried again after a pause, and {message} says before it that it failed, and nothing later",
        weight=Weight.LOW,
    )


def _hinders(event: Event) -> bool:
    """True for what may end a transfer, or keep a station from telling of it."""
    match event:
        case Opened() | Closed() | Died() | Operated() | Stray() | Unread():
            return True
        case Called(action="BootNotification") | Asked(action="Reset" | "SetVariables"):
            return True
        case Answered():
            return bool(event.error_code) or not (event.proper and event.prompt)
        case _:
            return False


def _waited_for(missed: Missed, owed: _Owed) -> bool:
    where = dict(missed.where)
    return missed.action == owed.message and where.get("/requestId") == str(owed.id)


def _settled(message: str, told: set[str]) -> bool:
    return bool(told - _UNDER_WAY[message])


def _pays(owed: _Owed, told: set[str]) -> bool:
    return owed.only in told if owed.only else _settled(owed.message, told)


def _cancelled() -> Objection:
    return Objection(
        "N01.FR.20",
        "cancelled upload never told",
        "GetLog was answered AcceptedCanceled, and no LogStatusNotification said so of the upload before",
    )


def _unended(action: str) -> Objection:
    return Objection(
        "N01.FR.10" if action == "GetLog" else "L01.FR.30",
        f"{action} that failed is never told",
        f"{action} was accepted for a place where no try can succeed, and no {_TOLD_BY[action]} told how it ended",
    )


def _badly_signed(asked: JsonValue) -> bool:
    """True for an update of a signer whose signature is surely none: no base64, or too short.

    Without any it is the other, unsecured update (L02), which a station may know.
    """
    signature = text(asked, "firmware", "signature")
    if not signature or not text(asked, "firmware", "signingCertificate"):
        return False
    try:
        return len(base64.b64decode(signature, validate=True)) < _SHORTEST
    except (binascii.Error, ValueError):
        return True
