"""A build refuses what cannot be meant before anything is sent; whole builds are played in tests/e2e/test_regress.py."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from fuzz import store
from fuzz.app.campaign import make_phases
from fuzz.app.pinning import stock
from fuzz.app.regressing import absent, expired, regress
from fuzz.config import RegressOptions, RunOptions
from fuzz.engine.phases import Ground
from fuzz.engine.support import Coverage, Support
from fuzz.errors import UsageError
from fuzz.policy.quirks import Quirk
from fuzz.records import Side, TlsStep
from fuzz.testing import accepted, case, finding
from strategies.version import version

SELF = RegressOptions(self_test="station")
STATION = RunOptions(listen="127.0.0.1:0", identity="CS-1")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("options", "wanted", "said"),
    [
        (RunOptions(), RegressOptions(), "regress needs a target"),
        (STATION, SELF, "leave the target out"),
        (RunOptions(strict=True), SELF, "remarks never fail a build"),
        (RunOptions(fail_fast=True), SELF, "--fail-fast and --resume are for `run`"),
        (RunOptions(), RegressOptions(self_test="csms", fail_on="awful"), "'awful' is neither"),
        (
            RunOptions(),
            RegressOptions(self_test="csms", expires="tomorrow"),
            "--expires 'tomorrow' is no date",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error_and_leaves_nothing(tmp_path, options, wanted, said):
    with pytest.raises(UsageError) as error:
        regress(options, wanted, lambda _: None)
    assert said in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_that_is_not_there_yet_accepts_nothing_and_stands_out():
    heard = []
    nothing = RegressOptions(
        self_test="csms", handshakes=("TC-01",), baseline=Path("ci/known.json")
    )
    build = regress(RunOptions(max_time_s=60.0), nothing, heard.append)
    (warning,) = build.warnings
    assert warning == (
        "there is no baseline ci/known.json, so nothing is accepted; --update-baseline writes it"
    )
    assert [note.text for note in heard if note.level == "warning"] == [warning]
    assert build.exit_code == 0
    assert not Path("ci").exists()


def test_a_misspelt_baseline_is_told_with_the_name_that_was_meant():
    Path("ci").mkdir()
    Path("ci/known.json").write_text("{}")
    assert absent(Path("ci/konwn.json")).endswith("did you mean ci/known.json?")
    assert absent(Path("other/konwn.json")).endswith("--update-baseline writes it")


def test_what_is_over_is_told():
    today = date(2026, 6, 1)
    old = accepted(finding(), expires="2026-05-31")
    new = accepted(finding(), expires="2026-06-01")
    quirks = (Quirk("O4", "why", vendor="V", expires="2026-01-01"), Quirk("O1", "why", vendor="V"))
    assert list(expired([old, new], quirks, today)) == [
        "O4-ffffffff was accepted until 2026-05-31: it counts as not accepted",
        "the quirk of O4 for vendor V ended on 2026-01-01: it mutes nothing",
    ]


def test_what_the_tls_lab_found_is_not_played_as_messages():
    shaken = finding(shown=case(steps=[TlsStep("TS-31")]))
    said = finding(fingerprint="0" * 16)
    options = RunOptions(phases=("replay",))
    for one in (shaken, said):
        store.save_finding(one, options.findings_dir)
    ground = Ground(version(), Side.STATION, 0, Support(), Coverage())
    (replay,) = make_phases(options, ground)

    async def played() -> list[object]:
        return [one async for one in replay.cases(asyncio.sleep)]

    cases = asyncio.run(played())
    assert said.case in cases
    assert shaken.case not in cases


@pytest.mark.slow
def test_a_lock_that_is_updated_holds_all_that_this_version_has():
    lock = stock(RunOptions()).locked()
    store.save_lock(Path("ocppfuzz.lock"), lock)
    assert store.load_lock(Path("ocppfuzz.lock")) == lock
    assert Path("ocppfuzz.lock").stat().st_size < 300_000
