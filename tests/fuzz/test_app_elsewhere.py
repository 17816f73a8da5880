"""What was found on somebody else's target is not played on our own station unasked."""

from dataclasses import replace
from pathlib import Path

import pytest

from fuzz.app.elsewhere import named_for, naming_of
from fuzz.config import RunOptions
from fuzz.errors import UsageError
from fuzz.records import Basis, Case, Finding, Naming, Severity, Side, TargetFacts, Violation
from fuzz.store import load_finding, save_finding
from strategies.labels import Expectation, Stance, Tier

CASE = Case("c", Side.STATION, (), Expectation(Stance.REJECT, Tier.RPC))
SILENCE = Violation("O4", "unanswered-call", Basis.SHALL, Severity.MEDIUM, "no answer", "t")
ELSEWHERE = Naming(listen="127.0.0.1:9000", identity="CS-1", pics="p", defects=("a", "b"))
FINDING = Finding(
    "1a2b3c4d5e6f7081", SILENCE, CASE, CASE, TargetFacts(Side.STATION, naming=ELSEWHERE)
)


def of(naming):
    return [(Path("f"), replace(FINDING, facts=replace(FINDING.facts, naming=naming)))]


@pytest.mark.parametrize("naming", [ELSEWHERE, Naming(target="ws://a/b")])
def test_a_finding_of_another_target_is_refused_where_none_is_named(naming):
    with pytest.raises(UsageError, match="found on another target"):
        named_for([(Path("c"), CASE), *of(naming)], RunOptions())


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(self_test=True),
        RunOptions(defects=("P05",)),
        RunOptions(decoys=("D1",)),
        RunOptions(listen="127.0.0.1:9000"),
        RunOptions(target="ws://a/b"),
    ],
)
def test_whoever_names_a_target_gets_it(options):
    named_for(of(ELSEWHERE), options)


@pytest.mark.parametrize("naming", [None, Naming(), Naming(defects=("P05",))])
def test_what_was_found_on_our_own_station_or_on_nobody_is_played_there(naming):
    named_for([(Path("c"), CASE), *of(naming)], RunOptions(security_profile=1))


def test_how_a_target_was_named_is_stored_with_the_finding(tmp_path):
    assert load_finding(save_finding(FINDING, tmp_path)).facts.naming == ELSEWHERE


def test_no_secret_and_no_file_of_keys_is_part_of_a_name():
    options = RunOptions(listen="a:1", identity="C", key=Path("k.pem"), start_cmd="run --token x")
    assert naming_of(options) == Naming(listen="a:1", identity="C")
