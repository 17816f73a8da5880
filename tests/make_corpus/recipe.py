"""The words in which the families tell their cases: tables of one case a line, and what makes a case of a line.

Knows the tables of `strategies` and how phases put cases together. Must not know any single case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from fuzz.engine.answering import BOOT_PATIENCE_S, PROMPTS, STORM_S, Prompt
from fuzz.engine.cases import CaseMaker, call_text, compact
from fuzz.engine.effects import effect_of
from fuzz.engine.framing import Frames
from fuzz.engine.line import PROBES
from fuzz.engine.phases import Ground
from fuzz.engine.staging import effect, steps
from fuzz.engine.support import Coverage, Support
from fuzz.lab.findings import stored_case
from fuzz.records import AnswerNext, Ask, Case, Effect, Expect, SendText, Settle, Side, Step, Wait
from strategies.answers import (
    LATEST,
    broken_payloads,
    error_shapes,
    oddities,
    proper,
    result,
    result_shapes,
)
from strategies.boundaries import boundaries
from strategies.frames import envelope_faults, unsolicited
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    Kind,
    Mutation,
    Position,
    Stance,
    Tier,
    Utterance,
    spell,
)
from strategies.moves import Move, Tell, flat
from strategies.schema import message_schema
from strategies.sequences import Place, reboot, scenarios
from strategies.text import text_faults
from strategies.version import version
from strategies.violations import violations
from tlslab.registry import all_cases

ACCEPT = Expectation(Stance.ACCEPT, Tier.MODEL)
MAY_REFUSE = Expectation(Stance.ACCEPT, Tier.PRIMITIVE)
OPEN = Expectation(Stance.UNSPECIFIED, Tier.MODEL)

_RESET = " and a reset"

PROOF_S = 35.0
"""How long the Heartbeat may take that shows that the target goes on."""

_HEARTBEAT = call_text("TriggerMessage", {"requestedMessage": "Heartbeat"})


@dataclass(frozen=True, slots=True)
class Recipe:
    """One case by its name in the family."""

    name: str
    case: Case


def recipe(name: str, case: Case, *, purpose: str, clause: str, mirrors: str) -> Recipe:
    """A case with what people should know of it."""
    return Recipe(name, replace(case, purpose=purpose, clause=clause, mirrors=mirrors))


def table(make: Callable[[str], Case], lines: str) -> list[Recipe]:
    """A case a line: `name | what it is made of | purpose | what it mirrors`, below a heading `= clause`.

    A dot in the second place stands for the name.
    """
    return [
        recipe(
            name,
            make(name if what == "." else what),
            purpose=purpose,
            clause=clause,
            mirrors=mirrors,
        )
        for clause, (name, what, purpose, mirrors) in _rows(lines)
    ]


def _rows(lines: str) -> Iterator[tuple[str, list[str]]]:
    clause = ""
    for line in lines.strip().splitlines():
        if line.startswith("= "):
            clause = line.removeprefix("= ")
        elif line.strip():
            yield clause, [part.strip() for part in line.split(" | ")]


def maker() -> CaseMaker:
    """What makes cases out of entries of tables."""
    return CaseMaker(Side.STATION, "corpus", 0)


# --- single messages ----------------------------------------------------------------------------------------


@cache
def _utterances() -> dict[str, Utterance]:
    probe = (*PROBES[Side.STATION], version())
    every = (*envelope_faults(*probe), *text_faults(*probe), *unsolicited(version()))
    return {said.id: said for said in every}


def message(id_: str) -> Case:
    """An envelope, a text, or an answer that nobody waits for, by its id in `strategies.frames` or `strategies.text`."""
    said = _utterances()[id_]
    return maker().utterance(said, effect_of(said.action) if said.action else Effect.VOLATILE)


def payload(id_: str) -> Case:
    """A CALL with one rule broken, or with a value at an edge, by its id in `strategies`."""
    action = id_.partition(".")[0]
    schema = message_schema(action, Kind.REQUEST)
    broken = {b.id: b for b in violations(schema, full=True)}
    if id_ in broken:
        return maker().broken(action, broken[id_])
    return maker().boundary(action, {b.id: b for b in boundaries(schema)}[id_])


def call(
    action: str,
    asked: JsonObject,
    control: JsonObject | None = None,
    expectation: Expectation = ACCEPT,
    at: str = "",
) -> Case:
    """A CALL of our own; `at` is `pointer keyword:operator` of what is odd about it."""
    pointer, _, broken = at.rpartition(" ")
    keyword, _, operator = broken.partition(":")
    mutation = Mutation(Channel.PAYLOAD, pointer, keyword, operator) if at else None
    return maker().drawn("", action, asked, control, expectation, mutation)


# --- answers to the station's own CALLs ---------------------------------------------------------------------


@cache
def _answers(action: str) -> dict[str, Utterance]:
    known = version()
    every = (
        *error_shapes(action),
        *result_shapes(action, known),
        *broken_payloads(action, known, full=True),
        *oddities(action, known),
    )
    return {said.id: said for said in every}


def answer(id_: str) -> Case:
    """A bad answer to a CALL that the station is made to send, by its id in `strategies.answers`."""
    action = id_.split("/")[0].split(".")[0]
    said = _answers(action)[id_]
    assert said.text is not None
    assert said.control is not None
    assert said.mutation is not None
    # An idle station has no transaction that it could tell of: somebody has to come.
    somebody = action == "TransactionEvent"
    prompt = next(p for p in PROMPTS if p.action == action and bool(p.words) >= somebody)
    hurried = "/interval" in id_ and id_.endswith(("zero", "minus-one"))
    return Case(
        id="",
        side=Side.STATION,
        steps=_answered(prompt, spell(said.text), hurried=hurried),
        control=_answered(prompt, spell(said.control), hurried=hurried),
        expectation=said.expectation,
        effect=Effect.LOCK_OUT if action == "BootNotification" else prompt.effect,
        position=said.position,
        action=action,
        mutations=(said.mutation,),
    )


def _answered(prompt: Prompt, text: str, *, hurried: bool) -> tuple[Step, ...]:
    """The answer, what provokes the CALL, a proper answer behind it, and the proof that the station goes on."""
    late = SendText(compact(result(proper(prompt.action, version()), LATEST)))
    boots = prompt.action == "BootNotification"
    return (
        AnswerNext(prompt.action, compact(text)),
        *prompt.steps(1),
        Expect(prompt.action, BOOT_PATIENCE_S if boots else prompt.patience_s),
        Wait(STORM_S) if hurried else late,
        *prompt.end(),
        Ask(_HEARTBEAT),
        Expect("Heartbeat", PROOF_S),
    )


# --- scenes -------------------------------------------------------------------------------------------------


@cache
def _scenarios() -> dict[str, tuple[Move, ...]]:
    return {told.name: told.moves for told in scenarios(Place())}


def scenario(what: str) -> Case:
    """A scenario of `strategies.sequences`, by its name; with `and a reset` for one that leaves somebody authorised."""
    name = what.removesuffix(_RESET)
    ending = reboot(Place()) if name != what else []
    return scene(name, (*_scenarios()[name], *ending))


def scene(name: str, moves: Sequence[Move]) -> Case:
    """A conversation in which nothing but its order is odd."""
    answers = any(isinstance(m, Tell) and m.text[:2] != "[2" for m in flat(moves))
    return Case(
        id="",
        side=Side.STATION,
        steps=steps(moves),
        expectation=OPEN,
        effect=effect(moves),
        position=Position.CALLRESULT if answers else Position.CALL,
        mutations=(Mutation(Channel.PAYLOAD, "", "scenario", name),),
    )


def within(before: Iterable[Move], hostile: Case, after: Iterable[Move]) -> Case:
    """A hostile message in the middle of a conversation; the control is the same one with the innocent message."""
    before, after = tuple(before), tuple(after)

    def around(said: Sequence[Step]) -> tuple[Step, ...]:
        return (*steps(before), *said, Settle(), *steps(after)) if said else ()

    worst = max(effect((*before, *after)), hostile.effect, key=list(Effect).index)
    return replace(
        hostile, steps=around(hostile.steps), control=around(hostile.control), effect=worst
    )


# --- frames and handshakes ----------------------------------------------------------------------------------


@cache
def _framed() -> dict[str, Case]:
    ground = Ground(version(), Side.STATION, 0, Support(), Coverage(), owned=True)

    async def every() -> dict[str, Case]:
        return {case.id: case async for case in Frames(ground).cases(asyncio.sleep)}

    return asyncio.run(every())


def framing(id_: str) -> Case:
    """Something below whole messages, by its id in `strategies.wsfaults`, or a handshake by its name."""
    return _framed()[f"frames/{id_}"]


def lab(id_: str) -> Case:
    """A case of the TLS lab."""
    return stored_case(all_cases()[id_])


__all__ = [
    "ACCEPT",
    "MAY_REFUSE",
    "OPEN",
    "Fault",
    "Recipe",
    "answer",
    "call",
    "framing",
    "lab",
    "message",
    "payload",
    "recipe",
    "scenario",
    "scene",
    "table",
    "within",
]
