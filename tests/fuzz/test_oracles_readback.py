"""What was accepted reads back, what was refused changed nothing, and what is not known is no violation."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from fuzz.records import Ask, Close, Entry, Observation, Who
from fuzz.testing import case, observation, rejected, result, spoken
from strategies.labels import Fault, JsonObject, JsonValue, Tier

SCENE = Ask(('[2,"{call.id}","GetVariables",{}]',))

NOT_KEPT = ["O12 accepted but not stored"]
COERCED = ["O12 accepted but stored otherwise"]
REFUSED = ["O12 refused but changed"]
OTHER = ["O12 something else changed"]


def text(who: Who, message: JsonValue) -> Entry:
    return Entry(0.0, who, "text", json.dumps(message))


def exchange(number: int, action: str, payload: JsonValue, answer: JsonValue) -> list[Entry]:
    """A CALL of ours and its answer: a payload, an error code, or None for silence."""
    told = [text(Who.US, [2, f"i{number}", action, payload])]
    if isinstance(answer, str):
        told.append(text(Who.TARGET, [4, f"i{number}", answer, "", {}]))
    elif answer is not None:
        told.append(text(Who.TARGET, [3, f"i{number}", answer]))
    return told


def item(name: str, **more: JsonValue) -> JsonObject:
    return {"component": {"name": "Ctrlr"}, "variable": {"name": name}, **more}


def get(number: int, **values: str) -> list[Entry]:
    asked = {"getVariableData": [item(name) for name in values]}
    told = [item(n, attributeStatus="Accepted", attributeValue=v) for n, v in values.items()]
    return exchange(number, "GetVariables", asked, {"getVariableResult": [*told]})


def put(number: int, name: str, value: str, status: str | None) -> list[Entry]:
    """A SetVariables of one variable; a CALLERROR where the status is one of its codes."""
    asked = {"setVariableData": [item(name, attributeValue=value)]}
    if status is None or status == "FormatViolation":
        return exchange(number, "SetVariables", asked, status)
    told: JsonObject = {"setVariableResult": [item(name, attributeStatus=status)]}
    return exchange(number, "SetVariables", asked, told)


def seen(*parts: Iterable[Entry], volatile: Iterable[str] = ()) -> Observation:
    obs = observation(case(steps=[SCENE]), call_id=None, said=[], replies=[])
    entries = [entry for part in parts for entry in part]
    facts = replace(obs.facts, volatile=frozenset(volatile))
    return replace(obs, entries=entries, facts=facts)


def told(obs: Observation) -> list[str]:
    """What this oracle says."""
    return [line for line in spoken(obs) if line.startswith("O12")]


def test_a_value_that_was_accepted_and_is_told_is_right() -> None:
    assert told(seen(get(1, A="1"), put(2, "A", "2", "Accepted"), get(3, A="2"))) == []


def test_a_spelling_of_the_same_value_is_right() -> None:
    assert told(seen(get(1, A="true"), put(2, "A", "False", "Accepted"), get(3, A="false"))) == []


def test_an_accepted_value_that_is_not_stored_is_a_finding() -> None:
    assert told(seen(get(1, A="1"), put(2, "A", "2", "Accepted"), get(3, A="1"))) == NOT_KEPT


def test_an_accepted_value_that_is_cut_is_a_finding() -> None:
    assert told(seen(put(2, "A", "2147483649", "Accepted"), get(3, A="-2147483647"))) == COERCED
    assert told(seen(get(1, A="1"), put(2, "A", "12abc", "Accepted"), get(3, A="12"))) == COERCED


@pytest.mark.parametrize("status", ["Rejected", "UnknownVariable", "FormatViolation"])
def test_a_refused_value_that_is_stored_is_a_finding(status: str) -> None:
    assert told(seen(get(1, A="1"), put(2, "A", "2", status), get(3, A="2"))) == REFUSED
    assert told(seen(get(1, A="1"), put(2, "A", "2", status), get(3, A="1"))) == []


def test_a_refused_value_that_replaces_an_accepted_one_is_a_finding() -> None:
    steps = [get(1, A="1"), put(2, "A", "2", "Accepted"), put(3, "A", "x", "Rejected")]
    assert told(seen(*steps, get(4, A="x"))) == REFUSED
    assert told(seen(*steps, get(4, A="2"))) == []


def test_another_variable_that_changes_is_a_finding() -> None:
    steps = [get(1, A="1", B="1"), put(2, "A", "2", "Accepted"), get(3, A="2", B="9")]
    assert told(seen(*steps)) == OTHER


def test_a_variable_that_changes_by_itself_is_none() -> None:
    steps = [get(1, A="1", B="1"), put(2, "A", "2", "Accepted"), get(3, A="2", B="9")]
    assert told(seen(*steps, volatile=["ctrlr.b"])) == []
    assert told(seen(get(1, A="1"), get(2, A="2"))) == []


@pytest.mark.parametrize("action", ["TransactionEvent", "StatusNotification"])
def test_while_something_goes_on_at_the_target_other_values_may_change(action: str) -> None:
    steps = [get(1, A="1", B="1"), put(2, "A", "2", "Accepted"), get(3, A="2", B="9")]
    goes_on = [text(Who.TARGET, [2, "t", action, {}])]
    assert told(seen(goes_on, *steps)) == []
    assert (
        told(seen(goes_on, get(1, A="1"), put(2, "A", "2", "Rejected"), get(3, A="2"))) == REFUSED
    )


def test_names_are_compared_without_regard_to_case() -> None:
    assert told(seen(get(1, a="1"), put(2, "A", "2", "Rejected"), get(3, a="2"))) == REFUSED


def test_a_value_that_waits_for_a_reboot_may_be_either() -> None:
    for value in ("1", "2"):
        steps = [get(1, A="1"), put(2, "A", "2", "RebootRequired"), get(3, A=value)]
        assert told(seen(*steps)) == []


def test_without_an_answer_either_value_is_right() -> None:
    assert told(seen(get(1, A="1"), put(2, "A", "2", None), get(3, A="2"))) == []


@pytest.mark.parametrize(
    "between",
    [
        [text(Who.TARGET, [2, "b", "BootNotification", {"reason": "PowerUp"}])],
        [Entry(0.0, Who.HARNESS, "operator", "plug-in 1")],
        [Entry(0.0, Who.HARNESS, "open", "a new connection")],
        exchange(9, "Reset", {"type": "Immediate"}, {"status": "Accepted"}),
        exchange(9, "SetNetworkProfile", {}, {"status": "Accepted"}),
    ],
)
def test_whatever_else_happens_makes_a_reading_worthless(between: list[Entry]) -> None:
    assert told(seen(get(1, A="1"), put(2, "A", "2", "Rejected"), between, get(3, A="2"))) == []


def test_calls_that_were_open_at_once_prove_nothing() -> None:
    first, second = get(1, A="1"), put(2, "A", "2", "Rejected")
    assert told(seen(get(0, A="0"), [first[0], second[0], first[1], second[1]])) == []
    crossed = [second[0], *get(3, A="2"), second[1]]
    assert told(seen(get(0, A="1"), crossed)) == []


def test_one_symptom_is_told_once() -> None:
    steps = [get(1, A="1"), put(2, "A", "2", "Rejected"), get(3, A="2")]
    again = [put(4, "A", "3", "Rejected"), get(5, A="3")]
    assert told(seen(*steps, *again)) == REFUSED


def test_an_oracle_that_has_spoken_of_the_acceptance_is_enough() -> None:
    obs = seen(get(1, A="1"), put(2, "A", "12abc", "Accepted"), get(3, A="12"))
    wrong = case(rejected(Tier.MODEL, Fault.DEVICE_MODEL), action="SetVariables", steps=[SCENE])
    accepted = result({"setVariableResult": [item("A", attributeStatus="Accepted")]})
    both = replace(obs, case=wrong, replies=(accepted,), said=("x",), call_id="c1")
    assert spoken(both) == ["O8 device-model accepted"]


def test_a_target_that_is_gone_is_not_asked_what_it_kept() -> None:
    obs = seen(get(1, A="1"), put(2, "A", "2", "Accepted"), get(3, A="1"))
    assert told(obs) == NOT_KEPT
    assert told(replace(obs, close=Close(1006))) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"getVariableResult": None},
        {"getVariableResult": [1, None, {}, {"attributeStatus": "Accepted"}]},
        {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": 3}]},
        [],
        "GenericError",
    ],
)
def test_answers_of_the_wrong_shape_are_left_to_others(answer: JsonValue) -> None:
    read = exchange(1, "GetVariables", {}, answer)
    assert told(seen(read, put(2, "A", "2", "Accepted"), read)) == []


def test_what_the_target_denies_need_not_be_kept() -> None:
    shown = {"message": {"id": 7, "priority": "NormalCycle"}}
    obs = seen(
        exchange(1, "SetDisplayMessage", shown, {"status": "Accepted"}),
        exchange(2, "GetDisplayMessages", {"requestId": 1, "id": [7]}, {"status": "Unknown"}),
    )
    assert told(obs) == NOT_KEPT
    facts = replace(obs.facts, denied=frozenset({"SetDisplayMessage", "GetDisplayMessages"}))
    assert told(replace(obs, facts=facts)) == []


# --- how many certificates there are --------------------------------------------------------------------------


def count(number: int, value: str) -> list[Entry]:
    named = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "CertificateEntries"}}
    told = {**named, "attributeStatus": "Accepted", "attributeValue": value}
    return exchange(
        number, "GetVariables", {"getVariableData": [named]}, {"getVariableResult": [told]}
    )


def come(number: int, status: str = "Accepted") -> list[Entry]:
    return exchange(number, "InstallCertificate", {}, {"status": status})


def gone(number: int, status: str = "Accepted") -> list[Entry]:
    return exchange(number, "DeleteCertificate", {"certificateHashData": {}}, {"status": status})


@pytest.mark.parametrize("then", ["2", "3"])
def test_more_certificates_after_one_came_and_went_are_found(then: str) -> None:
    assert told(seen(count(1, "1"), come(2), gone(3), count(4, then))) == [
        "O12 deleted and still counted"
    ]


@pytest.mark.parametrize(
    "parts",
    [
        (count(1, "1"), come(2), gone(3), count(4, "1")),
        (count(1, "1"), come(2), gone(3), count(4, "0")),
        (count(1, "1"), come(2), count(3, "2"), gone(4), count(5, "1")),
        (count(1, "1"), come(2), gone(3, "NotFound"), count(4, "2")),
        (count(1, "1"), come(2), gone(3), exchange(9, "Reset", {}, {}), count(4, "2")),
        (come(2), gone(3), count(4, "2")),
        (count(1, "1"), come(2), gone(3), count(4, "many")),
    ],
    ids=["same", "fewer", "read-between", "kept", "something-else", "unread", "no-number"],
)
def test_what_certificates_may_come_to_is_right(parts: tuple[list[Entry], ...]) -> None:
    assert told(seen(*parts)) == []
