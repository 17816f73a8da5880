import pytest
from hypothesis import given, settings, strategies as st

from fuzz.station.bench import Bench
from fuzz.station.events import PowerOn
from fuzz.station.outbox import Outbox


def event(number):
    return {
        "eventType": "Updated",
        "timestamp": "2026-01-01T00:00:00Z",
        "triggerReason": "Trigger",
        "seqNo": number,
        "transactionInfo": {"transactionId": "t"},
    }


def with_outbox(bench):
    """The same station with one more outbox, and what that delivered."""
    context = bench.station._context
    delivered = []
    context.outboxes["test"] = Outbox(context, lambda payload, outcome: delivered.append(payload))
    return context.outboxes["test"], delivered


def put(bench, *numbers):
    for number in numbers:
        bench.station._context.outboxes["test"].put("TransactionEvent", event(number))


def told(delivered):
    return [(payload["seqNo"], payload.get("offline", False)) for payload in delivered]


@pytest.fixture
def bench():
    return Bench()


def test_what_waits_goes_out_after_the_boot_and_after_what_the_boot_brings(bench):
    _, delivered = with_outbox(bench)
    put(bench, 0, 1)
    bench.boot()
    assert told(delivered) == [(0, True), (1, True)]
    actions = [frame[2] for frame in bench.said]
    assert actions.index("StatusNotification") < actions.index("TransactionEvent")


def test_what_waits_goes_out_on_the_next_connection(bench):
    _, delivered = with_outbox(bench.boot())
    put(bench, 0, 1)
    bench.lose()
    put(bench, 2)
    bench.boot()
    assert told(delivered) == [(0, True), (1, True), (2, True)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["put", "answer", "lose", "connect"]), max_size=25))
def test_after_a_sudden_death_only_the_letter_under_way_may_arrive_twice(steps):
    bench = Bench().boot()
    outbox, delivered = with_outbox(bench)
    number = 0
    for step in steps:
        match step:
            case "put":
                put(bench, number)
                number += 1
            case "answer" if bench.station._context.peer.outstanding:
                bench.answer({})
            case "lose":
                bench.lose()
            case "connect" if not bench.station._context.connected:
                bench.boot()
    again = Bench()
    second, later = with_outbox(again)
    lasting = bench.station._lasting()
    second.restore(lasting["outbox-test"])
    again.boot()
    arrived = [payload["seqNo"] for payload in [*delivered, *later]]
    assert arrived == list(range(number))
    assert outbox.waiting == () or {payload["offline"] for payload in later} == {True}


def test_a_reboot_keeps_what_waits(bench):
    _, delivered = with_outbox(bench.boot())
    put(bench, 0)
    bench.ask("Reset", {"type": "Immediate"})
    bench.do(PowerOn())
    bench.boot()
    assert told(delivered) == [(0, True)]
