"""What a message may leave behind on the target, and which of it a campaign may say (design 2.7, "first, do no harm").

Knows OCPP actions and variables by name; must not know how cases are made or played.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fuzz.records import Ask, Case, Effect, RepeatSteps, SendBytes, SendFrames, SendText, Step
from strategies.labels import JsonValue, spell

_EFFECTS: Mapping[str, Effect] = {
    # Answers only, or messages that follow by themselves.
    "GetVariables": Effect.NONE,
    "GetBaseReport": Effect.NONE,
    "GetReport": Effect.NONE,
    "GetMonitoringReport": Effect.NONE,
    "GetTransactionStatus": Effect.NONE,
    "GetInstalledCertificateIds": Effect.NONE,
    "GetLocalListVersion": Effect.NONE,
    "GetChargingProfiles": Effect.NONE,
    "GetCompositeSchedule": Effect.NONE,
    "GetDisplayMessages": Effect.NONE,
    "Heartbeat": Effect.NONE,
    # Gone by itself.
    "DataTransfer": Effect.VOLATILE,
    "TriggerMessage": Effect.VOLATILE,
    "ClearCache": Effect.VOLATILE,
    "CostUpdated": Effect.VOLATILE,
    "GetLog": Effect.VOLATILE,
    # Outlives the case. A Reset ends running transactions, and on a real station costs a boot each time.
    "Reset": Effect.PERSISTENT,
    "SetVariables": Effect.PERSISTENT,
    "ChangeAvailability": Effect.PERSISTENT,
    "CustomerInformation": Effect.PERSISTENT,
    "SendLocalList": Effect.PERSISTENT,
    "SetDisplayMessage": Effect.PERSISTENT,
    "ClearDisplayMessage": Effect.PERSISTENT,
    "SetMonitoringBase": Effect.PERSISTENT,
    "SetMonitoringLevel": Effect.PERSISTENT,
    "SetVariableMonitoring": Effect.PERSISTENT,
    "ClearVariableMonitoring": Effect.PERSISTENT,
    "ReserveNow": Effect.PERSISTENT,
    "CancelReservation": Effect.PERSISTENT,
    "InstallCertificate": Effect.PERSISTENT,
    "PublishFirmware": Effect.PERSISTENT,
    "UnpublishFirmware": Effect.PERSISTENT,
    # May cut the way back in.
    "SetNetworkProfile": Effect.LOCK_OUT,
    "CertificateSigned": Effect.LOCK_OUT,
    "DeleteCertificate": Effect.LOCK_OUT,
    # Moves current or a lock.
    "RequestStartTransaction": Effect.ENERGISE,
    "RequestStopTransaction": Effect.ENERGISE,
    "SetChargingProfile": Effect.ENERGISE,
    "ClearChargingProfile": Effect.ENERGISE,
    "UnlockConnector": Effect.ENERGISE,
    # Cannot be undone from here.
    "UpdateFirmware": Effect.ONE_WAY,
}

_LOCK_OUT_VARIABLES = frozenset(
    name.lower()
    for name in (
        "BasicAuthPassword",
        "Identity",
        "SecurityProfile",
        "OrganizationName",
        "NetworkConfigurationPriority",
        "NetworkProfileConnectionAttempts",
        "ActiveNetworkProfile",
        "RetryBackOffWaitMinimum",
        "RetryBackOffRandomRange",
        "RetryBackOffRepeatTimes",
        "WebSocketPingInterval",
        "MessageTimeout",
        "OfflineThreshold",
        "NtpSource",
        "NtpServerUri",
        "TimeSource",
    )
)

CREDENTIAL_VARIABLES = frozenset({"basicauthpassword", "identity"})
"""Variables whose new value we need to get in again (A01): asked only when `lock-out` is allowed by name."""

HARMLESS = frozenset({Effect.NONE, Effect.VOLATILE})
"""What may be done to a target that we did not start, unless the configuration allows more."""


def effect_of(action: str, payload: JsonValue = None, *, known: Iterable[str] = ()) -> Effect:
    """The worst that a target could keep of a CALL, whether or not the CALL is valid.

    A lenient target may execute a broken message, so validity does not lessen the effect; but a SetVariables that
    names no component from `known` (lower-case names of the target's own) has nothing to change.
    """
    effect = _EFFECTS.get(action, Effect.VOLATILE)
    if action != "SetVariables" or not isinstance(payload, dict):
        return effect
    names = list(_named(payload))
    if any(variable in _LOCK_OUT_VARIABLES for _, variable in names):
        return Effect.LOCK_OUT
    known_names = {k.lower() for k in known}
    if names and known_names and not any(component in known_names for component, _ in names):
        return Effect.VOLATILE
    return effect


def _named(payload: Mapping[str, JsonValue]) -> Iterable[tuple[str, str]]:
    data = payload.get("setVariableData")
    for item in data if isinstance(data, list) else [data]:
        if not isinstance(item, dict):
            continue
        yield _name(item.get("component")), _name(item.get("variable"))


def _name(value: JsonValue) -> str:
    name = value.get("name") if isinstance(value, dict) else value
    return name.strip().lower() if isinstance(name, str) else ""


_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")
_CREDENTIAL = re.compile(
    rf"(?<![a-z0-9_])(?:{'|'.join(sorted(CREDENTIAL_VARIABLES))})(?![a-z0-9_])"
)


def names_credentials(case: Case) -> bool:
    """True when a case may set a password or an identity."""
    return tells_credentials("".join(_texts(case.steps)))


def tells_credentials(text: str) -> bool:
    """True when a message may set a password or an identity, however it is spelled or broken.

    A lenient target may take even a broken one, and reads escapes and upper case as it likes; so it is enough that the
    words stand somewhere in what is sent.
    """
    plain = text.lower()
    if "\\u" in plain:
        plain = _ESCAPE.sub(lambda m: chr(int(m.group(1), 16)).lower(), plain)
    return "setvariables" in plain and _CREDENTIAL.search(plain) is not None


_OUTLASTING = ("SetNetworkProfile", "GetLog", "UpdateFirmware")
"""What is stored and no message takes away again (B09), and long work that goes on whatever becomes of the connection (L01, N01)."""


def outlasts(case: Case) -> bool:
    """True when a case may leave behind what no end of a connection ends."""
    return any(name in text for text in _texts(case.steps) for name in _OUTLASTING)


def asks_to_reconnect(said: Sequence[str], answers: Iterable[JsonValue]) -> bool:
    """True when a station took a new password or identity: it then hangs up and comes back with it (use case A01)."""
    if not said or not tells_credentials(said[-1]):
        return False
    return any(_takes_one(answer) for answer in answers)


def _takes_one(answer: JsonValue) -> bool:
    results = answer.get("setVariableResult") if isinstance(answer, dict) else None
    return isinstance(results, list) and any(
        isinstance(r, dict) and r.get("attributeStatus") == "Accepted" for r in results
    )


def _texts(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        match step:
            case SendText() | Ask():
                yield spell(step.text)
            case SendBytes() | SendFrames():
                yield step.data.decode("utf-8", "replace")
            case RepeatSteps():
                yield from _texts(step.steps)
            case _:
                pass


def allowed_effects(*, owned: bool, allow: Iterable[str]) -> frozenset[Effect]:
    """The effects that a campaign may cause: all on a target that we started, else harmless ones and `allow`."""
    if owned:
        return frozenset(Effect)
    return HARMLESS | frozenset(Effect(name) for name in allow)
