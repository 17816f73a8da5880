from fuzz.oracles.reactions import ORDERLY_CLOSES, REACTIONS
from strategies.labels import Fault
from strategies.version import ERROR_CODES


def test_every_fault_has_its_row():
    assert set(REACTIONS) == set(Fault)


def test_every_code_of_the_table_is_a_code_of_ocpp_201():
    codes = {c for row in REACTIONS.values() for c in (row.best, *row.also) if c}
    assert codes <= set(ERROR_CODES)


def test_a_row_without_a_best_code_takes_any():
    for row in REACTIONS.values():
        assert bool(row.best) != row.any_code


def test_the_best_code_is_not_named_twice():
    for row in REACTIONS.values():
        assert row.best not in row.also
        assert len(row.also) == len(set(row.also))


def test_only_where_an_answer_is_due_the_message_can_be_read():
    for row in REACTIONS.values():
        assert not (row.must_answer and row.any_id)


def test_abnormal_closes_fit_nothing():
    closes = {c for row in REACTIONS.values() for c in row.closes}
    assert closes <= ORDERLY_CLOSES
    assert not {1006, 1011} & ORDERLY_CLOSES
