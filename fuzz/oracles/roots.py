"""What GetInstalledCertificateIds must say (M03): what was installed, by the right hash data, and what was asked for.

Knows the hash data of the roots that are installed in scenes, and nothing of any other. Must not know violations:
`readback` makes them of mismatches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fuzz.ocppj.history import Happening
from fuzz.ocppj.variables import items_of, member_of, text_of
from fuzz.oracles.keeping import READS, CertificateHash, Mismatch, hash_of
from strategies.labels import JsonValue
from strategies.papers import SIGNING_ROOT, SIGNING_ROOT_HASH
from strategies.primitives import LAB_ROOT, LAB_ROOT_HASH

NOT_LISTED = "accepted but not listed"
OTHER_HASHES = "listed by other hash data"
OTHER_TYPE = "listed without being asked for"
NOT_AMONG_ALL = "not in the list of all"
NOT_THERE = "deleted but not there"
CONTRADICTION = "status and list contradict each other"

_CHAIN = "V2GCertificateChain"
_TYPES = frozenset(
    {
        "V2GRootCertificate",
        "MORootCertificate",
        "CSMSRootCertificate",
        "ManufacturerRootCertificate",
        _CHAIN,
    }
)
_KNOWN = {
    text.strip(): hash_of(data)
    for text, data in ((LAB_ROOT, LAB_ROOT_HASH), (SIGNING_ROOT, SIGNING_ROOT_HASH))
}
"""Certificates of ours by their text, and how OCPP calls them: hashes as in RFC 6960, a serial number in hexadecimal."""


@dataclass(slots=True)
class Roots:
    """Roots of ours that were accepted, and which are listed from then on by their hash data (M03, M05.FR.02).

    One that was installed for two uses may be kept for the last one alone (M05.FR.17), as may the last one of a use.
    """

    _held: dict[CertificateHash, str] = field(default_factory=dict)
    """What must be listed, and for which use it was installed."""

    def forget(self) -> None:
        """Nothing is known any more."""
        self._held.clear()

    def take(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """Take note of one exchange; tell a root of ours that is not listed."""
        status = text_of(answer.payload, "status") if answer is not None else "unknown"
        if call.action == "GetInstalledCertificateIds":
            yield from self._list(call.payload, answer)
        elif call.action == "InstallCertificate" and status in ("Accepted", "unknown"):
            self._install(call.payload, accepted=status == "Accepted")
        elif call.action == "DeleteCertificate" and status in ("Accepted", "unknown"):
            self._held.pop(hash_of(member_of(call.payload, "certificateHashData")), None)
        elif call.action not in (*READS, "InstallCertificate", "DeleteCertificate"):
            self.forget()

    def _install(self, payload: JsonValue, *, accepted: bool) -> None:
        use = text_of(payload, "certificateType")
        known = _KNOWN.get(text_of(payload, "certificate").strip())
        self._held = {h: u for h, u in self._held.items() if u != use and h != known}
        if known is not None and accepted:
            self._held[known] = use

    def _list(self, asked: JsonValue, answer: Happening | None) -> Iterator[Mismatch]:
        listed, types = _listed(answer), _types(asked)
        if listed is None or types is None:
            return
        for held, use in self._held.items():
            if (types and use not in types) or any(_fits(held, one) for one, _ in listed):
                continue
            if any(set(held[1:]) & set(one[1:]) for one, _ in listed):
                text = "a root was accepted and is listed with hashes or a serial number that are not its own"
                yield Mismatch(OTHER_HASHES, text, "M03; M05.FR.02")
            else:
                text = "the installation of a root was accepted, and it is not listed"
                yield Mismatch(NOT_LISTED, text, "M03; M05.FR.02")


def _fits(held: CertificateHash, listed: CertificateHash) -> bool:
    """True for the hash data of a certificate; with another algorithm its serial number has to do."""
    return listed[3] == held[3] and (listed[0] != held[0] or listed == held)


@dataclass(slots=True)
class Lists:
    """Lists of certificates: nothing but the types that were asked for, and all of them when none was named (M03.FR.02-04)."""

    _of_types: set[CertificateHash] = field(default_factory=set)
    _all: set[CertificateHash] | None = None
    _serials: set[str] | None = None
    """The serial numbers of all that are listed, below a chain, too, since nothing was installed."""

    def forget(self) -> None:
        """Nothing is known any more."""
        self._of_types.clear()
        self._all = self._serials = None

    def take(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """Take note of one exchange; tell a list that does not fit the request or another list."""
        if call.action == "GetInstalledCertificateIds":
            yield from self._list(call.payload, answer)
        elif call.action not in READS:
            if call.action == "DeleteCertificate" and answer is not None:
                yield from self._deleted(call.payload, answer)
            self.forget()

    def _deleted(self, asked: JsonValue, answer: Happening) -> Iterator[Mismatch]:
        """M04.FR.04: a root of ours that is in no list of all cannot be deleted."""
        wanted = hash_of(member_of(asked, "certificateHashData"))
        gone = self._serials is not None and wanted[3] not in self._serials
        if gone and wanted in _KNOWN.values() and text_of(answer.payload, "status") == "Accepted":
            text = "the deletion of a certificate was accepted that is not among all that are listed just before"
            yield Mismatch(NOT_THERE, text, "M04")

    def _list(self, asked: JsonValue, answer: Happening | None) -> Iterator[Mismatch]:
        listed, types = _listed(answer), _types(asked)
        if answer is None or listed is None or types is None:
            return
        if not types:
            self._serials = {one[3] for one, _ in listed} | _below(answer)
        if (text_of(answer.payload, "status") == "Accepted") != bool(listed):
            text = (
                "certificates are listed with the status NotFound, or none with the status Accepted"
            )
            yield Mismatch(CONTRADICTION, text, "M03.FR.01; M03.FR.02", minor=True)
        if types and any(kind in _TYPES - set(types) for _, kind in listed):
            text = "a certificate is listed that is of none of the types that were asked for"
            yield Mismatch(OTHER_TYPE, text, "M03.FR.03")
        if types:
            # What a chain is listed by is another matter: its certificates may be listed below it (M03.FR.05).
            self._of_types |= {one for one, kind in listed if kind in set(types) - {_CHAIN}}
        else:
            self._all = {one for one, _ in listed}
        if self._all is not None and self._of_types - self._all:
            text = "a certificate is listed by its type, and not when all are asked for"
            yield Mismatch(NOT_AMONG_ALL, text, "M03.FR.04")
            self.forget()


def _below(answer: Happening) -> set[str]:
    """The serial numbers of what is listed below a chain."""
    chains = items_of(answer.payload, "certificateHashDataChain")
    children = (child for c in chains for child in items_of(c, "childCertificateHashData"))
    return {hash_of(child)[3] for child in children}


def _types(asked: JsonValue) -> tuple[str, ...] | None:
    """The types that were asked for, () for all; None for a request that is none."""
    if not isinstance(asked, dict):
        return None
    types = asked.get("certificateType", [])
    if not isinstance(types, list) or ("certificateType" in asked and not types):
        return None
    named = tuple(t for t in types if isinstance(t, str) and t in _TYPES)
    return named if len(named) == len(types) else None


def _listed(answer: Happening | None) -> list[tuple[CertificateHash, str]] | None:
    """What an answer lists with its types, None where it does not tell."""
    status = text_of(answer.payload, "status") if answer is not None else ""
    if answer is None or answer.error_code or status not in ("Accepted", "NotFound"):
        return None
    chains = items_of(answer.payload, "certificateHashDataChain")
    return [(hash_of(c.get("certificateHashData")), text_of(c, "certificateType")) for c in chains]
