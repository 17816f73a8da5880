"""Every spelling is read back as what was spelled, and none is what we usually write."""

import json

import pytest
from hypothesis import given, strategies as st

from strategies.labels import JsonValue
from strategies.samemeaning import Spelling, all_together, plain, spellings

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

FRAME: JsonValue = [2, "{call.id}", "DataTransfer", {"vendorId": "a/b", "data": "ü\U0001f50c"}]


def spelled(name: str, value: JsonValue = FRAME) -> str:
    return {s.name: s.text for s in spellings(value)}[name]


@given(VALUES)
def test_every_spelling_means_the_same(value: JsonValue) -> None:
    for spelling in (*spellings(value), all_together(value)):
        assert json.loads(spelling.text) == value


@given(VALUES)
def test_no_spelling_is_the_usual_one_or_another(value: JsonValue) -> None:
    texts = [plain(value), *(s.text for s in spellings(value))]
    assert len(set(texts)) == len(texts)


@given(VALUES)
def test_every_spelling_can_be_sent_as_utf8(value: JsonValue) -> None:
    for spelling in spellings(value):
        assert spelling.text.encode("utf-8").decode("utf-8") == spelling.text


@pytest.mark.parametrize("spelling", [*spellings(FRAME), all_together(FRAME)])
def test_slots_are_left_to_be_filled(spelling: Spelling) -> None:
    assert '"{call.id}"' in spelling.text


def test_each_way_changes_what_it_is_called_after() -> None:
    assert "DataTransfer" not in spelled("escapes")
    assert "a\\/b" in spelled("solidus")
    assert "ü\U0001f50c" in spelled("raw-utf8")
    assert spelled("key-order").index("data") < spelled("key-order").index("vendorId")
    assert spelled("around").strip() == plain(FRAME)
    assert "[ 2 , " in spelled("spaces")
    assert "\r\n" in spelled("lines")


def test_hexadecimal_digits_of_an_escape_may_be_upper_case() -> None:
    assert spelled("escapes", "jump") == '"\\u006a\\u0075\\u006d\\u0070"'
    assert spelled("escapes-upper", "jump") == '"\\u006A\\u0075\\u006D\\u0070"'


def test_what_has_nothing_to_change_has_fewer_spellings() -> None:
    assert {s.name for s in spellings(1)} == {"around"}


def test_numbers_stay_as_they_are_because_their_spellings_are_disputed() -> None:
    assert all("1.0" in s.text and "1e" not in s.text for s in spellings([1.0, 1]))
