import copy

import pytest
from hypothesis import given, strategies as st

from fuzz.errors import UsageError
from fuzz.oracles.registry import judge, oracle, oracle_named, oracles
from fuzz.records import Close, FrameKind, Heard, Probes, ProcessEnd, Settled
from fuzz.testing import case, error, heard, mutation, observation, rejected, result, spoken
from strategies.labels import Channel, Expectation, Fault, Position, Stance, Tier

MISSING = rejected(Tier.SCHEMA, Fault.MISSING)


def test_the_oracles_are_told_by_number():
    numbers = [int(o.id[1:]) for o in oracles()]
    assert numbers == sorted(set(numbers))
    assert numbers[:10] == list(range(1, 11))


def test_every_oracle_explains_itself_in_one_sentence_and_at_length():
    for known in oracles():
        assert known.text.endswith(".")
        assert known.explain.startswith(known.text)
        assert "Fix:" in known.explain
        assert known.clause
        assert known.cwe.startswith("CWE-")


def test_an_oracle_is_found_by_id_and_by_name():
    assert oracle_named("o4") is oracle_named("unanswered-call")


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("unanswerd-call", r"unanswered-call \(O4\)"), ("zombi", r"zombie \(O5\)")],
)
def test_an_unknown_name_names_the_nearest(wrong, nearest):
    with pytest.raises(UsageError, match=nearest):
        oracle_named(wrong)


@pytest.mark.parametrize(("id_", "name"), [("O4", "new"), ("O99", "zombie")])
def test_an_id_or_name_is_given_once(id_, name):
    with pytest.raises(ValueError, match="registered already"):

        @oracle(id_, name=name, clause="", cwe="")
        def look(obs):
            """Something holds."""
            yield from ()


def test_an_oracle_without_a_text_is_refused():
    with pytest.raises(ValueError, match="no docstring"):

        @oracle("O99", name="mute", clause="", cwe="")
        def look(obs):
            yield from ()


ONE_CAUSE = {
    "O1": observation(process=ProcessEnd(-11)),
    "O2": observation(boots=1),
    "O3": observation(replies=[], close=Close(1011)),
    "O4": observation(replies=[], settled=Settled.BY_CLOCK),
    "O5": observation(probes=Probes(same_connection=False)),
    "O6": observation(replies=[result({"status": None})]),
    "O7": observation(MISSING, replies=[error("FooError")]),
    "O8": observation(MISSING),
    "O9": observation(replies=[error("FormatViolation")]),
    "O10": observation(MISSING, replies=[error("InternalError")]),
    "O22": observation(MISSING, replies=[heard([4, "c1", "FormatViolation", "", {"x": "x" * 20_000}])]),
    "O23": observation(MISSING, replies=[heard([4, "c1", "FormatViolation", "Traceback (most recent call last)", {}])]),
}  # fmt: skip
"""What makes an oracle of single messages speak; those of scenes have theirs in their own files."""


@pytest.mark.parametrize("id_", list(ONE_CAUSE))
def test_an_oracle_speaks_where_it_has_a_cause_and_then_alone(id_):
    assert [v.oracle for v in judge(ONE_CAUSE[id_], strict=True)] == [id_]


@pytest.mark.parametrize("id_", list(ONE_CAUSE))
def test_a_violation_carries_the_name_clause_and_cwe_of_its_oracle(id_):
    (violation,) = judge(ONE_CAUSE[id_])
    assert violation.name == oracle_named(id_).name
    assert violation.clause
    assert violation.cwe


@pytest.mark.parametrize(
    "obs",
    [
        observation(),
        observation(replies=[result({"status": "Rejected", "statusInfo": {"reasonCode": "TxInProgress"}})]),
        observation(MISSING, replies=[error("OccurrenceConstraintViolation")]),
        observation(rejected(Tier.JSON, Fault.NOT_JSON), call_id=None, replies=[error("RpcFrameworkError", id_="-1")]),
        observation(rejected(Tier.RPC, Fault.ACTION_UNKNOWN), replies=[error("NotSupported")]),
        observation(Expectation(Stance.UNSPECIFIED, Tier.JSON, Fault.BINARY, "x"), replies=[], close=Close(1003)),
        observation(case(action="Reset"), close=Close(1006), process=ProcessEnd(0), boots=1, boot_reasons=["RemoteReset"], restart_asked=True),
        observation(rejected(Tier.SCHEMA, Fault.VALUE), replies=[error("TypeConstraintViolation")]),
        observation(calls=[heard([2, "s1", "Heartbeat", {"customData": {"vendorId": "v", "x": {}}}])]),
        observation(calls=[heard([2, "s1", "SecurityEventNotification", {"type": "StartupOfTheDevice", "timestamp": "2026-11-22T10:00:00.123+01:00"}])]),
    ],
    ids=["accepted", "rejected-D-10", "refused", "unreadable", "D-1", "D-2", "D-6", "D-8", "D-4", "security-event"],
)  # fmt: skip
def test_healthy_targets_and_decoys_are_not_even_remarked_upon(obs):
    assert judge(obs) == ()


def test_strict_makes_findings_of_remarks_and_changes_nothing_else():
    obs = observation(MISSING, replies=[error("InternalError")], calls=[heard([2, "s", "X", {}])])
    relaxed, strict = judge(obs), judge(obs, strict=True)
    assert [v.remark for v in relaxed] == [True, False]
    assert [v.remark for v in strict] == [False, False]
    assert [v.symptom for v in relaxed] == [v.symptom for v in strict]


def test_a_remark_silences_nobody():
    played = rejected(Tier.SCHEMA, Fault.EXTRA)
    assert spoken(observation(played, replies=[result({})])) == [
        "O8 extra accepted (remark)",
        "O6 ClearCache response / required",
    ]


def test_an_advisory_oracle_speaks_and_silences_nobody():
    obs = observation(boots=1, replies=[result({"status": None})])
    assert [v.oracle for v in judge(obs)] == ["O2"]
    assert [v.oracle for v in judge(obs, advisory={"O2"})] == ["O2", "O6"]


# --- hostile targets --------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(2**63) - 1])
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["c1", "-1", "Accepted", "FormatViolation", "Heartbeat", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(), max_size=4)
            | st.sampled_from(["status", "setVariableResult", "attributeStatus", "idTokenInfo"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
messages = st.builds(
    Heard,
    at_s=st.just(0.0),
    text=st.text(max_size=20),
    kind=st.sampled_from(FrameKind),
    items=st.lists(json_values, max_size=7).map(tuple),
    binary=st.booleans(),
)
cases = st.builds(
    case,
    st.builds(
        Expectation,
        st.sampled_from(Stance),
        st.sampled_from(Tier),
        st.none() | st.sampled_from(Fault),
        st.sampled_from(["", "disputed"]),
    ),
    action=st.sampled_from(["", "ClearCache", "SetVariables", "FooBar", "BootNotification"]),
    position=st.sampled_from(Position),
    heavy=st.booleans(),
    mutations=st.lists(
        st.builds(
            mutation,
            st.sampled_from(["", "/1", "/setVariableData/0/x", "/setVariableData/99999999999/x"]),
            st.sampled_from(["", "number", "messageId"]),
            channel=st.sampled_from(Channel),
        ),
        max_size=2,
    ),
)
observations = st.builds(
    observation,
    cases,
    said=st.lists(st.text(st.characters(), max_size=10) | st.just("[" * 5_000), max_size=2),
    call_id=st.none() | st.sampled_from(["c1", "", "m" * 37]),
    replies=st.lists(messages, max_size=3),
    strays=st.lists(messages, max_size=2),
    calls=st.lists(messages, max_size=2),
    settled=st.sampled_from(Settled),
    close=st.none() | st.builds(Close, st.integers(), by_target=st.booleans()),
    process=st.none() | st.builds(ProcessEnd, st.integers()),
    boots=st.integers(0, 2),
    boot_reasons=st.lists(st.text(), max_size=2),
    restart_asked=st.booleans(),
    probes=st.builds(Probes, *[st.none() | st.booleans()] * 5),
    supported=st.none() | st.just(["ClearCache"]),
    items_per_message=st.just({"ClearCache": 0}) | st.none(),
    bytes_per_message=st.just({"ClearCache": 0}) | st.none(),
    edition=st.sampled_from(["ed3", "2025-09"]),
)


@pytest.mark.slow
@given(observations, st.booleans())
def test_judge_copes_with_whatever_a_target_says_and_leaves_it_as_it_is(obs, strict):
    before = copy.deepcopy(obs)
    violations = judge(obs, strict=strict)
    assert repr(obs) == repr(before)
    assert violations == judge(before, strict=strict)
    assert not (strict and any(v.remark for v in violations))


@given(observations)
def test_at_most_one_liveness_oracle_finds_something_and_then_alone(obs):
    findings = {v.oracle for v in judge(obs) if not v.remark}
    if findings & {"O1", "O2", "O3", "O5"}:
        assert len(findings) == 1


def nested(depth):
    value = None
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("kind", list(FrameKind))
@pytest.mark.parametrize("depth", [300, 50_000])
def test_depth_is_no_danger(kind, depth):
    deep = Heard(0.0, "", kind, (3, "c1", {"status": nested(depth)}))
    assert isinstance(judge(observation(replies=[deep], strays=[deep], calls=[deep])), tuple)


@pytest.mark.parametrize("index", range(5))
def test_depth_is_no_danger_in_any_place(index):
    items = [4, "c1", "FormatViolation", "", {}]
    items[index] = nested(50_000)
    for kind in FrameKind:
        deep = Heard(0.0, "", kind, tuple(items))
        assert isinstance(judge(observation(MISSING, replies=[deep], strays=[deep])), tuple)
