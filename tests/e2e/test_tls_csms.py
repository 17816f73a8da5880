"""The TLS lab against the reference CSMS: a healthy one passes, and each planted defect fails its own cases."""

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fuzz.clock import SystemClock
from fuzz.csms.defects import defects
from fuzz.lab.csmses import EVERYTHING, embedded_csms
from tlslab.lab import Terms, play, skipped
from tlslab.registry import Effect, Side, all_cases
from tlslab.verdict import Outcome

BIN = Path(sys.executable).parent
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


def test_a_decoy_is_for_stations_only(ocppfuzz):
    done = ocppfuzz("tls", "--self-test", "csms", "--decoy", "slow")
    assert done.code == 2
    assert "station" in done.complains_once()


STATIONS = """
[[station]]
identity = "CS-3"
security_profile = 3
[[station]]
identity = "CS-4"
security_profile = 3
[[station]]
identity = "CS-2"
security_profile = 2
password = "0123456789abcdef-secret"
"""
SECRET = "0123456789abcdef-secret"


@pytest.fixture
def standing(ocppfuzz, started, until, tmp_path):
    """`serve csms` started by hand: its URLs by security profile, and its folder of certificates."""

    def start(*words):
        pki = tmp_path / "pki"
        assert ocppfuzz("pki", "create", pki, "--name", "localhost", "--serial", "CS-3").code == 0
        (tmp_path / "stations.toml").write_text(STATIONS)
        where = ("--listen", "3@127.0.0.1:0", "--listen", "2@127.0.0.1:0")
        known = ("--pki", pki, "--stations", tmp_path / "stations.toml")
        csms = started(BIN / "ocppfuzz", "serve", "csms", *where, *known, *words)
        until(lambda: '{"csms"' in csms.text, lambda: csms.text)
        ports = json.loads(csms.text.splitlines()[0])["csms"]
        return {p["security_profile"]: p["url"] + "/{identity}" for p in ports}, pki

    return start


def test_a_standing_csms_is_played_with_the_certificates_of_two_stations(ocppfuzz, standing):
    urls, pki = standing()
    own = ("--identity", "CS-3", "--cert", pki / "station.pem", "--key", pki / "station.key")
    other = ("--second", "CS-4", "--second-cert", pki / "station-CS-4.pem")
    other += ("--second-key", pki / "station-CS-4.key")
    ca = ("--ca", pki / "root.pem", "--client-ca", pki / "root.pem")
    issuer = ("--client-ca-key", pki / "root.key")
    done = ocppfuzz("tls", "--target", urls[3], *own, *other, *ca, *issuer, "--json")
    assert done.code == 0, done.err
    found = {c["id"]: c["outcome"] for c in json.loads(done.out)["cases"]}
    passed = {i for i, o in found.items() if o == "passed"}
    assert {"TC-01", "TC-13", "TC-15", "TC-19", "TC-21", "TC-24", "TC-31", "TC-36"} <= passed
    assert found["TC-26"] == "not asked"
    assert found["TC-41"] == "n/a"


def test_what_is_found_with_a_password_holds_no_password(ocppfuzz, standing, tmp_path):
    urls, pki = standing("--defect", "any-password")
    done = ocppfuzz(
        *("tls", "--target", urls[2], "--identity", "CS-2", "--ca", pki / "root.pem"),
        *("--only", "TC-41", "--only", "TC-50"),
        env={"OCPPFUZZ_PASSWORD": SECRET},
    )
    assert done.code == 1, done.err
    written = [p for p in (tmp_path / "findings").rglob("*") if p.is_file()]
    assert any(p.name == "finding.json" for p in written)
    secrets = (SECRET.encode(), base64.b64encode(f"CS-2:{SECRET}".encode()))
    assert [p for p in written for s in secrets if s in p.read_bytes()] == []
    assert SECRET not in done.out + done.err


def test_a_root_that_is_not_that_of_the_csms_stops_the_lab(ocppfuzz, standing, tmp_path):
    urls, _ = standing()
    other = tmp_path / "other"
    assert ocppfuzz("pki", "create", other, "--name", "localhost").code == 0
    done = ocppfuzz(
        *("tls", "--target", urls[2], "--identity", "CS-2", "--ca", other / "root.pem"),
        env={"OCPPFUZZ_PASSWORD": SECRET},
    )
    assert done.code == 3
    assert "does not lead to" in done.complains_once()


def test_the_plan_for_a_csms_names_cases_and_sends_nothing(ocppfuzz):
    done = ocppfuzz("tls", "--self-test", "csms", "--plan")
    assert done.code == 0
    assert "TC-19" in done.out or "cases" in done.out
