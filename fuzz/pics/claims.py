"""What a Charging Station claims to support and what it denies, in names of actions.

Knows PICS answers, and the controllers of a base report. Must not know what anybody makes of a claim. What no answer
decides is neither claimed nor denied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fuzz.pics.answers import Pics
from strategies.pool import PoolVariable


@dataclass(frozen=True, slots=True)
class Claims:
    """Actions that are claimed to be supported, and those that are denied.

    `Action/Value` is an action asked for one thing, such as `TriggerMessage/MeterValues` or
    `GetBaseReport/SummaryInventory`; only claimed ones are written so. `without` names the certification profiles that
    are denied, for people.
    """

    declared: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Feature:
    """What a certification profile adds to Core (Part 5), and the controller that tells of it in the device model."""

    profile: str
    controller: str
    actions: tuple[str, ...]


_FEATURES = (
    _Feature(
        "Local Authorization List Management",
        "LocalAuthListCtrlr",
        ("GetLocalListVersion", "SendLocalList"),
    ),
    _Feature(
        "Smart Charging",
        "SmartChargingCtrlr",
        (
            *("ClearChargingProfile", "GetChargingProfiles"),
            *("GetCompositeSchedule", "SetChargingProfile"),
        ),
    ),
    _Feature("Reservation", "ReservationCtrlr", ("CancelReservation", "ReserveNow")),
    _Feature(
        "Advanced User Interface",
        "DisplayMessageCtrlr",
        ("ClearDisplayMessage", "GetDisplayMessages", "SetDisplayMessage"),
    ),
    _Feature("Advanced User Interface", "TariffCostCtrlr", ("CostUpdated",)),
    _Feature(
        "Advanced Device Management",
        "MonitoringCtrlr",
        (
            *("ClearVariableMonitoring", "GetMonitoringReport", "SetMonitoringBase"),
            *("SetMonitoringLevel", "SetVariableMonitoring"),
        ),
    ),
)

_ALWAYS: Mapping[str, tuple[str, ...]] = {
    "core": (
        *("ChangeAvailability", "CustomerInformation", "DataTransfer", "DeleteCertificate"),
        *("GetBaseReport", "GetBaseReport/ConfigurationInventory", "GetBaseReport/FullInventory"),
        *("GetInstalledCertificateIds", "GetLog", "GetTransactionStatus", "GetVariables"),
        *("InstallCertificate", "RequestStartTransaction", "RequestStopTransaction", "Reset"),
        *("SetNetworkProfile", "SetVariables", "TriggerMessage", "UpdateFirmware"),
    ),
    "advanced security": ("CertificateSigned",),
}
"""What a profile demands of every station. Not here: GetReport, ClearCache and UnlockConnector, which hang on options."""

_BY_ITEM = {"C-49": "ClearCache", "C-56": "GetBaseReport/SummaryInventory"}


def claims_of(pics: Pics) -> Claims:
    """What a PICS file claims; optional profiles that it does not name are denied."""
    named = {profile.casefold() for profile in pics.certification_profiles}
    has = [f for f in _FEATURES if f.profile.casefold() in named]
    lacks = [f for f in _FEATURES if f not in has]
    always = frozenset(a for profile, of in _ALWAYS.items() if profile in named for a in of)
    items = {action for item, action in _BY_ITEM.items() if pics.items[item]}
    triggers = {f"TriggerMessage/{trigger}" for trigger in pics.triggers}
    return Claims(always | items | triggers | _actions(has), _actions(lacks), _profiles(lacks))


def claims_shown(variables: Iterable[PoolVariable]) -> Claims:
    """What a base report claims: a controller that is there, and one that says it is not available.

    A controller that is not reported decides nothing, and one without a value for Available counts as available.
    """
    seen: dict[str, bool] = {}
    for variable in variables:
        off = (variable.variable.lower(), variable.value) == ("available", "false")
        name = variable.component.lower()
        seen[name] = seen.get(name, True) and not off
    has = [f for f in _FEATURES if seen.get(f.controller.lower())]
    lacks = [f for f in _FEATURES if seen.get(f.controller.lower()) is False]
    return Claims(_actions(has), _actions(lacks), _profiles(lacks))


def _actions(features: Iterable[_Feature]) -> frozenset[str]:
    return frozenset(action for feature in features for action in feature.actions)


def _profiles(features: Iterable[_Feature]) -> tuple[str, ...]:
    return tuple(sorted({feature.profile for feature in features}))
