"""What comes too early: before the answer that agrees to it (FR.05).

Knows which CALLs follow from which requests. Must not know what is told in them, nor reports, whose order `reports` knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from strategies.model.echoes import BEGUN, FIRMWARE, LOG
from strategies.model.events import Asked, Called, Event, Objection, Told, Weight, number, text
from strategies.model.rule import Rule

_WORK: Mapping[str, str] = {"GetLog": LOG, "UpdateFirmware": FIRMWARE}


class Early(Rule):
    """Follows requests that are not answered yet.

    What a TriggerMessage asks for is not among them: a station may say it of its own accord at any moment, and
    SignCertificate again and again (A02.FR.18).
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Asked] = {}
        self._asked: Counter[tuple[str, int | None]] = Counter()
        self._named: set[tuple[str, int | None]] = set()

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a CALL that came while a request waited for its answer."""
        match event:
            case Asked() if event.action in _WORK:
                self._waiting[event.id] = event
                self._asked[_work_of(event)] += 1
            case Told():
                self._waiting.pop(event.asked.id, None)
            case Called() if event.action in (LOG, FIRMWARE):
                yield from self._told(event)
            case _:
                pass

    def _told(self, event: Called) -> Iterator[Objection]:
        which = event.action, number(event.payload, "requestId")
        waits = any(_work_of(asked) == which for asked in self._waiting.values())
        # The same id may have been used before all this: only work that begins is of this request.
        begins = text(event.payload, "status") in BEGUN and which not in self._named
        self._named.add(which)
        if waits and begins and which[1] is not None and self._asked[which] == 1:
            yield Objection(
                "FR.05",
                f"{event.action} before the answer",
                f"{event.action} came before the answer to the request that it belongs to",
                weight=Weight.LOW,
            )


def _work_of(asked: Asked) -> tuple[str, int | None]:
    """The CALL that tells of the work of a request, and its requestId."""
    return _WORK.get(asked.action, ""), number(asked.payload, "requestId")
