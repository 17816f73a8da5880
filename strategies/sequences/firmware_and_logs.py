"""Scenarios of firmware, logs and customers (L01, N01, N09); no transfer succeeds but of what nobody signed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.canaries import LAWFUL
from strategies.labels import JsonObject
from strategies.moves import Ask, Await, Move, Pause
from strategies.papers import CHAINED_SIGNER, SIGNER, SIGNING_ROOT, SIGNING_ROOT_HASH
from strategies.primitives import EXPIRED_CERTIFICATE
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, late_scenario, scenario, scenarios_over
from strategies.sequences.steps import (
    GLANCE_S,
    NOWHERE,
    charge,
    get_log,
    leave,
    reboot,
    tell_status,
    token_json,
    told_of,
    update_firmware,
)


@scenario
def firmware_from_nowhere(place: Place) -> Iterable[Move]:
    """New firmware is to come from where there is none, twice."""
    return [update_firmware(51), update_firmware(52), Pause(GLANCE_S), *tell_status(place)]


@scenario
def firmware_while_charging(place: Place) -> Iterable[Move]:
    """New firmware is to come while somebody charges."""
    return [*charge(place), update_firmware(53), Pause(GLANCE_S), *leave(place)]


_LOG, _FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"
_ROOTS = (
    "CSMSRootCertificate",
    "V2GRootCertificate",
    "MORootCertificate",
    "ManufacturerRootCertificate",
)
"""Where the root of a signer may be installed: the one that may sign firmware comes last (L01.FR.02)."""


@scenario
def firmware_of_a_signer(place: Place) -> Iterable[Move]:
    """New firmware was signed by somebody unknown, by an expired one, and by one below a root of each use."""
    # Each has a number of its own: what is told of it later can only be of this one.
    delete = Ask("DeleteCertificate", {"certificateHashData": SIGNING_ROOT_HASH})
    yield delete
    for number, signer in enumerate((SIGNER, SIGNING_ROOT, EXPIRED_CERTIFICATE, "no certificate")):
        yield update_firmware(711 + number, signer=signer)
    for number, use in enumerate(_ROOTS):
        root: JsonObject = {"certificateType": use, "certificate": SIGNING_ROOT}
        yield Ask("InstallCertificate", root)
        yield update_firmware(721 + number, signer=SIGNER)
        if use == _ROOTS[-1]:
            # It is being fetched, and then it cannot be.
            for _ in range(2):
                yield told_of(_FIRMWARE, 721 + number, timeout_s=place.prompt_s)
            yield update_firmware(731, signer=CHAINED_SIGNER)
        yield delete
    # What was accepted brings no boot by itself, as nothing can be downloaded.
    yield from reboot(place)


@scenario
def firmware_with_a_bad_signature(place: Place) -> Iterable[Move]:
    """New firmware comes from a signer whose root is there, with a signature that is none (L01.FR.03).

    Booted twice, the station is what it was.
    """
    root: JsonObject = {"certificateType": _ROOTS[-1], "certificate": SIGNING_ROOT}
    delete = Ask("DeleteCertificate", {"certificateHashData": SIGNING_ROOT_HASH})
    return [
        Ask("InstallCertificate", root),
        update_firmware(741, LAWFUL, signer=SIGNER),
        told_of(_FIRMWARE, 741, "InvalidSignature", timeout_s=place.prompt_s),
        delete,
        *reboot(place),
        *reboot(place),
    ]


@scenarios_over
def log(place: Place) -> Iterable[tuple[str, Script]]:
    """A log is to be uploaded to where nobody takes it, and another one meanwhile."""
    for kind in ("DiagnosticsLog", "SecurityLog"):
        yield kind, partial(_two_logs, kind)


def _two_logs(kind: str, place: Place) -> list[Move]:
    # It is tried again for an hour, so that the second one comes while the first is under way.
    log: JsonObject = {"remoteLocation": NOWHERE}
    request: JsonObject = {"requestId": 61, "logType": kind, "log": log}
    return [
        Ask("GetLog", {**request, "retries": 60, "retryInterval": 60}),
        Await(_LOG, timeout_s=10.0),
        get_log(62, kind=kind, retries=0),
        told_of(_LOG, 61, "AcceptedCanceled", timeout_s=place.prompt_s),
        Pause(GLANCE_S),
        *tell_status(place),
    ]


@scenario
def log_fails_twice(place: Place) -> Iterable[Move]:
    """A log cannot be uploaded, and the next one neither: each is told to have failed (N01.FR.10)."""
    for number in (68, 69):
        yield get_log(number, retries=0)
        # It is being uploaded, and then it cannot be.
        for _ in range(2):
            yield told_of(_LOG, number, timeout_s=place.prompt_s)


@late_scenario
def log_is_tried_again(place: Place) -> Iterable[Move]:
    """A log cannot be uploaded, and is tried once more two seconds later; only then has it failed."""
    log: JsonObject = {"remoteLocation": NOWHERE}
    request: JsonObject = {"requestId": 70, "logType": "DiagnosticsLog", "log": log}
    return [
        Ask("GetLog", {**request, "retries": 1, "retryInterval": 2}),
        told_of(_LOG, 70, "UploadFailure", timeout_s=place.prompt_s),
        Pause(8.0),
        *tell_status(place),
    ]


@scenario
def log_while_charging(place: Place) -> Iterable[Move]:
    """A log is to be uploaded while somebody charges."""
    return [*charge(place), get_log(63), Pause(GLANCE_S), *leave(place)]


@scenario
def customer_information(place: Place) -> Iterable[Move]:
    """What is known of a customer is asked for and cleared, while he charges; and then of nobody, and of two."""

    def about(number: int, *, clear: bool) -> Ask:
        token = token_json(place.tokens[0])
        flags: JsonObject = {"requestId": number, "report": not clear, "clear": clear}
        return Ask("CustomerInformation", {**flags, "idToken": token})

    nobody: JsonObject = {"requestId": 67, "report": True, "clear": False}
    two: JsonObject = {"idToken": token_json(place.tokens[0]), "customerIdentifier": "ocppfuzz"}
    return [
        *charge(place),
        about(64, clear=False),
        about(65, clear=True),
        about(66, clear=False),
        Ask("CustomerInformation", nobody),
        Ask("CustomerInformation", {**nobody, **two, "requestId": 68}),
        Pause(GLANCE_S),
        *leave(place),
    ]
