"""Pictures are static SVG, the same for the same numbers, and whatever a state is called."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.report.page.figures import DARK, LIGHT, distribution, graph

pytest.importorskip("matplotlib")
NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Co", "Cn")), min_size=1, max_size=20
)


def tags(svg: bytes) -> set[str]:
    return {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=200))
def test_any_times_are_drawn_without_anything_that_runs(seconds):
    drawn = distribution(sorted(seconds), 10.0, LIGHT)
    assert not {"script", "foreignObject", "image", "a"} & tags(drawn)
    assert b"limit 10 s" in drawn


@settings(max_examples=10, deadline=None)
@pytest.mark.filterwarnings("ignore:Glyph")
@given(st.dictionaries(NAMES, st.booleans(), min_size=1, max_size=6), st.data())
def test_any_states_are_drawn_without_anything_that_runs(states, data):
    pairs = st.tuples(*[st.sampled_from(sorted(states))] * 2)
    changes = data.draw(st.dictionaries(pairs, st.booleans(), max_size=6))
    assert not {"script", "foreignObject", "image", "a"} & tags(graph(states, changes, DARK))


def test_the_same_numbers_are_the_same_bytes():
    states, changes = {"a/x": True, "b/x": False}, {("a/x", "b/x"): True}
    assert graph(states, changes, LIGHT) == graph(states, changes, LIGHT)
    assert graph(states, changes, LIGHT) != graph(states, changes, DARK)
