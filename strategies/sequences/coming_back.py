"""Scenarios of what bears on coming back (B09, B10, A05): variables, the password, the network profile."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.labels import JsonObject
from strategies.moves import Ask, Leave, Move, Pause
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


_PASSWORD = PoolVariable("SecurityCtrlr", "BasicAuthPassword")
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
    return [set_variable(_PASSWORD, value), Pause(GLANCE_S), *tell_status(place)]


@scenario
def password_refused(place: Place) -> Iterable[Move]:
    """Passwords that are too short or too long are refused, and the station comes back with the one it took before (A01)."""
    return [
        set_variable(_PASSWORD, "{secret.password.20}"),
        Pause(GLANCE_S),
        set_variable(_PASSWORD, "{secret.password.12}"),
        set_variable(_PASSWORD, "{secret.password.65}"),
        *reboot(place),
    ]


_LEAST = "OCPPCommCtrlr.RetryBackOffWaitMinimum"
_RANDOM = "OCPPCommCtrlr.RetryBackOffRandomRange"
_LEAST_S = 3
"""A wait that nobody takes for none."""


@scenario
def comes_back_slowly(place: Place) -> Iterable[Move]:
    """The connection is cut, and the station waits before it comes back, as long as it was told to (Part 4 section 5.3)."""
    found = place.variable(_LEAST)
    if found is None:
        return []
    value = str(max(_LEAST_S, int(found.min_limit or 0)))
    moves: list[Move] = [Leave(1006), Pause(GLANCE_S), *tell_status(place)]
    return with_variable(place, _RANDOM, "0", with_variable(place, _LEAST, value, moves))


_PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"
_ACTIVE = PoolVariable("OCPPCommCtrlr", "ActiveNetworkProfile")


@scenario
def weaker_profile(place: Place) -> Iterable[Move]:
    """A network profile without security is to be used, and the station is reset."""
    found, slot = place.variable(_PRIORITY), _free_slot(place)
    if found is None or not slot:
        return []
    return [
        _profile(slot, "ws://127.0.0.1:9/ocpp", security_profile=0),
        set_variable(found, slot),
        get_variable(found),
        *reboot(place),
        get_variable(found),
        set_variable(found, found.value or ""),
    ]


@scenario
def other_profile(place: Place) -> Iterable[Move]:
    """A network profile with another path of ours is used, and then the one from before again (B09, B10)."""
    found, slot = place.variable(_PRIORITY), _free_slot(place)
    level = place.value("SecurityCtrlr.SecurityProfile", "")
    if found is None or not slot or not level.isdecimal():
        return []
    before, read = found.value or "", get_variable(_ACTIVE)
    return [
        Leave(),
        read,
        _profile(slot, "{csms.url}/other", security_profile=int(level)),
        # What worked before comes second, in case that nothing answers at the new address.
        set_variable(found, f"{slot},{before}"),
        *reboot(place),
        read,
        set_variable(found, before),
        *reboot(place),
        read,
    ]


def _free_slot(place: Place) -> str:
    """A slot that is not in use; "" where there is none."""
    found = place.variable(_PRIORITY)
    if found is None:
        return ""
    used = (found.value or "").split(",")
    return next((v for v in found.values if v.isdecimal() and v not in used), "")


def _profile(slot: str, url: str, *, security_profile: int) -> Ask:
    connection: JsonObject = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": url,
        "messageTimeout": 30,
        "securityProfile": security_profile,
        "ocppInterface": "Wired0",
    }
    return Ask("SetNetworkProfile", {"configurationSlot": int(slot), "connectionData": connection})
