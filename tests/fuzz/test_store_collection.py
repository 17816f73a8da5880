import json
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import store
from fuzz.errors import StoreError, UsageError
from fuzz.records import Preamble, Provenance, SendText, Side
from fuzz.store.collection import (
    Collection,
    case_files,
    content_name,
    named_by_content,
    well_named,
    wire_digest,
)
from fuzz.testing import case

ONE = case(action="BootNotification")
TWO = replace(ONE, steps=(SendText(("two",)),))


def test_only_what_goes_on_the_wire_decides_what_is_the_same() -> None:
    same = replace(ONE, id="x", purpose="p", provenance=Provenance("y"), heavy=True)
    assert wire_digest(same) == wire_digest(ONE)
    others = [TWO, replace(ONE, side=Side.CSMS), replace(ONE, preamble=Preamble.CONNECTED)]
    assert len({wire_digest(c) for c in (ONE, *others)}) == 4


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("BootNotification", "boot-notification-"),
        ("Get15118EVCertificate", "get15118-evcertificate-"),
        ("", ""),
        ("../Ü€", ""),
        ("x" * 99, "x" * 40 + "-"),
    ],
)
def test_a_machine_names_by_action_and_content(action: str, words: str) -> None:
    told = replace(ONE, action=action)
    assert content_name(told) == words + wire_digest(told)
    assert named_by_content(content_name(told)) == wire_digest(told)
    assert well_named(content_name(told))


@pytest.mark.parametrize("stem", ["empty-array", "o4-1a2b3c4d", "x-0123456789abcdeg"])
def test_a_name_that_a_person_gave_is_no_hash(stem: str) -> None:
    assert named_by_content(stem) is None


def test_what_is_added_lies_under_its_content_and_is_found_again(tmp_path: Path) -> None:
    held = Collection.load(tmp_path / "corpus")
    path = held.add(ONE, "recorded")
    assert path == tmp_path / "corpus" / "recorded" / f"{content_name(ONE)}.json"
    assert store.load_case(path) == replace(ONE, id=f"corpus/recorded/{content_name(ONE)}")
    again = Collection.load(tmp_path / "corpus")
    assert again.holds(ONE) == path
    assert again.add(replace(ONE, id="other"), "elsewhere") is None
    assert list(case_files(tmp_path / "corpus")) == [path]


def test_a_name_is_never_taken_from_another_case(tmp_path: Path) -> None:
    held = Collection.load(tmp_path)
    held.add(ONE, "family", name="mine")
    with pytest.raises(StoreError, match="exists and holds another case"):
        held.add(TWO, "family", name="mine")
    with pytest.raises(UsageError, match="is no name for a family"):
        held.add(TWO, "../up")


def test_what_is_removed_may_come_again(tmp_path: Path) -> None:
    held = Collection.load(tmp_path)
    path = held.add(ONE, "family")
    assert path is not None
    held.remove(path)
    assert not path.exists()
    assert held.add(ONE, "family") == path


def test_hidden_files_and_loose_ones_are_no_cases(tmp_path: Path) -> None:
    (tmp_path / ".merge").mkdir()
    (tmp_path / ".merge" / "a.json").write_text("{")
    (tmp_path / "case.schema.json").write_text("{}")
    assert Collection.load(tmp_path).cases == {}


def test_words_for_people_are_stored_where_there_are_any(tmp_path: Path) -> None:
    store.save_case(ONE, tmp_path / "a.json")
    assert "purpose" not in json.loads((tmp_path / "a.json").read_text())
    told = replace(ONE, purpose="why", clause="B01", mirrors="a crash")
    store.save_case(told, tmp_path / "b.json")
    assert store.load_case(tmp_path / "b.json") == told
