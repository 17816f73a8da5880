from fuzz.records import Side
from fuzz.traffic.events import Closing, Lost, Opened, Said
from fuzz.traffic.exchanges import MAX_OPEN, Exchange, Oddity, Paired, exchanges

CALL, RESULT, ERROR = '[2,"1","Heartbeat",{}]', '[3,"1",{}]', '[4,"1","NotSupported","",{}]'


def station(text: str | bytes, talk: str = "a") -> Said:
    return Said(talk, Side.STATION, text)


def csms(text: str | bytes, talk: str = "a") -> Said:
    return Said(talk, Side.CSMS, text)


def short(found: list[Paired]) -> list[object]:
    return [
        (e.call.text, None if e.answer is None else e.answer.text) if isinstance(e, Exchange) else e
        for e in found
    ]


def test_a_call_is_paired_with_its_answer_and_one_without_comes_last() -> None:
    other = '[2,"2","Reset",{}]'
    told = [csms(other), station(CALL), csms(RESULT)]
    assert short(list(exchanges(told))) == [(CALL, RESULT), (other, None)]


def test_an_answer_belongs_to_the_connection_and_the_side_that_asked() -> None:
    lost = Lost("an answer whose CALL is not in the recording")
    assert short(list(exchanges([station(CALL), csms(RESULT, "b"), station(RESULT)]))) == [
        lost,
        lost,
        (CALL, None),
    ]


def test_a_log_that_holds_both_ends_gives_each_exchange_once() -> None:
    told = [station(CALL), station(CALL), csms(ERROR), csms(ERROR), station(CALL)]
    assert short(list(exchanges(told))) == [(CALL, ERROR)]


def test_a_second_and_different_answer_is_told() -> None:
    assert short(list(exchanges([station(CALL), csms(RESULT), csms(ERROR)]))) == [
        (CALL, RESULT),
        Lost("an answer whose CALL is not in the recording"),
    ]


def test_an_id_that_is_used_again_is_another_call() -> None:
    again = CALL.replace("{}", '{"a":1}')
    assert short(list(exchanges([station(CALL), station(again), csms(RESULT)]))) == [
        (CALL, None),
        (again, RESULT),
    ]


def test_what_is_no_message_passes_as_it_is() -> None:
    odd = [station(t) for t in ("x", "{}", "[]", "[true]", "[9]", "[3,1,{}]", b"\xff")]
    assert list(exchanges([Opened("a"), *odd])) == [Opened("a"), *(Oddity(s) for s in odd)]
    (call,) = exchanges([station("[2,null]")])
    assert isinstance(call, Exchange)


def test_how_a_connection_ends_is_no_exchange() -> None:
    told = [station(CALL), Closing("a", Side.CSMS, 1000), csms(RESULT)]
    assert short(list(exchanges(told))) == [(CALL, RESULT)]


def test_calls_that_wait_are_bounded() -> None:
    told = (station(f'[2,"{i}","Heartbeat",{{}}]') for i in range(MAX_OPEN + 3))
    first = next(exchanges(told))
    assert isinstance(first, Exchange)
    assert first.call.frame[1] == "0"
