import pytest

from fuzz.records import RepeatSteps, SendText
from fuzz.testing import (
    case,
    heard,
    note,
    observation,
    rejected,
    result,
    scene,
    spoken,
    target,
    us,
    voice,
)
from strategies.labels import Fault, Repeated, Tier

BROKEN = rejected(Tier.SCHEMA, Fault.EXTRA)
EVENT = {"eventType": "Started", "seqNo": 0, "timestamp": "2026-01-01T00:00:00Z"}
RETRY = "MessageAttemptInterval"


def long_case(length):
    text = ('[2,"{call.id}","ClearCache",{"x":"', Repeated("x", length), '"}]')
    return case(BROKEN, steps=[RepeatSteps((SendText(text),), 2)])


def described(length):
    return [heard([4, "c1", "FormatViolation", "", {"received": "x" * length}])]


def sent(moments, action="TransactionEvent", payload=EVENT):
    return [target(at, [2, f"t{n}", action, payload]) for n, at in enumerate(moments)]


def refused(moments):
    """The same TransactionEvent at these moments, each answered with a CALLERROR at once."""
    for n, entry in enumerate(sent(moments)):
        yield entry
        yield us(entry.at_s, [4, f"t{n}", "InternalError", "", {}])


def shows_interval(value, status="Accepted", instance="TransactionEvent", action="GetVariables"):
    variable = {"name": RETRY} | ({"instance": instance} if instance else {})
    about = {"component": {"name": "OCPPCommCtrlr"}, "variable": variable}
    name = f"{action[0].lower()}{action[1:-1]}"
    asked = {"attributeValue": value} if action == "SetVariables" else {}
    told = {"attributeStatus": status} | ({} if asked else {"attributeValue": value})
    return [
        us(0.0, [2, "q", action, {f"{name}Data": [about | asked]}]),
        target(0.1, [3, "q", {f"{name}Result": [about | told]}]),
    ]


# --- amplification ------------------------------------------------------------------------------------------


def test_an_error_four_times_as_long_as_its_message_is_an_amplifier():
    obs = observation(long_case(100_000), replies=described(401_000))
    assert spoken(obs) == ["O22 amplified error"]


@pytest.mark.parametrize(("said", "told"), [(100_000, 290_000), (2_000, 9_000), (100_000, 150)])
def test_an_error_that_is_not_much_longer_is_none(said, told):
    assert spoken(observation(long_case(said), replies=described(told))) == []


def test_a_long_answer_that_holds_what_was_asked_for_is_none():
    item = {"attributeStatus": "Accepted", "attributeValue": "x" * 20_000}
    obs = observation(case(action="X"), replies=[result({"getVariableResult": [item]})])
    assert not any(line.startswith("O22") for line in spoken(obs))


# --- repetitions --------------------------------------------------------------------------------------------


def o22(obs):
    return [line for line in spoken(obs) if line.startswith("O22")]


def test_the_same_call_five_times_at_once_is_a_storm():
    obs = scene(*refused([1.0, 1.1, 1.2, 1.3, 1.4]))
    assert o22(obs) == ["O22 TransactionEvent sent again at once"]


def test_a_storm_is_seen_in_a_case_of_one_message_too():
    entries = sent([1.0, 1.01, 1.02, 1.03, 1.04], "BootNotification", {"reason": "PowerUp"})
    obs = scene(*entries, played=case())
    assert o22(obs) == ["O22 BootNotification sent again at once"]


def test_what_changes_from_call_to_call_is_none():
    events = [
        target(1.0, [2, f"t{n}", "TransactionEvent", {**EVENT, "seqNo": n}]) for n in range(9)
    ]
    assert o22(scene(*events)) == []


@pytest.mark.parametrize("moments", [[1, 2, 3, 4, 5], [1.0, 1.1, 1.2, 1.3]])
def test_a_few_repetitions_or_slow_ones_are_none(moments):
    assert o22(scene(*refused(moments))) == []


def test_what_is_said_on_a_new_connection_again_is_none():
    first, second = sent([1, 1.1, 1.2]), sent([1.4, 1.5, 1.6])
    assert o22(scene(*first, note(1.3, "close", "1006"), note(1.35, "open"), *second)) == []


def test_what_we_asked_for_as_often_is_none():
    asked = [
        us(0.5, [2, f"a{n}", "TriggerMessage", {"requestedMessage": "Heartbeat"}]) for n in range(6)
    ]
    beats = sent([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], "Heartbeat", {})
    assert o22(scene(*asked, *beats)) == []
    assert o22(scene(*beats)) == ["O22 Heartbeat sent again at once"]


def test_what_an_operator_did_as_often_is_none():
    shown = [note(0.5, "operator", "present-token 04A1B2C3") for _ in range(5)]
    assert o22(scene(*shown, *sent([1.0] * 5, "Authorize", {"idToken": {}}))) == []


# --- the interval of E13 ------------------------------------------------------------------------------------

EARLY = ["O22 TransactionEvent sent again too early"]


@pytest.mark.parametrize("action", ["GetVariables", "SetVariables"])
def test_a_repetition_before_the_interval_that_the_scene_has_shown_is_too_early(action):
    assert o22(scene(*shows_interval("10", action=action), *refused([1.0, 1.1]))) == EARLY


def test_each_interval_must_be_longer_than_the_one_before():
    assert o22(scene(*shows_interval("10"), *refused([1, 11, 22]))) == EARLY
    assert o22(scene(*shows_interval("10"), *refused([1, 11, 31]))) == []


@pytest.mark.parametrize(
    "shown",
    [
        shows_interval("10", status="Rejected"),
        shows_interval("10", instance="Other"),
        shows_interval("10", instance=""),
        shows_interval("0"),
        shows_interval("soon"),
        [],
    ],
)
def test_without_the_interval_one_repetition_is_none(shown):
    assert o22(scene(*shown, *refused([1.0, 1.1]))) == []


def test_an_interval_that_changes_meanwhile_is_not_held_against_the_wait_before():
    first, second = list(refused([1.0])), sent([2.1])
    longer = shows_interval("60", action="SetVariables")
    assert o22(scene(*shows_interval("1"), *first, *longer, *second)) == []


# --- floods -------------------------------------------------------------------------------------------------


def meters(count, **more):
    return [
        target(1 + n / 100, [2, f"m{n}", "TransactionEvent", {"seqNo": n, **more}])
        for n in range(count)
    ]


def test_more_than_thirty_calls_of_one_action_within_a_second_are_a_flood():
    assert o22(scene(*meters(31))) == ["O22 flood of TransactionEvent"]


def test_what_waited_for_the_network_and_parts_of_a_report_are_none():
    parts = [target(1, [2, f"r{n}", "NotifyReport", {"seqNo": n}]) for n in range(60)]
    assert o22(scene(*meters(30), *meters(40, offline=True), *parts)) == []


def test_harmless_calls_of_the_proper_voice_excuse_nothing():
    probes = [voice(0.5, [2, f"p{n}", "GetVariables", {}]) for n in range(9)]
    assert o22(scene(*probes, *meters(31))) == ["O22 flood of TransactionEvent"]


def test_a_payload_too_deep_to_be_written_is_compared_as_it_came():
    deep = "[" * 500 + "]" * 500
    entries = [target(1.0, f'[2,"t","Heartbeat",{{"x":{deep}}}]') for _ in range(5)]
    assert o22(scene(*entries)) == ["O22 Heartbeat sent again at once"]


def test_security_events_of_different_moments_are_different_events():
    events = [
        target(1.0, [2, f"e{n}", "SecurityEventNotification", {"type": "x", "timestamp": str(n)}])
        for n in range(9)
    ]
    assert o22(scene(*events)) == []


def repeated(action, answers, every_s):
    """A CALL that comes so often, each answered so."""
    for n, answer in enumerate(answers):
        yield target(n * every_s, [2, f"m{n}", action, {"n": n}])
        yield voice(n * every_s + 0.01, [answer[0], f"m{n}", *answer[1:]])


GOOD = (3, {"status": "Accepted"})


@pytest.mark.parametrize(
    ("action", "answers", "every_s", "told"),
    [
        ("SignCertificate", [GOOD] * 4, 1.0, ["O22 SignCertificate said again although answered"]),
        ("SignCertificate", [GOOD] * 3, 1.0, []),
        ("SignCertificate", [GOOD] * 4, 10.0, []),
        ("SignCertificate", [(4, "InternalError", "", {})] * 4, 1.0, []),
        ("BootNotification", [(3, {"status": "Rejected"})] * 4, 1.0, []),
        ("Heartbeat", [GOOD] * 4, 1.0, []),
    ],
)
def test_what_was_answered_well_is_not_said_again_and_again(action, answers, every_s, told):
    lines = spoken(scene(*repeated(action, answers, every_s)))
    assert [line for line in lines if line.startswith("O22")] == told
