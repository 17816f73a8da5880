import json
from dataclasses import replace

import pytest

from fuzz.oracles.registry import judge
from fuzz.records import Ask, Entry, FrameKind, Heard, Settle, Side, Who
from fuzz.testing import case, error, heard, observation, rejected, result, spoken
from strategies.labels import Expectation, Fault, Stance, Tier

MISSING = rejected(Tier.SCHEMA, Fault.MISSING)
NOT_JSON = rejected(Tier.JSON, Fault.NOT_JSON)
ID_NOT_STRING = rejected(Tier.RPC, Fault.ID_NOT_STRING)
ID_TOO_LONG = rejected(Tier.RPC, Fault.ID_TOO_LONG)
ITEM = {"component": {"name": "C"}, "variable": {"name": "V"}}
STATUS = {
    "timestamp": "2026-11-22T10:00:00Z",
    "connectorStatus": "Available",
    "evseId": 1,
    "connectorId": 1,
}


@pytest.mark.parametrize(
    ("action", "payload", "spoke"),
    [
        ("ClearCache", {"status": "Accepted"}, []),
        ("ClearCache", {"status": "Accepted", "customData": {"vendorId": "v", "more": [1]}}, []),
        ("ClearCache", {}, ["O6 ClearCache response / required"]),
        ("ClearCache", {"status": None}, ["O6 ClearCache response /status enum"]),
        ("ClearCache", {"status": "accepted"}, ["O6 ClearCache response /status enum"]),
        (
            "ClearCache",
            {"status": "Accepted", "a": 1},
            ["O6 ClearCache response / additionalProperties"],
        ),
        ("ClearCache", [], ["O6 ClearCache response / type"]),
        ("GetLocalListVersion", {"versionNumber": 1.0}, []),
        (
            "SetVariables",
            {"setVariableResult": [{**ITEM, "attributeStatus": "Rejected"}, ITEM]},
            ["O6 SetVariables response /setVariableResult/* required"],
        ),
        ("NoSuchAction", {"anything": 1}, []),
    ],
)
def test_a_response_is_judged_by_the_schema_of_its_action(action, payload, spoke):
    obs = observation(case(action=action), replies=[result(payload)])
    assert spoken(obs) == spoke


def test_the_first_broken_site_stands_for_the_payload_whatever_the_order():
    broken = {**ITEM, "attributeStatus": "x", "component": {"name": 1}}
    one = observation(
        case(action="SetVariables"), replies=[result({"setVariableResult": [broken]})]
    )
    other = observation(
        case(action="SetVariables"),
        replies=[result({"setVariableResult": [dict(reversed(broken.items()))]})],
    )
    assert (
        spoken(one)
        == spoken(other)
        == ["O6 SetVariables response /setVariableResult/*/attributeStatus enum"]
    )


@pytest.mark.parametrize(
    ("call", "spoke"),
    [
        ([2, "s1", "Heartbeat", {}], []),
        ([2, "s1", "StatusNotification", STATUS], []),
        (
            [2, "s1", "StatusNotification", {**STATUS, "timestamp": "2026-11-22T10:00:00"}],
            ["O6 StatusNotification request /timestamp format (remark)"],
        ),
        (
            [2, "s1", "StatusNotification", {**STATUS, "timestamp": "now", "evseId": "1"}],
            ["O6 StatusNotification request /evseId type"],
        ),
        ([2, "s1", "Heartbeat", None], ["O6 Heartbeat request / type"]),
        ([2, "s1", "FooBar", {}], ["O6 CALL of unknown action"]),
        ([2, "s1", "Reset", {"type": "Immediate"}], ["O6 Reset in the wrong direction"]),
        ([2, "s1", "DataTransfer", {"vendorId": "v"}], []),
        ([2, "s1", "Heartbeat"], ["O7 CALL arity"]),
        ([2, 7, "Heartbeat", {}], ["O7 CALL messageId type"]),
        ([2, "s" * 37, "Heartbeat", {}], ["O7 CALL messageId length"]),
        ([2, "s1", ["Heartbeat"], {}], ["O7 CALL action type"]),
    ],
)
def test_the_own_calls_of_a_station_are_judged(call, spoke):
    assert spoken(observation(calls=[heard(call)])) == spoke


def test_what_a_station_may_not_send_a_csms_may():
    reset = heard([2, "s1", "Reset", {"type": "Immediate"}])
    heartbeat = heard([2, "s2", "Heartbeat", {}])
    played = case(side=Side.CSMS, action="Heartbeat")
    now = result({"currentTime": "2026-11-22T10:00:00Z"})
    assert spoken(observation(played, replies=[now], calls=[reset])) == []
    assert spoken(observation(played, replies=[now], calls=[heartbeat])) == [
        "O6 Heartbeat in the wrong direction"
    ]


@pytest.mark.parametrize(
    ("reply", "spoke"),
    [
        ([4, "c1", "OccurrenceConstraintViolation", "", {}], []),
        ([4, "c1", "OccurrenceConstraintViolation", "x" * 255, {"a": 1}], []),
        ([4, "c1", "OccurenceConstraintViolation", "", {}], ["O7 1.6 spelling (remark)"]),
        ([4, "c1", "FormationViolation", "", {}], ["O7 1.6 spelling (remark)"]),
        ([4, "c1", "FooError", "", {}], ["O7 unknown error code"]),
        ([4, "c1", ["FormatViolation"], "", {}], ["O7 unknown error code"]),
        ([4, "c1", "FormatViolation", "x" * 256, {}], ["O7 errorDescription length"]),
        ([4, "c1", "FormatViolation", None, {}], ["O7 errorDescription type"]),
        ([4, "c1", "FormatViolation", "", None], ["O7 errorDetails type"]),
        ([4, "c1", "FormatViolation", ""], ["O7 CALLERROR arity"]),
        ([4, "c1"], ["O7 CALLERROR arity"]),
        ([4, "-1", "FormatViolation", "", {}], ["O7 other messageId"]),
    ],
)
def test_a_callerror_has_the_shape_of_part_4(reply, spoke):
    assert spoken(observation(MISSING, replies=[heard(reply)])) == spoke


def test_a_callresult_of_a_wrong_length_is_judged_by_its_length_alone():
    obs = observation(replies=[heard([3, "c1", {"status": "wrong"}, {}])])
    assert spoken(obs) == ["O7 CALLRESULT arity"]


@pytest.mark.parametrize("text", ["", "pong", "[3,", '{"a":}'])
def test_text_that_is_not_json_is_a_finding(text):
    assert spoken(observation(strays=[heard(text)])) == ["O7 not JSON"]


@pytest.mark.parametrize("text", ["{}", "7", "[]", '[5,"x",{}]', '["3","c1",{}]'])
def test_json_that_is_no_message_is_a_finding(text):
    assert spoken(observation(strays=[heard(text)])) == ["O7 no OCPP-J message"]


def test_json_that_only_our_own_reader_gives_up_on_is_not_held_against_the_target():
    digits = heard(
        '[3,"c1",{"status":"Accepted","customData":{"vendorId":"v","n":' + "9" * 5_000 + "}}]"
    )
    deep = heard('[3,"c1",' + "[" * 5_000 + "]" * 5_000 + "]")
    assert {digits.kind, deep.kind} == {FrameKind.GARBAGE}
    assert spoken(observation(strays=[digits, deep])) == []


def test_a_binary_message_is_a_remark():
    reply = Heard(0.0, "", FrameKind.CALLRESULT, (3, "c1", {"status": "Accepted"}), binary=True)
    assert spoken(observation(replies=[reply])) == ["O7 binary message (remark)"]


@pytest.mark.parametrize(
    ("expectation", "call_id", "reply", "spoke"),
    [
        (ID_NOT_STRING, None, error("RpcFrameworkError", id_="-1"), []),
        (ID_NOT_STRING, None, error("RpcFrameworkError", id_=""), ["O7 no messageId (remark)"]),
        (ID_NOT_STRING, None, error("RpcFrameworkError", id_=7), ["O7 non-string messageId echoed (remark)"]),
        (ID_NOT_STRING, None, result(id_=7), ["O7 non-string messageId echoed (remark)"]),
        (ID_NOT_STRING, None, result(id_={}), ["O7 non-string messageId echoed (remark)"]),
        (ID_NOT_STRING, None, result(id_="seven"), ["O7 messageId changed (remark)"]),
        (ID_TOO_LONG, "m" * 37, error("RpcFrameworkError", id_="m" * 37), []),
        (ID_TOO_LONG, "m" * 37, error("RpcFrameworkError", id_="-1"), []),
        (ID_TOO_LONG, "m" * 37, result(id_="m" * 37), ["O7 over-long messageId echoed (remark)"]),
        (NOT_JSON, None, error("RpcFrameworkError", id_="-1"), []),
        (NOT_JSON, None, error("RpcFrameworkError", id_=None), ["O7 no messageId (remark)"]),
        (NOT_JSON, None, error("RpcFrameworkError", id_="made-up"), ["O7 messageId changed (remark)"]),
        (Expectation(Stance.ACCEPT, Tier.MODEL), "c1", result(id_="-1"), ["O7 other messageId"]),
        (Expectation(Stance.UNSPECIFIED, Tier.JSON, None, "1e999"), "c1", error("RpcFrameworkError", id_="-1"), []),
    ],
)  # fmt: skip
def test_an_answer_has_the_messageid_of_its_call_or_says_that_it_could_not_read_it(
    expectation, call_id, reply, spoke
):
    obs = observation(
        expectation, call_id=call_id, said=[f'[2,{json.dumps(call_id)},"X",{{}}]'], replies=[reply]
    )
    assert spoken(obs) == spoke


def test_a_converted_messageid_is_one_remark_and_no_stray_answer():
    obs = observation(
        ID_NOT_STRING,
        call_id=None,
        said=['[2,true,"X",{}]'],
        replies=[],
        strays=[result(id_="True")],
    )
    assert "O7 messageId changed (remark)" in spoken(obs)
    assert not any(v.oracle == "O8" for v in judge(obs))


def test_what_the_target_says_stands_in_no_symptom_and_no_text():
    secret = "hunter2"
    obs = observation(
        MISSING,
        replies=[heard([4, "c1", secret, secret * 99, secret])],
        calls=[heard([2, "s1", secret, {}]), heard([2, "s2", "Heartbeat", {secret: secret}])],
        strays=[heard(secret), heard([9, secret])],
    )
    violations = judge(obs)
    assert len(violations) == 7
    assert not any(secret in v.symptom + v.text for v in violations)


@pytest.mark.parametrize("payload", ["\ud800", {"\ud800": 1}, {"status": "\udc00"}])
def test_lone_surrogates_are_nothing_that_a_schema_speaks_about(payload):
    assert spoken(observation(replies=[result(payload)])) == []


def _asked_in_a_scene(answer):
    """A scene that makes a CALL besides its own message, and how the target answered it."""
    entries = (
        Entry(
            0.1, Who.US, "text", '[2,"a","ChangeAvailability",{"operationalStatus":"Operative"}]'
        ),
        Entry(0.2, Who.TARGET, "text", json.dumps(answer)),
    )
    scene = case(action="", steps=[Ask(('[2,"{call.id}","ChangeAvailability",{}]',)), Settle()])
    return replace(observation(scene), entries=entries)


@pytest.mark.parametrize(
    ("answer", "spoke"),
    [
        ([3, "a", {"status": "Scheduled"}], []),
        ([4, "a", "InternalError", "", {}], []),
        ([3, "a", {"status": "Occupied"}], ["O6 ChangeAvailability response /status enum"]),
        ([3, "a", {}], ["O6 ChangeAvailability response / required"]),
        ([3, "a", []], ["O6 ChangeAvailability response / type"]),
        ([3, "a", None], ["O6 ChangeAvailability response / type"]),
        ([3, "a"], []),
        ([4, "a", "", "", {}], []),
    ],
    ids=str,
)
def test_the_answers_to_every_call_of_a_scene_are_judged(answer, spoke):
    assert spoken(_asked_in_a_scene(answer)) == spoke


def event(seq, **more):
    info = {"transactionId": "t1", "chargingState": "Charging"}
    return ["TransactionEvent", {"transactionInfo": info, "seqNo": seq, **more}]


@pytest.mark.parametrize(
    ("one", "other", "again"),
    [
        (["Heartbeat", {}], ["Heartbeat", {}], 0),
        (["Heartbeat", {}], ["StatusNotification", STATUS], 1),
        (["StatusNotification", STATUS], ["StatusNotification", {**STATUS, "evseId": 2}], 1),
        (["StatusNotification", STATUS], ["StatusNotification", {**STATUS, "timestamp": "x"}], 0),
        (event(0), event(0, offline=True, timestamp="x"), 0),
        (event(0), event(1), 1),
    ],
)
def test_another_call_has_another_message_id(one, other, again):
    for id_, expected in (("s1", again), ("s2", 0)):
        obs = observation(calls=[heard([2, "s1", *one]), heard([2, id_, *other])])
        told = [s for s in spoken(obs) if s.startswith("O7")]
        assert told == ["O7 messageId used again"] * expected
