"""The certificates that a CSMS shows (A00.FR.501 to FR.514), one for each pair of suites (A00.FR.318, FR.421)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tlslab.csms_bench import CsmsBench, Unfinished
from tlslab.notes import NotAsked
from tlslab.offers import ECDSA_SUITES, RSA_SUITES, TLS_1_2
from tlslab.registry import Severity, tls_case
from tlslab.suites import suite_name

FORWARD_SECRET_RSA = (0xC02F, 0xC030)


async def _chains(bench: CsmsBench) -> dict[str, tuple[bytes, ...]]:
    """What is shown in TLS 1.2 for each pair of suites; what did not come about is absent."""
    found = {}
    for pair, suites in (("ECDSA", ECDSA_SUITES), ("RSA", (*RSA_SUITES, *FORWARD_SECRET_RSA))):
        visit = await bench.knock(bench.proper(suites=suites, highest=TLS_1_2))
        if visit.connection.server_chain:
            found[pair] = visit.connection.server_chain
            bench.record(f"suite for {pair}", suite_name(visit.connection.suite))
    if not found:
        visit = await bench.knock(bench.proper())
        if visit.connection.server_chain:
            found["TLS 1.3"] = visit.connection.server_chain
    if not found:
        raise Unfinished("no certificate of the CSMS was seen")
    return found


def _read(chain: Sequence[bytes]) -> list[x509.Certificate]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [x509.load_der_x509_certificate(der) for der in chain]


@tls_case(
    "TC-11",
    *("A00.FR.502", "A00.FR.503", "A00.FR.504", "A00.FR.506", "A00.FR.508", "A00.FR.509"),
    *("A00.FR.510", "A00.FR.511", "A00.FR.512", "A00.FR.514"),
    expects="as the specification describes it",
    severity=Severity.HIGH,
    endangers=("TC_A_04_CSMS", "TC_A_07_CSMS"),
    cwe="CWE-295",
)
async def review(bench: CsmsBench) -> None:
    """The certificates of the CSMS name its FQDN and owner, are in time, and are strong enough."""
    for pair, chain in (await _chains(bench)).items():
        try:
            certificates = _read(chain)
            _strong(bench, pair, certificates)
            _named(bench, pair, certificates[0])
            _timely(bench, pair, certificates)
            _ordered(bench, pair, certificates)
        except ValueError as why:
            bench.require(holds=False, what=f"{pair}: the certificates can be read", came=why)


def _strong(bench: CsmsBench, pair: str, chain: Sequence[x509.Certificate]) -> None:
    for number, certificate in enumerate(chain):
        key, which = certificate.public_key(), "certificate" if number == 0 else f"CA {number}"
        match key:
            case rsa.RSAPublicKey():
                bench.require(
                    key.key_size >= 2048, f"{pair}: {which}: RSA of 2048 bits", key.key_size
                )
            case ec.EllipticCurvePublicKey():
                bits = key.curve.key_size
                bench.require(bits >= 224, f"{pair}: {which}: a curve of 224 bits", bits)
            case _:
                bench.remark(f"{pair}: {which}: a key that is neither RSA nor on a curve of ECDSA")
        if certificate.subject == certificate.issuer and number:
            continue
        digest = certificate.signature_hash_algorithm
        weak = digest is not None and digest.name in ("md5", "sha1")
        name = "" if digest is None else digest.name
        bench.require(not weak, f"{pair}: {which}: signed with SHA-256 or better", name)


def _named(bench: CsmsBench, pair: str, leaf: x509.Certificate) -> None:
    names = [str(a.value) for a in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    owners = [str(a.value) for a in leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    host = bench.csms.host.lower()
    listed = _alternatives(leaf)
    fits = host in [n.lower() for n in (*names, *listed)]
    bench.require(fits, f"{pair}: the host's name is in it", ", ".join((*names, *listed)))
    common = host in [n.lower() for n in names]
    what = f"{pair}: the commonName is the host's name"
    bench.require(common, what, ", ".join(names), remark=True)
    bench.require(owners, f"{pair}: organizationName names the owner", remark=True)
    bench.require(leaf.serial_number > 0, f"{pair}: a positive serial number")
    extended = _extension(leaf, x509.ExtendedKeyUsage)
    bench.record(f"{pair}: Extended Key Usage", "none" if extended is None else "present")
    usage = _extension(leaf, x509.KeyUsage)
    what = f"{pair}: a Key Usage extension"
    bench.require(usage is not None, what, remark=True)


def _alternatives(leaf: x509.Certificate) -> list[str]:
    found = _extension(leaf, x509.SubjectAlternativeName)
    if not isinstance(found, x509.SubjectAlternativeName):
        return []
    return [
        *found.get_values_for_type(x509.DNSName),
        *map(str, found.get_values_for_type(x509.IPAddress)),
    ]


def _extension(leaf: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.ExtensionType | None:
    try:
        return leaf.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _timely(bench: CsmsBench, pair: str, chain: Sequence[x509.Certificate]) -> None:
    now = bench.now()
    in_time = all(c.not_valid_before_utc <= now <= c.not_valid_after_utc for c in chain)
    came = ", ".join(f"{c.not_valid_before_utc:%F} to {c.not_valid_after_utc:%F}" for c in chain)
    bench.require(in_time, f"{pair}: the chain is in time", came)


def _ordered(bench: CsmsBench, pair: str, chain: Sequence[x509.Certificate]) -> None:
    links = pairwise(chain)
    bench.require(
        all(lower.issuer == upper.subject for lower, upper in links),
        f"{pair}: each certificate is followed by its issuer",
    )


@tls_case(
    "TC-12",
    *("A00.FR.318", "A00.FR.421"),
    expects="both kinds",
    severity=Severity.HIGH,
    endangers=("TC_A_04_CSMS", "TC_A_07_CSMS"),
)
async def two_certificates(bench: CsmsBench) -> None:
    """The CSMS has a certificate for ECDSA and one for RSA, since its four suites need both."""
    chains = await _chains(bench)
    if "TLS 1.3" in chains:
        raise NotAsked("TLS 1.2, in which a client chooses the kind of certificate")
    for pair in ("ECDSA", "RSA"):
        bench.require(pair in chains, f"a certificate for {pair} is shown")


@tls_case("TC-35", expects="record", severity=Severity.INFO)
async def server_names(bench: CsmsBench) -> None:
    """Which certificate answers a wrong server name, none, or an address."""
    names = {"a wrong name": "no-such-host.invalid", "no name": "", "localhost": "localhost"}
    for label, name in names.items():
        visit = await bench.knock(bench.proper(server_name=name))
        shown = [_word(der) for der in visit.connection.server_chain[:1]]
        bench.record(label, shown[0] if shown else visit.connection.error or "no certificate")


def _word(der: bytes) -> str:
    try:
        return _read([der])[0].subject.rfc4514_string()
    except ValueError:
        return "a certificate that cannot be read"
