"""Who could do it, how bad that is by the published formula, and which tests it endangers."""

from dataclasses import replace
from typing import Any

import pytest

from fuzz.conformance.catalogue import catalogue
from fuzz.records import Basis, Case, Finding, Severity, Side, TargetFacts, Violation
from fuzz.report.rating import _BY_BLOCK, _TESTS, Attacker, attacker, endangers, rate
from fuzz.testing import case, mutation
from strategies.labels import Channel
from strategies.version import version

HANDSHAKE = [mutation(channel=Channel.HANDSHAKE)]


def violated(**changed: Any) -> Violation:
    made = Violation("O4", "x", Basis.SHALL, Severity.MEDIUM, "s", "t")
    return replace(made, **changed)


def facts(side: Side, profile: int) -> TargetFacts:
    return TargetFacts(side=side, security_profile=profile)


@pytest.mark.parametrize(
    ("side", "profile", "tried", "who"),
    [
        (Side.STATION, 1, case(), Attacker.ON_PATH),
        (Side.STATION, 2, case(), Attacker.IS_CSMS),
        (Side.STATION, 3, case(mutations=HANDSHAKE), Attacker.ON_PATH),
        (Side.CSMS, 0, case(), Attacker.REACHES_PORT),
        (Side.CSMS, 3, case(), Attacker.VALID_CERTIFICATE),
        (Side.CSMS, 3, case(mutations=HANDSHAKE), Attacker.REACHES_PORT),
    ],
)
def test_where_an_attacker_stands(side: Side, profile: int, tried: Case, who: Attacker) -> None:
    assert attacker(tried, facts(side, profile)) is who


@pytest.mark.parametrize(
    ("changed", "side", "vector", "score"),
    [
        # Scores as the calculator of FIRST gives them for these vectors.
        ({"basis": Basis.STOPPED_SERVING, "severity": Severity.HIGH}, Side.CSMS, "AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5),
        ({"oracle": "O24", "severity": Severity.CRITICAL}, Side.CSMS, "AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ({"basis": Basis.SHALL}, Side.CSMS, "AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N", 5.3),
        ({"basis": Basis.STOPPED_SERVING, "severity": Severity.HIGH}, Side.STATION, "AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", 5.9),
        ({"basis": Basis.LEAK, "severity": Severity.LOW}, Side.CSMS, "AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", 5.3),
    ],
)  # fmt: skip
def test_the_score_is_that_of_the_vector(
    changed: dict[str, Any], side: Side, vector: str, score: float
) -> None:
    rating = rate(violated(**changed), case(), facts(side, 0))
    assert rating.vector == f"CVSS:3.1/AV:N/{vector}"
    assert rating.score == score


def test_every_test_that_is_named_exists_and_every_action_too() -> None:
    known = {entry.id for entry in catalogue()}
    named = {test for tests in _TESTS.values() for test in tests} | set(_BY_BLOCK.values())
    assert named <= known
    assert set(_TESTS) <= set(version().actions)


def test_a_station_s_finding_endangers_the_tests_of_its_clause_and_its_action() -> None:
    broken = case(action="Reset")
    finding = Finding("f", violated(clause="B12.FR.01"), broken, broken, facts(Side.STATION, 1))
    assert endangers(finding)[:2] == ("TC_B_22", "TC_B_20")
    assert endangers(replace(finding, facts=facts(Side.CSMS, 1))) == ()
