"""`conformance` lists, plays and exits as its help says."""

import json
from types import SimpleNamespace

import pytest

from fuzz.app import conforming
from fuzz.cli import main
from fuzz.conformance.runner import Result, Verdict
from fuzz.report.abstract import Abstract, ProfileCount


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def played(monkeypatch):
    """What the app was asked for; the results are those put into `outcome`."""

    seen = SimpleNamespace(outcome=(Verdict.PASSED,), asked=(), given={})

    def conform(options, pics, ids, **given):
        seen.asked, seen.given = (options, pics, tuple(ids)), given
        results = [
            Result(f"TC_B_{n}", v, 3, 1.0, "came: \x1b[2J" if v != "passed" else "")
            for n, v in enumerate(seen.outcome)
        ]
        for result in results:
            given["told"](result)
        counts = (ProfileCount("Core", 1, 0, 0, 0),)
        return Abstract({"Model": "m"}, counts, (), (), (), 1.0), results

    monkeypatch.setattr(conforming, "conform", conform)
    return seen


def test_the_list_holds_every_station_test(capsys):
    assert main(["conformance", "--list"]) == 0
    out = capsys.readouterr().out
    assert sum(line.startswith("TC_") for line in out.splitlines()) == 230
    assert "C-13 is No" in out
    assert "75 do not apply" in out


def test_ids_and_options_reach_the_app(played):
    flags = "TC_B_01 --security-profile 2 --defect P01 --jobs 3 --edition 2025-09"
    assert main(["conformance", *flags.split()]) == 0
    options, pics, ids = played.asked
    assert (options.security_profile, options.defects, options.edition) == (2, ("P01",), "2025-09")
    assert (pics, ids, played.given["jobs"]) == ("dc-2evse-ccs1", ("TC_B_01",), 3)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ((Verdict.PASSED, Verdict.PASSED), 0),
        ((Verdict.PASSED, Verdict.FAILED, Verdict.NOT_RUN), 1),
        ((Verdict.PASSED, Verdict.NOT_RUN), 3),
        ((), 3),
    ],
)
def test_the_exit_code_is_the_worst_result(played, outcome, code):
    played.outcome = outcome
    assert main(["conformance"]) == code


def test_what_the_station_says_is_shown_without_power(played, capsys):
    played.outcome = (Verdict.FAILED,)
    main(["conformance"])
    out = capsys.readouterr().out
    assert "came: \\x1b[2J" in out
    assert "\x1b" not in out


def test_results_can_be_kept_as_json(played, tmp_path):
    assert main(["conformance", "--json", "out.json"]) == 0
    read = json.loads((tmp_path / "out.json").read_text())["details"]
    assert read["tests"][0]["verdict"] == "passed"
    assert read["abstract"]["profiles"][0]["name"] == "Core"


def test_json_has_stdout_for_itself(played, capsys):
    assert main(["conformance", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["tests"][0]["id"] == "TC_B_0"
    assert "tests run by themselves" in captured.err


def test_every_report_is_written(played, tmp_path):
    played.outcome = (Verdict.FAILED,)
    assert main(["conformance", "--junit", "j.xml", "--sarif", "s.json", "--markdown", "m"]) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"j.xml", "s.json", "m"}
    assert "not run" in (tmp_path / "m").read_text()


@pytest.mark.parametrize("flags", [("--list", "--junit", "j.xml"), ("--junit", "-")])
def test_a_report_that_cannot_be_is_refused(flags, capsys):
    assert main(["conformance", *flags]) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("ids", ["TC_B_99", "TC_B_25", "nonsense"])
def test_a_test_that_cannot_be_played_is_a_usage_error(ids, capsys):
    assert main(["conformance", ids]) == 2
    assert ids in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--security-profile", "0"), "security profiles 1, 2 and 3"),
        (("--cert", "cs.pem", "--key", "cs.key"), "makes its own certificates"),
        (("--ca", "root.pem"), "makes its own certificates"),
        (("--listen", "127.0.0.1:9000", "--defect", "P01"), "embedded station"),
    ],
)
def test_what_the_suite_would_not_heed_is_refused(flags, words, capsys):
    assert main(["conformance", "TC_B_06", *flags]) == 2
    assert words in capsys.readouterr().err
