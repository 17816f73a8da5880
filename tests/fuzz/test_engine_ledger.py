"""What came of a campaign's cases is counted by action and position."""

from dataclasses import replace

from fuzz.engine.ledger import Ledger
from fuzz.records import Basis, Figures, Severity, Turnout, Violation
from fuzz.testing import case, observation
from strategies.labels import Position

ODD = Violation("O7", "rpc-shape", Basis.SHALL, Severity.LOW, "arity", "first", remark=True)
RESET = case(action="Reset")


def test_each_action_in_each_position_has_a_page_in_the_order_of_their_first_cases():
    ledger = Ledger()
    ledger.played(observation(RESET))
    ledger.played(observation(replace(RESET, position=Position.CALLRESULT), inconclusive="cut"))
    ledger.played(observation(RESET))
    assert ledger.turnouts() == (
        Turnout("Reset", Position.CALL, judged=2),
        Turnout("Reset", Position.CALLRESULT, inconclusive=1),
    )


def test_what_was_left_out_is_counted_by_its_reason():
    ledger = Ledger()
    for reason in ("not allowed", "blocked", "not allowed"):
        ledger.left_out(RESET, reason)
    assert ledger.turnouts()[0].left_out == {"not allowed": 2, "blocked": 1}


def test_cases_in_which_the_process_was_measured_are_told_apart():
    ledger = Ledger()
    ledger.played(observation(RESET))
    ledger.played(replace(observation(RESET), figures=(Figures(0.1),)))
    assert (ledger.turnouts()[0].judged, ledger.turnouts()[0].measured) == (2, 1)


def test_the_first_remark_of_an_oracle_is_kept_with_their_number():
    ledger = Ledger()
    ledger.remark(ODD, RESET)
    ledger.remark(replace(ODD, text="second"), RESET)
    assert ledger.turnouts()[0].remarks == ((ODD, 2),)


def test_an_objection_is_kept_once_for_each_finding():
    ledger = Ledger()
    for fingerprint in ("one", "two", "one"):
        ledger.objection(ODD, RESET, fingerprint)
    assert ledger.turnouts()[0].objections == (("O7", "one"), ("O7", "two"))
