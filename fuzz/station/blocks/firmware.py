"""Secure firmware update: UpdateFirmware and FirmwareStatusNotification (Part 2, L01)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from fuzz.station.blocks.base import Block, Handler, member, status, whole
from fuzz.station.blocks.files import retry_wait_s, seconds
from fuzz.station.context import Context, Trigger
from fuzz.station.events import Reboot, TransferDone
from fuzz.station.firmware import Verifier, is_signed, is_version, version_of, why_not_signer
from fuzz.station.x509 import Certificate
from strategies.labels import JsonObject, JsonValue

_TIMER = "firmware"
_SLACK_S = 0.001
"""How much too early a timer may be because seconds since 1970 are rounded."""


class Phase(StrEnum):
    """How far an update has come, in the words of FirmwareStatusEnumType."""

    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    DOWNLOADING = "Downloading"
    INSTALL_SCHEDULED = "InstallScheduled"
    INSTALL_REBOOTING = "InstallRebooting"
    INSTALLING = "Installing"


_PAST_CANCELLING = (Phase.INSTALL_REBOOTING, Phase.INSTALLING)


@dataclass(frozen=True, slots=True)
class Update:
    """One update as it survives a reboot; `version` is what the verified image brings, "" when it is no image."""

    request_id: int
    location: str
    certificate: str
    signature: str
    retrieve_at: float
    install_at: float
    retries: int
    wait_s: float
    phase: str = Phase.DOWNLOAD_SCHEDULED
    version: str = ""


class FirmwareBlock(Block):
    """Downloads, verifies and installs, one update at a time.

    What is written is written by the boot loader: the boot that follows InstallRebooting tells the new version.
    """

    verify: Verifier = staticmethod(is_signed)
    """Judges signatures; a station with another scheme has a block with another one (L01.FR.04)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._numbers = itertools.count(1)
        self._update: Update | None = None
        self._transfer = ""
        self._interrupted = False
        self._version = context.model.named("ChargingStation", "FirmwareVersion")
        context.clock_listeners.append(self._proceed)
        context.ended_listeners.append(lambda _evse: self._proceed())

    def handlers(self) -> Mapping[str, Handler]:
        """Answers UpdateFirmware."""
        return {"UpdateFirmware": self._update_firmware}

    def triggers(self) -> Mapping[str, Trigger]:
        """The status of an update, or that there is none (F06, C-29.4)."""
        return {"FirmwareStatusNotification": self._triggered}

    # --- life ---------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """An update goes on where it was; the boot loader has written what was to be installed."""
        self._stop()
        update = self._update
        self.context.withheld = False
        if update is None:
            return
        if update.phase == Phase.INSTALL_REBOOTING:
            self.context.model.write(self._version, update.version)
            self._note(replace(update, phase=Phase.INSTALLING))
        if update.phase in _PAST_CANCELLING:
            self.context.boot_reason = "FirmwareUpdate"
            self._withhold()
        self._interrupted = update.phase == Phase.DOWNLOADING

    def accepted(self) -> None:
        """The new firmware works, as it got this far; a download that a reboot interrupted begins anew.

        What is scheduled goes on from here, too, so that the CSMS hears all of it.
        """
        update = self._update
        if update is not None and update.phase == Phase.INSTALLING:
            self._tell(Phase.INSTALLING)
            self._installed(update)
        elif update is not None and self._interrupted:
            self._start_download(update)
        self._interrupted = False
        self._proceed()

    def lasting(self) -> JsonObject:
        """The version, and the update that is under way."""
        update = None if self._update is None else asdict(self._update)
        version = self.context.model.read(self._version)
        return {"firmware": {"version": version, "update": update}}

    def restore(self, lasting: Mapping[str, JsonValue]) -> None:
        """Takes over a version and an update in full."""
        kept = lasting.get("firmware")
        if not isinstance(kept, dict):
            return
        if is_version(version := kept.get("version")):
            self.context.model.write(self._version, str(version))
        self._update = _update_of(kept.get("update"))

    # --- what the CSMS asks -------------------------------------------------------------------------------

    def _update_firmware(self, request: JsonObject) -> JsonObject:
        before = self._update
        if before is not None and before.phase in _PAST_CANCELLING:
            return status("Rejected", "FwUpdateInProgress")
        update = _asked(request)
        if not update.certificate or not update.signature:
            # L01.FR.11 and TC_L_18: only secure updates are done here.
            return status("Rejected", "MissingParam")
        if reason := self._why_not_signer(update.certificate):
            self.context.security_event("InvalidFirmwareSigningCertificate", reason)  # L01.FR.02
            return status("InvalidCertificate")
        if before is not None and not self.context.pics.items["C-60"]:
            return status("Rejected", "FwUpdateInProgress")
        self._stop()
        self._release()
        self._schedule(update)
        return status("Accepted" if before is None else "AcceptedCanceled")

    def _why_not_signer(self, certificate: str) -> str:
        now = datetime.fromtimestamp(self.context.wall(), UTC)
        return why_not_signer(certificate, self._manufacturer_roots(), now)

    def _manufacturer_roots(self) -> Sequence[Certificate]:
        return self.context.keys.of("ManufacturerRootCertificate")

    def _triggered(self, _request: JsonObject) -> bool:
        update = self._update
        payload: JsonObject = {
            "status": "Idle"
        }  # L01.FR.20: Idle is the only one without a requestId
        if update is not None:
            payload = {"status": update.phase, "requestId": update.request_id}
        return self.context.ask("FirmwareStatusNotification", payload, triggered=True)

    # --- waiting ------------------------------------------------------------------------------------------

    def _schedule(self, update: Update) -> None:
        """Enters a phase in which to wait, and leaves it at once when there is nothing to wait for."""
        self._note(update)
        if not self._may_go_on(update):
            self._tell(update.phase)
        self._proceed()

    def _proceed(self) -> None:
        """Goes on with what is scheduled if it is time for it; otherwise a timer or the end of a transaction will."""
        update = self._update
        if update is None or self.context.rebooting:
            return
        if update.phase not in (Phase.DOWNLOAD_SCHEDULED, Phase.INSTALL_SCHEDULED):
            return
        if not self._may_go_on(update):
            self._wait(update)
        elif update.phase == Phase.DOWNLOAD_SCHEDULED:
            self._start_download(update)
        else:
            self._install(update)

    def _may_go_on(self, update: Update) -> bool:
        return self._missing_s(update) <= 0 and not self._is_held_up(update)

    def _missing_s(self, update: Update) -> float:
        downloading = update.phase == Phase.DOWNLOAD_SCHEDULED
        moment = update.retrieve_at if downloading else update.install_at
        return moment - self.context.wall() - _SLACK_S

    def _is_held_up(self, update: Update) -> bool:
        """Whether a transaction has to end first: AQ-7 for downloads, C-43 for installations."""
        item = "AQ-7" if update.phase == Phase.DOWNLOAD_SCHEDULED else "C-43"
        return bool(self.context.transactions.on(0)) and not self.context.pics.items[item]

    def _wait(self, update: Update) -> None:
        missing_s = self._missing_s(update)
        if missing_s > 0:
            self.context.at(_TIMER, self.context.now + missing_s + _SLACK_S, self._proceed)
        elif update.phase == Phase.INSTALL_SCHEDULED and not self.context.pics.items["C-20"]:
            # L01.FR.07: no new session may put the installation off any further.
            self._withhold()

    # --- downloading --------------------------------------------------------------------------------------

    def _start_download(self, update: Update) -> None:
        self._note(replace(update, phase=Phase.DOWNLOADING))
        self._tell(Phase.DOWNLOADING)
        self._fetch()

    def _fetch(self) -> None:
        if self._update is not None:
            self._transfer = f"firmware-{next(self._numbers)}"
            self.context.download(self._transfer, self._update.location, self._downloaded)

    def _downloaded(self, done: TransferDone) -> None:
        update, self._transfer = self._update, ""
        if update is None or self.context.rebooting:
            return
        self.context.log(f"firmware download ended: {done.failure or 'fine'}")
        if not done.failure:
            self._tell("Downloaded")
            self._check(update, done.content)
        elif update.retries > 0:
            self._note(replace(update, retries=update.retries - 1))
            self.context.at(_TIMER, self.context.now + update.wait_s, self._fetch)
        else:
            self._end("DownloadFailed")

    def _check(self, update: Update, content: bytes) -> None:
        if not self.verify(update.certificate, update.signature, content):
            self._end("InvalidSignature")
            self.context.security_event("InvalidFirmwareSignature", "")  # L01.FR.03
            return
        self._tell("SignatureVerified")
        version = version_of(content)
        self._schedule(replace(update, phase=Phase.INSTALL_SCHEDULED, version=version))

    # --- installing ---------------------------------------------------------------------------------------

    def _install(self, update: Update) -> None:
        if not update.version:
            self._tell(Phase.INSTALLING)
            self._end("InstallVerificationFailed")
        elif self.context.transactions.on(0):
            # C-43 Yes: nothing that a transaction needs goes down.
            self.context.model.write(self._version, update.version)
            self._tell(Phase.INSTALLING)
            self._installed(update)
        else:
            self._note(replace(update, phase=Phase.INSTALL_REBOOTING))
            self._withhold()
            # The connection must last until this is told; without one there is nobody to tell.
            if not self._tell(Phase.INSTALL_REBOOTING, reboot=True):
                self._reboot()

    def _reboot(self) -> None:
        update = self._update
        if self.context.rebooting or update is None or update.phase != Phase.INSTALL_REBOOTING:
            return
        self.context.boot_reason = "FirmwareUpdate"
        self.context.log("reboot into new firmware")
        self.context.do(Reboot())

    def _installed(self, update: Update) -> None:
        self._end("Installed")
        self.context.security_event("FirmwareUpdated", update.version)  # L01.FR.31

    # --- all the way --------------------------------------------------------------------------------------

    def _tell(self, word: str, *, reboot: bool = False) -> bool:
        # Dropped while offline: this station queues transactions and security events only (C-21).
        if self._update is None:
            return False
        payload: JsonObject = {"status": str(word), "requestId": self._update.request_id}
        then = (lambda _outcome: self._reboot()) if reboot else None
        return self.context.ask("FirmwareStatusNotification", payload, then=then)

    def _end(self, word: str) -> None:
        self._tell(word)
        self._note(None)
        self._release()

    def _note(self, update: Update | None) -> None:
        self._update = update
        self.context.dirty = True

    def _stop(self) -> None:
        self.context.cancel([_TIMER])
        self.context.cancel_transfer(self._transfer)
        self._transfer = ""
        self._interrupted = False

    def _withhold(self) -> None:
        if not self.context.withheld:
            self.context.withheld = True
            self.context.status_changed()

    def _release(self) -> None:
        if self.context.withheld:
            self.context.withheld = False
            self.context.status_changed()


def _asked(request: JsonObject) -> Update:
    firmware = member(request, "firmware")
    return Update(
        request_id=whole(request["requestId"]),
        location=str(firmware["location"]),
        certificate=str(firmware.get("signingCertificate", "")),
        signature=str(firmware.get("signature", "")),
        retrieve_at=seconds(firmware.get("retrieveDateTime")) or 0.0,
        install_at=seconds(firmware.get("installDateTime")) or 0.0,
        retries=whole(request.get("retries")),
        wait_s=retry_wait_s(request),
    )


def _update_of(kept: JsonValue) -> Update | None:
    """The update that `lasting` gave once, None for anything else."""
    match kept:
        case {
            "request_id": int(request_id),
            "location": str(location),
            "certificate": str(certificate),
            "signature": str(signature),
            "retrieve_at": int() | float() as retrieve_at,
            "install_at": int() | float() as install_at,
            "retries": int(retries),
            "wait_s": int() | float() as wait_s,
            "phase": str(phase),
            "version": str(version),
        } if phase in list(Phase) and (not version or is_version(version)):
            return Update(
                request_id,
                location,
                certificate,
                signature,
                retrieve_at,
                install_at,
                retries,
                wait_s,
                phase,
                version,
            )
        case _:
            return None
