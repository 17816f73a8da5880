"""How bad a finding is: who could do it, a proposed CVSS vector, and the certification tests that it endangers.

Knows findings and the rules below, all of which `ocppfuzz show severity` prints. Must not know how a finding came
about. A severity is what an oracle says of the harm; the vector adds who can do it, and is a proposal for a person.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fuzz.records import Basis, Case, Finding, Severity, Side, TargetFacts, Violation
from strategies.labels import Channel


class Attacker(StrEnum):
    """Where an attacker must stand."""

    ON_PATH = "on the path between station and CSMS"
    REACHES_PORT = "reaches the port"
    VALID_CERTIFICATE = "holds a station's valid certificate or password"
    IS_CSMS = "is the CSMS itself, or whoever took it over"


def attacker(case: Case, facts: TargetFacts) -> Attacker:
    """Who can send what a case sends to this target.

    A Charging Station listens to whom it dialled: without TLS that is anybody on the path, with TLS only who holds the
    CSMS's key, but for what comes before the handshake is over. A CSMS listens to everybody until it knows who calls.
    """
    before = any(m.channel is Channel.HANDSHAKE for m in case.mutations)
    if facts.side is Side.STATION:
        plain = facts.security_profile < 2
        return Attacker.ON_PATH if plain or before else Attacker.IS_CSMS
    known = facts.security_profile > 0 and not before
    return Attacker.VALID_CERTIFICATE if known else Attacker.REACHES_PORT


# --- the vector ---------------------------------------------------------------------------------------------

_COMPLEXITY: Mapping[Attacker, tuple[str, str]] = {
    Attacker.ON_PATH: ("H", "N"),
    Attacker.REACHES_PORT: ("L", "N"),
    Attacker.VALID_CERTIFICATE: ("L", "L"),
    Attacker.IS_CSMS: ("L", "H"),
}
"""Attack complexity and privileges required, by where the attacker stands."""

_IMPACT: Mapping[Basis, tuple[str, str, str]] = {
    Basis.STOPPED_SERVING: ("N", "N", "H"),
    Basis.LEAK: ("H", "N", "N"),
    Basis.SHALL: ("N", "L", "N"),
    Basis.SCHEMA: ("N", "L", "N"),
    Basis.HARDENING: ("N", "N", "L"),
}
"""Confidentiality, integrity and availability, by what a violation rests on."""

_IMPACT_OF_ORACLE: Mapping[str, tuple[str, str, str]] = {
    "O12": ("N", "H", "N"),
    "O13": ("N", "L", "H"),
    "O16": ("H", "H", "L"),
    "O18": ("H", "H", "L"),
    "O20": ("N", "N", "L"),
    "O21": ("N", "N", "L"),
    "O22": ("N", "N", "L"),
    "O24": ("H", "H", "H"),
    "O31": ("N", "H", "H"),
}
"""The same where an oracle says more than its basis does."""

_VALUES: Mapping[str, Mapping[str, float]] = {
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "CIA": {"N": 0.0, "L": 0.22, "H": 0.56},
}
_NETWORK, _NO_INTERACTION = 0.85, 0.85


@dataclass(frozen=True, slots=True)
class Rating:
    """A proposal: the CVSS 3.1 base vector (scope unchanged), its score, and who must attack."""

    attacker: Attacker
    vector: str
    score: float


def rate(violation: Violation, case: Case, facts: TargetFacts) -> Rating:
    """The proposal for a violation."""
    who = attacker(case, facts)
    complexity, privileges = _COMPLEXITY[who]
    impact = _IMPACT_OF_ORACLE.get(violation.oracle, _IMPACT[violation.basis])
    if violation.severity <= Severity.LOW:
        impact = tuple("L" if i == "H" else i for i in impact)  # type: ignore[assignment]
    c, i, a = impact
    vector = f"CVSS:3.1/AV:N/AC:{complexity}/PR:{privileges}/UI:N/S:U/C:{c}/I:{i}/A:{a}"
    return Rating(who, vector, _score(complexity, privileges, impact))


def _score(complexity: str, privileges: str, impact: tuple[str, str, str]) -> float:
    """The base score (CVSS 3.1 specification, section 7.1)."""
    left = math.prod(1 - _VALUES["CIA"][x] for x in impact)
    harm = 6.42 * (1 - left)
    if harm <= 0:
        return 0.0
    ease = 8.22 * _NETWORK * _VALUES["AC"][complexity] * _VALUES["PR"][privileges] * _NO_INTERACTION
    # Appendix A: rounded up to one decimal, counted in whole hundred thousandths.
    whole = round(min(harm + ease, 10.0) * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10


RULES: tuple[tuple[str, str], ...] = (
    (
        "critical",
        "the target's software ends or restarts, energy flows unauthorised, or our text is executed",
    ),
    ("high", "it stops serving, for a while or over this connection, or gives away a secret"),
    ("medium", "a SHALL is broken: something wrong is taken, or something right is refused"),
    ("low", "the form is wrong in a way that most peers tolerate"),
    ("info", "worth knowing"),
)
"""What each severity stands for."""

SEVERITY_AND_VECTOR = (
    "The severity says what harm was seen, by the rule that `ocppfuzz show severity` prints; the vector is a proposal that "
    "counts where an attacker must stand as well, so that the two may differ."
)
"""Why a severity and the score beside it may differ."""


# --- certification tests ------------------------------------------------------------------------------------

_TESTS: Mapping[str, tuple[str, ...]] = {
    "Authorize": ("TC_C_02", "TC_C_06", "TC_C_07", "TC_C_56", "TC_E_03"),
    "BootNotification": ("TC_B_01", "TC_B_02", "TC_B_03", "TC_B_30"),
    "CertificateSigned": ("TC_A_11", "TC_A_14"),
    "ChangeAvailability": ("TC_G_03", "TC_G_04", "TC_G_05", "TC_G_11", "TC_G_21"),
    "ClearCache": ("TC_C_37", "TC_C_38"),
    "CustomerInformation": ("TC_N_30", "TC_N_31", "TC_N_32"),
    "DataTransfer": ("TC_P_01",),
    "DeleteCertificate": ("TC_M_20", "TC_M_22", "TC_M_23"),
    "FirmwareStatusNotification": ("TC_L_01",),
    "GetBaseReport": ("TC_B_12", "TC_B_13", "TC_B_14", "TC_B_15"),
    "GetInstalledCertificateIds": ("TC_M_12", "TC_M_18", "TC_M_19"),
    "GetLog": ("TC_N_25", "TC_N_26", "TC_N_35", "TC_N_36"),
    "GetTransactionStatus": ("TC_E_28", "TC_E_29", "TC_E_30"),
    "GetVariables": ("TC_B_06", "TC_B_07", "TC_B_32", "TC_B_33", "TC_B_34"),
    "Heartbeat": ("TC_F_20",),
    "InstallCertificate": ("TC_M_01", "TC_M_02", "TC_M_07"),
    "LogStatusNotification": ("TC_N_25", "TC_N_35"),
    "MeterValues": ("TC_J_01", "TC_J_02"),
    "NotifyReport": ("TC_B_12", "TC_B_13"),
    "RequestStartTransaction": ("TC_F_01", "TC_F_02", "TC_F_03", "TC_F_04"),
    "RequestStopTransaction": ("TC_F_08", "TC_F_09"),
    "Reset": ("TC_B_20", "TC_B_21", "TC_B_22", "TC_B_23"),
    "SecurityEventNotification": ("TC_A_05", "TC_A_06"),
    "SetNetworkProfile": ("TC_A_19", "TC_A_22", "TC_B_43", "TC_B_45"),
    "SetVariables": ("TC_B_09", "TC_B_10", "TC_B_11", "TC_B_35", "TC_B_36", "TC_B_39"),
    "SignCertificate": ("TC_A_11", "TC_A_14"),
    "StatusNotification": ("TC_B_51", "TC_B_52", "TC_G_01", "TC_G_02"),
    "TransactionEvent": ("TC_E_03", "TC_E_04", "TC_E_41", "TC_E_42", "TC_E_43"),
    "TriggerMessage": ("TC_F_20", "TC_F_23", "TC_F_26", "TC_F_27"),
    "UnlockConnector": ("TC_F_05", "TC_F_06", "TC_F_10"),
    "UpdateFirmware": ("TC_L_01", "TC_L_02", "TC_L_05"),
}
"""The tests in which an action is what is tested; `tests/fuzz/test_report_rating.py` checks that they exist."""

_BY_BLOCK: Mapping[str, str] = {
    "A01": "TC_A_09",
    "B02": "TC_B_02",
    "B03": "TC_B_03",
    "B12": "TC_B_22",
    "C01": "TC_C_02",
    "E04": "TC_E_43",
    "E13": "TC_E_41",
    "F01": "TC_F_01",
    "F06": "TC_F_27",
}


def endangers(finding: Finding) -> tuple[str, ...]:
    """The certification tests that a station with this finding may fail; none for a CSMS, whose table is another."""
    if finding.facts.side is not Side.STATION:
        return ()
    by_clause = [
        test for use_case, test in _BY_BLOCK.items() if use_case in finding.violation.clause
    ]
    return tuple(dict.fromkeys((*by_clause, *_TESTS.get(finding.case.action, ()))))
