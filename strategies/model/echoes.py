"""What the CSMS is told of work that it asked for (B07, B08, L01, N01, N09): under the requestId of that work, and in order.

Knows requestIds and words of status. Must not know what is in a report, nor how its parts are numbered (`reports` does).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from strategies.model.events import Asked, Called, Event, Objection, Told, Weight, number, text
from strategies.model.facts import NEVER, Facts
from strategies.model.rule import Rule

_TOLD_BY: Mapping[str, str] = {
    "GetBaseReport": "NotifyReport",
    "GetReport": "NotifyReport",
    "GetMonitoringReport": "NotifyMonitoringReport",
    "CustomerInformation": "NotifyCustomerInformation",
    "GetLog": "LogStatusNotification",
    "UpdateFirmware": "FirmwareStatusNotification",
}
LOG, FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"
BEGUN = frozenset({"Uploading", "Downloading", "DownloadScheduled"})
"""What is told of work that has just begun; anything else may be the rest of work from before."""

_NEEDS_ID: Mapping[str, str] = {LOG: "N01.FR.13", FIRMWARE: "L01.FR.20"}
_OF_THE_SIGNER = frozenset({"InvalidCertificate", "RevokedCertificate"})
_NOT_AFTER = frozenset({"Uploading", "UploadFailure", "BadMessage", "PermissionDenied"})
"""What cannot become of a log that is Uploaded (UploadLogStatusEnumType)."""

_BEFORE: Mapping[str, frozenset[str]] = {
    "Downloaded": frozenset({"Downloading", "DownloadPaused"}),
    "SignatureVerified": frozenset({"Downloaded"}),
    "InvalidSignature": frozenset({"Downloaded", "Downloading"}),
    "Installed": frozenset({"Installing", "InstallRebooting", "InstallScheduled"}),
}
"""Of each status one that must have come before it (L01): what is downloaded was being downloaded."""


@dataclass(slots=True)
class _Work:
    """What was asked for under one action: ids, the one that was accepted alone, and what was told of each."""

    asked: Counter[int] = field(default_factory=Counter)
    alone_s: float = NEVER
    """Since when one request alone can be at work: it was Accepted, and not AcceptedCanceled."""
    told: dict[int, list[str]] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)
    """The ids that anything was told of, whenever."""
    refused: dict[int, float] = field(default_factory=dict)
    """What was surely refused, and when it was asked for: no earlier work under that id can be why."""


class Echoes(Rule):
    """Follows every request whose work is told of by CALLs."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._work: dict[str, _Work] = {}
        self._triggered: set[str] = set()

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with the requestId or the status of a CALL."""
        match event:
            case Asked(action="TriggerMessage"):
                self._triggered.add(text(event.payload, "requestedMessage"))
            case Asked() if event.action in _TOLD_BY:
                id_ = number(event.payload, "requestId")
                if id_ is not None:
                    self._of(event.action).asked[id_] += 1
            case Told() if event.asked.action in _TOLD_BY and event.status == "Accepted":
                work = self._of(event.asked.action)
                work.alone_s = event.at_s if work.alone_s == NEVER else work.alone_s
            case Told() if event.asked.action in _TOLD_BY and _surely_refused(event):
                id_ = number(event.asked.payload, "requestId")
                if id_ is not None:
                    self._of(event.asked.action).refused[id_] = event.asked.at_s
            case Called() if event.action in _TOLD_BY.values():
                yield from self._told(event)
            case _:
                pass

    def _of(self, action: str) -> _Work:
        return self._work.setdefault(_TOLD_BY[action], _Work())

    def _told(self, event: Called) -> Iterator[Objection]:
        work, id_ = self._work.get(event.action), number(event.payload, "requestId")
        if work is None:
            return
        if id_ is None:
            yield from self._nameless(event, work)
            return
        yield from self._although_refused(event, work, id_)
        work.named.add(id_)
        if self._steady_since(work.alone_s):
            yield from self._of_asked(event, work, id_)

    def _steady_since(self, since_s: float) -> bool:
        """False where what waited to be sent may be of work from before."""
        return max(self._facts.shaken_s, self._facts.booted_s) < since_s

    def _nameless(self, event: Called, work: _Work) -> Iterator[Objection]:
        # Where a request for this very message came, the editions disagree about what is told when nothing is under way.
        excused = text(event.payload, "status") in ("", "Idle") or event.action in self._triggered
        if event.action in _NEEDS_ID and work.alone_s != NEVER and not excused:
            yield Objection(
                _NEEDS_ID[event.action],
                f"{event.action} without a requestId",
                f"{event.action} says {text(event.payload, 'status')} of work that was asked for, without its requestId",
            )

    def _although_refused(self, event: Called, work: _Work, id_: int) -> Iterator[Objection]:
        begins = text(event.payload, "status") in BEGUN and id_ not in work.named
        once = work.asked[id_] == 1 and id_ in work.refused
        if begins and once and self._steady_since(work.refused[id_]):
            yield Objection(
                "L01.FR.22, N01",
                "refused and carried out",
                f"{event.action} tells of work whose request was refused",
            )

    def _of_asked(self, event: Called, work: _Work, id_: int) -> Iterator[Objection]:
        if id_ not in work.asked:
            if event.action in (LOG, FIRMWARE) or number(event.payload, "seqNo") not in (None, 0):
                # What was asked for before goes on over connections and boots, and a report has a rest.
                return
            yield Objection(
                "B07, L01, N01, N09",
                f"{event.action} of a request that was not made",
                f"{event.action} has the requestId {id_}, and no request had it while this one was carried out",
            )
            return
        before = work.told.setdefault(id_, [])
        if event.action in (LOG, FIRMWARE) and work.asked[id_] == 1:
            yield from self._in_order(event, before)
        before.append(text(event.payload, "status"))

    def _in_order(self, event: Called, before: list[str]) -> Iterator[Objection]:
        status = text(event.payload, "status")
        needed = _BEFORE.get(status, frozenset()) if event.action == FIRMWARE else frozenset()
        if needed and before and not needed & set(before):
            yield Objection(
                "L01",
                "firmware status out of order",
                f"FirmwareStatusNotification says {status} after {before[-1]}",
                weight=Weight.LOW,
            )
        if event.action == LOG and before[-1:] == ["Uploaded"] and status in _NOT_AFTER:
            yield Objection(
                "N01",
                "log status out of order",
                f"LogStatusNotification says {status} after Uploaded",
                weight=Weight.LOW,
            )


def _surely_refused(event: Told) -> bool:
    """True for a refusal that no work under the same requestId explains: of the signer, or of what is tried only once."""
    refused = bool(event.error_code) or event.status == "Rejected"
    return event.status in _OF_THE_SIGNER or (
        refused and number(event.asked.payload, "retries") == 0
    )
