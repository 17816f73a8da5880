"""Which handshakes a build plays, and what is made of a target that goes away."""

import pytest

from fuzz.app.handshaking import Handshakes, in_the_list, lab_of, left_for_night, quick
from fuzz.config import RegressOptions, RunOptions
from fuzz.errors import UsageError
from fuzz.records import Basis, FindingStatus, Side, TargetFacts
from fuzz.report.tls import TlsRow
from tlslab.registry import Effect, all_cases

FACTS = TargetFacts(Side.STATION, identity="CS-1")


def row(id_: str, outcome: str) -> TlsRow:
    return TlsRow(id_, "topic", "title", outcome, "high")


def test_a_pull_request_waits_for_the_few_telling_handshakes_of_a_station():
    ids = in_the_list(RegressOptions(), Side.STATION, ())
    assert {"TS-02", "TS-31", "TS-33", "TS-39"} <= set(ids)
    assert not {"TR-03", "TS-40", "TS-42", "TC-01"} & set(ids)
    assert len(ids) < 20
    assert all(all_cases()[id_].telling and quick(all_cases()[id_]) for id_ in ids)


def test_what_costs_a_station_least_is_played_first():
    ids = in_the_list(RegressOptions(), Side.STATION, ())
    hello, two_bad_certificates = ids.index("TS-01"), ids.index("TS-33")
    assert hello < ids.index("TS-31") < two_bad_certificates


def test_a_csms_answers_at_once_and_meets_all_that_leaves_nothing_behind():
    ids = in_the_list(RegressOptions(), Side.CSMS, ())
    assert {"TC-11", "TC-17"} <= set(ids)
    assert all(all_cases()[id_].effect is Effect.NONE for id_ in ids)


@pytest.mark.parametrize("wanted", [RegressOptions(mode="nightly"), RegressOptions(whole=True)])
@pytest.mark.parametrize("side", list(Side))
def test_a_night_and_a_whole_list_have_time_for_all_of_a_side(wanted, side):
    ids = in_the_list(wanted, side, ())
    assert ids == tuple(c.id for c in all_cases().values() if c.side.value == side.value)


def test_what_waits_for_the_night_is_counted_as_far_as_it_would_be_asked():
    options = RunOptions(listen="127.0.0.1:1", identity="CS-1", security_profile=2)
    options, lab = lab_of(options, RegressOptions(), {})
    ids = in_the_list(RegressOptions(), Side.STATION, ())
    left = left_for_night(options, lab, RegressOptions(), ids)
    assert 50 < left < len(in_the_list(RegressOptions(whole=True), Side.STATION, ())) - len(ids)
    assert left_for_night(options, lab, RegressOptions(whole=True), ids) == 0
    assert left_for_night(options, lab, RegressOptions(handshakes=("TS-31",)), ("TS-31",)) == 0


def test_cases_can_be_named_and_those_of_the_baseline_are_played_all_the_same():
    wanted = RegressOptions(handshakes=("TS-31",))
    assert in_the_list(wanted, Side.STATION, ("TS-42", "TC-01")) == ("TS-31", "TS-42")
    assert in_the_list(RegressOptions(handshakes=("none",)), Side.STATION, ("TS-42",)) == ("TS-42",)


def test_a_pattern_that_fits_nothing_is_a_usage_error():
    with pytest.raises(UsageError, match="no handshake case of this side fits TC-"):
        in_the_list(RegressOptions(handshakes=("TC-*",)), Side.STATION, ())


@pytest.mark.parametrize(
    ("outcomes", "played", "proven"),
    [
        ((), False, False),
        (("not asked", "n/a"), False, False),
        (("not observed",), True, False),
        (("failed",), True, True),
        (("recorded",), True, True),
    ],
)
def test_what_was_played_and_what_is_proven(outcomes, played, proven):
    shaken = Handshakes(FACTS, tuple(row("TS-31", outcome) for outcome in outcomes))
    assert (shaken.played, shaken.proven) == (played, proven)


def test_a_target_that_goes_away_is_a_finding_of_the_first_case_without_a_verdict():
    rows = (row("TS-31", "passed"), row("TS-32", "not observed"), row("TS-33", "not observed"))
    (lost,) = Handshakes(FACTS, rows).gone("nobody called", "2026-01-01T00:00:00Z")
    assert lost.violation.basis is Basis.STOPPED_SERVING
    assert lost.violation.text.endswith("behind handshake TS-32: nobody called")
    assert (lost.status, lost.case.id) == (FindingStatus.CANDIDATE, "tls-ts-32")


def test_a_target_that_was_never_there_is_none():
    assert Handshakes(FACTS, (row("TS-31", "not observed"),)).gone("nobody", "") == ()
