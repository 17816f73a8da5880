"""The stock of this version is the same whoever asks, and locks itself without a rest."""

from dataclasses import replace

import pytest

from fuzz.app.pinning import Stock, check_names, stock
from fuzz.config import PHASES, RunOptions
from fuzz.policy.lock import Ahead
from fuzz.store import save_case
from fuzz.testing import case


@pytest.fixture(scope="module")
def whole() -> Stock:
    return stock(RunOptions())


def test_checks_are_known_by_id_and_by_name():
    names = check_names()
    assert (names["O4"], names["unanswered-call"], names["TS-31"]) == ("O4", "O4", "TS-31")


@pytest.mark.slow
def test_the_stock_has_checks_phases_and_tables_of_both_sides(whole):
    assert {"O1", "TS-31", "TC-19"} <= whole.checks
    assert set(PHASES) < whole.phases
    assert {"corpus", "systematic/station/Reset", "systematic/csms/BootNotification"} <= set(
        whole.tables
    )
    assert len(whole.tables["systematic/station/Reset"]) > 10


def test_a_lock_of_it_leaves_nothing_newer(whole):
    assert whole.ahead_of(whole.locked(), short=False) == Ahead()
    assert whole.ahead_of(whole.locked(), short=True) == Ahead()


def test_what_the_lock_left_for_the_night_is_new_to_a_list_that_plays_it(whole):
    more = replace(whole, night=whole.night - {"tls-ts-62", "corpus/text/utf-16"})
    assert more.ahead_of(whole.locked(), short=True).cases == {"tls-ts-62", "corpus/text/utf-16"}
    assert more.ahead_of(whole.locked(), short=False) == Ahead()


def test_a_lock_of_before_the_short_list_counts_as_ever(whole):
    assert whole.ahead_of(replace(whole.locked(), night=""), short=True) == Ahead()


@pytest.mark.slow
def test_a_corpus_of_the_users_own_is_pinned_by_their_repository(tmp_path):
    save_case(case(), tmp_path / "mine" / "one.json")
    assert "corpus" not in stock(RunOptions(corpus_dir=tmp_path)).tables
