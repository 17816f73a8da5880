"""Is the CSMS told of critical security events, by their right names and not over and over (O25)?

Knows which events are critical and what raises them (Part 2 appendix 1). Must not judge what raised them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.oracles.reading import happened, scene
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, Heard, Observation, Severity, Side, Violation
from strategies.labels import JsonValue

_TOLD_BY = "SecurityEventNotification"
_WAITED_S = 10.0
_MANY = 5
_MANY_S = 2.0

_LISTED = (
    "FirmwareUpdated",
    "FailedToAuthenticateAtCsms",
    "CsmsFailedToAuthenticate",
    "SettingSystemTime",
    "StartupOfTheDevice",
    "ResetOrReboot",
    "SecurityLogWasCleared",
    "ReconfigurationOfSecurityParameters",
    "MemoryExhaustion",
    "InvalidMessages",
    "AttemptedReplayAttacks",
    "TamperDetectionActivated",
    "InvalidFirmwareSignature",
    "InvalidFirmwareSigningCertificate",
    "InvalidCsmsCertificate",
    "InvalidChargingStationCertificate",
    "InvalidTLSVersion",
    "InvalidTLSCipherSuite",
    "MaintenanceLoginAccepted",
    "MaintenanceLoginFailed",
)
"""The names of the specification."""


def _skeleton(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


_BY_SKELETON = {_skeleton(name): name for name in _LISTED}

_NOT_CRITICAL = frozenset(
    {
        "FailedToAuthenticateAtCsms",
        "CsmsFailedToAuthenticate",
        "ReconfigurationOfSecurityParameters",
        "InvalidMessages",
        "AttemptedReplayAttacks",
    }
)
"""Listed events that a station need not tell, and may forget (Part 2 appendix 1)."""

_STARTED = ("StartupOfTheDevice", "ResetOrReboot")
_OTHER_REASONS = frozenset(
    {"TooLargeElement", "UnsupportedParam", "UnsupportedRequest", "NotEnabled", "NotFound"}
)
"""Why a certificate may be refused that is not itself bad (Part 2 appendix 5)."""


@dataclass(frozen=True, slots=True)
class _Due:
    """One of `types` is due since the happening at `index`, and counts from `since` on; `clause` wants it."""

    index: int
    since: int
    types: tuple[str, ...]
    clause: str


@oracle("O25", name="security-events", clause="Part 2 A04.FR.01", cwe="CWE-778")
def security_events(obs: Observation) -> Iterator[Violation]:
    """What is critical for security is told to the CSMS, under the name that the specification gives it.

    A start, a firmware that is not what it says, a certificate that is not the station's, somebody at the lock: each is
    told by SecurityEventNotification (A04.FR.01). It is missed only where the scene waited for it in vain, or ten seconds,
    on a connection that held or on the next one, after an accepted boot, and with none of the station's CALLs left
    unanswered. One that nobody confirmed before its connection ended is told again on the next one (A04.FR.02). A listed
    event has its listed name, letter by letter. More than five of one type within two seconds, beyond what we and the
    operator did and apart from what waited for a connection, are a flood in which the one that matters is lost.

    Seen: an event that was missing, then had the wrong name, then was raised at every failed connection
    (https://github.com/EVerest/libocpp/commit/2613d60).

    Fix: raise the event where the thing is found out, queue it, and tell a repeated one once.
    """
    told = [h for h in obs.calls if h.action == _TOLD_BY]
    if told:
        yield from _misspelt(told)
        if len(told) > _MANY:
            yield from _flood(happened(obs))
    seen = scene(obs)
    if seen is not None and obs.facts.side is Side.STATION:
        yield from _missing(seen)


def _misspelt(told: list[Heard]) -> Iterator[Violation]:
    names = {_member(h.payload, "type") for h in told}
    for name in sorted(n for n in names if isinstance(n, str) and n not in _LISTED):
        listed = _BY_SKELETON.get(_skeleton(name))
        if listed is not None:
            text = f"{listed} is told under a name that is not spelt like that"
            yield violation(
                "O25", Basis.SHALL, Severity.LOW, f"{listed} misspelt", text, cwe="CWE-573"
            )


# --- floods -------------------------------------------------------------------------------------------------


def _flood(seen: History) -> Iterator[Violation]:
    """Answered events of one type; what waited for a connection may come all at once."""
    told: dict[JsonValue, list[Happening]] = {}
    excuses, steady_s = 0, 0.0
    for h in seen:
        if h.deed is Deed.OPENED:
            steady_s = h.at_s + _MANY_S
        elif h.case or h.deed is Deed.OPERATED:
            excuses += 1
        elif h.deed is Deed.CALLED and h.action == _TOLD_BY and h.partner >= 0:
            type_ = _member(h.payload, "type")
            if not isinstance(type_, str) or h.at_s < steady_s:
                continue
            now = told.setdefault(type_, [])
            now.append(h)
            least = _MANY + excuses
            if len(now) > least and h.at_s - now[-least - 1].at_s <= _MANY_S:
                name = type_ if type_ in _LISTED else "an event"
                text = f"{name} was told more than {least} times within {_MANY_S:g} s"
                yield violation(
                    "O25",
                    Basis.HARDENING,
                    Severity.MEDIUM,
                    f"flood of {name}",
                    text,
                    cwe="CWE-799",
                )
                return


# --- what is missing ----------------------------------------------------------------------------------------


def _missing(seen: History) -> Iterator[Violation]:
    named: set[tuple[str, ...]] = set()
    for due in _dues(seen):
        if due.types not in named and not _came(seen, due) and _waited(seen, due):
            named.add(due.types)
            wanted = " or ".join(due.types)
            yield violation(
                "O25",
                Basis.SHALL,
                Severity.MEDIUM,
                f"no {wanted}",
                f"the station told nothing of {wanted}",
                clause=due.clause,
            )


def _dues(seen: History) -> Iterator[_Due]:
    restarted, signed = -1, False
    for index, h in enumerate(seen):
        status = _member(h.payload, "status")
        match h.deed, h.action:
            case Deed.OPERATED, _:
                yield from _operated(index, h)
                restarted = index if h.text.startswith("power-cycle") else restarted
            case Deed.TOLD, "Reset" if status in ("Accepted", "Scheduled"):
                restarted = index
            case Deed.TOLD, "UpdateFirmware" if status == "InvalidCertificate":
                wanted = ("InvalidFirmwareSigningCertificate",)
                yield _Due(index, h.partner, wanted, "Part 2 L01.FR.02")
            case Deed.TOLD, "CertificateSigned" if status == "Rejected" and signed:
                if _certificate_is_bad(seen, h):
                    wanted = ("InvalidChargingStationCertificate",)
                    yield _Due(index, h.partner, wanted, "Part 2 A02.FR.07")
            case Deed.ANSWERED, "SignCertificate" if status == "Accepted":
                signed = True
            case Deed.ANSWERED, "BootNotification" if status == "Accepted" and restarted >= 0:
                yield _Due(index, restarted, _STARTED, "Part 2 A04.FR.01")
                restarted = -1
            case Deed.CALLED, "SecurityEventNotification" if h.partner < 0:
                yield from _unconfirmed(seen, index, h)
            case Deed.CALLED, "FirmwareStatusNotification" if status in _FIRMWARE:
                type_, clause = _FIRMWARE[status]
                yield _Due(index, 0, (type_,), clause)
            case _:
                pass


_FIRMWARE: dict[JsonValue, tuple[str, str]] = {
    "InvalidSignature": ("InvalidFirmwareSignature", "Part 2 L01.FR.03"),
    "Installed": ("FirmwareUpdated", "Part 2 L01.FR.31"),
}


def _operated(index: int, h: Happening) -> Iterator[_Due]:
    match h.text.split():
        case ["tamper", *_]:
            yield _Due(index, index, ("TamperDetectionActivated",), "Part 2 A04.FR.01")
        case ["login", *_]:
            yield _Due(index, index, ("MaintenanceLoginAccepted",), "Part 2 A04.FR.01")
        case ["failed-login", *_]:
            yield _Due(index, index, ("MaintenanceLoginFailed",), "Part 2 A04.FR.01")
        case _:
            pass


def _unconfirmed(seen: History, index: int, h: Happening) -> Iterator[_Due]:
    """What was told and not confirmed before its connection ended is told again on the next one."""
    type_ = _member(h.payload, "type")
    ended = any(later.deed is Deed.CLOSED for later in seen.happenings[index:])
    if ended and isinstance(type_, str) and type_ in frozenset(_LISTED) - _NOT_CRITICAL:
        yield _Due(index, index + 1, (type_,), "Part 2 A04.FR.02")


def _certificate_is_bad(seen: History, h: Happening) -> bool:
    """True when a certificate of the station that it had asked for was refused, and not for its size or kind."""
    asked = seen.partner(h)
    kind = _member(asked.payload if asked else None, "certificateType")
    info = _member(h.payload, "statusInfo")
    reason = _member(info, "reasonCode")
    return kind in (None, "ChargingStationCertificate") and reason not in _OTHER_REASONS


def _came(seen: History, due: _Due) -> bool:
    return any(
        h.deed is Deed.CALLED and h.action == _TOLD_BY and _member(h.payload, "type") in due.types
        for h in seen.happenings[due.since :]
    )


def _waited(seen: History, due: _Due) -> bool:
    """Whether the station could have told it, and there was time enough; after a lost connection, on the next one (A04.FR.02)."""
    after = seen.happenings[due.index :]
    last = next((h for h in reversed(seen.happenings) if _breaks(h)), None)
    if last is not None and last.deed is not Deed.OPENED:
        return False
    breaks = [i for i, h in enumerate(after) if i and _breaks(h)]
    connected = after[breaks[-1] :] if breaks else after
    if any(_ends_it(h) for h in after[1:]) or any(_holds_up(h) for h in connected[1:]):
        return False
    in_vain = any(
        h.deed is Deed.OTHER and h.text.endswith(f"in vain for {_TOLD_BY}") for h in connected
    )
    long_enough = connected[-1].at_s - connected[0].at_s >= _WAITED_S
    # What a station does first on a new connection, and for how long, is its own choice unless somebody waited for this.
    return in_vain and long_enough if breaks else in_vain or long_enough


def _breaks(h: Happening) -> bool:
    cut = h.deed is Deed.OPERATED and h.text.startswith(("cut-network", "restore-network"))
    return cut or h.deed in (Deed.CLOSED, Deed.OPENED)


def _ends_it(h: Happening) -> bool:
    return h.deed is Deed.ENDED or (h.deed is Deed.OPERATED and h.text.startswith("power-cycle"))


def _holds_up(h: Happening) -> bool:
    """A boot that has still to be accepted, or a CALL that nobody answered."""
    refused = h.action == "BootNotification" and h.deed in (Deed.CALLED, Deed.ANSWERED)
    return refused or (h.deed is Deed.CALLED and h.partner < 0)


def _member(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, dict) else None
