"""What the CSMS is told of work that it asked for (B07, B08, L01, N01, N09): under the requestId of that work, and in order.

Knows requestIds and words of status. Must not know what is in a report, nor how its parts are numbered (`reports` does).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from strategies.model.events import Asked, Called, Event, Objection, Told, Weight, number, text
from strategies.model.facts import NEVER, Facts

_TOLD_BY: Mapping[str, str] = {
    "GetBaseReport": "NotifyReport",
    "GetReport": "NotifyReport",
    "GetMonitoringReport": "NotifyMonitoringReport",
    "CustomerInformation": "NotifyCustomerInformation",
    "GetLog": "LogStatusNotification",
    "UpdateFirmware": "FirmwareStatusNotification",
}
_LOG, _FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"
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


class Echoes:
    """Follows every request whose work is told of by CALLs."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._work: dict[str, _Work] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with the requestId or the status of a CALL."""
        match event:
            case Asked() if event.action in _TOLD_BY:
                id_ = number(event.payload, "requestId")
                if id_ is not None:
                    self._of(event.action).asked[id_] += 1
            case Told() if event.asked.action in _TOLD_BY and event.status == "Accepted":
                work = self._of(event.asked.action)
                work.alone_s = event.at_s if work.alone_s == NEVER else work.alone_s
            case Called() if event.action in _TOLD_BY.values():
                yield from self._told(event)
            case _:
                pass

    def _of(self, action: str) -> _Work:
        return self._work.setdefault(_TOLD_BY[action], _Work())

    def _told(self, event: Called) -> Iterator[Objection]:
        work, id_ = self._work.get(event.action), number(event.payload, "requestId")
        facts = self._facts
        # Whatever waited to be sent may be of work from before.
        steady = work is not None and max(facts.shaken_s, facts.booted_s) < work.alone_s
        if work is None or id_ is None or not steady:
            return
        if id_ not in work.asked:
            if number(event.payload, "seqNo") not in (None, 0):
                # The rest of a report from before.
                return
            yield Objection(
                "B07, L01, N01, N09",
                f"{event.action} of a request that was not made",
                f"{event.action} has the requestId {id_}, and no request had it while this one was carried out",
            )
            return
        before = work.told.setdefault(id_, [])
        if event.action in (_LOG, _FIRMWARE) and work.asked[id_] == 1:
            yield from self._in_order(event, before)
        before.append(text(event.payload, "status"))

    def _in_order(self, event: Called, before: list[str]) -> Iterator[Objection]:
        status = text(event.payload, "status")
        needed = _BEFORE.get(status, frozenset()) if event.action == _FIRMWARE else frozenset()
        if needed and before and not needed & set(before):
            yield Objection(
                "L01",
                "firmware status out of order",
                f"FirmwareStatusNotification says {status} after {before[-1]}",
                weight=Weight.LOW,
            )
        if event.action == _LOG and before[-1:] == ["Uploaded"] and status in _NOT_AFTER:
            yield Objection(
                "N01",
                "log status out of order",
                f"LogStatusNotification says {status} after Uploaded",
                weight=Weight.LOW,
            )
