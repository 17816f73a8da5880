from __future__ import annotations

import json

import jsonschema
import pytest

from strategies.boundaries import Boundary, boundaries
from strategies.labels import Fault, JsonValue, Kind, Stance, Tier
from strategies.primitives import primitive_faults
from strategies.schema import message_schema, path_of
from strategies.version import version

MESSAGES = [(a, k) for a in version().actions for k in Kind]


def at(payload: JsonValue, pointer: str) -> JsonValue:
    for step in path_of(pointer):
        payload = payload[step]  # type: ignore[index]
    return payload


def find(action: str, end: str, kind: Kind = Kind.REQUEST) -> Boundary:
    found = [b for b in boundaries(message_schema(action, kind)) if b.id.endswith(end)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_every_boundary_is_valid_by_the_schema(action: str, kind: Kind) -> None:
    validator = version().validator(action, kind)
    for b in boundaries(message_schema(action, kind)):
        assert validator.is_valid(b.payload), b.id


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_what_must_be_accepted_is_valid_by_a_second_reader_too(action: str, kind: Kind) -> None:
    draft4 = jsonschema.Draft4Validator(version().raw_schema(action, kind))
    for b in boundaries(message_schema(action, kind)):
        if b.expectation.stance is Stance.ACCEPT:
            assert draft4.is_valid(b.payload), b.id


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_exactly_the_values_that_part_2_refuses_carry_a_fault(action: str, kind: Kind) -> None:
    for b in boundaries(message_schema(action, kind)):
        broken = {pointer for pointer, _, _ in primitive_faults(action, kind, b.payload)}
        assert broken == ({b.pointer} if b.expectation.fault else set()), b.id
        assert primitive_faults(action, kind, b.control) == [], b.id


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_disputed_is_never_accept_or_reject(action: str, kind: Kind) -> None:
    for b in boundaries(message_schema(action, kind)):
        disputed = b.expectation.stance is Stance.UNSPECIFIED
        assert bool(b.expectation.disputed) == disputed, b.id
        if b.expectation.stance is Stance.REJECT:
            assert b.expectation.tier is Tier.PRIMITIVE, b.id


def test_ids_are_unique_and_stable() -> None:
    ids = [b.id for a, k in MESSAGES for b in boundaries(message_schema(a, k))]
    assert len(ids) == len(set(ids))
    for known in (
        "SetVariables.req/setVariableData/0/attributeValue#maxLength:at",
        "Reset.req/evseId#integer:2**31",
        "Reset.req#properties:required-only",
        "SetVariables.req/setVariableData#items:far",
    ):
        assert known in ids


@pytest.mark.parametrize(
    ("label", "length"), [("empty", 0), ("one", 1), ("inside", 999), ("at", 1000)]
)
def test_strings_are_as_long_as_their_label_says(label: str, length: int) -> None:
    b = find("SetVariables", f"/attributeValue#maxLength:{label}")
    value = at(b.payload, b.pointer)
    assert isinstance(value, str)
    assert len(value) == length


def test_identifiers_keep_their_characters_at_full_length() -> None:
    b = find("GetVariables", "/component/name#maxLength:at")
    assert at(b.payload, b.pointer) == "A" * 50
    assert b.expectation.stance is Stance.ACCEPT


def test_arrays_are_as_long_as_their_label_says() -> None:
    bounded = boundaries(message_schema("GetReport", Kind.REQUEST))
    counts = {
        b.label: len(at(b.payload, b.pointer))  # type: ignore[arg-type]
        for b in bounded
        if b.pointer == "/componentCriteria" and "Items" in b.keyword
    }
    far = find("GetVariables", "/getVariableData#items:far")
    assert counts == {"at": 4, "inside": 3}
    assert len(at(far.payload, far.pointer)) == 20  # type: ignore[arg-type]


def test_each_enum_member_has_its_boundary() -> None:
    members = {
        b.label
        for b in boundaries(message_schema("GetBaseReport", Kind.REQUEST))
        if b.pointer == "/reportBase"
    }
    assert members == {"ConfigurationInventory", "FullInventory", "SummaryInventory"}


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("2**31", 2**31),
        ("-2**31-1", -(2**31) - 1),
        ("2**53+1", 2**53 + 1),
        ("2**63", 2**63),
        ("2**64", 2**64),
    ],
)
def test_integers_over_32_bits_are_to_be_rejected(label: str, value: int) -> None:
    b = find("GetBaseReport", f"/requestId#integer:{label}")
    assert at(b.payload, b.pointer) == value
    assert b.expectation.stance is Stance.REJECT
    assert b.expectation.fault is Fault.PRIMITIVE


def test_the_largest_request_id_is_refused_by_nobody() -> None:
    b = find("GetBaseReport", "/requestId#integer:2**31-1")
    assert (b.expectation.stance, b.expectation.tier) == (Stance.ACCEPT, Tier.MODEL)


@pytest.mark.parametrize("value", [0, 1, 2, 3, 4, 2**31 - 1])
def test_evse_ids_cover_what_stations_have_and_more(value: int) -> None:
    values = {
        at(b.payload, b.pointer)  # type: ignore[misc]
        for b in boundaries(message_schema("Reset", Kind.REQUEST))
        if b.pointer == "/evseId"
    }
    assert value in values


def test_bounds_of_the_schema_are_met_and_never_passed() -> None:
    values = {
        at(b.payload, b.pointer)  # type: ignore[misc]
        for b in boundaries(message_schema("NotifyEVChargingNeeds", Kind.REQUEST))
        if b.pointer.endswith("/stateOfCharge")
    }
    assert values == {0, 1, 2, 3, 4, 99, 100}


def test_four_fraction_digits_are_to_be_rejected_and_three_are_not() -> None:
    four = find("Heartbeat", "#dateTime:4-fraction-digits", Kind.RESPONSE)
    three = find("Heartbeat", "#dateTime:3-fraction-digits", Kind.RESPONSE)
    assert four.expectation.stance is Stance.REJECT
    assert four.expectation.fault is Fault.DATE_TIME
    assert three.expectation.stance is Stance.ACCEPT


def test_a_lower_case_t_is_disputed() -> None:
    b = find("Heartbeat", "#dateTime:lower-case-t", Kind.RESPONSE)
    assert "RFC 3339" in b.expectation.disputed


def test_decimals_are_limited_only_on_the_way_to_a_station() -> None:
    to_station = find("CostUpdated", "/totalCost#decimal:7-decimals")
    to_csms = find("MeterValues", "/sampledValue/0/value#number:7-decimals")
    assert to_station.expectation.stance is Stance.REJECT
    assert to_csms.expectation.stance is Stance.ACCEPT


def test_no_token_is_named_when_there_is_no_authorization() -> None:
    b = find("RequestStartTransaction", "/idToken/type#enum:NoAuthorization")
    assert b.payload["idToken"] == {"type": "NoAuthorization", "idToken": ""}


@pytest.mark.parametrize(
    ("label", "members"),
    [
        ("required-only", {"type"}),
        ("alone-evseId", {"type", "evseId"}),
        ("alone-customData", {"type", "customData"}),
        ("all", {"type", "evseId", "customData"}),
    ],
)
def test_optional_members_come_not_at_all_alone_and_all(label: str, members: set[str]) -> None:
    assert set(find("Reset", f"Reset.req#properties:{label}").payload) == members


def test_custom_data_may_hold_more() -> None:
    b = find("Reset", "Reset.req/customData#additionalProperties:extra-member")
    assert b.expectation.stance is Stance.ACCEPT
    assert "ocppfuzz" in json.dumps(b.payload)


def test_only_what_is_large_is_heavy() -> None:
    heavy = [b.id for a, k in MESSAGES for b in boundaries(message_schema(a, k)) if b.heavy]
    assert heavy == ["DataTransfer.req/data#any:64-KiB", "DataTransfer.res/data#any:64-KiB"]
