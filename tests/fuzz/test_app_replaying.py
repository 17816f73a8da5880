"""Stored cases are played one behind the other, or on several stations of ours side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fuzz import store
from fuzz.app import Replayed, replaying
from fuzz.config import RunOptions
from fuzz.records import Case, Note, ReplayOutcome, SendText, Side
from strategies.labels import Expectation, Stance, Tier

NOTE = Note("the same for all")


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was played on each station, in the order in which stations were begun."""
    seen: list[list[str]] = []

    async def _replay(
        stored: Sequence[tuple[Path, Case]], _options: object, sink: Any, _told: object
    ) -> list[Replayed]:
        seen.append([path.stem for path, _ in stored])
        sink(NOTE)
        return [Replayed(path, ReplayOutcome.FIXED, "") for path, _ in stored]

    monkeypatch.setattr(replaying, "_replay", _replay)
    return seen


def written(folder: Path, *names: str, heavy: tuple[str, ...] = ()) -> list[Path]:
    for name in names:
        case = Case(
            name,
            Side.STATION,
            (SendText((name,)),),
            Expectation(Stance.UNSPECIFIED, Tier.JSON),
            heavy=name in heavy,
        )
        store.save_case(case, folder / f"{name}.json")
    return [folder / f"{name}.json" for name in names]


def test_one_station_gets_all_of_them_in_their_order(
    tmp_path: Path, groups: list[list[str]]
) -> None:
    paths = written(tmp_path, "a", "b", "c", heavy=("b",))
    outcomes = replaying.replay(paths, RunOptions(), print)
    assert groups == [["a", "b", "c"]]
    assert [o.path.stem for o in outcomes] == ["a", "b", "c"]


def test_several_stations_share_them_and_what_is_heavy_comes_alone_at_last(
    tmp_path: Path, groups: list[list[str]]
) -> None:
    paths = written(tmp_path, "a", "b", "c", "d", heavy=("b",))
    outcomes = replaying.replay(paths, RunOptions(), print, stations=2)
    assert groups == [["a", "d"], ["c"], ["b"]]
    assert {o.path.stem for o in outcomes} == {"a", "b", "c", "d"}


def test_what_all_stations_say_is_told_once(tmp_path: Path, groups: list[list[str]]) -> None:
    told: list[object] = []
    replaying.replay(written(tmp_path, "a", "b"), RunOptions(), told.append, stations=2)
    assert len(groups) == 2
    assert told == [
        Note(
            "Attacking our own embedded reference station, no defect planted, security profile 3",
            "target",
        ),
        NOTE,
    ]
