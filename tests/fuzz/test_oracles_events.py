from dataclasses import replace

import pytest

from fuzz.records import Settle, Side
from fuzz.testing import case, heard, note, observation, scene, spoken, target, us, voice
from strategies.labels import Expectation, Stance, Tier

IN_VAIN = note(9, "note", "waited in vain for SecurityEventNotification")
UPDATE = us(0, [2, "u", "UpdateFirmware", {"requestId": 1}])
BAD_SIGNER = target(1, [3, "u", {"status": "InvalidCertificate"}])
NO_SIGNER_TOLD = ["O25 no InvalidFirmwareSigningCertificate"]


def o25(obs):
    return [line for line in spoken(obs) if line.startswith("O25")]


def event(type_, at_s=2.0, id_="e", answered=True):
    payload = {"type": type_, "timestamp": "2026-01-01T00:00:00Z"}
    yield target(at_s, [2, id_, "SecurityEventNotification", payload])
    if answered:
        yield voice(at_s, [3, id_, {}])


def firmware(status):
    payload = {"status": status, "requestId": 1}
    return target(1, [2, "f", "FirmwareStatusNotification", payload]), voice(1, [3, "f", {}])


def signed(status, **more):
    """A CSR that was taken, and what became of the certificate for it."""
    return (
        target(0, [2, "s", "SignCertificate", {"csr": "x"}]),
        voice(0, [3, "s", {"status": "Accepted"}]),
        us(0.5, [2, "c", "CertificateSigned", {"certificateChain": "x", **more}]),
        target(1, [3, "c", status]),
    )


CYCLED = (note(0, "operator", "power-cycle"), note(0.5, "open"))


def booted(answer="Accepted", before=CYCLED):
    return (
        *before,
        target(1, [2, "b", "BootNotification", {"reason": "PowerUp"}]),
        voice(1, [3, "b", {"status": answer}]),
    )


REJECTED = {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidCertificate"}}
TOO_LONG = {"status": "Rejected", "statusInfo": {"reasonCode": "TooLargeElement"}}
DUE = {
    "InvalidFirmwareSigningCertificate": (UPDATE, BAD_SIGNER),
    "InvalidFirmwareSignature": firmware("InvalidSignature"),
    "FirmwareUpdated": firmware("Installed"),
    "InvalidChargingStationCertificate": signed(REJECTED),
    "TamperDetectionActivated": (note(1, "operator", "tamper"),),
    "MaintenanceLoginAccepted": (note(1, "operator", "login somebody"),),
    "MaintenanceLoginFailed": (note(1, "operator", "failed-login somebody"),),
    "StartupOfTheDevice or ResetOrReboot": booted(),
}


@pytest.mark.parametrize("type_", list(DUE))
def test_an_event_that_is_due_and_waited_for_in_vain_is_a_finding(type_):
    assert o25(scene(*DUE[type_], IN_VAIN)) == [f"O25 no {type_}"]


@pytest.mark.parametrize("type_", list(DUE))
def test_an_event_that_came_is_none(type_):
    came = list(event(type_.partition(" ")[0]))
    assert o25(scene(*DUE[type_], *came, IN_VAIN)) == []


@pytest.mark.parametrize("type_", list(DUE))
def test_nothing_is_missed_that_was_not_waited_for(type_):
    assert o25(scene(*DUE[type_], note(2, "note", "waited in vain for Heartbeat"))) == []


OFFLINE = (note(0, "operator", "cut-network"), note(0.1, "operator", "tamper"))
BACK = (note(0.2, "operator", "restore-network"), note(1, "open"))
LATE = note(13, "note", "waited in vain for SecurityEventNotification")


def test_an_event_from_a_time_offline_is_missed_on_the_next_connection():
    assert o25(scene(*OFFLINE, *BACK, LATE)) == ["O25 no TamperDetectionActivated"]
    came = list(event("TamperDetectionActivated", 3.0))
    assert o25(scene(*OFFLINE, *BACK, *came, LATE)) == []


@pytest.mark.parametrize(
    "after",
    [
        (BACK[0], LATE),
        (LATE,),
        (*BACK, IN_VAIN),
        (*BACK, target(12, "x")),
        (*BACK, *event("InvalidMessages", 2.0, answered=False), LATE),
        (*BACK, note(5, "operator", "power-cycle"), note(6, "open"), note(20, "note", LATE.text)),
    ],
    ids=[
        "not-back",
        "not-to-come-back",
        "too-soon",
        "not-waited-for",
        "a-call-open",
        "without-power",
    ],
)
def test_an_event_from_a_time_offline_is_not_missed_while_it_may_still_come(after):
    assert o25(scene(*OFFLINE, *after)) == []


def test_ten_seconds_are_enough():
    assert o25(scene(UPDATE, BAD_SIGNER, target(11, "x"))) == NO_SIGNER_TOLD
    assert o25(scene(UPDATE, BAD_SIGNER, target(10, "x"))) == []


def test_another_event_is_not_the_one_that_is_due():
    other = event("InvalidFirmwareSignature")
    assert o25(scene(UPDATE, BAD_SIGNER, *other, IN_VAIN)) == NO_SIGNER_TOLD


@pytest.mark.parametrize(
    "meanwhile",
    [
        note(2, "close", "1006"),
        note(2, "operator", "cut-network"),
        target(2, [2, "h", "Heartbeat", {}]),
        target(2, [2, "b", "BootNotification", {}]),
    ],
    ids=["hung-up", "no-network", "waits-for-us", "boots"],
)
def test_a_station_that_could_not_tell_is_excused(meanwhile):
    assert o25(scene(UPDATE, BAD_SIGNER, meanwhile, IN_VAIN)) == []


@pytest.mark.parametrize(
    "entries",
    [
        signed(TOO_LONG),
        signed(REJECTED, certificateType="V2GCertificate"),
        signed({"status": "Accepted"}),
        signed(REJECTED)[2:],
        booted("Pending"),
        booted(before=()),
        (UPDATE, target(1, [3, "u", {"status": "Accepted"}])),
        firmware("DownloadFailed"),
    ],
    ids=["size", "v2g", "good", "not-asked-for", "pending", "no-restart", "accepted", "download"],
)
def test_what_raises_no_critical_event_is_none(entries):
    assert o25(scene(*entries, IN_VAIN)) == []


def test_a_reset_is_a_start_too():
    asked = us(0, [2, "r", "Reset", {"type": "Immediate"}])
    taken = target(0.1, [3, "r", {"status": "Accepted"}])
    entries = booted(before=(asked, taken, note(0.5, "close", "1001"), note(0.8, "open")))
    assert o25(scene(*entries, IN_VAIN)) == ["O25 no StartupOfTheDevice or ResetOrReboot"]
    assert o25(scene(*entries, *event("ResetOrReboot"), IN_VAIN)) == []


def test_a_csms_tells_no_events():
    played = case(
        Expectation(Stance.UNSPECIFIED, Tier.MODEL), side=Side.CSMS, action="", steps=[Settle()]
    )
    assert o25(scene(UPDATE, BAD_SIGNER, IN_VAIN, played=played)) == []


# --- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["InvalidCSMSCertificate", "Startup of the Device", "InvalidTlsVersion"])  # fmt: skip
def test_a_listed_event_under_another_spelling_is_a_finding(type_):
    told = heard([2, "e", "SecurityEventNotification", {"type": type_}])
    assert [line for line in o25(observation(calls=[told])) if "misspelt" in line]


@pytest.mark.parametrize("type_", ["InvalidCsmsCertificate", "AcmeDoorOpen", 7, None])
def test_listed_names_and_names_of_ones_own_are_none(type_):
    told = heard([2, "e", "SecurityEventNotification", {"type": type_}])
    assert o25(observation(calls=[told])) == []


# --- floods -----------------------------------------------------------------------------------------------------


def many(count, *, at_s=5.0, step_s=0.1, type_="InvalidMessages", answered=True):
    return [
        entry
        for n in range(count)
        for entry in event(f"{type_}", at_s + n * step_s, f"e{n}", answered)
    ]


def distinct(entries):
    """The same with a moment of its own in each, so that none is a repetition."""
    return [
        replace(e, text=e.text.replace("00:00:00Z", f"00:00:{n:02}Z"))
        for n, e in enumerate(entries)
    ]


def test_more_than_five_of_one_type_within_two_seconds_are_a_flood():
    assert o25(scene(*distinct(many(6)))) == ["O25 flood of InvalidMessages"]
    assert o25(scene(*distinct(many(6, type_="Acme")))) == ["O25 flood of an event"]


@pytest.mark.parametrize(
    "entries",
    [
        many(5),
        many(6, step_s=0.5),
        many(6, answered=False),
        [note(4.5, "open"), *many(6)],
        [us(4, "[2,"), us(4.1, "[2,"), *many(7)],
        [note(4, "operator", "tamper"), *many(6)],
    ],
    ids=["few", "slow", "unanswered", "queued", "caused-by-us", "caused-by-hand"],
)
def test_what_has_a_reason_is_no_flood(entries):
    assert o25(scene(*distinct(entries))) == []


ENDED = (note(3, "close"), note(3.5, "open"))
LATE_IN_VAIN = note(15, "note", "waited in vain for SecurityEventNotification")


def test_what_nobody_confirmed_is_told_again_on_the_next_connection():
    told = list(event("TamperDetectionActivated", answered=False))
    again = list(event("TamperDetectionActivated", 4.0, "f"))
    assert o25(scene(*told, *ENDED, LATE_IN_VAIN)) == ["O25 no TamperDetectionActivated"]
    assert o25(scene(*told, *ENDED, *again, LATE_IN_VAIN)) == []
    assert o25(scene(*told, LATE_IN_VAIN)) == []
    confirmed = list(event("TamperDetectionActivated"))
    assert o25(scene(*confirmed, *ENDED, LATE_IN_VAIN)) == []
    logged = list(event("InvalidMessages", answered=False))
    assert o25(scene(*logged, *ENDED, LATE_IN_VAIN)) == []
