"""How soon a target comes back: not before the wait that it agreed to (Part 4 section 5.3).

Knows connections that we cut, and the one variable that says how long the first wait is at least. Must not know
violations: `recovery` makes them of what is wrong here. Later waits are not followed, as nobody sees an attempt that fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.ocppj.variables import items_of, named, text_of
from fuzz.oracles.returning import Wrong
from strategies.labels import JsonValue

SLACK_S = 1.0
"""How much earlier it may seem to come than it does: when a target notices the end of a connection is not seen."""

_ABRUPT = "1006"
_COMPONENT, _VARIABLE = "ocppcommctrlr", "retrybackoffwaitminimum"
_LEADS_AWAY = frozenset({"CertificateSigned", "Reset", "SetNetworkProfile", "UpdateFirmware"})
"""CALLs that may make a station come back anew by itself, for which there is no wait."""

_OF_THE_WAY_IN = frozenset({"securityctrlr"})
_DIGITS = 5


def too_soon(seen: History) -> Iterator[Wrong]:
    """Every connection that came before its time, behind one that we cut."""
    wait = _Wait()
    for h in seen:
        yield from wait.saw(h, seen.partner(h))


@dataclass(slots=True)
class _Wait:
    """The shortest first wait as it was set or read last, when we cut a connection, and one that came too soon since.

    A station that starts again makes its first attempt at once: whether it did shows in what it says first.
    """

    least_s: int | None = None
    cut_s: float | None = None
    early: Wrong | None = None

    def saw(self, h: Happening, partner: Happening | None) -> Iterator[Wrong]:
        """Take note of what happened; tell a connection that came too soon once it is no restart."""
        match h.deed:
            case Deed.OPENED:
                self._opened(h)
            case Deed.CLOSED:
                abrupt = h.ours and h.text.startswith(_ABRUPT)
                self.cut_s, self.early = (h.at_s if abrupt else None), None
            case Deed.OPERATED | Deed.ENDED:
                self.least_s = self.cut_s = self.early = None
            case Deed.ASKED:
                self._asked(h, partner)
            case Deed.CALLED | Deed.TOLD:
                yield from self._says(h)
                self._told(h)
            case _:
                pass

    def _opened(self, h: Happening) -> None:
        cut_s, self.cut_s = self.cut_s, None
        if cut_s is None or self.least_s is None or h.at_s - cut_s >= self.least_s - SLACK_S:
            return
        text = f"it came back {h.at_s - cut_s:.1f} s after it had lost its connection, and RetryBackOffWaitMinimum is {self.least_s} s"
        self.early = Wrong("back too soon", text, "Part 4 section 5.3", minor=True)

    def _says(self, h: Happening) -> Iterator[Wrong]:
        starts = h.action == "BootNotification" and text_of(h.payload, "reason") != "Triggered"
        if self.early is not None and not (h.deed is Deed.CALLED and starts):
            yield self.early
        self.early = None

    def _asked(self, h: Happening, answer: Happening | None) -> None:
        items = items_of(h.payload, "setVariableData") if h.action == "SetVariables" else []
        ways_in = any(_component(item) in _OF_THE_WAY_IN for item in items)
        lost = answer is None and any(map(_means, items))
        if h.action in _LEADS_AWAY or ways_in or lost:
            self.least_s = None
        elif answer is not None and sum(map(_means, items)) == 1:
            asked = next(text_of(i, "attributeValue") for i in items if _means(i))
            results = [r for r in items_of(answer.payload, "setVariableResult") if _means(r)]
            status = text_of(results[0], "attributeStatus") if len(results) == 1 else ""
            if status in ("Accepted", "RebootRequired", ""):
                self.least_s = _seconds(asked) if status == "Accepted" else None
        elif any(map(_means, items)):
            self.least_s = None

    def _told(self, h: Happening) -> None:
        if h.deed is Deed.TOLD and h.action == "GetVariables":
            for item in items_of(h.payload, "getVariableResult"):
                if _means(item) and text_of(item, "attributeStatus") == "Accepted":
                    self.least_s = _seconds(text_of(item, "attributeValue"))


def _component(item: JsonValue) -> str:
    return text_of(named(item)["component"], "name").lower()


def _means(item: JsonValue) -> bool:
    """True for an item about the shortest wait as it is."""
    variable = text_of(named(item)["variable"], "name").lower()
    actual = text_of(item, "attributeType") in ("", "Actual")
    return actual and variable == _VARIABLE and _component(item) == _COMPONENT


def _seconds(value: str) -> int | None:
    return int(value) if value.isdecimal() and len(value) <= _DIGITS else None
