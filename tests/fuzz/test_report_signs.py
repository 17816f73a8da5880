"""What is plain enough for a script is said in facts; what is not, in a sentence."""

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given, strategies as st

from fuzz.oracles.registry import oracles
from fuzz.records import (
    Basis,
    Case,
    Disconnect,
    Entry,
    Expect,
    Finding,
    Gauge,
    Operator,
    RepeatSteps,
    SendFrames,
    SendText,
    Severity,
    Side,
    TargetFacts,
    TlsStep,
    Violation,
    Who,
)
from fuzz.report.repro_script import JUDGES, KEYWORDS, SHAPES
from fuzz.report.signs import answers_to_case, sign_of
from strategies.labels import Channel, Expectation, Mutation, Stance, Tier
from strategies.wsframes import Opcode, frame

TEXT = '[2,"{call.id}","GetVariables",{}]'
PING = frame(b"hey", Opcode.PING, mask=None)


SAID = (SendText((TEXT,)),)


def finding(oracle="O1", symptom="exit 70", steps=SAID, entries=(), mutations=()):
    case = Case(
        "c", Side.STATION, steps, Expectation(Stance.REJECT, Tier.SCHEMA), mutations=mutations
    )
    violation = Violation(oracle, "name", Basis.SHALL, Severity.LOW, symptom, "text")
    return Finding("0" * 16, violation, case, case, TargetFacts(Side.STATION), entries=entries)


def talk(*answers):
    return (
        Entry(0.0, Who.US, "text", '[2,"a1","GetVariables",{}]'),
        Entry(0.0, Who.HARNESS, "text", '[2,"probe","Heartbeat",{}]'),
        *(Entry(0.1, Who.TARGET, "text", text) for text in answers),
    )


@pytest.mark.parametrize(
    ("oracle", "symptom", "sign"),
    [
        ("O1", "signal 11", {"see": "died"}),
        ("O2", "unasked BootNotification", {"see": "reboots"}),
        ("O3", "close 1011", {"see": "close", "code": 1011}),
        ("O4", "no answer", {"see": "silence"}),
        ("O4", "answered twice", {"see": "twice", "times": 1}),
        ("O4", "stray answer", {"see": "stray"}),
        ("O4", "answer to an answer", {"see": "reply to answer"}),
        ("O5", "CALL unserved", {"see": "unserved"}),
        ("O5", "not back", {"see": "away"}),
        ("O7", "errorDetails type", {"see": "shape", "what": "errorDetails type"}),
        ("O28", "two CALLs at once", {"see": "overlap"}),
        ("O29", "not back", {"see": "away"}),
        ("O33", "rsv fault tolerated", {"see": "served"}),
        ("O34", "101-nonsense", {"see": "taken", "how": "101-nonsense"}),
    ],
)
def test_a_symptom_is_told_in_plain_facts(oracle, symptom, sign):
    assert sign_of(finding(oracle, symptom)) == sign
    assert sign["see"] in JUDGES


def test_a_missing_pong_is_known_by_the_data_of_its_ping():
    found = finding("O3", "no pong", (SendFrames(PING),))
    assert sign_of(found) == {"see": "no pong", "data": b"hey".hex()}


def test_an_answer_is_known_by_its_code_or_its_statuses():
    refused = talk('[3,"probe",{"status":"Accepted"}]', '[4,"a1","FormatViolation","",{}]')
    assert sign_of(finding("O9", "x", entries=refused)) == {
        "see": "reply",
        "type": 4,
        "code": "FormatViolation",
    }
    taken = talk('[3,"a1",{"status":"Accepted"}]')
    sign = {"see": "reply", "type": 3, "statuses": ["Accepted"]}
    assert sign_of(finding("O8", "value accepted", entries=taken)) == sign


def test_a_scene_is_known_by_all_answers_in_their_order():
    answers = talk('[3,"a1",{"status":"Accepted"}]', '[4,"a2","GenericError","",{}]')
    sign = {"see": "trace", "outcomes": [[3, ["Accepted"], []], [4, "GenericError"]]}
    assert sign_of(finding("O12", "value kept", entries=answers)) == sign


def test_a_leak_is_known_by_its_pattern_and_never_by_what_was_told():
    sign = sign_of(finding("O23", "SQL told"))
    assert isinstance(sign, dict)
    assert "SQLSTATE" in sign["pattern"]
    assert sign["names"] == ["statusInfo", "techInfo"]
    assert sign["echo"] is False
    assert isinstance(sign_of(finding("O23", "password told")), str)


@pytest.mark.parametrize(
    ("symptom", "keyword", "limit"),
    [
        ("BootNotification request / required", "required", ["reason", "chargingStation"]),
        ("BootNotification request /chargingStation/model maxLength", "maxLength", 20),
        ("GetVariables response /getVariableResult/*/attributeStatus type", "type", "string"),
        (
            "Heartbeat response / additionalProperties",
            "additionalProperties",
            ["currentTime", "customData"],
        ),
    ],
)
def test_a_broken_payload_is_known_by_the_rule_of_its_schema(symptom, keyword, limit):
    sign = sign_of(finding("O6", symptom))
    assert isinstance(sign, dict)
    assert (sign["keyword"], sign["limit"]) == (keyword, limit)
    assert keyword in KEYWORDS


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (finding(steps=(TlsStep("TS-01"),)), "TLS lab"),
        (finding(steps=(Operator("plug-in", "1"),)), "somebody"),
        (finding(steps=(RepeatSteps((Operator("plug-in", "1"),), 2),)), "somebody"),
        (finding(steps=(Gauge("idle"),)), "measured from outside"),
        (finding(steps=(SendText(("{canary.url}",)),)), "canary"),
        (finding(steps=(SendText(("{secret.password.20}",)),)), "secret"),
        (finding(mutations=(Mutation(Channel.FRAME, "", "deflate", "x"),)), "compressed"),
        (finding("O11", "x"), "model"),
        (finding("O21", "x"), "processor"),
        (finding("O30", "x"), "log"),
        (finding("O35", "a result is missing"), "names"),
        (finding("O6", "X request / format"), "more than plain facts"),
        (finding("O8", "value accepted"), "more than plain facts"),
    ],
)
def test_what_a_script_cannot_do_is_said_in_a_sentence(found, words):
    why = sign_of(found)
    assert isinstance(why, str)
    assert words in why
    assert not why.endswith(".")


def test_every_oracle_is_told_in_facts_or_has_a_reason():
    for known in oracles():
        assert sign_of(finding(known.id, "anything"))


def test_answers_to_proper_calls_and_what_came_before_are_no_answers_to_the_case():
    early = Entry(0.0, Who.TARGET, "text", '[3,"old",{}]')
    entries = (early, *talk('[3,"probe",{}]', '[2,"own","Heartbeat",{}]', '[3,"a1",{}]'))
    assert [h.message_id for h in answers_to_case(finding(entries=entries))] == ["a1"]


@given(st.recursive(st.none() | st.integers() | st.text(), lambda v: st.lists(v, max_size=2)))
def test_an_answer_under_whatever_id_is_an_answer_to_the_case(id_):
    assume(id_ not in ("probe", ""))
    answered = finding("O3", "close 1011", entries=talk(json.dumps([3, id_, {}])))
    assert [h.message_id for h in answers_to_case(answered)] == [id_]


def test_the_shapes_that_a_script_knows_are_symptoms_of_the_oracle():
    unknown = finding("O7", "messageId changed")
    assert isinstance(sign_of(unknown), str)
    assert "messageId changed" not in SHAPES


def test_waiting_and_coming_back_are_no_obstacles():
    steps = (Disconnect(), Expect("BootNotification"), SendText((TEXT,)))
    assert sign_of(replace(finding(steps=steps))) == {"see": "died"}
