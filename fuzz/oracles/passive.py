"""Judges traffic that nobody of ours brought about: what a station and its CSMS say to each other, one message at a time.

Knows which oracles need nothing but a transcript, and asks them: O4, O6, O7, O23, O25 (names), O28 (two CALLs at once),
O35 (single items), and the model of the specification behind O11, O13 and O14. Must not know a rule itself, nor where the
messages come from. What was never seen - what came before, what a person did at the station, what its limits are - is
unknown, and nothing is concluded from it; so these are left out:

* whatever takes a stimulus of ours: O8, O9, O10, O12, O22, O24, O26, O33, O34, and the probes behind O2, O3, O5, O29;
* whatever looks inside a target: O1, O20, O21, O30;
* whatever takes somebody who plugs in or works at the station, by `_UNKNOWABLE` and all of O31;
* floods and missing events of O25, crossings of O28, and what is owed by O11: nobody waited for it.

Each connection is judged by itself, since between two of them a station may be anywhere; only the transactionIds that it
has used are remembered over all of them (`Memory`). What is kept is bounded, whatever is said.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from fuzz.ocppj.history import history
from fuzz.ocppj.lenient import hear
from fuzz.oracles.discipline import SURE_S, two_at_once
from fuzz.oracles.registry import oracle_named
from fuzz.oracles.shape import id_used_again
from fuzz.oracles.states import MAX_NAME, spoken
from fuzz.records import (
    Case,
    Entry,
    FrameKind,
    Heard,
    Observation,
    Settled,
    Side,
    TargetFacts,
    Violation,
    Who,
)
from strategies.labels import Expectation, JsonValue, Kind, Position, Sender, Stance, Tier
from strategies.model import (
    Answered,
    Asked,
    Called,
    Event,
    Model,
    Opened,
    Stray,
    Told,
    Unread,
)
from strategies.version import Version, version

PATIENCE_S = 120.0
"""A CALL without an answer for so long has none: four times what most stations wait."""

_ALIVE_S = 30.0
"""So long after a CALL the other end must have said something: then it is there, and the CALL has reached it."""

_BEFORE_S = 60.0
"""So long an answer may be to a CALL of the connection before."""

_TIMEOUT_S = 10.0
"""The shortest time that a station may wait for an answer: what it really waits is not known here."""

_MODEL_BYTES = 2 * 2**20
"""What a model has seen before a new one begins, which knows nothing: bounds memory."""

_MEMORY_BYTES = 2**17
_MAX_CALLS = 1_000
_MAX_IDS = 5_000
_WINDOW = 40

_ANSWERS = (FrameKind.CALLRESULT, FrameKind.CALLERROR)
T = TypeVar("T")
_SENDER = {Side.STATION: Sender.STATION, Side.CSMS: Sender.CSMS}

_USED_AGAIN = "transactionId used again"
_KINDS = ("Started", "Updated", "Ended")
_UNKNOWABLE = frozenset(
    {
        "deauthorized by nobody",  # a list of the station's may have said so
        "another transaction was stopped",  # by a request of before
        "variables missing from a later report",  # of a component that is there while an EV is
        "accepted variable lost over a reboot",  # somebody may have set it on the spot
        "availability lost over a reboot",
        "Inoperative connector is Available",
        "RequestStartTransaction accepted on an inoperative EVSE",
        "RequestStartTransaction accepted on a faulted EVSE",  # somebody may just have mended it
        "ChangeAvailability to what it is already not Accepted",
        "RequestStopTransaction rejected for a running transaction",  # somebody may just have ended it
        "connector unlocked while an EV charges",
        "periodic meter values although they are off",
        "periodic meter values too often",
        "firmware of an unknown signer accepted",
        "refused and carried out",  # work from before may have the same id
        "clock-aligned meter values although they are off",
        "clock-aligned measurand that the list does not name",
        "time jumps between two events",
        "meter values of another time than their event",
        "Unavailable although only Scheduled",  # somebody may have ended the transaction
        "Unavailable although Operative",  # what was asked for before may have been scheduled
        "AvailabilityState of a connector is not what was told",
        "report and GetVariables disagree",
        "timestamps of a transaction run backwards",  # somebody may have set the clock
        *(f"{kind} with a measurand that its list does not name" for kind in _KINDS),
        _USED_AGAIN,  # `Memory` tells it
    }
)
"""What the model objects to only because it believes to know of everything that was done at the station."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A rule that one end broke, as far as a listener can tell: seen, and never repeated."""

    side: Side
    violation: Violation


@dataclass(slots=True)
class _Call:
    """A CALL that waits for its answer; `proper` when it must have one, `event` as the model has it."""

    heard: Heard
    action: str
    proper: bool
    event: Asked | Called
    given_up: bool = False


@dataclass(slots=True)
class _End:
    """One end of the connection: its open CALLs, those that were answered, the ids it used and how often, when it spoke."""

    open: OrderedDict[str, _Call] = field(default_factory=OrderedDict)
    done: OrderedDict[str, None] = field(default_factory=OrderedDict)
    used: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict)
    spoke_s: float = 0.0


class Memory:
    """What is remembered of a station over all of its connections: its boots and its transactions, told as they were."""

    def __init__(self) -> None:
        self._model, self._modelled = Model(timeout_s=_TIMEOUT_S), 0

    def saw(self, event: Called, size: int) -> Iterator[Violation]:
        """Whether a CALL begins a transaction with the id of an earlier one; `size` is its length."""
        if event.action not in ("BootNotification", "TransactionEvent"):
            return
        self._modelled += size
        if self._modelled > _MEMORY_BYTES:
            self._model, self._modelled = Model(timeout_s=_TIMEOUT_S), size
        found = (o for o in self._model.saw(event) if o.name == _USED_AGAIN)
        yield from map(spoken, found)


def _new_to(at_s: float) -> Model:
    """A model of a station that may have been anywhere until its connection was opened, or until we began to listen."""
    model = Model(timeout_s=_TIMEOUT_S)
    model.saw(Opened(at_s))
    return model


class Watch:
    """Listens to one connection from its first message on; times are seconds since it was opened."""

    def __init__(self, known: Version | None = None, memory: Memory | None = None) -> None:
        self._version = known or version()
        self._memory = memory or Memory()
        self._ends = {Side.STATION: _End(), Side.CSMS: _End()}
        self._recent: deque[tuple[Side, bool, Entry]] = deque(maxlen=_WINDOW)
        self._model, self._modelled = _new_to(0.0), 0

    def saw(
        self, sender: Side, data: str | bytes, at_s: float, *, binary: bool = False
    ) -> list[Seen]:
        """What is wrong with a message; `binary` tells bytes that were sent as such from text that is no UTF-8."""
        heard = _heard(data, at_s, binary=binary)
        self._ends[sender].spoke_s = at_s
        if heard.kind is FrameKind.CALL:
            found = list(self._call(sender, heard))
        elif heard.kind in _ANSWERS:
            found = list(self._answer(sender, heard))
        else:
            found = list(self._no_message(sender, heard))
        return [*found, *self.waited(at_s)]

    def waited(self, at_s: float) -> list[Seen]:
        """The CALLs that have had no answer for so long that none will come, each once."""
        return [seen for side in Side for seen in self._unanswered(side, at_s)]

    # --- CALLs --------------------------------------------------------------------------------------------

    def _call(self, sender: Side, heard: Heard) -> Iterator[Seen]:
        obs = Observation(self._case(sender), self._facts(sender), calls=(heard,))
        yield from _asked(obs, "O6", "O7", "O25")
        action = heard.action[:MAX_NAME] if isinstance(heard.action, str) else ""
        id_ = heard.message_id if isinstance(heard.message_id, str) else ""
        self._note(sender, heard, proper=bool(id_))
        if not id_:
            yield from self._fold(
                sender, Unread(heard.at_s) if sender is Side.STATION else None, heard
            )
            return
        yield from self._reused(sender, id_, heard)
        yield from self._overlap(sender, heard)
        made = Called if sender is Side.STATION else Asked
        call = _Call(
            heard,
            action,
            self._is_proper(sender, heard),
            made(heard.at_s, action, heard.payload, id_),
        )
        end = self._ends[sender]
        _keep(end.open, id_, call, _MAX_CALLS)
        end.done.pop(id_, None)
        yield from self._fold(sender, call.event, heard)

    def _reused(self, sender: Side, id_: str, heard: Heard) -> Iterator[Seen]:
        used = self._ends[sender].used
        digest = hash(heard.text)
        before, times = used.get(id_, (digest, 0))
        _keep(used, id_, (digest, times + 1), _MAX_IDS)
        if before != digest:
            yield Seen(sender, id_used_again())

    def _overlap(self, sender: Side, heard: Heard) -> Iterator[Seen]:
        """Asks O28 where a look at what is open says that there may be something."""
        waiting = self._ends[sender].open.values()
        if not any(heard.at_s - call.heard.at_s <= SURE_S for call in waiting):
            return
        entries = [
            Entry(e.at_s, _who(who, sender, proper=proper), e.kind, e.text)
            for who, proper, e in self._recent
        ]
        yield from (Seen(sender, found) for found in two_at_once(history(entries)))

    def _is_proper(self, sender: Side, heard: Heard) -> bool:
        """True for a request that everybody must answer: whole, of this direction, and valid."""
        action = heard.action
        if len(heard.items) != 4 or not isinstance(action, str):
            return False
        allowed = (_SENDER[sender], Sender.BOTH)
        return self._version.actions.get(action) in allowed and self._is_valid(
            action, Kind.REQUEST, heard.payload
        )

    def _is_valid(self, action: str, kind: Kind, payload: JsonValue) -> bool:
        if action not in self._version.actions:
            return False
        try:
            return self._version.validator(action, kind).is_valid(payload)
        except (ValueError, TypeError, RecursionError):
            return (
                False  # Lone surrogates and great depth: nothing that a JSON Schema speaks about.
            )

    # --- answers ------------------------------------------------------------------------------------------

    def _answer(self, sender: Side, heard: Heard) -> Iterator[Seen]:
        id_ = heard.message_id if isinstance(heard.message_id, str) else ""
        asker = self._ends[_other(sender)]
        call = asker.open.pop(id_, None)
        if call is None:
            self._note(sender, heard, proper=False)
            yield from self._odd_answer(sender, heard, id_, asker)
            return
        _keep(asker.done, id_, None, _MAX_CALLS)
        proper = self._answers_well(call, heard)
        self._note(sender, heard, proper=proper)
        obs = Observation(
            self._case(sender, call.action),
            self._facts(sender),
            said=(call.heard.text,),
            call_id=id_,
            replies=(heard,),
        )
        yield from _asked(obs, "O6", "O7", "O23", "O35")
        yield from self._fold(sender, _reply(call, heard, proper=proper), heard)

    def _answers_well(self, call: _Call, heard: Heard) -> bool:
        """True for an answer that no reader can misunderstand."""
        if heard.kind is FrameKind.CALLERROR:
            return len(heard.items) == 5
        return len(heard.items) == 3 and self._is_valid(call.action, Kind.RESPONSE, heard.payload)

    def _odd_answer(self, sender: Side, heard: Heard, id_: str, asker: _End) -> Iterator[Seen]:
        """An answer to a CALL that has one already, or to none that was made on this connection."""
        case, facts = self._case(sender), self._facts(sender)
        shape = Observation(
            self._case(sender, position=Position.CALLRESULT), facts, replies=(heard,)
        )
        yield from _asked(shape, "O7")
        # What could not be read is answered with "-1"; and what only its receiver could read may have any id.
        said = tuple(e.text for who, _, e in self._recent if who is not sender)
        if id_ in ("", self._version.unreadable_id):
            pass
        elif id_ in asker.done:
            # A CALL that was made again with its messageId may be answered as often.
            if asker.used.get(id_, (0, 1))[1] == 1:
                twice = (heard, heard)
                obs = Observation(case, facts, said=(id_,), call_id=id_, replies=twice)
                yield from _asked(obs, "O4")
        elif heard.at_s > _BEFORE_S:
            strays = (heard,)
            obs = Observation(case, facts, said=said, strays=strays, settled=Settled.CUT_SHORT)
            yield from _asked(obs, "O4")
        event = Stray(heard.at_s, id_) if sender is Side.CSMS else Unread(heard.at_s)
        yield from self._fold(sender, event, heard)

    def _no_message(self, sender: Side, heard: Heard) -> Iterator[Seen]:
        self._note(sender, heard, proper=False)
        yield from _asked(
            Observation(self._case(sender), self._facts(sender), strays=(heard,)), "O7"
        )
        yield from self._fold(sender, Unread(heard.at_s) if sender is Side.STATION else None, heard)

    def _unanswered(self, asker: Side, at_s: float) -> Iterator[Seen]:
        answerer = _other(asker)
        spoke_s = self._ends[answerer].spoke_s
        for call in self._ends[asker].open.values():
            since_s = call.heard.at_s
            if at_s - since_s < PATIENCE_S:
                return  # they are in the order in which they were made
            if call.given_up or not call.proper or spoke_s - since_s < _ALIVE_S:
                continue
            call.given_up = True
            obs = Observation(
                self._case(answerer, call.action),
                self._facts(answerer),
                said=(call.heard.text,),
                settled=Settled.BY_CLOCK,
            )
            yield from _asked(obs, "O4")

    # --- the model ----------------------------------------------------------------------------------------

    def _fold(self, sender: Side, event: Event | None, heard: Heard) -> Iterator[Seen]:
        if event is None:
            return
        self._modelled += len(heard.text)
        if self._modelled > _MODEL_BYTES:
            self._model, self._modelled = _new_to(heard.at_s), 0
        try:
            objections = [o for o in self._model.saw(event) if o.name not in _UNKNOWABLE]
            found = [spoken(objection) for objection in objections]
            if isinstance(event, Called):
                found += self._memory.saw(event, len(heard.text))
        except RecursionError:
            # Nested as deep as the parser goes: nobody needs to understand that.
            self._model.saw(Unread(event.at_s))
            return
        yield from (Seen(Side.STATION, one) for one in found)

    # --- what oracles are given ---------------------------------------------------------------------------

    def _note(self, sender: Side, heard: Heard, *, proper: bool) -> None:
        self._recent.append((sender, proper, Entry(heard.at_s, Who.TARGET, "text", heard.text)))

    def _case(self, side: Side, action: str = "", position: Position = Position.CALL) -> Case:
        return Case(
            "recorded",
            side,
            (),
            Expectation(Stance.ACCEPT, Tier.MODEL),
            position=position,
            action=action,
            version=self._version.name,
        )

    def _facts(self, side: Side) -> TargetFacts:
        # How many items it takes at once is not known: one is always few enough.
        one = {"GetVariables": 1, "SetVariables": 1}
        return TargetFacts(side, message_timeout_s=PATIENCE_S, items_per_message=one)


def _heard(data: str | bytes, at_s: float, *, binary: bool) -> Heard:
    if isinstance(data, bytes) and not binary:
        return Heard(at_s, data.decode("utf-8", "replace"), FrameKind.GARBAGE)
    return hear(data, at_s)


def _asked(obs: Observation, *names: str) -> Iterator[Seen]:
    for name in names:
        yield from (Seen(obs.case.side, found) for found in _oracle(name).look(obs))


_oracle = cache(oracle_named)


def _reply(call: _Call, heard: Heard, *, proper: bool) -> Event:
    code = ""
    if heard.kind is FrameKind.CALLERROR:
        code = (
            heard.error_code if isinstance(heard.error_code, str) and heard.error_code else "none"
        )
    if isinstance(call.event, Asked):
        return Told(heard.at_s, call.event, heard.payload, code)
    return Answered(heard.at_s, call.event, heard.payload, code, proper=proper)


def _who(who: Side, target: Side, *, proper: bool) -> Who:
    """The peer of the end that is judged is the proper voice, until it says what may be misunderstood."""
    if who is target:
        return Who.TARGET
    return Who.HARNESS if proper else Who.US


def _other(side: Side) -> Side:
    return Side.CSMS if side is Side.STATION else Side.STATION


def _keep(known: OrderedDict[str, T], key: str, value: T, most: int) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > most:
        known.popitem(last=False)
