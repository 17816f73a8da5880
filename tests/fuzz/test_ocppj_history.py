"""Reads transcripts: what belongs together is paired, what belongs to nothing is kept."""

from fuzz.ocppj.history import Deed, history
from fuzz.records import Entry, Who


def entry(text: str, who: Who = Who.TARGET, kind: str = "text") -> Entry:
    return Entry(0.0, who, kind, text)


def test_a_call_and_its_answer_find_each_other_in_both_directions() -> None:
    told = history(
        [
            entry('[2,"a","Reset",{}]', Who.US),
            entry('[2,"a","Heartbeat",{}]'),
            entry('[3,"a",{"status":"Accepted"}]'),
            entry('[3,"a",{"currentTime":"x"}]', Who.HARNESS),
        ]
    )
    assert [h.deed for h in told] == [Deed.ASKED, Deed.CALLED, Deed.TOLD, Deed.ANSWERED]
    ((ours, answer),) = told.asked("Reset")
    assert (ours.case, answer and answer.payload) == (True, {"status": "Accepted"})
    ((theirs, reply),) = told.called()
    assert (theirs.action, reply and reply.case) == ("Heartbeat", False)


def test_a_second_answer_and_an_answer_to_nothing_are_something_else() -> None:
    told = history(
        [
            entry('[2,"a","Reset",{}]', Who.US),
            entry('[3,"a",{}]'),
            entry('[3,"a",{}]'),
            entry('[4,"b","InternalError","",{}]'),
            entry("nonsense"),
        ]
    )
    assert [h.deed for h in told] == [Deed.ASKED, Deed.TOLD, Deed.OTHER, Deed.OTHER, Deed.OTHER]


def test_what_a_person_did_is_found_by_its_first_word() -> None:
    told = history(
        [entry("plug-in 1", Who.HARNESS, "operator"), entry("", Who.HARNESS, "operator")]
    )
    assert [h.text for h in told.operated("plug-in")] == ["plug-in 1"]
    assert len(list(told.operated())) == 2
