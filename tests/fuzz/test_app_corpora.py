"""What becomes of a corpus, without a target: files in, files out."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import app, store
from fuzz.app import corpora
from fuzz.config import RunOptions
from fuzz.errors import UsageError
from fuzz.records import (
    Basis,
    Case,
    Finding,
    ReplayOutcome,
    SendText,
    Severity,
    Side,
    TargetFacts,
    Violation,
)
from fuzz.testing import case


def quiet(_event: object) -> None:
    pass


def told(text: str, **changes: object) -> Case:
    return replace(case(), steps=(SendText((text,)),), **changes)  # type: ignore[arg-type]


@pytest.fixture
def options(tmp_path: Path) -> RunOptions:
    return RunOptions(corpus_dir=tmp_path / "corpus")


def fill(root: Path, **cases: Case) -> None:
    for name, one in cases.items():
        store.save_case(one, root / "family" / f"{name}.json")


def names(root: Path) -> set[str]:
    return {p.stem for p in store.case_files(root)}


@pytest.fixture
def shows(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], list[str]]:
    """Lets cases show what a table says by their text; gives what was played. `!` kills at that case."""

    def install(table: dict[str, str]) -> list[str]:
        played: list[str] = []

        async def play(
            cases: Iterable[Case],
            _options: object,
            _sink: object,
            journal: store.MergeJournal,
            done: corpora.Merged,
        ) -> None:
            for one in cases:
                (step,) = one.steps
                assert isinstance(step, SendText)
                text = str(step.text[0])
                if table[text] == "!":
                    raise KeyboardInterrupt
                played.append(text)
                done.played += 1
                journal.note(store.wire_digest(one), table[text])

        monkeypatch.setattr(corpora, "_play_all", play)
        return played

    return install


def test_cases_are_added_once_under_the_name_of_their_content(
    tmp_path: Path, options: RunOptions
) -> None:
    fill(tmp_path / "other", a=told("one"), b=told("one"), c=told("two"))
    done = app.corpus_add([tmp_path / "other"], options, "")
    assert (len(done.added), done.known) == (2, 1)
    assert {p.parent.name for p in done.added} == {"added"}
    assert all(store.named_by_content(p.stem) for p in done.added)
    assert app.corpus_add([tmp_path / "other"], options, "").added == []


def test_a_bad_file_stops_before_anything_is_added(tmp_path: Path, options: RunOptions) -> None:
    fill(tmp_path / "other", a=told("one"))
    (tmp_path / "other" / "family" / "b.json").write_text("{")
    with pytest.raises(UsageError):
        app.corpus_add([tmp_path / "other"], options, "")
    assert not (tmp_path / "corpus").exists()


def test_a_list_tells_what_a_case_is_for_or_what_it_does(
    tmp_path: Path, options: RunOptions
) -> None:
    fill(
        tmp_path / "corpus",
        a=told("one", id="a"),
        b=told("two", id="b", purpose="why", clause="B01"),
    )
    rows = [(r.family, r.id, r.purpose, r.clause) for r in app.corpus_list(options)]
    assert rows == [
        ("family", "a", "ClearCache (call), valid", "Part 2"),
        ("family", "b", "why", "B01"),
    ]


def test_a_merge_adds_the_smallest_of_what_shows_something_new(
    tmp_path: Path, options: RunOptions, shows
) -> None:
    fill(tmp_path / "corpus", old=told("old"))
    fill(tmp_path / "new", big=told("bigger"), small=told("sm"), known=told("kn"), same=told("old"))
    played = shows({"old": "a", "bigger": "bc", "sm": "b", "kn": "a"})
    done = app.corpus_merge([tmp_path / "new"], options, quiet, by_content=False)
    assert sorted(played) == ["bigger", "kn", "old", "sm"]
    assert done.known == 1
    assert len(done.added) == 2
    assert {store.load_case(p).steps for p in done.added} == {
        told("sm").steps,
        told("bigger").steps,
    }
    assert "old" in names(tmp_path / "corpus")


def test_minimising_keeps_what_people_named_and_one_of_what_shows_the_same(
    tmp_path: Path, options: RunOptions, shows
) -> None:
    root = tmp_path / "corpus"
    machine = [told(t) for t in ("aaaa", "aa", "b")]
    fill(root, mine=told("m1"), also=told("m2"))
    for one in machine:
        assert store.Collection.load(root).add(one, "recorded")
    store.Collection.load(root).add(told("r"), "regression")
    shows({"m1": "a", "m2": "a", "aaaa": "bc", "aa": "c", "b": "a", "r": "a"})
    done = app.corpus_minimise(options, quiet, by_content=False)
    assert [store.content_name(machine[2])] == [p.stem for p in done.removed]
    assert app.corpus_minimise(options, quiet, by_content=False).removed == []
    assert names(root) >= {"mine", "also"}
    assert not (root / ".merge").exists()


def test_a_merge_that_was_killed_goes_on_where_it_was(
    tmp_path: Path, options: RunOptions, shows
) -> None:
    fill(tmp_path / "new", a=told("1"), b=told("22"), c=told("333"))
    shows({"1": "a", "22": "!", "333": "c"})
    with pytest.raises(KeyboardInterrupt):
        app.corpus_merge([tmp_path / "new"], options, quiet, by_content=False)
    played = shows({"1": "a", "22": "b", "333": "c"})
    done = app.corpus_merge([tmp_path / "new"], options, quiet, by_content=False)
    assert played == ["22", "333"]
    assert len(done.added) == 3


def test_without_playing_only_what_is_equal_is_the_same(
    tmp_path: Path, options: RunOptions
) -> None:
    fill(tmp_path / "new", a=told("1"), b=told("22"), c=told("1"))
    done = app.corpus_merge([tmp_path / "new"], options, quiet, by_content=True)
    assert (len(done.added), done.known, done.played) == (2, 1, 0)
    with pytest.raises(UsageError, match="is no folder"):
        app.corpus_merge([tmp_path / "none"], options, quiet, by_content=True)


def test_a_check_names_every_kind_of_problem(tmp_path: Path, options: RunOptions) -> None:
    root = tmp_path / "corpus"
    call = '[2,"{call.id}","ClearCache",{}]'
    fill(
        root,
        fine=told(call, id="corpus/family/fine"),
        Bad_Name=told(call + " ", id="b"),
        twice=told(call, id="c"),
        moved=told(call + "  ", id="corpus/other/moved"),
        same=told(call + "   ", id="d"),
        untrue=told('[2,"{call.id}","ClearCache",{"x":1}]', id="d"),
    )
    fill(root, **{"x-0123456789abcdef": told(call + "    ", id="e")})
    (root / "family" / "broken.json").write_text("{")
    loose = store.case_to_json(told(call + "     ", id="f")) | {
        "steps": [{"do": "misbehave", "how": "x", "times": 0}]
    }
    (root / "family" / "schema.json").write_text(json.dumps(loose))
    checked = app.corpus_check(options, quiet, play=False)
    found = {p.path.stem: p.text for p in checked.problems}
    assert found.keys() == {
        *("Bad_Name", "twice", "moved", "untrue", "x-0123456789abcdef"),
        *("broken", "schema"),
    }
    assert "lower-case words" in found["Bad_Name"]
    assert "the same on the wire" in found["twice"]
    assert "is not that of its file" in found["moved"]
    assert "is called valid, but breaks additionalProperties" in found["untrue"]
    assert "has the same id as" in next(p.text for p in checked.problems if p.path.stem == "untrue")
    assert "is not that of its content" in found["x-0123456789abcdef"]
    assert "not readable as JSON" in found["broken"]
    assert "does not fit case.schema.json" in found["schema"]


def test_a_check_plays_on_the_embedded_station_only(options: RunOptions) -> None:
    with pytest.raises(UsageError, match="against the embedded station"):
        app.corpus_check(replace(options, target="ws://x/{identity}"), quiet, play=True)
    with pytest.raises(UsageError, match="does not exist"):
        app.corpus_check(options, quiet, play=True)


def test_what_the_healthy_station_is_blamed_for_is_a_problem(
    tmp_path: Path, options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = '[2,"{call.id}","ClearCache",{}]'
    fill(tmp_path / "corpus", a=told(call, id="a"), b=told(call + " ", id="b", side=Side.CSMS))
    asked: list[RunOptions] = []

    def replay(
        paths: list[Path], given: RunOptions, _sink: object, *, stations: int
    ) -> list[app.Replayed]:
        asked.append(given)
        assert stations > 1
        return [app.Replayed(p, ReplayOutcome.REPRODUCED, "no answer") for p in paths]

    monkeypatch.setattr(corpora, "replay", replay)
    checked = app.corpus_check(options, quiet, play=True)
    assert [(p.path.stem, p.text) for p in checked.problems] == [
        ("a", "the healthy station: no answer")
    ]
    assert [(p.path.stem, p.text) for p in checked.not_played] == [("b", "attacks a CSMS")]
    assert (checked.cases, checked.played) == (2, 1)
    assert asked[0].allow == ("lock-out",)


@pytest.fixture
def finding(tmp_path: Path) -> Path:
    violation = Violation(
        "O4", "unanswered-call", Basis.SHALL, Severity.HIGH, "no answer", "t", "FR.03"
    )
    found = Finding("1a2b3c4d5e6f7788", violation, case(), case(), TargetFacts(Side.STATION))
    return store.save_finding(found, tmp_path / "findings")


def test_a_fixed_finding_moves_into_the_regressions(
    tmp_path: Path, options: RunOptions, finding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        corpora, "replay", lambda paths, *_: [app.Replayed(paths[0], ReplayOutcome.FIXED, "")]
    )
    path = app.corpus_promote(finding, options, quiet, unverified=False, name="")
    assert path == tmp_path / "corpus" / "regression" / "o4-1a2b3c4d.json"
    written = store.load_case(path)
    assert (written.id, written.purpose, written.clause) == (
        "corpus/regression/o4-1a2b3c4d",
        "unanswered-call: no answer",
        "FR.03",
    )
    assert not finding.exists()
    assert store.findings_in(tmp_path / "findings") == ()


@pytest.mark.parametrize(
    "outcome", [ReplayOutcome.REPRODUCED, ReplayOutcome.CHANGED, ReplayOutcome.NOT_RUN]
)
def test_what_is_not_fixed_stays_where_it_is_unless_nobody_asks(
    options: RunOptions, finding: Path, monkeypatch: pytest.MonkeyPatch, outcome: ReplayOutcome
) -> None:
    monkeypatch.setattr(
        corpora, "replay", lambda paths, *_: [app.Replayed(paths[0], outcome, "why")]
    )
    with pytest.raises(UsageError, match="is not fixed on this target"):
        app.corpus_promote(finding, options, quiet, unverified=False, name="")
    assert finding.exists()
    path = app.corpus_promote(finding, options, quiet, unverified=True, name="my-name")
    assert path.stem == "my-name"
    assert not finding.exists()


def test_recorded_lines_become_cases_and_what_is_lost_is_counted(
    tmp_path: Path, options: RunOptions
) -> None:
    log = tmp_path / "a.log"
    log.write_text(
        'CS-7788: send [2,"1","DataTransfer",{"vendorId":"x","data":"04AABBCC says CS-7788"}]\n'
        'CS-7788: send [2,"2","Authorize",{"idToken":{"idToken":"04AABBCC","type":"ISO14443"}}]\n'
        "noise\nnoise\n"
    )
    first = app.corpus_import(
        [log], options, keylog=None, recorded_by="station", told=lambda *_: None
    )
    assert first.passed_over == {"a line that holds no message": 2}
    whole = "".join(p.read_text() for p in first.added)
    # The token turns up before anything says that it is one.
    assert "04AABBCC" not in whole
    assert "CS-7788" not in whole
    again = app.corpus_import(
        [log], options, keylog=None, recorded_by="station", told=lambda *_: None
    )
    assert (again.added, again.known) == ([], 2)


def test_a_long_recording_tells_how_far_it_is(
    tmp_path: Path, options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpora, "_LONG", 10)
    log = tmp_path / "a.log"
    log.write_text('CS: send [2,"1","Heartbeat",{}]\n' * 40)
    heard: list[int] = []
    app.corpus_import(
        [log],
        options,
        keylog=None,
        recorded_by=None,
        told=lambda _path, percent: heard.append(percent),
    )
    assert heard == list(range(5, 101, 5))
