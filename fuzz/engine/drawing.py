"""Hypothesis behind two synchronous functions: draw values, and search for a smaller one that fails alike.

Knows Hypothesis and nothing of cases, targets or the event loop; both functions may run in a worker thread. Results
depend on the version of Hypothesis, the seed and the strategy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed as seeded, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from fuzz.engine.reducer import canonical
from strategies.labels import JsonValue

if TYPE_CHECKING:
    from hypothesis.internal.conjecture.choice import ChoiceConstraintsT, ChoiceTypeT
    from hypothesis.internal.constants_ast import ConstantT

T = TypeVar("T")

_STOCK = "hypothesis"
_OURS = "ocppfuzz"


def draw(strategy: SearchStrategy[T], *, seed: int, count: int) -> list[T]:
    """Up to `count` values of `strategy`, the same for the same seed; duplicates occur.

    Fewer than `count` come back only where the strategy itself has no more or discards nearly everything.
    """
    if count < 1:
        return []
    drawn: list[T] = []

    @seeded(seed)
    @settings(_quietly(count), phases=[Phase.generate])
    @given(strategy)
    def collect(value: T) -> None:
        drawn.append(value)

    collect()
    return drawn[:count]


def walk(machine: type[RuleBasedStateMachine], *, seed: int, count: int, steps: int) -> None:
    """Let a state machine take `count` walks of `steps` rules, the same for the same seed."""
    # Its own preconditions discard a rule now and then, which is no reason to give up.
    quietly = settings(_quietly(count), phases=[Phase.generate], stateful_step_count=steps)
    run_state_machine_as_test(seeded(seed)(machine), settings=quietly)


def minimise(
    start: JsonValue,
    strategy: SearchStrategy[Any],
    predicate: Callable[[JsonValue], bool],
    *,
    max_calls: int,
    seed: int = 0,
) -> JsonValue:
    """The smallest value of `strategy` that Hypothesis finds below `start` with `predicate` true, else `start`.

    Args:
        start: a value for which the predicate holds already; it is not asked again.
        strategy: where smaller values come from.
        predicate: asked at most once for each value; what it raises comes out unchanged.
        max_calls: how often the predicate may be asked at most.
        seed: the same seed takes the same way.
    """
    search = _Search(start, predicate, max_calls)

    # A class of its own: Hypothesis takes failures of one class and line for one bug.
    class StillFailing(Exception):
        pass

    @seeded(seed)
    @settings(_quietly(max(max_calls, 1)), phases=[Phase.generate, Phase.shrink])
    @given(strategy)
    def attempt(value: JsonValue) -> None:
        if search.holds(value):
            raise StillFailing

    with suppress(StillFailing, Flaky, _Stop):
        attempt()
    if search.broke is not None:
        raise search.broke
    return search.best


class _Stop(BaseException):
    """Ends a run at once: Hypothesis lets everything through that is no Exception."""


class _Search:
    """What `minimise` knows of the values seen so far."""

    __slots__ = ("_asked", "_calls_left", "_limit", "_predicate", "_size", "best", "broke")

    def __init__(
        self, start: JsonValue, predicate: Callable[[JsonValue], bool], max_calls: int
    ) -> None:
        self.best = start
        self.broke: Exception | None = None
        self._size = self._limit = _size(canonical(start))
        self._asked: dict[str, bool] = {}
        self._predicate = predicate
        self._calls_left = max_calls

    def holds(self, value: JsonValue) -> bool:
        """True when the value is smaller than the start and fails alike; the same answer each time."""
        text = canonical(value)
        if text not in self._asked:
            self._asked[text] = _size(text) < self._limit and self._ask(value)
            if self._asked[text] and _size(text) < self._size:
                self.best, self._size = value, _size(text)
        return self._asked[text]

    def _ask(self, value: JsonValue) -> bool:
        if self._calls_left < 1:
            raise _Stop
        self._calls_left -= 1
        try:
            return self._predicate(value)
        except Exception as error:
            self.broke = error
            raise _Stop from error


def _size(text: str) -> tuple[int, str]:
    return len(text), text


def _quietly(count: int) -> settings:
    """Settings that nobody's profile, database or clock can change."""
    return settings(
        backend=_backend(),
        database=None,
        deadline=None,
        derandomize=False,
        max_examples=count,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        verbosity=Verbosity.quiet,
    )


@cache
def _backend() -> str:
    """The name of a Hypothesis backend that draws the same in every checkout; the stock one if that is impossible.

    The stock provider mixes constants out of all imported local modules into its draws, so that an unrelated import
    would change a campaign. Ours is the stock provider with Hypothesis's own constants only. It stands beside the
    stock one (alternative backends are public, the class that it extends is not), so nothing has to be put back.
    """
    try:
        from hypothesis.internal.conjecture.choice import choice_constraints_key, choice_permitted
        from hypothesis.internal.conjecture.providers import (
            AVAILABLE_PROVIDERS,
            GLOBAL_CONSTANTS,
            HypothesisProvider,
        )

        _ = HypothesisProvider._maybe_draw_constant  # what SameEverywhere replaces
        GLOBAL_CONSTANTS.set_for_type("integer")
    except (ImportError, AttributeError):
        return _STOCK

    permitted: dict[object, tuple[ConstantT, ...]] = {}

    class SameEverywhere(HypothesisProvider):
        def _maybe_draw_constant(
            self, choice_type: ChoiceTypeT, constraints: ChoiceConstraintsT, *, p: float = 0.05
        ) -> ConstantT | None:
            if self._random is None or self._random.random() > p:
                return None
            key = choice_type, choice_constraints_key(choice_type, constraints)
            if key not in permitted:
                if len(permitted) > 4_096:
                    permitted.clear()
                constants = GLOBAL_CONSTANTS.set_for_type(choice_type)
                permitted[key] = tuple(c for c in constants if choice_permitted(c, constraints))
            return self._random.choice(permitted[key]) if permitted[key] else None

    AVAILABLE_PROVIDERS[_OURS] = SameEverywhere
    return _OURS
