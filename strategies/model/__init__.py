"""What a 2.0.1 peer may do next: a model of the specification, folded over everything that was seen of one.

Knows a Charging Station from outside, as its CSMS and an operator see it. Must not know any implementation, network or
verdict. Three-valued: what was not seen is unknown, and nothing unknown is ever objected to. Where the specification leaves
a choice, a comment says so beside the rule, and every choice is right.

One module a topic; the first sentence of each says which. They share `facts` and, in it, `settings`; a new rule goes into
the module of its topic, a new topic is a `Rule` in a module of its own and a line in `Model`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from strategies.model.absences import Absences
from strategies.model.aligned import Aligned
from strategies.model.asking import Asking
from strategies.model.backlog import Backlog
from strategies.model.begins import Begins
from strategies.model.clock import Clock
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
from strategies.model.flow import Flows
from strategies.model.heartbeats import Heartbeats
from strategies.model.inventory import Inventory
from strategies.model.itself import Itself
from strategies.model.jumps import Jumps
from strategies.model.keeping import Keeping
from strategies.model.meters import Meters
from strategies.model.moments import Moments
from strategies.model.needless import Needless
from strategies.model.numbers import Numbers
from strategies.model.outcomes import Outcomes
from strategies.model.pauses import Pauses
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
from strategies.model.rule import Rule
from strategies.model.signers import Signers
from strategies.model.slots import Slots
from strategies.model.takenback import TakenBack
from strategies.model.timeouts import Timeouts
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
        self,
        *,
        timeout_s: float = 30.0,
        volatile: Collection[str] = (),
        profile: int = 0,
        known: Mapping[str, str] | None = None,
    ) -> None:
        """A station of which nothing is known.

        Args:
            timeout_s: the MessageTimeout that it declares.
            volatile: variables that change by themselves, as `Component.Variable`.
            profile: the security profile of its connection.
            known: what it said of itself before, by member of ChargingStationType.
        """
        self.facts = Facts(timeout_s)
        self.objections: list[Objection] = []
        facts = self.facts
        self._rules: tuple[Rule, ...] = (
            Exchange(facts),
            Registration(facts),
            Telling(facts),
            Energy(facts),
            Debts(facts),
            Keeping(facts, volatile),
            Backlog(facts),
            Places(facts),
            Questions(facts),
            Commands(facts),
            Meters(facts),
            Transfers(facts),
            Reports(facts),
            Inventory(),
            Register(facts),
            Aligned(facts),
            Reasons(facts),
            TakenBack(facts),
            Echoes(facts),
            Early(),
            Jumps(facts),
            Numbers(),
            Signers(profile),
            Slots(profile),
            Outcomes(facts),
            Requests(),
            Readings(volatile),
            Retries(facts),
            Resets(facts),
            Points(facts),
            Timeouts(facts),
            Moments(facts),
            Pauses(facts),
            Needless(facts),
            Asking(facts),
            Clock(facts),
            Heartbeats(facts),
            Absences(facts),
            Itself(known or {}),
            Flows(facts),
            Begins(facts),
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
        found = [objection for rule in self._rules for objection in rule.over(end_s, missed)]
        self.objections += found
        return found
