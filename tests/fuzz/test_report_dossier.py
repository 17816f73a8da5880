"""What is looked at of a finding: its messages, what is wrong with them, and two conversations of one case."""

from dataclasses import replace

from fuzz.records import AnswerNext, Ask, RepeatSteps, Run, SendBytes, SendText
from fuzz.report.dossier import MAX_SENT, SENT_LIMIT, dossier_of
from fuzz.testing import case, finding, mutation, target, us

FAULT, CONTROL = (us(0, [2, "1", "Reset", {}]),), (target(1, [3, "1", {}]),)


def test_fault_and_control_are_plays_of_the_same_case():
    runs = (Run(False, True, FAULT), Run(True, False, CONTROL))
    made = dossier_of(replace(finding(), entries=(), runs=runs))
    assert (made.fault, made.control) == (FAULT, CONTROL)


def test_of_a_case_that_was_made_smaller_its_own_play_is_shown():
    found = case(steps=[SendText(("[2]",)), SendText(("[3]",))])
    runs = (Run(False, True, CONTROL), Run(True, False, CONTROL))
    made = replace(finding(shown=case(steps=[SendText(("[2]",))])), entries=FAULT, runs=runs)
    told = dossier_of(replace(made, original=found))
    assert (told.fault, told.control, told.smaller) == (FAULT, CONTROL, True)
    as_found = dossier_of(replace(made, original=made.case))
    assert (as_found.fault, as_found.smaller) == (CONTROL, False)


def test_without_both_kept_the_last_conversation_stands_alone():
    for runs in ((), (Run(False, True, CONTROL),), (Run(True, False, CONTROL, "disturbed"),)):
        made = dossier_of(replace(finding(), entries=FAULT, runs=runs))
        assert (made.fault, made.control) == (FAULT, ())


def test_every_message_of_a_case_is_told_in_words():
    steps = [
        SendText(("[2]",)),
        SendBytes(b"\x00\x01", "binary"),
        Ask(("[3]",)),
        AnswerNext("Authorize", ()),
        RepeatSteps((SendText(("again",)),), 7),
    ]
    assert dossier_of(finding(shown=case(steps=steps))).sent == (
        ("sent as text", "[2]"),
        ("sent as one binary message, in Base64", "AAE="),
        ("asked properly before or after", "[3]"),
        ("the target's next Authorize left without an answer", ""),
        ("7 times sent as text", "again"),
    )


def test_many_and_long_messages_are_cut():
    steps = [
        SendText(("x" * 10 * SENT_LIMIT,)),
        *[SendBytes(bytes(10 * SENT_LIMIT), "binary")] * 100,
    ]
    sent = dossier_of(finding(shown=case(steps=steps))).sent
    assert len(sent) == MAX_SENT
    assert all(len(text) < SENT_LIMIT + 100 for _, text in sent)


def test_what_is_wrong_is_told_by_its_rules():
    made = dossier_of(finding(shown=case(mutations=[mutation("/a", "maxLength", "one-more")])))
    assert made.keywords == ("maxLength",)
    assert made.wrong == ("payload /a: maxLength, one-more",)
