"""Hostile answers: makes a station send each CALL that it can be made to send, and answers it badly.

Knows what makes a station speak, and how a bad answer is told and undone. Must not know what a bad answer looks like
(`strategies.answers` does), how a case is played, or what a verdict is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TypeVar

from fuzz.engine.cases import call_text, compact
from fuzz.engine.effects import effect_of
from fuzz.engine.phases import Ground, Phase
from fuzz.records import (
    Ability,
    AnswerNext,
    Ask,
    Case,
    Effect,
    Expect,
    Observation,
    Operator,
    Provenance,
    SendText,
    Side,
    Step,
    Wait,
)
from strategies.answers import (
    LATEST,
    SLOT,
    broken_payloads,
    edges,
    error,
    error_shapes,
    oddities,
    proper,
    result,
    result_shapes,
)
from strategies.labels import (
    Channel,
    Expectation,
    JsonObject,
    Mutation,
    Position,
    Stance,
    Text,
    Tier,
    Utterance,
    spell,
)

T = TypeVar("T")

PATIENCE_S = 3.0
"""How long a CALL that was provoked may take; the answer to what provoked it has come by then."""

BOOT_PATIENCE_S = 60.0
PROOF_S = 35.0
"""How long the proof that the target goes on may take: longer than MessageTimeout, which it may have to wait for."""

GLANCE_S = 1.0
"""How long a Heartbeat may take that sets the clock right again."""

STORM_S = 1.5
"""How long a target is watched that was told to come back at once."""

DEADLIEST = 3
"""How many kinds of bad answer every CALL gets before the cheapest one gets all of them."""

EDGES_OF_DEAR = 40
"""Values at an edge that an answer has which costs a boot or a transaction, unless all are wanted."""

_DEAR = frozenset({"BootNotification", "TransactionEvent"})
_TABLE = "answers"
_GRANTED = frozenset({"Accepted", "AcceptedCanceled"})
_FIRST = (
    "CALLERROR.errorDescription",
    "order.refused-always",
    "CALLRESULT.payload",
    "required",
    "type",
    "CALLERROR.errorCode",
    "CALLRESULT.messageId",
    "CALLERROR.messageId",
    "enum",
    "order.twice",
)
"""What killed most often, first."""

_REPEATED = frozenset({"BootNotification", "SecurityEventNotification", "TransactionEvent"})
"""CALLs that are sent again until they are answered well (B02, A04.FR.02, E13)."""

REFUSALS = 12
"""How often a CALL is refused that may be sent again and again."""

_HURRYING = ("zero", "minus-one", "pending-zero", "pending-minus-one", "rejected-zero")
_TOKEN = "04A1B2C3"
_NOWHERE = "http://127.0.0.1:9/ocppfuzz"
_DATE = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What makes a station send a CALL of `action`: `asks` are CALLs of ours, `words` are for the operator.

    `before` are CALLs of ours that may be refused, `clears` such as end what the prompt began. `patience_s` is how long the
    CALL may take.
    """

    action: str
    asks: tuple[tuple[str, JsonObject], ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    before: tuple[tuple[str, JsonObject], ...] = ()
    clears: tuple[tuple[str, JsonObject], ...] = ()
    patience_s: float = PATIENCE_S

    @property
    def effect(self) -> Effect:
        """The worst that it may leave behind at the target."""
        order = list(Effect)
        effects = [effect_of(action, payload) for action, payload in self.asks]
        if self.action in ("Authorize", "TransactionEvent"):
            effects.append(Effect.ENERGISE)
        return max(effects or [Effect.PERSISTENT], key=order.index)

    def texts(self, number: int) -> tuple[Text, ...]:
        """The CALLs of ours; `number` is their requestId, for what comes late must not pass for this one's."""
        return tuple(
            call_text(
                action, {**payload, "requestId": number} if "requestId" in payload else payload
            )
            for action, payload in self.asks
        )

    def steps(self, number: int) -> tuple[Step, ...]:
        """What is done, up to the CALL."""
        before = (Ask(call_text(action, payload)) for action, payload in self.before)
        asked = (Ask(text) for text in self.texts(number))
        return (*before, *asked, *(Operator(*word) for word in self.words))

    def end(self) -> tuple[Step, ...]:
        """What is done at last."""
        return tuple(Ask(call_text(action, payload)) for action, payload in self.clears)


def _trigger(action: str, wanted: str = "", **more: JsonObject) -> Prompt:
    return Prompt(action, (("TriggerMessage", {"requestedMessage": wanted or action, **more}),))


def _asked(action: str, *asks: tuple[str, JsonObject]) -> Prompt:
    return Prompt(action, asks)


_PLUG: tuple[tuple[str, str], ...] = (("plug-in", "1"), ("present-token", _TOKEN))
_REMOTE_START: JsonObject = {
    "idToken": {"idToken": "LAB1", "type": "Central"},
    "remoteStartId": 1,
    "evseId": 1,
}

PROMPTS: tuple[Prompt, ...] = (
    _trigger("Heartbeat"),
    _trigger("StatusNotification", evse={"id": 1, "connectorId": 1}),
    _asked("NotifyReport", ("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"})),
    _asked("NotifyReport", ("GetReport", {"requestId": 1})),
    _asked("NotifyMonitoringReport", ("GetMonitoringReport", {"requestId": 1})),
    _trigger("LogStatusNotification"),
    _asked(
        "LogStatusNotification",
        (
            "GetLog",
            {"log": {"remoteLocation": _NOWHERE}, "logType": "DiagnosticsLog", "requestId": 1},
        ),
    ),
    _trigger("FirmwareStatusNotification"),
    _asked(
        "FirmwareStatusNotification",
        (
            "UpdateFirmware",
            {"requestId": 1, "firmware": {"location": _NOWHERE, "retrieveDateTime": _DATE}},
        ),
    ),
    _trigger("PublishFirmwareStatusNotification"),
    _trigger("MeterValues", evse={"id": 1}),
    _asked(
        "NotifyCustomerInformation",
        (
            "CustomerInformation",
            {"requestId": 1, "report": True, "clear": False, "customerIdentifier": "ocppfuzz"},
        ),
    ),
    _asked(
        "ReportChargingProfiles",
        ("GetChargingProfiles", {"requestId": 1, "evseId": 0, "chargingProfile": {}}),
    ),
    _asked("NotifyDisplayMessages", ("GetDisplayMessages", {"requestId": 1})),
    _trigger("SignCertificate", "SignChargingStationCertificate"),
    Prompt("SecurityEventNotification", words=(("tamper", ""),)),
    _asked(
        "SecurityEventNotification",
        ("CertificateSigned", {"certificateChain": "ocppfuzz"}),
    ),
    _trigger("TransactionEvent", evse={"id": 1}),
    # A token in the cache is accepted without asking (C10).
    Prompt("Authorize", words=_PLUG, before=(("ClearCache", {}),)),
    Prompt("TransactionEvent", words=(*_PLUG, ("start-power", "1"))),
    Prompt(
        "TransactionEvent",
        asks=(("RequestStartTransaction", _REMOTE_START),),
        clears=(("RequestStopTransaction", {"transactionId": "{tx.id}"}),),
    ),
    Prompt("BootNotification", (("Reset", {"type": "Immediate"}),), patience_s=BOOT_PATIENCE_S),
    Prompt("BootNotification", words=(("power-cycle", ""),), patience_s=BOOT_PATIENCE_S),
)
"""Cheap ones first; of several for one action the first that works is used."""

_HEARTBEAT = call_text("TriggerMessage", {"requestedMessage": "Heartbeat"})


@dataclass(slots=True)
class Answers(Phase):
    """Plays every hostile answer to every CALL that the station can be made to send.

    Begins with one plain play for each CALL: what does not come then is dropped and told.
    """

    ground: Ground
    name: str = "answers"
    _usable: dict[str, Prompt] = field(default_factory=dict)
    _unprovoked: dict[str, str] = field(default_factory=dict)
    _index: int = 0

    def planned(self) -> int | None:
        """Unknown: how many there are depends on what the station can be made to send."""
        return None if self._possible() else 0

    def unreached(self) -> Iterator[str]:
        """The CALLs that were not provoked."""
        for action, why in self._unprovoked.items():
            yield f"answers to {action}: {why}"

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """Plain plays; the deadliest answers to every CALL; each rule broken once; all the rest."""
        for prompt in self._possible():
            if prompt.action in self._usable:
                continue
            refused = False
            if prompt.asks:
                asked = self._asked(prompt)
                self.ground.watch(asked.id)
                yield asked
                refused = _refused(self.ground.seen(asked.id))
            if not refused:
                plain = self._plain(prompt)
                self.ground.watch(plain.id)
                yield plain
                refused = not _came(self.ground.seen(plain.id), prompt.action)
            self._note(prompt, came=not refused)
        ranks = self._ranks()
        self.ground.coverage.plan_cases(_TABLE, (c for rank in ranks for c in rank))
        for rank in ranks:
            for case in rank:
                yield case

    # --- what can be provoked ------------------------------------------------------------------------------

    def _possible(self) -> list[Prompt]:
        ground = self.ground
        if ground.side is not Side.STATION:
            return []
        wanted = [p for p in PROMPTS if ground.asked(p.action)]
        found = [p for p in wanted if self._can(p)]
        for prompt in wanted:
            if prompt.action not in {p.action for p in found}:
                self._unprovoked[prompt.action] = f"not asked for: {self._why_not(prompt)}"
        return found

    def _why_not(self, prompt: Prompt) -> str:
        refused = [a for a, _ in prompt.asks if a in self.ground.support.refused]
        if refused:
            return f"{refused[0]} is refused"
        return "needs an operator" if prompt.words else f"effect {prompt.effect.value}"

    def _can(self, prompt: Prompt) -> bool:
        ground = self.ground
        served = all(action not in ground.support.refused for action, _ in prompt.asks)
        hands = not prompt.words or Ability.OPERATOR in ground.abilities
        return served and hands and prompt.effect in ground.allowed

    def _note(self, prompt: Prompt, *, came: bool) -> None:
        if came:
            self._usable[prompt.action] = prompt
            self._unprovoked.pop(prompt.action, None)
        else:
            self._unprovoked[prompt.action] = "could not be provoked"

    # --- the order -----------------------------------------------------------------------------------------

    def _ranks(self) -> list[list[Case]]:
        """By value: one of every kind for each CALL, then breadth first over what is left."""
        begun: list[list[Case]] = []
        others: list[Case] = []
        for prompt in self._usable.values():
            cases = [*self._turns(prompt), *self._told(prompt)]
            first = sorted(_first_of_each(cases, _fault), key=_value)
            begun.append(first)
            taken = {c.id for c in first}
            others.extend(c for c in cases if c.id not in taken)
        # The best against every CALL, then the second best: a short campaign should have met them all. Whatever reads
        # answers is mostly one for all CALLs, so that the cheapest one meets every fault before the others go on.
        ranks = [[c for c in rank if c is not None] for rank in zip_longest(*begun)]
        deadliest = [c for rank in ranks[:DEADLIEST] for c in rank]
        in_turn = _once([*deadliest, *(begun[0] if begun else ()), *(c for r in ranks for c in r)])
        others.sort(key=lambda c: (c.heavy, c.action == "BootNotification"))
        return [in_turn, others]

    def _told(self, prompt: Prompt) -> Iterator[Case]:
        for said in self._said(prompt.action):
            if "Heartbeat" in self._usable or not _sets_clock(said):
                yield self._case(prompt, said)

    def _said(self, action: str) -> Iterable[Utterance]:
        """Every answer; where a play is dear and not all is wanted, a sample of what other actions show as well."""
        version, full = self.ground.version, self.ground.full
        shapes = [*error_shapes(action), *result_shapes(action, version)]
        broken, at_edges = broken_payloads(action, version, full=full), edges(action, version)
        if not full and action in _DEAR:
            shapes = _first_of_each(shapes, _keyword, count=2)
            broken, at_edges = (self._not_elsewhere(action, said) for said in (broken, at_edges))
            at_edges = at_edges[:: 1 + len(at_edges) // EDGES_OF_DEAR]
        yield from (*shapes, *broken, *oddities(action, version), *at_edges)

    def _not_elsewhere(self, action: str, said: Sequence[Utterance]) -> tuple[Utterance, ...]:
        """Without what the answers to Authorize, which cost less, show of the same type."""
        if action != "TransactionEvent" or "Authorize" not in self._usable:
            return tuple(said)
        return tuple(u for u in said if "/idTokenInfo/" not in u.id)

    # --- cases ---------------------------------------------------------------------------------------------

    def _asked(self, prompt: Prompt) -> Case:
        """What provokes the CALL, alone: nobody need wait for a CALL that the target refuses to send."""
        action, _ = prompt.asks[0]
        mutation = Mutation(Channel.PAYLOAD, "", "answer", "asked")
        steps = (SendText(prompt.texts(self._next())[0]),)
        case = self._made(prompt, f"{prompt.action}/asked-{_number(prompt)}", steps, (), mutation)
        return replace(case, action=action, position=Position.CALL)

    def _plain(self, prompt: Prompt) -> Case:
        """The prompt with a proper answer: shows whether it works."""
        steps = (
            *prompt.steps(self._next()),
            Expect(prompt.action, prompt.patience_s),
            *prompt.end(),
        )
        mutation = Mutation(Channel.PAYLOAD, "", "answer", "plain")
        return self._made(prompt, f"{prompt.action}/plain-{_number(prompt)}", steps, (), mutation)

    def _case(self, prompt: Prompt, said: Utterance) -> Case:
        assert said.text is not None
        assert said.mutation is not None
        assert said.control is not None
        # A clock far off refuses every certificate (A00): the next Heartbeat sets it right again.
        mended = (Ask(_HEARTBEAT), Expect("Heartbeat", GLANCE_S)) if _sets_clock(said) else ()
        case = self._made(
            prompt,
            said.id,
            (*self._scene(prompt, said.text, watched=_hurries(said)), *mended),
            (*self._scene(prompt, said.control, watched=_hurries(said)), *mended),
            said.mutation,
        )
        effect = Effect.LOCK_OUT if _refuses_boot(said) else case.effect
        return replace(
            case,
            expectation=said.expectation,
            position=said.position,
            heavy=said.heavy,
            effect=max(effect, case.effect, key=list(Effect).index),
        )

    def _turns(self, prompt: Prompt) -> Iterator[Case]:
        """Proper answers at the wrong time: twice, contradicted, late."""
        payload = proper(prompt.action, self.ground.version)
        first = AnswerNext(prompt.action, compact(result(payload)))
        again = SendText(compact(result(payload, LATEST)))
        contrary = SendText(compact(error(LATEST)))
        silent = AnswerNext(prompt.action)
        kinds: dict[str, tuple[Step, tuple[Step, ...]]] = {
            "twice": (first, (again,)),
            "five-times": (first, (again,) * 5),
            "contradicted": (first, (contrary,)),
            "late": (silent, (Wait(0.2), again)),
            "late-and-contradicted": (silent, (Wait(0.2), again, contrary)),
        }
        for name, (answer, behind) in kinds.items():
            steps = self._around(prompt, answer, behind)
            control = self._around(prompt, first, ())
            yield self._in_order(prompt, name, steps, control)
        if prompt.action not in _REPEATED:
            return
        refused = AnswerNext(prompt.action, compact(error()))
        steps, control = (
            (*((answer,) * REFUSALS), *self._around(prompt, answer, (Wait(STORM_S),)))
            for answer in (refused, first)
        )
        yield self._in_order(prompt, "refused-always", steps, control)

    def _in_order(
        self, prompt: Prompt, name: str, steps: tuple[Step, ...], control: tuple[Step, ...]
    ) -> Case:
        mutation = Mutation(Channel.ENVELOPE, "/1", f"order.{name}", "proper")
        return self._made(prompt, f"{prompt.action}/order:{name}", steps, control, mutation)

    def _scene(self, prompt: Prompt, text: Text, *, watched: bool) -> tuple[Step, ...]:
        # A station may take what it cannot read for no answer and wait: the proper one must not cost MessageTimeout.
        late = SendText(compact(result(proper(prompt.action, self.ground.version), LATEST)))
        behind: tuple[Step, ...] = (Wait(STORM_S),) if watched else (late,)
        return self._around(prompt, AnswerNext(prompt.action, compact(spell(text))), behind)

    def _around(self, prompt: Prompt, answer: Step, behind: tuple[Step, ...]) -> tuple[Step, ...]:
        """An answer, what provokes the CALL, what follows it, and the proof that the target goes on."""
        expected = Expect(prompt.action, prompt.patience_s)
        return (
            answer,
            *prompt.steps(self._next()),
            expected,
            *behind,
            *prompt.end(),
            *self._proof(prompt),
        )

    def _proof(self, prompt: Prompt) -> tuple[Step, ...]:
        """The target's own protocol goes on: it sends its next CALL."""
        if "Heartbeat" not in self._usable or prompt.action == "BootNotification":
            return ()
        return (Ask(_HEARTBEAT), Expect("Heartbeat", PROOF_S))

    def _next(self) -> int:
        """The number of the next case."""
        return self._index + 1

    def _made(
        self,
        prompt: Prompt,
        id_: str,
        steps: tuple[Step, ...],
        control: tuple[Step, ...],
        mutation: Mutation,
    ) -> Case:
        self._index += 1
        ground = self.ground
        return Case(
            id=f"{self.name}/{id_}",
            side=ground.side,
            steps=steps,
            control=control,
            expectation=Expectation(Stance.UNSPECIFIED, Tier.MODEL),
            effect=prompt.effect,
            position=Position.CALLRESULT,
            action=prompt.action,
            mutations=(mutation,),
            provenance=Provenance(self.name, ground.seed, self._index, ground.tool),
        )


def _number(prompt: Prompt) -> int:
    """Which of the prompts for this action it is."""
    return sum(p.action == prompt.action for p in PROMPTS[: PROMPTS.index(prompt)])


def _refused(seen: Observation | None) -> bool:
    """True when the target said that the CALL will not come."""
    reply = seen.replies[0] if seen is not None and seen.replies else None
    if reply is None:
        return False
    payload = reply.payload if isinstance(reply.payload, dict) else None
    return payload is None or payload.get("status", "Accepted") not in _GRANTED


def _came(seen: Observation | None, action: str) -> bool:
    """True when the target made the CALL; a campaign that is resumed trusts that it did."""
    return seen is None or any(h.action == action for h in seen.calls)


def _first_of_each(items: Iterable[T], kind: Callable[[T], str], *, count: int = 1) -> list[T]:
    """The first ones of every kind."""
    seen: Counter[str] = Counter()
    found = []
    for item in items:
        seen[kind(item)] += 1
        if seen[kind(item)] <= count:
            found.append(item)
    return found


def _once(cases: Iterable[Case]) -> list[Case]:
    """Each case where it comes first."""
    return list({case.id: case for case in cases}.values())


def _keyword(said: Utterance) -> str:
    return said.mutation.keyword if said.mutation is not None else ""


def _fault(case: Case) -> str:
    return case.mutations[0].keyword


def _value(case: Case) -> int:
    keyword = _fault(case)
    return _FIRST.index(keyword) if keyword in _FIRST else len(_FIRST)


def _hurries(said: Utterance) -> bool:
    """True when the answer may make the target come back at once, over and over."""
    mutation = said.mutation
    return (
        mutation is not None
        and mutation.keyword == "meaning/interval"
        and mutation.operator in _HURRYING
    )


def _sets_clock(said: Utterance) -> bool:
    """True when a boot may leave the target with a clock that is far off."""
    clock = said.mutation is not None and said.mutation.pointer == "/currentTime"
    return said.action == "BootNotification" and clock


def _refuses_boot(said: Utterance) -> bool:
    """True when the target may stay outside for as long as the answer tells."""
    text = json.dumps(spell(said.text or ()))
    return said.action == "BootNotification" and ("Pending" in text or "Rejected" in text)


__all__ = ["PROMPTS", "SLOT", "Answers", "Prompt"]
