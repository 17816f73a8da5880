from dataclasses import replace

import pytest

from fuzz.oracles.registry import judge
from fuzz.records import Caught, Observation
from fuzz.testing import case, mutation, observation
from strategies.canaries import KEYWORD, WEAKNESSES, Tongue

TOKEN = "qwertz"
HIT = f"/hit/{TOKEN}"


def seen(*paths: str, tongue: str = "shell", said: str | None = None) -> Observation:
    """A case that told the token inside an injection, and who followed what."""
    text = f'[2,"c1","ClearCache",{{"a":";curl http://h:1{HIT};"}}]' if said is None else said
    played = case(mutations=[mutation("/a", KEYWORD, tongue)])
    visits = tuple(Caught(0.1, "http", path, "GET") for path in paths)
    return replace(observation(played, said=[text]), caught=visits)


def found(obs: Observation) -> list[tuple[str, str]]:
    return [(v.symptom, v.cwe) for v in judge(obs) if v.oracle == "O24"]


def test_nobody_came_and_nothing_is_said():
    assert found(seen()) == []


@pytest.mark.parametrize("path", [HIT, f"{HIT};", f"{HIT}/x", f"{HIT}?a=b", f"{HIT}%0a"])
def test_a_visit_to_an_address_inside_an_injection_is_proof(path):
    assert found(seen(path)) == [("canary fetched", "CWE-78")]


def test_many_visits_are_one_finding():
    assert found(seen(HIT, HIT, HIT)) == [("canary fetched", "CWE-78")]


@pytest.mark.parametrize(
    "path",
    [
        "/ok/abcdef",
        f"/ok/abcdef;curl%20http://h:1{HIT};",
        f"/ok/abcdef?{HIT}",
        "/hit/",
        "/hit/qwe",
        "/",
        "",
        "/hit/123456",
    ],
)
def test_a_lawful_visit_is_no_finding_whatever_stands_behind_the_address(path):
    assert found(seen(path)) == []


def test_a_visit_for_another_case_proves_nothing_about_this_one():
    assert found(seen("/hit/zzzzzz")) == []
    assert found(seen(HIT, said='[2,"c1","ClearCache",{}]')) == []


@pytest.mark.parametrize("tongue", list(WEAKNESSES))
def test_the_weakness_is_that_of_the_tongue(tongue):
    assert found(seen(HIT, tongue=tongue)) == [("canary fetched", WEAKNESSES[tongue].cwe)]


@pytest.mark.parametrize("tongue", [Tongue.TERMINAL, "something-else"])
def test_where_no_visitor_was_asked_for_the_weakness_is_the_general_one(tongue):
    assert found(seen(HIT, tongue=tongue)) == [("canary fetched", "CWE-74")]
