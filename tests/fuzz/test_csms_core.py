"""Conversations of the reference CSMS with stations: boot, certificates, events, an operator."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings, strategies as st

from fuzz.csms.authority import issuing, issuing_all
from fuzz.csms.core import Csms
from fuzz.csms.defects import plant
from fuzz.csms.enrolment import Enrolled, hash_password
from fuzz.csms.events import (
    BootStatus,
    BytesReceived,
    Close,
    Lost,
    Note,
    Opened,
    Restore,
    Revoke,
    SendText,
    SetBootStatus,
    TellEvents,
    TellStations,
    TextReceived,
    Tick,
    Trigger,
)
from fuzz.csms.hooks import Hooks
from fuzz.csms.papers import fingerprint
from fuzz.csms.station import Rules
from strategies.labels import Kind
from strategies.version import version
from tlslab.describe import Description
from tlslab.pki import issue

OWNER = "ocppfuzz lab"
START = datetime(2026, 5, 1, tzinfo=UTC)
ROOT = issue(Description("root", is_ca=True), now=START)
OLD = issue(Description("CS-3"), now=START, issuer=ROOT)
EXPIRED = issue(Description("CS-4", validity=timedelta(seconds=-60)), now=START, issuer=ROOT)


class Clock:
    passed = 0.0

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)


class Bench:
    """One CSMS and the stations that call it."""

    def __init__(self, *defects: str, signs: bool = True, **changes: object) -> None:
        self.clock = Clock()
        numbers = iter(range(10_000))
        hooks = Hooks(issuing(ROOT, self.clock.now), issuing_all(ROOT, self.clock.now))
        self.csms = Csms(
            [
                Enrolled("CS-3", **changes),
                Enrolled("CS-4", allow_expired=True),
                Enrolled("CS-2", 2, password_hash=hash_password("x", bytes(16))),
            ],
            rules=Rules(organizations=(OWNER,), signs=signs),
            hooks=plant(hooks, defects),
            clock=self.clock,
            version=version(),
            ids=lambda: f"csms-{next(numbers)}",
        )
        self.asked = 0

    def open(self, number=1, identity="CS-3", credential=OLD, profile=3):
        chain = (credential.der,) if profile == 3 else ()
        return self.csms.handle(Opened(number, identity, profile, chain))

    def ask(self, action, payload, number=1):
        self.asked += 1
        return self.say([2, f"station-{self.asked}", action, payload], number)

    def say(self, message, number=1):
        return frames(self.csms.handle(TextReceived(number, json.dumps(message))))

    def boot(self, serial="CS-3", number=1):
        station = {"vendorName": "V", "model": "M", "serialNumber": serial}
        payload = {"reason": "PowerUp", "chargingStation": station}
        return self.ask("BootNotification", payload, number)

    def sign(self, csr, number=1, **more):
        return self.ask("SignCertificate", {"csr": csr, **more}, number)


def frames(commands):
    return [json.loads(c.text) for c in commands if isinstance(c, SendText)]


def csr(name="CS-3", owner=OWNER, key=None, *, ca=False):
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, owner),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName("CS-9")]), critical=False
        )
    return (
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")
    )


def signed_in(said):
    """The CertificateSigned among what was said: its id and the chain."""
    ((_, number, _, payload),) = [f for f in said if f[0] == 2 and f[2] == "CertificateSigned"]
    return number, payload["certificateChain"]


@pytest.fixture
def booted() -> Bench:
    bench = Bench()
    bench.open()
    bench.boot()
    return bench


# --- boot -------------------------------------------------------------------------------------------------


def test_a_station_is_accepted_when_it_boots():
    bench = Bench()
    bench.open()
    ((kind, _, answer),) = bench.boot()
    assert (kind, answer["status"], answer["interval"]) == (3, "Accepted", 300)


def test_before_its_boot_a_station_may_say_nothing_else():
    bench = Bench()
    bench.open()
    ((kind, _, code, *_rest),) = bench.ask("Heartbeat", {})
    assert (kind, code) == (4, "SecurityError")


def test_the_boot_holds_over_a_reconnect(booted):
    booted.csms.handle(Lost(1))
    booted.open(2)
    ((kind, *_),) = booted.ask("Heartbeat", {}, 2)
    assert kind == 3


@pytest.mark.parametrize("serial", ["CS-4", "", "cs-3"])
def test_another_serial_number_than_that_of_the_certificate_closes_the_connection(serial):
    bench = Bench()
    bench.open()
    station = {"vendorName": "V", "model": "M", "serialNumber": serial}
    call = [2, "a", "BootNotification", {"reason": "PowerUp", "chargingStation": station}]
    commands = bench.csms.handle(TextReceived(1, json.dumps(call)))
    assert [c for c in commands if isinstance(c, Close)] == [
        Close(1, 1008, "serialNumber is not that of the certificate")
    ]
    assert frames(commands) == []
    assert bench.boot() == []
    assert not bench.csms.stations["CS-3"].accepted


def test_without_a_certificate_the_serial_number_is_free():
    bench = Bench()
    bench.open(identity="CS-2", profile=2)
    ((_, _, answer),) = bench.boot("whatever")
    assert answer["status"] == "Accepted"


def test_a_pending_station_is_accepted_after_so_many_boots():
    bench = Bench(boot=BootStatus.PENDING, pending_boots=2)
    bench.open()
    statuses = [bench.boot()[0][2]["status"] for _ in range(3)]
    assert statuses == ["Pending", "Pending", "Accepted"]


def test_a_pending_station_is_refused_everything_but_what_it_was_asked_for():
    bench = Bench(boot=BootStatus.PENDING)
    bench.open()
    ((_, _, answer),) = bench.boot()
    assert (answer["status"], answer["interval"]) == ("Pending", 10)
    assert bench.ask("Heartbeat", {})[0][2] == "SecurityError"
    ((_, number, action, payload),) = frames(bench.csms.handle(Trigger("CS-3", "Heartbeat")))
    assert (action, payload) == ("TriggerMessage", {"requestedMessage": "Heartbeat"})
    bench.say([3, number, {"status": "Accepted"}])
    assert bench.ask("Heartbeat", {})[0][0] == 3
    assert bench.ask("Heartbeat", {})[0][2] == "SecurityError"


def test_an_operator_lets_a_waiting_station_in_by_asking_it_to_boot():
    bench = Bench(boot=BootStatus.PENDING)
    bench.open()
    bench.boot()
    said = frames(bench.csms.handle(SetBootStatus("CS-3", BootStatus.ACCEPTED)))
    assert said[0][2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
    assert bench.boot()[0][2]["status"] == "Accepted"


def test_a_rejected_station_stays_out():
    bench = Bench(boot=BootStatus.REJECTED)
    bench.open()
    assert bench.boot()[0][2]["status"] == "Rejected"
    assert bench.ask("Heartbeat", {})[0][2] == "SecurityError"


def test_a_newer_connection_takes_the_place_of_the_older_one(booted):
    commands = booted.open(2)
    assert Close(1, 1008, "replaced by a newer connection") in commands
    assert booted.ask("Heartbeat", {}, 1) == []
    assert booted.csms.handle(Lost(1)) == ()
    assert booted.ask("Heartbeat", {}, 2)[0][0] == 3


# --- certificates -----------------------------------------------------------------------------------------


def test_a_proper_request_is_accepted_and_then_certified(booted):
    said = booted.sign(csr(), certificateType="ChargingStationCertificate")
    assert said[0][2] == {"status": "Accepted"}
    _, chain = signed_in(said)
    assert said[1][3]["certificateType"] == "ChargingStationCertificate"
    made = x509.load_pem_x509_certificate(chain.encode())
    assert made.subject.rfc4514_string() in ("CN=CS-3,O=ocppfuzz lab", "O=ocppfuzz lab,CN=CS-3")
    made.verify_directly_issued_by(ROOT.x509)


def test_extensions_that_a_request_asks_for_are_not_certified(booted):
    _, chain = signed_in(booted.sign(csr(ca=True)))
    made = x509.load_pem_x509_certificate(chain.encode())
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize("bad", ["", "garbage", "-----BEGIN", csr("CS-4"), csr(owner="Other")])
def test_any_other_request_is_rejected_and_nothing_follows(booted, bad):
    assert [f[2] for f in booted.sign(bad)] == [{"status": "Rejected"}]


def test_a_request_for_a_certificate_of_iso_15118_is_rejected(booted):
    said = booted.sign(csr(), certificateType="V2GCertificate")
    assert [f[2] for f in said] == [{"status": "Rejected"}]


def test_without_a_ca_every_request_is_rejected():
    bench = Bench(signs=False)
    bench.open()
    bench.boot()
    assert [f[2] for f in bench.sign(csr())] == [{"status": "Rejected"}]


def test_one_request_at_a_time_is_certified(booted):
    booted.sign(csr())
    assert [f[2] for f in booted.sign(csr())] == [{"status": "Rejected"}]


def test_a_flood_of_requests_is_stopped_for_a_minute(booted):
    statuses = []
    for _ in range(12):
        said = booted.sign(csr())
        statuses.append(said[0][2]["status"])
        if len(said) > 1:
            booted.say([3, signed_in(said)[0], {"status": "Rejected"}])
    assert statuses == ["Accepted"] * 10 + ["Rejected"] * 2
    booted.clock.passed += 61
    assert booted.sign(csr())[0][2]["status"] == "Accepted"


def test_a_key_that_was_certified_is_not_certified_again(booted):
    key = ec.generate_private_key(ec.SECP256R1())
    number, _ = signed_in(booted.sign(csr(key=key)))
    booted.say([3, number, {"status": "Accepted"}])
    assert [f[2] for f in booted.sign(csr(key=key))] == [{"status": "Rejected"}]


def test_a_certificate_that_never_arrived_may_be_asked_for_again_with_its_key(booted):
    key = ec.generate_private_key(ec.SECP256R1())
    booted.sign(csr(key=key))
    booted.clock.passed += 31
    assert booted.csms.deadline is not None
    booted.csms.handle(Tick())
    assert booted.sign(csr(key=key))[0][2] == {"status": "Accepted"}


def renewed(bench, status):
    """The new credential's bytes, after the station has answered CertificateSigned."""
    number, chain = signed_in(bench.sign(csr()))
    bench.say([3, number, {"status": status}])
    made = x509.load_pem_x509_certificate(chain.encode())
    return made.public_bytes(serialization.Encoding.DER)


def test_the_old_certificate_works_until_the_new_one_was_used(booted):
    new = renewed(booted, "Accepted")
    assert booted.csms.vouch((OLD.der,)) == ""
    assert booted.csms.vouch((new,)) == ""
    booted.csms.handle(Lost(1))
    booted.csms.handle(Opened(2, "CS-3", 3, (new,)))
    assert booted.csms.vouch((new,)) == ""
    assert "newer" in booted.csms.vouch((OLD.der,))


def test_a_certificate_whose_arrival_nobody_confirmed_takes_over_when_it_is_used(booted):
    _, chain = signed_in(booted.sign(csr()))
    new = x509.load_pem_x509_certificate(chain.encode()).public_bytes(serialization.Encoding.DER)
    booted.csms.handle(Lost(1))
    assert booted.csms.vouch((OLD.der,)) == ""
    booted.csms.handle(Opened(2, "CS-3", 3, (new,)))
    assert "newer" in booted.csms.vouch((OLD.der,))


def test_a_certificate_that_the_station_refused_is_never_accepted_and_the_old_one_stays(booted):
    new = renewed(booted, "Rejected")
    assert booted.csms.vouch((new,)) != ""
    assert booted.csms.vouch((OLD.der,)) == ""


def test_a_station_with_an_expired_certificate_waits_and_is_told_to_renew_it_at_once():
    bench = Bench()
    bench.open(identity="CS-4", credential=EXPIRED)
    answer, first = bench.boot("CS-4")
    assert answer[2]["status"] == "Pending"
    assert first[2] == "SetVariables"
    result = [
        {"attributeStatus": "Accepted", "component": {"name": "C"}, "variable": {"name": "V"}}
    ]
    ((_, number, action, payload),) = bench.say([3, first[1], {"setVariableResult": result}])
    assert (action, payload["requestedMessage"]) == (
        "TriggerMessage",
        "SignChargingStationCertificate",
    )
    bench.say([3, number, {"status": "Accepted"}])
    assert bench.sign(csr("CS-4"))[0][2] == {"status": "Accepted"}


# --- events, operator, hostile ----------------------------------------------------------------------------


def test_security_events_are_confirmed_and_kept(booted):
    event = {"type": "Made up", "timestamp": "2026-05-01T00:00:00Z", "techInfo": "x\n\x1b[2J"}
    assert booted.ask("SecurityEventNotification", event)[0][2] == {}
    (told,) = booted.csms.handle(TellEvents("CS-3"))
    assert "Made up" in told.text
    assert "\x1b" not in told.text
    assert booted.csms.handle(TellEvents()) == [told]


def test_the_operator_sees_stations_and_revokes(booted):
    lines = [c.text for c in booted.csms.handle(TellStations())]
    assert lines[0].startswith("CS-3: connected, accepted, security profile 3")
    assert len(lines) == 3
    booted.csms.handle(Revoke(f"{OLD.x509.serial_number:x}"))
    assert booted.csms.vouch((OLD.der,)) == "revoked"
    booted.csms.handle(Restore(f"0x{OLD.x509.serial_number:X}"))
    assert booted.csms.vouch((OLD.der,)) == ""


def test_a_station_that_is_not_known_or_not_there_is_told(booted):
    assert "no station 'X'" in booted.csms.handle(Trigger("X", "Heartbeat"))[0].text
    (note,) = booted.csms.handle(Trigger("CS-4", "Heartbeat"))
    assert note == Note("CS-4: TriggerMessage not sent: not connected")


def test_a_binary_message_is_refused(booted):
    ((kind, _, code, *_rest),) = frames(booted.csms.handle(BytesReceived(1)))
    assert (kind, code) == (4, "RpcFrameworkError")


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(
    messages=st.lists(
        st.one_of(
            st.text(max_size=40),
            st.builds(
                lambda action, payload: json.dumps([2, "id", action, payload]),
                st.sampled_from([*version().actions, "FooBar"]),
                st.dictionaries(
                    st.sampled_from(["csr", "chargingStation", "reason", "type", "timestamp"]),
                    st.none()
                    | st.text(max_size=9)
                    | st.dictionaries(st.text(max_size=3), st.none()),
                    max_size=3,
                ),
            ),
            st.builds(
                lambda number, status: json.dumps([3, f"csms-{number}", {"status": status}]),
                st.integers(0, 3),
                st.sampled_from(["Accepted", "Rejected", "NotImplemented", 5]),
            ),
        ),
        max_size=8,
    )
)
def test_whatever_a_station_says_every_answer_is_a_proper_frame(messages):
    bench = Bench()
    bench.open()
    bench.boot()
    for message in messages:
        for frame in frames(bench.csms.handle(TextReceived(1, message))):
            assert frame[0] in (2, 3, 4)
            if frame[0] == 2:
                assert version().validator(frame[2], Kind.REQUEST).is_valid(frame[3])


# --- planted ----------------------------------------------------------------------------------------------


def test_garbage_csr_accepts_what_nobody_can_certify():
    bench = Bench("garbage-csr")
    bench.open()
    bench.boot()
    assert [f[2] for f in bench.sign("garbage")] == [{"status": "Accepted"}]


def test_csr_as_asked_makes_a_ca():
    bench = Bench("csr-as-asked")
    bench.open()
    bench.boot()
    _, chain = signed_in(bench.sign(csr(ca=True)))
    made = x509.load_pem_x509_certificate(chain.encode())
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_csr_other_name_makes_a_certificate_of_another_station():
    bench = Bench("csr-other-name")
    bench.open()
    bench.boot()
    _, chain = signed_in(bench.sign(csr("CS-4", "Other")))
    made = x509.load_pem_x509_certificate(chain.encode())
    assert "CN=CS-4" in made.subject.rfc4514_string()


def test_old_dropped_early_locks_a_station_out():
    bench = Bench("old-dropped-early")
    bench.open()
    bench.boot()
    renewed(bench, "Rejected")
    assert fingerprint(OLD.der) in bench.csms.door.replaced
    assert bench.csms.vouch((OLD.der,)) != ""


def test_serial_unbound_accepts_any_serial_number():
    bench = Bench("serial-unbound")
    bench.open()
    assert bench.boot("CS-4")[0][2]["status"] == "Accepted"


def test_pending_served_answers_before_the_boot():
    bench = Bench("pending-served")
    bench.open()
    assert bench.ask("Heartbeat", {})[0][0] == 3
