"""Short campaigns in memory: a healthy station is left in peace even by strict oracles, a defective one is not."""

import pytest

from fuzz.station.defects import defects


@pytest.mark.slow
def test_a_healthy_station_is_given_neither_finding_nor_remark(attack):
    summary = attack(strict=True)
    assert (summary.exit_code, summary.reason) == (0, "")
    assert summary.findings == ()
    assert summary.remarks == ()
    assert summary.inconclusive == 0
    assert summary.left_changed == ()
    for table in ("boundaries", "violations", "envelopes and texts"):
        reached, total = summary.coverage[table]
        assert reached == total > 200


@pytest.mark.slow
def test_a_healthy_station_is_left_in_peace_by_drawn_messages_too(attack):
    summary = attack(strict=True, phases=("generated",), max_cases=1_500)
    assert summary.exit_code == 0
    assert summary.findings == ()
    assert summary.remarks == ()
    assert summary.cases == 1_500


@pytest.mark.slow
@pytest.mark.parametrize("number", ["P04", "P20", "P62"])
def test_a_planted_defect_is_found_by_its_oracle_alone(number, attack):
    summary = attack(number, strict=True)
    assert summary.exit_code == 1
    assert {f.violation.oracle for f in summary.findings} <= set(defects()[number].oracle.split())
    assert all((f.confirmed, f.control_hits) == (3, 0) for f in summary.findings)
