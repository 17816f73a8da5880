"""What OpenSSL and `cryptography` make of every certificate that the cases show to a Charging Station.

Nobody here wrote these verifiers. A refusal counts beside its accepted control only, as in the lab itself. Where a
verifier differs from what a case expects, a table says why in one line; a difference that is gone must leave its table.
"""

import asyncio
import re
import shutil
import ssl
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tlslab.authority import Authority
from tlslab.bench import Station, StationBench
from tlslab.describe import DAY, Description
from tlslab.pki import issue
from tlslab.registry import all_cases
from tlslab.seen import Expect, Exposure, Stage

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOST = "csms.lab.example"
TOPICS = {"names", "strength", "trust", "usage", "validity"}
"""The modules of cases whose fault is in the certificates themselves."""

WEAK_KEY = "says nothing about the size of a key unless it is given a security level"
WEAK_DIGEST = "says nothing about the hash of a signature unless it is given a security level"
LEVEL_2 = ("-auth_level", "2")
OPENSSL = {
    ("TS-51", "rsa-1024"): WEAK_KEY,
    ("TS-51", "rsa-512"): WEAK_KEY,
    ("TS-52", "ec-p192"): WEAK_KEY,
    ("TS-53", "md5"): WEAK_DIGEST,
    ("TS-53", "md5 in its CA"): WEAK_DIGEST,
    ("TS-53", "sha1"): WEAK_DIGEST,
    ("TS-53", "sha1 in its CA"): WEAK_DIGEST,
    ("TS-74", "ec-p192 in its CA"): WEAK_KEY,
    ("TS-74", "rsa-1024 in its CA"): WEAK_KEY,
}
REASONS = {
    "TS-31": {10},  # certificate has expired
    "TS-32": {9},  # certificate is not yet valid
    "TS-33": {62},  # hostname mismatch
    "TS-37": {62},
    "TS-38": {62},
    "TS-39": {18},  # self-signed certificate
    "TS-40": {20},  # unable to get local issuer certificate
    "TS-41": {7},  # certificate signature failure
    "TS-43": {79},  # invalid CA certificate
    "TS-44": {79},
    "TS-45": {25},  # path length constraint exceeded
    "TS-46": {47, 48},  # permitted subtree violation, excluded subtree violation
    "TS-47": {34},  # unhandled critical extension
    "TS-48": {26},  # unsuitable certificate purpose
    "TS-51": {66},  # EE certificate key too weak
    "TS-52": {66},
    "TS-53": {68},  # CA signature digest algorithm too weak
    "TS-54": {7},
    "TS-59": {62},
    "TS-60": {62},
    "TS-68": {9, 10},
    "TS-69": {62},
    "TS-70": {62},
    "TS-71": {79},
    "TS-74": {67},  # CA certificate key too weak
}
"""Why OpenSSL refuses what each case wants refused, as its error numbers: nothing else is wrong with it."""

SIGNED_ONLY = "checks the keys that signed a certificate, not the key of the leaf"
CRYPTOGRAPHY = {
    ("TS-34", "no subjectAltName"): "reads no commonName at all (RFC 9525 section 2)",
    ("TS-51", "rsa-1024"): SIGNED_ONLY,
    ("TS-51", "rsa-512"): SIGNED_ONLY,
    ("TS-52", "ec-p192"): SIGNED_ONLY,
}


class NoSession:
    """A session in which nothing is known and nothing happens."""

    async def get_variable(self, component, name):
        return None

    def events(self):
        return ()


@dataclass(slots=True, eq=False)
class Rehearsal(StationBench):
    """A bench on which a case only says what it would show."""

    shown: list = field(default_factory=list)

    async def _controlled(self, good):
        pass

    async def _expose(self, offer, expect, control, label, *rest):
        self.shown.append((label, expect, offer.credential, control.credential))
        return Exposure(label, expect, Stage.NOTHING)


@dataclass(frozen=True)
class Shown:
    """What a case shows, with its control, and what it expects."""

    expect: Expect
    bad: object
    control: object


@dataclass(frozen=True)
class Repertoire:
    """Everything that the cases show under one root; `kinds` goes by case and label."""

    root: object
    kinds: dict


def _repertoire(*, named_twice):
    root = issue(Description("root", is_ca=True, validity=3650 * DAY), now=NOW)
    authority = Authority(root, now=lambda: NOW)
    bench = Rehearsal(
        Station(HOST, "OCPPFUZZ0001", "ocppfuzz lab", 2),
        NoSession(),
        server=None,
        authority=authority,
        signer=authority,
        now=lambda: NOW,
        monotonic=lambda: 0.0,
        named_twice=named_twice,
    )
    kinds = {}
    for case in all_cases().values():
        if case.topic in TOPICS:
            bench.shown.clear()
            asyncio.run(case.play(bench))
            kinds |= {(case.id, str(label)): Shown(*rest) for label, *rest in bench.shown}
    return Repertoire(root, kinds)


@pytest.fixture(scope="module")
def by_common_name():
    """Proper certificates as OCPP wants them: the host is in commonName alone."""
    return _repertoire(named_twice=False)


@pytest.fixture(scope="module")
def by_both_names():
    """Proper certificates for verifiers that read subjectAltName only."""
    return _repertoire(named_twice=True)


@pytest.fixture
def openssl(tmp_path):
    """The number of the first error of `openssl verify` in a server `HOST` under this root; 0 when it takes it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")

    def verify(root, credential, *options):
        files = [tmp_path / name for name in ("root", "between", "leaf")]
        between = b"".join(credential.chain) or root.certificate
        for file, data in zip(
            files, (root.certificate, between, credential.certificate), strict=True
        ):
            file.write_bytes(data)
        words = ("-x509_strict", "-purpose", "sslserver", "-verify_hostname", HOST)
        when = ("-attime", str(int(NOW.timestamp())))
        given = ("-CAfile", files[0], "-untrusted", files[1], files[2])
        done = subprocess.run(
            ["openssl", "verify", *words, *when, *options, *given],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        found = re.search(r"^error (\d+) at \d+ depth", done.stderr, re.MULTILINE)
        assert (done.returncode == 0) is (found is None), done.stderr
        return int(found[1]) if found else 0

    return verify


def cryptography_takes(root, credential):
    verifier = (
        PolicyBuilder()
        .store(Store([root.x509]))
        .time(NOW)
        .build_server_verifier(x509.DNSName(HOST))
    )
    leaf, *between = map(
        x509.load_pem_x509_certificate, (credential.certificate, *credential.chain)
    )
    try:
        verifier.verify(leaf, between)
    except VerificationError:
        return False
    return True


def _differing(repertoire, takes):
    """The kinds that a verifier judges otherwise than their case does, or whose control it refuses."""
    found = set()
    for key, shown in repertoire.kinds.items():
        if not takes(repertoire.root, shown.control):
            found.add((*key, "control"))
        if shown.expect is Expect.RECORD:
            continue
        if takes(repertoire.root, shown.bad) is not (shown.expect is Expect.ACCEPT):
            found.add(key)
    return found


def test_every_topic_about_certificates_shows_some(by_common_name):
    cases = all_cases()
    assert {cases[case].topic for case, _ in by_common_name.kinds} == TOPICS


def test_openssl_judges_as_the_cases_do_but_for_what_is_explained(by_common_name, openssl):
    assert _differing(by_common_name, lambda *shown: openssl(*shown) == 0) == set(OPENSSL)


def test_openssl_at_security_level_2_judges_as_the_cases_do(by_common_name, openssl):
    assert _differing(by_common_name, lambda *shown: openssl(*shown, *LEVEL_2) == 0) == set()


def test_openssl_finds_the_fault_that_the_case_is_about(by_common_name, openssl):
    found = {}
    for (case, _), shown in by_common_name.kinds.items():
        if shown.expect is Expect.REFUSE:
            number = openssl(by_common_name.root, shown.bad, *LEVEL_2)
            found.setdefault(case, set()).add(number)
    assert found == REASONS


def test_cryptography_judges_as_the_cases_do_but_for_what_is_explained(by_both_names):
    assert _differing(by_both_names, cryptography_takes) == set(CRYPTOGRAPHY)


def test_each_certificate_can_be_served_by_the_standard_library(by_common_name, tmp_path):
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    for shown in by_common_name.kinds.values():
        certificate.write_bytes(shown.bad.presented)
        key.write_bytes(shown.bad.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(certificate, key)
