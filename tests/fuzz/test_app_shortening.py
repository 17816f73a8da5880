"""What a pull request leaves for the night follows from this version alone, and is never all of a kind."""

from dataclasses import replace

import pytest

from fuzz import store
from fuzz.app.shortening import for_the_night, messages_for_the_night, told
from fuzz.config import RegressOptions, RunOptions
from fuzz.engine.course import easy_first, reconnects_of
from fuzz.records import Side
from fuzz.testing import case, finding

SHORT = RegressOptions()
STATION = RunOptions(listen="127.0.0.1:1", identity="CS-1")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_of_what_ends_a_connection_the_first_of_each_kind_stays():
    later = messages_for_the_night(STATION)
    ending = [c for c in easy_first(store.corpus_cases()) if reconnects_of(c)]
    here = [c for c in ending if c.side is Side.STATION and c.id not in later]
    words = {c.mutation_class.rpartition(":")[0] for c in here}
    assert {"text:utf-8", "text:opcode", "frame:close", "handshake:handshake"} <= words
    assert "corpus/text/utf-16" in later
    assert len(here) < 25


def test_what_ends_no_connection_is_played_whenever_there_is_a_build():
    later = messages_for_the_night(STATION)
    assert not [c.id for c in store.corpus_cases() if c.id in later and not reconnects_of(c)]


def test_the_systematic_texts_are_among_it():
    later = messages_for_the_night(STATION)
    assert "text/utf-8:utf-16" in later
    assert "text/utf-8:continuation" not in later


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (STATION, replace(SHORT, whole=True)),
        (STATION, replace(SHORT, mode="nightly")),
        (RunOptions(target="ws://127.0.0.1:1/{identity}", identity="CS-1"), SHORT),
    ],
)
def test_nothing_waits_at_night_nor_in_a_whole_list_nor_for_a_csms(options, wanted):
    assert for_the_night(options, wanted) == frozenset()


def test_what_was_found_before_is_played_again():
    assert "corpus/text/utf-16" in for_the_night(STATION, SHORT)
    (stored,) = [c for c in store.corpus_cases() if c.id == "corpus/text/utf-16"]
    store.save_finding(finding(shown=stored), STATION.findings_dir)
    assert "corpus/text/utf-16" not in for_the_night(STATION, SHORT)


def test_a_corpus_of_the_users_own_is_played_whole(tmp_path):
    store.save_case(case(), tmp_path / "mine" / "one.json")
    own = replace(STATION, corpus_dir=tmp_path)
    later = messages_for_the_night(own)
    assert later
    assert not [id_ for id_ in later if id_.startswith("corpus/")]


@pytest.mark.parametrize(
    ("night", "words"),
    [
        ({}, ""),
        ({"handshakes": 0, "messages": 0}, ""),
        (
            {"handshakes": 75, "messages": 64},
            "left for --mode nightly: 75 handshakes and 64 messages that end the connection; --whole plays them now",
        ),
        (
            {"messages": 1_064},
            "left for --mode nightly: 1,064 messages that end the connection; --whole plays them now",
        ),
    ],
)
def test_how_much_waits_is_told_in_one_line(night, words):
    assert told(night) == words
