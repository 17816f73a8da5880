from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.oracles.leaks import CONFIGURED, free_text
from fuzz.records import Caught
from fuzz.testing import case, heard, observation, rejected, result, scene, spoken, target, us
from strategies.labels import Fault, Tier

BROKEN = rejected(Tier.SCHEMA, Fault.EXTRA)
PASSWORD = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}

PYTHON = 'Traceback (most recent call last):\n  File "/app/x.py", line 3, in f\nKeyError: 1'
JAVA = "java.lang.NullPointerException: x\n\tat com.acme.Handler.handle(Handler.java:17)"
NODE = "TypeError: x\n    at Object.handle (/srv/app/handler.js:10:5)"
DOTNET = "at Acme.Handler.Handle(Call c) in C:\\src\\Handler.cs:line 17"
GO = "goroutine 17 [running]:\nmain.handle(0x1)"
RUST = "thread 'main' panicked at src/lib.rs:1:2"
CPP = "terminate called after throwing an instance of 'std::bad_alloc'"


def described(text):
    return observation(BROKEN, replies=[heard([4, "c1", "InternalError", text, {}])])


def o23(obs):
    return [line for line in spoken(obs) if line.startswith("O23")]


# --- the inside ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [PYTHON, JAVA, NODE, DOTNET, GO, RUST, CPP])
def test_the_stack_of_a_program_in_an_error_is_a_leak(text):
    assert o23(described(text)) == ["O23 stack trace told"]


@pytest.mark.parametrize(
    ("text", "symptom"),
    [
        ("Data truncation; SQL [INSERT INTO charge_box VALUES (?)]", "SQL told"),
        ("ERROR: duplicate key value violates unique constraint", "SQL told"),
        ("SELECT a, b FROM users WHERE id=?", "SQL told"),
        ("cannot open /opt/ocpp/lib/handler.py", "source path told"),
        ("assertion failed in peer.cpp:281", "source path told"),
        ("<Handler object at 0x7f2b1c0d2e50>", "memory address told"),
        ("[json.exception.type_error.302] type must be string", "library told (remark)"),
        ("built with libwebsockets 4.3.2", "library told (remark)"),
    ],
)
def test_what_tells_of_the_inside_is_named_by_its_kind(text, symptom):
    assert o23(described(text)) == [f"O23 {symptom}"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the payload breaks its schema at /status: enum",
        "Value of getVariableData is too long (at most 4 items)",
        "connection to ocpp.acme.cc:443 from 0x10 refused",
        "select a value from the list; update the firmware; delete from cache",
        "see /ocpp/2.0.1/ or https://example.org/errors/FormatViolation",
        "12:30:05 at the latest; at 0x1A",
        "org.openchargealliance is no vendor",
    ],
)
def test_an_error_in_its_own_words_is_no_leak(text):
    assert o23(described(text)) == []


def test_every_text_that_the_target_makes_up_is_read():
    info = {"status": "Rejected", "statusInfo": {"reasonCode": "X", "additionalInfo": PYTHON}}
    event = heard([2, "t1", "SecurityEventNotification", {"type": "X", "techInfo": PYTHON}])
    details = heard([4, "c1", "InternalError", "", {"cause": [{"stack": PYTHON}]}])
    seen = ["O23 stack trace told"]
    assert o23(observation(replies=[result(info)])) == seen
    assert o23(observation(calls=[event])) == seen
    assert o23(observation(BROKEN, replies=[details])) == seen
    assert o23(scene(us(0, [2, "a", "ClearCache", {}]), target(1, [3, "a", info]))) == seen


def test_what_a_peer_wrote_into_a_variable_is_no_text_of_the_target():
    item = {"attributeStatus": "Accepted", "attributeValue": PYTHON, **PASSWORD}
    item["variable"] = {"name": "OrganizationName"}
    report = heard(
        [2, "t", "NotifyReport", {"reportData": [{"variableAttribute": [{"value": PYTHON}]}]}]
    )
    obs = observation(replies=[result({"getVariableResult": [item]})], calls=[report])
    assert o23(obs) == []


def test_the_echo_of_what_we_said_is_no_leak():
    text = "x' UNION SELECT a FROM users --"
    escaped = "".join(f"\\u{ord(c):04x}" for c in text)
    told = heard([4, "c1", "InternalError", f"no such vendor: {text}", {}])
    for spelt in (text, escaped):
        said = f'[2,"c1","DataTransfer",{{"vendorId":"{spelt}"}}]'
        assert o23(observation(BROKEN, said=[said], replies=[told])) == []
    assert o23(observation(BROKEN, replies=[told])) == ["O23 SQL told"]


# --- what steers a terminal -----------------------------------------------------------------------------------


def echoing(text, said="\x1b[2Jx"):
    action = us(0, [2, "a", "DataTransfer", {"vendorId": said}])
    return scene(action, target(1, [4, "a", "InternalError", text, {}]))


def test_an_escape_sequence_of_ours_that_comes_back_is_an_echo():
    assert o23(echoing("unknown vendor \x1b[2Jx")) == ["O23 escape sequence echoed"]


def test_other_control_characters_are_a_remark():
    assert o23(echoing("bell \x07")) == ["O23 control character in free text (remark)"]
    assert o23(echoing("\x1b[31mred", "x")) == ["O23 control character in free text (remark)"]


@pytest.mark.parametrize("text", ["two\nlines\tand a column", "größer als 3 €", "?[2Jx"])
def test_text_that_steers_nothing_is_left_alone(text):
    assert o23(echoing(text)) == []


def test_a_name_comes_back_as_it_was_asked_for():
    odd = {"component": {"name": "\x1b[2J"}, "variable": {"name": "\x1b[31m"}}
    answer = {"getVariableResult": [{"attributeStatus": "UnknownComponent", **odd}]}
    asked = us(0, [2, "a", "GetVariables", {"getVariableData": [odd]}])
    assert o23(scene(asked, target(1, [3, "a", answer]))) == []


# --- secrets ------------------------------------------------------------------------------------------------


def password(value, **more):
    item = {"attributeStatus": "Accepted", "attributeValue": value, **PASSWORD, **more}
    return observation(replies=[result({"getVariableResult": [item]})])


def report_of(attribute):
    data = [{**PASSWORD, "variableAttribute": [attribute]}]
    return observation(calls=[heard([2, "t", "NotifyReport", {"reportData": data}])])


def test_a_password_that_can_be_read_back_is_a_leak():
    assert o23(password("hunter2")) == ["O23 password readable"]
    assert o23(password("hunter2", attributeType="Actual")) == ["O23 password readable"]
    assert o23(report_of({"type": "Actual", "value": "hunter2"})) == ["O23 password readable"]


@pytest.mark.parametrize(
    "obs",
    [
        password("", attributeStatus="Rejected"),
        password("********"),
        password("16", attributeType="MinSet"),
        report_of({"type": "Actual", "mutability": "WriteOnly"}),
    ],
)
def test_a_password_that_is_not_told_is_none(obs):
    assert o23(obs) == []


SECRET = "{secret.password.20}"
SET = us(0, [2, "a", "SetVariables", {"setVariableData": [{"attributeValue": SECRET}]}])


@pytest.mark.parametrize(
    "seen",
    [
        {"log": (f"INFO BasicAuthPassword={SECRET}",)},
        {"caught": (Caught(1.0, "http", "/x", "PUT", f"log\n{SECRET}\n".encode()),)},
        {"caught": (Caught(1.0, "http", f"/x?{SECRET}", "GET"),)},
    ],
)
def test_a_password_in_a_log_is_a_leak(seen):
    assert o23(replace(scene(SET), **seen)) == ["O23 password in the log"]


def test_a_password_in_a_later_message_is_a_leak():
    event = target(2, [2, "t", "SecurityEventNotification", {"type": "X", "techInfo": SECRET}])
    assert o23(scene(SET, target(1, [3, "a", {}]), event)) == ["O23 password told"]
    plain = observation(case(), replies=[result({"data": CONFIGURED})])
    assert o23(plain) == ["O23 password told"]


def test_a_password_that_another_case_set_is_no_matter_of_this_one():
    seen = Caught(1.0, "http", "/x", "PUT", f"log\n{SECRET}\n".encode())
    assert o23(observation(case(), replies=[result({"data": SECRET})])) == []
    assert o23(replace(observation(case()), caught=(seen,))) == []


def test_the_answer_to_the_message_that_told_it_may_repeat_it():
    assert o23(scene(SET, target(1, [4, "a", "FormatViolation", f"bad: {SECRET}", {}]))) == []


# --- whatever comes -------------------------------------------------------------------------------------------


@given(
    st.recursive(
        st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_answer_can_be_read(value):
    assert isinstance(free_text(heard([4, "c1", "X", value, value])), str)
    assert isinstance(free_text(heard([3, "c1", {"statusInfo": value, "x": value}])), str)


@pytest.mark.parametrize(
    "unit", ["at a.", "/a.", "com.a.", "C:\\a\\", "a-", "SELECT ", "UPDATE x ", "at /", "#0  0x0"]
)
def test_long_text_made_to_be_slow_is_read_at_once(unit):
    assert o23(described(unit * 20_000)) == []
