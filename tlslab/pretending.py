"""The certificates of a Charging Station that is only a rule: what it answers about them, and whom it believes.

Knows A02, A05, B09 and M03 to M05 as far as the cases ask, in few lines. Must not know a case, nor any real station.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tlslab.authority import Authority
from tlslab.csr import Wish, csr
from tlslab.describe import Chain, Description, KeyKind
from tlslab.keys import PrivateKey, new_key
from tlslab.offers import ClientAuth, Engine, Offer
from tlslab.roots import CSMS_ROOT, HashData, hash_data
from tlslab.seen import Connection, Stage
from tlslab.session import AnsweredWithError, Payload

INVALID = "InvalidChargingStationCertificate"
ROOMS = 6
"""Roots that it has room for."""
FAILURES = 3
"""How often a new certificate may fail before the old one has its turn."""
_LONGEST = {
    "CertificateSigned": ("certificateChain", 10_000),
    "InstallCertificate": ("certificate", 5500),
}
Certificate = x509.Certificate


class Papers:
    """All certificates of one pretended station.

    Attributes:
        level: its security profile.
        own: its chain; `before` is the one that it replaced, while no connection was made with `own`.
        later: a chain that is used once its time has come.
        pending: keys of certificates that it asked for.
        roots: CSMS roots, the newest last; `old` the one that is being replaced.
        said: CALLs that nobody took, with their payloads.
        told: security events.
        leaves: whether it closes its connection after the answer; `boots` whether it starts anew.
        signs: what the CSMS answers to SignCertificate.
        checks_roots: AdditionalRootCertificateCheck.
    """

    def __init__(
        self,
        authority: Authority,
        *,
        serial: str,
        organization: str,
        now: Callable[[], datetime],
        level: int = 3,
        checks_roots: bool = False,
        errata: bool = False,
    ) -> None:
        self.serial, self.organization, self.now, self.errata = serial, organization, now, errata
        self.level, self.checks_roots = level, checks_roots
        self.own = _read(authority.issue(Chain(Description(serial, organization))).presented)
        self.before: tuple[Certificate, ...] = ()
        self.later: tuple[Certificate, ...] = ()
        self.pending: list[PrivateKey] = []
        self.roots = list(_read(authority.root.certificate))
        self._ever = list(self.roots)
        self.old: Certificate | None = None
        self.back_to_old = False
        self.said: list[tuple[str, Payload]] = []
        self.told: list[str] = []
        self.slots: dict[int, int] = {0: level}
        self.priority = "0"
        self.leaves = self.boots = False
        self.signs = "Rejected"
        self._failures = 0

    @property
    def shown(self) -> tuple[bytes, ...]:
        """Its chain, DER."""
        if self.later and self.later[0].not_valid_before_utc <= self.now():
            self.before, self.own, self.later = self.own, self.later, ()
        return tuple(c.public_bytes(serialization.Encoding.DER) for c in self.own)

    # --- OCPP ---------------------------------------------------------------------------------------------

    def answer(self, action: str, payload: Payload) -> Payload:
        """The payload of a CALLRESULT. Raises `AnsweredWithError`."""
        name, longest = _LONGEST.get(action, ("", 0))
        if name and len(str(payload[name])) > longest:
            raise AnsweredWithError(action, "PropertyConstraintViolation")
        match action:
            case "TriggerMessage":
                self.ask()
            case "CertificateSigned":
                return {"status": self.signed(payload)}
            case "InstallCertificate":
                return {"status": self.install(str(payload["certificate"]))}
            case "DeleteCertificate":
                return {"status": self.delete(payload["certificateHashData"])}
            case "GetInstalledCertificateIds":
                return self._listed(payload.get("certificateType", [CSMS_ROOT]))
            case "SetNetworkProfile":
                return {"status": self._put(payload)}
            case "GetBaseReport":
                self.said.append(("NotifyReport", {"tbc": False}))
            case "Reset":
                self._reset()
            case _:
                pass
        return {"status": "Accepted"}

    def get(self, name: str) -> str | None:
        """A variable that these papers decide about."""
        return {
            "SecurityProfile": str(self.level),
            "NetworkConfigurationPriority": self.priority,
            "AdditionalRootCertificateCheck": str(self.checks_roots).lower(),
        }.get(name)

    def set(self, name: str, value: str) -> str:
        """The attributeStatus of setting a variable."""
        if name == "NetworkConfigurationPriority":
            if any(self.why_no_slot(int(slot)) for slot in value.split(",")):
                return "Rejected"
            self.priority = value
        return "Accepted"

    # --- its own certificate ------------------------------------------------------------------------------

    def make_key(self) -> PrivateKey:
        """A key for a new certificate."""
        return new_key(KeyKind.EC_P256)

    def ask(self) -> None:
        """A CSR is sent."""
        key = self.make_key()
        if self.signs == "Accepted":
            self.pending.append(key)
        text = csr(Wish(self.serial, self.organization), key)
        self.said.append(("SignCertificate", {"csr": text}))

    def signed(self, payload: Payload) -> str:
        """The status of CertificateSigned."""
        text = str(payload["certificateChain"])
        try:
            chain = _read(text.encode())
            fault = self.why_not(chain)
        except (ValueError, x509.InvalidVersion):
            fault = "unreadable"
        if payload.get("certificateType", "") == "V2GCertificate":
            return "Rejected"
        self.pending.clear()
        if fault:
            self.told.append(INVALID)
            return "Rejected"
        if chain[0].not_valid_before_utc > self.now():
            self.later = chain
        else:
            self.before, self.own = self.before or self.own, chain
            self._failures = 0
            self.leaves = self.level == 3
        return "Accepted"

    def why_not(self, chain: tuple[Certificate, ...]) -> str:
        """Why a chain cannot be its own; "" when it can."""
        leaf, now = chain[0], self.now()
        if not self.asked_for(leaf):
            return "another key"
        if now > leaf.not_valid_after_utc:
            return "expired"
        if now < leaf.not_valid_before_utc and self.errata:
            return "not yet valid"
        if not self.leads_home(chain):
            return "no path"
        if any(_weak(c) for c in chain):
            return "weak"
        names = [str(a.value) for a in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        owners = [
            str(a.value) for a in leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        ]
        return "" if (names, owners) == ([self.serial], [self.organization]) else "another subject"

    def asked_for(self, leaf: Certificate) -> bool:
        """Whether it is for a key that it asked for."""
        return any(leaf.public_key() == key.public_key() for key in self.pending)

    def leads_home(self, chain: tuple[Certificate, ...]) -> bool:
        """Whether every certificate is signed by the next, and the last by a root, or is one."""
        order = all(_signs(above, below) for below, above in pairwise(chain))
        return order and any(r == chain[-1] or _signs(r, chain[-1]) for r in self.roots)

    # --- roots --------------------------------------------------------------------------------------------

    def install(self, text: str) -> str:
        """The status of InstallCertificate."""
        try:
            (root,) = _read(text.encode())
        except ValueError:
            return "Rejected"
        if root in self.roots:
            return "Accepted"
        issuers = [root, *(self.roots if self.checks_roots else ())]
        if self.why_no_root(root, issuers) or len(self.roots) >= ROOMS:
            return "Rejected"
        if self.checks_roots and not self.may_follow(root):
            return "Rejected"
        if self.checks_roots:
            self.old = self.roots[-1]
        self.roots.append(root)
        self._ever.append(root)
        return "Accepted"

    def why_no_root(self, root: Certificate, issuers: list[Certificate]) -> str:
        """Why it cannot be a root; "" when it can."""
        if not any(_signs(issuer, root) for issuer in issuers):
            return "unsigned"
        if root.not_valid_after_utc < self.now():
            return "expired"
        basic = root.extensions.get_extension_for_class(x509.BasicConstraints).value
        return "" if basic.ca else "a leaf"

    def may_follow(self, root: Certificate) -> bool:
        """Whether the present root signed the next."""
        return _signs(self.roots[-1], root)

    def delete(self, asked: HashData) -> str:
        """The status of DeleteCertificate."""
        found = [root for root in self.roots if self.is_called(root, asked)]
        if not found:
            return "NotFound"
        if len(self.roots) == 1 and not self.can_spare_last:
            return "Failed"
        self.roots = [root for root in self.roots if root not in found]
        if self.old in found or len(self.roots) < 2:
            self.old = None
        return "Accepted"

    can_spare_last = False
    """Whether the last root may go."""

    def is_called(self, root: Certificate, asked: HashData) -> bool:
        """Whether this is its hash data."""
        return dict(self._name(root)) == dict(asked)

    def _name(self, root: Certificate) -> HashData:
        issuer = next(r for r in (root, *self._ever) if r.subject == root.issuer)
        encoding = serialization.Encoding.DER
        return hash_data(root.public_bytes(encoding), issuer.public_bytes(encoding))

    def _listed(self, uses: object) -> Payload:
        if CSMS_ROOT not in str(uses):
            return {"status": "NotFound"}
        entries = [
            {"certificateType": CSMS_ROOT, "certificateHashData": dict(self._name(root))}
            for root in self.roots
        ]
        return {"status": "Accepted", "certificateHashDataChain": entries}

    # --- network profiles ---------------------------------------------------------------------------------

    def _put(self, payload: Payload) -> str:
        level = int(payload["connectionData"]["securityProfile"])
        if not self.may_reach(level):
            return "Rejected"
        self.slots[int(payload["configurationSlot"])] = level
        return "Accepted"

    def may_reach(self, level: int) -> bool:
        """Whether it goes to this security profile."""
        return level >= self.level

    def why_no_slot(self, slot: int) -> str:
        """Why a slot cannot be preferred; "" when it can."""
        level = self.slots.get(slot, 0)
        if not self.may_reach(level):
            return "lower"
        expired = self.own[0].not_valid_after_utc < self.now()
        return "no certificate" if level == 3 > self.level and expired else ""

    def _reset(self) -> None:
        level = self.slots[int(self.priority.split(",")[0])]
        if level > self.level:
            self.level = level
            self.slots = {s: n for s, n in self.slots.items() if n >= level}
            self.priority = ",".join(s for s in self.priority.split(",") if int(s) in self.slots)
        self.leaves = self.boots = True
        if self.ends_soon():
            self.signs = "Rejected"
            self.ask()

    def ends_soon(self) -> bool:
        """Whether its certificate ends within a month (A03.FR.02)."""
        return (self.own[0].not_valid_after_utc - self.now()).days < 30

    # --- handshakes ---------------------------------------------------------------------------------------

    def meets(self, offer: Offer, connection: Connection) -> str:
        """Fills in how a connection went, as `rehearsal.Rule`: who shows what to whom, and who believes it."""
        if (offer.engine is Engine.PLAIN) is not (self.level == 1):
            connection.reached(Stage.ALERT)
            return ""
        if self.level > 1 and not self.believes(offer):
            connection.reached(Stage.ALERT)
            self.back_to_old = self.old is not None and not self.back_to_old
            return "InvalidCsmsCertificate"
        if self.level == 3 and offer.client_auth is not ClientAuth.NONE:
            connection.client_chain = self.shown
            if offer.client_auth is ClientAuth.VERIFY and not self._is_let_in(offer):
                connection.reached(Stage.CLOSED)
                self.failed()
                return ""
        connection.reached(Stage.OCPP)
        if self.level == 2:
            connection.header_names = ("authorization",)
        self.worked()
        return ""

    def believes(self, offer: Offer) -> bool:
        """Whether the server's chain leads to a root that counts now."""
        roots = self.roots
        if self.old is not None:
            roots = [self.old] if self.back_to_old else [r for r in roots if r != self.old]
        shown = _read(offer.credential.presented)
        return any(_signs(root, shown[-1]) for root in roots)

    def _is_let_in(self, offer: Offer) -> bool:
        roots = [c for pem in offer.client_roots for c in _read(pem)]
        valid = self.own[0].not_valid_after_utc >= self.now()
        return valid and any(_signs(root, self.own[-1]) for root in roots)

    def failed(self) -> None:
        """The CSMS did not take its certificate."""
        self._failures += 1
        if self.before and self._failures >= FAILURES:
            self.go_back()

    def go_back(self) -> None:
        """The certificate from before is used again."""
        self.own, self.before = self.before, ()
        if self.errata:
            self.told.append("DiscardedRenewedClientCertificate")

    def worked(self) -> None:
        """A connection was made with what it has: what it replaced can go."""
        self.before = ()
        if self.old is not None and not self.back_to_old:
            self.forget_old()
        self.back_to_old = False

    def forget_old(self) -> None:
        """The root that was replaced is removed (M05.FR.13)."""
        self.roots = [root for root in self.roots if root != self.old]
        self.old = None

    def lose_power(self) -> None:
        """What is not kept is gone."""
        self.pending.clear()


def _read(pem: bytes) -> tuple[Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(pem))


def _signs(issuer: Certificate, certificate: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _weak(certificate: Certificate) -> bool:
    digest = certificate.signature_hash_algorithm
    if digest is None or digest.name in ("md5", "sha1"):
        return True
    match certificate.public_key():
        case rsa.RSAPublicKey() as key:
            return key.key_size < 2048
        case ec.EllipticCurvePublicKey() as key:
            return key.key_size < 224
        case _:
            return True
