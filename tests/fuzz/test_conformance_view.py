"""A view reads any payload by dotted path, and never fails on what is missing."""

import math

import pytest
from hypothesis import given, strategies as st

from fuzz.conformance.view import View

PAYLOAD = {"a": {"b": [{"c": 1.5}, {"c": "x"}]}, "s": "text", "t": True}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_path_leads_through_objects_and_lists():
    view = View(PAYLOAD)
    assert view["a.b.0.c"] == 1.5
    assert view.text("a.b.1.c") == "x"
    assert [item["c"] for item in view.list("a.b")] == [1.5, "x"]
    assert "a.b.1" in view
    assert "a.b.2" not in view


def test_what_is_of_another_type_counts_as_absent():
    view = View(PAYLOAD)
    assert view.text("a") == ""
    assert view.list("s") == []
    assert math.isnan(view.number("t"))
    assert math.isnan(view.number("s"))
    assert view.number("a.b.0.c") == 1.5


@pytest.mark.slow
@given(st.dictionaries(st.text(), json_values), st.text())
def test_no_path_into_any_payload_raises(payload, path):
    view = View(payload)
    assert (path in view) == (view[path] is not None)
    assert view.text(path) == (view[path] if isinstance(view[path], str) else "")
    assert len(view.list(path)) <= (len(view[path]) if isinstance(view[path], list) else 0)


def test_a_view_fits_members_and_predicates():
    view = View(PAYLOAD)
    assert view.fits(None)
    assert view.fits({"s": "text", "a.b.0.c": 1.5})
    assert not view.fits({"s": "text", "a.b.0.c": 2})
    assert view.fits(lambda v: v["t"] is True)
    assert not view.fits(lambda v: "z" in v)
