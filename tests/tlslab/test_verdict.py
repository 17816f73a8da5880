import pytest

from tlslab.seen import Check, Expect, Exposure, Seen, Stage
from tlslab.verdict import Outcome, judge

ENDED = [Stage.ALERT, Stage.CLOSED]
LET_IN = [Stage.WEBSOCKET, Stage.OCPP]


def seen(expect: Expect, stage: Stage, control: Stage | None = Stage.OCPP) -> Seen:
    return Seen(exposures=[Exposure("the offer", expect, stage, control)])


@pytest.mark.parametrize("stage", ENDED)
def test_a_refusal_beside_an_accepted_control_passes(stage: Stage) -> None:
    assert judge(seen(Expect.REFUSE, stage)).outcome is Outcome.PASSED


@pytest.mark.parametrize("stage", ENDED)
@pytest.mark.parametrize("control", [None, *[s for s in Stage if s < Stage.WEBSOCKET]])
def test_a_refusal_without_an_accepted_control_proves_nothing(
    stage: Stage, control: Stage | None
) -> None:
    assert judge(seen(Expect.REFUSE, stage, control)).outcome is Outcome.NOT_OBSERVED


@pytest.mark.parametrize("stage", [Stage.UPGRADE, *LET_IN])
@pytest.mark.parametrize("control", [None, *Stage])
def test_what_should_be_refused_and_is_not_fails_whatever_the_control_did(
    stage: Stage, control: Stage | None
) -> None:
    judged = judge(seen(Expect.REFUSE, stage, control))
    assert judged.outcome is Outcome.FAILED
    assert judged.stage is stage


def test_a_refusal_after_finished_is_a_remark_of_a_station() -> None:
    facts = seen(Expect.REFUSE, Stage.FINISHED)
    assert judge(facts).outcome is Outcome.REMARK


@pytest.mark.parametrize("stage", [Stage.FINISHED, Stage.UPGRADE])
def test_a_csms_may_refuse_with_its_http_answer(stage: Stage) -> None:
    assert judge(seen(Expect.REFUSE, stage), csms=True).outcome is Outcome.PASSED


@pytest.mark.parametrize("expect", [Expect.REFUSE, Expect.ACCEPT])
@pytest.mark.parametrize("control", [None, *Stage])
def test_a_connection_that_was_not_seen_is_never_a_pass(
    expect: Expect, control: Stage | None
) -> None:
    assert judge(seen(expect, Stage.NOTHING, control)).outcome is Outcome.NOT_OBSERVED


@pytest.mark.parametrize("stage", Stage)
def test_what_should_be_taken_passes_with_a_websocket_only(stage: Stage) -> None:
    outcome = judge(seen(Expect.ACCEPT, stage)).outcome
    assert (outcome is Outcome.PASSED) is (stage in LET_IN)


@pytest.mark.parametrize("stage", Stage)
def test_what_is_only_written_down_never_fails(stage: Stage) -> None:
    assert judge(seen(Expect.RECORD, stage)).outcome is Outcome.RECORDED


def test_the_worst_decides() -> None:
    facts = seen(Expect.REFUSE, Stage.ALERT)
    facts.exposures += seen(Expect.REFUSE, Stage.OCPP).exposures
    facts.checks.append(Check("a wish", holds=False, remark=True))
    judged = judge(facts)
    assert judged.outcome is Outcome.FAILED
    assert judged.texts == ("the offer: OCPP was spoken",)
    assert judged.symptom == "OCPP was spoken"


def test_a_check_that_does_not_hold_fails_and_a_remark_does_not() -> None:
    hard, soft = (Check("a wish", holds=False, came="7", remark=r) for r in (False, True))
    assert judge(Seen(checks=[hard])).outcome is Outcome.FAILED
    assert judge(Seen(checks=[soft])).outcome is Outcome.REMARK


def test_a_symptom_holds_no_value() -> None:
    one, two = (judge(Seen(checks=[Check("a wish", holds=False, came=c)])) for c in ("1", "2"))
    assert one.symptom == two.symptom
    assert one.texts != two.texts


def test_what_was_not_played_to_its_end_is_not_observed_unless_it_failed_before() -> None:
    facts = seen(Expect.REFUSE, Stage.ALERT)
    facts.unfinished = "the station did not come back"
    assert judge(facts).outcome is Outcome.NOT_OBSERVED
    facts.checks.append(Check("a wish", holds=False))
    assert judge(facts).outcome is Outcome.FAILED


def test_nothing_seen_is_not_observed_and_records_alone_are_recorded() -> None:
    assert judge(Seen()).outcome is Outcome.NOT_OBSERVED
    assert judge(Seen(records={"versions": "TLSv1.2"})).outcome is Outcome.RECORDED
