import json

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.traffic.jsontext import Leaf, changed, leaves

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def walked(value: object, path: tuple[object, ...] = ()) -> list[tuple[tuple[object, ...], object]]:
    match value:
        case dict():
            return [leaf for k, v in value.items() for leaf in walked(v, (*path, k))]
        case list():
            return [leaf for i, v in enumerate(value) for leaf in walked(v, (*path, i))]
        case _:
            return [(path, value)]


def test_leaves_know_where_they_stand() -> None:
    text = '[2, {"a\\"b":[true,"x"]} ]'
    found = [(leaf.path, text[leaf.start : leaf.end], leaf.text, leaf.key) for leaf in leaves(text)]
    assert found == [
        ((0,), "2", None, False),
        ((1, 'a"b'), '"a\\"b"', 'a"b', True),
        ((1, 'a"b', 0), "true", None, False),
        ((1, 'a"b', 1), '"x"', "x", False),
    ]


def test_only_what_is_changed_changes() -> None:
    def shout(leaf: Leaf) -> str | None:
        return '"X"' if leaf.text == "x" and not leaf.key else None

    assert changed('[ "x" ,{"x": "x",  "y":"\\u0078"}]', shout) == '[ "X" ,{"x": "X",  "y":"X"}]'


@pytest.mark.slow
@settings(max_examples=300, deadline=None, database=None)
@given(_JSON, st.sampled_from([None, 1]), st.booleans())
def test_all_leaves_of_any_json_are_found_in_their_places(
    value: object, indent: int | None, plain: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=plain)
    found = [
        (leaf.path, json.loads(text[leaf.start : leaf.end]))
        for leaf in leaves(text)
        if not leaf.key
    ]
    assert found == walked(json.loads(text))
    assert changed(text, lambda leaf: text[leaf.start : leaf.end]) == text
