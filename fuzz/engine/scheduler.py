"""State feedback: which states of a target were seen, which are rare, and what should be played more often because of it.

Knows histories and the names of states; must not know how cases are made or played. A state seen is where the station was
(`strategies.walks`), what was said last, how it was answered and with which status.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.records import Case
from strategies.labels import JsonValue
from strategies.walks import (
    ACCEPTED,
    AUTHORIZED,
    BOOTING,
    IDLE,
    IN_CHARGE,
    OFF_LINE,
    PENDING,
    PLUGGED,
    REJECTED,
)

State: TypeAlias = tuple[str, str, str, str]
"""Where the station was, the action said last, the class of the answer, and its status."""

MAX_STATES = 4_096
"""States that are kept apart: a target that answers with ever new status values makes no more."""

MAX_KEPT = 512
MAX_STATUS = 32

_ANSWERS = {"Accepted": ACCEPTED, "Pending": PENDING, "Rejected": REJECTED}


@dataclass(slots=True)
class Whereabouts:
    """Follows where a station is, from what is seen of it: how it is registered, and what its EVSEs are used for."""

    standing: str = ACCEPTED
    use: str = IDLE
    _before: str = ACCEPTED
    _plugged: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """One of `strategies.walks.STATES`."""
        return f"{self.standing}/{self.use}"

    def saw(self, happening: Happening, answer: Happening | None) -> None:
        """Take note of one thing that happened; `answer` is what a CALL was answered with."""
        match happening.deed:
            case Deed.OPERATED:
                self._operated(*happening.text.partition(" ")[::2])
            case Deed.CLOSED:
                self._away()
            case Deed.OPENED if self.standing == OFF_LINE:
                self.standing = self._before
            case Deed.CALLED:
                self._called(happening, answer)
            case Deed.ASKED if happening.action == "RequestStartTransaction":
                if _status(answer) == "Accepted" and self.use in (IDLE, PLUGGED):
                    self.use = AUTHORIZED
            case _:
                pass

    def _away(self) -> None:
        if self.standing != OFF_LINE:
            self._before, self.standing = self.standing, OFF_LINE

    def _operated(self, event: str, argument: str) -> None:
        match event:
            case "cut-network" | "power-cycle":
                self._away()
            case "restore-network" if self.standing == OFF_LINE:
                self.standing = self._before
            case "plug-in":
                self._plugged.add(argument)
                self.use = PLUGGED if self.use == IDLE else self.use
            case "unplug":
                self._plugged.discard(argument)
                self.use = self.use if self._plugged else IDLE
            case _:
                pass

    def _called(self, happening: Happening, answer: Happening | None) -> None:
        if self.standing == OFF_LINE:
            self.standing = self._before
        match happening.action:
            case "BootNotification":
                self.standing = _ANSWERS.get(_status(answer), BOOTING)
                self.use = PLUGGED if self._plugged else IDLE
            case "Authorize" if self.use in (IDLE, PLUGGED):
                if _status(_member(answer, "idTokenInfo")) == "Accepted":
                    self.use = AUTHORIZED
            case "TransactionEvent":
                info = _member(happening, "transactionInfo")
                if _text(info, "chargingState") == "Charging":
                    self.use = IN_CHARGE
                elif _text(happening.payload, "eventType") == "Ended":
                    self.use = PLUGGED if self._plugged else IDLE
            case _:
                pass


def states(happened: History) -> Iterator[State]:
    """The states that a history goes through, in order: one for each CALL of either side."""
    where = Whereabouts()
    for happening in happened:
        answer = happened.partner(happening)
        where.saw(happening, answer)
        if happening.deed in (Deed.ASKED, Deed.CALLED):
            yield where.name, happening.action[:50], _class(answer), _status(answer)[:MAX_STATUS]


def places(happened: History) -> Iterator[str]:
    """Where the station was, one name after another, none twice in a row."""
    where = Whereabouts()
    last = where.name
    yield last
    for happening in happened:
        where.saw(happening, happened.partner(happening))
        if where.name != last:
            last = where.name
            yield last


def _class(answer: Happening | None) -> str:
    return "silence" if answer is None else answer.error_code or "CALLRESULT"


def _status(of: Happening | JsonValue) -> str:
    return _text(of.payload if isinstance(of, Happening) else of, "status")


def _member(of: Happening | None, name: str) -> JsonValue:
    payload = None if of is None else of.payload
    return payload.get(name) if isinstance(payload, dict) else None


def _text(value: JsonValue, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


# --- what to play next ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Arm:
    """One thing that can be played again and again: how often it was, and what it showed."""

    played: int = 0
    news: int = 0
    seen: set[State] = field(default_factory=set)


@dataclass(slots=True)
class Scheduler:
    """Counts states, keeps one small case for each behaviour, and prefers what leads to rare states.

    `keep` is called with every case that showed something new, for whoever wants to write it down.
    """

    keep: Callable[[Case], None] = lambda _case: None
    seen: Counter[State] = field(default_factory=Counter)
    corpus: dict[State, Case] = field(default_factory=dict)
    _arms: dict[str, _Arm] = field(default_factory=dict)

    def learn(self, arm: str, case: Case, happened: History) -> bool:
        """Take note of what a case of an arm showed; True when any of it was new."""
        found = set(states(happened))
        if len(self.seen) + len(found - self.seen.keys()) > MAX_STATES:
            found &= self.seen.keys()
        news = found - self.seen.keys()
        self.seen.update(found)
        kept = self._arms.setdefault(arm, _Arm())
        kept.played += 1
        kept.news += len(news)
        kept.seen |= found
        for state in found:
            self._keep_smaller(state, case)
        if news:
            self.keep(case)
        return bool(news)

    def _keep_smaller(self, state: State, case: Case) -> None:
        known = self.corpus.get(state)
        if known is None and len(self.corpus) >= MAX_KEPT:
            return
        if known is None or len(case.steps) < len(known.steps):
            self.corpus[state] = case

    def weight(self, arm: str) -> float:
        """How much of the budget an arm is worth: much for what was never played, for news, and for rare states."""
        known = self._arms.get(arm)
        if known is None:
            return 4.0
        rarest = min((self.seen[s] for s in known.seen), default=1)
        return (1.0 + 4.0 * known.news / known.played) / (1.0 + math.sqrt(rarest)) + 1.0 / (
            1.0 + known.played
        )

    def choose(self, arms: Sequence[str], rng: random.Random) -> str:
        """One of the arms, by weight."""
        return rng.choices(arms, [self.weight(arm) for arm in arms])[0]
