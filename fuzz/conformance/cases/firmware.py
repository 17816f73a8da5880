"""Block L: secure firmware updates. The images are the reference station's own, or those that a person puts there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from fuzz.conformance import states
from fuzz.conformance.depot import Depot, depot
from fuzz.conformance.script import Csms, station_test
from fuzz.conformance.view import View
from fuzz.records import Effect
from strategies.labels import JsonObject
from tlslab.describe import Description
from tlslab.firmware import firmware_image, sign_firmware
from tlslab.pki import Credential, issue

_MAKER = "ManufacturerRootCertificate"
_BEGINNING = ("Downloading", "Downloaded")
_VERSION = "9.9.9"


@dataclass(slots=True)
class _Maker:
    """A manufacturer whose root the station trusts, and where its firmware is."""

    depot: Depot
    root: Credential
    signer: Credential
    request_id: int = 0
    images: list[bytes] = field(default_factory=lambda: [firmware_image(_VERSION, size=4096)])

    def firmware(self, s: Csms, **other: str) -> JsonObject:
        """A FirmwareType for the image; `other` replaces members of it."""
        image = self.images[-1]
        signature = sign_firmware(self.signer.key, image)
        made: JsonObject = {
            "location": self.depot.offer("firmware.bin", image),
            "retrieveDateTime": s.now(
                -2.0
            ),  # a station whose clock is a little late must not find it to come
            "signingCertificate": self.signer.certificate.decode(),
            "signature": signature,
        }
        return {**made, **other}

    async def update(self, s: Csms, firmware: JsonObject, *, status: str = "Accepted") -> View:
        """The answer to an UpdateFirmware."""
        self.request_id = s.request_id()
        request: JsonObject = {"requestId": self.request_id, "firmware": firmware}
        return await s.accepted("UpdateFirmware", request, status=status)

    async def told(self, s: Csms, *statuses: str) -> View:
        """The next FirmwareStatusNotification of the last request with one of these."""
        return await s.expect(
            "FirmwareStatusNotification",
            lambda v: v["requestId"] == self.request_id and v["status"] in statuses,
            what=f"FirmwareStatusNotification {' or '.join(statuses)}",
        )

    async def all_told(self, s: Csms, *statuses: str) -> None:
        """These, one after the other."""
        for status in statuses:
            await self.told(s, status)


@contextlib.contextmanager
def _maker(s: Csms) -> Iterator[_Maker]:
    now = s.clock.now()
    root = issue(Description("maker root", organization="maker", is_ca=True), now=now)
    signer = issue(Description("maker firmware", organization="maker"), now=now, issuer=root)
    with depot(s.port.host, s.port.name) as store:
        yield _Maker(store, root, signer)


async def _trust(s: Csms, maker: _Maker) -> None:
    certificate = maker.root.certificate.decode()
    await s.accepted("InstallCertificate", {"certificateType": _MAKER, "certificate": certificate})


async def _installed(s: Csms, maker: _Maker) -> None:
    """Installed, with a restart before, between or not at all, and the security event."""
    await maker.told(s, "Installing", "InstallRebooting")
    await maker.told(s, "Installed")
    await s.expect_security_event("FirmwareUpdated")


@station_test("TC_L_01", effect=Effect.ONE_WAY)
async def firmware_is_updated(s: Csms) -> None:
    """Firmware that the manufacturer signed is fetched, verified and installed, and every step is told."""
    with _maker(s) as maker:
        await _trust(s, maker)
        await maker.update(s, maker.firmware(s))
        await maker.all_told(s, *_BEGINNING, "SignatureVerified")
        await _installed(s, maker)


@station_test("TC_L_02", effect=Effect.ONE_WAY, slow=True)
async def an_installation_waits_for_its_time(s: Csms) -> None:
    """Firmware with an installDateTime to come is fetched now, told as InstallScheduled, and installed then."""
    with _maker(s) as maker:
        await _trust(s, maker)
        due_s = 3.0
        due = s.clock.monotonic() + due_s
        await maker.update(s, maker.firmware(s, installDateTime=s.now(due_s)))
        await maker.all_told(s, *_BEGINNING, "SignatureVerified", "InstallScheduled")
        await maker.told(s, "Installing", "InstallRebooting")
        # A whole second of tolerance, because a dateTime need not have fractions.
        s.require(s.clock.monotonic() > due - 1.0, "the installation begins no earlier than asked")
        await maker.told(s, "Installed")


@station_test("TC_L_03", effect=Effect.ONE_WAY, slow=True)
async def a_download_waits_for_its_time(s: Csms) -> None:
    """Firmware with a retrieveDateTime to come is told as DownloadScheduled, and fetched then."""
    with _maker(s) as maker:
        await _trust(s, maker)
        await maker.update(s, maker.firmware(s, retrieveDateTime=s.now(3.0)))
        await maker.all_told(s, "DownloadScheduled", *_BEGINNING, "SignatureVerified")
        await _installed(s, maker)


@station_test("TC_L_05")
async def a_signing_certificate_is_not_valid(s: Csms) -> None:
    """A signing certificate of another manufacturer is refused in the answer, and told as a security event."""
    with _maker(s) as maker, _maker(s) as other:
        await _trust(s, maker)
        request: JsonObject = {"requestId": s.request_id(), "firmware": other.firmware(s)}
        await s.accepted(
            "UpdateFirmware", request, status=("InvalidCertificate", "RevokedCertificate")
        )
        await s.expect_security_event("InvalidFirmwareSigningCertificate")
        await s.silence("FirmwareStatusNotification", for_s=0.5)


@station_test("TC_L_06")
async def a_signature_is_not_valid(s: Csms) -> None:
    """Firmware that its signature does not fit is told as InvalidSignature, and as a security event."""
    with _maker(s) as maker:
        await _trust(s, maker)
        signature = sign_firmware(maker.signer.key, b"something else")
        await maker.update(s, maker.firmware(s, signature=signature))
        await maker.all_told(s, *_BEGINNING, "InvalidSignature")
        await s.expect_security_event("InvalidFirmwareSignature")


@station_test("TC_L_07")
async def a_download_fails(s: Csms) -> None:
    """Firmware that is not where it should be is told as DownloadFailed."""
    with _maker(s) as maker:
        await _trust(s, maker)
        await maker.update(s, maker.firmware(s, location=f"{maker.depot.url}/nothing.bin"))
        await maker.told(s, "DownloadFailed")


@station_test("TC_L_08", effect=Effect.ONE_WAY)
async def an_installation_fails(s: Csms) -> None:
    """A signed file that is no firmware is verified and then told as failed when it is installed."""
    with _maker(s) as maker:
        await _trust(s, maker)
        maker.images.append(b"signed, and still no firmware\n")
        await maker.update(s, maker.firmware(s))
        await maker.all_told(s, *_BEGINNING, "SignatureVerified")
        await maker.told(s, "InstallVerificationFailed", "InstallationFailed")


@station_test("TC_L_10", effect=Effect.ONE_WAY)
async def a_second_update_takes_the_place_of_the_first(s: Csms) -> None:
    """An UpdateFirmware during another's download cancels that, and its own steps are told."""
    with _maker(s) as maker:
        await _trust(s, maker)
        maker.depot.gate.clear()
        await maker.update(s, maker.firmware(s))
        await maker.told(s, "Downloading")
        await maker.update(s, maker.firmware(s), status="AcceptedCanceled")
        maker.depot.gate.set()
        await maker.all_told(s, *_BEGINNING, "SignatureVerified")
        await _installed(s, maker)


@station_test("TC_L_18")
async def an_update_that_is_not_signed(s: Csms) -> None:
    """Firmware without a signing certificate and a signature is refused."""
    with _maker(s) as maker:
        await _trust(s, maker)
        firmware = maker.firmware(s)
        del firmware["signingCertificate"], firmware["signature"]
        request: JsonObject = {"requestId": s.request_id(), "firmware": firmware}
        await s.accepted("UpdateFirmware", request, status=("Rejected", "InvalidCertificate"))
        await s.silence("FirmwareStatusNotification", for_s=0.5)


@station_test(
    "TC_L_15", effect=Effect.ONE_WAY, needs=("plug-in", "present-token", "start-power", "unplug")
)
async def an_installation_waits_for_a_transaction(s: Csms) -> None:
    """During a transaction firmware is fetched, free connectors become Unavailable, and it is installed afterwards."""
    with _maker(s) as maker:
        await _trust(s, maker)
        session = await states.charging_session(s)
        await maker.update(s, maker.firmware(s))
        await maker.all_told(s, *_BEGINNING, "SignatureVerified", "InstallScheduled")
        for evse, connector in s.each_connector():
            if evse != session.evse:
                await s.expect_status(evse, "Unavailable", connector)
        early = s.untaken("FirmwareStatusNotification")
        s.require(not early, "nothing is installed yet", [h.view.payload for h in early])
        await states.stop_authorized(s, session)
        await s.operator("unplug", session.evse)
        await _installed(s, maker)
