"""Whoever is turned away is told of at once, with what to configure."""

import pytest

from fuzz.app.refusing import remedy, saying
from fuzz.records import EngineEvent, Note
from fuzz.transport.admission import Refused

WRONG = Refused("CS-1", 401, "wrong Basic password", "192.0.2.7:4711")


@pytest.mark.parametrize(("addresses", "place"), [(True, " from 192.0.2.7:4711"), (False, "")])
def test_a_wrong_password_is_told_with_who_gave_it_and_what_to_set(addresses, place) -> None:
    told: list[EngineEvent] = []
    saying(told.append, addresses=addresses)(WRONG)
    who = f"'CS-1'{place} with HTTP 401: wrong Basic password"
    text = f"somebody dialled in and was refused: {who}; {remedy(WRONG)}"
    assert told == [Note(text, "warning")]


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (401, "OCPPFUZZ_PASSWORD"),
        (404, "--identity"),
        (101, "ocpp2.0.1"),
        (400, ""),
    ],
)
def test_each_reason_has_its_remedy_or_speaks_for_itself(status: int, names: str) -> None:
    found = remedy(Refused("CS-1", status, "why"))
    assert names in found
    assert bool(found) is bool(names)
