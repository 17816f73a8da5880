"""`ocppfuzz regress` over the life of a project: red for what is new, green for what is accepted, red for what is stale."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

MESSAGES = (
    *("regress", "--self-test", "--handshakes", "none"),
    *("--only", "ClearCache", "--phases", "systematic"),
)
DEFECT = ("--defect", "P05")
ENDPOINT = ("regress", "--self-test", "csms", "--handshakes", "TC-1[89]")
UNBOUND = ("--defect", "cert-identity-unbound")
BASELINE = ("--baseline", "ci/known.json")
SECRET = {"OCPPFUZZ_PASSWORD": "correct-horse-battery"}
REPORTS = ("--junit", "junit.xml", "--sarif", "ocppfuzz.sarif")


def failures(folder: Path) -> list[str]:
    """The names of the test cases that failed in the JUnit file."""
    cases = ET.parse(folder / "junit.xml").iter("testcase")
    return [case.get("name", "") for case in cases if case.find("failure") is not None]


def alerts(folder: Path) -> list[tuple[str, bool]]:
    """The rules of SARIF's results, and whether each is suppressed."""
    (run,) = json.loads((folder / "ocppfuzz.sarif").read_text("utf-8"))["runs"]
    return [(result["ruleId"], bool(result.get("suppressions"))) for result in run["results"]]


def test_a_projects_builds_with_messages_from_red_to_green_and_back(ocppfuzz, tmp_path):
    clean = ocppfuzz(*MESSAGES, "--update-lock", *BASELINE, *REPORTS)
    assert (clean.code, failures(tmp_path), alerts(tmp_path)) == (0, [], []), clean.err
    assert "warning: there is no baseline ci/known.json" in clean.out
    assert "there is no baseline ci/known.json" in (tmp_path / "junit.xml").read_text("utf-8")
    assert "BUILD PASSES" in clean.out

    red = ocppfuzz(*MESSAGES, *DEFECT, *REPORTS)
    assert red.code == 1, red.err
    assert "BUILD FAILS: 1 new finding." in red.out
    assert failures(tmp_path) == ["connection-closed (O3): GetVariables, CALL"]
    assert alerts(tmp_path) == [("O3", False)]

    update = ("--update-baseline", "--reason", "ticket 12", "--expires", "2999-12-31")
    accepting = ocppfuzz(*MESSAGES, *DEFECT, *BASELINE, *update)
    assert accepting.code == 0, accepting.err
    (entry,) = json.loads((tmp_path / "ci/known.json").read_text("utf-8"))["entries"]
    assert (entry["reason"], entry["expires"]) == ("ticket 12", "2999-12-31")
    assert (tmp_path / "ci" / entry["case"]).resolve().parent == tmp_path / "corpus/known"

    green = ocppfuzz(*MESSAGES, *DEFECT, *BASELINE, *REPORTS)
    assert "that is, or adds to, the accepted O" in green.out
    assert green.code == 0, green.err
    assert "ticket 12, until 2999-12-31" in green.out
    assert (failures(tmp_path), alerts(tmp_path)) == ([], [("O3", True)])

    mended = ocppfuzz(*MESSAGES, *BASELINE, *REPORTS)
    assert mended.code == 1, mended.err
    assert "BUILD FAILS: 1 stale baseline entry." in mended.out
    assert "played 3 of 3 and passed" in mended.out
    assert [rule for rule, _ in alerts(tmp_path)] == ["baseline"]
    assert len(failures(tmp_path)) == 1

    removed = ocppfuzz(*MESSAGES, *BASELINE, "--update-baseline")
    assert removed.code == 0, removed.err
    assert list((tmp_path / "corpus/known").iterdir()) == []
    assert ocppfuzz(*MESSAGES, *BASELINE).code == 0


def test_what_an_upgrade_brings_does_not_turn_a_build_red_until_the_lock_is_updated(
    ocppfuzz, tmp_path
):
    assert ocppfuzz(*MESSAGES, "--update-lock").code == 0
    lock = json.loads((tmp_path / "ocppfuzz.lock").read_text("utf-8"))
    lock["checks"].remove("O3")
    (tmp_path / "ocppfuzz.lock").write_text(json.dumps(lock), "utf-8")

    upgraded = ocppfuzz(*MESSAGES, *DEFECT, *REPORTS)
    assert upgraded.code == 0, upgraded.err
    assert "the check O3 is newer than the lock" in upgraded.out
    assert (failures(tmp_path), alerts(tmp_path)) == ([], [("O3", True)])

    updated = ocppfuzz(*MESSAGES, *DEFECT, "--update-lock")
    assert updated.code == 1, updated.err


def test_a_projects_builds_with_authentication_from_red_to_green_and_back(ocppfuzz, tmp_path):
    assert ocppfuzz(*ENDPOINT).code == 0

    red = ocppfuzz(*ENDPOINT, *UNBOUND, *REPORTS)
    assert red.code == 1, red.err
    assert failures(tmp_path) == ["TC-19"]
    assert alerts(tmp_path) == [("TC-19", False)]

    update = ("--update-baseline", "--reason", "ticket 13")
    assert ocppfuzz(*ENDPOINT, *UNBOUND, *BASELINE, *update).code == 0
    green = ocppfuzz(*ENDPOINT, *UNBOUND, *BASELINE, *REPORTS)
    assert green.code == 0, green.err
    assert (failures(tmp_path), alerts(tmp_path)) == ([], [("TC-19", True)])

    mended = ocppfuzz(*ENDPOINT, *BASELINE)
    assert mended.code == 1, mended.err
    assert "STALE" in mended.out
    assert ocppfuzz(*ENDPOINT, *BASELINE, "--update-baseline").code == 0
    assert ocppfuzz(*ENDPOINT, *BASELINE).code == 0


def test_a_bad_certificate_turns_the_build_of_a_station_red_and_a_quirk_mutes_it_by_name(
    ocppfuzz, tmp_path
):
    handshake = ("regress", "--self-test", "--handshakes", "TS-39", "--only", "ClearCache")
    red = ocppfuzz(*handshake, "--phases", "replay", "--defect", "P47")
    assert red.code == 1, red.err
    assert "TS-39" in red.out
    (tmp_path / "quirks.toml").write_text(
        '[[quirk]]\ncheck = "TS-39"\nvendor = "ocppfuzz-*"\nreason = "lab root, ticket 14"\n'
    )
    muted = ocppfuzz(*handshake, "--phases", "replay", "--defect", "P47")
    assert muted.code == 0, muted.err
    assert "Muted by a quirk:" in muted.out
    assert "lab root, ticket 14" in muted.out


def test_a_station_that_dies_in_the_middle_is_a_finding_and_the_rest_is_listed(
    ocppfuzz, own_station, port, started, tmp_path, until
):
    (tmp_path / "ocppfuzz.toml").write_text(
        f'[target]\nlisten = "127.0.0.1:{port}"\nwait_s = 5\n'
        '[[identities]]\nidentity = "CS-1"\nsecurity_profile = 1\npassword_env = "CS1_PASSWORD"\n'
    )
    secret = "correct-horse-battery"
    dialling = (
        "--identity",
        "CS-1",
        "--security-profile",
        1,
        "--backoff-min-s",
        0.2,
        "--backoff-range-s",
        0,
    )
    station = started(
        *own_station(f"ws://127.0.0.1:{port}/ocpp", *dialling, "--defect", "P02"),
        env={"OCPPFUZZ_PASSWORD": secret},
    )
    build = ocppfuzz(
        *("regress", "--wait-ready", 60, "--only", "GetVariables", "--json"),
        *("--before", "sh -c 'echo done > provisioned'"),
        env={"CS1_PASSWORD": secret},
    )
    assert build.code == 1, build.err
    assert "dead with exit code" in station.text
    assert (tmp_path / "provisioned").is_file()
    assert [f["standing"] for f in build.json["findings"]] == ["fails"]
    assert len(build.json["not_run"]) > 100
    assert secret not in build.out + build.err


@pytest.fixture
def standing(own_station, port, small_corpus, tmp_path):
    """Starts a station that is not ours to restart but by a script, in which a defect can be planted and mended."""
    small_corpus(
        "frames/message-*", "text/*", "heavy/message-id-500000-characters"
    )  # the last one kills
    (tmp_path / "ocppfuzz.toml").write_text(
        f'[target]\nlisten = "127.0.0.1:{port}"\nwait_s = 3\nidentity = "CS-1"\nsecurity_profile = 1\n'
        '[regress]\nwait_ready_s = 60\nbaseline = "known.json"\n[run]\nphases = ["replay"]\nonly = ["GetVariables"]\n'
    )
    dialling = ("--identity", "CS-1", "--security-profile", 1)
    quickly = ("--backoff-min-s", 0.2, "--backoff-range-s", 0, "--boot-delay-s", 0.1)
    words = own_station(f"ws://127.0.0.1:{port}/ocpp", *dialling, *quickly)
    script, pid = tmp_path / "restart.sh", tmp_path / "pid"

    def plant(*defect: str) -> None:
        command = shlex.join(map(str, (*words, *defect)))
        script.write_text(
            f"echo again >> restarts; kill $(cat pid); {command} >> station.log 2>&1 & echo $! > pid\n"
        )
        subprocess.run(["/bin/sh", script], cwd=tmp_path, check=True, env={**os.environ, **SECRET})

    yield plant
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_an_accepted_killer_is_played_last_and_its_target_restarted_by_the_hook(
    ocppfuzz, standing, tmp_path
):
    standing("--defect", "P02")
    dead = ocppfuzz("regress", "--update-baseline", "--reason", "ticket 3", env=SECRET)
    assert dead.code == 3, dead.err
    assert "accepted: O3-" in dead.out
    told = dead.out.splitlines()
    assert sum("PLEASE DO: configure" in line for line in told) == 1
    assert told[0].startswith("the list: ")
    assert "end the connection" in told[0]
    assert told.index("no handshakes: the TLS lab needs security profile 2 or 3") < 10

    standing("--defect", "P02")
    hook = ("--restart-cmd", "/bin/sh restart.sh")
    known = ocppfuzz("regress", *hook, "--json", env=SECRET)
    assert known.code == 0, known.out + known.err
    assert [(e["state"], e["tries"]) for e in known.json["baseline"]] == [("seen again", 1)]
    assert (known.json["not_run"], known.json["messages"] > 50) == ([], True)
    assert len((tmp_path / "restarts").read_text().split()) > 2

    standing()
    mended = ocppfuzz("regress", *hook, "--json", env=SECRET)
    assert mended.code == 1, mended.err
    assert [(e["state"], e["tries"]) for e in mended.json["baseline"]] == [("passed", 3)]


def test_a_run_that_the_guard_cuts_short_proves_nothing_unless_that_is_allowed(ocppfuzz):
    short = ("regress", "--self-test", "--handshakes", "none", "--max-time", 15)
    cut = ocppfuzz(*short)
    assert cut.code == 3, cut.err
    assert "CUT SHORT: " in cut.out
    assert "Did not run, " in cut.out
    allowed = ocppfuzz(*short, "--allow-incomplete")
    assert allowed.code == 0, allowed.err
    assert "Did not run, " in allowed.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "regress needs a target"),
        (("--self-test", "--listen", "127.0.0.1:9000"), "--self-test is about our own ends"),
        (("--self-test", "--strict"), "remarks never fail a build"),
        (("--self-test", "--fail-on", "awful"), "'awful' is neither a severity"),
        (("--self-test", "--update-baseline"), "means nothing without --baseline"),
        (("--self-test", "--reason", "x"), "reason means nothing without --update-baseline"),
        (("--self-test", "--handshakes", "TC-01"), "no handshake case of this side fits TC-01"),
        (("--self-test", "--quirks", "none.toml"), "none.toml: cannot be read"),
        (("--self-test", "--before", "/no/such/hook"), "cannot start the hook"),
        (("--self-test", "--lock", "bad.lock"), "bad.lock: line 1: not readable as JSON"),
    ],
)
def test_a_wrong_word_is_a_usage_error_in_one_line(ocppfuzz, tmp_path, words, said):
    (tmp_path / "bad.lock").write_text("{")
    build = ocppfuzz("regress", *words)
    assert build.code == 2
    assert said in build.complains_once()
