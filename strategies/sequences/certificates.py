"""Scenarios of certificate renewal (A02, A03), in which no certificate ever comes."""

from __future__ import annotations

from collections.abc import Iterable

from strategies.labels import JsonObject
from strategies.moves import Answer, Ask, Await, Move, Pause
from strategies.pool import PoolVariable
from strategies.primitives import EXPIRED_CERTIFICATE, LAB_ROOT, LAB_ROOT_HASH
from strategies.sequences.place import Place
from strategies.sequences.registry import late_scenario, scenario
from strategies.sequences.steps import (
    GLANCE_S,
    SIGN,
    get_variable,
    reboot,
    tell_status,
    with_variable,
)

_KIND = "ManufacturerRootCertificate"


def _asked_to_sign(place: Place) -> Await:
    return Await("SignCertificate", timeout_s=place.prompt_s)


def _signed(chain: str) -> Ask:
    return Ask(
        "CertificateSigned",
        {"certificateChain": chain, "certificateType": "ChargingStationCertificate"},
    )


@scenario
def certificate_renewal(place: Place) -> Iterable[Move]:
    """A new certificate is asked for and something else comes back, and nothing was asked for before."""
    return [
        _signed("no certificate"),
        Answer("SignCertificate", {"status": "Accepted"}),
        SIGN,
        _asked_to_sign(place),
        _signed("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        _signed("no certificate"),
        _signed(EXPIRED_CERTIFICATE),
        _signed(LAB_ROOT),
        *tell_status(place),
    ]


@scenario
def certificate_never_comes(place: Place) -> Iterable[Move]:
    """A new certificate is promised and does not come: the station waits before it asks again (A02.FR.17)."""
    promised: list[Move] = [Answer("SignCertificate", {"status": "Accepted"})] * 6
    return [*promised, SIGN, _asked_to_sign(place), Pause(4.0)]


@scenario
def certificate_refused(place: Place) -> Iterable[Move]:
    """A new certificate is refused, by an answer and by a CALLERROR, and asked for again."""
    return [
        SIGN,
        _asked_to_sign(place),
        Answer("SignCertificate", error="InternalError"),
        SIGN,
        _asked_to_sign(place),
        SIGN,
        _asked_to_sign(place),
    ]


@scenario
def certificate_for_nobody(place: Place) -> Iterable[Move]:
    """A new certificate is asked for without an OrganizationName, and again with it."""
    without: list[Move] = [SIGN, Pause(GLANCE_S)]
    changed = list(with_variable(place, "SecurityCtrlr.OrganizationName", "", without))
    return (
        [*changed, SIGN, _asked_to_sign(place), *tell_status(place)] if changed != without else []
    )


@scenario
def root_installed_and_deleted(place: Place) -> Iterable[Move]:
    """A root is installed and deleted three times, and counted before and after; the last time with a reset between."""
    delete = Ask("DeleteCertificate", {"certificateHashData": LAB_ROOT_HASH})
    install = Ask("InstallCertificate", {"certificateType": _KIND, "certificate": LAB_ROOT})
    listed = Ask("GetInstalledCertificateIds", {"certificateType": [_KIND]})
    every = Ask("GetInstalledCertificateIds", {})
    count = get_variable(PoolVariable("SecurityCtrlr", "CertificateEntries"))
    # By the serial number as it is told, which only our own root has together with these hashes.
    as_listed: JsonObject = {**LAB_ROOT_HASH, "serialNumber": "{root.serial}"}
    again = Ask("DeleteCertificate", {"certificateHashData": as_listed})
    over_a_reset = (install, listed, *reboot(place), listed, again, every, delete, listed)
    first = (install, listed, every, delete, listed, count)
    return [delete, count, *first, install, listed, delete, listed, count, *over_a_reset]


@late_scenario
def root_installed_twice(place: Place) -> Iterable[Move]:
    """A root is installed twice, and is gone once it was deleted (M04.FR.01)."""
    delete = Ask("DeleteCertificate", {"certificateHashData": LAB_ROOT_HASH})
    install = Ask("InstallCertificate", {"certificateType": _KIND, "certificate": LAB_ROOT})
    listed = Ask("GetInstalledCertificateIds", {"certificateType": [_KIND]})
    return [delete, install, install, listed, delete, listed, delete]
