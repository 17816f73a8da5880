from pathlib import Path

import pytest

from fuzz.store.merging import MergeJournal


def journal(root: Path) -> Path:
    return root / ".merge" / "journal.ndjson"


def test_what_was_shown_is_known_again(tmp_path: Path) -> None:
    first = MergeJournal.load(tmp_path, "station")
    first.note("a", ["x", "y"])
    first.note("b", [])
    assert MergeJournal.load(tmp_path, "station").shown == {
        "a": frozenset({"x", "y"}),
        "b": frozenset(),
    }


def test_other_circumstances_begin_anew(tmp_path: Path) -> None:
    MergeJournal.load(tmp_path, "station").note("a", ["x"])
    assert MergeJournal.load(tmp_path, "other").shown == {}
    assert MergeJournal.load(tmp_path, "station").shown == {}


@pytest.mark.parametrize("left", range(0, 120, 7))
def test_a_kill_at_any_byte_loses_one_line_at_most(tmp_path: Path, left: int) -> None:
    whole = MergeJournal.load(tmp_path, "s")
    whole.note("a", ["x"])
    whole.note("b", ["y"])
    data = journal(tmp_path).read_bytes()
    journal(tmp_path).write_bytes(data[:left])
    again = MergeJournal.load(tmp_path, "s")
    assert again.shown.items() <= whole.shown.items()
    again.note("c", ["z"])
    assert MergeJournal.load(tmp_path, "s").shown == again.shown
    assert again.shown["c"] == {"z"}


def test_nothing_is_left_of_a_complete_merge(tmp_path: Path) -> None:
    done = MergeJournal.load(tmp_path, "s")
    done.note("a", ["x"])
    done.clear()
    done.clear()
    assert list(tmp_path.iterdir()) == []
