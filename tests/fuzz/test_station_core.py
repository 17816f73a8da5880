import json

import pytest
from hypothesis import given, strategies as st

from fuzz.ocppj.codec import decode
from fuzz.ocppj.frames import Call, CallError, CallResult
from fuzz.ocppj.payloads import validate_payload
from fuzz.station.bench import Bench
from fuzz.station.events import (
    Connect,
    Connected,
    CutNetwork,
    Endpoint,
    PowerOn,
    Reboot,
    SendText,
    Tick,
)
from fuzz.station.states import Registration
from strategies.labels import Kind
from strategies.version import version

V = version()
CONNECT = Connect(Endpoint("ws://localhost", 1))

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
texts = (
    st.text()
    | st.lists(st.sampled_from('[]{},:"234a\\')).map("".join)
    | st.tuples(
        st.sampled_from([2, 3, 4, 5]), st.sampled_from(["q", "s4", "s5"]), values, values
    ).map(json.dumps)
    | st.tuples(st.just(2), st.just("q"), st.sampled_from(sorted(V.actions)), values).map(
        json.dumps
    )
)


def judge(text):
    """Whether what the station said is proper; a CALLRESULT is judged by `test_every_answer_is_proper`."""
    frame = decode(text, V)
    match frame:
        case Call(action=action, payload=payload):
            return validate_payload(action, Kind.REQUEST, payload, V) is None
        case CallError(code=code, description=description):
            return code in V.error_codes and len(description) <= 255
        case CallResult():
            return True


@given(st.lists(texts | st.binary(max_size=8), max_size=8))
def test_whatever_is_heard_only_proper_messages_are_said_and_the_station_lives(messages):
    bench = Bench().boot()
    for message in messages:
        for command in bench.hear(message):
            assert not isinstance(command, SendText) or judge(command.text)
    bench.now += 40
    bench.do(Tick())
    assert bench.ask("ClearCache", {})[:2] == [3, "q"]


requests = {
    "ChangeAvailability": [
        {"operationalStatus": "Inoperative"},
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}},
        {"operationalStatus": "Operative", "evse": {"id": 0}},
    ],
    "ClearCache": [{}],
    "GetTransactionStatus": [{}, {"transactionId": "none"}],
    "RequestStartTransaction": [
        {"remoteStartId": 1, "idToken": {"idToken": "", "type": "Central"}, "evseId": evse}
        for evse in (-1, 0, 1, 2)
    ],
    "RequestStopTransaction": [{"transactionId": "none"}],
    "UnlockConnector": [{"evseId": 1, "connectorId": 1}, {"evseId": 0, "connectorId": -1}],
    "DataTransfer": [{"vendorId": "any", "data": {"deep": [1, None]}}],
    "CertificateSigned": [{"certificateChain": "none"}],
    "DeleteCertificate": [
        {
            "certificateHashData": {
                "hashAlgorithm": "SHA384",
                "issuerNameHash": "00",
                "issuerKeyHash": "",
                "serialNumber": "1",
            }
        }
    ],
    "GetInstalledCertificateIds": [{}, {"certificateType": ["V2GCertificateChain"]}],
    "InstallCertificate": [
        {"certificateType": use, "certificate": "none"}
        for use in ("CSMSRootCertificate", "MORootCertificate")
    ],
    "SetNetworkProfile": [
        {
            "configurationSlot": slot,
            "connectionData": {
                "ocppVersion": "OCPP20",
                "ocppTransport": "JSON",
                "ocppCsmsUrl": "ws://csms.test",
                "messageTimeout": 30,
                "securityProfile": 1,
                "ocppInterface": "Wired0",
            },
        }
        for slot in (1, 999)
    ],
    "GetBaseReport": [
        {"requestId": 1, "reportBase": base} for base in ("FullInventory", "SummaryInventory")
    ],
    "GetLog": [
        {"logType": kind, "requestId": 1, "log": {"remoteLocation": "http://files.test/"}}
        for kind in ("DiagnosticsLog", "SecurityLog")
    ],
    "UpdateFirmware": [
        {
            "requestId": 1,
            "firmware": {
                "location": "http://files.test/firmware",
                "retrieveDateTime": "2026-01-01T00:00:00Z",
                **signed,
            },
        }
        for signed in ({}, {"signingCertificate": "none", "signature": "none"})
    ],
    "GetReport": [{"requestId": 1}, {"requestId": 1, "componentCriteria": ["Problem"]}],
    "CustomerInformation": [
        {"requestId": 1, "report": report, "clear": True, "customerIdentifier": "c"}
        for report in (True, False)
    ],
    "GetVariables": [
        {
            "getVariableData": [
                {
                    "component": {"name": "EVSE", "evse": {"id": 1.0}},
                    "variable": {"name": "power", "instance": ""},
                    "customData": {"vendorId": "v"},
                },
                {
                    "component": {"name": "None"},
                    "variable": {"name": "x"},
                    "attributeType": "Target",
                },
            ]
        }
    ],
    "Reset": [{"type": "OnIdle", "evseId": 1}, {"type": "Immediate"}],
    "SetVariables": [
        {
            "setVariableData": [
                {
                    "attributeValue": "x",
                    "component": {"name": "TxCtrlr"},
                    "variable": {"name": "TxStartPoint"},
                }
            ]
        }
    ],
    "TriggerMessage": [
        {"requestedMessage": "Heartbeat"},
        {"requestedMessage": "MeterValues"},
        {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}},
    ],
}


@pytest.mark.parametrize("action", sorted(requests))
def test_every_answer_is_proper(action):
    for payload in requests[action]:
        kind, _, answer = Bench().boot().ask(action, payload)
        assert kind == 3
        assert validate_payload(action, Kind.RESPONSE, answer, V) is None


def test_the_station_answers_exactly_these_actions():
    bench = Bench().boot()
    served = {action for action in V.actions if bench.ask(action, {})[2] != "NotSupported"}
    assert served == set(requests)


@pytest.mark.parametrize(
    "text",
    [
        '[2,"q","ClearCache",{"customData":{"vendorId":"\\ud800"}}]',
        '[2,"q","ClearCache",{"customData":{"vendorId":"v","n":' + "9" * 5000 + "}}]",
        "[" * 100_000,
        '[2,"q","ClearCache",' + '{"customData":' * 2000 + "1" + "}" * 2001,
        b"\xff\xfe",
        b"[2]",
    ],
)
def test_what_kills_readers_is_answered_and_survived(text):
    bench = Bench().boot()
    (command,) = bench.hear(text)
    assert json.loads(command.text)[2] in {"RpcFrameworkError", "FormatViolation"}
    assert bench.ask("ClearCache", {})[0] == 3


def test_an_unsolicited_answer_is_ignored_without_a_word():
    assert Bench().boot().hear('[3,"nothing",{}]') == []


def test_power_brings_a_connection_and_the_connection_a_boot():
    bench = Bench()
    assert CONNECT in bench.do(PowerOn())
    bench.do(Connected())
    assert bench.asked[2] == "BootNotification"


def test_nothing_is_said_without_a_connection():
    bench = Bench().boot()
    bench.lose()
    assert [c for c in bench.wait(2000) if isinstance(c, SendText)] == []
    assert bench.hear('[2,"q","ClearCache",{}]') == []


def test_a_lost_connection_is_dialled_again_after_the_minimum_and_a_random_part():
    bench = Bench().boot()
    bench.lose()
    assert CONNECT not in bench.wait(14.9)
    assert CONNECT in bench.wait(0.1)


def test_a_failed_attempt_doubles_the_wait_and_a_connection_resets_it():
    bench = Bench().boot()
    bench.lose()
    bench.wait(15)
    bench.lose()
    assert CONNECT not in bench.wait(24.9)
    assert CONNECT in bench.wait(0.1)
    bench.do(Connected())
    bench.lose()
    assert CONNECT in bench.wait(15)


def test_an_accepted_station_does_not_boot_again_after_a_reconnect():
    bench = Bench().boot()
    bench.lose()
    bench.wait(20)
    bench.said.clear()
    bench.do(Connected())
    assert bench.station.registration is Registration.ACCEPTED
    assert bench.said == []


def test_a_question_whose_connection_is_lost_does_not_block_the_next():
    bench = Bench().start()
    bench.lose()
    bench.do(Connected())
    assert [frame[2] for frame in bench.said] == ["BootNotification", "BootNotification"]


def test_while_it_reboots_the_station_hears_nothing():
    bench = Bench().boot()
    commands = bench.hear('[2,"q","Reset",{"type":"Immediate"}]')
    assert isinstance(commands[0], SendText)
    assert Reboot() in commands
    assert bench.hear('[2,"r","ClearCache",{}]') == []
    bench.lose()
    assert bench.station.deadline is None


def test_the_clock_never_goes_back():
    bench = Bench().boot()
    bench.now -= 1000
    assert bench.ask("ClearCache", {})[0] == 3


def test_without_a_network_a_back_off_of_nothing_is_no_busy_loop():
    bench = Bench(backoff_min_s=0.0, backoff_range_s=0.0).boot()
    bench.do(CutNetwork())
    bench.lose()
    assert bench.station.deadline > bench.now


@pytest.mark.parametrize(("value", "wait_s"), [("3", 3.0), ("600", 5.0)])
def test_a_wait_that_the_csms_sets_counts_beside_a_setting_of_ours_but_not_for_long(value, wait_s):
    bench = Bench(backoff_min_s=0.0, backoff_range_s=0.0).boot()
    named = {"component": {"name": "OCPPCommCtrlr"}}
    least = {**named, "variable": {"name": "RetryBackOffWaitMinimum"}, "attributeValue": value}
    bench.ask("SetVariables", {"setVariableData": [least]})
    bench.lose()
    assert bench.station.deadline - bench.now == pytest.approx(wait_s)
