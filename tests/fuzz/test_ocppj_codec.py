import json

import pytest
from hypothesis import given, strategies as st

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.codec import MAX_DEPTH, BrokenAnswer, decode, encode
from fuzz.ocppj.frames import Call, CallError, CallResult, ErrorCode
from strategies.version import version

V = version()

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = words.filter(lambda t: len(t) <= 36)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(words, values, max_size=4)
frames = (
    st.builds(Call, ids, words, objects)
    | st.builds(CallResult, ids, objects)
    | st.builds(CallError, ids, words, words, objects)
)
pieces = st.sampled_from(
    [
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        '"',
        "2",
        "3",
        "4",
        "null",
        "true",
        "-",
        "1e999",
        "NaN",
        "\\ud800",
        '"a"',
    ]
)


def refusal(text):
    with pytest.raises(RemoteProtocolError) as caught:
        decode(text, V)
    return caught.value.code, caught.value.message_id


@given(frames)
def test_what_is_encoded_decodes_to_the_same_frame(frame):
    assert decode(encode(frame), V) == frame


@pytest.mark.slow
@given(st.text() | st.lists(pieces).map("".join) | st.recursive(values, st.lists).map(json.dumps))
def test_any_text_is_a_frame_or_the_documented_error(text):
    error = None
    try:
        decode(text, V)
    except RemoteProtocolError as caught:
        error = caught
    assert error is None or (error.code in set(ErrorCode) and len(error.message_id) <= 36)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        '[2,"1","Heartbeat",{}',
        '[2,"1","Heartbeat",{}]x',
        '[2,"1","Heartbeat",{}][2,"2","Heartbeat",{}]',
        '\ufeff[2,"1","Heartbeat",{}]',
        '[2,"1","Heartbeat",{"a":NaN}]',
        '[2,"1","Heartbeat",{"a":-Infinity}]',
        '[2,"1","Heartbeat",{"a":1e999}]',
        "{}",
        "null",
        '"text"',
        "[]",
        "[2]",
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '[2,"1","Heartbeat",' + '{"a":' * 2000 + "1" + "}" * 2001,
        "[" + "0," * 1_000_000 + "0]",
        '[2,null,"Heartbeat",{}]',
        '[2,7,"Heartbeat",{}]',
        '[2,{},"Heartbeat",{}]',
        '[2,"' + "x" * 37 + '","Heartbeat",{}]',
        '[2,"\\ud800","Heartbeat",{}]',
    ],
)
def test_what_holds_no_readable_id_is_refused_with_minus_one(text):
    assert refusal(text) == ("RpcFrameworkError", "-1")


@pytest.mark.parametrize(
    "kind", ["0", "1", "5", "9", "-1", '"2"', "2.5", "2.0", "true", "null", "2" * 5000]
)
def test_an_unsupported_message_type_is_named_as_such(kind):
    assert refusal(f'[{kind},"7","Heartbeat",{{}}]') == ("MessageTypeNotSupported", "7")


@pytest.mark.parametrize(
    "text",
    [
        '[2,"7","Heartbeat"]',
        '[2,"7","Heartbeat",{},{}]',
        '[2,"7",[],{}]',
        '[2,"7",{},{}]',
        '[2,"7",null,{}]',
        '[2,"7",5,{}]',
    ],
)
def test_a_wrong_envelope_with_a_readable_id_repeats_that_id(text):
    assert refusal(text) == ("RpcFrameworkError", "7")


@pytest.mark.parametrize(
    "payload",
    [
        "null",
        "[]",
        '"x"',
        "5",
        '{"a":"\\udfff"}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":[-' + "9" * 5000 + "]}",
    ],
)
def test_an_impossible_payload_is_a_format_violation(payload):
    assert refusal(f'[2,"7","Heartbeat",{payload}]') == ("FormatViolation", "7")


@pytest.mark.parametrize(
    "text", ['[3,"7"]', '[3,"7",[]]', '[4,"7","A"]', '[4,"7",1,"",{}]', "[3,null,{}]", "[4,{},5]"]
)
def test_a_broken_answer_is_told_from_a_broken_call(text):
    with pytest.raises(BrokenAnswer):
        decode(text, V)


def test_the_empty_id_is_a_string_like_any_other():
    assert decode('[2,"","Heartbeat",{}]', V) == Call("", "Heartbeat", {})


def test_the_last_of_duplicate_keys_wins():
    assert decode('[3,"1",{"a":1,"a":2}]', V) == CallResult("1", {"a": 2})


def test_brackets_inside_strings_are_no_nesting():
    text = '[3,"1",{"a":"' + '[{\\"' * 5000 + '"}]'
    assert decode(text, V) == CallResult("1", {"a": '[{"' * 5000})


def test_nesting_up_to_the_limit_is_read():
    inner = MAX_DEPTH - 1
    text = '[3,"1",' + '{"a":' * inner + "1" + "}" * inner + "]"
    assert isinstance(decode(text, V), CallResult)


def test_what_orjson_refuses_is_encoded_all_the_same():
    frame = CallResult("1", {"half": "\ud800", "long": 2**80})
    assert json.loads(encode(frame)) == [3, "1", {"half": "\ud800", "long": 2**80}]


def test_the_error_codes_are_those_of_the_version():
    assert sorted(ErrorCode) == sorted(V.error_codes)
