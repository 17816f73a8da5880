"""Nothing begins (E02, F01, F02): somebody was let in, an EV waits for energy, and no transaction is told of.

Knows remote starts, tokens that the CSMS accepted, EVs that were plugged in and want energy. Must not know at which point a
transaction begins: behind all of these every TxStartPoint has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strategies.model.events import (
    PROMPT_S,
    Answered,
    Asked,
    Called,
    Event,
    Missed,
    Objection,
    Operated,
    Told,
    member,
    number,
    text,
)
from strategies.model.facts import Facts
from strategies.model.rule import Rule

_HARMLESS = frozenset(
    {
        "GetVariables",
        "GetBaseReport",
        "GetReport",
        "GetTransactionStatus",
        "RequestStartTransaction",
    }
)
_PREPARES = ("plug-in", "start-power", "present-token")


class Begins(Rule):
    """Follows one EV that somebody wants to charge."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._plain = True
        """Whether nothing happened that may keep a transaction from beginning, and none was told of."""
        self._let_in: set[int] = set()
        """Where somebody was let in: an EVSE, or 0 for whichever has an EV."""
        self._wants: set[int] = set()
        self._since_s: float | None = None
        self._waited_s = 0.0

    def saw(self, event: Event) -> Iterator[Objection]:
        """Takes note of who was let in, and of what may be in the way."""
        match event:
            case Called(action="TransactionEvent" | "BootNotification"):
                self._disturbed()
            case Told(asked=Asked(action="RequestStartTransaction")):
                self._started(event)
            case Answered(called=Called(action="Authorize")):
                self._authorized(event)
            case Answered() if event.proper and event.prompt and not event.error_code:
                # What the station had to tell waited for this one.
                self._since_s = None if self._since_s is None else max(self._since_s, event.at_s)
            case Called() | Told():
                pass
            case Asked() if event.action in _HARMLESS:
                pass
            case Operated():
                self._operated(event)
            case _:
                self._disturbed()
        yield from ()

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether somebody waited in vain for the transaction."""
        waits = [m.timeout_s for m in missed if m.action == "TransactionEvent"]
        if self._since_s is not None and self._facts.outstanding is None:
            self._waited_s = end_s - self._since_s
        if waits and self._plain and self._waited_s >= max(PROMPT_S, *waits):
            yield Objection(
                "E02, F01, F02",
                "no transaction begins",
                "somebody was let in, an EV was plugged in and wanted energy, and no TransactionEvent came",
            )

    def _disturbed(self) -> None:
        self._plain, self._since_s = False, None

    def _started(self, event: Told) -> None:
        evse = number(event.asked.payload, "evseId")
        if event.status != "Accepted" or not evse:
            self._disturbed()
            return
        self._let_in.add(evse)
        self._ready(event.at_s)

    def _authorized(self, event: Answered) -> None:
        whole = event.proper and event.prompt and not event.error_code
        everywhere = member(event.payload, "idTokenInfo", "evseId") is None
        accepted = text(event.payload, "idTokenInfo", "status") == "Accepted"
        if not (whole and everywhere and accepted):
            self._disturbed()
            return
        self._let_in.add(0)
        self._ready(event.at_s, event.called)

    def _operated(self, event: Operated) -> None:
        if event.deed == "unplug" and self._since_s is not None:
            if self._facts.outstanding is None:
                self._waited_s = event.at_s - self._since_s
            self._since_s = None
        elif event.deed not in _PREPARES:
            self._disturbed()
        elif event.deed == "start-power":
            self._wants.add(event.evse)
            self._ready(event.at_s)
        else:
            self._ready(event.at_s)

    def _ready(self, at_s: float, answered: Called | None = None) -> None:
        """The wait begins when nothing is missing any more, and anew each time when something else came to it."""
        plugged = set(self._facts.plugged)
        alone = len(plugged) == 1 and plugged <= self._wants
        here = self._let_in and self._let_in <= plugged | {0}
        free = self._facts.outstanding in (None, answered) and not self._facts.away
        self._since_s = at_s if alone and here and free and self._plain else None
