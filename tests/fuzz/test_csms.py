from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, strategies as st

from fuzz.csms import BootFacts, CsmsVoice, SecurityEvent
from fuzz.csms.facts import MAX_EVENTS, MAX_REPORTS, MAX_WEIGHT, weight
from strategies.labels import JsonValue, Kind, Sender
from strategies.version import version

V201 = version()
FROM_STATION = V201.sent_by(Sender.STATION)
UNOFFERED = "Get15118EVCertificate"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "chargingStation",
                    "reason",
                    "requestId",
                    "reportData",
                    "tbc",
                    "type",
                    "evseId",
                    "connectorId",
                    "connectorStatus",
                    "vendorName",
                    "idToken",
                    "timestamp",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)

BOOT: JsonValue = {
    "reason": "PowerUp",
    "chargingStation": {
        "vendorName": "V",
        "model": "M",
        "firmwareVersion": "1.2",
        "serialNumber": "S",
    },
}


class FixedClock:
    def monotonic(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return datetime(2026, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def voice() -> CsmsVoice:
    return CsmsVoice(FixedClock())


def test_a_station_can_send_twenty_five_actions() -> None:
    assert len(FROM_STATION) == 25


@pytest.mark.parametrize("action", [a for a in FROM_STATION if a != UNOFFERED])
@given(payload=JSON)
@example(payload={})
@example(payload={"idToken": {"idToken": "x", "type": "Central"}})
def test_every_station_action_gets_an_answer_that_the_schema_accepts(
    action: str, payload: JsonValue
) -> None:
    answer = voice().answer(action, payload)
    assert answer.error_code == ""
    assert list(V201.validator(action, Kind.RESPONSE).iter_errors(answer.payload)) == []


def test_boot_is_accepted_with_the_time_and_the_interval() -> None:
    answer = CsmsVoice(FixedClock(), interval_s=7).answer("BootNotification", BOOT)
    assert answer.payload == {
        "currentTime": "2026-05-01T12:00:00.250Z",
        "interval": 7,
        "status": "Accepted",
    }


@pytest.mark.parametrize("interval_s", [0, -1])
def test_an_interval_that_is_not_positive_is_refused(interval_s: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        CsmsVoice(FixedClock(), interval_s=interval_s)


def test_a_transaction_event_with_a_token_is_answered_with_its_status() -> None:
    asked = voice().answer("TransactionEvent", {"idToken": {"idToken": "x", "type": "Central"}})
    assert asked.payload == {"idTokenInfo": {"status": "Accepted"}}
    assert voice().answer("TransactionEvent", {}).payload == {}


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("FooBar", "NotImplemented"),
        ("heartbeat", "NotImplemented"),
        ("Reset", "NotSupported"),
        (UNOFFERED, "NotSupported"),
    ],
)
def test_what_is_not_offered_is_refused_with_the_proper_code(action: str, code: str) -> None:
    answer = voice().answer(action, {})
    assert (answer.error_code, answer.payload) == (code, None)


@given(action=st.text(max_size=12), payload=JSON)
def test_no_action_and_no_payload_raises(action: str, payload: JsonValue) -> None:
    answer = voice().answer(action, payload)
    assert answer.error_code in V201.error_codes or answer.payload is not None


def test_an_answer_that_the_caller_changes_does_not_change_the_next_one() -> None:
    station = voice()
    first = station.answer("SignCertificate", {})
    assert first.payload is not None
    first.payload["status"] = "spoiled"
    assert station.answer("SignCertificate", {}).payload == {"status": "Rejected"}


def test_a_station_is_booted_from_its_first_boot_on_and_over_a_reconnect() -> None:
    station = voice()
    station.answer("Heartbeat", {})
    assert not station.booted
    station.answer("BootNotification", BOOT)
    assert station.booted
    assert station.opening() == ()
    assert station.booted


def test_boot_facts_are_noted_and_boots_counted() -> None:
    station = voice()
    station.answer("BootNotification", {"reason": "Watchdog", "chargingStation": 5})
    station.answer("BootNotification", BOOT)
    assert station.facts.boots == 2
    assert list(station.facts.boot_reasons) == ["Watchdog", "PowerUp"]
    assert station.facts.boot == BootFacts("V", "M", "1.2", "S", "PowerUp")


def test_a_report_is_collected_by_its_request_until_its_last_part() -> None:
    station = voice()
    one: JsonValue = {"variable": {"name": "A"}}
    two: JsonValue = {"variable": {"name": "B"}}
    station.answer("NotifyReport", {"requestId": 5, "reportData": [one, 3], "tbc": True})
    assert not station.facts.complete(5)
    station.answer("NotifyReport", {"requestId": 5, "reportData": [two]})
    assert station.facts.complete(5)
    assert station.facts.reports == {5: [one, two]}
    station.facts.forget_report(5)
    assert station.facts.reports == {}
    assert not station.facts.complete(5)


def test_a_flood_of_reports_is_not_kept() -> None:
    station = voice()
    heavy: JsonValue = {"value": "x" * 1_000_000}
    for request_id in range(MAX_REPORTS + 5):
        station.answer("NotifyReport", {"requestId": request_id, "reportData": [heavy]})
    assert len(station.facts.reports) == MAX_REPORTS
    kept = [item for report in station.facts.reports.values() for item in report]
    assert 0 < sum(map(weight, kept)) <= MAX_WEIGHT
    station.facts.forget_report(0)
    station.answer("NotifyReport", {"requestId": 0, "reportData": [heavy]})
    assert station.facts.reports[0] == [heavy]


def test_security_events_and_statuses_are_noted_within_bounds() -> None:
    station = voice()
    for n in range(MAX_EVENTS + 5):
        station.answer("SecurityEventNotification", {"type": f"T{n}", "timestamp": "t"})
        station.answer(
            "StatusNotification", {"evseId": n, "connectorId": 1, "connectorStatus": "Available"}
        )
    assert len(station.facts.security_events) == MAX_EVENTS
    assert station.facts.security_events[-1] == SecurityEvent(f"T{MAX_EVENTS + 4}", "t", "")
    assert len(station.facts.statuses) == MAX_EVENTS
    assert station.facts.statuses[0, 1] == "Available"
