"""Stored cases are played one behind the other, or on several stations of ours side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fuzz import store
from fuzz.app import Replayed, replaying
from fuzz.app.campaign import make_judge
from fuzz.app.replaying import Player
from fuzz.config import RunOptions
from fuzz.records import Case, Effect, Note, ReplayOutcome, SendText, Side
from fuzz.testing import case, finding, violation
from fuzz.transport.memory import MemoryLink
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


HERE = Path("findings/one")


async def answers(link: MemoryLink, text: str) -> None:
    frame = json.loads(text)
    if frame[0] == 2:
        await link.send_text(json.dumps([3, frame[1], {"status": "Accepted"}]))


async def hangs_up(link: MemoryLink, text: str) -> None:
    """Ends the connection on a ClearCache, without a close frame."""
    await (link.abort() if "ClearCache" in text else answers(link, text))


def player(executor: Any, back_off_s: float | None = None) -> Player:
    judged = make_judge(strict=True, edition="ed3")
    return Player(executor, judged, None, frozenset(Effect), back_off_s)


@pytest.mark.parametrize(
    ("oracle", "lives", "outcome"),
    [
        ("O1", 1, ReplayOutcome.REPRODUCED),
        ("O2", 1, ReplayOutcome.REPRODUCED),
        ("O4", 1, ReplayOutcome.CHANGED),
        ("O1", 9, ReplayOutcome.CHANGED),
    ],
    ids=["died for good", "restarts no more", "another defect", "came back"],
)
async def test_a_target_that_hangs_up_and_stays_away_reproduces_that_it_ended(
    scripted: Any, oracle: str, lives: int, outcome: ReplayOutcome
) -> None:
    async with scripted(hangs_up, owned=False, lives=lives) as executor:
        await executor.connect()
        executor.pace.come_back_s = 0.1
        ended = finding(violation(oracle, "exit 1"), case())
        played = await player(executor).play(HERE, ended)
    assert played.outcome is outcome
    assert ("ended the connection and stays away" in played.text) is (
        outcome is ReplayOutcome.REPRODUCED
    )


async def test_a_target_that_only_answers_well_is_mended(scripted: Any) -> None:
    async with scripted(answers, owned=False) as executor:
        await executor.connect()
        played = await player(executor).play(HERE, finding(violation("O2"), case()))
    assert played.outcome is ReplayOutcome.FIXED


@pytest.mark.parametrize(
    ("oracle", "back_off_s", "seconds"),
    [("O2", 20.0, 70.0), ("O2", 600.0, 120.0), ("O2", None, 120.0), ("O5", 20.0, 120.0)],
)
async def test_only_what_ended_is_waited_for_no_longer_than_its_own_back_off_takes(
    scripted: Any, oracle: str, back_off_s: float | None, seconds: float
) -> None:
    async with scripted(answers) as executor:
        executor.pace.come_back_s = 120.0
        shown = finding(violation(oracle), replace(case(), id="shown"))
        assert player(executor, back_off_s)._patience_s(shown) == seconds
