from dataclasses import replace

from hypothesis import given, strategies as st

from fuzz.engine.carrying import BACK, LONGEST, before, joined
from fuzz.engine.tidy import Leftovers
from fuzz.records import Case, Effect, Expect, Operator, Settle
from fuzz.testing import case

HAND, WIRE = (Operator("plug-in", "1"),), (Expect("Heartbeat"),)


def scene(name: str, steps=HAND, **fields) -> Case:
    return replace(case(), id=name, steps=steps, **fields)


@given(st.lists(st.sampled_from("hwm"), max_size=12))
def test_a_case_leans_on_its_kind_and_on_hands_where_it_has_hands_the_newest_first(
    kinds: list[str],
) -> None:
    made = {"h": HAND, "w": WIRE, "m": case().steps}
    played = [scene(f"{kind}{i}", made[kind]) for i, kind in enumerate(kinds)]
    hands = [c.id for c in reversed(played) if c.id[0] == "h"][:BACK]
    scenes = [c.id for c in reversed(played) if c.id[0] != "m"][:BACK]
    assert [c.id for c in before(played, scene("now"))] == hands
    assert [c.id for c in before(played, scene("now", WIRE))] == scenes
    messages = [c.id for c in reversed(played) if c.id[0] == "m"][:BACK]
    assert [c.id for c in before(played, scene("now", case().steps))] == messages


def test_no_scene_leans_on_itself_or_on_what_would_never_be_made_smaller() -> None:
    now, long = scene("now"), scene("long", HAND * LONGEST)
    assert before([long, now], now) == []


def test_two_scenes_made_one_hold_all_steps_and_what_was_undone_between_them() -> None:
    left = Leftovers(words=(("unplug", "1"),))
    first = scene("first", effect=Effect.PERSISTENT)
    made = joined(first, left, scene("second", WIRE, control=WIRE))
    assert made.steps == (*HAND, Operator("unplug", "1"), Settle(), *WIRE)
    assert (made.id, made.effect, made.control) == ("first+second", Effect.PERSISTENT, ())
    assert made.mutation_class != scene("second", WIRE).mutation_class
