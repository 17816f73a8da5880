"""A reduction still fails, is never larger, keeps its class and its budget, at any depth."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from hypothesis import given, strategies as st

from fuzz.engine.reducer import canonical, reduce, reduce_text
from strategies.labels import JsonValue

T = TypeVar("T")

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)
PLANTED = {
    "timestamp": "2026-01-01T00:00:00.000Z",
    "seqNo": 17,
    "offline": False,
    "transactionInfo": {"transactionId": "9f3c", "chargingState": "Charging", "remoteStartId": 99},
    "meterValue": [
        {
            "timestamp": f"2026-01-01T00:00:{n:02d}.000Z",
            "sampledValue": [
                {"value": n * 10 + m, "context": "Sample.Periodic", "measurand": "Voltage"}
                for m in range(3)
            ],
        }
        for n in range(6)
    ],
    "customData": {"vendorId": "somebody", "notes": ["x" * 200, "y" * 300, {"z": list(range(40))}]},
}


class Asked:
    """Counts what a predicate was asked, and never answers the same question twice."""

    def __init__(self, fails: Callable[[JsonValue], bool]) -> None:
        self.fails = fails
        self.questions: list[str] = []

    async def __call__(self, candidate: JsonValue) -> bool:
        text = canonical(candidate)
        assert text not in self.questions, "asked twice"
        self.questions.append(text)
        return self.fails(candidate)


def anything(candidate: object) -> bool:
    return True


def finished(work: Awaitable[T]) -> T:
    async def wait() -> T:
        return await work

    return asyncio.run(wait())


def nested(depth: int) -> JsonValue:
    value: JsonValue = 0
    for _ in range(depth):
        value = [value]
    return value


def depth_of(value: JsonValue) -> int:
    depth = 0
    while isinstance(value, list | dict) and value:
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
        depth += 1
    return depth


@given(VALUES, st.integers(0, 6), st.integers(0, 60))
def test_a_reduction_still_fails_and_is_no_larger(
    value: JsonValue, needed: int, max_calls: int
) -> None:
    def fails(candidate: JsonValue) -> bool:
        return canonical(candidate).count('"') >= min(needed, canonical(value).count('"'))

    asked = Asked(fails)
    found = finished(reduce(value, asked, allowed=anything, max_calls=max_calls))

    assert fails(found.value)
    assert len(canonical(found.value)) <= len(canonical(value))
    assert found.calls == len(asked.questions) <= max_calls
    assert canonical(value) not in asked.questions
    assert found.value is value or canonical(found.value) in asked.questions


@given(VALUES)
def test_what_is_not_allowed_is_never_asked(value: JsonValue) -> None:
    def allowed(candidate: JsonValue) -> bool:
        return isinstance(candidate, dict) and "a" in candidate

    asked = Asked(anything)
    found = finished(reduce({"a": value}, asked, allowed=allowed, max_calls=500))

    assert all(allowed(json.loads(text)) for text in asked.questions)
    assert allowed(found.value)


@given(VALUES)
def test_when_everything_fails_nothing_is_left(value: JsonValue) -> None:
    found = finished(reduce({"a": [value]}, Asked(anything), allowed=anything, max_calls=500))

    assert found.value == {}
    assert found.complete


@given(VALUES)
def test_when_nothing_smaller_fails_the_value_stays(value: JsonValue) -> None:
    found = finished(reduce(value, Asked(lambda c: False), allowed=anything, max_calls=5_000))

    assert found.value is value
    assert found.complete


@given(VALUES, st.integers(0, 30))
def test_a_reduction_is_the_same_each_time(value: JsonValue, max_calls: int) -> None:
    def fails(candidate: JsonValue) -> bool:
        return len(canonical(candidate)) % 3 != 1

    first = finished(reduce(value, Asked(fails), allowed=anything, max_calls=max_calls))
    again = finished(reduce(value, Asked(fails), allowed=anything, max_calls=max_calls))

    assert canonical(again.value) == canonical(first.value)
    assert (again.calls, again.complete) == (first.calls, first.complete)


def test_a_fault_planted_three_levels_down_is_laid_bare_within_a_hundred_calls() -> None:
    def fails(candidate: JsonValue) -> bool:
        values = candidate.get("meterValue", [])
        return any(s.get("value", 0) > 40 for m in values for s in m.get("sampledValue", []))

    found = finished(reduce(PLANTED, Asked(fails), allowed=anything, max_calls=100))

    assert found.value == {"meterValue": [{"sampledValue": [{"value": 41}]}]}
    assert found.complete


def test_required_members_stay_and_cost_no_call() -> None:
    def allowed(candidate: JsonValue) -> bool:
        return isinstance(candidate, dict) and {"timestamp", "seqNo", "transactionInfo"} <= set(
            candidate
        )

    found = finished(
        reduce(PLANTED, Asked(lambda c: c["seqNo"] > 3), allowed=allowed, max_calls=100)
    )

    assert found.value == {"timestamp": "", "seqNo": 4, "transactionInfo": {}}


@pytest.mark.parametrize(
    ("leaf", "fails", "smallest"),
    [
        (2**64, lambda n: n > 1_000, 1_001),
        (-70_000, lambda n: n < -5, -6),
        (7, lambda n: n != 0, 1),
        (1234.5678, lambda n: n > 3, 4),
        (0.123456, lambda n: 0 < n < 0.9, 0.1),
        ("x" * 500, lambda s: len(s) > 50, "0" * 51),
        ("abcdefgh%nijklmnop", lambda s: "%n" in s, "%n"),
        ("abc", lambda s: isinstance(s, str), ""),
    ],
)
def test_leaves_come_down_to_what_still_fails(
    leaf: JsonValue, fails: Callable[[JsonValue], bool], smallest: JsonValue
) -> None:
    def alike(candidate: JsonValue) -> bool:
        return type(candidate) in (type(leaf), int) and fails(candidate)

    found = finished(reduce(leaf, Asked(alike), allowed=anything, max_calls=100))

    assert found.value == smallest


@pytest.mark.slow
def test_a_hundred_thousand_levels_come_down_to_those_that_count() -> None:
    start: JsonValue = {"customData": {"vendorId": "x", "n": nested(100_000)}}

    def fails(candidate: JsonValue) -> bool:
        custom = candidate.get("customData") if isinstance(candidate, dict) else None
        return isinstance(custom, dict) and depth_of(custom.get("n")) > 1_000

    found = finished(reduce(start, Asked(fails), allowed=anything, max_calls=100))

    assert list(found.value["customData"]) == ["n"]
    assert depth_of(found.value["customData"]["n"]) == 1_001
    assert found.complete


@pytest.mark.slow
def test_work_that_no_call_pays_for_comes_to_an_end() -> None:
    wide: JsonValue = list(range(100_000))
    found = finished(reduce(wide, Asked(anything), allowed=lambda c: c == wide, max_calls=10))

    assert (found.value, found.calls, found.complete) == (wide, 0, False)


def test_what_the_predicate_raises_comes_out() -> None:
    async def broken(candidate: JsonValue) -> bool:
        raise ConnectionError("the target is gone")

    with pytest.raises(ConnectionError, match="the target is gone"):
        finished(reduce([1], broken, allowed=anything, max_calls=10))


@given(VALUES)
def test_one_canonical_text_is_read_back_as_the_same_value(value: JsonValue) -> None:
    deep = value
    for _ in range(3_000):
        deep = [deep]

    assert json.loads(canonical(value)) == value
    assert canonical(deep) == "[" * 3_000 + canonical(value) + "]" * 3_000


def test_integers_too_long_for_decimal_have_a_canonical_text() -> None:
    assert canonical([10**5_000, -(10**5_000)]) != canonical([10**5_000 + 1, -(10**5_000)])


@given(st.text(alphabet='[]{}",:ab1\\', max_size=60), st.sampled_from('[{"a'))
def test_a_reduced_text_still_fails_and_is_no_longer(text: str, needle: str) -> None:
    asked = Asked(lambda t: needle in t)
    found = finished(reduce_text(text + needle, asked, allowed=anything, max_calls=200))

    assert found.value == needle
    assert found.calls == len(asked.questions) <= 200


def test_a_text_keeps_its_class_and_its_budget() -> None:
    asked = Asked(anything)
    found = finished(
        reduce_text("[2,3,4]" * 5, asked, allowed=lambda t: t.startswith("[2"), max_calls=3)
    )

    assert found.value.startswith("[2")
    assert len(asked.questions) == found.calls <= 3


def test_brackets_that_close_are_shortened_together() -> None:
    start = '{"n":' + "[" * 100_000 + "]" * 100_000 + "}"

    def balanced(text: str) -> bool:
        return text.count("[") == text.count("]") and text.startswith('{"n":')

    found = finished(
        reduce_text(start, Asked(lambda t: t.count("[") > 900), allowed=balanced, max_calls=60)
    )

    assert found.value.count("[") == 901
    assert balanced(found.value)
    assert found.calls < 40


def test_a_run_that_cannot_shrink_does_not_keep_another_from_it() -> None:
    start = "a" * 40 + "-" + "bc" * 40 + "-" + "d" * 20
    found = finished(
        reduce_text(start, Asked(lambda t: t.count("a") >= 40), allowed=anything, max_calls=200)
    )

    assert found.value == "a" * 40
