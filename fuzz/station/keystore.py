"""What a station holds to prove who it is and to know its CSMS: roots by use, its own chain and key, keys in waiting.

Knows PEM and hash data, by way of `x509`; no message, no timer, no socket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fuzz.errors import UsageError
from fuzz.station.x509 import (
    HASH_ALGORITHMS,
    BadCertificate,
    Certificate,
    hash_data,
    is_signed_by,
    key_fits,
    load_bundle,
    load_chain,
    new_key,
    to_pem,
)
from strategies.labels import JsonObject, JsonValue

CSMS_ROOT = "CSMSRootCertificate"
_MAX_PENDING = 3


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one connection is made with. All but the password is PEM; what is missing is empty."""

    password: str = ""
    chain: str = ""
    key: str = ""
    roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Root:
    """An installed root: its InstallCertificateUseEnumType, and the one that signed it, mostly itself."""

    use: str
    certificate: Certificate
    issuer: Certificate

    def hash_data(self, algorithm: str = HASH_ALGORITHMS[0]) -> JsonObject:
        """What OCPP calls it by."""
        return hash_data(self.certificate, self.issuer, algorithm)


@dataclass(frozen=True, slots=True)
class Own:
    """A certificate chain of the station, leaf first, with its private key; PEM, empty when there is none."""

    chain: str = ""
    key: str = ""


class KeyStore:
    """All certificates and keys of one station."""

    def __init__(self, own: Own, roots: Iterable[tuple[str, str]]) -> None:
        """What a station was made with. Raises UsageError when a root cannot be read.

        Args:
            own: its certificate, if it has one.
            roots: uses with the PEM certificates for each.
        """
        self.own = own
        self.previous: Own | None = None
        """What `own` replaced, while no connection was made with `own` (A02.FR.28)."""
        self.upcoming: Own | None = None
        """What will replace `own` once it is valid (A02.FR.08 in Edition 3)."""
        self.pending: list[str] = []
        """Private keys of certificates that were asked for, the newest last."""
        self.replaced: Certificate | None = None
        """The CSMS root that the newest one is to replace, while no connection was made with that (M05.FR.09-16)."""
        self.back_to_replaced = False
        self.roots = [root for use, pem in roots for root in _given(use, pem)]

    # --- roots --------------------------------------------------------------------------------------------

    def of(self, use: str) -> list[Certificate]:
        """The roots of one use, the newest last."""
        return [root.certificate for root in self.roots if root.use == use]

    def issuer_of(self, certificate: Certificate) -> Certificate | None:
        """Who signed a root: itself, or one that is installed. Raises BadCertificate."""
        known = (certificate, *(root.certificate for root in self.roots))
        return next((issuer for issuer in known if is_signed_by(certificate, issuer)), None)

    def holds(self, use: str, certificate: Certificate) -> bool:
        """Whether the very same certificate is installed for this use already."""
        return certificate in self.of(use)

    def install(self, use: str, certificate: Certificate, issuer: Certificate) -> None:
        """Adds a root, or replaces the same one (M05.FR.17)."""
        if not self.holds(use, certificate):
            self.roots.append(Root(use, certificate, issuer))

    def remove(self, use: str, certificate: Certificate) -> None:
        """Forgets a root."""
        self.roots = [r for r in self.roots if (r.use, r.certificate) != (use, certificate)]
        if use == CSMS_ROOT and self.replaced not in self.of(CSMS_ROOT):
            self.replaced = None

    def find(self, asked: Mapping[str, JsonValue]) -> list[Root]:
        """The roots that have this hash data: all of its members must fit."""
        algorithm = str(asked["hashAlgorithm"])
        return [root for root in self.roots if _same(root.hash_data(algorithm), asked)]

    def is_own(self, asked: Mapping[str, JsonValue]) -> bool:
        """Whether the hash data is that of the station's own certificate, or of one in its chain."""
        chain = load_chain(self.own.chain) if self.own.chain else ()
        issuers = (*chain, *(root.certificate for root in self.roots))
        algorithm = str(asked["hashAlgorithm"])
        return any(
            is_signed_by(certificate, issuer)
            and _same(hash_data(certificate, issuer, algorithm), asked)
            for certificate in chain
            for issuer in issuers
        )

    # --- connections --------------------------------------------------------------------------------------

    def trusted(self) -> tuple[str, ...]:
        """The roots to trust on the next connection: one alone while it replaces another, so that the test counts."""
        roots = self.of(CSMS_ROOT)
        if self.replaced is not None:
            old = self.replaced
            roots = [old] if self.back_to_replaced else [root for root in roots if root != old]
        return tuple(to_pem(root) for root in roots)

    def replace_own(self, own: Own) -> None:
        """The next connection is made with a new certificate; the old one stays as a way back."""
        # Of two renewals in a row without a connection, the proven certificate stays the way back.
        self.previous = self.previous or self.own
        self.own = own

    def go_back(self) -> None:
        """The next connection is made with the certificate that worked last (A02.FR.28)."""
        if self.previous is not None:
            self.own, self.previous = self.previous, None

    def make_key(self, *, elliptic: bool) -> str:
        """A private key that was never used before (A02.FR.02)."""
        return new_key(elliptic=elliptic)

    def hold_key(self, key: str) -> None:
        """Keeps a key until its certificate arrives; the oldest makes room."""
        self.drop_key(key)
        self.pending = [*self.pending, key][-_MAX_PENDING:]

    def drop_key(self, key: str) -> None:
        """Forgets a key that no certificate will come for any more."""
        self.pending = [held for held in self.pending if held != key]

    def key_for(self, leaf: Certificate) -> str:
        """The pending key that the certificate is for; "" when there is none."""
        return next((key for key in reversed(self.pending) if key_fits(leaf, key)), "")

    # --- lasting state ------------------------------------------------------------------------------------

    def lasting(self) -> JsonObject:
        """Everything, PEM; holds private keys."""
        previous, upcoming = self.previous or Own(), self.upcoming or Own()
        return {
            "roots": [
                {
                    "use": root.use,
                    "certificate": to_pem(root.certificate),
                    "issuer": to_pem(root.issuer),
                    "replaced": root.use == CSMS_ROOT and root.certificate == self.replaced,
                }
                for root in self.roots
            ],
            "chain": self.own.chain,
            "key": self.own.key,
            "previousChain": previous.chain,
            "previousKey": previous.key,
            "upcomingChain": upcoming.chain,
            "upcomingKey": upcoming.key,
            "pending": [*self.pending],
        }

    def restore(self, kept: Mapping[str, JsonValue]) -> None:
        """Takes over what `lasting` gave once; what does not fit is left out."""
        roots, pending = kept.get("roots"), kept.get("pending")
        if isinstance(roots, list):
            self.roots, self.replaced = [], None
            for item in roots:
                self._restore_root(item)
        own = _own(kept, "chain", "key")
        self.own = own or self.own
        self.previous = _own(kept, "previousChain", "previousKey")
        self.upcoming = _own(kept, "upcomingChain", "upcomingKey")
        if isinstance(pending, list):
            self.pending = [key for key in pending if isinstance(key, str)][-_MAX_PENDING:]

    def _restore_root(self, item: JsonValue) -> None:
        if not isinstance(item, dict):
            return
        try:
            (certificate,) = load_chain(str(item.get("certificate")))
            (issuer,) = load_chain(str(item.get("issuer")))
        except (BadCertificate, ValueError):
            return
        self.roots.append(Root(str(item.get("use")), certificate, issuer))
        if item.get("replaced") is True:
            self.replaced = certificate


def _given(use: str, pem: str) -> Iterator[Root]:
    try:
        for certificate in load_bundle(pem):
            yield Root(use, certificate, certificate)
    except BadCertificate as error:
        raise UsageError(f"a root certificate cannot be used: {error}; give PEM files") from None


def _own(kept: Mapping[str, JsonValue], chain: str, key: str) -> Own | None:
    pem, secret = kept.get(chain), kept.get(key)
    if not isinstance(pem, str) or not isinstance(secret, str) or not secret:
        return None
    try:
        load_chain(pem)
    except BadCertificate:
        return None
    return Own(pem, secret)


def _same(own: JsonObject, asked: Mapping[str, JsonValue]) -> bool:
    """Whether all members fit; hex is compared as a number is read: any case, leading zeros or none in the serial."""
    return all(
        str(own[name]).lower() == str(asked[name]).lower()
        for name in ("issuerNameHash", "issuerKeyHash")
    ) and str(own["serialNumber"]) == (str(asked["serialNumber"]).lower().lstrip("0") or "0")
