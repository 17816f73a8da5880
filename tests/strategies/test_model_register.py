"""An energy register only rises; whatever cannot be compared is not compared."""

import pytest
from hypothesis import given, strategies as st

from strategies.model import Called, Model

FALLS = ["energy register falls"]


def event(transaction, sample, *, at="2026-01-01T00:00:00Z", evse=1, kind="Started", seq=0):
    """A TransactionEvent with one sampled value."""
    payload = {
        "eventType": kind,
        "seqNo": seq,
        "timestamp": at,
        "transactionInfo": {"transactionId": transaction},
        "evse": {"id": evse, "connectorId": 1},
        "meterValue": [{"timestamp": at, "sampledValue": [sample]}],
    }
    return Called(1.0, "TransactionEvent", payload, f"{transaction}{seq}")


def told(first, second, *, model=None, **fields):
    """What is said of two values of two transactions, one after the other."""
    seen = model or Model()
    seen.saw(event("a", first))
    found = seen.saw(event("b", second, **{"at": "2026-01-02T00:00:00Z", **fields}))
    return [o.name for o in found if o.name in FALLS]


def test_a_register_that_falls_from_one_transaction_to_the_next_is_objected_to():
    assert told({"value": 5000}, {"value": 200}) == FALLS


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [(46.0, 45.0, 1), (45.95, 45.94, 1), (45.0, 45.0, 0), (45.0, 46.0, 0), (45.0, 44.99999, 0)],
)
def test_in_one_message_nothing_is_rounded_differently(first, second, wrong):
    told = event("a", {"value": first})
    told.payload["meterValue"].append(
        {"timestamp": "2026-01-01T00:00:09Z", "sampledValue": [{"value": second}]}
    )
    found = [o.name for o in Model().saw(told)]
    assert found.count("energy register falls within one message") == wrong
    assert FALLS[0] not in found


def test_units_and_multipliers_are_the_same_energy():
    kilo = {"value": 5, "unitOfMeasure": {"unit": "kWh"}}
    assert told({"value": 5000}, kilo) == []
    assert told({"value": 5000}, {"value": 5, "unitOfMeasure": {"multiplier": 3}}) == []
    assert told({"value": 5000.4}, {"value": 5000}) == []


@pytest.mark.parametrize(
    ("second", "fields"),
    [
        ({"value": 1}, {"evse": 2}),
        ({"value": 1}, {"at": "2025-01-01T00:00:00Z"}),
        ({"value": 1}, {"at": "yesterday"}),
        ({"value": 1, "measurand": "Power.Active.Import"}, {}),
        ({"value": 1, "phase": "L1"}, {}),
        ({"value": 1, "location": "Inlet"}, {}),
        ({"value": True}, {}),
        ({"value": 1, "unitOfMeasure": {"unit": "J"}}, {}),
        ({"value": 1, "unitOfMeasure": {"multiplier": "x"}}, {}),
    ],
    ids=str,
)
def test_other_meters_moments_and_measurands_are_not_compared(second, fields):
    assert told({"value": 5000}, second, **fields) == []


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_a_register_that_never_falls_is_never_objected_to(values):
    model = Model()
    for i, value in enumerate(sorted(values)):
        found = model.saw(event(f"t{i}", {"value": value}, at=f"2026-01-{i + 1:02}T00:00:00Z"))
        assert [o.name for o in found if o.name in FALLS] == []


def outside(value, at, evse=1):
    sample = {"timestamp": at, "sampledValue": [{"value": value}]}
    return Called(1.0, "MeterValues", {"evseId": evse, "meterValue": [sample]}, f"m{at}")


@pytest.mark.parametrize(
    ("value", "evse", "wrong"), [(200, 1, FALLS), (5000, 1, []), (200, 2, []), (200, 0, [])]
)
def test_a_register_outside_of_transactions_falls_neither(value, evse, wrong):
    model = Model()
    model.saw(outside(5000, "2026-01-01T00:00:00Z"))
    found = model.saw(outside(value, "2026-01-02T00:00:00Z", evse))
    assert [o.name for o in found] == wrong


def test_a_register_of_a_transaction_may_be_another_than_outside_of_it():
    model = Model()
    model.saw(outside(5000, "2026-01-01T00:00:00Z"))
    found = model.saw(event("a", {"value": 200}, at="2026-01-02T00:00:00Z"))
    assert [o.name for o in found if o.name in FALLS] == []
