from __future__ import annotations

from collections.abc import Sequence

import pytest

from fuzz.oracles.registry import judge
from fuzz.oracles.resources import CONNECTIONS_FLOOR, MEMORY_FLOOR
from fuzz.records import (
    Case,
    Entry,
    Figures,
    Gauge,
    Observation,
    RepeatSteps,
    SendText,
    Side,
    Step,
    TargetFacts,
    Who,
)
from strategies.floods import BLOCKS, IDLE, SIZES, START, WARM
from strategies.labels import Expectation, Position, Repeated, Stance, Tier

LABELS = (WARM, START, *BLOCKS, *IDLE)
MIB = 2**20
MUCH = (Repeated("x", 16_000),)


def seen(
    figures: Sequence[Figures], steps: Sequence[Step] = (), entries: Sequence[Entry] = ()
) -> Observation:
    case = Case(
        id="testing",
        side=Side.STATION,
        steps=tuple(steps),
        expectation=Expectation(Stance.UNSPECIFIED, Tier.MODEL),
        position=Position.UNSOLICITED,
    )
    return Observation(case, TargetFacts(Side.STATION), figures=tuple(figures), entries=entries)


def said(text: Sequence[str | Repeated], times: int) -> tuple[Step, ...]:
    block = RepeatSteps((SendText(tuple(text)),), times)
    return (Gauge(START), *(step for label in BLOCKS for step in (block, Gauge(label))))


def memory(*values: int) -> list[Figures]:
    return [
        Figures(n, label, memory=v) for n, (label, v) in enumerate(zip(LABELS, values, strict=True))
    ]


def descriptors(*values: int) -> list[Figures]:
    return [
        Figures(n, label, descriptors=v)
        for n, (label, v) in enumerate(zip(LABELS, values, strict=True))
    ]


def processor(labels: Sequence[str], *values: float) -> list[Figures]:
    return [
        Figures(n, label, processor_s=v)
        for n, (label, v) in enumerate(zip(labels, values, strict=True))
    ]


def spoken(obs: Observation) -> list[tuple[str, str]]:
    return [(v.oracle, v.symptom) for v in judge(obs)]


def test_memory_that_grows_in_every_block_and_stays_is_a_slope() -> None:
    figures = memory(*(n * MIB for n in (50, 50, 51, 52, 53, 53, 53, 53)))
    assert spoken(seen(figures, said(MUCH, 64))) == [("O20", "memory slope")]


def test_a_long_message_that_stays_is_held() -> None:
    figures = memory(*(n * MIB for n in (50, 50, 70, 90, 110, 110, 110, 110)))
    steps = said((Repeated("x", 20 * MIB),), 1)
    assert spoken(seen(figures, steps)) == [("O20", "memory held")]


@pytest.mark.parametrize(
    "megabytes",
    [
        pytest.param((50, 50, 60, 60, 60, 60, 60, 60), id="once"),
        pytest.param((50, 50, 51, 52, 53, 50, 50, 50), id="given back"),
        pytest.param((40, 50, 51, 52, 53, 53, 53, 53), id="noise"),
        pytest.param((50, 50, 51, 53, 73, 73, 73, 73), id="unlike"),
        pytest.param((53, 53, 52, 51, 50, 50, 50, 50), id="shrinks"),
    ],
)
def test_memory_that_a_heap_may_take_is_no_slope(megabytes: tuple[int, ...]) -> None:
    assert not spoken(seen(memory(*(n * MIB for n in megabytes)), said(MUCH, 64)))


def test_a_small_share_of_what_was_said_is_no_slope() -> None:
    figures = memory(*(n * MEMORY_FLOOR for n in (9, 9, 10, 11, 12, 12, 12, 12)))
    assert spoken(seen(figures, said(MUCH, 64))) == [("O20", "memory slope")]
    assert not spoken(seen(figures, said(MUCH, 640)))


def test_connections_may_leave_garbage_for_a_while_but_not_without_end() -> None:
    some = memory(*(n * MIB for n in (50, 50, 51, 52, 53, 53, 53, 53)))
    more = memory(*(n * CONNECTIONS_FLOOR for n in (9, 9, 10, 11, 12, 12, 12, 12)))
    assert not spoken(seen(some))
    assert spoken(seen(more)) == [("O20", "memory slope")]


def test_descriptors_that_stay_open_are_a_slope_and_a_few_are_not() -> None:
    assert spoken(seen(descriptors(7, 7, 37, 67, 97, 97, 97, 97))) == [("O20", "descriptor slope")]
    assert not spoken(seen(descriptors(7, 7, 9, 11, 13, 13, 13, 13)))
    assert not spoken(seen(descriptors(7, 7, 37, 67, 97, 7, 7, 7)))


def test_readings_that_are_missing_prove_nothing() -> None:
    figures = descriptors(7, 7, 37, 67, 97, 97, 97, 97)
    assert not spoken(seen(figures[:-1]))
    assert not spoken(seen([Figures(f.at_s, f.label) for f in figures]))


def test_time_that_quadruples_with_each_doubling_is_quadratic() -> None:
    figures = processor((START, *SIZES), 1.0, 1.02, 1.08, 1.32, 2.3)
    assert spoken(seen(figures)) == [("O21", "quadratic time")]


@pytest.mark.parametrize(
    "readings",
    [
        pytest.param((1.0, 1.1, 1.3, 1.7, 2.5), id="in proportion"),
        pytest.param((1.0, 1.0, 1.01, 1.03, 1.12), id="cheap"),
        pytest.param((1.0, 1.02, 1.08, 1.32, 1.42), id="refused in the end"),
        pytest.param((2.0, 1.0, 1.08, 1.32, 2.3), id="another process"),
    ],
)
def test_time_in_proportion_or_not_worth_a_word_is_not_quadratic(
    readings: tuple[float, ...],
) -> None:
    assert not spoken(seen(processor((START, *SIZES), *readings)))


def test_a_processor_that_is_busy_in_every_rest_is_told_unless_somebody_talks() -> None:
    figures = processor((BLOCKS[-1], *IDLE), 1.0, 1.95, 2.9, 3.9)
    assert spoken(seen(figures)) == [("O21", "busy while idle")]
    talk = (Entry(1.5, Who.TARGET, "note", "something"),)
    assert not spoken(seen(figures, entries=talk))


def test_one_quiet_rest_acquits() -> None:
    assert not spoken(seen(processor((BLOCKS[-1], *IDLE), 1.0, 1.95, 2.0, 2.95)))
