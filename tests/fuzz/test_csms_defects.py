"""What is known of the defects that can be planted in the CSMS."""

import pytest

from fuzz.csms.defects import LAYERS, defects, plant, rewire
from fuzz.csms.hooks import Hooks
from fuzz.csms.wire import HEALTHY
from fuzz.errors import UsageError
from fuzz.station.defects import defects as of_stations
from tlslab.registry import all_cases

AUTHENTICATION = ("basic auth", "client identity")
ALL = {found.number: found for found in defects().values()}


def test_the_defects_of_the_survey_and_at_least_nine_more_are_there():
    assert {"P49", "P50", "P54", "P55", "P56", "P57"} <= set(ALL)
    assert len(ALL) >= 15


def test_no_number_and_no_name_is_that_of_a_stations_defect():
    known = of_stations()
    assert not set(ALL) & set(known)
    assert not {found.name for found in ALL.values()} & set(known)


@pytest.mark.parametrize("number", ALL)
def test_each_says_what_it_is_and_how_it_is_found(number):
    found = ALL[number]
    assert found.side == "csms"
    assert found.text.endswith(".")
    assert found.witness
    assert all(step.id.startswith("TC-") for step in found.witness)
    assert found.oracle
    assert found.symptom
    assert found.layer in {layer.__name__.rpartition(".")[2] for layer in LAYERS}


@pytest.mark.parametrize("number", ALL)
def test_each_names_the_oracle_of_its_cases_and_the_security_profile_in_which_they_are_played(
    number,
):
    found, cases = ALL[number], all_cases()
    shown = [cases[step.id] for step in found.witness]
    assert {"O16" if c.topic in AUTHENTICATION else "O18" for c in shown} <= {found.oracle, "O18"}
    assert all(found.security_profile in case.profiles for case in shown)


@pytest.mark.parametrize("number", ALL)
def test_each_alters_a_seam(number):
    name = ALL[number].name
    healthy = Hooks(issue_all=lambda csr, serial, organization: "all")
    assert plant(healthy, [name]) != healthy or rewire([name]) != HEALTHY


def test_all_can_be_planted_at_once():
    names = [found.name for found in ALL.values()]
    assert rewire(names).plain_too
    assert plant(Hooks(), names).password("wrong", "")


def test_no_defect_is_no_alteration():
    assert plant(Hooks(), ()) == Hooks()
    assert rewire(()) == HEALTHY


def test_an_unknown_name_is_told_of_with_the_known_ones():
    for what in (lambda: plant(Hooks(), ["x"]), lambda: rewire(["x"])):
        with pytest.raises(UsageError, match=r"unknown defect 'x'.*any-password"):
            what()
