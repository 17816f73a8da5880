"""The TLS lab against the reference CSMS: a healthy one passes, and each planted defect fails its own cases."""

import json
from collections.abc import Mapping

import pytest

from fuzz.clock import SystemClock
from fuzz.csms.defects import defects
from fuzz.lab.csmses import EVERYTHING, embedded_csms
from tlslab.lab import Terms, play, skipped
from tlslab.registry import Effect, Side, all_cases
from tlslab.verdict import Outcome

GOOD = {"passed", "recorded"}
SLOW = {"TC-48"}
"""Waits until the CSMS takes passwords again."""
PLANTED = sorted({d.name: d for d in defects().values()}.items())


async def outcomes(security_profile: int, *names: str, also=frozenset()) -> Mapping[str, Outcome]:
    """Every case that applies, on one CSMS with these defects."""
    terms = Terms(Side.CSMS, security_profile, available=EVERYTHING, allowed=frozenset(Effect))
    wanted = [
        c
        for c in all_cases().values()
        if skipped(c, terms) is None and (c.id not in SLOW or c.id in also)
    ]
    async with embedded_csms(security_profile, SystemClock(), defects=names) as rig:
        return {case.id: (await play(case, rig.bench)).outcome for case in wanted}


@pytest.mark.parametrize("security_profile", [2, 3])
async def test_a_healthy_csms_passes_every_case(security_profile):
    found = await outcomes(security_profile)
    assert len(found) > 20
    assert {i: o for i, o in found.items() if o not in GOOD} == {}


@pytest.mark.parametrize("defect", [d for _, d in PLANTED], ids=[name for name, _ in PLANTED])
async def test_a_planted_defect_fails_its_cases_and_no_others(defect):
    witness = {step.id for step in defect.witness}
    found = await outcomes(defect.security_profile, defect.name, also=witness)
    failed = {i for i, o in found.items() if o is Outcome.FAILED}
    noted = {i for i, o in found.items() if o is Outcome.REMARK}
    assert failed | (noted & witness) == witness


def test_the_self_test_of_a_csms_passes(ocppfuzz):
    done = ocppfuzz("tls", "--self-test", "csms", "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    odd = {c["id"]: c["outcome"] for c in report["cases"] if c["outcome"] not in GOOD}
    assert odd == {}
    assert len(report["cases"]) == sum(c.side is Side.CSMS for c in all_cases().values())
    assert "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" in report["observed_suites"]


def test_a_defect_is_planted_from_the_command_line_and_its_finding_replayed(ocppfuzz, tmp_path):
    words = ("tls", "--self-test", "csms", "--only", "TC-19", "--defect", "cert-identity-unbound")
    assert ocppfuzz(*words).code == 1
    findings = sorted((tmp_path / "findings").glob("*/finding.json"))
    assert len(findings) == 1
    replayed = ocppfuzz("replay", findings[0].parent, "--defect", "cert-identity-unbound")
    assert replayed.code == 1, replayed.out + replayed.err
    assert "O16" in findings[0].read_text()
    assert ocppfuzz("replay", findings[0].parent).code == 0


def test_a_defect_that_no_csms_knows_is_a_usage_error(ocppfuzz):
    done = ocppfuzz("tls", "--self-test", "csms", "--defect", "no-such-defect")
    assert done.code == 2
    assert "cert-identity-unbound" in done.complains_once()
