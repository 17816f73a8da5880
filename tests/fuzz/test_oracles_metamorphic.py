"""The same CALL in other bytes: answered alike, or a finding."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from fuzz.records import Ask, Entry, Observation, Who
from fuzz.testing import case, error, mutation, observation, result, spoken
from strategies.labels import Channel, JsonObject, JsonValue
from strategies.samemeaning import KEYWORD, spellings

TAKEN: JsonObject = {"status": "Accepted"}
REFUSED: JsonObject = {"status": "Rejected"}


def exchange(text: str, answer: JsonValue) -> list[Entry]:
    """A CALL of ours and its answer: a payload, an error code, or None for silence."""
    message_id = json.loads(text)[1]
    told = [Entry(0.0, Who.US, "text", text)]
    if answer is not None:
        heard = error(answer, id_=message_id) if isinstance(answer, str) else None
        heard = heard or result(answer, id_=message_id)
        told.append(Entry(0.0, Who.TARGET, "text", heard.text))
    return told


def seen(
    *answers: JsonValue,
    action: str = "ClearCache",
    payload: JsonValue = None,
    spelling: str = "escapes",
    keyword: str = KEYWORD,
    volatile: Iterable[str] = (),
) -> Observation:
    """A CALL said plain, spelled otherwise, and plain again, with these answers."""
    frames: list[JsonValue] = [[2, f"id-{n}", action, payload or {}] for n in range(3)]
    texts = [json.dumps(f, separators=(",", ":")) for f in frames]
    texts[1] = {s.name: s.text for s in spellings(frames[1])}[spelling]
    if spelling == "escapes":
        # The slot of a real case is not escaped.
        texts[1] = texts[1].replace("\\u0069\\u0064-1", "id-1")
    entries = [e for t, a in zip(texts, answers, strict=True) for e in exchange(t, a)]
    alike = mutation("", keyword, spelling, channel=Channel.TEXT)
    said = case(action=action, mutations=[alike], steps=[Ask(("x",))])
    obs = observation(said, said=texts[1:2])
    facts = replace(obs.facts, volatile=frozenset(volatile))
    return replace(obs, entries=entries, facts=facts)


@pytest.mark.parametrize("answer", [TAKEN, REFUSED, "NotSupported"])
def test_equal_answers_are_right(answer: JsonValue) -> None:
    assert spoken(seen(answer, answer, answer)) == []


@pytest.mark.parametrize(
    ("other", "symptom"),
    [
        (REFUSED, "another status"),
        ("FormatViolation", "refused with FormatViolation"),
        (None, "not answered"),
    ],
)
@pytest.mark.parametrize("spelling", ["escapes", "spaces"])
def test_another_kind_of_answer_is_a_finding(other: JsonValue, symptom: str, spelling: str) -> None:
    assert spoken(seen(TAKEN, other, TAKEN, spelling=spelling)) == [f"O26 {symptom}"]


def test_what_is_served_only_in_other_bytes_is_a_finding() -> None:
    obs = seen("FormatViolation", TAKEN, "FormatViolation")
    assert spoken(obs) == ["O26 served, though refused when plain"]


@pytest.mark.parametrize(
    ("before", "after"), [(TAKEN, REFUSED), (TAKEN, "InternalError"), (None, None), (TAKEN, None)]
)
def test_plain_ones_that_differ_prove_nothing(before: JsonValue, after: JsonValue) -> None:
    assert spoken(seen(before, "GenericError", after)) == []


def test_other_cases_are_not_compared() -> None:
    assert spoken(seen(TAKEN, "FormatViolation", TAKEN, keyword="type")) == []


def test_what_does_not_mean_the_same_is_not_compared() -> None:
    obs = seen(TAKEN, "FormatViolation", TAKEN)
    entries = [replace(e, text=e.text.replace("{}", '{"a":1}', 1)) for e in obs.entries[:3]]
    assert spoken(replace(obs, entries=[*entries, *obs.entries[3:]])) == []


def values(value: str) -> JsonObject:
    item: JsonObject = {"component": {"name": "C"}, "variable": {"name": "V"}}
    return {"getVariableResult": [{**item, "attributeStatus": "Accepted", "attributeValue": value}]}


def test_other_values_of_what_is_only_read_are_a_finding_unless_they_change_by_themselves() -> None:
    obs = seen(values("1"), values("2"), values("1"), action="GetVariables")
    assert "O26 other values" in spoken(obs)
    by_itself = seen(values("1"), values("2"), values("1"), action="GetVariables", volatile=["C.V"])
    assert "O26 other values" not in spoken(by_itself)


def test_other_details_of_what_is_done_are_none() -> None:
    first: JsonObject = {"status": "Accepted", "filename": "1"}
    other: JsonObject = {"status": "Accepted", "filename": "2"}
    assert spoken(seen(first, other, first, action="GetLog")) == []


def test_an_action_that_the_target_denies_is_not_compared() -> None:
    obs = seen(TAKEN, REFUSED, TAKEN)
    facts = replace(obs.facts, denied=frozenset({"ClearCache"}))
    assert spoken(replace(obs, facts=facts)) == []
