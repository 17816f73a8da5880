"""A report that is read back is the one that was written, and anything else is refused in one line."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.errors import UsageError
from fuzz.report.document import document
from fuzz.report.reading import results_in
from fuzz.testing import results


@given(st.text(st.characters(codec=None), max_size=5))
def test_what_was_written_comes_back(text):
    written = document(results(text))
    assert document(results_in(json.loads(written), "x")) == written


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"attacked": 1}, "text", json.loads(document(results())) | {"seed": "7"}],
)
def test_what_is_no_report_is_refused_with_its_name_and_the_next_step(value):
    with pytest.raises(UsageError) as refused:
        results_in(value, "some.json")
    told = str(refused.value)
    assert told.startswith("some.json is no report of ocppfuzz: ")
    assert told.endswith("write one with --json FILE, or name a folder of findings")
    assert "\n" not in told


def test_every_finding_finds_its_check_again():
    (issue,) = results_in(json.loads(document(results("boom"))), "x").issues
    (before,) = results("boom").issues
    assert issue == replace(before, dossier=None)
