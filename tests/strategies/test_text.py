"""Properties of the text faults: every label is what an independent reader of RFC 8259 says."""

import json
import random

import pytest
from hypothesis import given, strategies as st

from strategies.frames import call_text
from strategies.labels import Fault, Kind, Repeated, Stance, Utterance, spell
from strategies.text import garble, text_fault, text_faults
from strategies.version import version

V = version()
PAYLOAD = {"vendorId": "ocppfuzz", "data": "x"}
FAULTS = text_faults("DataTransfer", PAYLOAD, V)
DEEPER_THAN_PYTHON_READS = 900


def _depth(text: str) -> int:
    return max(text.count("["), text.count('{"n":'))


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _parse(text: str) -> object:
    return json.loads(text, parse_constant=_refuse, parse_int=str)


@pytest.fixture(params=[u for u in FAULTS if u.text is not None], ids=lambda u: u.id)
def texted(request: pytest.FixtureRequest) -> Utterance:
    return request.param


@pytest.fixture(params=[u for u in FAULTS if u.raw is not None], ids=lambda u: u.id)
def raw(request: pytest.FixtureRequest) -> Utterance:
    return request.param


def _named(name: str) -> Utterance:
    (found,) = [u for u in FAULTS if u.id == name]
    return found


def test_ids_are_unique_and_hold_no_blanks() -> None:
    assert len({u.id for u in FAULTS}) == len(FAULTS)
    assert not [u.id for u in FAULTS if " " in u.id]


def test_each_utterance_is_either_text_or_raw() -> None:
    assert not [u.id for u in FAULTS if (u.text is None) == (u.raw is None)]


def test_the_control_is_a_well_formed_call() -> None:
    for u in FAULTS:
        type_, id_, action, payload = json.loads(spell(u.control))
        assert (type_, id_, action) == (2, "{call.id}", "DataTransfer")
        V.validator("DataTransfer", Kind.REQUEST).validate(payload)


def test_what_is_labelled_not_json_is_refused(texted: Utterance) -> None:
    if texted.expectation.fault is Fault.NOT_JSON:
        with pytest.raises((ValueError, RecursionError)):
            _parse(spell(texted.text))


def test_what_is_not_labelled_broken_is_json(texted: Utterance) -> None:
    text = spell(texted.text)
    if texted.expectation.fault is not Fault.NOT_JSON and _depth(text) < DEEPER_THAN_PYTHON_READS:
        assert isinstance(_parse(text), list) == (
            texted.expectation.fault is not Fault.NOT_ARRAY
        ) or (texted.id == "text/not-array:batch")


def test_what_may_be_a_call_names_the_action_it_says(texted: Utterance) -> None:
    text = spell(texted.text)
    if texted.expectation.stance is not Stance.REJECT and _depth(text) < DEEPER_THAN_PYTHON_READS:
        type_, id_, action, payload = _parse(text)
        assert (type_, id_, action) == ("2", "{call.id}", "DataTransfer")
        assert payload["vendorId"] == "ocppfuzz"


@pytest.mark.parametrize("depth", [2_000, 100_000])
def test_deep_texts_are_balanced_and_small_on_disk(depth: int) -> None:
    for shape in ("bare", "arrays", "objects"):
        text = _named(f"text/depth:{shape}-{depth}").text
        down, up = [p for p in text if isinstance(p, Repeated)]
        assert (down.times, up.times) == (depth, depth)
        assert sum(len(p) for p in text if isinstance(p, str)) < 200


def test_everything_large_is_heavy() -> None:
    large = {u.id for u in FAULTS if u.text is not None and len(spell(u.text)) > 20_000}
    assert large <= {u.id for u in FAULTS if u.heavy}
    assert "text/number:5000-digits" in {u.id for u in FAULTS if u.heavy}


def test_raw_text_is_no_utf_8_and_binary_is_left_open(raw: Utterance) -> None:
    if raw.raw_opcode == "text":
        assert raw.expectation.fault is Fault.NOT_UTF8
        with pytest.raises(UnicodeDecodeError):
            raw.raw.decode("utf-8")
    else:
        assert (raw.expectation.stance, raw.expectation.fault) == (
            Stance.UNSPECIFIED,
            Fault.BINARY,
        )


def test_the_binary_call_is_the_same_call() -> None:
    type_, _, action, payload = json.loads(_named("text/binary:call").raw)
    assert (type_, action, payload["vendorId"]) == (2, "DataTransfer", "ocppfuzz")


def test_duplicate_members_are_really_there_twice() -> None:
    for name in ("vendorId", "customData", "payload"):
        pairs: list[list[str]] = []
        json.loads(
            spell(_named(f"text/duplicate:{name}").text),
            object_pairs_hook=lambda found, pairs=pairs: pairs.append([k for k, _ in found]),
        )
        assert [keys for keys in pairs if len(set(keys)) < len(keys)]


def test_an_empty_payload_has_room_for_every_fault() -> None:
    for u in text_faults("ClearCache", {}, V):
        said = spell(u.text) if u.text is not None else u.raw
        if u.expectation.stance is Stance.ACCEPT:
            assert json.loads(said)[2:] == ["ClearCache", {}]
        assert text_fault(spell(u.control)) is None


def test_an_unknown_action_is_our_own_mistake() -> None:
    with pytest.raises(KeyError):
        text_faults("FooBar", {}, V)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", None),
        ("[NaN]", Fault.NOT_JSON),
        ("[" + "9" * 5_000 + "]", None),
        ("[" * 100_000, None),
        ("{}", Fault.NOT_ARRAY),
        ("", Fault.NOT_JSON),
        (b"[]", None),
        (b"[\xff]", Fault.NOT_UTF8),
        ('["\ud800"]', Fault.NOT_UTF8),
    ],
)
def test_a_text_is_faulty_only_where_the_rfc_decides(
    text: str | bytes, fault: Fault | None
) -> None:
    assert text_fault(text) is fault


CALLS = st.sampled_from([call_text("ClearCache", {}), call_text("DataTransfer", PAYLOAD), ""])


@given(CALLS | st.text(max_size=40), st.integers(0, 2**32))
def test_a_garbled_text_is_labelled_truly(text: str, seed: int) -> None:
    outcome, mutation, fault = garble(text, random.Random(seed))

    assert mutation.keyword == "garble"
    if fault is Fault.NOT_UTF8:
        with pytest.raises(UnicodeError):
            outcome.decode() if isinstance(outcome, bytes) else outcome.encode()
    elif fault is Fault.NOT_JSON:
        with pytest.raises(ValueError, match=r".*"):
            _parse(outcome)
    else:
        assert isinstance(_parse(outcome), list) == (fault is None)


@given(CALLS, st.integers(0, 2**32))
def test_garbling_depends_on_nothing_but_its_arguments(text: str, seed: int) -> None:
    assert garble(text, random.Random(seed)) == garble(text, random.Random(seed))


def test_garbling_reaches_every_outcome() -> None:
    rng = random.Random(1)
    texts = (call_text("ClearCache", {}), "{}")
    seen = {garble(text, rng)[2] for text in texts for _ in range(200)}
    assert seen == {None, Fault.NOT_JSON, Fault.NOT_ARRAY, Fault.NOT_UTF8}
