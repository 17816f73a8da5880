"""The station's own certificate in the handshake (security profile 3: A00.FR.401 to FR.405, FR.427, FR.501 to FR.514)."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from tlslab.bench import StationBench, Unfinished
from tlslab.describe import Root
from tlslab.offers import ClientAuth, Engine
from tlslab.registry import Severity, tls_case
from tlslab.seen import Exposure, Stage

STRONG = ("sha256", "sha384", "sha512")
OWN = "of the certificate"


@tls_case(
    "TS-64",
    *("A00.FR.401", "A00.FR.402"),
    expects="its certificate, or a clean alert",
    severity=Severity.MEDIUM,
    endangers=("TC_A_07_CS",),
    profiles=(3,),
)
async def asked_with_other_cas(bench: StationBench) -> None:
    """Asked for its certificate with no CA name, or with a foreign one, the station shows it or ends with an alert.

    RFC 5246 section 7.4.4 lets an empty list mean any CA.
    """
    control = bench.offer(engine=Engine.PYOPENSSL)
    stranger = bench.credential(bench.chain(root=Root.NONE)).certificate
    for label, told in (("no CA named", ()), ("a foreign CA named", (stranger,))):
        offer = bench.offer(engine=Engine.PYOPENSSL, told_roots=told)
        seen = await bench.either(offer, label=label, control=control)
        shown = _shown(seen)
        bench.record(label, "its certificate is shown" if shown else "none is shown")
        if seen.stage is Stage.NOTHING:
            raise Unfinished(f"{label}: no connection was seen")
        # Going on without a certificate is what RFC 5246 section 7.4.6 asks for; A00.FR.401 asks for the certificate.
        clean = shown or seen.stage is Stage.ALERT
        remark = label != "no CA named"
        bench.require(clean, f"its certificate or an alert, with {label}", remark=remark)


def _shown(exposure: Exposure) -> bool:
    return any(connection.client_chain for connection in exposure.connections)


@tls_case(
    "TS-65",
    "A00.FR.401",
    expects="record",
    severity=Severity.INFO,
    profiles=(3,),
)
async def not_asked_for_certificate(bench: StationBench) -> None:
    """A CSMS that asks for no certificate authenticates nobody; what the station makes of it is written down."""
    offer = bench.offer(client_auth=ClientAuth.NONE, client_roots=())
    seen = await bench.either(offer, label="no certificate asked for")
    talks = seen.stage >= Stage.WEBSOCKET
    bench.record("a CSMS that asks for no certificate", "talked to" if talks else "refused")
    if any(connection.sent_authorization for connection in seen.connections):
        bench.remark("it sends Basic credentials in security profile 3")


@tls_case(
    "TS-66",
    *("A00.FR.427", "A00.FR.502", "A00.FR.503", "A00.FR.504", "A00.FR.506", "A00.FR.508"),
    *("A00.FR.509", "A00.FR.511", "A00.FR.512", "A00.FR.514"),
    expects="a certificate as Part 2 describes it",
    severity=Severity.HIGH,
    endangers=("TC_A_07_CS",),
    profiles=(3,),
    cwe="CWE-295",
)
async def own_certificate_is_proper(bench: StationBench) -> None:
    """The station's certificate has its serial number, its owner, strong keys and signatures, and is valid now."""
    chain = (await bench.settle()).client_chain or (await bench.again()).client_chain
    if not chain:
        raise Unfinished("the certificate of the station was not seen")
    try:
        found = [x509.load_der_x509_certificate(der) for der in chain]
        _review(bench, found[0])
        for number, certificate in enumerate(found[1:], 1):
            _strong(bench, certificate, f"of CA {number}")
    except (ValueError, x509.UnsupportedGeneralNameType, x509.InvalidVersion) as error:
        bench.require(holds=False, what="the certificate can be read", came=type(error).__name__)


def _review(bench: StationBench, leaf: x509.Certificate) -> None:
    station, now = bench.station, bench.now()
    names = _values(leaf, NameOID.COMMON_NAME)
    owners = _values(leaf, NameOID.ORGANIZATION_NAME)
    bench.record("subject", leaf.subject.rfc4514_string())
    bench.require(names == [station.serial], "commonName is the serial number", ", ".join(names))
    # A station that does not tell its OrganizationName must still have some owner in it (A00.FR.509).
    fits = station.organization in owners if station.organization else bool(owners)
    bench.require(fits, "organizationName is the CSO's", ", ".join(owners))
    bench.require(leaf.serial_number > 0, "the certificate has a serial number")
    within = leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc
    bench.require(within, "the certificate is valid now", f"until {leaf.not_valid_after_utc:%F}")
    _strong(bench, leaf, OWN)
    basic = _extension(leaf, x509.BasicConstraints)
    bench.require(not getattr(basic, "ca", False), "the certificate is no CA's")
    for kind, wanted, what in (
        (x509.KeyUsage, True, "keyUsage is there (A00.FR.512)"),
        (x509.ExtendedKeyUsage, False, "no Extended Key Usage (A00.FR.514)"),
        (x509.SubjectAlternativeName, False, "no subjectAltName (A00.FR.511)"),
    ):
        there = _extension(leaf, kind) is not None
        bench.require(there is wanted, what, remark=True)


def _strong(bench: StationBench, certificate: x509.Certificate, whose: str) -> None:
    key = certificate.public_key()
    bits = key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else 0
    kind = "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC" if bits else type(key).__name__
    needed = 2048 if kind == "RSA" else 224
    bench.require(bits >= needed, f"the key {whose} is strong enough", f"{kind} {bits}")
    if whose != OWN and certificate.subject == certificate.issuer:
        return  # Nobody relies on the signature of a root.
    digest = certificate.signature_hash_algorithm
    name = digest.name if digest else "none"
    bench.require(name in STRONG, f"the signature {whose} uses SHA-256 or better", name)


def _values(certificate: x509.Certificate, oid: ObjectIdentifier) -> list[str]:
    return [str(name.value) for name in certificate.subject.get_attributes_for_oid(oid)]


def _extension(
    certificate: x509.Certificate, kind: type[x509.ExtensionType]
) -> x509.ExtensionType | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
