import json

from hypothesis import given, strategies as st

from fuzz.engine.cases import CaseMaker, actions_of, call_text, compact
from fuzz.records import Ask, Effect, RepeatSteps, SendBytes, SendText, Side
from fuzz.testing import VALID, case as made, mutation, rejected
from strategies.boundaries import boundaries
from strategies.frames import envelope_faults
from strategies.labels import Kind, Position, Repeated, Sender, Stance, Tier, Utterance, spell
from strategies.schema import message_schema
from strategies.version import version
from strategies.violations import violations

V = version()
SET_ENABLED = {
    "setVariableData": [
        {"component": {"name": "Ctrlr"}, "variable": {"name": "V"}, "attributeValue": "1"}
    ]
}


def maker(*known: str) -> CaseMaker:
    return CaseMaker(Side.STATION, "systematic", 7, known=known, tool="tool 1")


def said(case) -> str:
    (step,) = case.steps
    return spell(step.text)


@given(st.lists(st.text() | st.builds(lambda c, n: c * n, st.characters(), st.integers(0, 600))))
def test_a_compact_text_spells_what_it_was_made_of(parts: list[str]) -> None:
    assert spell(compact("".join(parts))) == "".join(parts)


def test_runs_of_256_characters_are_folded_and_shorter_ones_are_not() -> None:
    assert compact("a" + "x" * 255 + "b") == ("a" + "x" * 255 + "b",)
    assert compact("a" + "x" * 256 + "b") == ("a", Repeated("x", 256), "b")
    assert compact("\n" * 300) == (Repeated("\n", 300),)
    assert compact("") == ("",)


def test_a_call_has_a_slot_for_its_id_and_any_json_for_action_and_payload() -> None:
    assert json.loads(spell(call_text(["a"], {"b": None}))) == [2, "{call.id}", ["a"], {"b": None}]
    assert spell(call_text("A", {"b": 1})) == '[2,"{call.id}","A",{"b":1}]'


def test_an_example_is_valid_has_no_control_and_tells_where_it_came_from() -> None:
    case = maker().example("Reset", {"type": "OnIdle"})
    assert (case.id, case.action, case.control) == ("Reset.req#example", "Reset", ())
    assert case.expectation == VALID
    assert case.mutations == ()
    assert case.effect is Effect.PERSISTENT
    origin = case.provenance
    assert (origin.phase, origin.seed, origin.index, origin.tool) == ("systematic", 7, 1, "tool 1")


def test_cases_are_numbered_in_the_order_in_which_they_are_made() -> None:
    made = maker()
    cases = [made.example("Reset", {}), made.example("ClearCache", {})]
    assert [c.provenance.index for c in cases] == [1, 2]


def test_a_break_is_said_beside_what_it_was_made_from() -> None:
    broken = violations(message_schema("Reset", Kind.REQUEST, V), full=False)[0]
    case = maker().broken("Reset", broken)
    assert case.id == broken.id
    assert json.loads(said(case))[3] == broken.payload
    (control,) = case.control
    assert isinstance(control, SendText)
    assert json.loads(spell(control.text))[3] == broken.control
    assert case.mutations == (broken.mutation,)
    assert case.expectation == broken.expectation


def test_every_boundary_keeps_its_id_its_label_and_its_weight() -> None:
    schema = message_schema("SetVariables", Kind.REQUEST, V)
    made = [(b, maker().boundary("SetVariables", b)) for b in boundaries(schema)]
    assert len(made) > 50
    for boundary, case in made:
        assert (case.id, case.heavy) == (boundary.id, boundary.heavy)
        assert case.expectation == boundary.expectation


def test_the_effect_of_a_set_variables_depends_on_what_the_target_has() -> None:
    def effect(*known: str) -> Effect:
        return maker(*known).example("SetVariables", SET_ENABLED).effect

    assert effect() is Effect.PERSISTENT
    assert effect("ctrlr") is Effect.PERSISTENT
    assert effect("other") is Effect.VOLATILE


def test_a_drawn_message_carries_its_own_control_and_mutation() -> None:
    broken = mutation("/type", "enum", "unknown")
    case = maker().drawn(
        "g/1", "Reset", {"type": "x"}, {"type": "OnIdle"}, rejected(Tier.SCHEMA), broken
    )
    assert (case.id, case.mutation_class) == ("g/1", "payload:enum:unknown")
    assert json.loads(said(case))[3] == {"type": "x"}


def test_the_same_id_twice_is_a_case_of_two_messages_that_nobody_need_refuse() -> None:
    case = maker().twice("ClearCache", {})
    first, second = (spell(s.text) for s in case.steps if isinstance(s, SendText))
    assert first == '[2,"{call.id}","ClearCache",{}]'
    assert second == '[2,"{call.previous}","ClearCache",{}]'
    assert case.expectation.stance is Stance.UNSPECIFIED


def test_utterances_become_texts_or_bytes_with_their_position() -> None:
    utterances = envelope_faults("ClearCache", {}, V, sender=Sender.CSMS)
    for utterance in utterances:
        case = maker().utterance(utterance, Effect.NONE)
        assert (case.id, case.position, case.effect) == (
            utterance.id,
            utterance.position,
            Effect.NONE,
        )
        assert len(case.control) == (utterance.control is not None)


def test_raw_bytes_are_sent_as_bytes() -> None:
    raw = Utterance("raw", "", Position.CALL, rejected(Tier.JSON), raw=b"\xff", raw_opcode="binary")
    case = maker().utterance(raw)
    assert case.steps == (SendBytes(b"\xff", "binary"),)
    assert case.effect is Effect.VOLATILE


def test_a_scene_is_about_every_action_that_it_asks_for() -> None:
    asked = [Ask(call_text(name, {})) for name in ("Reset", "ClearCache")]
    steps = (asked[0], RepeatSteps((asked[1],), 2), SendText(('[2,"x","GetLog",{}]',)))
    told = made(action="", steps=steps)
    assert actions_of(told) == {"Reset", "ClearCache"}
    assert actions_of(made(action="GetLog", steps=steps[2:])) == {"GetLog"}
    assert actions_of(made(action="", steps=())) == frozenset()
