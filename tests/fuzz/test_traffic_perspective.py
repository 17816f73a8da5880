import pytest

from fuzz.records import Side
from fuzz.traffic.perspective import Perspective, frame_of
from strategies.version import version

BOOT = '[2,"1","BootNotification",{}]'
RESET = '[2,"2","Reset",{}]'
BOTH = '[2,"3","DataTransfer",{}]'


@pytest.mark.parametrize("sent", [True, False])
def test_an_action_that_only_one_side_calls_tells_who_called(sent: bool) -> None:
    told = Perspective(version())
    assert told.sender("CS", BOOT, sent=sent) is Side.STATION
    assert told.sender("CS", RESET, sent=sent) is Side.CSMS


def test_an_answer_comes_from_the_other_side_whichever_end_logged_it() -> None:
    told = Perspective(version())
    told.sender("CS", BOOT, sent=True)
    assert told.sender("CS", '[3,"1",{}]', sent=False) is Side.CSMS
    assert told.sender("CS", '[3,"1",{}]', sent=True) is Side.CSMS
    assert told.sender("other", '[3,"1",{}]', sent=True) is None


def test_what_both_may_say_is_told_by_whose_log_it_is() -> None:
    told = Perspective(version())
    assert told.sender("CS", BOTH, sent=True) is None
    told.sender("CS", BOOT, sent=True)
    assert told.sender("CS", BOTH, sent=True) is Side.STATION
    assert told.sender("CS", "no JSON", sent=False) is Side.CSMS


def test_an_owner_that_is_named_decides_even_against_the_action() -> None:
    told = Perspective(version(), Side.CSMS)
    assert told.sender("CS", BOOT, sent=True) is Side.CSMS
    assert told.sender("CS", BOTH, sent=False) is Side.STATION


@pytest.mark.parametrize(
    "text", ["{}", "x", "[" * 100_000, "[" + "1," * 600_000 + "1]", "[" * 200 + "]" * 200, "\ud800"]
)
def test_what_is_no_array_of_reasonable_size_is_none(text: str) -> None:
    assert frame_of(text) is None
