"""What a scene leaves behind: told from its transcript alone."""

import json

from fuzz.engine.tidy import Leftovers, leftovers
from fuzz.ocppj.history import history
from fuzz.records import Entry, Who


def done(words: str) -> Entry:
    return Entry(0.0, Who.HARNESS, "operator", words)


def event(kind: str, transaction: str) -> Entry:
    payload = {"eventType": kind, "transactionInfo": {"transactionId": transaction}}
    return Entry(
        0.0,
        Who.TARGET,
        "text",
        json.dumps([2, f"{kind}{transaction}", "TransactionEvent", payload]),
    )


def boot(status: str | None, who: Who = Who.HARNESS) -> list[Entry]:
    asked = Entry(0.0, Who.TARGET, "text", '[2,"b","BootNotification",{}]')
    if status is None:
        return [asked]
    return [asked, Entry(0.0, who, "text", json.dumps([3, "b", {"status": status}]))]


def left(*entries: Entry) -> Leftovers:
    return leftovers(history(entries))


def test_what_was_undone_in_the_scene_is_not_left() -> None:
    assert not left(done("plug-in 1"), done("unplug 1"))
    assert not left(event("Started", "a"), event("Ended", "a"), *boot("Accepted"))


def test_what_is_plugged_in_cut_or_faulty_is_undone_the_network_first() -> None:
    found = left(done("plug-in 1"), done("fault 2"), done("cut-network"), done("unplug 2"))
    assert found.words == (("restore-network", ""), ("unplug", "1"), ("clear-fault", "2"))


def test_a_running_transaction_is_left_and_one_that_the_scene_only_saw_ending_is_not() -> None:
    assert left(event("Started", "a"), event("Ended", "b")).transactions == ("a",)


def test_a_station_whose_last_boot_was_not_accepted_is_not_ready() -> None:
    assert left(*boot("Pending")).unready
    assert left(*boot(None)).unready
    assert not left(*boot("Pending"), *boot("Accepted")).unready


def test_a_boot_that_the_case_answered_counts_when_the_station_goes_on() -> None:
    status = Entry(0.0, Who.TARGET, "text", '[2,"s","StatusNotification",{}]')
    assert left(*boot("Accepted", Who.US)).unready
    assert not left(*boot("Accepted", Who.US), status).unready
    assert left(*boot("Rejected", Who.US), status).unready


def answered(kind: str, transaction: str, who: Who) -> list[Entry]:
    text = json.dumps([3, f"{kind}{transaction}", {}])
    return [event(kind, transaction), Entry(0.0, who, "text", text)]


def test_a_transaction_whose_last_event_the_case_answered_itself_will_not_end_soon() -> None:
    assert left(*answered("Started", "a", Who.US)).stalled
    assert not left(*answered("Started", "a", Who.HARNESS)).stalled
    assert not left(
        *answered("Started", "a", Who.US), *answered("Updated", "a", Who.HARNESS)
    ).stalled
    assert not left(*answered("Ended", "a", Who.US)).stalled


def test_after_a_lost_connection_messages_may_still_wait_to_be_sent() -> None:
    assert left(Entry(0.0, Who.HARNESS, "open", "a new connection")).queued
    assert left(Entry(0.0, Who.TARGET, "close", "1006")).queued
    assert not left(done("plug-in 1"), done("unplug 1")).queued


def test_a_transaction_event_that_the_case_answered_may_be_sent_again() -> None:
    badly = Entry(0.0, Who.US, "text", '[4,"Endeda","InternalError","",{}]')
    properly = Entry(0.0, Who.HARNESS, "text", '[3,"Endeda",{}]')
    assert left(event("Ended", "a"), badly).queued
    assert not left(event("Ended", "a"), properly).queued


def authorize(status: str) -> list[Entry]:
    asked = Entry(0.0, Who.TARGET, "text", '[2,"z","Authorize",{}]')
    told = json.dumps([3, "z", {"idTokenInfo": {"status": status}}])
    return [asked, Entry(0.0, Who.HARNESS, "text", told)]


def test_who_was_let_in_and_did_not_charge_is_left() -> None:
    shown = done("present-token A ISO14443")
    assert left(shown).floating
    assert left(shown, *authorize("Accepted")).floating
    assert not left(shown, *authorize("Blocked")).floating
    assert not left(shown, event("Started", "a"), event("Ended", "a")).floating
    assert not left(shown, *boot("Accepted")).floating
    assert left(shown, event("Started", "a"), event("Ended", "a"), shown).floating
