"""Hostile answers: each is bent in exactly the way that it says, and its control is a proper answer."""

import json

import pytest

from strategies.answers import (
    SLOT,
    broken_payloads,
    edges,
    error_shapes,
    oddities,
    proper,
    result,
    result_shapes,
)
from strategies.labels import JsonValue, Kind, Position, Sender, Stance, Tier, Utterance, spell
from strategies.version import version

VERSION = version()
ACTIONS = VERSION.sent_by(Sender.STATION)
TIME = "2026-01-01T00:00:00Z"


def everything(action: str) -> list[Utterance]:
    return [
        *error_shapes(action),
        *result_shapes(action, VERSION),
        *broken_payloads(action, VERSION, full=False),
        *edges(action, VERSION),
        *oddities(action, VERSION),
    ]


def read(text: object) -> JsonValue:
    parsed: JsonValue = json.loads(spell(text).replace("{time.now}", TIME))  # type: ignore[arg-type]
    return parsed


def valid(action: str, frame: JsonValue) -> bool:
    """True for a proper answer to a CALL with the slot as its id."""
    match frame:
        case [3, str(id_), dict(payload)] if id_ == SLOT:
            return VERSION.validator(action, Kind.RESPONSE).is_valid(payload)
        case [4, str(id_), str(code), str(description), dict()] if id_ == SLOT:
            return bool(code) and len(description) <= 255
        case _:
            return False


@pytest.mark.parametrize("action", ACTIONS)
def test_every_answer_has_an_id_of_its_own_and_is_no_call(action: str) -> None:
    said = everything(action)
    assert len({u.id for u in said}) == len(said)
    assert {u.position for u in said} == {Position.CALLRESULT, Position.CALLERROR}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_control_is_a_proper_answer(action: str) -> None:
    assert all(valid(action, read(u.control)) for u in everything(action))


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_called_broken_is_broken(action: str) -> None:
    shapes = [*error_shapes(action), *result_shapes(action, VERSION)]
    for said in (*shapes, *broken_payloads(action, VERSION, full=True)):
        if said.expectation.stance is not Stance.REJECT or said.mutation is None:
            continue
        if said.mutation.operator in ("float", "cut-off", "twice", "behind"):
            continue
        assert not valid(action, read(said.text)), said.id


@pytest.mark.parametrize("action", ACTIONS)
def test_edges_keep_the_response_schema(action: str) -> None:
    for said in edges(action, VERSION):
        assert said.expectation.stance is Stance.UNSPECIFIED
        assert valid(action, read(said.text)), said.id


def test_the_first_callerrors_are_those_that_lack_a_description() -> None:
    first = error_shapes("Heartbeat")[0]
    assert first.text == (f'[4,"{SLOT}","GenericError",null,{{}}]',)
    assert (f'[4,"{SLOT}","GenericError",{{}}]',) in [u.text for u in error_shapes("Heartbeat")]


def test_a_boot_is_told_every_wild_interval() -> None:
    texts = " ".join(spell(u.text or ()) for u in oddities("BootNotification", VERSION))
    for interval in ("0", "-1", "2147483648", "9007199254740992", '"abc"', "NaN"):
        assert f'"interval":{interval},' in texts


def test_a_transaction_costs_what_no_number_is() -> None:
    texts = " ".join(spell(u.text or ()) for u in oddities("TransactionEvent", VERSION))
    assert all(f'"totalCost":{cost}' in texts for cost in ("NaN", "-1", "1e308", "Infinity"))


def test_answers_with_another_fault_tell_the_present_time() -> None:
    assert '"currentTime":"{time.now}"' in result(proper("Heartbeat", VERSION))
    assert all(TIME not in spell(u.text or ()) for u in result_shapes("BootNotification", VERSION))


def test_unreadable_answers_may_be_answered_and_legal_ones_are_nobodys_fault() -> None:
    for said in error_shapes("Heartbeat"):
        broken = said.expectation.stance is Stance.REJECT
        assert broken == bool(said.expectation.disputed)
        assert broken == (said.expectation.tier is Tier.RPC)
