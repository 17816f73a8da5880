"""What a pull request leaves for the night: cases whose kind it plays already, and which make a target come back.

Knows the tables that follow from this version alone, so that the list is the same for every target and every option. Must
not know policies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from fuzz import store
from fuzz.app.campaign import TOOL
from fuzz.config import RegressOptions, RunOptions
from fuzz.engine.course import beyond_the_first, easy_first
from fuzz.engine.phases import COSTLY, Ground, Systematic
from fuzz.engine.support import Coverage, Support
from fuzz.records import Case, Side
from strategies.version import version

LEFT = "left for --mode nightly: one of its kind, which ends the connection too, is played"


def own_corpus(options: RunOptions) -> bool:
    """True for a corpus of the user's: their repository pins it, and they want to see it played."""
    used, packaged = store.corpus_folder(options.corpus_dir), store.packaged_corpus()
    return os.path.realpath(str(used)) != os.path.realpath(str(packaged))


def messages_for_the_night(options: RunOptions) -> frozenset[str]:
    """The ids of the cases for a Charging Station that wait for the night; a CSMS is dialled again at once."""
    corpus = () if own_corpus(options) else store.corpus_cases()
    stored = (case for case in easy_first(corpus) if case.side is Side.STATION)
    return beyond_the_first(stored) | beyond_the_first(_systematic())


def for_the_night(options: RunOptions, wanted: RegressOptions) -> frozenset[str]:
    """The ids of what this build does not play; what was found before is played all the same."""
    if not wanted.short or options.target is not None:
        return frozenset()
    found = {finding.case.id for finding in store.findings_in(options.findings_dir)}
    return messages_for_the_night(options) - found


def told(night: Mapping[str, int]) -> str:
    """How much waits for the night, in words; "" where nothing does."""
    kinds = {"handshakes": "handshakes", "messages": "messages that end the connection"}
    what = " and ".join(f"{night[k]:,} {name}" for k, name in kinds.items() if night.get(k))
    return f"left for --mode nightly: {what}; --whole plays them now" if what else ""


def _systematic() -> Iterator[Case]:
    """The systematic table as far as it can end a connection: frames, texts, and what is rebooted for."""
    ground = Ground(version(), Side.STATION, 0, Support(), Coverage(), only=COSTLY, tool=TOOL)
    ground.support.supported.update(ground.actions())
    return Systematic(ground).table()
