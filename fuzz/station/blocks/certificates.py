"""Root certificates: which are installed, and installing and deleting them (Part 2, M03 to M05).

Knows the messages; what a proper certificate is, is in `x509`, what is held in `keystore`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fuzz.station.blocks.base import Block, Handler, member, status
from fuzz.station.context import Context
from fuzz.station.events import Failure
from fuzz.station.keystore import CSMS_ROOT, Root
from fuzz.station.x509 import BadCertificate, Certificate, is_signed_by, load_chain, why_no_root
from strategies.labels import JsonObject, JsonValue

# V2G and MO roots are for ISO 15118, which this station does not speak.
_USES = (CSMS_ROOT, "ManufacturerRootCertificate")


class CertificatesBlock(Block):
    """Lists, installs and deletes roots, and moves from one CSMS root to the next (M05.FR.09 to FR.16)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._entries = context.model.named("SecurityCtrlr", "CertificateEntries")
        context.model.live[self._entries.key] = lambda: str(len(context.keys.roots))

    def handlers(self) -> Mapping[str, Handler]:
        """Answers GetInstalledCertificateIds, InstallCertificate and DeleteCertificate."""
        return {
            "GetInstalledCertificateIds": self._list,
            "InstallCertificate": self._install,
            "DeleteCertificate": self._delete,
        }

    def power_on(self) -> None:
        """The newest CSMS root is tried first."""
        self.context.keys.back_to_replaced = False

    def connected(self, offline_s: float) -> None:
        """A CSMS root that a connection was made with replaces the old one for good."""
        keys = self.context.keys
        trusted = self.context.dialling.choice.profile.security_profile >= 2
        if trusted and keys.replaced is not None and not keys.back_to_replaced:
            keys.remove(CSMS_ROOT, keys.replaced)
            self._changed("the former CSMS root is gone")

    def disconnected(self) -> None:
        """The newest CSMS root is tried again."""
        self.context.keys.back_to_replaced = False

    def failed(self, failure: Failure) -> None:
        """The other CSMS root is tried next, while one replaces another."""
        keys = self.context.keys
        if failure is Failure.CSMS_CERTIFICATE:
            keys.back_to_replaced = keys.replaced is not None and not keys.back_to_replaced

    def lasting(self) -> JsonObject:
        """All certificates and private keys, PEM."""
        return {"credentials": self.context.keys.lasting()}

    def restore(self, lasting: Mapping[str, JsonValue]) -> None:
        """Takes over all certificates and keys."""
        credentials = lasting.get("credentials")
        self.context.keys.restore(credentials if isinstance(credentials, dict) else {})

    # --- GetInstalledCertificateIds -----------------------------------------------------------------------

    def _list(self, request: JsonObject) -> JsonObject:
        asked = request.get("certificateType")
        found: list[JsonValue] = [
            {"certificateType": root.use, "certificateHashData": root.hash_data()}
            for root in self.context.keys.roots
            if not isinstance(asked, list) or root.use in asked  # M03.FR.04
        ]
        if not found:
            return status("NotFound")  # M03.FR.02
        return {"status": "Accepted", "certificateHashDataChain": found}

    # --- InstallCertificate -------------------------------------------------------------------------------

    def _install(self, request: JsonObject) -> JsonObject:
        use = str(request["certificateType"])
        if use not in _USES:
            return status("Rejected", "UnsupportedParam")
        try:
            return self._install_root(use, str(request["certificate"]))
        except BadCertificate:
            return status("Rejected", "InvalidCertificate")  # M05.FR.07

    def _install_root(self, use: str, pem: str) -> JsonObject:
        keys, chain = self.context.keys, load_chain(pem)
        root = chain[0]
        issuer = self._issuer_of(root)
        if len(chain) > 1 or issuer is None or why_no_root(root, self.context.moment()):
            return status("Rejected", "InvalidCertificate")
        if keys.holds(use, root):
            return status("Accepted")  # M05.FR.17
        replaced = self._to_replace(use)
        if replaced is not None and not is_signed_by(root, replaced):
            return status("Rejected", "InvalidCertificate")  # M05.FR.10
        if len(keys.roots) >= (self._entries.maximum or 0):
            return status("Rejected", "OutOfStorage")  # M05.FR.06
        if replaced is not None:
            self._begin_replacing(replaced)
        keys.install(use, root, issuer)
        self._changed(f"{use} installed")
        return status("Accepted")

    @property
    def _checks_additional_roots(self) -> bool:
        return self.context.value("SecurityCtrlr", "AdditionalRootCertificateCheck") == "true"

    def _issuer_of(self, root: Certificate) -> Certificate | None:
        """Who signed a root: itself, and another one only where one root replaces another (AS-2)."""
        issuer = self.context.keys.issuer_of(root)
        return issuer if issuer == root or self._checks_additional_roots else None

    def _to_replace(self, use: str) -> Certificate | None:
        """The CSMS root that must have signed the new one: there may be one alone (M05.FR.09)."""
        if use != CSMS_ROOT or not self._checks_additional_roots:
            return None
        keys = self.context.keys
        return keys.replaced or next(reversed(keys.of(CSMS_ROOT)), None)

    def _begin_replacing(self, replaced: Certificate) -> None:
        keys = self.context.keys
        for other in keys.of(CSMS_ROOT):
            if other != replaced:  # never proven, so that nothing is lost with it
                keys.remove(CSMS_ROOT, other)
        keys.replaced, keys.back_to_replaced = replaced, False

    # --- DeleteCertificate --------------------------------------------------------------------------------

    def _delete(self, request: JsonObject) -> JsonObject:
        keys, asked = self.context.keys, member(request, "certificateHashData")
        found = keys.find(asked)
        if not found:
            # M04.FR.06 (AQ-3): the station's own certificate stays.
            return status("Failed" if keys.is_own(asked) else "NotFound")
        if not self.can_spare(found):
            return status("Failed")
        for root in found:
            keys.remove(root.use, root.certificate)
        self._changed("root deleted")
        return status("Accepted")

    def can_spare(self, found: Sequence[Root]) -> bool:
        """Whether a CSMS can still be known without these roots, or need not be (AQ-1)."""
        roots = self.context.keys.of(CSMS_ROOT)
        last = any(root.use == CSMS_ROOT for root in found) and len(roots) == 1
        return not last or self.context.pics.items.get("AQ-1", False)

    def _changed(self, what: str) -> None:
        self.context.dirty = True
        self.context.security_event("ReconfigurationOfSecurityParameters", what)
