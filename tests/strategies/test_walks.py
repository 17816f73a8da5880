"""Walks only append moves, wait only for what must come, and undo what they did."""

from __future__ import annotations

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from strategies.moves import Act, Ask, Await, Move, flat
from strategies.pool import Pool
from strategies.sequences import CHARGING, Place
from strategies.walks import STATES, changes, machine

_PLACE = Place(Pool(evse_ids=(3, 5)))


def _walks(number: int, *, operated: bool = True) -> list[tuple[Move, ...]]:
    found: list[tuple[Move, ...]] = []
    made = seed(number)(machine(_PLACE, found.append, operated=operated))
    quiet = settings(
        max_examples=8,
        stateful_step_count=12,
        database=None,
        deadline=None,
        phases=[Phase.generate],
    )
    run_state_machine_as_test(made, settings=quiet)
    return found


@pytest.fixture(scope="module")
def some() -> list[tuple[Move, ...]]:
    return [moves for number in range(6) for moves in _walks(number)]


def test_a_seed_gives_the_same_walks_again_and_another_seed_others() -> None:
    assert _walks(1) == _walks(1)
    assert _walks(1) != _walks(2)


def test_walks_go_far(some: list[tuple[Move, ...]]) -> None:
    assert max(map(len, some)) > 20
    assert any(CHARGING in moves for moves in some)
    assert {"Reset", "GetBaseReport"} <= {m.action for w in some for m in w if isinstance(m, Ask)}


def test_every_cable_is_unplugged_in_the_end(some: list[tuple[Move, ...]]) -> None:
    for moves in some:
        words = [m.words for m in flat(moves) if isinstance(m, Act)]
        for evse in _PLACE.evses:
            assert words.count(f"plug-in {evse}") == words.count(f"unplug {evse}")


def test_the_network_is_back_in_the_end(some: list[tuple[Move, ...]]) -> None:
    for moves in some:
        words = [m.words for m in flat(moves) if isinstance(m, Act)]
        assert words.count("cut-network") == words.count("restore-network")


def test_nothing_is_asked_while_the_network_is_gone(some: list[tuple[Move, ...]]) -> None:
    for moves in some:
        online = True
        for move in moves:
            if isinstance(move, Act) and move.event.endswith("-network"):
                online = move.event == "restore-network"
            assert online or not isinstance(move, Ask | Await)


def test_without_an_operator_only_messages_are_exchanged() -> None:
    for moves in _walks(3, operated=False):
        assert not [m for m in flat(moves) if isinstance(m, Act)]


def test_changes_lead_from_a_known_state_to_another_one() -> None:
    assert len(changes()) == len(set(changes()))
    for before, after in changes():
        assert before != after
        assert {before, after} <= set(STATES)
