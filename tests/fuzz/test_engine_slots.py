from fuzz.engine.slots import Slots, message_ids
from strategies.labels import Repeated


def test_each_text_gets_a_fresh_id() -> None:
    slots = Slots(message_ids("t"))
    assert slots.fill(('[2,"{call.id}"]',)) == '[2,"t-00000001"]'
    assert slots.fill(('[2,"{call.id}"]',)) == '[2,"t-00000002"]'


def test_a_padded_id_has_the_length_that_the_slot_says() -> None:
    assert len(Slots(message_ids("t")).fill(("{call.id:36}",))) == 36


def test_the_previous_id_is_that_of_the_message_before() -> None:
    slots = Slots(message_ids("t"))
    slots.fill(("{call.id}",))
    assert slots.fill(("{call.previous}",)) == "t-00000001"


def test_secrets_are_filled_in_and_unknown_slots_stay() -> None:
    slots = Slots(message_ids("t"), {"secret.password": "hush"})
    assert slots.fill(("{secret.password} {secret.other}",)) == "hush {secret.other}"


def test_repetitions_are_written_out() -> None:
    assert Slots(message_ids("t")).fill(("a", Repeated("xy", 3), "b")) == "axyxyxyb"
