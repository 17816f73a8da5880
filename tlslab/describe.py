"""Certificates and chains in plain words; every default is what OCPP 2.0.1 asks for (Part 2, A00.FR.501-514).

Knows descriptions only: a faulty certificate is a description in which one field is not its default, so that a case
shows only what is wrong with it. `authority` makes certificates of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum

DAY = timedelta(days=1)
OWNER = "ocppfuzz lab"
"""Whose certificates these are unless another owner is named."""

SKEW = timedelta(hours=1)
"""How far in the past a certificate begins, so that a station whose clock is a little late takes it."""


class KeyKind(StrEnum):
    """Kinds of key. Only EC_P256 and larger, and RSA_2048 and larger, are what A00.FR.501-503 allow."""

    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    EC_P192 = "ec-p192"
    EC_P224 = "ec-p224"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_1024 = "rsa-1024"
    RSA_512 = "rsa-512"
    ED25519 = "ed25519"

    @property
    def elliptic(self) -> bool:
        """Whether it signs for the ECDSA suites."""
        return self.value.startswith("ec")


USUAL_KEYS = (KeyKind.EC_P256, KeyKind.RSA_2048)
"""The two kinds that a CSMS needs certificates of (A00.FR.318)."""


class Digest(StrEnum):
    """The hash of a signature; A00.FR.504 and FR.506 allow SHA-256 and better."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"


class Usage(StrEnum):
    """The keyUsage extension. NO_SIGNATURE and NO_ENCIPHERMENT are meant for leaves, NO_CERT_SIGN for CAs."""

    PROPER = "as its purpose needs"
    ABSENT = "absent"
    NO_SIGNATURE = "without digitalSignature"
    NO_ENCIPHERMENT = "without keyEncipherment"
    CERT_SIGN_ONLY = "keyCertSign only"
    NO_CERT_SIGN = "without keyCertSign"


class Order(StrEnum):
    """What is shown of the chain, and in which order.

    A TLS server cannot prove that it holds the key of anything but its first certificate: LEAF_LAST and NO_LEAF are
    for chains that are handed over as text.
    """

    PROPER = "leaf, then its issuers"
    REVERSED = "the leaf, then the root, its issuers downwards"
    WITH_ROOT = "the root included"
    WITH_STRANGERS = "unrelated certificates behind"
    INCOMPLETE = "the intermediates left out"
    DOUBLED = "the leaf twice"
    LEAF_LAST = "all of it reversed, the leaf last"
    NO_LEAF = "the leaf left out"


class Root(StrEnum):
    """Which root the chain leads to."""

    TRUSTED = "the trusted root"
    STRANGER = "an unknown root"
    NAMESAKE = "a root with the trusted one's name and another key"
    NONE = "none: signed with its own key"


@dataclass(frozen=True, slots=True)
class Description:
    """A certificate in plain words; the defaults make a proper one.

    `names` go into subjectAltName, addresses as iPAddress. Leave it empty for a certificate that is known by its commonName
    alone (A00.FR.511): a present subjectAltName takes the commonName's place. There is no Extended Key Usage (A00.FR.514)
    unless `extended` names some, such as `clientAuth` or a dotted OID. `begins` and `validity` count from now. `is_ca` None
    leaves basicConstraints away. `serial_number` None means: a random one. None for a name leaves its attribute away.
    `permitted` and `excluded` are DNS names of a nameConstraints extension. `unknown_critical` adds an extension that
    nobody knows, `padding` so many further names of 200 characters, `broken` turns one bit of the signature, `crl` and
    `ocsp` are addresses where revocation is told.
    """

    common_name: str | None
    organization: str | None = OWNER
    key: KeyKind = KeyKind.EC_P256
    is_ca: bool | None = False
    names: tuple[str, ...] = ()
    validity: timedelta = timedelta(days=365)
    serial_number: int | None = None
    begins: timedelta = -SKEW
    path_length: int | None = None
    usage: Usage = Usage.PROPER
    extended: tuple[str, ...] = ()
    digest: Digest = Digest.SHA256
    permitted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    unknown_critical: bool = False
    padding: int = 0
    broken: bool = False
    crl: str = ""
    ocsp: str = ""

    def facts(self, prefix: str) -> Mapping[str, str]:
        """Every field in words, as `prefix.field`."""
        found = {f"{prefix}.{f.name}": _word(getattr(self, f.name)) for f in fields(self)}
        if self.serial_number is None:
            found[f"{prefix}.serial_number"] = "random"
        return found


@dataclass(frozen=True, slots=True)
class Chain:
    """A leaf, the CAs between it and its root from the root downwards, and what is shown of them.

    `leaf_signs` puts another, proper leaf between: the certificate is signed by one that is no CA.
    """

    leaf: Description
    cas: tuple[Description, ...] = ()
    root: Root = Root.TRUSTED
    order: Order = Order.PROPER
    leaf_signs: bool = False

    def facts(self) -> Mapping[str, str]:
        """Every field in words; equal facts mean the same to a verifier."""
        found = dict(self.leaf.facts("leaf"))
        for number, ca in enumerate(self.cas, 1):
            found |= ca.facts(f"ca{number}")
        found["chain.length"] = str(len(self.cas))
        found["chain.root"] = self.root
        found["chain.order"] = self.order
        found["chain.issuer"] = "a leaf" if self.leaf_signs else "a CA"
        return found


def _word(value: object) -> str:
    match value:
        case None:
            return "absent"
        case timedelta():
            return _time(value)
        case tuple():
            return ", ".join(map(_printable, value)) or "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return _printable(value)


def _printable(value: object) -> str:
    # A name may hold a NUL byte, which is its fault.
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))


def _time(span: timedelta) -> str:
    number, unit = (span / DAY, "days") if abs(span) >= DAY else (span.total_seconds() / 60, "min")
    return f"now {'-' if number < 0 else '+'} {abs(number):g} {unit}"
