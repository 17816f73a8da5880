from dataclasses import replace

from fuzz.engine.support import Coverage, Support
from fuzz.records import Constraint, Heard
from fuzz.testing import VALID, case, error, mutation, observation, rejected, result
from strategies.labels import Expectation, Position, Tier


def _answered(
    action: str, *replies: Heard, expectation: Expectation = VALID, support: Support | None = None
) -> Support:
    made = support or Support()
    made.learn(observation(case(expectation, action=action), replies=replies))
    return made


def test_nothing_is_known_before_the_first_answer() -> None:
    assert Support().known() is None
    assert _answered("ClearCache").known() is None


def test_a_result_and_an_error_in_earnest_both_show_support() -> None:
    assert _answered("ClearCache", result()).known() == {"ClearCache"}
    assert _answered("Reset", error("InternalError")).known() == {"Reset"}


def test_unknown_and_unsupported_actions_are_refused() -> None:
    for code in ("NotSupported", "NotImplemented"):
        support = _answered("ReserveNow", error(code))
        assert (support.known(), support.refused) == (frozenset(), {"ReserveNow"})


def test_a_refusal_outweighs_every_result_before_and_after() -> None:
    support = _answered("ReserveNow", result())
    _answered("ReserveNow", error("NotSupported"), support=support)
    _answered("ReserveNow", result(), support=support)
    assert support.known() == frozenset()


def test_the_answer_to_a_broken_message_teaches_nothing() -> None:
    support = _answered("Reset", error("NotSupported"), expectation=rejected(Tier.SCHEMA))
    assert support.known() is None


def test_an_error_code_of_any_type_is_taken_as_it_comes() -> None:
    assert _answered("Reset", error(["NotSupported"])).known() == {"Reset"}


def test_coverage_counts_planned_entries_once() -> None:
    coverage = Coverage()
    coverage.plan("sites", ["a", "b"])
    coverage.plan("sites", ["b", "c"])
    for reached in ("a", "a", "c", "nobody's"):
        coverage.reach(reached)
    assert coverage.counts() == {"sites": (2, 3)}
    assert coverage.holds("b")
    assert not coverage.holds("nobody's")


def test_cases_are_told_by_message_and_rule_and_states_by_name() -> None:
    coverage = Coverage()
    long, short = (
        replace(case(action="Reset", mutations=[mutation("/a", "maxLength", "one-more")]), id=name)
        for name in ("long", "short")
    )
    coverage.plan_cases("violations", [long, short])
    coverage.plan_states([("a/x", "b/x"), ("b/x", "a/x")])
    coverage.reach("long")
    coverage.reach_state("a/x")
    coverage.reach_state("b/x", "a/x")
    told = coverage.reach_told()
    assert told.constraints == (Constraint("Reset", Position.CALL, "maxLength", 1, 2),)
    assert told.states == {"a/x": True, "b/x": True}
    assert told.changes == {("a/x", "b/x"): True, ("b/x", "a/x"): False}
    assert coverage.counts() == {"violations": (1, 2), "states": (2, 2), "transitions": (1, 2)}
