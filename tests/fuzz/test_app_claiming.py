"""What a station claims is told in one note, and reaches the facts that oracles see."""

import pytest

from fuzz.app.claiming import with_claims
from fuzz.config import RunOptions
from fuzz.engine.inventory import Inventory
from fuzz.errors import UsageError
from fuzz.records import Side, TargetFacts

STATION = TargetFacts(Side.STATION, model="m")
THEIRS = RunOptions(listen="127.0.0.1:9000")


def entry(component, value):
    return {
        "component": {"name": component},
        "variable": {"name": "Available"},
        "variableAttribute": [{"value": value}],
        "variableCharacteristics": {"dataType": "boolean", "supportsMonitoring": False},
    }


def claimed(options, report=(), facts=STATION):
    notes = []
    found = with_claims(facts, options, Inventory(list(report)), lambda e: notes.append(e.text))
    return found, notes


def test_a_pics_file_decides_what_is_claimed_and_denied():
    facts, notes = claimed(RunOptions(listen="127.0.0.1:9000", pics="ac-1evse-type2"))
    assert "SetVariables" in facts.declared
    assert "ReserveNow" in facts.denied
    assert len(notes) == 1
    assert notes[0].startswith("PICS file ac-1evse-type2; claimed are 18 actions; denied, ")
    assert notes[0].endswith(
        "Advanced Device Management, Advanced User Interface, Local Authorization List Management, Reservation, Smart Charging"
    )


def test_the_embedded_station_claims_what_it_is_built_of():
    _, notes = claimed(RunOptions())
    assert notes[0].startswith("PICS file dc-2evse-ccs1; ")


def test_without_one_the_base_report_is_drafted_and_what_it_does_not_show_stays_open():
    facts, notes = claimed(THEIRS, [entry("SmartChargingCtrlr", "false")])
    assert facts.declared == frozenset()
    assert facts.denied >= {"SetChargingProfile"}
    assert "ReserveNow" not in facts.denied
    assert "`ocppfuzz pics draft -o FILE`" in notes[0]
    assert notes[0].endswith(
        "claimed are 0 actions; denied, and so only tried for robustness: Smart Charging"
    )


def test_without_a_report_nothing_is_claimed_or_denied():
    facts, notes = claimed(THEIRS)
    assert facts == STATION
    assert notes[0].endswith("only tried for robustness: nothing")


def test_a_csms_claims_nothing():
    csms = TargetFacts(Side.CSMS)
    assert claimed(RunOptions(target="ws://127.0.0.1/x"), facts=csms) == (csms, [])


def test_a_file_that_is_none_is_told():
    with pytest.raises(UsageError, match="unknown PICS file 'nobody'"):
        claimed(RunOptions(listen="127.0.0.1:9000", pics="nobody"))
