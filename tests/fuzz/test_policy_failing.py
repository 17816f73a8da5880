"""`--fail-on` names a severity and bases; what is neither is refused with what there is."""

import pytest

from fuzz.errors import UsageError
from fuzz.policy.failing import DEFAULT, fail_on
from fuzz.records import Basis, Severity, Violation


def broken(severity: Severity, basis: Basis, *, remark: bool = False) -> Violation:
    return Violation("O4", "a-name", basis, severity, "a symptom", "a text", remark=remark)


@pytest.mark.parametrize(
    ("text", "severity", "basis", "fails"),
    [
        (DEFAULT, Severity.HIGH, Basis.HARDENING, True),
        (DEFAULT, Severity.MEDIUM, Basis.SCHEMA, False),
        (DEFAULT, Severity.LOW, Basis.SHALL, True),
        ("critical", Severity.HIGH, Basis.SHALL, False),
        ("critical,leak", Severity.LOW, Basis.LEAK, True),
        ("schema", Severity.INFO, Basis.SCHEMA, True),
        (" Medium , Schema-Broken ", Severity.MEDIUM, Basis.HARDENING, True),
        ("leak", Severity.CRITICAL, Basis.STOPPED_SERVING, False),
    ],
)
def test_a_severity_or_a_basis_is_enough(text, severity, basis, fails):
    assert fail_on(text).fails(broken(severity, basis)) is fails


def test_a_remark_never_fails_a_build():
    assert not fail_on("info").fails(broken(Severity.CRITICAL, Basis.SHALL, remark=True))


def test_it_reads_as_it_is_written():
    assert str(fail_on("shall,high")) == "high,shall-broken"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hihg", "'hihg' is neither a severity (info, low, medium, high, critical) nor a basis"),
        ("", "'' is neither"),
        ("high,low", "'high,low' names two severities"),
    ],
)
def test_anything_else_is_a_usage_error(text, said):
    with pytest.raises(UsageError, match="fail_on") as error:
        fail_on(text)
    assert said in str(error.value)
