from fuzz.engine.quarantine import PATIENCE, SAMPLE_EVERY, Quarantine
from fuzz.records import Case, SendText, Side
from strategies.labels import Channel, Expectation, Mutation, Stance, Tier


def _case(operator: str = "null") -> Case:
    return Case(
        id=operator,
        side=Side.STATION,
        steps=(SendText(("[]",)),),
        expectation=Expectation(Stance.REJECT, Tier.SCHEMA),
        mutations=(Mutation(Channel.PAYLOAD, "/a", "type", operator),) if operator else (),
    )


def test_a_closed_class_is_sampled_and_the_rest_is_counted() -> None:
    quarantine = Quarantine()
    quarantine.close(_case(), "killer")
    let_through = [not quarantine.blocks(_case()) for _ in range(2 * SAMPLE_EVERY)]
    assert sum(let_through) == 2
    assert quarantine.blocked == {"killer": 2 * SAMPLE_EVERY - 2}


def test_other_classes_go_on() -> None:
    quarantine = Quarantine()
    quarantine.close(_case(), "killer")
    assert not quarantine.blocks(_case("missing"))


def test_a_class_is_closed_after_it_offended_often_enough() -> None:
    quarantine = Quarantine()
    for _ in range(PATIENCE - 1):
        quarantine.offend(_case(), "closes")
    assert not quarantine.blocks(_case())
    quarantine.offend(_case(), "closes")
    assert quarantine.blocks(_case())


def test_valid_messages_are_never_closed_as_a_class() -> None:
    quarantine = Quarantine()
    quarantine.close(_case(""), "killer")
    assert not quarantine.blocks(_case(""))
