"""A folder remembers its runs: each whole, the last thousand, whatever somebody did to the file."""

import pytest
from hypothesis import given, settings, strategies as st

from fuzz import store
from fuzz.errors import CaseFormatError
from fuzz.store.history import MAX_PAST, PastRun

TEXT = st.text(st.characters(codec=None), max_size=20)
PAST = st.builds(PastRun, TEXT, TEXT, TEXT, TEXT, st.booleans(), st.tuples(TEXT), st.tuples(TEXT))


def past(number: int) -> PastRun:
    return PastRun("run", f"{number}", "Vendor Model", "1.2", True, found=("a",), fixed=("b",))


@settings(max_examples=25, deadline=None)
@given(st.lists(PAST, max_size=3))
def test_what_is_remembered_comes_back_in_order(tmp_path_factory, runs):
    root = tmp_path_factory.mktemp("findings")
    for run in runs:
        store.remember(root, run)
    assert store.past_runs(root) == tuple(runs)


def test_an_unknown_folder_remembers_nothing(tmp_path):
    assert store.past_runs(tmp_path / "none") == ()
    assert store.load_reports(tmp_path / "none") == {}
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "line", [b"no JSON", b"[]", b'{"format": 99}', b'{"format": 1}', b"\xff", b"[" * 100_000]
)
def test_a_line_that_nobody_can_read_counts_for_nothing(tmp_path, line):
    store.remember(tmp_path, past(1))
    file = tmp_path / ".campaign" / "runs.ndjson"
    file.write_bytes(line + b"\n" + file.read_bytes())
    store.remember(tmp_path, past(2))
    assert store.past_runs(tmp_path) == (past(1), past(2))


def test_only_the_last_ones_are_kept(tmp_path):
    store.remember(tmp_path, past(0))
    file = tmp_path / ".campaign" / "runs.ndjson"
    file.write_bytes(file.read_bytes() * MAX_PAST)
    store.remember(tmp_path, past(1))
    kept = store.past_runs(tmp_path)
    assert (len(kept), kept[-1]) == (MAX_PAST, past(1))


def test_the_last_report_of_each_command_is_kept(tmp_path):
    for text in ('{"first": 1}', '{"second": 2}'):
        store.save_report(tmp_path, "run", text)
    store.save_report(tmp_path, "tls", "[]")
    assert store.load_reports(tmp_path) == {"run": {"second": 2}, "tls": []}


def test_a_report_that_is_no_json_is_told(tmp_path):
    store.save_report(tmp_path, "run", "oops")
    with pytest.raises(CaseFormatError, match=r"last-run\.json: line 1: not readable as JSON"):
        store.load_reports(tmp_path)
