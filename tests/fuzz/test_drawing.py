"""Drawing depends on version, seed and strategy alone; minimising keeps to its budget and its predicate."""

import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import strategies as st

from fuzz.engine import drawing
from fuzz.engine.drawing import draw, minimise

MIXED = st.fixed_dictionaries(
    {"n": st.integers(), "s": st.text(), "f": st.floats(), "l": st.lists(st.integers(), max_size=4)}
)
NUMBERS = st.lists(st.integers(0, 10_000), max_size=8)
START = [9_999] * 8

CHILD = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
{imports}
from hypothesis import strategies as st
from fuzz.engine.drawing import draw
mixed = st.tuples(st.integers(), st.text(), st.floats())
print(draw(mixed, seed=5, count=400))
"""
ODD = "WORDS = {words!r}\nNUMBERS = {numbers!r}\n"


def _drawn_in_a_process(folder: Path, imports: str, hash_seed: str) -> str:
    folder.mkdir()
    odd = ODD.format(words=[f"unheard-of-{i}" for i in range(99)], numbers=[*range(7777, 7899)])
    (folder / "oddities.py").write_text(odd)
    root = str(Path(drawing.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(root=root, here=str(folder), imports=imports)],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.slow
def test_draws_are_the_same_whatever_else_is_imported_and_however_text_is_hashed(
    tmp_path: Path,
) -> None:
    alone = _drawn_in_a_process(tmp_path / "alone", "", "0")
    beside = _drawn_in_a_process(tmp_path / "beside", "import oddities", "1")

    assert len(alone) > 10_000
    assert "unheard-of" not in beside
    assert alone == beside


def test_one_seed_draws_the_same_and_another_seed_draws_otherwise() -> None:
    first = repr(draw(MIXED, seed=1, count=50))

    assert repr(draw(MIXED, seed=1, count=50)) == first
    assert repr(draw(MIXED, seed=2, count=50)) != first


@pytest.mark.parametrize("count", [0, 1, 2, 10, 100])
def test_draws_are_exactly_as_many_as_asked_for_even_of_a_small_strategy(count: int) -> None:
    assert len(draw(st.booleans(), seed=3, count=count)) == count


def test_what_a_strategy_discards_is_not_drawn() -> None:
    even = st.integers(0, 100).filter(lambda n: n % 2 == 0)

    assert {n % 2 for n in draw(even, seed=4, count=60)} == {0}


def test_draws_in_worker_threads_do_not_disturb_each_other() -> None:
    alone = [repr(draw(MIXED, seed=seed, count=30)) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        beside = pool.map(lambda seed: repr(draw(MIXED, seed=seed, count=30)), range(4))

    assert list(beside) == alone


def test_drawing_leaves_the_global_generator_as_it_was() -> None:
    random.seed(7)
    before = random.getstate()
    draw(MIXED, seed=1, count=5)

    assert random.getstate() == before


def test_minimising_finds_the_smallest_value_that_still_fails() -> None:
    found = minimise(START, NUMBERS, lambda v: any(n >= 10 for n in v), max_calls=400)

    assert found == [10]


def test_minimising_is_the_same_each_time_and_in_a_worker_thread() -> None:
    def search() -> object:
        return minimise(START, NUMBERS, lambda v: sum(v) > 1_000, max_calls=60, seed=9)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(search).result() == search()


@pytest.mark.parametrize("max_calls", [0, 1, 7, 40])
def test_minimising_asks_once_for_a_value_and_never_beyond_its_budget(max_calls: int) -> None:
    asked: list[str] = []

    def fails(value: object) -> bool:
        asked.append(json.dumps(value))
        return len(value) > 1

    found = minimise(START, NUMBERS, fails, max_calls=max_calls)

    assert len(asked) == len(set(asked)) <= max_calls
    assert json.dumps(START) not in asked
    assert found == START or json.dumps(found) in asked
    assert len(found) > 1


def test_minimising_gives_the_start_back_when_nothing_smaller_fails() -> None:
    assert minimise(START, NUMBERS, lambda v: False, max_calls=50) is START


def test_a_failure_that_does_not_repeat_is_no_error() -> None:
    answers = random.Random(1)
    true_for: list[object] = []

    def flaky(value: object) -> bool:
        fails = answers.random() < 0.5
        if fails:
            true_for.append(value)
        return fails

    found = minimise(START, NUMBERS, flaky, max_calls=100)

    assert found in true_for
    assert len(json.dumps(found)) < len(json.dumps(START))


def test_what_the_predicate_raises_comes_out_at_once_and_unchanged() -> None:
    calls: list[object] = []

    def broken(value: object) -> bool:
        calls.append(value)
        raise ConnectionError("the target is gone")

    with pytest.raises(ConnectionError, match="the target is gone"):
        minimise(START, NUMBERS, broken, max_calls=50)
    assert len(calls) == 1
