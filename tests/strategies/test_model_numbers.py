"""EVSEs and connectors are numbered from 1, in what is told of a connector and of a transaction."""

import pytest

from strategies.model import Called, Model


def wrong(action, **payload):
    found = Model().saw(Called(1.0, action, payload, "c"))
    return [o.name for o in found if "cannot be" in o.name]


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0), (0, 0), (-1, 1)])
def test_a_place_that_cannot_be_is_found(numbers):
    evse, connector = numbers
    assert wrong("StatusNotification", evseId=evse, connectorId=connector)
    assert wrong("TransactionEvent", evse={"id": evse, "connectorId": connector})


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StatusNotification", {"evseId": 1, "connectorId": 1}),
        ("StatusNotification", {"evseId": "0"}),
        ("TransactionEvent", {}),
        ("TransactionEvent", {"evse": {"id": 1}}),
        ("TransactionEvent", {"evse": {"id": 2, "connectorId": 3}}),
        ("MeterValues", {"evseId": 0}),
        ("Heartbeat", {"evseId": 0}),
    ],
)
def test_other_places_may_be(action, payload):
    assert wrong(action, **payload) == []
