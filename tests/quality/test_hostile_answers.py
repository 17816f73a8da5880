"""Whatever a target says, none of it makes the tool raise: it is judged, learned from, noted and counted."""

import json

from hypothesis import given, strategies as st

from fuzz.app.campaign import make_judge
from fuzz.engine.campaign import answer_class
from fuzz.engine.inventory import Inventory
from fuzz.engine.phases import Ground
from fuzz.engine.support import Coverage, Support
from fuzz.records import Heard, Side
from fuzz.testing import VALID, case, heard, observation, rejected
from strategies.labels import Tier
from strategies.version import version

WORDS = (
    "", "-1", "c1", "Accepted", "NotSupported", "status", "setVariableResult", "attributeStatus",
    "component", "variable", "evse", "name", "id", "reportData", "tbc", "getVariableResult",
    "BootNotification", "NotifyReport", "chargingStation", "reason", "\ud800",
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)
FRAMES = st.tuples(st.sampled_from([2, 3, 4, 5, "3", None]), VALUES, VALUES, VALUES, VALUES)
HEARD = st.builds(
    lambda frame, length: heard(json.dumps(frame[:length])), FRAMES, st.integers(0, 5)
) | st.text().map(heard)
CASES = st.builds(
    lambda action, expectation: case(expectation, action=action),
    st.sampled_from(["SetVariables", "ChangeAvailability", "Reset", "GetVariables", "Nonsense"]),
    st.sampled_from([VALID, rejected(Tier.JSON), rejected(Tier.SCHEMA), rejected(Tier.MODEL)]),
)
MESSAGES = st.lists(HEARD, max_size=3)


@given(played=CASES, replies=MESSAGES, strays=MESSAGES, calls=MESSAGES)
def test_any_answer_is_judged_and_learned_from(
    played, replies: list[Heard], strays: list[Heard], calls: list[Heard]
) -> None:
    seen = observation(played, replies=replies, strays=strays, calls=calls)
    ground = Ground(version(), Side.STATION, 1, Support(), Coverage())
    inventory = Inventory()

    violations = make_judge(strict=True, edition="ed3")(seen)
    ground.learn(seen)
    inventory.note(seen)

    assert all(v.oracle and v.symptom and len(v.symptom) < 200 for v in violations)
    assert all(isinstance(text, str) for text in inventory.left_changed())
    assert len(answer_class(seen)) <= 40
