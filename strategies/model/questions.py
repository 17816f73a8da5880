"""Who is asked about (C01.FR.02): a question that was lost with its connection is asked again when the token is shown again.

Knows tokens that were shown, Authorize, and what else might have changed what the station makes of them. Must not know
energy (`energy` does). A station that may let in somebody unknown while it is offline has its own answer to the question,
and so has one that still waits for ours: judged is only one that said in this scene that it lets in nobody so, once it must
have given up, and for a token that was shown twice since: who takes the first for a goodbye is greeted by the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

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
    Told,
    Unread,
    objects,
    text,
)
from strategies.model.facts import Facts, Standing
from strategies.model.rule import Rule

_AT_LARGE = "offlinetxforunknownidenabled"
_UNKNOWN = frozenset({"UnknownComponent", "UnknownVariable"})
_HARMLESS = frozenset({"GetTransactionStatus", "GetVariables", "TriggerMessage"})
"""CALLs that change nothing for anybody who stands before the station."""

_NETWORK = frozenset({"cut-network", "restore-network"})
_ABLE = frozenset({Standing.UNKNOWN, Standing.ACCEPTED})
_TIMES = 2
"""How often a token must have been shown again."""


class Questions(Rule):
    """Follows the last question about a token that was shown, and how often it was shown since the question was lost."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._nobody_at_large = False
        self._token = ""
        self._asked: Called | None = None
        self._lost: Called | None = None
        self._again: list[float] = []
        self._quiet_s: list[float] = []
        """How long at least the station said nothing behind each token of a series, for each series that is over."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Nothing to object to; takes note of who was shown, asked about, and forgotten."""
        match event:
            case Told(asked=Asked(action="GetVariables")):
                self._read(event)
            case Asked() if event.action not in _HARMLESS:
                self._forget(event.at_s)
                self._nobody_at_large &= event.action != "SetVariables"
            case Operated():
                self._operated(event)
            case Called():
                self._called(event)
            case Answered(called=Called(action="Authorize")):
                self._asked = None
            case Closed() | Opened():
                self._cut()
            case Died() | Unread():
                self._forget(event.at_s)
            case _:
                pass
        yield from ()

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """What is wrong with the whole: somebody waited each time, and the station never asked."""
        self._conclude(end_s)
        waits = [m.timeout_s for m in missed if m.action == "Authorize"]
        if len(waits) >= _TIMES and any(quiet_s >= min(waits) for quiet_s in self._quiet_s):
            yield Objection(
                "C01.FR.02",
                "not asked again after a lost question",
                "a token was shown again whose Authorize was lost with its connection, and the station never asked about it",
            )

    def _conclude(self, at_s: float) -> None:
        """Until now the station could have asked again, and nothing that was seen kept it from that."""
        facts, lost = self._facts, self._lost
        if lost is None or not self._nobody_at_large or facts.outstanding is not None:
            return
        if facts.away or facts.standing not in _ABLE:
            return
        given_up_s = lost.at_s + facts.timeout_s + 1.0
        shown = [shown_s for shown_s in self._again if shown_s > given_up_s]
        if len(shown) >= _TIMES:
            self._quiet_s.append(min(b - a for a, b in pairwise([*shown, at_s])))

    def _read(self, event: Told) -> None:
        for result in objects(event.payload, "getVariableResult"):
            if text(result, "variable", "name").casefold() == _AT_LARGE:
                status, value = text(result, "attributeStatus"), text(result, "attributeValue")
                no = status == "Accepted" and value.casefold() == "false"
                self._nobody_at_large = no or status in _UNKNOWN

    def _operated(self, event: Operated) -> None:
        if event.token and self._lost is not None and event.token == self._token:
            if not self._facts.away:
                self._again.append(event.at_s)
        elif event.deed == "present-token":
            self._forget(event.at_s)
            self._token = event.token
        elif event.deed in _NETWORK:
            self._cut()
        else:
            self._forget(event.at_s)

    def _called(self, event: Called) -> None:
        about = text(event.payload, "idToken", "idToken").casefold()
        if event.action == "Authorize":
            self._lost, self._again = None, []
            self._asked = event if about == self._token else None
        elif event.action in ("BootNotification", "TransactionEvent"):
            # It restarted, or has found another answer to the question.
            self._lost = None
            self._forget(event.at_s)

    def _cut(self) -> None:
        if self._asked is not None:
            self._lost, self._asked, self._again = self._asked, None, []

    def _forget(self, at_s: float) -> None:
        self._conclude(at_s)
        self._asked = self._lost = None
        self._token, self._again = "", []
