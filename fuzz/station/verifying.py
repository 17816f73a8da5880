"""Everything that is wrong with the certificates that a CSMS shows (RFC 5280 section 6; Part 2, A00.FR.308 to FR.311).

Knows X.509 and the rules; no socket, no clock, no file. The healthy station trusts a CSMS without a single fault, and
only after its TLS library did; a planted defect overlooks one kind of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from fuzz.station.x509 import (
    BadCertificate,
    Certificate,
    extension_of,
    is_ca,
    is_signed_by,
    load_chain,
    load_der,
    names_of,
    reading,
    understands,
    why_not_now,
    why_weak_hash,
    why_weak_key,
)

_LONGEST_PATH = 20
_ALSO_UNDERSTOOD = frozenset({ExtensionOID.NAME_CONSTRAINTS})
_SERVER_USES = frozenset(
    {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
)


class Fault(StrEnum):
    """What may be wrong; the words of the security log."""

    NO_CERTIFICATE = "no certificate"
    SELF_SIGNED = "self-signed"
    NAMESAKE = "signed by a namesake of an installed root"
    NO_ROOT = "no installed root signed it"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    NO_CA = "a certificate of the chain is no CA"
    TOO_LONG = "the chain is longer than a CA allows"
    NOT_ALLOWED = "a name that a CA of the chain may not certify"
    NOT_UNDERSTOOD = "a critical extension is not understood"
    PURPOSE = "not for a TLS server"
    SHORT_KEY = "the key is too short"
    OTHER_KEY = "the key is neither RSA nor EC"
    WEAK_HASH = "the signature is made with a weak hash"
    WILDCARD = "a wildcard name"
    NOT_AN_ALTERNATIVE = "the host is not in subjectAltName"
    OTHER_NAME = "the commonName is not the host"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a CSMS showed, and what it is judged by.

    `chain` is DER, its own certificate first; `host` the name that was dialled; `roots` the installed ones, PEM; `now`
    the station's clock. `allow_wildcards` is AllowCSMSTLSWildcards of the errata of 2025.
    """

    chain: tuple[bytes, ...]
    host: str
    roots: tuple[str, ...]
    now: datetime
    allow_wildcards: bool = False


def why_untrusted(shown: Shown, *, overlooked: Collection[Fault] = ()) -> str:
    """Why the CSMS is not to be trusted, faults that are overlooked apart; "" when it is."""
    try:
        return next((fault for fault in faults_of(shown) if fault not in overlooked), "")
    except BadCertificate as error:
        return str(error)


def faults_of(shown: Shown) -> Iterator[Fault]:
    """Every fault that there is. Raises BadCertificate where a certificate cannot be understood."""
    chain = load_der(shown.chain)
    if not chain:
        yield Fault.NO_CERTIFICATE
        return
    roots = [load_chain(root)[0] for root in shown.roots]
    path = path_of(chain, roots)
    anchored = path[-1] in roots
    if not anchored:
        yield _lost_at(path[-1], roots, length=len(path))
    for certificate in path:
        if reason := why_not_now(certificate, shown.now):
            yield Fault(reason)
    yield from _faults_of_issuers(path)
    yield from _faults_of_each(path[:-1] if anchored and len(path) > 1 else path)
    yield from _faults_of_use(path)
    yield from faults_of_name(chain[0], shown.host, allow_wildcards=shown.allow_wildcards)


# --- the path ---------------------------------------------------------------------------------------------


def path_of(chain: Sequence[Certificate], roots: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """From the leaf up to an installed root, or as far as it goes; the order of what was shown does not matter."""
    path = [chain[0]]
    while path[-1] not in roots and len(path) < _LONGEST_PATH:
        above = next(
            (one for one in (*roots, *chain) if one not in path and _signed(path[-1], one)), None
        )
        if above is None:
            break
        path.append(above)
    return tuple(path)


def _lost_at(last: Certificate, roots: Sequence[Certificate], *, length: int) -> Fault:
    """Why the path ends where it does."""
    with reading():
        if any(last.issuer == root.subject for root in roots):
            return Fault.NAMESAKE
    return Fault.SELF_SIGNED if length == 1 and _signed(last, last) else Fault.NO_ROOT


def _signed(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer` made the signature, weak as it may be: weakness is another fault."""
    with reading():
        if certificate.issuer != issuer.subject:
            return False
        return is_signed_by(certificate, issuer) or _signed_weakly(certificate, issuer)


def _signed_weakly(certificate: Certificate, issuer: Certificate) -> bool:
    # The library refuses to verify SHA-1 and MD5 in certificates.
    key = issuer.public_key()
    signature, signed = certificate.signature, certificate.tbs_certificate_bytes
    try:
        digest = certificate.signature_hash_algorithm
        if digest is None or digest.name not in ("sha1", "md5"):
            return False
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


# --- its certificates -------------------------------------------------------------------------------------


def _faults_of_issuers(path: Sequence[Certificate]) -> Iterator[Fault]:
    below = 0
    for issuer in path[1:]:
        if not is_ca(issuer):
            yield Fault.NO_CA
        basic = extension_of(issuer, x509.BasicConstraints)
        if basic is not None and basic.path_length is not None and below > basic.path_length:
            yield Fault.TOO_LONG
        with reading():
            below += issuer.subject != issuer.issuer  # RFC 5280 section 6.1.4 (l)


def _faults_of_each(path: Sequence[Certificate]) -> Iterator[Fault]:
    """Strength (A00.FR.501 to FR.506) and what must be understood; a root is trusted by being installed."""
    for certificate in path:
        for reason in (why_weak_key(certificate), why_weak_hash(certificate)):
            if reason:
                yield Fault(reason)
        if not understands(certificate, also=_ALSO_UNDERSTOOD):
            yield Fault.NOT_UNDERSTOOD


def _faults_of_use(path: Sequence[Certificate]) -> Iterator[Fault]:
    """Names and uses: what the CAs may certify, and what the leaf is for. No use named is any (A00.FR.514)."""
    names = _names(path[0])
    for issuer in path[1:]:
        constraints = extension_of(issuer, x509.NameConstraints)
        if constraints is not None and not _allows(constraints, names, path[0]):
            yield Fault.NOT_ALLOWED
    for certificate in path:
        uses = extension_of(certificate, x509.ExtendedKeyUsage)
        if uses is not None and not _SERVER_USES.intersection(uses):
            yield Fault.PURPOSE
    usage = extension_of(path[0], x509.KeyUsage)
    if usage is not None and not (
        usage.digital_signature or usage.key_encipherment or usage.key_agreement
    ):
        yield Fault.PURPOSE


def _allows(constraints: x509.NameConstraints, names: Sequence[str], leaf: Certificate) -> bool:
    with reading():
        permitted = list(constraints.permitted_subtrees or ())
        excluded = list(constraints.excluded_subtrees or ())
        if any(_within(name, tree) for name in names for tree in excluded):
            return False
        trees = [tree for tree in permitted if isinstance(tree, x509.DNSName | x509.IPAddress)]
        for name in names:
            same = [tree for tree in trees if isinstance(tree, x509.IPAddress) == _is_address(name)]
            if same and not any(_within(name, tree) for tree in same):
                return False
        subjects = [tree.value for tree in permitted if isinstance(tree, x509.DirectoryName)]
        return not subjects or any(_below(leaf.subject, subject) for subject in subjects)


def _within(name: str, tree: x509.GeneralName) -> bool:
    """Whether a host name or an address is in a subtree (RFC 5280 section 4.2.1.10)."""
    match tree:
        case x509.DNSName(value=suffix):
            base = suffix.lower().lstrip(".")
            return not _is_address(name) and (not base or name == base or name.endswith(f".{base}"))
        case x509.IPAddress(value=network):
            return _is_address(name) and ipaddress.ip_address(name) in ipaddress.ip_network(network)
        case _:
            return False


def _below(subject: x509.Name, base: x509.Name) -> bool:
    return list(subject.rdns)[: len(base.rdns)] == list(base.rdns)


# --- its name ---------------------------------------------------------------------------------------------


def faults_of_name(
    leaf: Certificate, host: str, *, allow_wildcards: bool = False
) -> Iterator[Fault]:
    """Whatever is wrong with the names of the CSMS at `host`.

    The commonName is the FQDN, or one of several names in subjectAltName among which the FQDN is (A00.FR.309, FR.412,
    FR.510, FR.511).
    """
    wanted = host.lower().rstrip(".")
    common = [name.lower() for name in names_of(leaf, NameOID.COMMON_NAME)]
    others = alternative_names(leaf)
    if any("*" in name for name in (*common, *others)) and not allow_wildcards:
        yield Fault.WILDCARD
    if others and not any(_fits(name, wanted) for name in others):
        yield Fault.NOT_AN_ALTERNATIVE
    fitting = any(_fits(name, wanted) for name in common)
    if not fitting and not (others and common and set(common) <= set(others)):
        yield Fault.OTHER_NAME


def alternative_names(leaf: Certificate) -> list[str]:
    """The host names and addresses of subjectAltName, in lower case."""
    found = extension_of(leaf, x509.SubjectAlternativeName)
    if found is None:
        return []
    with reading():
        names = [name.lower() for name in found.get_values_for_type(x509.DNSName)]
        return names + [str(address) for address in found.get_values_for_type(x509.IPAddress)]


def _names(leaf: Certificate) -> list[str]:
    """The names that constraints are about."""
    others = alternative_names(leaf)
    return others or [name.lower() for name in names_of(leaf, NameOID.COMMON_NAME)]


def _fits(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
