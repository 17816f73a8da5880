"""What a station agrees to is held against what it said of itself; where it may choose, nothing is said."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Opened, Operated, Told

TOKEN = {"idToken": "A", "type": "ISO14443"}
RUNS = "RequestStopTransaction rejected for a running transaction"
NEVER_WAS = "RequestStopTransaction accepted for a transaction that never was"


def ask(model, at_s, action, answer, **payload):
    """A CALL and its answer, a text for its status, "" for a CALLERROR; what is wrong with that."""
    asked = Asked(at_s, action, payload, f"q{at_s}")
    found = model.saw(asked)
    told = {"status": answer} if isinstance(answer, str) else answer
    found += model.saw(Told(at_s + 0.1, asked, told, "" if answer else "FormatViolation"))
    return [o.name for o in found]


def read(model, at_s, evse, variable, status="Accepted", value=""):
    named = {"component": {"name": "EVSE", "evse": {"id": evse}}, "variable": {"name": variable}}
    result = {**named, "attributeStatus": status, **({"attributeValue": value} if value else {})}
    ask(model, at_s, "GetVariables", {"getVariableResult": [result]}, getVariableData=[named])


def charging(**more):
    """A transaction that charges at EVSE 1 and was told of three seconds after anything that was done."""
    model = Model()
    model.saw(Operated(1.0, "plug-in 1"))
    for seq, kind in enumerate(("Started", "Updated")):
        payload = {
            "eventType": kind,
            "seqNo": seq,
            "triggerReason": "Authorized",
            "transactionInfo": {"transactionId": "t1", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            "idToken": TOKEN,
            **more,
        }
        called = Called(4.0 + seq, "TransactionEvent", payload, f"c{seq}")
        model.saw(called)
        model.saw(Answered(4.1 + seq, called, {}))
    return model


@pytest.mark.parametrize(
    ("id_", "status", "wrong"),
    [
        ("never-heard-of", "Accepted", [NEVER_WAS]),
        ("never-heard-of", "Rejected", []),
        ("never-heard-of", "", []),
        ("perhaps-from-before", "Accepted", []),
        ("t1", "Accepted", []),
        ("t1", "Rejected", [RUNS]),
        ("t1", "", []),
    ],
)
def test_what_runs_is_stopped_and_what_never_was_is_not(id_, status, wrong):
    assert ask(charging(), 6.0, "RequestStopTransaction", status, transactionId=id_) == wrong


def test_a_stop_may_be_refused_where_the_transaction_may_be_over():
    model = charging()
    model.saw(Operated(5.5, "unplug 1"))
    assert ask(model, 6.0, "RequestStopTransaction", "Rejected", transactionId="t1") == []


@pytest.mark.parametrize(
    ("model", "status", "place", "wrong"),
    [
        (charging, "Unlocked", (1, 1), 1),
        (charging, "UnlockFailed", (1, 1), 0),
        (charging, "OngoingAuthorizedTransaction", (1, 1), 0),
        (charging, "Unlocked", (2, 1), 0),
        (charging, "Unlocked", (1, 2), 0),
        (Model, "Unlocked", (1, 1), 0),
        (lambda: charging(idToken=None), "Unlocked", (1, 1), 0),
    ],
)
def test_no_connector_is_unlocked_under_power(model, status, place, wrong):
    found = ask(model(), 6.0, "UnlockConnector", status, evseId=place[0], connectorId=place[1])
    assert found == ["connector unlocked while an EV charges"] * wrong


ENDED_BY_IT = "authorized transaction ended by UnlockConnector"


@pytest.mark.parametrize(
    ("model", "place", "reason", "wrong"),
    [
        (charging, 1, "UnlockCommand", 1),
        (charging, 1, "EVCommunicationLost", 0),
        (charging, 2, "UnlockCommand", 0),
        (lambda: charging(idToken=None), 1, "UnlockCommand", 0),
    ],
)
def test_no_authorized_transaction_is_ended_by_what_must_not_unlock(model, place, reason, wrong):
    seen = model()
    ask(seen, 6.0, "UnlockConnector", "UnlockFailed", evseId=place, connectorId=1)
    ended = {"eventType": "Ended", "seqNo": 9, "triggerReason": reason, "evse": {"id": 1}}
    found = seen.saw(
        Called(7.0, "TransactionEvent", {**ended, "transactionInfo": {"transactionId": "t1"}}, "u")
    )
    assert [o.name for o in found].count(ENDED_BY_IT) == wrong


ON_51 = (
    ("RequestStartTransaction", "Accepted", {"evseId": 51, "remoteStartId": 1, "idToken": TOKEN}),
    ("ChangeAvailability", "Accepted", {"evse": {"id": 51}, "operationalStatus": "Inoperative"}),
    ("UnlockConnector", "Unlocked", {"evseId": 51, "connectorId": 1}),
)


@pytest.mark.parametrize(
    ("action", "status", "payload"), ON_51, ids=lambda x: x if isinstance(x, str) else ""
)
@pytest.mark.parametrize("known", ["UnknownComponent", "UnknownVariable", ""])
def test_nothing_is_accepted_on_an_evse_that_the_station_says_is_not_there(
    action, status, payload, known
):
    def asked(answer):
        model = Model()
        if known:
            read(model, 1.0, 51, "Available", known)
        return ask(model, 2.0, action, answer, **payload)

    wrong = [f"{action} accepted on an EVSE that is not there"] * (known == "UnknownComponent")
    assert asked(status) == wrong
    assert asked("Rejected") == []


@pytest.mark.parametrize(
    ("state", "between", "wrong"),
    [
        ("Faulted", (), 1),
        ("Available", (), 0),
        ("Faulted", (Operated(1.5, "clear-fault 1"),), 0),
        ("Faulted", (Called(1.5, "StatusNotification", {}, "s"),), 0),
    ],
)
def test_nobody_is_started_on_an_evse_that_says_it_is_faulted(state, between, wrong):
    model = Model()
    read(model, 1.0, 1, "AvailabilityState", value=state)
    for event in between:
        model.saw(event)
    found = ask(
        model, 2.0, "RequestStartTransaction", "Accepted", evseId=1, remoteStartId=1, idToken=TOKEN
    )
    assert found == ["RequestStartTransaction accepted on a faulted EVSE"] * wrong


@pytest.mark.parametrize(
    ("status", "value", "found"),
    [("UnknownComponent", "", 1), ("Accepted", "false", 1), ("Accepted", "true", 0), ("", "", 0)],
)
def test_no_cache_is_cleared_that_is_not_there(status, value, found):
    model = Model()
    named = {"component": {"name": "AuthCacheCtrlr"}, "variable": {"name": "Enabled"}}
    result = {**named, "attributeStatus": status, **({"attributeValue": value} if value else {})}
    ask(model, 1.0, "GetVariables", {"getVariableResult": [result]}, getVariableData=[named])
    wrong = ["ClearCache accepted without a cache"] * found
    assert ask(model, 2.0, "ClearCache", "Accepted") == wrong
    assert ask(model, 3.0, "ClearCache", "Rejected") == []
    ask(model, 4.0, "SetVariables", "", setVariableData=[])
    assert ask(model, 5.0, "ClearCache", "Accepted") == []


def test_no_evse_is_reset_that_is_not_there():
    model = Model()
    read(model, 1.0, 9, "AvailabilityState", "UnknownComponent")
    wrong = ["Reset accepted on an EVSE that is not there"]
    for at_s, status in enumerate(("Accepted", "Scheduled"), 2):
        assert ask(model, at_s, "Reset", status, type="OnIdle", evseId=9) == wrong
    assert ask(model, 5.0, "Reset", "Rejected", type="OnIdle", evseId=9) == []
    assert ask(model, 6.0, "Reset", "Accepted", type="OnIdle", evseId=1) == []


# --- connectors that are not there --------------------------------------------------------------------------------


def connector(model, at_s, number, status):
    component = {"name": "Connector", "evse": {"id": 1, "connectorId": number}}
    result = {"component": component, "variable": {"name": "AvailabilityState"}}
    asked = Asked(at_s, "GetVariables", {"getVariableData": [result]}, f"k{at_s}")
    model.saw(asked)
    model.saw(Told(at_s, asked, {"getVariableResult": [{**result, "attributeStatus": status}]}))


ON_CONNECTOR_51 = [
    (
        "ChangeAvailability",
        "Accepted",
        {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 51}},
    ),
    ("UnlockConnector", "Unlocked", {"evseId": 1, "connectorId": 51}),
]


@pytest.mark.parametrize(("action", "status", "payload"), ON_CONNECTOR_51)
@pytest.mark.parametrize(
    ("first", "other", "wrong"),
    [
        ("Accepted", "UnknownComponent", 1),
        ("UnknownComponent", "UnknownComponent", 0),
        ("Accepted", "UnknownVariable", 0),
        ("Accepted", "Accepted", 0),
    ],
)
def test_nothing_is_accepted_on_a_connector_that_the_station_says_is_not_there(
    action, status, payload, first, other, wrong
):
    def asked(answer):
        model = Model()
        connector(model, 1.0, 1, first)
        connector(model, 1.5, 51, other)
        return ask(model, 2.0, action, answer, **payload)

    assert asked(status) == [f"{action} accepted on an EVSE that is not there"] * wrong
    assert asked("Rejected") == []


UNNAMED = "remote start without the transaction that runs"


def started_beside(answer, *, token=None, plug="plug-in 1", between=(), **more):
    """A remote start at EVSE 1 or another, where a transaction began when the EV came."""
    model = Model()
    model.saw(Operated(1.0, plug))
    info = {"transactionId": "t1", "chargingState": "EVConnected"}
    payload = {"eventType": "Started", "seqNo": 0, "transactionInfo": info, "evse": {"id": 1}}
    called = Called(2.0, "TransactionEvent", {**payload, **(token or {})}, "c")
    for event in (called, Answered(2.1, called, {}), *between):
        model.saw(event)
    asked = {"evseId": 1, "remoteStartId": 1, "idToken": TOKEN, **more}
    return [n for n in ask(model, 4.0, "RequestStartTransaction", answer, **asked) if n == UNNAMED]


def test_a_remote_start_names_the_transaction_that_waits_for_it():
    assert started_beside({"status": "Accepted"}) == [UNNAMED]
    assert started_beside({"status": "Accepted", "transactionId": "t2"}) == [UNNAMED]
    assert started_beside({"status": "Accepted", "transactionId": "T1"}) == []
    assert started_beside({"status": "Rejected"}) == []


@pytest.mark.parametrize(
    "more",
    [
        {"token": {"idToken": TOKEN}},
        {"token": {"offline": True}},
        {"evseId": 2},
        {"plug": "plug-in 2"},
        {"between": (Operated(3.0, "unplug 1"),)},
        {"between": (Closed(3.0), Opened(3.1))},
        {"between": (Called(3.0, "Heartbeat", {}, "h"),)},
    ],
    ids=str,
)
def test_a_remote_start_names_nothing_where_nobody_knows_what_runs(more):
    assert started_beside({"status": "Accepted"}, **more) == []
