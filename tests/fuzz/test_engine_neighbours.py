import random

import pytest

from fuzz.engine.neighbours import LISTS, capped, neighbours, several
from fuzz.engine.validity import class_of
from strategies.labels import JsonObject, Kind, Sender, Stance
from strategies.pool import Pool, PoolVariable
from strategies.schema import message_schema
from strategies.version import version

VARIABLES = (
    PoolVariable("EVSE", "Available", evse_id=2, data_type="boolean", value="true"),
    PoolVariable("OCPPCommCtrlr", "HeartbeatInterval", data_type="integer", value="300"),
    PoolVariable("OCPPCommCtrlr", "MessageTimeout", variable_instance="Default", value="30"),
    PoolVariable("SecurityCtrlr", "BasicAuthPassword", mutability="WriteOnly"),
    PoolVariable("ClockCtrlr", "DateTime", mutability="ReadOnly", value="2026-01-01T00:00:00Z"),
)
POOL = Pool(variables=VARIABLES, evse_ids=(1, 2), connector_ids=(1,))


def _near(action: str, pool: Pool = POOL) -> dict[str, JsonObject]:
    return {n.name: n.payload for n in neighbours(message_schema(action, Kind.REQUEST), pool)}


def test_an_empty_pool_has_no_neighbours() -> None:
    for action in version().sent_by(Sender.CSMS):
        assert _near(action, Pool()) == {}


@pytest.mark.parametrize("action", version().sent_by(Sender.CSMS))
def test_every_neighbour_and_its_control_are_proper_messages(action: str) -> None:
    for near in neighbours(message_schema(action, Kind.REQUEST), POOL):
        assert class_of(version(), action, near.payload) == frozenset()
        assert class_of(version(), action, near.control) == frozenset()
        assert near.payload != near.control
        assert near.expectation.stance is not Stance.REJECT


def test_one_evse_too_many_is_named() -> None:
    assert _near("TriggerMessage")["/evse/id#3"]["evse"] == {"id": 3}


def test_one_connector_too_many_is_named() -> None:
    assert _near("ChangeAvailability")["/evse/connectorId#2"]["evse"] == {
        "id": 1,
        "connectorId": 2,
    }


def test_a_known_component_is_asked_for_what_it_lacks_once() -> None:
    near = _near("GetVariables")
    names = [n for n in near if n.startswith("OCPPCommCtrlr") and n.endswith("absent-name")]
    assert len(names) == 1
    item = near[names[0]]["getVariableData"][0]  # type: ignore[index]
    assert item["component"] == {"name": "OCPPCommCtrlr"}  # type: ignore[index,call-overload]
    assert item["variable"] == {"name": "LabAbsent"}  # type: ignore[index,call-overload]


def test_a_known_variable_is_asked_for_with_a_wrong_instance() -> None:
    item = _near("GetVariables")["OCPPCommCtrlr.MessageTimeout/Default#absent-instance"]
    assert item["getVariableData"][0]["variable"] == {  # type: ignore[index,call-overload]
        "name": "MessageTimeout",
        "instance": "LabAbsent",
    }


def test_nothing_that_could_lock_us_out_is_set() -> None:
    made = [*_near("SetVariables").values()]
    rng = random.Random(1)
    made += [n.payload for _ in range(50) if (n := several("SetVariables", POOL, rng, None))]
    assert len(made) > 4
    assert not any("BasicAuthPassword" in str(m) or "MessageTimeout" in str(m) for m in made)


@pytest.mark.parametrize("action", sorted(LISTS))
def test_lists_hold_two_or_three_different_variables(action: str) -> None:
    pool = Pool(variables=tuple(PoolVariable("A", f"V{n}", value="1") for n in range(9)))
    rng = random.Random(2)
    made = [several(action, pool, rng, None) for _ in range(40)]
    lists = [m.payload[LISTS[action]] for m in made if m is not None]
    assert {len(items) for items in lists} == {2, 3}  # type: ignore[arg-type]
    assert all(len({str(i) for i in items}) == len(items) for items in lists)  # type: ignore[union-attr,arg-type]


def test_no_list_is_longer_than_the_target_takes() -> None:
    rng = random.Random(3)
    assert all(several("GetVariables", POOL, rng, 1) is None for _ in range(20))


def test_other_actions_have_no_lists() -> None:
    assert several("Reset", POOL, random.Random(4), None) is None


def test_items_beyond_the_limit_are_cut_off() -> None:
    payload: JsonObject = {"getVariableData": [1, 2, 3], "x": 1}
    assert capped("GetVariables", payload, 2) == {"getVariableData": [1, 2], "x": 1}
    assert capped("GetVariables", payload, None) == payload
    assert capped("GetVariables", payload, 0) == payload
    assert capped("Reset", payload, 1) == payload
