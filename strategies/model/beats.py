"""Heartbeats (G02): one each interval, which the CSMS gave in the answer to a boot or set as a variable.

Knows who set the interval last. Must not know how exact a station's timer is: only a silence that was several times as long
counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Objection,
    Opened,
    Operated,
    Told,
    Weight,
    number,
    objects,
    text,
)
from strategies.model.facts import NEVER, Facts, Standing
from strategies.model.registration import proper_boot_answer

_TIMES = 3
_MARGIN_S = 2.0


class Beats:
    """Follows the interval, and since when nothing was said."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._interval: int | None = None
        self._since_s = NEVER

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether nothing was said for several intervals before an event."""
        yield from self._silent(event.at_s)
        match event:
            case Answered(called=Called(action="BootNotification")):
                self._booted(event)
            case Told(asked=Asked(action="SetVariables")):
                self._set(event)
            case Called() | Opened() | Closed() | Died() | Operated():
                # Implementation's choice: whether other messages count as signs of life (G02.FR.06).
                self._since_s = event.at_s
            case _:
                pass

    def over(self, end_s: float) -> Iterator[Objection]:
        """Whether nothing was said for several intervals before the end."""
        yield from self._silent(end_s)

    def _silent(self, now_s: float) -> Iterator[Objection]:
        facts, interval = self._facts, self._interval
        free = facts.standing in (Standing.ACCEPTED, Standing.UNKNOWN) and not facts.away
        if interval is None or facts.outstanding is not None or not free:
            return
        silent_s = now_s - self._since_s
        if silent_s >= interval * _TIMES + _MARGIN_S:
            self._interval = None
            yield Objection(
                "G02",
                "no Heartbeat in its interval",
                f"nothing was said for {silent_s:.0f} s, and a Heartbeat is due every {interval} s",
                weight=Weight.LOW,
            )

    def _booted(self, event: Answered) -> None:
        clear = event.proper or proper_boot_answer(event.payload)
        accepted = text(event.payload, "status") == "Accepted" and not event.error_code
        interval = number(event.payload, "interval") or 0
        self._interval = interval if clear and accepted and interval > 0 else None
        self._since_s = event.at_s

    def _set(self, event: Told) -> None:
        asked = objects(event.asked.payload, "setVariableData")
        for item, result in zip(asked, objects(event.payload, "setVariableResult"), strict=False):
            if text(item, "variable", "name").casefold() != "heartbeatinterval":
                continue
            value = text(item, "attributeValue")
            taken = text(result, "attributeStatus") == "Accepted" and value.isdecimal()
            self._interval = int(value) if taken and 0 < len(value) < _DIGITS else None
            self._since_s = event.at_s


_DIGITS = 6
