from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from fuzz.oracles.passive import Memory, Seen, Watch
from fuzz.records import Side

STATION, CSMS = Side.STATION, Side.CSMS
NOW = "2026-01-01T00:00:00Z"
ACCEPTED = {"currentTime": NOW, "interval": 300, "status": "Accepted"}


def call(id_: str, action: str, payload: object) -> str:
    return json.dumps([2, id_, action, payload])


def result(id_: str, payload: object) -> str:
    return json.dumps([3, id_, payload])


def error(id_: str, code: str, description: str = "", details: object = None) -> str:
    return json.dumps([4, id_, code, description, details or {}])


BOOT = {"chargingStation": {"model": "m", "vendorName": "v"}, "reason": "PowerUp"}


def transaction(kind: str, seq: int, id_: str = "T1", **more: object) -> dict[str, object]:
    return {
        "eventType": kind,
        "timestamp": NOW,
        "triggerReason": "Authorized",
        "seqNo": seq,
        "transactionInfo": {"transactionId": id_},
        **more,
    }


def asked_for_variables(names: str, *, answered: str) -> list[tuple[Side, str]]:
    """Variables of one letter each that a CSMS asks for, and those that the station answers it does not have."""
    asked = [{"component": {"name": "C"}, "variable": {"name": n}} for n in names]
    results = [
        {"attributeStatus": "UnknownComponent", "component": {"name": "C"}, "variable": {"name": n}}
        for n in answered
    ]
    return [
        (CSMS, call("1", "GetVariables", {"getVariableData": asked})),
        (STATION, result("1", {"getVariableResult": results})),
    ]


def watched(*said: tuple[Side, str | bytes] | tuple[Side, str | bytes, float]) -> list[Seen]:
    """Everything seen of a conversation, a second after another where no time is given."""
    watch, found = Watch(), []
    for number, (side, data, *at) in enumerate(said):
        found += watch.saw(side, data, float(at[0]) if at else float(number))
    return found


def told(found: list[Seen]) -> list[tuple[str, str, str]]:
    return [(seen.side.value, seen.violation.oracle, seen.violation.symptom) for seen in found]


HEALTHY = [
    (STATION, call("1", "BootNotification", BOOT)),
    (CSMS, result("1", ACCEPTED)),
    (STATION, call("2", "TransactionEvent", transaction("Started", 0))),
    # CALLs may cross each other.
    *asked_for_variables("V", answered="V"),
    (CSMS, result("2", {})),
    (STATION, call("3", "TransactionEvent", transaction("Ended", 1))),
    (CSMS, result("3", {})),
    (CSMS, call("4", "Reset", {"type": "Immediate"})),
    (STATION, error("4", "NotSupported")),
]


def test_healthy_traffic_gives_nothing() -> None:
    assert watched(*HEALTHY) == []


def test_a_recording_may_begin_anywhere() -> None:
    for start in range(len(HEALTHY)):
        assert watched(*HEALTHY[start:]) == [], start


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            [(STATION, call("1", "Heartbeat", {"extra": 1}))],
            ("station", "O6", "Heartbeat request / additionalProperties"),
        ),
        (
            [(CSMS, call("1", "Heartbeat", {}))],
            ("csms", "O6", "Heartbeat in the wrong direction"),
        ),
        (
            [(STATION, call("1", "Heartbeat", {})), (CSMS, result("1", {}))],
            ("csms", "O6", "Heartbeat response / required"),
        ),
        ([(STATION, '[2,"1","Heartbeat"]')], ("station", "O7", "CALL arity")),
        ([(CSMS, "not json")], ("csms", "O7", "not JSON")),
        ([(STATION, b"\xff")], ("station", "O7", "not JSON")),
        (
            [(CSMS, call("1", "Reset", {"type": "OnIdle"})), (STATION, error("1", "Nope"))],
            ("station", "O7", "unknown error code"),
        ),
        (
            [
                (STATION, call("1", "Heartbeat", {})),
                (CSMS, result("1", {"currentTime": NOW})),
                (STATION, call("1", "Authorize", {"idToken": {"idToken": "A", "type": "Central"}})),
            ],
            ("station", "O7", "messageId used again"),
        ),
        (
            [
                (STATION, call("1", "Heartbeat", {})),
                (CSMS, result("1", {"currentTime": NOW})),
                (CSMS, result("1", {"currentTime": NOW})),
            ],
            ("csms", "O4", "answered twice"),
        ),
        ([(STATION, result("what", {}), 70.0)], ("station", "O4", "stray answer")),
        (
            [
                (STATION, call("1", "Heartbeat", {})),
                (STATION, call("2", "Heartbeat", {})),
            ],
            ("station", "O28", "two CALLs at once"),
        ),
        (
            [
                (CSMS, call("1", "Reset", {"type": "OnIdle"})),
                (CSMS, call("2", "ClearCache", {})),
            ],
            ("csms", "O28", "two CALLs at once"),
        ),
        (
            [
                (CSMS, call("1", "Reset", {"type": "OnIdle"}), 0.0),
                (STATION, call("1", "Heartbeat", {}), 100.0),
                (CSMS, result("1", {"currentTime": NOW}), 121.0),
            ],
            ("station", "O4", "no answer"),
        ),
        (
            [
                (CSMS, call("1", "Reset", {"type": "OnIdle"})),
                (STATION, error("1", "InternalError", "Traceback (most recent call last):")),
            ],
            ("station", "O23", "stack trace told"),
        ),
        (
            [
                (
                    STATION,
                    call(
                        "1",
                        "SecurityEventNotification",
                        {"type": "firmwareUpdated", "timestamp": NOW},
                    ),
                )
            ],
            ("station", "O25", "FirmwareUpdated misspelt"),
        ),
        (
            [
                (STATION, call("1", "BootNotification", BOOT)),
                (CSMS, result("1", ACCEPTED | {"status": "Rejected"})),
                (STATION, call("2", "Heartbeat", {})),
            ],
            ("station", "O11", "B03.FR.02 CALL while Rejected"),
        ),
        (
            [
                (STATION, call("1", "TransactionEvent", transaction("Started", 0))),
                (CSMS, result("1", {})),
                (STATION, call("2", "TransactionEvent", transaction("Updated", 2))),
            ],
            ("station", "O11", "E01 gap in seqNo"),
        ),
    ],
)
def test_one_broken_rule_is_seen_at_the_end_that_broke_it_and_nothing_else(said, expected) -> None:
    assert told(watched(*said)) == [expected]


@pytest.mark.parametrize(
    "said",
    [
        # Nobody says how long a station waits: after five seconds it may have given up.
        [
            (STATION, call("1", "Heartbeat", {}), 0.0),
            (STATION, call("2", "Heartbeat", {}), 6.0),
        ],
        # A CALL that is said again is the same CALL.
        [
            (STATION, call("1", "Heartbeat", {}), 0.0),
            (STATION, call("1", "Heartbeat", {}), 40.0),
            (CSMS, result("1", {"currentTime": NOW}), 40.1),
            (CSMS, result("1", {"currentTime": NOW}), 40.2),
        ],
        # The station may be gone without anybody knowing.
        [
            (CSMS, call("1", "Reset", {"type": "OnIdle"}), 0.0),
            (CSMS, call("2", "ClearCache", {}), 300.0),
        ],
        # Nobody can tell which unreadable message "-1" answers, not even where a CALL had that id.
        [
            (CSMS, call("-1", "ClearCache", {}), 0.0),
            (STATION, result("-1", {"status": "Accepted"}), 1.0),
            (STATION, error("-1", "RpcFrameworkError"), 2.0),
            (STATION, error("-1", "RpcFrameworkError"), 100.0),
        ],
        # What is no JSON for one reader may be a CALL for the next.
        [
            (CSMS, b'[2,"77","ClearCache",{"a":"\xff"}]', 90.0),
            (STATION, error("77", "FormatViolation"), 91.0),
        ],
        # An answer to what was asked before the recording.
        [(STATION, result("before", {}), 1.0)],
        # What is not valid need not be answered.
        [
            (CSMS, call("1", "Reset", {}), 0.0),
            (STATION, call("1", "Heartbeat", {}), 100.0),
            (CSMS, result("1", {"currentTime": NOW}), 200.0),
        ],
        # How many variables a station takes at once is not known.
        asked_for_variables("AB", answered="A"),
    ],
)
def test_what_a_listener_cannot_know_is_no_violation_of_the_station(said) -> None:
    assert [one for one in told(watched(*said)) if one[0] == "station" and one[1] != "O6"] == []


def test_a_transaction_id_is_remembered_over_connections_and_boots() -> None:
    memory = Memory()
    for _ in range(2):
        watch = Watch(memory=memory)
        assert told(watch.saw(STATION, call("1", "BootNotification", BOOT), 0.0)) == []
        assert watch.saw(CSMS, result("1", ACCEPTED), 0.1) == []
        payload = transaction("Started", 0, timestamp=f"2026-01-01T00:00:0{_}Z")
        found = watch.saw(STATION, call("2", "TransactionEvent", payload), 1.0)
    assert told(found) == [("station", "O14", "E01 transactionId used again")]


frames = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["1", "Heartbeat", "Reset"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
).map(json.dumps)
near = st.builds(
    lambda kind, rest: json.dumps([kind, *rest]),
    st.sampled_from([2, 3, 4]),
    st.lists(
        st.sampled_from(["1", "2", "Heartbeat", "TransactionEvent", {}, None, 7, [], "-1"]),
        max_size=5,
    ),
)
anything = st.tuples(
    st.sampled_from(Side),
    st.text() | st.binary() | frames | near,
    st.floats(0, 1e6),
)


@given(said=st.lists(anything))
def test_garbage_never_raises(said: list[tuple[Side, str | bytes, float]]) -> None:
    watch = Watch()
    for side, data, at_s in sorted(said, key=lambda one: one[2]):
        watch.saw(side, data, at_s, binary=isinstance(data, bytes))
    watch.waited(2e6)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '[2,"1","Reset",' + '{"a":' * 900 + "1" + "}" * 900 + "]"]
)
def test_what_is_nested_deeply_never_raises(text: str) -> None:
    watch = Watch()
    for side in Side:
        watch.saw(side, text, 0.0)


def test_memory_is_bounded_whatever_is_said() -> None:
    watch = Watch()
    for number in range(3_000):
        watch.saw(STATION, call(str(number), "Heartbeat", {}), number * 10.0)
    end = watch._ends[STATION]
    assert len(end.open) <= 1_000
    assert len(end.used) <= 5_000
