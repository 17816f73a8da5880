"""A report that is told in parts has an end."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Told

ENDLESS = "report without an end"
WAITED = Missed("NotifyReport", 12.0, (("/requestId", "1"), ("/tbc", "false")))


def asked(model, at_s, id_=1, status="Accepted"):
    report = Asked(at_s, "GetBaseReport", {"requestId": id_}, f"q{at_s}")
    model.saw(report)
    model.saw(Told(at_s + 0.1, report, {"status": status}))


def part(model, at_s, seq, *, more=True, id_=1, answered=True):
    payload = {"requestId": id_, "seqNo": seq, "tbc": more}
    called = Called(at_s, "NotifyReport", payload, f"c{at_s}")
    model.saw(called)
    if answered:
        model.saw(Answered(at_s + 0.1, called, {}))


def told(*parts, meanwhile=(), status="Accepted", waited=(WAITED,), end_s=20.0, **more):
    """A report of which some parts are told, each with its tbc; what is wrong with it in the end."""
    model = Model()
    asked(model, 1.0, status=status)
    for seq, tbc in enumerate(parts):
        part(model, 2.0 + seq, seq, more=tbc, **more)
    for event in meanwhile:
        model.saw(event)
    model.over(end_s, waited)
    return [o.name for o in model.objections if o.name == ENDLESS]


def test_a_report_that_stops_in_its_midst_is_found():
    assert told(True) == told(True, True) == [ENDLESS]
    assert told(True, True, False) == told(False) == told(True, None) == []


@pytest.mark.parametrize(
    "how",
    [
        {"waited": ()},
        {"waited": (Missed("NotifyReport", 12.0, (("/requestId", "1"),)),)},
        {"waited": (Missed("NotifyReport", 12.0, (("/requestId", "2"), ("/tbc", "false"))),)},
        {"end_s": 10.0},
        {"status": "Rejected"},
        {"meanwhile": (Closed(4.0), Opened(4.5))},
        {"meanwhile": (Closed(4.0),)},
        {"meanwhile": (Called(4.0, "Heartbeat", {}, "h"),)},
        {"answered": False},
    ],
    ids=str,
)
def test_a_report_may_be_slow_or_hindered_or_wanted_by_nobody(how):
    assert told(True, **how) == []


def test_of_two_reports_with_one_id_nobody_knows_whose_part_is_the_last():
    model = Model()
    asked(model, 1.0)
    part(model, 2.0, 0)
    asked(model, 3.0)
    part(model, 4.0, 0)
    model.over(20.0, (WAITED,))
    assert ENDLESS not in [o.name for o in model.objections]
