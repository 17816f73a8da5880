"""The stock of this version is the same whoever asks, and locks itself without a rest."""

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
    assert whole.ahead_of(whole.locked()) == Ahead()


@pytest.mark.slow
def test_a_corpus_of_the_users_own_is_pinned_by_their_repository(tmp_path):
    save_case(case(), tmp_path / "mine" / "one.json")
    assert "corpus" not in stock(RunOptions(corpus_dir=tmp_path)).tables
