"""The catalogue knows which station tests apply, and each of those is written exactly once."""

import pytest

from fuzz.app.conforming import answers, plan
from fuzz.conformance.catalogue import applicable, catalogue, not_applicable
from fuzz.conformance.registry import station_test, written_tests
from fuzz.errors import UsageError
from fuzz.pics.loading import load_pics


@pytest.fixture
def items():
    return answers(load_pics("dc-2evse-ccs1"))


def test_155_of_230_station_tests_apply_to_the_reference_station(items):
    assert len(catalogue()) == len({entry.id for entry in catalogue()}) == 230
    assert (len(applicable(items)), len(not_applicable(items))) == (155, 75)


def test_each_test_that_does_not_apply_names_the_answer_that_excludes_it(items):
    reasons = not_applicable(items)
    assert reasons["TC_B_25"] == "C-13 is No"
    assert reasons["TC_B_15"] == "C-56 is Yes"
    assert reasons["TC_C_45"] == "C-07 is No and C-08 is No"
    assert all(" is " in reason for reason in reasons.values())


def test_another_answer_makes_other_tests_apply(items):
    other = {e.id for e in applicable({**items, "C-13": True})}
    assert other >= {"TC_B_25", "TC_B_26", "TC_B_27"}
    assert not other & {"TC_B_28", "TC_B_29"}


def test_a_mandatory_test_applies_to_every_station():
    ids = {e.id for e in applicable({})}
    assert {e.id for e in catalogue() if e.mandatory} <= ids
    assert all(bool(e.when) != e.mandatory for e in catalogue())


def test_every_applicable_test_is_written_and_no_other(items):
    assert set(written_tests()) == {e.id for e in applicable(items)}


def test_a_test_that_is_written_twice_is_a_mistake():
    async def script(_):
        """Nothing happens."""

    assert "TC_B_01" in written_tests()
    with pytest.raises(ValueError, match="written twice"):
        station_test("TC_B_01")(script)


def test_a_test_without_a_sentence_is_a_mistake():
    async def script(_):
        pass

    with pytest.raises(ValueError, match="docstring"):
        station_test("TC_Z_99")(script)
    assert "TC_Z_99" not in written_tests()


def test_a_test_is_played_in_the_wanted_security_profile_where_it_allows_it():
    written = written_tests()
    assert [written["TC_A_01"].profile(p) for p in (1, 2, 3)] == [1, 2, 2]
    assert [written["TC_B_01"].profile(p) for p in (1, 2, 3)] == [1, 2, 3]


def test_a_plan_holds_what_was_asked_for_and_tells_what_needs_a_person():
    planned = plan(load_pics("dc-2evse-ccs1"), ["TC_B_01", "TC_B_52"])
    assert [e.id for e in planned.automatic] == ["TC_B_01"]
    assert [e.id for e in planned.by_hand] == ["TC_B_52"]
    assert not planned.asked_for_all


@pytest.mark.parametrize(
    ("id_", "words"), [("TC_B_99", "no station test"), ("TC_B_25", "C-13 is No")]
)
def test_a_plan_for_a_test_that_cannot_be_played_is_a_usage_error(id_, words):
    with pytest.raises(UsageError, match=words):
        plan(load_pics("dc-2evse-ccs1"), [id_])


def test_a_plan_can_be_limited_to_a_certification_profile():
    planned = plan(load_pics("dc-2evse-ccs1"), [], "Advanced Security")
    assert {e.id for e in planned.tests} == {
        "TC_A_07",
        "TC_A_11",
        "TC_A_14",
        "TC_A_15",
        "TC_M_23",
    }
