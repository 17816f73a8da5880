"""Turns recorded exchanges into cases: what a station said is played to a CSMS, what a CSMS said to a station.

Knows what makes a message valid and what provokes a CALL. Must not know where a recording came from. Of what was said every
byte stays but messageIds, which become slots, what must not leave the recording, and the present time in answers: a station
sets its clock by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from fuzz.engine.answering import PROMPTS, Prompt
from fuzz.engine.cases import compact
from fuzz.engine.effects import effect_of
from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.codec import decode
from fuzz.ocppj.frames import Call, Frame
from fuzz.records import (
    AnswerNext,
    Case,
    Effect,
    Expect,
    Provenance,
    SendBytes,
    SendText,
    Side,
    Step,
)
from fuzz.traffic.events import Said, other
from fuzz.traffic.exchanges import Exchange, Message, Oddity
from fuzz.traffic.jsontext import Leaf, changed
from fuzz.traffic.placeholders import Placeholders
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonValue,
    Kind,
    Mutation,
    Position,
    Sender,
    Stance,
    Tier,
)
from strategies.primitives import primitive_faults
from strategies.version import Version
from strategies.violations import fault_of

FAMILY = "recorded"
PHASE = "import"
RECORDED = "recorded"
"""The operator of a mutation that nobody made: the message was recorded broken."""

MAX_ERRORS = 20
UNPROVOKED_S = 2.0
"""How long a CALL may take that nothing of ours provokes."""

_VALID = Expectation(Stance.ACCEPT, Tier.PRIMITIVE)
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.\-]+")
_SENDERS = {Side.STATION: Sender.STATION, Side.CSMS: Sender.CSMS}


@dataclass(frozen=True, slots=True)
class Label:
    """What a message is, as far as anybody can tell who only reads it."""

    expectation: Expectation
    mutation: Mutation | None = None


@dataclass(slots=True)
class Recorder:
    """Makes cases of exchanges; `hidden` holds what stands for what in this import."""

    version: Version
    hidden: Placeholders
    tool: str = ""

    def learn(self, exchange: Exchange) -> None:
        """Get to know what must not leave."""
        action = _action(exchange)
        for message in (exchange.call, exchange.answer):
            if message is not None:
                self.hidden.learn_from(action, _payload(message))

    def cases(self, item: Exchange | Oddity) -> Iterator[Case | None]:
        """The cases of an exchange or of an odd message; None for what cannot be made harmless and stay what it is."""
        if isinstance(item, Oddity):
            yield self._odd(item.said)
            return
        yield self._call(item.call)
        if item.answer is not None:
            yield self._answer(item.call, item.answer)

    def _call(self, call: Message) -> Case | None:
        action = call.frame[2] if len(call.frame) > 2 else None
        name = action if isinstance(action, str) else ""
        text = self._told(call, name, at=3)
        label = self._label(call.text, call.sender, name, Kind.REQUEST)
        if self._label(_filled(text), call.sender, name, Kind.REQUEST) != label:
            return None
        payload = _payload(call)
        return self._case(
            other(call.sender),
            (SendText(compact(text)),),
            label,
            name[:50],
            effect_of(name, payload),
            Position.CALL,
        )

    def _answer(self, call: Message, answer: Message) -> Case | None:
        action = call.frame[2] if len(call.frame) > 2 else None
        if not isinstance(action, str) or action not in self.version.actions:
            return None
        text = self._told(answer, action, at=2 if answer.frame[0] == 3 else 4)
        label = self._label(answer.text, answer.sender, action, Kind.RESPONSE)
        if self._label(_filled(text), answer.sender, action, Kind.RESPONSE) != label:
            return None
        prompt = _prompt(action) if call.sender is Side.STATION else None
        steps: tuple[Step, ...] = (AnswerNext(action, compact(text)),)
        if prompt is None:
            steps = (*steps, Expect(action, UNPROVOKED_S))
        else:
            steps = (*steps, *prompt.steps(1), Expect(action, prompt.patience_s), *prompt.end())
        position = Position.CALLRESULT if answer.frame[0] == 3 else Position.CALLERROR
        effect = Effect.VOLATILE if prompt is None else prompt.effect
        return self._case(call.sender, steps, label, action, effect, position)

    def _odd(self, said: Said) -> Case:
        data = said.data if isinstance(said.data, bytes) else said.data.encode()
        step = SendBytes(self.hidden.odd(data), "binary" if said.binary else "text")
        label = Label(
            Expectation(Stance.UNSPECIFIED, Tier.JSON),
            Mutation(Channel.TEXT, "", "message", RECORDED),
        )
        return self._case(
            other(said.sender), (step,), label, "", Effect.VOLATILE, Position.UNSOLICITED
        )

    def _case(
        self,
        side: Side,
        steps: tuple[Step, ...],
        label: Label,
        action: str,
        effect: Effect,
        position: Position,
    ) -> Case:
        return Case(
            id=PHASE,
            side=side,
            steps=steps,
            expectation=label.expectation,
            effect=effect,
            position=position,
            action=action,
            mutations=() if label.mutation is None else (label.mutation,),
            provenance=Provenance(PHASE, tool=self.tool),
            version=self.version.name,
        )

    # --- what is told -------------------------------------------------------------------------------------

    def _told(self, message: Message, action: str, *, at: int) -> str:
        """The message as it is stored: with slots, and without what must not leave."""
        payload = message.frame[at] if len(message.frame) > at else None
        text = self.hidden.hidden(message.text, action, payload, (at,))
        answers = message.frame[0] != 2

        def slot(leaf: Leaf) -> str | None:
            if leaf.key or leaf.text is None:
                return None
            if leaf.path == (1,):
                return _id_slot(leaf.text)
            if answers and leaf.path == (2, "currentTime") and _is_time(leaf.text):
                return '"{time.now}"'
            return None

        return changed(text, slot)

    # --- what it is ---------------------------------------------------------------------------------------

    def _label(self, text: str, sender: Side, action: str, kind: Kind) -> Label:
        try:
            frame = decode(text, self.version)
        except RemoteProtocolError as error:
            return _unclear(Tier.RPC, Channel.ENVELOPE, "", error.code)
        if isinstance(frame, Call) and not self._may(sender, action):
            return _unclear(Tier.RPC, Channel.ENVELOPE, "/2", "action", Fault.ACTION_DIRECTION)
        payload = _body(frame)
        if payload is None or action not in self.version.actions:
            return Label(_VALID)
        return self._payload_label(payload, action, kind)

    def _may(self, sender: Side, action: str) -> bool:
        return self.version.actions.get(action) in (_SENDERS[sender], Sender.BOTH)

    def _payload_label(self, payload: JsonValue, action: str, kind: Kind) -> Label:
        found = islice(self.version.validator(action, kind).iter_errors(payload), MAX_ERRORS)
        broken = sorted(
            {("".join(f"/{p}" for p in e.instance_path), str(e.schema_path[-1])) for e in found}
        )
        if broken:
            pointer, keyword = broken[0]
            mutation = Mutation(Channel.PAYLOAD, pointer, keyword, RECORDED)
            if len(broken) > 1 or kind is Kind.RESPONSE or fault_of(keyword) is None:
                return Label(Expectation(Stance.UNSPECIFIED, Tier.SCHEMA), mutation)
            return Label(Expectation(Stance.REJECT, Tier.SCHEMA, fault_of(keyword)), mutation)
        odd = sorted(
            (p, name) for p, name, _ in primitive_faults(action, kind, payload, self.version)
        )
        if odd:
            return _unclear(Tier.PRIMITIVE, Channel.PAYLOAD, *odd[0])
        return Label(_VALID)


def _unclear(
    tier: Tier, channel: Channel, pointer: str, keyword: str, fault: Fault | None = None
) -> Label:
    return Label(
        Expectation(Stance.UNSPECIFIED, tier, fault), Mutation(channel, pointer, keyword, RECORDED)
    )


def _body(frame: Frame) -> JsonValue:
    payload = getattr(frame, "payload", None)
    return payload if isinstance(payload, dict) else None


def _payload(message: Message) -> JsonValue:
    at = {2: 3, 3: 2, 4: 4}.get(message.frame[0] if isinstance(message.frame[0], int) else 0, 3)
    return message.frame[at] if len(message.frame) > at else None


def _action(exchange: Exchange) -> str:
    action = exchange.call.frame[2] if len(exchange.call.frame) > 2 else None
    return action if isinstance(action, str) else ""


def _id_slot(id_: str) -> str | None:
    """The slot for a messageId as long as it was where its length is the fault; other odd ids stay as they are."""
    if not _PLAIN_ID.fullmatch(id_) or len(id_) > 99:
        return None
    return '"{call.id}"' if len(id_) <= 36 else f'"{{call.id:{len(id_)}}}"'


def _filled(text: str) -> str:
    """The text as it may go out, to be read again."""
    long = re.search(r"\{call\.id:(\d\d)\}", text)
    made = text if long is None else text.replace(long.group(), "x" * int(long.group(1)))
    return made.replace("{call.id}", "x").replace("{time.now}", "2026-01-01T00:00:00Z")


def _is_time(text: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\dT", text) is not None


def _prompt(action: str) -> Prompt | None:
    """What makes a station send a CALL, without anybody's hands where that can be."""
    found = [p for p in PROMPTS if p.action == action]
    return min(found, key=lambda p: bool(p.words), default=None)
