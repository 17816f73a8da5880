"""Answers in many parts and work that is done once: reports (B07, B08, N02, N09), logs (N01), firmware (L01).

Knows requestIds, parts and final statuses. Must not know what a report says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Missed,
    Objection,
    Told,
    Topic,
    Weight,
    member,
    number,
    text,
)
from strategies.model.facts import NEVER, Facts
from strategies.model.rule import Rule

_PARTS: Mapping[str, frozenset[str]] = {
    "NotifyReport": frozenset({"GetBaseReport", "GetReport"}),
    "NotifyMonitoringReport": frozenset({"GetMonitoringReport"}),
    "NotifyCustomerInformation": frozenset({"CustomerInformation"}),
}
_WORK: Mapping[str, tuple[str, str]] = {
    "LogStatusNotification": ("GetLog", "Uploaded"),
    "FirmwareStatusNotification": ("UpdateFirmware", "Installed"),
}


@dataclass(slots=True)
class _Report:
    """One answer in parts. `next` is the seqNo that comes next, `told_s` when the last one came, `done` true after the last part."""

    asked_s: float
    told_s: float = NEVER
    agreed: bool | None = None
    next: int = 0
    done: bool = False
    last: str = ""


class Reports(Rule):
    """Follows every request that is answered in parts."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._reports: dict[tuple[str, int], _Report] = {}
        self._asked: dict[tuple[str, int], int] = {}
        self._done: dict[tuple[str, int], int] = {}
        self._triggered = False

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a part, or with work that was done again."""
        match event:
            case Asked():
                self._note(event)
            case Told():
                self._told(event)
            case Called() if event.action in _PARTS:
                yield from self._part(event)
            case Called() if event.action in _WORK:
                yield from self._worked(event)
            case Answered() | _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether a report stopped in its midst, where somebody waited in vain for the part that is the last."""
        if self._facts.away or self._facts.outstanding is not None:
            return
        for (message, id_), report in self._reports.items():
            waits = [m.timeout_s for m in missed if _waits_for_the_end(m, message, id_)]
            begun = report.agreed and report.next > 0 and not report.done
            calm = self._facts.shaken_s < report.asked_s != NEVER
            if begun and calm and any(end_s - report.told_s >= wait_s for wait_s in waits):
                yield Objection(
                    "B07, B08, N02, N09",
                    "report without an end",
                    f"{message} said that more was to come (seqNo {report.next - 1}), and none came",
                )

    def _note(self, event: Asked) -> None:
        id_ = number(event.payload, "requestId")
        self._triggered |= event.action == "TriggerMessage"
        if id_ is None:
            return
        self._asked[event.action, id_] = self._asked.get((event.action, id_), 0) + 1
        for message, requests in _PARTS.items():
            if event.action in requests:
                earlier = self._reports.get((message, id_))
                # Two requests with one id: their parts cannot be told apart.
                clear = earlier is None or earlier.done
                self._reports[message, id_] = _Report(event.at_s if clear else NEVER)

    def _told(self, event: Told) -> None:
        id_ = number(event.asked.payload, "requestId")
        for message, requests in _PARTS.items():
            if id_ is not None and event.asked.action in requests:
                report = self._reports.get((message, id_))
                if report is not None:
                    report.agreed = event.status == "Accepted"

    def _part(self, event: Called) -> Iterator[Objection]:
        id_, seq = number(event.payload, "requestId"), number(event.payload, "seqNo")
        report = self._reports.get((event.action, id_ if id_ is not None else -1))
        if report is None or report.asked_s == NEVER or seq is None:
            return
        if report.agreed is not True:
            yield from self._unagreed(event, report)
            return
        again, report.last = repr(event.payload) == report.last, repr(event.payload)
        if again or self._facts.shaken_s > report.asked_s:
            # Sent again because nobody acknowledged it, or after something was lost: nothing follows from that.
            report.asked_s = NEVER
            return
        if report.done:
            yield Objection(
                "B07",
                "part after the end of a report",
                f"{event.action} (seqNo {seq}) came after the part that said it was the last",
            )
        elif seq != report.next:
            yield Objection(
                "B07",
                "parts of a report misnumbered",
                f"{event.action} has the seqNo {seq} where {report.next} is due",
            )
        report.next, report.done = seq + 1, member(event.payload, "tbc") is not True
        report.told_s = event.at_s

    def _unagreed(self, event: Called, report: _Report) -> Iterator[Objection]:
        if report.agreed is None:
            yield Objection(
                "FR.05",
                "report before the answer",
                f"{event.action} came before the answer to the request that it belongs to",
                weight=Weight.LOW,
            )
        else:
            yield Objection(
                "B07",
                "report although it was refused",
                f"{event.action} came for a request that was refused",
            )

    def _worked(self, event: Called) -> Iterator[Objection]:
        request, final = _WORK[event.action]
        id_ = number(event.payload, "requestId")
        if id_ is None or text(event.payload, "status") != final or self._triggered:
            return
        done = self._done[request, id_] = self._done.get((request, id_), 0) + 1
        if self._facts.shaken_s > NEVER or self._asked.get((request, id_)) != 1:
            return
        if done > 1:
            yield Objection(
                "N01" if request == "GetLog" else "L01",
                f"one {request} carried out twice",
                f"{event.action} says {final} for the second time about one {request}",
                Topic.AGAIN,
            )


def _waits_for_the_end(missed: Missed, message: str, id_: int) -> bool:
    where = dict(missed.where)
    last = where.get("/tbc") == "false"
    return missed.action == message and where.get("/requestId") == str(id_) and last
