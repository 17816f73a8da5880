"""Properties of the envelope faults: each breaks the element that it names, and only that."""

import json

import pytest

from strategies.frames import CALL_ID, CALL_ID_36, call_text, envelope_faults, unsolicited
from strategies.labels import Fault, Position, Sender, Stance, Tier, Utterance, spell
from strategies.text import text_fault
from strategies.version import version

V = version()
PAYLOAD = {"getVariableData": [{"component": {"name": "A"}, "variable": {"name": "B"}}]}
FAULTS = envelope_faults("GetVariables", PAYLOAD, V)
UNSOLICITED = unsolicited(V)
EVERY = FAULTS + UNSOLICITED


def _number(spelled: str) -> tuple[str, str]:
    """A number as it was spelled: 2.0 is not 2, and neither is "2"."""
    return ("number", spelled)


def _read(text: str) -> list[object]:
    return json.loads(text, parse_int=_number, parse_float=_number)


@pytest.fixture(params=FAULTS, ids=lambda u: u.id)
def fault(request: pytest.FixtureRequest) -> Utterance:
    return request.param


@pytest.fixture(params=EVERY, ids=lambda u: u.id)
def utterance(request: pytest.FixtureRequest) -> Utterance:
    return request.param


def _expect(name: str) -> Utterance:
    (found,) = [u for u in EVERY if u.id == name]
    return found


def test_ids_are_unique() -> None:
    assert len({u.id for u in EVERY}) == len(EVERY)


def test_texts_are_unique() -> None:
    assert len({spell(u.text) for u in EVERY}) == len(EVERY)


def test_every_envelope_is_proper_json(utterance: Utterance) -> None:
    assert utterance.raw is None
    assert text_fault(spell(utterance.text)) is None


def test_the_control_is_the_well_formed_call(fault: Utterance) -> None:
    assert json.loads(spell(fault.control)) == [2, CALL_ID, "GetVariables", PAYLOAD]


def test_only_the_named_element_differs_from_the_control(fault: Utterance) -> None:
    said, control = _read(spell(fault.text)), _read(spell(fault.control))
    named = fault.mutation.pointer
    if named == "":
        shared = min(len(said), len(control))
        assert said[:shared] == control[:shared]
        assert len(said) != len(control)
    else:
        differs = [f"/{i}" for i, (a, b) in enumerate(zip(said, control, strict=True)) if a != b]
        assert differs == [named]


def test_what_is_rejected_names_its_fault(utterance: Utterance) -> None:
    expectation = utterance.expectation
    if expectation.stance is Stance.REJECT:
        assert expectation.tier is Tier.RPC
        assert expectation.fault is not None
    elif expectation.stance is Stance.UNSPECIFIED:
        assert expectation.disputed
    else:
        assert expectation.fault is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("envelope/arity:0", "[]"),
        ("envelope/arity:3", '[2,"{call.id}","GetVariables"]'),
        ("envelope/messageTypeId:2.0", '[2.0,"{call.id}",'),
        ("envelope/messageTypeId:1e400", '[1e400,"{call.id}",'),
        ("envelope/messageTypeId:2**64", '[18446744073709551616,"{call.id}",'),
        ("envelope/messageId:surrogate", '[2,"\\ud800","GetVariables",'),
        ("envelope/messageId:reserved", '[2,"-1","GetVariables",'),
        ("envelope/action:padded", '[2,"{call.id}"," GetVariables ",'),
        ("unsolicited/callresult/arity:2", '[3,"ocppfuzz-nobody-asked"]'),
        ("unsolicited/callerror/no-description", '[4,"ocppfuzz-nobody-asked","GenericError",{}]'),
    ],
)
def test_hostile_elements_are_spelled_by_hand(name: str, text: str) -> None:
    assert spell(_expect(name).text).startswith(text)


@pytest.mark.parametrize(
    ("name", "stance", "fault"),
    [
        ("envelope/arity:1", Stance.REJECT, Fault.NOT_ARRAY),
        ("envelope/arity:2", Stance.REJECT, Fault.ARITY),
        ("envelope/messageTypeId:2.0", Stance.UNSPECIFIED, None),
        ("envelope/messageId:36", Stance.ACCEPT, None),
        ("envelope/messageId:37", Stance.REJECT, Fault.ID_TOO_LONG),
        ("envelope/messageId:empty", Stance.UNSPECIFIED, Fault.ID_EMPTY),
        ("envelope/action:lower", Stance.REJECT, Fault.ACTION_CASE),
        ("envelope/action:direction/BootNotification", Stance.REJECT, Fault.ACTION_DIRECTION),
        ("unsolicited/callresult/unknown-id", Stance.REJECT, Fault.UNSOLICITED),
    ],
)
def test_labels_follow_the_table_of_reactions(name: str, stance: Stance, fault: Fault) -> None:
    assert (_expect(name).expectation.stance, _expect(name).expectation.fault) == (stance, fault)


def test_ids_sit_exactly_at_and_beyond_the_limit() -> None:
    assert json.loads(spell(_expect("envelope/messageId:36").text))[1] == CALL_ID_36
    assert len(json.loads(spell(_expect("envelope/messageId:37").text))[1]) == 37
    assert len(json.loads(spell(_expect("envelope/messageId:500000").text))[1]) == 500_000


def test_only_the_huge_message_id_is_heavy() -> None:
    assert [u.id for u in EVERY if u.heavy] == ["envelope/messageId:500000"]


@pytest.mark.parametrize("sender", [Sender.CSMS, Sender.STATION])
def test_every_action_of_the_other_end_is_said_in_the_wrong_direction(sender: Sender) -> None:
    faults = envelope_faults("DataTransfer", {"vendorId": "x"}, V, sender=sender)
    wrong = {
        u.id.rpartition("/")[2] for u in faults if u.expectation.fault is Fault.ACTION_DIRECTION
    }
    assert wrong == set(V.actions) - set(V.sent_by(sender))
    assert wrong


def test_answers_to_nothing_stand_outside_every_exchange() -> None:
    assert {u.position for u in UNSOLICITED} == {Position.UNSOLICITED}
    assert {json.loads(spell(u.text))[0] for u in UNSOLICITED} == {3, 4}
    assert {u.expectation.fault for u in UNSOLICITED} == {Fault.UNSOLICITED}


def test_a_malformed_answer_is_disputed_and_controlled_by_the_well_formed_one() -> None:
    for u in UNSOLICITED:
        assert bool(u.control) == bool(u.expectation.disputed)
        assert not u.control or len(json.loads(spell(u.control))) in (3, 5)


def test_a_call_text_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        call_text("DataTransfer", {"vendorId": "x", "data": float("nan")})
