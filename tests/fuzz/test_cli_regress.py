"""`regress` hands over options, policy and credentials, and exits with the judgement."""

import json
from datetime import date
from pathlib import Path

import pytest

from fuzz import app
from fuzz.cli import main
from fuzz.cli.regress import USUAL
from fuzz.config import RegressOptions
from fuzz.policy.failing import fail_on
from fuzz.policy.judgement import Policy, State, Visit, judge
from fuzz.policy.lock import Ahead
from fuzz.policy.regression import Regression
from fuzz.testing import accepted, finding

FOUND = finding()


def build(*findings, **more) -> Regression:
    policy = Policy(fail_on("high"), date(2026, 6, 1))
    judgement = judge(findings, (), policy, facts=FOUND.facts, tool="ocppfuzz", **more)
    return Regression(judgement, FOUND.facts, "pr", None, {}, Ahead())


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def asked(monkeypatch):
    """What the app was given: options, policy, second identity; the build passes."""
    seen: list[tuple] = []

    def regress(options, wanted, sink, second, told):
        seen.append((options, wanted, second))
        return build()

    monkeypatch.setattr(app, "regress", regress)
    return seen


def test_a_pull_request_has_a_fixed_list_and_a_guard(asked, capsys):
    assert main(["regress", "--self-test"]) == 0
    ((options, wanted, second),) = asked
    assert (options.phases, options.tier, options.seed) == (("replay", "systematic"), "sites", 0)
    assert options.max_time_s == 1_800
    assert options.unattended
    assert (wanted, second) == (RegressOptions(self_test="station"), {})
    assert capsys.readouterr().out.startswith("BUILD PASSES: pr: ")


def test_the_night_plays_every_phase(asked):
    assert main(["regress", "--self-test", "csms", "--mode", "nightly"]) == 0
    ((options, wanted, _),) = asked
    assert "stateful" in options.phases
    assert "generated" in options.phases
    assert (options.tier, options.seed, wanted.self_test) == ("full", None, "csms")


def test_real_packets_are_kept_where_they_are_asked_for(asked):
    assert main(["regress", "--self-test", "--capture-interface", "lo"]) == 0
    Path("ocppfuzz.toml").write_text('[run]\ncapture_interface = "eth0"\n')
    assert main(["regress", "--self-test"]) == 0
    assert [options.capture_interface for options, _, _ in asked] == ["lo", "eth0"]


def test_the_file_lies_over_the_mode_and_flags_over_the_file(asked):
    Path("ocppfuzz.toml").write_text(
        '[run]\ntier = "full"\nmax_time_s = 60\n[regress]\nfail_on = "low"\nbaseline = "ci/k.json"\n'
    )
    assert main(["regress", "--self-test", "--fail-on", "critical", "--max-time", "5"]) == 0
    ((options, wanted, _),) = asked
    assert (options.tier, options.max_time_s) == ("full", 5)
    assert (wanted.fail_on, wanted.baseline) == ("critical", Path("ci/k.json"))


def test_a_file_that_is_strict_for_campaigns_is_not_for_builds(asked):
    Path("ocppfuzz.toml").write_text("[policy]\nstrict = true\n")
    assert main(["regress", "--self-test"]) == 0
    assert main(["regress", "--self-test", "--strict"]) == 0
    assert [options.strict for options, _, _ in asked] == [False, True]


def test_a_file_that_ends_campaigns_at_the_first_finding_does_not_end_builds(asked):
    Path("ocppfuzz.toml").write_text("[run]\nfail_fast = true\n")
    assert main(["regress", "--self-test"]) == 0
    assert not asked[0][0].fail_fast


@pytest.mark.parametrize("flag", ["--fail-fast", "--resume"])
def test_help_offers_nothing_that_a_build_refuses(asked, capsys, flag):
    assert main(["regress", "--self-test", flag]) == 2
    assert "No such option" in capsys.readouterr().err
    assert main(["regress", "--help"]) == 0
    assert flag not in capsys.readouterr().out


def test_help_tells_the_defaults_of_a_build(asked, capsys):
    assert main(["regress", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{USUAL['pr']['max_time_s']:.0f}, with --mode nightly 3600" in said
    assert "60, or none" not in said
    assert "sites (default)" in said


def test_a_self_test_leaves_the_target_of_the_file_alone(asked):
    Path("ocppfuzz.toml").write_text('[target]\nlisten = "127.0.0.1:9"\nrestart_cmd = "x"\n')
    assert main(["regress", "--self-test"]) == 0
    assert asked[0][0].embedded
    assert main(["regress"]) == 0
    assert asked[1][0].listen == "127.0.0.1:9"


def test_identities_give_credentials_out_of_the_environment(asked, monkeypatch):
    monkeypatch.setenv("ONE_PW", "s3cret-s3cret-s3cret")
    monkeypatch.setenv("TWO_PW", "t4cret-t4cret-t4cret")
    Path("ocppfuzz.toml").write_text(
        '[target]\nurl = "ws://127.0.0.1:9/{identity}"\n'
        '[[identities]]\nidentity = "CS-1"\nsecurity_profile = 1\npassword_env = "ONE_PW"\n'
        '[[identities]]\nidentity = "CS-2"\nsecurity_profile = 1\npassword_env = "TWO_PW"\n'
    )
    assert main(["regress"]) == 0
    ((options, _, second),) = asked
    assert (options.identity, options.security_profile, options.password_env) == (
        "CS-1",
        1,
        "ONE_PW",
    )
    assert second["second"] == "CS-2"
    assert main(["regress", "--identity", "CS-2"]) == 0
    assert asked[1][0].password_env == "TWO_PW"


def test_a_secret_in_the_file_is_refused(asked, capsys):
    Path("ocppfuzz.toml").write_text('[[identities]]\nidentity = "CS-1"\npassword = "x"\n')
    assert main(["regress", "--self-test"]) == 2
    assert "name an environment variable with password_env" in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize(
    ("made", "code"),
    [(build(), 0), (build(FOUND), 1), (build(not_run=("a",)), 3), (build(unproven="nobody"), 3)],
)
def test_the_exit_code_is_that_of_the_judgement(monkeypatch, made, code):
    monkeypatch.setattr(app, "regress", lambda *_: made)
    assert main(["regress", "--self-test"]) == code


def test_a_plan_is_printed_and_nothing_is_played(asked, capsys):
    plan = ["regress", "--listen", "127.0.0.1:9", "--security-profile", "1", "--plan"]
    plan += ["--only", "ClearCache", "--phases", "systematic"]
    assert main(plan) == 0
    said = capsys.readouterr().out
    assert said.startswith("Plan for 127.0.0.1:9; nothing was sent. Time: at most 1800 s.")
    assert "No handshakes: " in said
    assert main([*plan, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["phase"] == "systematic"
    assert main([*plan, "--junit", "j.xml"]) == 2
    assert asked == []


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--self-test"], "--self-test"), (["--listen", "127.0.0.1:9"], "--listen 127.0.0.1:9")],
)
def test_a_finding_of_our_own_end_is_played_there_again_whatever_target_a_file_names(
    monkeypatch, words, said
):
    Path("ocppfuzz.toml").write_text('[target]\nlisten = "127.0.0.1:9000"\nidentity = "CS-1"\n')
    monkeypatch.setattr(app, "regress", lambda *_: build(FOUND))
    assert main(["regress", *words, "--json", "j.json"]) == 1
    (issue,) = json.loads(Path("j.json").read_text())["findings"]
    assert f"{said} --identity CS-1" in issue["replay"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--self-test"], "ocppfuzz regress --self-test station"),
        (["--self-test", "csms"], "ocppfuzz regress --self-test csms"),
        (
            ["--config", "my.toml", "--listen", "127.0.0.1:9", "--identity", "CS-1"],
            "ocppfuzz regress --config my.toml --listen 127.0.0.1:9 --identity CS-1 --security-profile 3",
        ),
        (
            ["--self-test", "--allow", "persistent,lock-out", "--edition", "2025-09"],
            "ocppfuzz regress --self-test station --allow persistent,lock-out --edition 2025-09",
        ),
    ],
)
def test_a_stale_entry_comes_with_a_command_that_names_baseline_and_target(
    monkeypatch, words, said
):
    Path("my.toml").write_text("")
    known = accepted(FOUND)
    policy = Policy(fail_on("high"), date(2026, 6, 1), (known,))
    visits = [Visit(known, State.PASSED, 0, 3)]
    stale = judge((), visits, policy, facts=FOUND.facts, tool="ocppfuzz")
    made = Regression(stale, FOUND.facts, "pr", None, {}, Ahead(), baseline="my known.json")
    monkeypatch.setattr(app, "regress", lambda *_: made)
    assert main(["regress", *words, "--json", "j.json"]) == 1
    (issue,) = json.loads(Path("j.json").read_text())["findings"]
    assert issue["replay"] == f"{said} --baseline 'my known.json' --update-baseline"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--update-baseline"], "--update-baseline means nothing without --baseline FILE"),
        (["--reason", "x"], "--reason means nothing without --update-baseline"),
        (["--wait-ready", "0"], "--wait-ready is 0.0"),
        (["--max-time", "-1"], "--max-time is -1.0"),
        (["--restart-cmd", "x", "--config", "t.toml"], "--start-cmd and --restart-cmd need"),
    ],
)
def test_errors_name_options_as_they_are_typed(asked, capsys, words, said):
    Path("t.toml").write_text("")
    assert main(["regress", *words]) == 2
    assert said in capsys.readouterr().err
    assert asked == []


def test_json_has_stdout_for_itself(asked, capsys):
    assert main(["regress", "--self-test", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exit_code"] == 0


def test_reports_go_into_files(asked):
    assert main(["regress", "--self-test", "--junit", "j.xml", "--sarif", "s.sarif"]) == 0
    assert "regress" in Path("j.xml").read_text("utf-8")
    assert json.loads(Path("s.sarif").read_text("utf-8"))["runs"][0]["results"] == []
