import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fuzz.engine.cases import CaseMaker, call_text
from fuzz.engine.claims import broken_claims
from fuzz.records import AnswerNext, Case, Expect, SendBytes, SendText, Side
from fuzz.testing import VALID, case, mutation, rejected
from strategies.boundaries import boundaries
from strategies.frames import envelope_faults
from strategies.labels import Fault, Kind, Position, Tier
from strategies.schema import message_schema
from strategies.text import text_faults
from strategies.version import version
from strategies.violations import violations

MAKER = CaseMaker(Side.STATION, "testing", 0)
BROKEN = mutation("/type", "enum", "unknown")


def claims(told: Case) -> list[str]:
    return list(broken_claims(told, version()))


def reset(payload: object, **changes: object) -> Case:
    told = case(VALID, action="Reset", steps=[SendText(call_text("Reset", payload))])  # type: ignore[arg-type]
    return replace(told, **changes)  # type: ignore[arg-type]


def _all_made() -> Iterator[Case]:
    for action in ("Reset", "GetVariables", "SetVariables", "TriggerMessage"):
        schema = message_schema(action, Kind.REQUEST)
        yield from (MAKER.broken(action, b) for b in violations(schema, full=True))
        yield from (MAKER.boundary(action, b) for b in boundaries(schema))
    payload = {"vendorId": "lab"}
    for said in (
        *envelope_faults("DataTransfer", payload, version()),
        *text_faults("DataTransfer", payload, version()),
    ):
        yield MAKER.utterance(said)


def test_whatever_the_tables_make_says_what_it_is() -> None:
    wrong = {made.id: told for made in _all_made() if (told := claims(made))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (reset({"type": "Now"}), "is called valid, but breaks enum at /type"),
        (
            reset(
                {"type": "OnIdle"},
                expectation=rejected(Tier.SCHEMA, Fault.VALUE),
                mutations=(BROKEN,),
            ),
            "promises to break enum at /type, but breaks nothing",
        ),
        (
            reset(
                {"type": "Now", "x": 1},
                expectation=rejected(Tier.SCHEMA, Fault.VALUE),
                mutations=(BROKEN,),
            ),
            "promises to break enum at /type, but breaks additionalProperties at /, enum at /type",
        ),
        (
            reset(
                {"type": 7},
                expectation=rejected(Tier.SCHEMA, Fault.VALUE),
                mutations=(mutation("/type", "maxLength"),),
            ),
            "promises to break maxLength at /type alone, but breaks enum at /type, type at /type",
        ),
        (
            reset(
                {"type": "OnIdle", "evseId": 2**40},
                expectation=rejected(Tier.PRIMITIVE, Fault.PRIMITIVE),
                mutations=(mutation("/type", "integer"),),
            ),
            "promises to break integer at /type, but breaks integer at /evseId",
        ),
        (
            reset({"type": "Now"}, expectation=rejected(Tier.PRIMITIVE), mutations=(BROKEN,)),
            "promises to break a primitive type, but breaks the schema",
        ),
        (
            case(rejected(Tier.JSON, Fault.NOT_JSON), steps=[SendText(("[]",))]),
            "promises not-json, but is a proper message",
        ),
        (
            case(rejected(Tier.JSON, Fault.NOT_UTF8), steps=[SendBytes(b"{")]),
            "promises not-utf8, but is not-json",
        ),
        (
            case(rejected(Tier.RPC, Fault.ARITY)),
            "promises arity, but a strict reader takes it",
        ),
        (
            case(rejected(Tier.RPC, Fault.ACTION_UNKNOWN)),
            "promises action-unknown, but a strict reader takes it",
        ),
        (
            case(VALID, steps=[SendText(('[2,"{call.id}","ClearCache"]',))]),
            "is called valid, but a strict reader says: a CALL has exactly four elements",
        ),
        (
            reset({"type": "OnIdle"}, control=(SendText(call_text("Reset", {})),)),
            "its control breaks required at /",
        ),
        (
            reset(
                {"type": "Now"},
                control=(SendText(call_text("Reset", {"type": "Now"})),),
                expectation=rejected(Tier.SCHEMA, Fault.VALUE),
                mutations=(BROKEN,),
            ),
            "its control is the case itself",
        ),
    ],
)
def test_a_claim_that_does_not_hold_is_told(told: Case, words: str) -> None:
    assert claims(told)[0] == words


def test_an_answer_is_judged_as_an_answer_and_its_slot_for_the_time_is_a_time() -> None:
    text = json.dumps([3, "{call.id}", {"currentTime": "{time.now}"}])
    told = case(
        VALID,
        action="Heartbeat",
        position=Position.CALLRESULT,
        steps=[AnswerNext("Heartbeat", (text,)), Expect("Heartbeat")],
    )
    assert claims(told) == []
    late = replace(told, steps=(AnswerNext("Heartbeat", (text.replace("{time.now}", "noon"),)),))
    assert claims(late) == ["is called valid, but breaks format at /currentTime"]
