"""Entries are checked, expire, migrate, and meet the findings that they are or that add to them."""

from dataclasses import replace
from datetime import date

import pytest

from fuzz.engine import investigate
from fuzz.policy.baseline import (
    KILLING,
    Baseline,
    accept,
    checked,
    killer_of_the_turn,
    match,
    migrated,
)
from fuzz.policy.flaw import Flaw
from fuzz.policy.renaming import FINGERPRINT_VERSION, RENAMINGS, Renaming
from fuzz.store import fingerprint
from fuzz.testing import accepted, case, finding, mutation, violation

FOUND = finding()
KNOWN = accepted(FOUND, expires="2026-03-01")


def test_an_accepted_finding_expires_in_ninety_days_unless_told_otherwise():
    today = date(2026, 1, 1)
    entry = accept(FOUND, reason="why", today=today, expires=None, case="known/x.json")
    assert (entry.accepted, entry.expires) == ("2026-01-01", "2026-04-01")
    assert entry.ids == (FOUND.case.id,)
    assert accepted(FOUND).entry.expires == ""


def test_its_last_day_still_counts():
    assert not KNOWN.entry.expired(date(2026, 3, 1))
    assert KNOWN.entry.expired(date(2026, 3, 2))
    assert not accepted(FOUND).entry.expired(date(2999, 1, 1))


@pytest.mark.parametrize(
    ("oracle", "symptom", "kills"),
    [
        ("O1", "exit 70", True),
        ("O2", "1 boot", True),
        ("O5", "deaf", True),
        ("O3", "close 1006", True),
        ("O3", "close 1011", False),
        ("O4", "silence", False),
    ],
)
def test_a_killer_takes_the_target_away_and_a_proper_close_does_not(oracle, symptom, kills):
    assert accepted(finding(violation(oracle, symptom))).entry.kills is kills
    assert KILLING < investigate.STOPPING


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        ({"reason": " "}, "/entries/0/reason", "say why"),
        ({"accepted": "yesterday"}, "/entries/0/accepted", "'yesterday' is no date"),
        ({"expires": "2026-13-01"}, "/entries/0/expires", "is no date"),
        ({"case": ""}, "/entries/0/case", "carries its case"),
    ],
)
def test_an_impossible_entry_is_refused_with_its_place(change, place, said):
    with pytest.raises(Flaw, match=said) as error:
        checked(Baseline(1, (replace(KNOWN.entry, **change),)))
    assert error.value.place == place


def test_the_same_finding_cannot_be_accepted_twice():
    with pytest.raises(Flaw, match="is there twice"):
        checked(Baseline(1, (KNOWN.entry, KNOWN.entry)))


# --- matching -----------------------------------------------------------------------------------------------


def test_an_equal_fingerprint_is_the_same_finding():
    assert match([KNOWN], finding(violation("O9", "else"))) is KNOWN


def test_the_same_symptom_by_the_same_rule_adds_to_it():
    shown = case(action="Reset", mutations=[mutation("/b", "type", "array")])
    assert match([KNOWN], finding(shown=shown, fingerprint="0" * 16)) is KNOWN


def test_a_case_that_was_seen_to_show_it_shows_it_again():
    shown = replace(case(mutations=[mutation("/a", "required", "x")]), id="other")
    known = accepted(replace(FOUND, also=("other",)))
    assert match([known], finding(shown=shown, fingerprint="0" * 16)) is known


@pytest.mark.parametrize(
    "other",
    [
        finding(
            fingerprint="0" * 16,
            shown=replace(case(mutations=[mutation("/a", "required", "x")]), id="x"),
        ),
        finding(violation("O4", "else"), fingerprint="0" * 16),
        finding(fingerprint="0" * 16, shown=replace(case(), id="x")),
    ],
    ids=["another rule", "another symptom", "a valid message"],
)
def test_anything_else_is_new(other):
    assert match([KNOWN], other) is None


# --- migrating ----------------------------------------------------------------------------------------------


def test_today_nothing_is_renamed():
    assert (FINGERPRINT_VERSION, len(RENAMINGS)) == (1, 0)
    assert migrated([KNOWN], 1, fingerprint) == (KNOWN,)


def test_a_renamed_oracle_gives_the_entry_the_fingerprint_of_today():
    (moved,) = migrated([KNOWN], 1, fingerprint, [Renaming(oracles={"O4": ("O44", "new-name")})])
    assert (moved.entry.violation.oracle, moved.entry.violation.name) == ("O44", "new-name")
    assert moved.entry.fingerprint == fingerprint(moved.entry.violation, KNOWN.case)
    assert moved.entry.reason == "ticket 12"


def test_steps_that_the_baseline_has_behind_it_are_not_made_again():
    steps = [
        Renaming(symptoms={("O4", "silence"): "other"}),
        Renaming(symptoms={("O4", "silence"): "quiet"}),
    ]
    (moved,) = migrated([KNOWN], 2, fingerprint, steps)
    assert moved.entry.violation.symptom == "quiet"


def test_a_fingerprint_may_be_renamed_by_itself():
    (moved,) = migrated([KNOWN], 1, fingerprint, [Renaming(fingerprints={"f" * 16: "e" * 16})])
    assert moved.entry.fingerprint == "e" * 16
    assert moved.entry.violation == KNOWN.entry.violation


@pytest.mark.parametrize("since", [0, 2])
def test_a_baseline_of_another_time_is_refused(since):
    with pytest.raises(Flaw, match="update ocppfuzz"):
        migrated([KNOWN], since, fingerprint)


# --- killers ------------------------------------------------------------------------------------------------


def test_killers_take_turns():
    killers = [accepted(finding(violation("O1"), fingerprint=f"{n}" * 16)) for n in (2, 1)]
    played = [killer_of_the_turn([*killers, KNOWN], turn) for turn in range(3)]
    assert played == [killers[1], killers[0], killers[1]]
    assert killer_of_the_turn([KNOWN], 0) is None
