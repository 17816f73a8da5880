"""The phase `injection`: canaries in every place of free text, and logs that are looked at for secrets.

Knows how a canary becomes a case; must not know tongues, who catches the visitors, or what a visit proves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from fuzz.engine.cases import CaseMaker, call_text
from fuzz.engine.effects import CREDENTIAL_VARIABLES, effect_of
from fuzz.engine.phases import Ground, Phase
from fuzz.records import Ask, Case, Effect, Expect, Settle, Side, Step, Wait
from strategies.canaries import KEYWORD, LAWFUL, Injection, injections, value_injections
from strategies.examples import example
from strategies.labels import (
    Channel,
    Expectation,
    JsonObject,
    Kind,
    Mutation,
    Position,
    Stance,
    Tier,
)
from strategies.schema import message_schema

TABLE = "injection"

UPLOAD_S = 10.0
"""How long a station may take to upload a short log; it is told as soon as it is there."""

LATE_S = 3.0
"""How long after its message a canary may be followed to be told of when it is played again."""

LATE_EVERY = 50
LATE_OF_ONE_CLASS = 3
LATE = "/late"

_LOGS = ("SecurityLog", "DiagnosticsLog")
_NEW_PASSWORD = "{secret.password.20}"


@dataclass(slots=True)
class Injections(Phase):
    """Plays canaries, every kind in every place before the next kind; nothing where nobody waits for visitors."""

    ground: Ground
    name: str = "injection"
    _made: list[Case] = field(default_factory=list)
    _again: Counter[str] = field(default_factory=Counter)

    def planned(self) -> int | None:
        """Every canary, as if every action were supported."""
        return len(self._all())

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """What tells which actions are supported, where that is not known; logs, for they are few; the canaries."""
        for case in self._unknown():
            yield case
        refused = self.ground.support.refused
        cases = [case for case in self._all() if case.action not in refused]
        self.ground.coverage.plan(TABLE, (case.id for case in cases))
        for i, case in enumerate(cases, 1):
            yield case
            if i % LATE_EVERY == 0:
                for again in self._late():
                    yield again
        if cases:
            await idle(LATE_S)
            for again in self._late():
                yield again

    def _late(self) -> Iterator[Case]:
        """The cases whose canaries were followed too late to be told then, with more patience."""
        for case in self.ground.late_visits():
            class_ = case.mutation_class
            if not case.id.endswith(LATE) and self._again[class_] < LATE_OF_ONE_CLASS:
                self._again[class_] += 1
                steps = (*case.steps, Wait(LATE_S))
                yield replace(case, id=case.id + LATE, steps=steps)

    def _unknown(self) -> Iterator[Case]:
        support, maker = self.ground.support, self.ground.maker(self.name)
        wanted = {case.action for case in self._all()} - support.supported - support.refused
        for action in self.ground.actions():
            if action in wanted:
                schema = message_schema(action, Kind.REQUEST, self.ground.version)
                yield maker.example(action, example(schema))

    def _all(self) -> list[Case]:
        if not self._made and self.ground.catches:
            maker = self.ground.maker(self.name)
            self._made = [*self._logs(maker), *self._canaries(maker)]
        return self._made

    def _canaries(self, maker: CaseMaker) -> Iterator[Case]:
        ground = self.ground
        found: list[tuple[int, str, Injection]] = []
        for action in ground.actions():
            schema = message_schema(action, Kind.REQUEST, ground.version)
            found.extend((rank, action, made) for rank, made in injections(schema))
            if action == "SetVariables":
                found.extend((r, action, made) for r, made in value_injections(ground.pool))
        if not ground.full:
            found = _one_a_tongue(found)
        for _, action, made in sorted(found, key=lambda item: item[0]):
            case = _case(maker, action, made)
            if case.effect in ground.allowed and not _about_credentials(made.payload):
                yield case

    def _logs(self, maker: CaseMaker) -> Iterator[Case]:
        if self.ground.side is not Side.STATION or not self.ground.asked("GetLog"):
            return
        # Each has a number of its own, so that what is told late of one is not taken for another.
        for number, log in enumerate(_LOGS, 1):
            yield _scene(maker, f"GetLog/upload/{log}", _upload(log, number))
        if Effect.LOCK_OUT in self.ground.allowed and self.ground.asked("SetVariables"):
            for number, log in enumerate(_LOGS, 1 + len(_LOGS)):
                steps = (Ask(call_text("SetVariables", _password())), *_upload(log, number))
                made = _scene(maker, f"GetLog/upload-after-password/{log}", steps)
                yield replace(made, effect=Effect.LOCK_OUT)


def _one_a_tongue(found: Iterable[tuple[int, str, Injection]]) -> list[tuple[int, str, Injection]]:
    """The first canary of every tongue in every place."""
    first: dict[tuple[str, str, str], tuple[int, str, Injection]] = {}
    for item in sorted(found, key=lambda item: item[0]):
        _, action, made = item
        first.setdefault((action, made.place, made.canary.tongue), item)
    return list(first.values())


def _case(maker: CaseMaker, action: str, made: Injection) -> Case:
    # Nothing says how free text is to be taken: what counts is what comes of it.
    free = Expectation(Stance.UNSPECIFIED, Tier.MODEL)
    id_ = f"injection/{action}/{made.place}/{made.canary.name}"
    case = maker.drawn(id_, action, made.payload, made.control, free, made.mutation)
    if case.effect is not Effect.ENERGISE:
        return case
    # A scene, so that a transaction that was started is ended.
    return replace(case, steps=(*case.steps, Settle()), control=(*case.control, Settle()))


def _scene(maker: CaseMaker, name: str, steps: tuple[Step, ...]) -> Case:
    plain = maker.drawn(
        f"injection/{name}",
        "GetLog",
        {},
        None,
        Expectation(Stance.UNSPECIFIED, Tier.MODEL),
        Mutation(Channel.PAYLOAD, "/log", KEYWORD, "upload"),
    )
    return replace(plain, steps=steps, position=Position.CALL, effect=effect_of("GetLog"))


def _upload(log: str, number: int) -> tuple[Step, ...]:
    asked: JsonObject = {"logType": log, "requestId": number, "log": {"remoteLocation": LAWFUL}}
    done = (("/status", "Uploaded"),)
    return (
        Ask(call_text("GetLog", asked)),
        Expect("LogStatusNotification", UPLOAD_S, where=done),
    )


def _password() -> JsonObject:
    item: JsonObject = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": _NEW_PASSWORD,
    }
    return {"setVariableData": [item]}


def _about_credentials(payload: JsonObject) -> bool:
    """True for what must be left to the vault: a canary as the password would lock us out."""
    data = payload.get("setVariableData")
    first = data[0] if isinstance(data, list) and data else None
    variable = first.get("variable") if isinstance(first, dict) else None
    name = variable.get("name") if isinstance(variable, dict) else None
    return isinstance(name, str) and name.lower() in CREDENTIAL_VARIABLES
