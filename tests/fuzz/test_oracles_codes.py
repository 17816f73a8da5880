import pytest

from fuzz.oracles.registry import judge
from fuzz.records import Preamble, Severity
from fuzz.testing import case, error, observation, rejected, spoken
from strategies.labels import Fault, Tier

MISSING = rejected(Tier.SCHEMA, Fault.MISSING)


@pytest.mark.parametrize(
    ("expectation", "code", "spoke"),
    [
        (MISSING, "OccurrenceConstraintViolation", []),
        (MISSING, "ProtocolError", []),
        (MISSING, "GenericError", ["O10 GenericError for missing (remark)"]),
        (MISSING, "InternalError", ["O10 InternalError for missing (remark)"]),
        (rejected(Tier.RPC, Fault.ACTION_UNKNOWN), "NotImplemented", []),
        (rejected(Tier.RPC, Fault.ACTION_UNKNOWN), "NotSupported", []),
        (rejected(Tier.RPC, Fault.ACTION_DIRECTION), "NotImplemented", []),
        (
            rejected(Tier.RPC, Fault.ACTION_UNKNOWN),
            "FormatViolation",
            ["O10 FormatViolation for action-unknown (remark)"],
        ),
        (rejected(Tier.SCHEMA, Fault.VALUE), "TypeConstraintViolation", []),
        (rejected(Tier.RPC, Fault.ID_IN_USE), "GenericError", []),
        (rejected(Tier.SCHEMA, Fault.MISSING, disputed="x"), "NotSupported", []),
    ],
)
def test_a_code_outside_the_plausible_set_is_a_remark(expectation, code, spoke):
    assert spoken(observation(expectation, replies=[error(code)])) == spoke


def test_a_code_that_does_not_fit_is_information_only():
    (remark,) = judge(observation(MISSING, replies=[error("InternalError")]))
    assert remark.severity is Severity.INFO
    assert "OccurrenceConstraintViolation" in remark.text


def test_an_unsupported_action_may_be_refused_before_its_payload_is_looked_at():
    for code in ("NotSupported", "NotImplemented"):
        assert spoken(observation(MISSING, replies=[error(code)], supported=["Reset"])) == []
        assert spoken(observation(MISSING, replies=[error(code)], supported=None)) == []
        assert spoken(observation(MISSING, replies=[error(code)], supported=["ClearCache"])) == [
            f"O10 {code} for missing (remark)"
        ]


def test_before_its_boot_is_accepted_a_target_may_refuse_everything():
    booting = case(MISSING, preamble=Preamble.CONNECTED)
    assert spoken(observation(booting, replies=[error("SecurityError")])) == []
    assert spoken(observation(MISSING, replies=[error("SecurityError")])) == [
        "O10 SecurityError for missing (remark)"
    ]


def test_a_code_that_is_spelled_wrongly_is_left_to_the_shape():
    obs = observation(MISSING, replies=[error("OccurenceConstraintViolation")])
    assert {v.oracle for v in judge(obs)} == {"O7"}
