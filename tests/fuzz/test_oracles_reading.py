import pytest

from fuzz.oracles.reading import accepts, mentioned, said_items, statuses
from fuzz.testing import observation


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"status": "Accepted"}, ["Accepted"]),
        ({"idTokenInfo": {"status": "Blocked"}}, ["Blocked"]),
        ({"getVariableResult": [{"attributeStatus": "Accepted"}, {"attributeStatus": "Rejected"}]}, ["Accepted", "Rejected"]),
        ({"setMonitoringResult": [{"status": "Duplicate"}, 7, None]}, ["Duplicate"]),
        ({"status": ["Accepted"], "fooResult": {"status": "Accepted"}}, []),
        ({}, []),
        (None, []),
        ([{"status": "Accepted"}], []),
    ],
)  # fmt: skip
def test_every_status_of_a_response_is_read(payload, told):
    assert list(statuses(payload)) == told


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        ({"status": "Accepted"}, True),
        ({"status": "Scheduled"}, True),
        ({"status": "AcceptedCanceled"}, True),
        ({"status": "UnknownVendorId"}, False),
        ({"status": "EmptyResultSet"}, False),
        ({"currentTime": "2026-11-22T10:00:00Z"}, None),
    ],
)
def test_a_response_accepts_refuses_or_cannot_tell(payload, answer):
    assert accepts(observation(), payload) is answer


def test_the_elements_said_last_are_read_leniently():
    assert said_items(observation(said=["x", '[2,"c1","A",{}]'])) == (2, "c1", "A", {})
    assert said_items(observation(said=["[2,"])) == ()
    assert said_items(observation(said=[])) == ()


@pytest.mark.parametrize(
    ("id_", "found"), [("c1", True), ("nobody", False), ("", False), ("-1", False), (2, False)]
)
def test_an_id_is_mentioned_when_it_stands_in_what_was_said(id_, found):
    assert mentioned(observation(said=['[2,"c1","-1",{}']), id_) is found
