"""Scenarios of what bears on coming back (B09, B10, A05): variables, the password, the network profile."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.labels import JsonObject
from strategies.moves import Ask, Move, Pause
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenario, scenarios_over
from strategies.sequences.steps import (
    GLANCE_S,
    get_variable,
    other_values,
    reboot,
    set_variable,
    tell_status,
    with_variable,
)

_BACK = (
    "OCPPCommCtrlr.NetworkConfigurationPriority",
    "OCPPCommCtrlr.NetworkProfileConnectionAttempts",
    "OCPPCommCtrlr.RetryBackOffWaitMinimum",
    "OCPPCommCtrlr.RetryBackOffRandomRange",
    "OCPPCommCtrlr.RetryBackOffRepeatTimes",
    "OCPPCommCtrlr.WebSocketPingInterval",
    "OCPPCommCtrlr.HeartbeatInterval",
    "OCPPCommCtrlr.OfflineThreshold",
    "OCPPCommCtrlr.MessageTimeout/Default",
    "OCPPCommCtrlr.ResetRetries",
    "ClockCtrlr.TimeSource",
    "ClockCtrlr.NtpSource",
    "ClockCtrlr.TimeZone",
    "AuthCtrlr.Enabled",
    "TxCtrlr.EVConnectionTimeOut",
)


@scenarios_over
def changed_over_a_reset(place: Place) -> Iterable[tuple[str, Script]]:
    """A variable that bears on coming back is changed, read back, and read again after a reset."""
    for name in _BACK:
        found = place.variable(name)
        for value in () if found is None else other_values(found):
            yield f"{name}={value}", partial(_changed, name, value)


def _changed(name: str, value: str, place: Place) -> list[Move]:
    found = place.variable(name)
    assert found is not None
    read = get_variable(found)
    moves: list[Move] = [read, *reboot(place), read]
    return [*with_variable(place, name, value, moves), read]


_PASSWORDS = {
    "longest-with-every-sign": "{secret.password.16}*-_=:+|@.{secret.password.15}",
    "longest": "{secret.password.40}",
    "with-a-colon": "{secret.password.10}:{secret.password.11}",
}
"""Passwords that any station must take: 16 to 40 letters, digits and these signs (A01.FR.10, passwordString).

All that is odd comes at once first; the others tell which of it was too much.
"""


@scenarios_over
def password_changed(place: Place) -> Iterable[tuple[str, Script]]:
    """The password of Basic authentication is changed, and the station comes back with the new one."""
    for name, value in _PASSWORDS.items():
        yield name, partial(_password_changed, value)


def _password_changed(value: str, place: Place) -> list[Move]:
    password = PoolVariable("SecurityCtrlr", "BasicAuthPassword")
    return [set_variable(password, value), Pause(GLANCE_S), *tell_status(place)]


@scenario
def weaker_profile(place: Place) -> Iterable[Move]:
    """A network profile without security is to be used, and the station is reset."""
    found = place.variable("OCPPCommCtrlr.NetworkConfigurationPriority")
    free = [v for v in (found.values if found is not None else ()) if v.isdecimal()]
    slots = [v for v in free if found is not None and v not in (found.value or "").split(",")]
    if found is None or not slots:
        return []
    connection: JsonObject = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "ws://127.0.0.1:9/ocpp",
        "messageTimeout": 30,
        "securityProfile": 0,
        "ocppInterface": "Wired0",
    }
    slot: JsonObject = {"configurationSlot": int(slots[0]), "connectionData": connection}
    return [
        Ask("SetNetworkProfile", slot),
        set_variable(found, slots[0]),
        get_variable(found),
        *reboot(place),
        get_variable(found),
        set_variable(found, found.value or ""),
    ]
