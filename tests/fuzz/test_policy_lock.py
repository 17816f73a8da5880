"""A lock tells what is newer than it, table by table."""

import pytest

from fuzz.policy.flaw import Flaw
from fuzz.policy.lock import Ahead, Lock, ahead, checked, digest, lock_of

TABLES = {"corpus": ("a", "b"), "systematic/station/Reset": ("x",)}
LOCK = lock_of("ocppfuzz 0.1.0", ["O4", "O1"], ["replay"], TABLES)


def test_a_lock_holds_sorted_names_and_short_digests():
    assert (LOCK.checks, LOCK.phases) == (("O1", "O4"), ("replay",))
    assert LOCK.cases["corpus"] == " ".join(sorted([digest("a"), digest("b")]))
    assert len(digest("a")) == 8


def test_the_version_that_wrote_it_has_nothing_newer():
    newer = ahead(LOCK, ["O1", "O4"], ["replay"], TABLES)
    assert newer == Ahead()
    assert not newer


def test_new_checks_phases_and_cases_are_named():
    newer = ahead(
        LOCK, ["O1", "O9"], ["replay", "more"], {"corpus": ("a", "b", "c"), "new": ("x",)}
    )
    assert newer == Ahead(frozenset({"O9"}), frozenset({"more"}), frozenset({"c", "x"}), 1)


def test_a_short_list_may_not_count_what_the_lock_left_for_the_night():
    lock = lock_of("ocppfuzz 0.1.0", ["O1", "O4"], ["replay"], TABLES, night=["a", "tls-ts-62"])
    assert lock.night == " ".join(sorted([digest("a"), digest("tls-ts-62")]))
    newer = ahead(lock, ["O1", "O4"], ["replay"], TABLES, played=["a", "b"])
    assert (newer.cases, newer.gone) == (frozenset({"a"}), 0)
    assert ahead(LOCK, ["O1", "O4"], ["replay"], TABLES, played=["a", "b"]) == Ahead()


def test_cases_that_are_gone_are_counted():
    newer = ahead(LOCK, ["O1", "O4"], ["replay"], {**TABLES, "corpus": ("a",)})
    assert (newer.cases, newer.gone) == (frozenset(), 1)
    assert newer


def test_without_a_lock_nothing_is_newer():
    assert ahead(None, ["O1"], ["replay"], TABLES) == Ahead()


def test_a_lock_without_checks_is_refused():
    with pytest.raises(Flaw, match="--update-lock") as error:
        checked(Lock("ocppfuzz", (), ()))
    assert error.value.place == "/checks"
