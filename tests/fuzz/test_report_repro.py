"""The script beside a finding is whole, harmless to read, and made of the standard library alone."""

import ast
import base64
import json
import sys
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.records import (
    Basis,
    Case,
    Finding,
    FindingStatus,
    Misbehave,
    SendFrames,
    SendText,
    Severity,
    Side,
    TargetFacts,
    TlsStep,
    Violation,
)
from fuzz.report import repro_script
from fuzz.report.repro import repro_of, why_no_repro
from strategies.labels import Expectation, Repeated, Stance, Tier
from strategies.wsframes import Opcode, frame

PROBE = ("Heartbeat", {})
CASE = Case(
    "c",
    Side.STATION,
    (SendText(('[2,"{call.id}","A",{}]',)),),
    Expectation(Stance.REJECT, Tier.SCHEMA),
)
FINDING = Finding(
    "1a2b3c4d5e6f7081",
    Violation("O1", "process-death", Basis.STOPPED_SERVING, Severity.CRITICAL, "exit 70", "t"),
    CASE,
    CASE,
    TargetFacts(Side.STATION, message_timeout_s=12.0),
    status=FindingStatus.CONFIRMED,
)


def stored_in(script: bytes) -> dict:
    """What a script holds of its finding, read without running it."""
    tree = ast.parse(script, feature_version=(3, 9))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "STORED"
    )
    return json.loads(ast.literal_eval(value))


def with_steps(*steps):
    return replace(FINDING, case=replace(CASE, steps=steps))


def test_a_script_imports_nothing_but_the_standard_library_of_python_3_9():
    tree = ast.parse(repro_of(FINDING, PROBE), feature_version=(3, 9))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))


def test_a_script_holds_what_is_needed_to_play_and_judge():
    stored = stored_in(repro_of(FINDING, PROBE))
    assert stored["finding"] == "O1-1a2b3c4d"
    assert stored["expects"] == "process-death (O1): exit 70"
    assert (stored["side"], stored["subprotocol"]) == ("station", "ocpp2.0.1")
    assert (stored["probe"], stored["timeout_s"]) == (["Heartbeat", {}], 12.0)
    assert stored["sign"] == {"see": "died"}
    assert stored["steps"] == [{"do": "send-text", "text": ['[2,"{call.id}","A",{}]']}]
    assert stored["opening"] == []


@pytest.mark.slow
@given(text=st.text(st.characters(), max_size=60), times=st.integers(0, 3))
def test_any_text_stays_data_and_is_spelled_as_it_was(text, times):
    stored = stored_in(repro_of(with_steps(SendText(("'''\\", Repeated(text, times)))), PROBE))
    assert repro_script.spell(stored["steps"][0]["text"]) == "'''\\" + text * times


def test_halves_of_surrogates_do_not_melt_together():
    stored = stored_in(repro_of(with_steps(SendText(("\ud83d\ude00",))), PROBE))
    assert repro_script.spell(stored["steps"][0]["text"]) == "\ud83d\ude00"


def test_raw_frames_come_with_the_messages_that_they_hold():
    data = frame(b'[2,"f1","A",{}]', Opcode.TEXT, mask=None)
    (step,) = stored_in(repro_of(with_steps(SendFrames(data)), PROBE))["steps"]
    assert base64.b64decode(step["base64"]) == data
    assert step["messages"] == ['[2,"f1","A",{}]']


def test_a_bad_opening_handshake_is_stored_as_bytes():
    stored = stored_in(repro_of(with_steps(Misbehave("101-nonsense", 2)), PROBE))
    answer = base64.b64decode(stored["handshakes"]["101-nonsense"])
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: bm9uc2Vuc2U" in answer
    assert (stored["back_s"], stored_in(repro_of(FINDING, PROBE))["back_s"]) == (300.0, 120.0)


def test_what_a_handshake_answers_depends_on_the_request_where_it_must():
    stored = stored_in(repro_of(with_steps(Misbehave("101-silent"), Misbehave("redirect")), PROBE))
    told = {how: base64.b64decode(data) for how, data in stored["handshakes"].items()}
    assert b"Sec-WebSocket-Accept: {accept}\r\n" in told["101-silent"]
    assert b"Location: ws://{host}/" in told["redirect"]


def test_a_csms_is_booted_towards_first():
    case = replace(CASE, side=Side.CSMS)
    found = replace(FINDING, case=case, facts=TargetFacts(Side.CSMS))
    ((action, payload),) = stored_in(repro_of(found, PROBE))["opening"]
    assert (action, payload["reason"]) == ("BootNotification", "PowerUp")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (with_steps(TlsStep("TS-01")), "TLS lab"),
        (replace(FINDING, status=FindingStatus.CANDIDATE), "not repeated yet"),
    ],
)
def test_there_is_a_script_or_a_reason(found, words):
    assert repro_of(found, PROBE) == b""
    assert words in why_no_repro(found)
    assert why_no_repro(FINDING) == ""
