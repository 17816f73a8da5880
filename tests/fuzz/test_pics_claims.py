"""A claim is what a PICS file or a base report says, and nothing that neither decides."""

from dataclasses import replace

import pytest

from fuzz.pics.claims import Claims, claims_of, claims_shown
from fuzz.pics.loading import load_pics
from strategies.pool import PoolVariable
from strategies.version import version

DC = load_pics("dc-2evse-ccs1")


def available(component, value="true"):
    return PoolVariable(component, "Available", data_type="boolean", value=value)


def test_a_pics_file_claims_what_its_profiles_demand_and_its_items_name():
    claims = claims_of(DC)
    assert {"SetVariables", "CertificateSigned", "TriggerMessage/Heartbeat"} <= claims.declared
    assert "TriggerMessage/TransactionEvent" not in claims.declared
    assert ("GetBaseReport/SummaryInventory" in claims.declared) == DC.items["C-56"]
    assert "ClearCache" not in claims.declared
    assert "ClearCache" in claims_of(replace(DC, items={**DC.items, "C-49": True})).declared


def test_a_pics_file_denies_the_optional_profiles_that_it_does_not_name():
    claims = claims_of(DC)
    assert {"SendLocalList", "ReserveNow", "SetChargingProfile", "CostUpdated"} <= claims.denied
    assert "Smart Charging" in claims.without
    more = claims_of(replace(DC, certification_profiles=("Core", "smart charging")))
    assert {"SetChargingProfile", "GetCompositeSchedule"} <= more.declared
    assert "SetChargingProfile" not in more.denied
    assert "CertificateSigned" not in more.declared | more.denied


def test_claims_name_messages_of_ocpp_and_never_deny_what_they_claim():
    claims = claims_of(replace(DC, certification_profiles=("Core", "Reservation")))
    assert not claims.declared & claims.denied
    named = {claim.partition("/")[0] for claim in claims.declared | claims.denied}
    assert named <= set(version().actions)


@pytest.mark.parametrize(
    ("variables", "declared", "denied"),
    [
        ([], False, False),
        ([available("AuthCtrlr", "false")], False, False),
        ([available("ReservationCtrlr")], True, False),
        ([available("ReservationCtrlr", None)], True, False),
        ([PoolVariable("reservationctrlr", "Enabled", value="false")], True, False),
        ([available("ReservationCtrlr", "false")], False, True),
        ([PoolVariable("ReservationCtrlr", "X"), available("reservationctrlr", "false")], False, True),
    ],
)  # fmt: skip
def test_a_base_report_decides_only_about_the_controllers_that_it_names(
    variables, declared, denied
):
    claims = claims_shown(variables)
    both = frozenset({"ReserveNow", "CancelReservation"})
    assert claims.declared == (both if declared else frozenset())
    assert claims.denied == (both if denied else frozenset())


def test_an_empty_report_claims_and_denies_nothing():
    assert claims_shown(()) == Claims()
