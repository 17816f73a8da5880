"""Keys and signatures that are too weak (A00.FR.501 to FR.506), in the certificate and above it."""

from __future__ import annotations

from dataclasses import replace

from tlslab.bench import StationBench
from tlslab.describe import Description, Digest, KeyKind
from tlslab.offers import ECDSA_SUITES, RSA_SUITES
from tlslab.registry import Need, Severity, tls_case

INVALID, NO_SUITE = "InvalidCsmsCertificate", "InvalidTLSCipherSuite"


@tls_case(
    "TS-51",
    *("A00.FR.501", "A00.FR.502", "A00.FR.311", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    suites="rsa",
    cwe="CWE-326",
)
async def short_rsa_key(bench: StationBench) -> None:
    """An RSA key of less than 2048 bits ends the connection."""
    good = replace(bench.leaf, key=KeyKind.RSA_2048)
    control = bench.offer(bench.chain(good), suites=RSA_SUITES)
    for kind in (KeyKind.RSA_1024, KeyKind.RSA_512):
        offer = bench.offer(bench.chain(replace(good, key=kind)), suites=RSA_SUITES)
        await bench.refuses(offer, label=kind, control=control, event=INVALID, must_tell=False)


@tls_case(
    "TS-52",
    *("A00.FR.501", "A00.FR.503", "A00.FR.311", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    suites="ecdsa",
    cwe="CWE-326",
)
async def short_curve(bench: StationBench) -> None:
    """An elliptic curve of less than 224 bits ends the connection; a station that does not offer it refuses earlier."""
    good = replace(bench.leaf, key=KeyKind.EC_P256)
    await bench.refuses(
        bench.offer(bench.chain(replace(good, key=KeyKind.EC_P192)), suites=ECDSA_SUITES),
        label=KeyKind.EC_P192,
        control=bench.offer(bench.chain(good), suites=ECDSA_SUITES),
        # Where the curve is not offered, nobody gets as far as a certificate: no common ground is what is told then.
        event=(INVALID, NO_SUITE),
        must_tell=False,
    )


@tls_case(
    "TS-53",
    *("A00.FR.504", "A00.FR.506", "A00.FR.311", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-328",
)
async def weak_digest(bench: StationBench) -> None:
    """A certificate signed with SHA-1 or MD5, its own or its CA's, ends the connection.

    An RSA CA signs it: ECDSA with MD5 has no name.
    """
    top = replace(bench.ca, key=KeyKind.RSA_2048)
    below = replace(bench.ca, common_name="ocppfuzz lab intermediate 2")
    single = bench.offer(bench.chain(cas=(top,)))
    double = bench.offer(bench.chain(cas=(top, below)))
    for digest in (Digest.SHA1, Digest.MD5):
        weak = bench.chain(replace(bench.leaf, digest=digest), cas=(top,))
        above = bench.chain(cas=(top, replace(below, digest=digest)))
        for label, chain, control in (
            (f"{digest}", weak, single),
            (f"{digest} in its CA", above, double),
        ):
            offer = bench.offer(chain)
            await bench.refuses(offer, label=label, control=control, event=INVALID, must_tell=False)


@tls_case(
    "TS-74",
    *("A00.FR.501", "A00.FR.502", "A00.FR.503", "A00.FR.311", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-326",
)
async def weak_ca_key(bench: StationBench) -> None:
    """A CA with an RSA key of 1024 bits or a curve of 192 ends the connection, however strong the keys below it are."""
    for weak, strong in (
        (KeyKind.RSA_1024, KeyKind.RSA_2048),
        (KeyKind.EC_P192, KeyKind.EC_P256),
    ):
        control = bench.offer(bench.chain(cas=(_ca(bench, strong),)))
        offer = bench.offer(bench.chain(cas=(_ca(bench, weak),)))
        await bench.refuses(
            offer, label=f"{weak} in its CA", control=control, event=INVALID, must_tell=False
        )


def _ca(bench: StationBench, kind: KeyKind) -> Description:
    return replace(bench.ca, key=kind)


@tls_case(
    "TS-75",
    *("A00.FR.502", "A00.FR.503"),
    expects="record",
    severity=Severity.LOW,
    needs=(Need.CA_KEY,),
)
async def strong_ca_key(bench: StationBench) -> None:
    """A CA with a larger key, or of the other kind, shows which signatures the station verifies."""
    for kind in (KeyKind.EC_P384, KeyKind.RSA_3072):
        offer = bench.offer(bench.chain(cas=(_ca(bench, kind),)))
        await bench.either(offer, label=f"{kind} in its CA")
