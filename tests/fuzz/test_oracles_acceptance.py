import json
from dataclasses import replace

import pytest

from fuzz.oracles.registry import judge
from fuzz.records import Basis, ProcessEnd, Settled, Severity
from fuzz.testing import case, error, mutation, observation, rejected, result, spoken
from strategies.labels import Channel, Expectation, Fault, Position, Stance, Tier

ITEM = {"component": {"name": "C"}, "variable": {"name": "V"}}
MISSING = rejected(Tier.SCHEMA, Fault.MISSING)
ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def set_variables(*statuses):
    return result({"setVariableResult": [{**ITEM, "attributeStatus": s} for s in statuses]})


@pytest.mark.parametrize(
    ("fault", "tier"),
    [
        (Fault.NOT_UTF8, Tier.JSON),
        (Fault.NOT_ARRAY, Tier.RPC),
        (Fault.ARITY, Tier.RPC),
        (Fault.TYPE_UNSUPPORTED, Tier.RPC),
        (Fault.ACTION_NOT_STRING, Tier.RPC),
        (Fault.ACTION_UNKNOWN, Tier.RPC),
        (Fault.ACTION_CASE, Tier.RPC),
        (Fault.ACTION_DIRECTION, Tier.RPC),
        (Fault.PAYLOAD_NOT_OBJECT, Tier.RPC),
        (Fault.MISSING, Tier.SCHEMA),
        (Fault.TYPE, Tier.SCHEMA),
        (Fault.VALUE, Tier.SCHEMA),
        (Fault.OCCURRENCE, Tier.SCHEMA),
        (Fault.DEVICE_MODEL, Tier.MODEL),
        (Fault.VALUE, Tier.MODEL),
    ],
)
def test_accepting_what_is_broken_is_a_finding(fault, tier):
    obs = observation(rejected(tier, fault), said=["[7]"])
    assert spoken(obs) == [f"O8 {fault} accepted"]


def test_text_that_no_reader_should_understand_is_a_finding():
    obs = observation(rejected(Tier.JSON, Fault.NOT_JSON), said=['[2,"c1","ClearCache",{}]x'])
    assert spoken(obs) == ["O8 not-json accepted"]


def test_a_message_with_a_tail_is_accepted_under_the_id_that_a_lenient_reader_found():
    text = '[2,"c9","ClearCache",{}]x'
    obs = observation(
        rejected(Tier.JSON, Fault.NOT_JSON),
        said=[text],
        call_id=None,
        replies=[],
        strays=[result(id_="c9")],
    )
    assert spoken(obs) == ["O8 not-json accepted"]


@pytest.mark.parametrize(
    ("fault", "tier"),
    [
        (Fault.EXTRA, Tier.SCHEMA),
        (Fault.DATE_TIME, Tier.SCHEMA),
        (Fault.IDENTIFIER, Tier.PRIMITIVE),
        (Fault.PRIMITIVE, Tier.PRIMITIVE),
        (Fault.VALUE, Tier.PRIMITIVE),
        (Fault.ID_EMPTY, Tier.RPC),
        (Fault.ID_IN_USE, Tier.RPC),
        (Fault.BINARY, Tier.JSON),
    ],
)
def test_lenience_that_many_share_is_a_remark(fault, tier):
    obs = observation(rejected(tier, fault))
    assert spoken(obs) == [f"O8 {fault} accepted (remark)"]
    assert spoken(obs, strict=True) == [f"O8 {fault} accepted"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.NOT_JSON, '[2,"c1","ClearCache",{"customData":{"vendorId":"v","n":NaN}}]'),
        (Fault.NOT_JSON, '[2,"c1","ClearCache",{"customData":{"vendorId":"a\nb"}}]'),
        (Fault.ARITY, '[2,"c1","ClearCache",{},{}]'),
        (Fault.TYPE_UNSUPPORTED, '["2","c1","ClearCache",{}]'),
        (Fault.TYPE_UNSUPPORTED, '[2.5,"c1","ClearCache",{}]'),
        (Fault.PAYLOAD_NOT_OBJECT, '[2,"c1","ClearCache",null]'),
    ],
)
def test_small_deviations_of_the_envelope_that_many_accept_are_remarks(fault, said):
    obs = observation(rejected(Tier.RPC, fault), said=[said])
    assert spoken(obs) == [f"O8 {fault} accepted (remark)"]


@pytest.mark.parametrize(
    ("fault", "said", "action"),
    [
        (Fault.ARITY, '[2,"c1","ClearCache"]', "ClearCache"),
        (Fault.TYPE_UNSUPPORTED, '[9,"c1","ClearCache",{}]', "ClearCache"),
        (Fault.TYPE_UNSUPPORTED, '[true,"c1","ClearCache",{}]', "ClearCache"),
        (Fault.PAYLOAD_NOT_OBJECT, '[2,"c1","ClearCache",[]]', "ClearCache"),
        (Fault.PAYLOAD_NOT_OBJECT, '[2,"c1","Reset",null]', "Reset"),
    ],
)
def test_what_lies_next_to_a_small_deviation_is_a_finding(fault, said, action):
    obs = observation(case(rejected(Tier.RPC, fault), action=action), said=[said])
    assert spoken(obs) == [f"O8 {fault} accepted"]


def test_odd_numbers_are_extensions_of_json_that_a_reader_may_have():
    played = case(
        rejected(Tier.JSON, Fault.NOT_JSON),
        mutations=[mutation("", "number", "not-a-number", channel=Channel.TEXT)],
    )
    assert spoken(observation(played, said=['[2,"c1","ClearCache",{"n":01}]'])) == [
        "O8 not-json accepted (remark)"
    ]


@pytest.mark.parametrize(
    ("expectation", "spoke"),
    [
        (MISSING, ["O8 missing refused by status (remark)"]),
        (rejected(Tier.RPC, Fault.PAYLOAD_NOT_OBJECT), ["O8 payload-not-object refused by status (remark)"]),
        (rejected(Tier.SCHEMA, Fault.DATE_TIME), ["O8 date-time refused by status (remark)"]),
        (rejected(Tier.PRIMITIVE, Fault.IDENTIFIER), []),
        (rejected(Tier.MODEL, Fault.DEVICE_MODEL), []),
        (rejected(Tier.RPC, Fault.ACTION_UNKNOWN), ["O8 action-unknown accepted"]),
    ],
)  # fmt: skip
def test_a_refusing_status_is_lenience_for_broken_messages_and_right_for_values(expectation, spoke):
    assert spoken(observation(expectation, replies=[result(REJECTED)])) == spoke


def test_a_response_without_a_status_shows_that_a_broken_message_was_served():
    played = case(MISSING, action="NotifyReport")
    assert spoken(observation(played, replies=[result({})])) == ["O8 missing accepted"]


def test_a_response_without_a_status_shows_nothing_about_a_bad_value():
    played = case(rejected(Tier.MODEL, Fault.DEVICE_MODEL), action="NotifyReport")
    assert spoken(observation(played, replies=[result({})])) == []


@pytest.mark.parametrize(
    ("pointer", "statuses", "spoke"),
    [
        ("/setVariableData/0/attributeValue", ("Accepted",), ["O8 device-model accepted"]),
        ("/setVariableData/0/attributeValue", ("RebootRequired",), ["O8 device-model accepted"]),
        ("/setVariableData/0/attributeValue", ("Rejected", "Accepted"), []),
        ("/setVariableData/1/attributeValue", ("Rejected", "Accepted"), ["O8 device-model accepted"]),
        ("", ("Rejected", "Accepted"), []),
        ("", ("Accepted", "Accepted"), ["O8 device-model accepted"]),
        ("/setVariableData/0/attributeValue", ("UnknownComponent",), []),
    ],
)  # fmt: skip
def test_a_bad_value_is_accepted_when_its_own_item_is(pointer, statuses, spoke):
    played = case(
        rejected(Tier.MODEL, Fault.DEVICE_MODEL),
        action="SetVariables",
        mutations=[mutation(pointer, "boolean", "maybe")],
    )
    assert spoken(observation(played, replies=[set_variables(*statuses)])) == spoke


def test_a_broken_message_is_accepted_when_any_item_is():
    played = case(MISSING, action="SetVariables")
    obs = observation(played, replies=[set_variables("Rejected", "Accepted")])
    assert spoken(obs) == ["O8 missing accepted"]


@pytest.mark.parametrize(
    "expectation",
    [
        rejected(Tier.SCHEMA, Fault.TYPE, disputed="1.0 is an integer to draft 6"),
        Expectation(Stance.UNSPECIFIED, Tier.JSON, None, "1e999"),
        Expectation(Stance.UNSPECIFIED, Tier.JSON, Fault.HEAVY, "no limit named"),
    ],
)
def test_accepting_what_is_disputed_is_never_held_against_the_target(expectation):
    assert spoken(observation(expectation)) == []


def test_an_id_used_again_is_a_note_in_edition_3_and_allowed_by_the_errata():
    obs = observation(rejected(Tier.RPC, Fault.ID_IN_USE))
    (note,) = judge(obs)
    assert (note.severity, note.remark) == (Severity.INFO, True)
    assert judge(obs, edition="2025-09") == ()


def test_an_unsupported_action_may_be_refused_by_status_and_not_accepted():
    unsupported = rejected(Tier.RPC, Fault.ACTION_UNSUPPORTED)
    assert spoken(observation(unsupported, replies=[result(REJECTED)], supported=[])) == []
    assert spoken(observation(unsupported, supported=[])) == ["O8 action-unsupported accepted"]
    assert spoken(observation(unsupported, supported=["ClearCache"])) == []
    assert spoken(observation(MISSING, replies=[result(REJECTED)], supported=[])) == []


def test_a_lenient_answer_that_breaks_its_own_schema_is_one_finding():
    obs = observation(case(MISSING, action="SetVariables"), replies=[result({})])
    assert spoken(obs) == ["O8 missing accepted"]


@pytest.mark.parametrize(
    "code",
    [
        "FormatViolation",
        "TypeConstraintViolation",
        "PropertyConstraintViolation",
        "OccurrenceConstraintViolation",
        "ProtocolError",
        "RpcFrameworkError",
    ],
)
def test_a_valid_call_refused_as_malformed_is_a_finding(code):
    (violation,) = judge(observation(replies=[error(code)]))
    assert (violation.oracle, violation.basis, violation.severity) == (
        "O9",
        Basis.SHALL,
        Severity.MEDIUM,
    )
    assert violation.symptom == f"valid refused with {code}"


@pytest.mark.parametrize(
    "code", ["NotSupported", "NotImplemented", "SecurityError", "GenericError"]
)
def test_a_valid_call_refused_for_another_reason_is_none(code):
    assert spoken(observation(replies=[error(code)])) == []


def test_an_internal_error_on_a_valid_call_is_a_remark():
    assert spoken(observation(replies=[error("InternalError")])) == ["O9 InternalError (remark)"]


WHOLE = case(
    Expectation(Stance.UNSPECIFIED, Tier.SCHEMA, Fault.TYPE, "Draft 4"),
    mutations=[mutation("/requestId", "type", "integral-float")],
)


def test_a_whole_number_with_a_point_that_is_refused_is_a_remark():
    refused = [error("TypeConstraintViolation")]
    assert spoken(observation(WHOLE, replies=refused)) == ["O9 1.0 refused (remark)"]


@pytest.mark.parametrize("answer", [error("NotSupported"), result(ACCEPTED), result(REJECTED)])
def test_one_that_is_taken_or_is_not_what_is_refused_is_none(answer):
    assert spoken(observation(WHOLE, replies=[answer])) == []


REFUSED = [error("FormatViolation")]


@pytest.mark.parametrize(
    "obs",
    [
        observation(Expectation(Stance.ACCEPT, Tier.SCHEMA), replies=REFUSED),
        observation(Expectation(Stance.ACCEPT, Tier.MODEL, None, "drafts"), replies=REFUSED),
        observation(Expectation(Stance.UNSPECIFIED, Tier.MODEL), replies=REFUSED),
        observation(replies=REFUSED, supported=["Reset"]),
        observation(replies=REFUSED, bytes_per_message={"ClearCache": 10}),
        observation(case(heavy=True), replies=REFUSED),
        observation(
            replies=REFUSED,
            said=[json.dumps([2, "c1", "ClearCache", {"data": [1, 2, 3]}])],
            items_per_message={"ClearCache": 2},
        ),
        observation(case(position=Position.CALLRESULT), replies=[], settled=Settled.BY_ORDER),
    ],
    ids=["schema", "disputed", "unspecified", "unsupported", "bytes", "heavy", "items", "answer"],
)
def test_only_what_is_valid_in_every_respect_must_not_be_refused(obs):
    assert spoken(obs) == []


@pytest.mark.parametrize("code", ["FormatViolation", "TypeConstraintViolation"])
def test_form_that_is_blamed_where_only_the_state_could_be_is_a_remark(code):
    primitive = Expectation(Stance.ACCEPT, Tier.PRIMITIVE)
    assert spoken(observation(primitive, replies=[error(code)])) == [
        f"O9 form blamed with {code} (remark)"
    ]
    for other in (error("PropertyConstraintViolation"), error("InternalError"), result(REJECTED)):
        assert spoken(observation(primitive, replies=[other])) == []
    heavy = case(primitive, heavy=True)
    assert spoken(observation(heavy, replies=[error(code)])) == []


def test_a_message_within_the_limits_must_not_be_refused():
    obs = observation(
        replies=REFUSED,
        said=[json.dumps([2, "c1", "ClearCache", {"data": [1, 2, 3]}])],
        items_per_message={"ClearCache": 3},
        bytes_per_message={"ClearCache": 1_000},
    )
    assert spoken(obs) == ["O9 valid refused with FormatViolation"]


# --- what the target claims to support -----------------------------------------------------------------------


def claiming(obs, *, declared=(), denied=()):
    facts = replace(obs.facts, declared=frozenset(declared), denied=frozenset(denied))
    return replace(obs, facts=facts)


@pytest.mark.parametrize("code", ["NotSupported", "NotImplemented"])
def test_a_claimed_action_that_is_refused_as_unsupported_is_a_remark(code):
    obs = observation(replies=[error(code)], supported=["Reset"])
    assert spoken(claiming(obs, declared=["ClearCache"])) == [f"O9 claimed, but {code} (remark)"]
    assert spoken(claiming(obs, declared=["Reset"])) == []


@pytest.mark.parametrize(
    ("action", "payload", "claim"),
    [
        ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "TriggerMessage/Heartbeat"),
        ("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"}, "GetBaseReport/SummaryInventory"),
    ],
)  # fmt: skip
def test_a_claimed_trigger_or_report_is_refused_by_status(action, payload, claim):
    status = "NotImplemented" if action == "TriggerMessage" else "NotSupported"
    obs = observation(
        case(action=action),
        said=[json.dumps([2, "c1", action, payload])],
        replies=[result({"status": status})],
    )
    assert spoken(claiming(obs, declared=[claim])) == [f"O9 claimed, but {status} (remark)"]
    assert spoken(claiming(obs, declared=[action])) == []
    served = replace(obs, replies=(result({"status": "Rejected"}),))
    assert spoken(claiming(served, declared=[claim])) == []


def test_a_broken_message_may_be_refused_as_unsupported_whatever_is_claimed():
    obs = observation(MISSING, replies=[error("NotSupported")], supported=["Reset"])
    assert spoken(claiming(obs, declared=["ClearCache"])) == []


def test_of_a_denied_action_no_valid_message_need_be_taken():
    obs = observation(replies=REFUSED)
    assert spoken(claiming(obs, denied=["ClearCache"])) == []
    assert spoken(claiming(obs, denied=["Reset"])) == ["O9 valid refused with FormatViolation"]


def test_a_denied_action_that_is_taken_although_broken_is_a_remark():
    obs = observation(MISSING)
    assert spoken(claiming(obs, denied=["ClearCache"])) == ["O8 missing accepted (remark)"]
    lenient = observation(MISSING, replies=[result(REJECTED)])
    assert spoken(claiming(lenient, denied=["ClearCache"])) == []


def test_a_denied_action_is_still_to_be_survived():
    obs = observation(replies=[], process=ProcessEnd(-11), settled=Settled.CUT_SHORT)
    assert spoken(claiming(obs, denied=["ClearCache"])) == ["O1 signal 11"]
