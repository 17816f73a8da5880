"""What was sent is told in one short text, and every format for programs tells it beside what broke and what is right."""

import json
from xml.etree import ElementTree as ET

import pytest

from fuzz.app.reporting import Desk
from fuzz.config import RunOptions
from fuzz.records import (
    AnswerNext,
    Ask,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Settle,
    TlsStep,
)
from fuzz.report.codequality import code_quality
from fuzz.report.comment import comment
from fuzz.report.document import document
from fuzz.report.issues import issue_of
from fuzz.report.junit import junit
from fuzz.report.results import Check, Place, Results, Status
from fuzz.report.sarif import sarif
from fuzz.report.sent import LIMIT, sent
from fuzz.testing import case, finding
from strategies.labels import Channel, Expectation, Fault, Mutation, Repeated, Stance, Tier

SAID = '[2,"{call.id}",[],{}]'


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([SendText((SAID,)), Settle()], SAID),
        ([SendText(("first",)), SendText((SAID,))], f"{SAID} (the last of 2)"),
        ([RepeatSteps((SendText((SAID,)),), 50)], f"{SAID} (the last of 50)"),
        ([Ask(("proper",)), SendText((SAID,))], SAID),
        ([SendBytes(b"\xff\x00", "binary")], "2 bytes as one binary message: ff 00"),
        ([SendFrames(b"\x81")], "1 bytes below WebSocket: 81"),
        ([AnswerNext("Heartbeat", ("[]",))], "in answer to its Heartbeat: []"),
        ([AnswerNext("Heartbeat")], "no answer to its Heartbeat"),
        ([TlsStep("TS-31")], ""),
    ],
)
def test_the_last_hostile_message_is_what_was_sent(steps, told):
    assert sent(case(steps=steps)) == told


def test_a_message_of_gigabytes_is_never_spelt_out():
    told = sent(case(steps=[SendText(("[", Repeated("x" * 100, 10**9)))]))
    assert told.startswith("[xxx")
    assert len(told) < LIMIT + 100
    assert len(sent(case(steps=[SendFrames(b"x" * 10**6)]))) < LIMIT


BROKEN = case(
    Expectation(Stance.REJECT, Tier.RPC, Fault.ACTION_NOT_STRING),
    action="GetVariables",
    steps=[SendText((SAID,))],
    mutations=[Mutation(Channel.ENVELOPE, "/2", "action", "array")],
)
FORMATS = (junit, sarif, code_quality, comment, document)


def told_of(format_, shown) -> str:
    one = issue_of(finding(shown=shown), Place("c/case.json"), "ocppfuzz replay c", "c")
    check = Check("O4", "x", "x: GetVariables, CALL", Status.FAILED, issues=(one,))
    facts = Desk("run", RunOptions()).facts
    made = format_(Results("run", "ocppfuzz 0", facts, 1, (check,)))
    if format_ is junit:
        return "".join(ET.fromstring(made.encode()).itertext())
    # A bracket is escaped in SARIF, and a quote in JSON.
    return made if format_ is comment else json.dumps(json.loads(made)).replace('\\"', '"')


@pytest.mark.parametrize("format_", FORMATS)
def test_each_format_tells_what_was_sent_what_broke_and_what_is_right(format_):
    told = told_of(format_, BROKEN)
    assert '{call.id}"' in told
    assert "envelope /2: action, array" in told
    assert "the action is not a string" in told


def test_a_list_of_failures_shows_what_was_sent_and_what_broke():
    one = issue_of(finding(shown=BROKEN), Place("c/case.json"), "ocppfuzz replay c", "c")
    check = Check("O4", "x", "x: GetVariables, CALL", Status.FAILED, issues=(one,))
    facts = Desk("run", RunOptions()).facts
    made = ET.fromstring(junit(Results("run", "ocppfuzz 0", facts, 1, (check,))).encode())
    (failure,) = made.iter("failure")
    assert "Wrong with it: envelope /2: action, array." in failure.attrib["message"]
    assert SAID in failure.attrib["message"]


def test_a_handshake_tells_what_its_case_of_the_lab_expects():
    one = issue_of(finding(shown=case(steps=[TlsStep("TS-31")])), Place("c"), "", "")
    assert one.expected.startswith("A correct peer: ")
    assert one.sent == ""
