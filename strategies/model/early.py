"""What comes too early: before the answer that agrees to it (FR.05, F06.FR.04).

Knows which CALLs follow from which requests. Must not know what is told in them, nor reports, whose order `reports` knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from strategies.model.echoes import BEGUN, FIRMWARE, LOG
from strategies.model.events import Asked, Called, Event, Objection, Told, Weight, number, text

_WORK: Mapping[str, str] = {"GetLog": LOG, "UpdateFirmware": FIRMWARE}
_SIGN = "SignCertificate"


class Early:
    """Follows requests that are not answered yet.

    A station may ask for a certificate of its own accord (A03), so that only the second one that comes in the moment
    between a trigger and its answer is objected to.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Asked] = {}
        self._asked: Counter[tuple[str, int | None]] = Counter()
        self._named: set[tuple[str, int | None]] = set()
        self._meanwhile: set[str] = set()
        self._signed_early = 0

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a CALL that came while a request waited for its answer."""
        match event:
            case Asked() if event.action in _WORK:
                self._waiting[event.id] = event
                self._asked[_work_of(event)] += 1
            case Asked(action="TriggerMessage") if _signs(event):
                self._waiting[event.id] = event
            case Told():
                self._waiting.pop(event.asked.id, None)
                yield from self._signed(event)
            case Called() if event.action in (LOG, FIRMWARE):
                yield from self._told(event)
            case Called(action="SignCertificate"):
                self._meanwhile |= {id_ for id_, asked in self._waiting.items() if _signs(asked)}
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

    def _signed(self, event: Told) -> Iterator[Objection]:
        if event.asked.id not in self._meanwhile or event.status != "Accepted":
            return
        self._signed_early += 1
        if self._signed_early == 2:
            yield Objection(
                "F06.FR.04",
                "triggered message before the answer",
                f"{_SIGN} came before the answer to the TriggerMessage that asked for it, twice",
                weight=Weight.LOW,
            )


def _work_of(asked: Asked) -> tuple[str, int | None]:
    """The CALL that tells of the work of a request, and its requestId."""
    return _WORK.get(asked.action, ""), number(asked.payload, "requestId")


def _signs(asked: Asked) -> bool:
    wanted = text(asked.payload, "requestedMessage")
    return asked.action == "TriggerMessage" and wanted.startswith("Sign")
