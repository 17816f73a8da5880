from __future__ import annotations

import copy
import json
import random

import jsonschema
import pytest
from hypothesis import assume, given, settings, strategies as st

from strategies.examples import example
from strategies.labels import Fault, JsonValue, Kind, Stance, Tier
from strategies.payloads import payloads
from strategies.primitives import primitive_faults
from strategies.schema import message_schema
from strategies.version import version
from strategies.violations import OPERATORS, Break, apply, render, sites, violations

MESSAGES = [(a, k) for a in version().actions for k in Kind]


def errors_of(action: str, kind: Kind, payload: JsonValue) -> set[tuple[str, str]]:
    """Where and why the draft that the files name refuses a payload."""
    return {
        ("".join(f"/{p}" for p in e.instance_path), str(e.schema_path[-1]))
        for e in version().validator(action, kind).iter_errors(payload)
    }


def one(broken: tuple[Break, ...], id_: str) -> Break:
    found = [b for b in broken if b.id == id_]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_every_break_fails_where_and_why_it_says_and_nowhere_else(action: str, kind: Kind) -> None:
    draft4 = jsonschema.Draft4Validator(version().raw_schema(action, kind))
    for b in violations(message_schema(action, kind), full=True):
        if b.expectation.stance is Stance.UNSPECIFIED:
            # The validators disagree, as the label says.
            assert errors_of(action, kind, b.payload) == set()
            assert not draft4.is_valid(b.payload)
            continue
        errors = errors_of(action, kind, b.payload)
        keywords = {keyword for _, keyword in errors}
        assert {pointer for pointer, _ in errors} == {b.mutation.pointer}, b.id
        assert b.mutation.keyword in keywords, b.id
        assert keywords <= {b.mutation.keyword, *b.site.also}, b.id


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_every_control_is_valid_at_every_tier(action: str, kind: Kind) -> None:
    for b in violations(message_schema(action, kind), full=False):
        assert errors_of(action, kind, b.control) == set(), b.id
        assert primitive_faults(action, kind, b.control) == [], b.id


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_a_drawn_payload_breaks_in_the_same_way_and_stays_as_it_was(
    action: str, kind: Kind
) -> None:
    schema = message_schema(action, kind)
    rng = random.Random(1)
    for site in sites(schema):
        payload = example(schema)
        kept = copy.deepcopy(payload)
        operator = site.operators[0]
        done = apply(site, operator, payload, rng)
        assert done is not None, site.id
        broken, mutation = done
        assert (mutation.pointer, mutation.keyword) in errors_of(action, kind, broken)
        assert payload == kept


@pytest.mark.slow
@settings(max_examples=300, deadline=None, database=None)
@given(data=st.data())
def test_a_drawn_payload_breaks_only_where_it_says(data: st.DataObject) -> None:
    action, kind = data.draw(st.sampled_from(MESSAGES))
    table = sites(message_schema(action, kind))
    assume(table)
    site = data.draw(st.sampled_from(table))
    operator = data.draw(st.sampled_from(site.operators))
    payload = data.draw(payloads(action, kind))
    done = apply(site, operator, payload, random.Random(0))
    assert done is not None
    broken, mutation = done
    if site.expectation(operator).stance is Stance.REJECT:
        errors = errors_of(action, kind, broken)
        assert {pointer for pointer, _ in errors} == {mutation.pointer}
        assert {site.keyword} <= {keyword for _, keyword in errors} <= {site.keyword, *site.also}


def test_every_operator_is_used_and_says_what_it_does() -> None:
    used = {
        (s.keyword, o)
        for a, k in MESSAGES
        for s in sites(message_schema(a, k))
        for o in s.operators
    }
    assert used == set(OPERATORS)
    assert all(o.text for o in OPERATORS.values())


def test_ids_and_classes_are_unique_and_stable() -> None:
    table = [b.id for a, k in MESSAGES for b in violations(message_schema(a, k), full=True)]
    assert len(table) == len(set(table))
    assert "SetVariables.req/setVariableData/0/component#required:missing" in table
    assert "SetVariables.req/setVariableData/0/attributeValue#maxLength:far-more" in table
    assert "SetVariables.req#additionalProperties:extra-member" in table


def test_the_small_table_holds_one_break_a_site_and_is_part_of_the_full_one() -> None:
    schema = message_schema("ReserveNow", Kind.REQUEST)
    small = violations(schema, full=False)
    full = {b.id for b in violations(schema, full=True)}
    assert [b.site.id for b in small] == [s.id for s in sites(schema)]
    assert {b.id for b in small} < full


def test_a_break_is_equal_each_time_it_is_made() -> None:
    schema = message_schema("SetChargingProfile", Kind.REQUEST)
    assert violations(schema, full=True) == violations(schema, full=True)


def test_the_size_of_the_largest_break_is_bounded() -> None:
    schema = message_schema("CertificateSigned", Kind.REQUEST)
    assert max(len(json.dumps(b.payload)) for b in violations(schema, full=True)) < 21_000


@pytest.mark.parametrize(
    ("id_", "fault", "after"),
    [
        ("Reset.req/type#enum:wrong-case", Fault.VALUE, '"oNiDLE"'),
        ("Reset.req/type#enum:padded", Fault.VALUE, '"OnIdle "'),
        ("Reset.req/type#type:null", Fault.TYPE, "null"),
        ("Reset.req/type#required:missing", Fault.MISSING, "{}"),
        ("Reset.req/evseId#type:string", Fault.TYPE, '"1"'),
        ("Reset.req#additionalProperties:extra-case", Fault.EXTRA, "{Type, type}"),
    ],
)
def test_a_break_says_what_it_did(id_: str, fault: Fault, after: str) -> None:
    b = one(violations(message_schema("Reset", Kind.REQUEST), full=True), id_)
    assert (b.expectation.fault, b.mutation.after) == (fault, after)
    assert (b.expectation.stance, b.expectation.tier) == (Stance.REJECT, Tier.SCHEMA)


def test_one_point_zero_for_an_integer_is_disputed() -> None:
    table = violations(message_schema("Reset", Kind.REQUEST), full=True)
    b = one(table, "Reset.req/evseId#type:integral-float")
    assert b.expectation.stance is Stance.UNSPECIFIED
    assert "Draft 4" in b.expectation.disputed


def test_open_objects_have_no_extra_members_to_refuse() -> None:
    pointers = {
        s.pointer
        for s in sites(message_schema("Reset", Kind.REQUEST))
        if s.keyword == "additionalProperties"
    }
    assert pointers == {""}


def test_of_several_elements_one_is_chosen_and_named() -> None:
    schema = message_schema("GetVariables", Kind.REQUEST)
    item = example(schema)["getVariableData"]
    assert isinstance(item, list)
    site = next(s for s in sites(schema) if s.pointer.endswith("/component/name"))
    payload: JsonValue = {"getVariableData": item * 9}
    named = set()
    for seed in range(40):
        done = apply(site, site.operators[0], payload, random.Random(seed))
        assert done is not None
        named.add(done[1].pointer)
        assert errors_of("GetVariables", Kind.REQUEST, done[0]) == {(done[1].pointer, "type")}
    assert "/getVariableData/8/component/name" in named
    assert len(named) == 9


@pytest.mark.parametrize(
    "payload", [None, [], "x", {"setVariableData": {}}, {"setVariableData": [3]}]
)
def test_a_payload_of_another_shape_is_left_alone(payload: JsonValue) -> None:
    schema = message_schema("SetVariables", Kind.REQUEST)
    site = next(s for s in sites(schema) if s.pointer.endswith("/component/name"))
    assert apply(site, "null", payload, random.Random(0)) is None


def test_an_operator_that_the_site_does_not_have_is_refused() -> None:
    site = sites(message_schema("Reset", Kind.REQUEST))[0]
    with pytest.raises(ValueError, match="has no operator 'nonsense'"):
        apply(site, "nonsense", {}, random.Random(0))


def test_long_values_are_rendered_short() -> None:
    assert render("x" * 50) == '"' + "x" * 40 + '"... (50 characters)'
    assert render(10**5000) == "an integer of 16610 bits"
    assert render([1, 2]) == "[2 elements]"
    assert render({"b": 1, "a": 2}) == "{a, b}"
    assert render(True) == "true"
