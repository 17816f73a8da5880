"""A token that is shown is asked about where the station has no other way to know it."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told
from strategies.model.asking import WAYS

NAME = "Charging with a token that nobody was asked about"
CLOSED = {
    ("AuthCacheCtrlr", "Enabled"): ("UnknownComponent", ""),
    ("AuthCtrlr", "DisableRemoteAuthorization"): ("UnknownVariable", ""),
    ("AuthCtrlr", "Enabled"): ("Accepted", "True"),
    ("LocalAuthListCtrlr", "Enabled"): ("Accepted", "false"),
}


def station(**changed):
    """A station that says that it can know nobody, but for what is `changed`."""
    model = Model()
    for component, variable in WAYS:
        status, value = changed.get(component, CLOSED[component, variable])
        named = {"component": {"name": component}, "variable": {"name": variable}}
        asked = Asked(0.1, "GetVariables", {"getVariableData": [named]}, f"{component}{variable}")
        model.saw(asked)
        result = {**named, "attributeStatus": status, "attributeValue": value}
        model.saw(Told(0.2, asked, {"getVariableResult": [result]}))
    return model


def charged(model, *between, offline=False, token="a", state="Charging"):
    for event in (Operated(1, "plug-in 1"), Operated(2, "present-token A ISO14443"), *between):
        model.saw(event)
    payload = {
        "eventType": "Started",
        "seqNo": 0,
        "evse": {"id": 1},
        "idToken": {"idToken": token, "type": "ISO14443"},
        "transactionInfo": {"transactionId": "t1", "chargingState": state},
        **({"offline": True} if offline else {}),
    }
    return [o.name for o in model.saw(Called(5, "TransactionEvent", payload)) if o.name == NAME]


def test_energy_for_a_token_that_was_never_asked_about_is_found():
    assert charged(station()) == [NAME]


@pytest.mark.parametrize(
    "changed",
    [
        {"AuthCacheCtrlr": ("Accepted", "true")},
        {"AuthCacheCtrlr": ("UnknownVariable", "")},
        {"AuthCtrlr": ("Accepted", "false")},
        {"LocalAuthListCtrlr": ("Rejected", "")},
    ],
    ids=str,
)
def test_whoever_may_know_a_token_need_not_ask(changed):
    assert charged(station(**changed)) == []


AUTHORIZE = Called(3, "Authorize", {"idToken": {"idToken": "A", "type": "ISO14443"}}, "c")


@pytest.mark.parametrize(
    "between",
    [
        (AUTHORIZE, Answered(3.1, AUTHORIZE, {"idTokenInfo": {"status": "Accepted"}})),
        (Asked(3, "RequestStartTransaction", {}, "q"),),
        (Asked(3, "SetVariables", {}, "q"),),
        (Closed(3), Opened(4)),
    ],
    ids=["asked", "remote", "set", "cut"],
)
def test_what_happened_may_have_let_somebody_in(between):
    assert charged(station(), *between) == []


@pytest.mark.parametrize("more", [{"offline": True}, {"token": "B"}, {"state": "EVConnected"}])
def test_nothing_is_said_of_what_was_not_shown_or_takes_no_energy(more):
    assert charged(station(), **more) == []


IGNORED = "token that nobody was asked about"
PLUGGED, SHOWN = Operated(1, "plug-in 1"), Operated(2, "present-token A ISO14443")


HELD = Called(2.5, "StatusNotification", {}, "held")
"""What holds up whatever else the station has to say, until it is answered."""

WAITED = Missed("TransactionEvent", 12.0)


def ignored(*events, model=None, wait=WAITED, end_s=15.0):
    model = model or station()
    for event in events:
        model.saw(event)
    return [o.name for o in model.over(end_s, [wait]) if o.name == IGNORED]


def test_a_token_that_is_shown_in_vain_is_found():
    assert ignored(PLUGGED, SHOWN) == [IGNORED]
    assert ignored(PLUGGED, SHOWN, Operated(14.5, "unplug 1"), end_s=30.0) == [IGNORED]
    assert ignored(PLUGGED, SHOWN, Operated(2.1, "start-power 1")) == [IGNORED]


@pytest.mark.parametrize(
    "events",
    [
        (SHOWN,),
        (SHOWN, Operated(3, "plug-in 1")),
        (PLUGGED, SHOWN, AUTHORIZE),
        (PLUGGED, SHOWN, HELD),
        (PLUGGED, SHOWN, HELD, Operated(14.5, "unplug 1")),
        (PLUGGED, SHOWN, HELD, Answered(9.0, HELD, {})),
        (PLUGGED, SHOWN, HELD, Answered(2.6, HELD, {}, "InternalError")),
        (PLUGGED, SHOWN, Called(3, "TransactionEvent", {}, "t")),
        (PLUGGED, SHOWN, Operated(5, "unplug 1")),
        (PLUGGED, SHOWN, Closed(3), Opened(4)),
        (Operated(0.5, "fault 1"), PLUGGED, SHOWN),
        (Asked(0.5, "ChangeAvailability", {}, "q"), PLUGGED, SHOWN),
        (Operated(0.5, "unplug 1"), PLUGGED, SHOWN),
        (Called(0.5, "BootNotification", {}, "b"), PLUGGED, SHOWN),
        (PLUGGED, Operated(1.5, "present-token B ISO14443"), SHOWN),
    ],
    ids=str,
)
def test_a_token_is_not_ignored_where_anything_else_may_be_the_reason(events):
    assert ignored(*events) == []


def test_a_token_is_not_ignored_by_who_may_know_it_or_where_nobody_waited():
    assert ignored(PLUGGED, SHOWN, model=station(AuthCtrlr=("Accepted", "false"))) == []
    assert ignored(PLUGGED, SHOWN, wait=Missed("TransactionEvent", 14.0)) == []
    assert ignored(PLUGGED, SHOWN, wait=Missed("Heartbeat", 1.0)) == []
