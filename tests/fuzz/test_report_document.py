"""JSON and NDJSON fit the published schema whatever a target said."""

import json
from dataclasses import replace

import jsonschema_rs
import pytest
from hypothesis import given, strategies as st

from fuzz.report.document import MAX_DETAIL_BYTES, SCHEMA_FILE, document, lines, plain
from fuzz.testing import HOSTILE, results

SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))
WHOLE = jsonschema_rs.validator_for(SCHEMA)
LINE = jsonschema_rs.validator_for({**SCHEMA["$defs"]["line"], "$defs": SCHEMA["$defs"]})


@given(st.text(st.characters(codec=None)))
def test_any_text_of_a_target_leaves_a_valid_document_without_lone_surrogates(text):
    told = document(results(text, accepted=text))
    WHOLE.validate(json.loads(told))
    json.loads(told)["attacked"].encode()
    for line in lines(results(text)).splitlines():
        LINE.validate(json.loads(line))
        json.dumps(json.loads(line), ensure_ascii=False).encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_ascii_and_short(text):
    for told in (document(results(text)), lines(results(text))):
        assert told.isascii()
        assert len(told) < 200_000


def test_who_was_attacked_is_the_first_line_of_both():
    assert document(results("x")).splitlines()[1].startswith(' "attacked": "Charging Station x x')
    assert lines(results("x")).startswith('{"attacked": "Charging Station x x')


def test_checks_name_their_findings_and_findings_are_told_once():
    value = json.loads(document(results("boom")))
    assert [f["fingerprint"] for f in value["findings"]] == ["1a2b3c4d5e6f7081"]
    assert {c["status"]: c["findings"] for c in value["checks"]}["failed"] == ["1a2b3c4d5e6f7081"]
    assert value["findings"][0]["case"] == {"path": "findings/O1-1a2b3c4d/boom", "line": 3}
    assert value["counts"] == {
        "passed": 1,
        "failed": 1,
        "remark": 1,
        "inconclusive": 1,
        "not run": 1,
    }


def test_lines_come_in_the_order_of_a_stream():
    events = [json.loads(line)["event"] for line in lines(results()).splitlines()]
    assert events == ["begin", "finding", *["check"] * 5, "end"]


def test_a_run_of_nothing_is_a_valid_document():
    empty = replace(results(), checks=(), rules=(), seed=None, began="", details={})
    WHOLE.validate(json.loads(document(empty)))
    assert [json.loads(line)["event"] for line in lines(empty).splitlines()] == ["begin", "end"]


def test_a_document_of_another_form_is_refused_by_the_schema():
    value = json.loads(document(results()))
    assert not WHOLE.is_valid({**value, "more": 1})
    assert not WHOLE.is_valid({**value, "format": 2})
    assert not LINE.is_valid({"event": "finding"})


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": (1, 2.5, None, True)}, {"a": [1, 2.5, None, True]}),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("two\nlines\ud800", "two\nlines\\ud800"),
        ({1: b"\x00"}, {"1": [0]}),
        (SCHEMA_FILE.__class__("a"), "a"),
    ],
)
def test_details_become_plain_json(value, told):
    assert plain(value) == told


def test_a_long_detail_is_cut_even_when_it_has_many_lines():
    assert len(plain("x\n" * 1_000_000)) <= MAX_DETAIL_BYTES
