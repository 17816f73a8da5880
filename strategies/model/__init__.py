"""What a 2.0.1 peer may do next: a model of the specification, folded over everything that was seen of one.

Knows a Charging Station from outside, as its CSMS and an operator see it. Must not know any implementation, network or
verdict. Three-valued: what was not seen is unknown, and nothing unknown is ever objected to. Where the specification leaves
a choice, a comment says so beside the rule, and every choice is right.

One module a topic; the first sentence of each says which. They share `facts` and, in it, `settings`; a new rule goes into the
module of its topic.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from strategies.model.aligned import Aligned
from strategies.model.backlog import Backlog
from strategies.model.commands import Commands
from strategies.model.debts import Debts
from strategies.model.early import Early
from strategies.model.echoes import Echoes
from strategies.model.energy import Energy
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
    Topic,
    Unread,
    Weight,
)
from strategies.model.exchange import Exchange
from strategies.model.facts import Facts, Standing, Transaction
from strategies.model.inventory import Inventory
from strategies.model.keeping import Keeping
from strategies.model.meters import Meters
from strategies.model.places import Places
from strategies.model.points import Points
from strategies.model.questions import Questions
from strategies.model.readings import Readings
from strategies.model.reasons import Reasons
from strategies.model.register import Register
from strategies.model.registration import Registration
from strategies.model.reports import Reports
from strategies.model.requests import Requests
from strategies.model.resets import Resets
from strategies.model.retries import Retries
from strategies.model.signers import Signers
from strategies.model.slots import Slots
from strategies.model.takenback import TakenBack
from strategies.model.transactions import Telling
from strategies.model.transfers import Transfers

__all__ = [
    "Answered",
    "Asked",
    "Called",
    "Closed",
    "Died",
    "Event",
    "Missed",
    "Model",
    "Objection",
    "Opened",
    "Operated",
    "Standing",
    "Stray",
    "Told",
    "Topic",
    "Transaction",
    "Unread",
    "Weight",
]


class Model:
    """One Charging Station as the specification allows it to be, from the first event on.

    Attributes:
        facts: what is known so far.
        objections: what was wrong so far, in order.
    """

    def __init__(
        self, *, timeout_s: float = 30.0, volatile: Collection[str] = (), profile: int = 0
    ) -> None:
        """A station of which nothing is known.

        Args:
            timeout_s: the MessageTimeout that it declares.
            volatile: variables that change by themselves, as `Component.Variable`.
            profile: the security profile of its connection.
        """
        self.facts = Facts(timeout_s)
        self.objections: list[Objection] = []
        self._telling = Telling(self.facts)
        self._debts = Debts(self.facts)
        self._keeping = Keeping(self.facts, volatile)
        self._backlog = Backlog(self.facts)
        self._places = Places(self.facts)
        self._questions = Questions(self.facts)
        self._meters = Meters(self.facts)
        self._transfers = Transfers(self.facts)
        self._aligned = Aligned(self.facts)
        self._retries = Retries(self.facts)
        self._resets = Resets(self.facts)
        self._points = Points(self.facts)
        self._rules = (
            Exchange(self.facts),
            Registration(self.facts),
            self._telling,
            Energy(self.facts),
            self._questions,
            Commands(self.facts),
            self._debts,
            Reports(self.facts),
            Inventory(),
            Register(self.facts),
            self._meters,
            self._aligned,
            self._keeping,
            self._places,
            Reasons(self.facts),
            TakenBack(self.facts),
            Echoes(self.facts),
            Early(),
            Signers(profile),
            Slots(profile),
            self._transfers,
            Requests(),
            Readings(volatile),
            self._backlog,
            self._retries,
            self._resets,
            self._points,
        )

    @property
    def standing(self) -> Standing:
        """How far the station has come with its CSMS."""
        return self.facts.standing

    @property
    def open_transactions(self) -> tuple[Transaction, ...]:
        """The transactions that have started and not ended."""
        return tuple(t for t in self.facts.transactions.values() if t.open)

    def saw(self, event: Event) -> list[Objection]:
        """Takes in the next event; what is wrong with it."""
        found = [objection for rule in self._rules for objection in rule.saw(event)]
        self.facts.note(event)
        self.objections += found
        return found

    def over(self, end_s: float, missed: Sequence[Missed] = ()) -> list[Objection]:
        """What is wrong with the whole, when nothing more is seen after `end_s`; `missed` was waited for in vain."""
        found = list(self._at_the_end(end_s, missed))
        self.objections += found
        return found

    def _at_the_end(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        yield from self._telling.over()
        yield from self._debts.over(end_s, missed)
        yield from self._keeping.over(end_s, missed)
        yield from self._backlog.over(end_s)
        yield from self._places.over(end_s, missed)
        yield from self._questions.over(end_s, missed)
        yield from self._meters.over(end_s, missed)
        yield from self._transfers.over(end_s, missed)
        yield from self._aligned.over(end_s, missed)
        yield from self._retries.over(end_s, missed)
        yield from self._resets.over(end_s, missed)
        yield from self._points.over(end_s, missed)
