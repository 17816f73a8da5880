import json

import pytest

from fuzz.engine.claims import broken_claims
from fuzz.engine.recorded import Recorder
from fuzz.records import AnswerNext, Case, Effect, Expect, SendBytes, SendText, Side
from fuzz.traffic.events import Said
from fuzz.traffic.exchanges import Exchange, Message, Oddity
from fuzz.traffic.placeholders import Placeholders
from strategies.labels import Fault, Position, Stance, Tier, spell
from strategies.version import version


def message(sender: Side, text: str) -> Message:
    return Message(sender, text, json.loads(text))


def made(sender: Side, call: str, answer: str | None = None) -> list[Case | None]:
    other = Side.CSMS if sender is Side.STATION else Side.STATION
    told = None if answer is None else message(other, answer)
    return list(
        Recorder(version(), Placeholders(version())).cases(Exchange(message(sender, call), told))
    )


def only(sender: Side, call: str) -> Case:
    (case,) = made(sender, call)
    assert case is not None
    return case


def text_of(case: Case) -> str:
    (step,) = (s for s in case.steps if isinstance(s, SendText | AnswerNext))
    return spell(step.text)


def test_what_a_csms_said_attacks_a_station_and_keeps_every_byte_but_its_id() -> None:
    case = only(Side.CSMS, '[2, "8f3c-1" ,"Reset",{ "type":"\\u0049mmediate"}]')
    assert text_of(case) == '[2, "{call.id}" ,"Reset",{ "type":"\\u0049mmediate"}]'
    assert (case.side, case.position, case.action) == (Side.STATION, Position.CALL, "Reset")
    assert case.effect is Effect.PERSISTENT
    assert (case.expectation.stance, case.expectation.tier) == (Stance.ACCEPT, Tier.PRIMITIVE)
    assert case.mutations == ()


def test_what_a_station_said_attacks_a_csms() -> None:
    case = only(Side.STATION, '[2,"1","Heartbeat",{}]')
    assert case.side is Side.CSMS
    assert case.expectation.stance is Stance.ACCEPT


def test_an_answer_attacks_whoever_asked_and_is_provoked_where_that_can_be() -> None:
    _, answer = made(
        Side.STATION, '[2,"1","Heartbeat",{}]', '[3,"1",{"currentTime":"2020-01-01T00:00:00Z"}]'
    )
    assert answer is not None
    assert (answer.side, answer.position) == (Side.STATION, Position.CALLRESULT)
    # A time of long ago would set the station's clock.
    assert text_of(answer) == '[3,"{call.id}",{"currentTime":"{time.now}"}]'
    assert [type(s).__name__ for s in answer.steps] == ["AnswerNext", "Ask", "Expect"]

    _, error = made(Side.CSMS, '[2,"1","Reset",{"type":"OnIdle"}]', '[4,"1","NotSupported","",{}]')
    assert error is not None
    assert (error.side, error.position) == (Side.CSMS, Position.CALLERROR)
    assert error.steps[1:] == (Expect("Reset", 2.0),)


@pytest.mark.parametrize(
    ("call", "stance", "fault", "pointer", "keyword"),
    [
        ('[2,"1","Reset",{"type":"Now"}]', Stance.REJECT, Fault.VALUE, "/type", "enum"),
        ('[2,"1","Reset",{}]', Stance.REJECT, Fault.MISSING, "", "required"),
        ('[2,"1","Reset",{"x":1}]', Stance.UNSPECIFIED, None, "", "additionalProperties"),
        ('[2,"1","Nonsense",{}]', Stance.UNSPECIFIED, Fault.ACTION_DIRECTION, "/2", "action"),
        ('[2,"1","Heartbeat",{}]', Stance.UNSPECIFIED, Fault.ACTION_DIRECTION, "/2", "action"),
        ('[2,"1","Reset",{"type":"OnIdle"},5]', Stance.UNSPECIFIED, None, "", "RpcFrameworkError"),
        ('[2,"1"]', Stance.UNSPECIFIED, None, "", "RpcFrameworkError"),
        (
            '[2,"1","GetBaseReport",{"reportBase":"FullInventory","requestId":4294967296}]',
            *(Stance.UNSPECIFIED, None, "/requestId", "integer"),
        ),
    ],
)
def test_what_is_broken_says_what_as_far_as_one_can_tell(
    call: str, stance: Stance, fault: Fault | None, pointer: str, keyword: str
) -> None:
    case = only(Side.CSMS, call)
    assert (case.expectation.stance, case.expectation.fault) == (stance, fault)
    (mutation,) = case.mutations
    assert (mutation.pointer, mutation.keyword, mutation.operator) == (pointer, keyword, "recorded")
    assert list(broken_claims(case, version())) == []


@pytest.mark.parametrize(
    ("id_", "slot"),
    [
        ('"x"', '"{call.id}"'),
        ('"' + "x" * 36 + '"', '"{call.id}"'),
        ('"' + "x" * 40 + '"', '"{call.id:40}"'),
        ('""', '""'),
        ("7", "7"),
        ('"a b"', '"a b"'),
        ('"' + "x" * 100 + '"', '"' + "x" * 100 + '"'),
    ],
)
def test_an_id_becomes_a_slot_unless_it_is_the_oddity(id_: str, slot: str) -> None:
    case = only(Side.CSMS, f'[2,{id_},"ClearCache",{{}}]')
    assert text_of(case) == f'[2,{slot},"ClearCache",{{}}]'


def test_odd_messages_are_bytes_for_which_nothing_is_expected() -> None:
    (case,) = Recorder(version(), Placeholders(version())).cases(
        Oddity(Said("a", Side.CSMS, "{call.id} \u20ac"))
    )
    assert case is not None
    assert case.steps == (SendBytes("{call.id} €".encode(), "text"),)
    assert case.expectation.stance is Stance.UNSPECIFIED


def test_a_message_that_no_placeholder_fits_is_given_up() -> None:
    number = 10**18
    recorder = Recorder(version(), Placeholders(version()))
    full = {"idToken": {"idToken": "t" * 36, "type": "Central"}}
    recorder.hidden._known["t" * 36] = f"TOKEN{number * number}"
    call = message(Side.STATION, json.dumps([2, "1", "Authorize", full]))
    assert list(recorder.cases(Exchange(call))) == [None]
