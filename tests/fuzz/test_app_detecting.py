"""What `bench detect` runs, counts and keeps; campaigns themselves are played in e2e."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fuzz.app import detecting
from fuzz.app.detecting import DEEP, HEALTHY, SHALLOW, Outcome, Trial, missed, tables, trials
from fuzz.errors import UsageError
from fuzz.station.defects import defects

FOUND = Outcome(Trial("ocppfuzz", "P35", 1, DEEP), oracle="O31", exchanges=120, size=7, used=300)


def test_every_defect_that_is_not_the_lab_s_is_tried_with_the_budget_of_its_depth() -> None:
    planned = list(trials((), 3, tuple(detecting.TOOLS), 0))
    ours = [t for t in planned if t.tool == "ocppfuzz"]
    assert {t.plant for t in ours} == {d.number for d in defects().values() if not d.caught_by}
    assert {t.seed for t in ours} == {1, 2, 3}
    assert {t.seed for t in planned if t.tool != "ocppfuzz"} == {1}
    assert all(t.budget == (SHALLOW if defects()[t.plant].depth < 2 else DEEP) for t in planned)


def test_a_healthy_station_comes_with_the_second_file_and_all_decoys() -> None:
    extra = [t for t in trials((), 1, ("ocppfuzz",), 50_000) if t.plant not in defects()]
    assert [(t.plant, t.seed, t.budget) for t in extra[:4]] == [
        (HEALTHY, 1, DEEP),
        (HEALTHY, 2, DEEP),
        (HEALTHY, 3, 10_000),
        (detecting.SECOND_PICS, 1, DEEP),
    ]
    assert {t.flags[0] for t in extra[4:]} == {"--decoy"}


@pytest.mark.parametrize(("only", "tools"), [(("P999",), ("ocppfuzz",)), ((), ("nonsense",))])
def test_an_unknown_name_is_told(only: tuple[str, ...], tools: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"P999|nonsense"):
        list(trials(only, 1, tools, 0))


def test_a_finding_by_another_oracle_is_found_but_not_right() -> None:
    wrong = replace(FOUND, trial=replace(FOUND.trial, seed=2), oracle="O7", symptom="shape")
    wrong = replace(wrong, mended="reproduced")
    nothing = replace(FOUND, trial=replace(FOUND.trial, seed=3), oracle="", exchanges=0, size=0)
    (table,) = tables([FOUND, wrong, nothing])
    assert [row.cells for row in table.rows] == [
        ("ocppfuzz", "3+", "2 of 3", "1 of 2", "0 of 1", "120", "7"),
        ("ocppfuzz", "all", "2 of 3", "1 of 2", "0 of 1", "120", "7"),
    ]
    assert [line.split(": ", 1)[1] for line in missed([FOUND, wrong, nothing])] == [
        "by O7 (shape)",
        "mended, its replay says reproduced",
        "not found",
    ]


def test_what_is_found_on_a_healthy_target_stands_in_a_table_of_its_own() -> None:
    alarm = replace(FOUND, trial=Trial("ocppfuzz", "D-5", 1, 10))
    _, table = tables(
        [FOUND, alarm, replace(alarm, trial=Trial("ocppfuzz", HEALTHY, 1, 10), oracle="")]
    )
    assert [row.cells for row in table.rows] == [
        ("D-5", "1", "300", "O31"),
        (HEALTHY, "1", "300", "none"),
    ]


def test_outcomes_survive_on_disk_and_are_not_run_again(tmp_path: Path) -> None:
    kept = tmp_path / "results.ndjson"
    detecting._append(kept, FOUND)
    notes: list[object] = []
    assert detecting.detect([FOUND.trial], kept, notes.append) == [FOUND]
    assert notes == []


def test_what_proved_nothing_says_why_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, notes = tmp_path / "kept.ndjson", []
    for last in ("nobody came", "the target is gone"):
        monkeypatch.setattr(detecting, "_MAIN", f"import sys; sys.exit('first\\n{last}')")
        (outcome,) = detecting.detect([FOUND.trial], kept, notes.append)
        assert outcome.failed == f"it ended without a result: {last}"
    assert detecting.detect([FOUND.trial], kept, pytest.fail, run=False) == [outcome]
    assert len(notes) == 2


def test_what_is_not_known_can_be_left_at_that(tmp_path: Path) -> None:
    kept = tmp_path / "results.ndjson"
    detecting._append(kept, FOUND)
    unknown = replace(FOUND.trial, seed=2)
    assert detecting.detect([FOUND.trial, unknown], kept, pytest.fail, run=False) == [FOUND]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "results.ndjson"
    kept.write_text('{"a": 1}\n')
    with pytest.raises(UsageError, match="holds no results"):
        detecting.detect([FOUND.trial], kept, lambda _: None)


def test_the_picture_is_a_drawing_with_a_bar_for_each_depth(tmp_path: Path) -> None:
    picture = tmp_path / "detection.svg"
    detecting.draw([FOUND, replace(FOUND, trial=Trial("ocppfuzz", "P01", 1, SHALLOW))], picture)
    texts = [e.text for e in ElementTree.parse(picture).iter() if e.tag.endswith("text")]
    assert texts == ["ocppfuzz", "depth 0", "1 of 1", "depth 3+", "1 of 1"]
