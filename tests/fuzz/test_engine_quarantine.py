from fuzz.engine.quarantine import PATIENCE, SAMPLE_EVERY, Quarantine
from fuzz.records import Case
from fuzz.testing import case, mutation, rejected
from strategies.labels import Tier


def _case(operator: str = "null") -> Case:
    altered = [mutation("/a", "type", operator)] if operator else []
    return case(rejected(Tier.SCHEMA), mutations=altered)


def _let_through(quarantine: Quarantine, count: int) -> int:
    return sum(not quarantine.blocks(_case()) for _ in range(count))


def test_a_closed_class_is_sampled_and_the_rest_is_counted() -> None:
    quarantine = Quarantine()
    quarantine.close(_case(), "killer")
    assert _let_through(quarantine, 2 * SAMPLE_EVERY) == 2
    assert quarantine.blocked == {"killer": 2 * SAMPLE_EVERY - 2}


def test_a_sample_that_does_it_again_halves_the_samples_from_then_on() -> None:
    quarantine = Quarantine()
    quarantine.close(_case(), "killer")
    assert _let_through(quarantine, SAMPLE_EVERY) == 1
    quarantine.offend(_case(), "closes")
    assert _let_through(quarantine, 2 * SAMPLE_EVERY - 1) == 0
    assert _let_through(quarantine, 1) == 1
    quarantine.offend(_case(), "closes")
    assert _let_through(quarantine, 4 * SAMPLE_EVERY - 1) == 0
    assert _let_through(quarantine, 1) == 1


def test_the_first_reason_for_closing_a_class_is_kept() -> None:
    quarantine = Quarantine()
    quarantine.close(_case(), "first")
    quarantine.close(_case(), "second")
    assert quarantine.closed == {_case().mutation_class: "first"}
    assert (quarantine.reason(_case()), quarantine.reason(_case("missing"))) == ("first", "")


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
