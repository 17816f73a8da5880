"""Who may come in: as a TLS client before a byte of HTTP, and as a station by the request to upgrade (A00).

Knows the stations, what was revoked or replaced, and who failed too often. Must not know sockets or messages.
"""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from urllib.parse import unquote

from fuzz.csms import papers
from fuzz.csms.enrolment import MAX_IDENTITY, Enrolled
from fuzz.csms.events import Admitted, Refused, Upgrade
from fuzz.csms.hooks import Hooks
from fuzz.csms.throttle import Throttle

MAX_REVOKED = 4096
_MAX_CREDENTIALS = 1024
_NO_CERTIFICATE = "no certificate of a station"


class Doorkeeper:
    """Looks at everybody who wants in; remembers what is not accepted any more.

    Attributes:
        revoked: serial numbers (lower-case hex) of certificates, and identities all of whose are taken back.
        replaced: fingerprints of certificates whose successor is in use; refused, which the specification leaves open.
    """

    def __init__(
        self, enrolled: Sequence[Enrolled], organizations: Collection[str], hooks: Hooks
    ) -> None:
        self._enrolled: Mapping[str, Enrolled] = {station.identity: station for station in enrolled}
        self._organizations = frozenset(organizations)
        self._hooks = hooks
        self._throttle = Throttle()
        self.revoked: set[str] = set()
        self.replaced: OrderedDict[str, None] = OrderedDict()

    def drop(self, fingerprint: str) -> None:
        """The certificate has a successor that works, or was never taken."""
        self.replaced[fingerprint] = None
        while len(self.replaced) > MAX_REVOKED:
            self.replaced.popitem(last=False)

    # --- TLS ----------------------------------------------------------------------------------------------

    def vouch(self, chain: Sequence[bytes], now: datetime) -> str:
        """Why nobody may come in with this certificate, whoever it is (A00.FR.403 to FR.407); "" when somebody may.

        TLS has verified the path to the root; names are for `admit`.
        """
        path = papers.path_of(chain)
        if not path:
            return self._hooks.anonymous(_NO_CERTIFICATE)
        leaf = path[0]
        hooks = self._hooks
        reason = hooks.proper(leaf) or hooks.owned(leaf, self._organizations)
        return reason or self._why_not_now(path, now) or self._why_taken_back(chain[0])

    def expired(self, chain: Sequence[bytes], now: datetime) -> bool:
        """Whether the caller's certificate has had its time, and is shown only because that is allowed."""
        leaf = papers.load(chain[0]) if chain else None
        return leaf is not None and self._hooks.timely(leaf, now) == papers.EXPIRED

    def _why_not_now(self, path: Sequence[papers.Certificate], now: datetime) -> str:
        for issuer in path[1:]:
            if reason := self._hooks.timely(issuer, now):
                return f"an issuer is {reason}"
        reason = self._hooks.timely(path[0], now)
        if reason == papers.EXPIRED and self._may_be_expired(path[0]):
            return ""
        return reason

    def _may_be_expired(self, leaf: papers.Certificate) -> bool:
        names = papers.common_names(leaf)
        return any(s.allow_expired and names == [s.name] for s in self._enrolled.values())

    def _why_taken_back(self, der: bytes) -> str:
        if papers.fingerprint(der) in self.replaced:
            return "replaced by a newer certificate"
        leaf = papers.load(der)
        number = "" if leaf is None else papers.serial_number(leaf)
        return "revoked" if self._hooks.revoked(number, self.revoked) else ""

    # --- HTTP ---------------------------------------------------------------------------------------------

    def admit(self, upgrade: Upgrade, now: float) -> Admitted | Refused:
        """Which station the caller is, or the status with which it is turned away. Never raises."""
        identity = identity_of(upgrade.path)
        if identity is None:
            return Refused(404, "the path does not end in an identity")
        wait_s = self._throttle.wait_s(upgrade.address, identity, now)
        if self._hooks.too_many(wait_s):
            return Refused(429, "too many failed attempts", identity)
        refused = self._why_not(upgrade, identity)
        if refused is None:
            self._throttle.succeeded(upgrade.address, identity)
            return Admitted(identity)
        self._throttle.failed(upgrade.address, identity, now)
        return refused

    def _why_not(self, upgrade: Upgrade, identity: str) -> Refused | None:
        station = self._enrolled.get(identity)
        if station is None:
            return Refused(404, "not an identity that is known here", identity)
        if not self._hooks.port(station.security_profile, upgrade.security_profile):
            why = f"a station of security profile {station.security_profile} at a port of another"
            return Refused(403, why, identity)
        if upgrade.security_profile == 3:
            reason = self._why_another(upgrade, station)
            return Refused(403, reason, identity) if reason else None
        reason = self._why_unauthorized(upgrade, station)
        return Refused(401, reason, identity) if reason else None

    def _why_another(self, upgrade: Upgrade, station: Enrolled) -> str:
        if self._hooks.revoked(station.identity, self.revoked):
            return "all its certificates are revoked"
        names = self._hooks.names(upgrade)
        return "" if self._hooks.bound(names, station.name) else "the certificate is another's"

    def _why_unauthorized(self, upgrade: Upgrade, station: Enrolled) -> str:
        if station.security_profile == 3:
            # Only where a planted defect has let it come this far.
            return ""
        credentials = basic_credentials(upgrade)
        if credentials is None:
            return "no Basic credentials"
        user, password = credentials
        # Both are looked at always, so that the time taken tells nothing.
        named = self._hooks.user(user, station.identity)
        fits = self._hooks.password(password, station.password_hash)
        if not named:
            return "the Basic user is not the identity"
        return "" if fits else "wrong Basic password"


def identity_of(path: str) -> str | None:
    """The identity at the end of a path, percent-decoded (Part 4 section 3.1.1); None when there is none."""
    last = path.partition("?")[0].rpartition("/")[2]
    try:
        found = unquote(last, errors="strict")
        found.encode()
    except UnicodeError:
        return None
    return found if 0 < len(found) <= MAX_IDENTITY else None


def basic_credentials(upgrade: Upgrade) -> tuple[str, str] | None:
    """User and password of the one Authorization header (RFC 7617), UTF-8; None when there is none to be read."""
    scheme, _, encoded = (upgrade.header("Authorization") or "").partition(" ")
    if scheme.lower() != "basic" or len(encoded) > _MAX_CREDENTIALS:
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    user, colon, password = decoded.partition(":")
    return (user, password) if colon else None
