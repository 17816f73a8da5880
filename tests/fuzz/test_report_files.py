"""What cannot be written is told before a target is attacked, and what is written is whole."""

import json
import re
import tracemalloc
from pathlib import Path

import pytest

from fuzz.errors import StoreError, UsageError
from fuzz.report import files
from fuzz.report.files import FORMATS, check_wanted, write_reports
from fuzz.testing import results

HUGE = 100_000_000


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_format_can_be_written_at_once():
    wanted = {name: Path("out") / name for name in FORMATS}
    check_wanted(wanted)
    write_reports(results(), wanted)
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(FORMATS)
    assert json.loads(Path("out/json").read_text())["exit_code"] == 1
    assert Path("out/junit").read_text().startswith("<?xml")


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_100_mb_in_every_place_make_a_small_report_in_little_memory(name):
    told = results("\n" * HUGE)
    tracemalloc.start()
    try:
        text = FORMATS[name](told)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 1_000 < len(text) < 200_000
    assert peak < 5 * HUGE


def test_the_check_leaves_nothing_but_the_folders():
    check_wanted({"junit": Path("a/b/junit.xml")})
    assert list(Path().rglob("*")) == [Path("a"), Path("a/b")]


def test_a_report_that_is_there_is_replaced_and_only_at_the_end():
    Path("old.xml").write_text("old")
    check_wanted({"junit": Path("old.xml")})
    assert Path("old.xml").read_text() == "old"
    write_reports(results(), {"junit": Path("old.xml")})
    assert "testsuites" in Path("old.xml").read_text()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"junit": Path("x"), "sarif": Path("./x")}, "--junit and --sarif both name x"),
        ({"junit": Path()}, "--junit . is no file"),
        ({"junit": Path("/dev/null")}, "--junit /dev/null is no file"),
        ({"markdown": Path("file/x.md")}, "cannot write --markdown file/x.md"),
        ({"json": Path("n" * 300)}, "File name too long"),
    ],
)
def test_what_cannot_be_written_is_a_usage_error(wanted, words):
    Path("file").touch()
    with pytest.raises(UsageError, match=re.escape(words)):
        check_wanted(wanted)


def test_two_names_of_one_file_are_seen_through():
    Path("link").symlink_to("real")
    with pytest.raises(UsageError, match="both name link"):
        check_wanted({"json": Path("real"), "sarif": Path("link")})


def test_one_report_that_fails_does_not_keep_the_others_from_being_written(monkeypatch):
    def refuse(path, data, *, advice):
        if path.name == "bad":
            raise StoreError(f"cannot write {path}: full; {advice}")
        path.write_bytes(data)

    monkeypatch.setattr(files, "replace_file", refuse)
    with pytest.raises(StoreError, match="cannot write bad: full; free some space or choose"):
        write_reports(results(), {"junit": Path("bad"), "markdown": Path("good.md")})
    assert Path("good.md").read_text().startswith("Attacked: ")
