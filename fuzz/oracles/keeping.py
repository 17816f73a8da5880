"""What a target must hold after what it answered: variables, certificates, how many there are, and the local list, one follower each.

Knows what statuses promise about later readings. Must not know violations: `readback` makes them of mismatches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from fuzz.ocppj.history import Happening
from fuzz.ocppj.variables import (
    describe,
    folded,
    items_of,
    member_of,
    named,
    number_of,
    text_of,
)
from fuzz.oracles.values import same_value
from strategies.labels import JsonObject, JsonValue

READS = frozenset(
    {
        "GetVariables",
        "GetBaseReport",
        "GetReport",
        "GetMonitoringReport",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetTransactionStatus",
        "GetCompositeSchedule",
        "GetChargingProfiles",
        "GetDisplayMessages",
    }
)
"""CALLs that change nothing."""

NOT_KEPT = "accepted but not stored"
COERCED = "accepted but stored otherwise"
REFUSED = "refused but changed"
OTHER = "something else changed"
COUNTED = "deleted and still counted"
UNKNOWN = "listed but not known"
_SHOWN = 60
_ROOT = "RootCertificate"
_ENTRIES = "securityctrlr.certificateentries"
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One reading that does not fit what was answered before; a `minor` one misleads nobody."""

    symptom: str
    text: str
    clause: str
    minor: bool = False


# --- variables ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Held:
    """One attribute since it was last read: what it must hold now, None where that is not known.

    `before` is what was read, `asked` what was accepted since, `refused` what was not, `others` whether anything else
    was written.
    """

    value: str | None
    before: str | None
    asked: str | None = None
    refused: list[str] = field(default_factory=list)
    others: bool = False


_Attribute = tuple[object, ...]


@dataclass(slots=True)
class Variables:
    """Attributes of variables, written by SetVariables and read by GetVariables (B05, B06)."""

    volatile: frozenset[str]
    _held: dict[_Attribute, _Held] = field(default_factory=dict)

    def forget(self) -> None:
        """Nothing is known any more."""
        self._held.clear()

    def take(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """Take note of one exchange; tell the readings that do not fit."""
        if call.action == "SetVariables":
            self._written(call.payload, answer)
        elif call.action == "GetVariables":
            for item in items_of(answer.payload if answer else None, "getVariableResult"):
                yield from self._read(item)
        elif call.action not in READS:
            self.forget()

    def _written(self, payload: JsonValue, answer: Happening | None) -> None:
        items = items_of(payload, "setVariableData")
        names = [_attribute(item) for item in items]
        told = _statuses(names, answer)
        for name, held in self._held.items():
            held.others = held.others or any(name != n for n in names)
        for name, item in zip(names, items, strict=True):
            status = told.get(name) if names.count(name) == 1 else None
            asked = text_of(item, "attributeValue")
            if name in self._held:
                _write(self._held[name], asked, status)
            elif status == "Accepted":
                self._held[name] = _Held(asked, None, asked=asked)

    def _read(self, item: JsonObject) -> Iterator[Mismatch]:
        value = item.get("attributeValue")
        if item.get("attributeStatus") != "Accepted" or not isinstance(value, str):
            return
        name = _attribute(item)
        held = self._held.get(name)
        self._held[name] = _Held(value, value)
        if held is None or held.value is None or same_value(held.value, value):
            return
        what = describe(named(item))
        if what.lower() not in self.volatile:
            yield from _unlike(what, held, value)


def _attribute(item: JsonObject) -> _Attribute:
    return (*folded(item), text_of(item, "attributeType") or "Actual")


def _statuses(names: list[_Attribute], answer: Happening | None) -> dict[_Attribute, str]:
    """The status of every attribute that the answer decides; a CALLERROR refuses all."""
    if answer is not None and answer.error_code:
        return dict.fromkeys(names, answer.error_code)
    results = items_of(answer.payload if answer else None, "setVariableResult")
    return {_attribute(r): text_of(r, "attributeStatus") for r in results}


def _write(held: _Held, asked: str, status: str | None) -> None:
    if status is None or status == "RebootRequired":
        # Without an answer, or until the next boot, either value may be told.
        held.value = None
    elif status == "Accepted":
        held.value = held.asked = asked
    else:
        held.refused.append(asked)


def _unlike(what: str, held: _Held, value: str) -> Iterator[Mismatch]:
    if held.asked is None:
        if held.refused:
            text = f"{what} = {_short(held.refused[-1])} was refused"
            yield Mismatch(REFUSED, f"{text}, and now it is {_short(value)}", "B05; B06")
        elif held.others:
            text = f"{what} is {_short(value)} since something else was set"
            yield Mismatch(OTHER, text, "B05; B06")
        return
    if any(same_value(refused, value) for refused in held.refused):
        symptom = REFUSED
    else:
        old = held.before is not None and same_value(held.before, value)
        symptom = NOT_KEPT if old else COERCED
    text = f"{what} = {_short(held.asked)} was accepted, and now it is {_short(value)}"
    yield Mismatch(symptom, text, "B05; B06")


def _short(value: str) -> str:
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")


# --- certificates ------------------------------------------------------------------------------------------

CertificateHash: TypeAlias = tuple[str, str, str, str]
"""The algorithm, the hashes of the issuer's name and key, and the serial number."""


@dataclass(slots=True)
class Certificates:
    """Installed certificates, listed by GetInstalledCertificateIds (M03, M04, M05).

    Lists are compared only where the same types were asked for. An accepted installation may replace what was there
    (M05.FR.17), so nothing is said of what it adds or takes away.
    """

    _listed: dict[tuple[str, ...], frozenset[CertificateHash]] = field(default_factory=dict)
    _deleted: list[CertificateHash] = field(default_factory=list)
    _refused: bool = False

    def forget(self) -> None:
        """Nothing is known any more."""
        self._listed.clear()
        self._deleted.clear()
        self._refused = False

    def take(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """Take note of one exchange; tell the lists that do not fit."""
        if call.action == "GetInstalledCertificateIds":
            yield from self._list(call.payload, answer)
        elif call.action in ("InstallCertificate", "DeleteCertificate"):
            yield from self._unknown(call, answer)
            self._change(call, answer)
        elif call.action not in READS and call.action != "SetVariables":
            self.forget()

    def _unknown(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """A root that was listed last, and that nobody has deleted since, is known by its hash data (M04.FR.02).

        The station's own certificates may be listed and nothing that can be deleted (M04.FR.06).
        """
        if call.action != "DeleteCertificate" or answer is None:
            return
        asked = hash_of(member_of(call.payload, "certificateHashData"))
        listed = any(
            asked in found
            for types, found in self._listed.items()
            if types and all(type_.endswith(_ROOT) for type_ in types)
        )
        if listed and not self._deleted and text_of(answer.payload, "status") == "NotFound":
            text = "DeleteCertificate does not know a certificate that was listed just before"
            yield Mismatch(UNKNOWN, text, "M04.FR.02")

    def _change(self, call: Happening, answer: Happening | None) -> None:
        status = text_of(answer.payload, "status") if answer is not None else "unknown"
        if status not in ("Accepted", "unknown"):
            self._refused = True
        elif call.action == "DeleteCertificate" and status == "Accepted":
            data = call.payload.get("certificateHashData") if isinstance(call.payload, dict) else {}
            self._deleted.append(hash_of(data))
        else:
            self.forget()

    def _list(self, asked: JsonValue, answer: Happening | None) -> Iterator[Mismatch]:
        now = _hashes(answer)
        types = asked.get("certificateType") if isinstance(asked, dict) else None
        which = tuple(sorted(str(t) for t in types)) if isinstance(types, list) else ()
        before = self._listed.get(which)
        if before is not None and now is not None:
            yield from self._compare(before, now)
        if now is not None:
            self._listed = {which: now}
            self._deleted, self._refused = [], False

    def _compare(
        self, before: frozenset[CertificateHash], now: frozenset[CertificateHash]
    ) -> Iterator[Mismatch]:
        if not self._deleted and not self._refused:
            return
        if before - now - set(self._deleted):
            symptom = OTHER if self._deleted else REFUSED
            yield Mismatch(symptom, "a certificate is gone that nobody was told is deleted", "M04")
        if now - before:
            yield Mismatch(REFUSED, "a certificate is listed that was refused", "M05.FR.07")
        if now & before & set(self._deleted):
            text = "the deletion of a certificate was accepted, and it is still listed"
            yield Mismatch(NOT_KEPT, text, "M04.FR.01")


def _hashes(answer: Happening | None) -> frozenset[CertificateHash] | None:
    """What an answer lists, None where it does not tell."""
    status = text_of(answer.payload, "status") if answer is not None else ""
    if answer is None or status not in ("Accepted", "NotFound"):
        return None
    chains = items_of(answer.payload, "certificateHashDataChain")
    return frozenset(hash_of(chain.get("certificateHashData")) for chain in chains)


def hash_of(data: JsonValue) -> CertificateHash:
    """CertificateHashDataType as it can be compared: in lower case, the serial number without leading zeros."""
    names = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
    first, second, third, fourth = (text_of(data, name).lower() for name in names)
    return first, second, third, fourth.lstrip("0")


# --- how many certificates there are ------------------------------------------------------------------------


@dataclass(slots=True)
class Entries:
    """SecurityCtrlr.CertificateEntries, how many certificates are installed: not more after what came has gone again.

    Fewer are nobody's fault: one that was installed may have been there before, and is deleted all the same.
    """

    _count: int | None = None
    _balance: int = 0

    def forget(self) -> None:
        """Nothing is known any more."""
        self._count, self._balance = None, 0

    def take(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """Take note of one exchange; tell a number that grew although nothing came to stay."""
        status = text_of(answer.payload, "status") if answer is not None else "unknown"
        if call.action == "InstallCertificate":
            self._balance += status in ("Accepted", "unknown")
        elif call.action == "DeleteCertificate":
            self._balance -= status == "Accepted"
        elif call.action == "GetVariables":
            yield from self._read(answer)
        elif call.action not in READS and call.action != "SetVariables":
            self.forget()

    def _read(self, answer: Happening | None) -> Iterator[Mismatch]:
        now = _entries(answer)
        if now is None:
            return
        before, grown = self._count, self._balance
        if before is not None and now > before and grown <= 0:
            text = f"CertificateEntries says {now}, it said {before}, and nothing was installed that was not deleted"
            yield Mismatch(COUNTED, text, "M04")
        self._count, self._balance = now, 0


def _entries(answer: Happening | None) -> int | None:
    for item in items_of(answer.payload if answer is not None else None, "getVariableResult"):
        value = text_of(item, "attributeValue")
        if describe(item).lower() == _ENTRIES and value.isdecimal() and len(value) < _DIGITS:
            return int(value)
    return None


# --- the local authorization list --------------------------------------------------------------------------


@dataclass(slots=True)
class LocalList:
    """The version of the local authorization list (D01, D02)."""

    _version: int | None = None
    _refused: bool = False
    _accepted: bool = False

    def forget(self) -> None:
        """Nothing is known any more."""
        self._version, self._refused, self._accepted = None, False, False

    def take(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """Take note of one exchange; tell a version that does not fit."""
        if call.action == "SendLocalList":
            self._sent(call.payload, answer)
        elif call.action == "GetLocalListVersion":
            yield from self._told(None if answer is None else answer.payload)
        elif call.action not in READS:
            # Switched off by a variable, the list has no version.
            self.forget()

    def _sent(self, payload: JsonValue, answer: Happening | None) -> None:
        if answer is None:
            self.forget()
        elif text_of(answer.payload, "status") != "Accepted":
            self._refused = True
        elif isinstance(payload, dict) and payload.get("localAuthorizationList"):
            self._version = number_of(payload, "versionNumber")
            self._accepted = True
        else:
            # An empty list may count as none, whose version is 0.
            self.forget()

    def _told(self, payload: JsonValue) -> Iterator[Mismatch]:
        version, wanted = number_of(payload, "versionNumber"), self._version
        if version is not None and wanted is not None and version != wanted:
            text = f"the local list has version {version}, the last accepted one was {wanted}"
            if self._accepted:
                yield Mismatch(NOT_KEPT, text, "D01; D02.FR.01")
            elif self._refused:
                yield Mismatch(REFUSED, text, "D01; D02.FR.01")
        self.forget()
        self._version = version
