from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography import x509
from hypothesis import given, settings, strategies as st

from strategies import primitives as p
from strategies.labels import JsonValue, Kind
from strategies.primitives import Primitive, goes_to_station, primitive_faults, primitives_of
from strategies.schema import message_schema, places
from strategies.version import version

ALL = [v for v in vars(p).values() if isinstance(v, Primitive)]
MESSAGES = [(a, k) for a in version().actions for k in Kind]


@pytest.mark.parametrize("primitive", ALL, ids=lambda v: v.name)
def test_samples_and_edges_hold_and_wrong_values_break(primitive: Primitive) -> None:
    assert primitive.broken(primitive.sample) is None
    assert [e.label for e in primitive.edges if primitive.broken(e.value)] == []
    assert [w.label for w in primitive.wrong if not primitive.broken(w.value)] == []
    assert primitive.wrong
    assert primitive.source


@pytest.mark.parametrize("primitive", ALL, ids=lambda v: v.name)
def test_labels_are_unique(primitive: Primitive) -> None:
    labels = [v.label for v in (*primitive.edges, *primitive.wrong)]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("primitive", [v for v in ALL if v.fill], ids=lambda v: v.name)
@given(length=st.integers(0, 2000))
@settings(max_examples=30, deadline=None, database=None)
def test_a_filled_value_has_the_length_and_holds(primitive: Primitive, length: int) -> None:
    assert primitive.fill is not None
    made = primitive.fill(length)
    assert made is None or (len(made) == length and primitive.broken(made) is None)


def test_every_primitive_is_used_by_some_field() -> None:
    used = {
        found.name
        for action, kind in MESSAGES
        for place in places(message_schema(action, kind))
        for found in primitives_of(place.node, to_station=True)
    }
    assert used == {v.name for v in ALL}


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:00.123+01:00", True),
        ("2026-01-01T00:00:00.1234Z", False),
        ("2026-01-01T00:00:00", False),
        ("2026-01-01T00:00:00Z\n", False),
        ("٢٠٢٦-01-01T00:00:00Z", False),
        ("", False),
    ],
)
def test_date_times_have_a_zone_and_three_fraction_digits(value: str, holds: bool) -> None:
    assert (p.DATE_TIME.broken(value) is None) == holds


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (0.123456, True),
        (1e-6, True),
        (1e300, True),
        (5, True),
        (0.1234567, False),
        (1e-7, False),
        (float("nan"), False),
        (float("inf"), False),
    ],
)
def test_decimals_have_six_digits_after_the_point(value: float, holds: bool) -> None:
    assert (p.DECIMAL.broken(value) is None) == holds


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (2**31 - 1, True),
        (-(2**31), True),
        (2**31, False),
        (-(2**31) - 1, False),
        (1.8446744073709552e19, False),
        (True, True),
    ],
)
def test_integers_fit_in_32_bits(value: JsonValue, holds: bool) -> None:
    assert (p.INTEGER.broken(value) is None) == holds


def test_an_integer_too_long_to_print_is_judged_all_the_same() -> None:
    assert p.INTEGER.broken(10**5000) == "does not fit in 32 bits"
    assert p.DECIMAL.broken(10**5000) is None


def test_the_lab_certificate_and_request_can_be_read() -> None:
    certificate = x509.load_pem_x509_certificate(p.EXPIRED_CERTIFICATE.encode())
    assert certificate.not_valid_after_utc.year == 2001
    assert x509.load_pem_x509_csr(p.LAB_CSR.encode()).is_signature_valid


def test_a_fault_is_named_by_pointer_and_primitive_without_repeating_the_value() -> None:
    item: JsonValue = {
        "attributeValue": "x",
        "component": {"name": "bad name"},
        "variable": {"name": "V"},
    }
    assert primitive_faults("SetVariables", Kind.REQUEST, {"setVariableData": [item]}) == [
        (
            "/setVariableData/0/component/name",
            "identifierString",
            "has a character that an identifierString may not have",
        )
    ]


def test_decimals_are_limited_only_on_the_way_to_a_station() -> None:
    value = {"value": 0.123456789}
    meter: JsonValue = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [value]}
    assert primitive_faults("MeterValues", Kind.REQUEST, {"evseId": 1, "meterValue": [meter]}) == []
    cost: JsonValue = {"totalCost": 0.123456789, "transactionId": "1"}
    assert [f[:2] for f in primitive_faults("CostUpdated", Kind.REQUEST, cost)] == [
        ("/totalCost", "decimal")
    ]


@pytest.mark.parametrize(
    ("action", "kind", "to_station"),
    [
        ("Reset", Kind.REQUEST, True),
        ("Reset", Kind.RESPONSE, False),
        ("Heartbeat", Kind.REQUEST, False),
        ("Heartbeat", Kind.RESPONSE, True),
        ("DataTransfer", Kind.REQUEST, True),
        ("DataTransfer", Kind.RESPONSE, True),
    ],
)
def test_a_message_knows_its_way(action: str, kind: Kind, to_station: bool) -> None:
    assert goes_to_station(action, kind) is to_station


@settings(max_examples=200, deadline=None, database=None)
@given(
    message=st.sampled_from(MESSAGES),
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["evse", "id"]), inner),
        max_leaves=6,
    ),
)
def test_garbage_has_faults_or_none_but_never_raises(
    message: tuple[str, Kind], payload: JsonValue
) -> None:
    assert isinstance(primitive_faults(*message, payload), list)


def test_the_checker_does_without_hypothesis() -> None:
    code = "import sys, strategies.primitives, strategies.pool; print('hypothesis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
