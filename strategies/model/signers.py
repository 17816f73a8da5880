"""Which certificates a station takes: of whoever signed firmware (L01), and for itself (A02).

Knows the certificates that scenes hand out, none of whose keys anybody has, and follows where their root is installed.
Must not know any other certificate.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from strategies.labels import JsonValue
from strategies.model.events import Asked, Event, Objection, Told, Weight, member, text
from strategies.model.rule import Rule
from strategies.papers import CHAINED_SIGNER, SIGNER, SIGNING_ROOT, SIGNING_ROOT_HASH
from strategies.primitives import EXPIRED_CERTIFICATE, LAB_ROOT

_TAKEN = frozenset({"Accepted", "AcceptedCanceled"})
_MARK, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_ROOT, _EXPIRED = SIGNING_ROOT.strip(), EXPIRED_CERTIFICATE.strip()
_BELOW_ROOT = frozenset(s.strip() for s in (SIGNER, CHAINED_SIGNER, SIGNING_ROOT))
_OF_OURS = _BELOW_ROOT | {LAB_ROOT.strip(), _EXPIRED}
_OF_SIGNERS = "ManufacturerRootCertificate"
_SHORTEST = 64
"""Characters of base64, and bytes of DER, below which nothing is an X.509 certificate: a key alone is as long."""


class Signers(Rule):
    """Follows the root of our signers, and what is taken from them.

    `_uses` is None while nobody knows where the root is installed: until it was said not to be there, and from when an
    answer left it open.
    """

    def __init__(self, profile: int = 0) -> None:
        """A station with this security profile: below 2 it may know no secure update (L02), which makes less of it."""
        self._firmware = Weight.HIGH if profile >= 2 else Weight.MEDIUM
        self._uses: set[str] | None = None
        self._before: set[str] | None = None

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a certificate that was taken."""
        match event:
            case Told(asked=Asked(action="UpdateFirmware")) if event.status in _TAKEN:
                yield from self._signed(event.asked.payload)
            case Told(asked=Asked(action="CertificateSigned")) if event.status == "Accepted":
                yield from _own(text(event.asked.payload, "certificateChain").strip())
            case Asked(action="InstallCertificate" | "DeleteCertificate") if _about_root(event):
                # It may be done although its answer is lost.
                self._before, self._uses = self._uses, None
            case Told(asked=Asked(action="InstallCertificate")) if _about_root(event.asked):
                self._installed(event)
            case Told(asked=Asked(action="DeleteCertificate")) if _about_root(event.asked):
                self._deleted(event)
            case _:
                pass

    # --- where the root is --------------------------------------------------------------------------------

    def _installed(self, event: Told) -> None:
        self._uses = self._before
        if self._uses is not None and event.status == "Accepted":
            self._uses = self._uses | {text(event.asked.payload, "certificateType")}

    def _deleted(self, event: Told) -> None:
        # Implementation's choice: whether a root that is there for two uses is gone for both.
        one = self._before is not None and len(self._before) <= 1
        if event.status == "NotFound" or (event.status == "Accepted" and one):
            self._uses = set()

    # --- who signed ---------------------------------------------------------------------------------------

    def _signed(self, request: JsonValue) -> Iterator[Objection]:
        signer = member(request, "firmware", "signingCertificate")
        signer = signer.strip() if isinstance(signer, str) else ""
        if not signer:
            # Whether unsigned firmware may be taken at all is disputed (L02).
            return
        if not _may_be_certificate(signer):
            yield self._objection("of a signer without a certificate", "is no certificate")
        elif signer == _EXPIRED:
            yield self._objection("of an expired signer", "expired many years ago")
        elif signer in _BELOW_ROOT and self._uses is not None and _OF_SIGNERS not in self._uses:
            words = f"leads to no {_OF_SIGNERS}: its root is installed for another use, or for none"
            yield self._objection("of an unknown signer", words)

    def _objection(self, name: str, words: str) -> Objection:
        return Objection(
            "L01.FR.21",
            f"firmware {name} accepted",
            f"UpdateFirmware was accepted although its signingCertificate {words}",
            weight=self._firmware,
        )


def _own(chain: str) -> Iterator[Objection]:
    """The certificate of the station itself must be one, and have the station's key: nothing of ours has."""
    if _may_be_certificate(chain) and chain not in _OF_OURS:
        return
    words = "of another key" if chain in _OF_OURS else "that cannot be read"
    yield Objection(
        "A02.FR.06, A02.FR.07",
        f"certificate {words} accepted",
        f"CertificateSigned was accepted with a certificate {words}",
        weight=Weight.HIGH,
    )


def _may_be_certificate(words: str) -> bool:
    """False for what is surely none: too short, or the armour of PEM around next to nothing."""
    if _MARK not in words:
        # Somebody may take base64 without armour.
        return len(words) >= _SHORTEST
    body = "".join(words.partition(_MARK)[2].partition(_END)[0].split())
    try:
        return len(base64.b64decode(body, validate=True)) >= _SHORTEST
    except (binascii.Error, ValueError):
        return True


def _about_root(asked: Asked) -> bool:
    if asked.action == "InstallCertificate":
        return text(asked.payload, "certificate").strip() == _ROOT
    serial = text(asked.payload, "certificateHashData", "serialNumber").lower().lstrip("0")
    return serial == SIGNING_ROOT_HASH["serialNumber"]
