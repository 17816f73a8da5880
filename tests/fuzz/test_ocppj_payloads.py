import pytest

from fuzz.ocppj.payloads import validate_payload, validate_schema
from strategies.labels import Kind
from strategies.version import version

V = version()


def code(action, payload, kind=Kind.REQUEST):
    error = validate_payload(action, kind, payload, V)
    return error and error.code


def set_one(**members):
    return {
        "setVariableData": [
            {
                "attributeValue": "1",
                "component": {"name": "A"},
                "variable": {"name": "B"},
                **members,
            }
        ]
    }


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("ClearCache", {}, None),
        ("ClearCache", None, "FormatViolation"),
        ("ClearCache", [], "FormatViolation"),
        ("ClearCache", {"x": 1}, "FormatViolation"),
        ("ClearCache", {"customData": {}}, "OccurrenceConstraintViolation"),
        ("ClearCache", {"customData": {"vendorId": "v", "any": [None]}}, None),
        ("Reset", {}, "OccurrenceConstraintViolation"),
        ("Reset", {"type": "Soft"}, "PropertyConstraintViolation"),
        ("Reset", {"type": 5}, "TypeConstraintViolation"),
        ("Reset", {"type": None}, "TypeConstraintViolation"),
        ("Reset", {"type": "OnIdle", "evseId": "1"}, "TypeConstraintViolation"),
        ("Reset", {"type": "OnIdle", "evseId": 2**31}, "PropertyConstraintViolation"),
        ("Reset", {"type": "OnIdle", "evseId": -(2**31)}, None),
        ("Reset", {"type": "OnIdle", "evseId": 10**400}, "PropertyConstraintViolation"),
        ("Reset", {"type": "OnIdle", "evseId": 1e300}, "PropertyConstraintViolation"),
        ("Reset", {"type": "OnIdle", "evseId": True}, "TypeConstraintViolation"),
        ("GetVariables", {"getVariableData": []}, "OccurrenceConstraintViolation"),
        ("DataTransfer", {"vendorId": "v" * 256}, "PropertyConstraintViolation"),
        ("SetVariables", set_one(component={"name": "has space"}), "PropertyConstraintViolation"),
        (
            "SetVariables",
            set_one(variable={"name": "x", "instance": "\N{SNOWMAN}"}),
            "PropertyConstraintViolation",
        ),
        ("SetVariables", set_one(variable={"name": "aZ09*-_=:+|@."}), None),
    ],
)
def test_each_fault_of_a_request_has_its_error_code(action, payload, expected):
    assert code(action, payload) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-01T00:00:00Z", None),
        ("2026-01-01T00:00:00.123+01:00", None),
        ("2026-01-01T00:00:00.1234Z", "PropertyConstraintViolation"),
        ("2026-01-01", "PropertyConstraintViolation"),
        ("tomorrow", "PropertyConstraintViolation"),
    ],
)
def test_a_date_time_has_at_most_three_fraction_digits(moment, expected):
    assert code("Heartbeat", {"currentTime": moment}, Kind.RESPONSE) == expected


@pytest.mark.parametrize(
    ("limit", "expected"), [(8.1, None), (0.000001, None), (1e-7, "PropertyConstraintViolation")]
)
def test_a_decimal_sent_to_the_station_has_at_most_six_decimals(limit, expected):
    profile = {
        "evseId": 1,
        "chargingProfile": {
            "id": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": [
                {
                    "id": 1,
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
                }
            ],
        },
    }
    assert code("SetChargingProfile", profile) == expected


def test_the_schema_alone_knows_no_primitives():
    payload = {"type": "OnIdle", "evseId": 2**31}
    assert validate_schema("Reset", Kind.REQUEST, payload, V) is None


def test_every_message_of_the_version_has_a_judge():
    for action in V.actions:
        for kind in Kind:
            error = validate_payload(action, kind, {"no such member": 1}, V)
            assert error is not None, (action, kind)


def test_a_wall_of_faults_costs_one_error():
    payload = {"setVariableData": [{"attributeValue": 1}] * 20_000}
    assert code("SetVariables", payload) in {
        "OccurrenceConstraintViolation",
        "TypeConstraintViolation",
    }
