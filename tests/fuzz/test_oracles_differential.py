"""Two targets agree or not, by what became of a case; error codes and what proves nothing are no disagreement."""

import pytest

from fuzz.oracles.differential import compare, outcome
from fuzz.oracles.registry import judge
from fuzz.records import Close, Observation, ProcessEnd
from fuzz.testing import error, observation, result

ACCEPTED = observation(replies=[result({"status": "Accepted"})])
REFUSED = observation(replies=[result({"status": "Rejected"})])
ERROR = observation(replies=[error("FormatViolation")])
SILENT = observation(replies=[])
CLOSED = observation(replies=[], close=Close(1011))
DIED = observation(replies=[], close=Close(1006), process=ProcessEnd(70))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (ACCEPTED, "accepted"),
        (REFUSED, "refused"),
        (ERROR, "refused"),
        (SILENT, "no answer"),
        (CLOSED, "closed"),
        (DIED, "died"),
        (observation(inconclusive="we hung up"), ""),
    ],
)
def test_what_became_of_a_case(seen: Observation, words: str) -> None:
    assert outcome(seen) == words


def test_two_targets_disagree_when_one_takes_what_the_other_does_not() -> None:
    found = compare(ACCEPTED, REFUSED)
    assert found is not None
    assert (found.oracle, found.symptom) == ("O27", "accepted / refused")
    assert compare(REFUSED, DIED) is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ACCEPTED, ACCEPTED),
        (REFUSED, ERROR),
        (ERROR, observation(replies=[error("GenericError")])),
        (ACCEPTED, observation(inconclusive="the target was about to restart")),
    ],
)
def test_the_code_and_what_proves_nothing_are_no_disagreement(
    first: Observation, second: Observation
) -> None:
    assert compare(first, second) is None


def test_one_observation_alone_is_never_a_disagreement() -> None:
    assert all(v.oracle != "O27" for seen in (ACCEPTED, REFUSED) for v in judge(seen))
