"""Policy files come back as they were written, and a bad one is one line with its place."""

import json
from pathlib import Path

import pytest

from fuzz import store
from fuzz.errors import UsageError
from fuzz.policy.lock import Lock
from fuzz.testing import accepted, finding, violation

CHECKS = {"O4": "O4"}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def known(name: str, oracle: str = "O4"):
    one = accepted(finding(violation(oracle), fingerprint=name * 16))
    case = store.case_file(Path("ci/known.json"), Path("corpus/known"), one.entry.name)
    return type(one)(type(one.entry)(**{**_members(one.entry), "case": case}), one.case)


def _members(entry):
    return {name: getattr(entry, name) for name in type(entry).__slots__}


def test_a_baseline_and_its_cases_come_back_as_they_were():
    one, two = known("a"), known("b")
    store.save_baseline(Path("ci/known.json"), [two, one])
    assert one.entry.case == "../corpus/known/O4-aaaaaaaa.json"
    assert store.load_baseline(Path("ci/known.json")) == (one, two)
    assert Path("ci/known.json").read_bytes().endswith(b"}\n")


def test_the_case_of_an_entry_that_is_removed_goes_with_it():
    one, two = known("a"), known("b")
    store.save_baseline(Path("ci/known.json"), [one, two])
    store.save_baseline(Path("ci/known.json"), [two], before=[one, two])
    assert [path.name for path in Path("corpus/known").iterdir()] == ["O4-bbbbbbbb.json"]


def test_a_case_that_lies_elsewhere_is_the_users_and_stays():
    one = known("a")
    store.save_baseline(Path("ci/known.json"), [one])
    Path("mine").mkdir()
    Path("corpus/known/O4-aaaaaaaa.json").rename("mine/case.json")
    text = Path("ci/known.json").read_text().replace(one.entry.case, "../mine/case.json")
    Path("ci/known.json").write_text(text)
    store.save_baseline(
        Path("ci/known.json"), [], before=store.load_baseline(Path("ci/known.json"))
    )
    assert Path("mine/case.json").is_file()


def test_accepted_cases_are_no_part_of_the_corpus():
    store.save_baseline(Path("ci/known.json"), [known("a")])
    assert store.corpus_folder() == store.packaged_corpus()
    assert len(store.corpus_cases()) > 100


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "known.json: /format: 2 is newer than 1"),
        ({"fingerprints": 9}, "known.json: /fingerprints: 9 is not 1 to 1; update ocppfuzz"),
        ({"surprise": 1}, "known.json: unknown member 'surprise'"),
        ({"entries": 3}, "known.json: /entries: int is not a list"),
    ],
)
def test_a_bad_baseline_is_refused_with_its_place(change, said):
    store.save_baseline(Path("known.json"), [])
    value = json.loads(Path("known.json").read_text()) | change
    Path("known.json").write_text(json.dumps(value))
    with pytest.raises(UsageError) as error:
        store.load_baseline(Path("known.json"))
    assert str(error.value).startswith(said)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("reason", "", "/entries/0/reason: is empty"),
        ("accepted", "soon", "/entries/0/accepted: 'soon' is no date"),
        ("case", "nowhere.json", "/entries/0/case: there is no ci/nowhere.json"),
        ("violation", {}, "/entries/0/violation: 'oracle' is missing"),
    ],
)
def test_a_bad_entry_is_refused_with_its_place(key, value, said):
    path = Path("ci/known.json")
    store.save_baseline(path, [known("a")])
    stored = json.loads(path.read_text())
    stored["entries"][0][key] = value
    path.write_text(json.dumps(stored))
    with pytest.raises(UsageError) as error:
        store.load_baseline(path)
    assert str(error.value).startswith(f"ci/known.json: {said}")


def test_a_lock_comes_back_as_it_was_and_may_be_missing():
    lock = Lock("ocppfuzz 0.1.0", ("O4",), ("replay",), {"corpus": "00000000"}, "00000000 ffffffff")
    assert store.load_lock(Path("ocppfuzz.lock")) is None
    store.save_lock(Path("ocppfuzz.lock"), lock)
    assert store.load_lock(Path("ocppfuzz.lock")) == lock


def test_a_lock_of_before_the_short_list_is_read():
    Path("ocppfuzz.lock").write_text('{"format":1,"tool":"x","checks":["O4"],"phases":[]}')
    lock = store.load_lock(Path("ocppfuzz.lock"))
    assert lock == Lock("x", ("O4",), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "ocppfuzz.lock: line 1: not readable as JSON"),
        ('{"format":1,"tool":"x","checks":[],"phases":[]}', "ocppfuzz.lock: /checks: is empty"),
        ('{"format":1,"tool":"x","checks":"O4","phases":[]}', "ocppfuzz.lock: /checks: 'O4' is"),
    ],
)
def test_a_bad_lock_is_refused_with_its_place(text, said):
    Path("ocppfuzz.lock").write_text(text)
    with pytest.raises(UsageError) as error:
        store.load_lock(Path("ocppfuzz.lock"))
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[quirk", "quirks.toml: not readable as TOML"),
        ('[[quirk]]\ncheck = "O4"\nvendor = "V"', "quirks.toml: quirk 1: has no reason"),
    ],
)
def test_a_bad_quirks_file_is_refused_with_its_place(text, said):
    Path("quirks.toml").write_text(text)
    with pytest.raises(UsageError) as error:
        store.load_quirks(Path("quirks.toml"), CHECKS)
    assert str(error.value).startswith(said)


def test_quirks_are_read_with_dates_as_toml_has_them():
    Path("quirks.toml").write_text(
        '[[quirk]]\ncheck = "O4"\nvendor = "V"\nreason = "known"\nexpires = 2027-01-31\n'
    )
    (quirk,) = store.load_quirks(Path("quirks.toml"), CHECKS)
    assert (quirk.check, quirk.vendor, quirk.expires) == ("O4", "V", "2027-01-31")
