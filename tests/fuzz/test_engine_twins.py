"""The scenes that say the same thing twice: what they ask, that they undo it, and what they find."""

import asyncio
import json
from collections.abc import Callable, Iterable

import pytest

from fuzz.engine.phases import Ground
from fuzz.engine.support import Coverage, Support
from fuzz.engine.twins import READ_TOGETHER, Twins
from fuzz.engine.validity import class_of
from fuzz.oracles.registry import judge
from fuzz.records import Ask, Case, Effect, SendText, Side
from fuzz.testing import case, error, observation, result
from fuzz.transport.memory import MemoryLink
from strategies.labels import JsonObject, JsonValue, spell
from strategies.pool import Pool, PoolVariable
from strategies.version import version


def variable(name: str, value: str | None, type_: str = "integer", **more: object) -> PoolVariable:
    made = {"data_type": type_, "value": value, **more}
    return PoolVariable("Ctrlr", name, **made)


POOL = Pool(
    (
        variable("Interval", "300", min_limit=0, max_limit=900),
        variable("Enabled", "true", "boolean"),
        variable("Options", "a,b", "MemberList", values=("a", "b", "c")),
        variable("Fixed", "1", mutability="ReadOnly"),
        variable("Secret", None, "string", mutability="WriteOnly"),
        variable("MessageTimeout", "30"),
    )
)


def ground(side: Side = Side.STATION, **more: object) -> Ground:
    made = Ground(version(), side, 7, Support(), Coverage(), pool=POOL)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def cases(on: Ground, refused: Iterable[str] = ()) -> list[Case]:
    """Every case of the phase; actions that are refused are learned to be so by their first one."""

    async def play() -> list[Case]:
        found = []
        async for one in Twins(on).cases(asyncio.sleep):
            found.append(one)
            if one.action in refused:
                on.learn(observation(one, replies=[error("NotSupported")]))
        return found

    return asyncio.run(play())


def calls(one: Case) -> list[tuple[str, JsonObject]]:
    """Action and payload of each CALL of a case."""
    frames = [json.loads(spell(s.text)) for s in one.steps if isinstance(s, Ask | SendText)]
    return [(frame[2], frame[3]) for frame in frames]


def named(found: Iterable[Case], start: str) -> list[Case]:
    chosen = [c for c in found if c.id.startswith(f"twins/{start}")]
    assert chosen
    return chosen


def test_every_action_is_said_plain_otherwise_and_plain_again() -> None:
    for one in named(cases(ground()), "ClearCache/"):
        before, other, after = (s for s in one.steps if isinstance(s, Ask | SendText))
        assert before == after
        assert isinstance(other, SendText)
        assert spell(before.text) != spell(other.text)
        assert [c[0] for c in calls(one)] == ["ClearCache"] * 3
        assert calls(one)[0] == calls(one)[1]


@pytest.mark.parametrize("side", list(Side))
def test_ids_are_unique_and_the_number_is_planned(side: Side) -> None:
    on = ground(side)
    found = cases(on)
    assert len({c.id for c in found}) == len(found) == Twins(on).planned()
    assert on.coverage.counts()["twins"] == (0, len(found))
    assert all(c.side is side for c in found)


def test_an_action_that_is_not_supported_is_left_after_its_first_case() -> None:
    found = cases(ground(), refused=["ClearCache"])
    assert len(named(found, "ClearCache/")) == 1


def test_only_what_may_be_changed_is_changed() -> None:
    on = ground(allowed=frozenset({Effect.NONE, Effect.VOLATILE}))
    found = cases(on)
    assert {c.effect for c in found} == {Effect.NONE, Effect.VOLATILE}
    assert not [c for c in found if "read-back" in c.id]


def test_actions_that_are_left_out_are_not_said() -> None:
    assert {c.action for c in cases(ground(only=frozenset({"ClearCache"})))} == {"ClearCache"}


def test_what_a_reset_ends_or_what_is_cut_off_is_not_touched() -> None:
    found = cases(ground())
    assert not [c for c in found if c.id.startswith("twins/Reset")]
    wrote = [p for c in found for a, p in calls(c) if a == "SetVariables" and "read-back" in c.id]
    assert "MessageTimeout" not in json.dumps(wrote)
    assert "Fixed" not in json.dumps(wrote)


def test_every_scene_that_writes_ends_with_the_value_from_before() -> None:
    values = {v.variable: v.value for v in POOL.variables}
    scenes = [c for c in named(cases(ground()), "read-back/") if calls(c)[0][0] == "GetVariables"]
    for one in scenes:
        *_, last = (p["setVariableData"] for a, p in calls(one) if a == "SetVariables")
        (item,) = last
        assert item["attributeValue"] == values[item["variable"]["name"]]
        assert one.id.startswith(f"twins/read-back/Ctrlr.{item['variable']['name']}#")


def test_not_more_is_read_than_the_target_reads_at_once() -> None:
    many = Pool(tuple(variable(f"V{n}", "1") for n in range(3 * READ_TOGETHER)))
    for most, wanted in ((3, 3), (1000, READ_TOGETHER)):
        on = ground(pool=many, items_per_message={"GetVariables": most})
        scenes = named(cases(on), "read-back/Ctrlr")
        assert {len(calls(c)[0][1]["getVariableData"]) for c in scenes} == {wanted}


def test_the_wrong_values_of_a_type_are_shared_by_its_variables() -> None:
    many = Pool(tuple(variable(f"V{n}", "1") for n in range(8)))
    found = named(cases(ground(pool=many)), "read-back/Ctrlr")
    wrong = [c.mutations[0].operator for c in found if c.mutations[0].keyword == "dataType"]
    assert {"text-after", "fraction", "2**31", "hexadecimal"} <= set(wrong)
    assert len(wrong) == 16


# --- on a scripted station ---------------------------------------------------------------------------------


class Store:
    """A station that keeps variables; `spoil` may change what it does with one write."""

    def __init__(self, spoil: Callable[["Store", str, str], str | None] | None = None) -> None:
        self.values = {v.variable: v.value or "" for v in POOL.variables}
        self.spoil = spoil

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] == 2:
            await link.send_text(json.dumps(self.answer(*frame[1:])))

    def answer(self, message_id: str, action: str, payload: JsonObject) -> list[JsonValue]:
        match action:
            case "GetVariables":
                items = payload["getVariableData"]
                return [3, message_id, {"getVariableResult": [self.get(i) for i in items]}]
            case "SetVariables":
                items = payload["setVariableData"]
                if any("variable" not in i for i in items):
                    return [4, message_id, "OccurrenceConstraintViolation", "", {}]
                return [3, message_id, {"setVariableResult": [self.set(i) for i in items]}]
            case _:
                return [4, message_id, "NotSupported", "", {}]

    def get(self, item: JsonObject) -> JsonObject:
        name = item["variable"]["name"]
        if name not in self.values:
            return {**item, "attributeStatus": "UnknownVariable"}
        return {**item, "attributeStatus": "Accepted", "attributeValue": self.values[name]}

    def set(self, item: JsonObject) -> JsonObject:
        told = {k: v for k, v in item.items() if k != "attributeValue"}
        name, value = str(item["variable"]["name"]), str(item["attributeValue"])
        status = self.spoil(self, name, value) if self.spoil else None
        if status is None:
            status = "Accepted" if self.valid(name, value) else "Rejected"
            if status == "Accepted":
                self.values[name] = value
        return {**told, "attributeStatus": status}

    def valid(self, name: str, value: str) -> bool:
        match name:
            case "Interval":
                return value.isdecimal() and len(value) < 4 and int(value) <= 900
            case "Enabled":
                return value in ("true", "false")
            case _:
                return set(value.split(",")) <= {"a", "b", "c"}


def forgets(store: Store, name: str, value: str) -> str | None:
    return "Accepted" if name == "Interval" and value == "301" else None


def keeps_what_it_refused(store: Store, name: str, value: str) -> str | None:
    if store.valid(name, value):
        return None
    store.values[name] = value
    return "Rejected"


def disturbs(store: Store, name: str, value: str) -> str | None:
    if name == "Enabled":
        store.values["Interval"] = "7" if value == "false" else "300"
    return None


def counts_to_a_byte(store: Store, name: str, value: str) -> str | None:
    if name != "Interval" or not store.valid(name, value):
        return None
    store.values[name] = str(int(value) % 256)
    return "Accepted"


async def played(scripted: Callable, store: Store) -> set[str]:
    """What oracles say of every read-back scene on a station."""
    found: set[str] = set()
    async with scripted(store) as executor:
        await executor.connect()
        async for one in Twins(ground(only=frozenset({"SetVariables"}))).cases(asyncio.sleep):
            if "read-back" in one.id:
                said = judge(await executor.play(one))
                found |= {f"{v.oracle} {v.symptom}" for v in said if not v.remark}
    return found


@pytest.mark.parametrize(
    ("spoil", "symptom"),
    [
        (forgets, "O12 accepted but not stored"),
        (counts_to_a_byte, "O12 accepted but stored otherwise"),
        (keeps_what_it_refused, "O12 refused but changed"),
        (disturbs, "O12 something else changed"),
    ],
)
async def test_each_way_to_store_wrongly_is_found(
    spoil: Callable, symptom: str, scripted: Callable
) -> None:
    assert symptom in await played(scripted, Store(spoil))


async def test_a_station_that_stores_rightly_is_left_as_it_was(scripted: Callable) -> None:
    store = Store()
    before = dict(store.values)
    assert await played(scripted, store) == set()
    assert store.values == before


async def test_a_message_that_is_executed_up_to_its_fault_is_found(scripted: Callable) -> None:
    class Hasty(Store):
        def answer(self, message_id: str, action: str, payload: JsonObject) -> list[JsonValue]:
            if action == "SetVariables":
                for item in payload["setVariableData"]:
                    if "variable" in item:
                        self.set(item)
            return super().answer(message_id, action, payload)

    assert "O12 refused but changed" in await played(scripted, Hasty())


async def test_a_station_that_looks_for_words_in_the_text_is_found(scripted: Callable) -> None:
    async def greps(link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] == 2:
            taken: JsonValue = [3, frame[1], {"status": "Accepted"}]
            failed: JsonValue = [3, frame[1], {"status": "Rejected"}]
            known = "ClearCache" in text or "GetVariables" in text
            await link.send_text(json.dumps(taken if known else failed))

    found = {}
    async with scripted(greps) as executor:
        await executor.connect()
        async for one in Twins(ground(only=frozenset({"ClearCache"}))).cases(asyncio.sleep):
            found[one.id] = [v.symptom for v in judge(await executor.play(one))]
    assert {id_ for id_, said in found.items() if "another status" in said} == {
        "twins/ClearCache/escapes",
        "twins/ClearCache/escapes-upper",
    }


@pytest.mark.parametrize("side", list(Side))
def test_whatever_is_no_fault_is_valid(side: Side) -> None:
    for one in cases(ground(side)):
        for step in one.steps:
            if isinstance(step, Ask) and not one.id.endswith("#garbage"):
                _, _, action, payload = json.loads(spell(step.text))
                assert class_of(version(), action, payload) == frozenset(), one.id


def test_a_request_made_twice_keeps_its_request_id() -> None:
    (one,) = named(cases(ground()), "again/GetLog")
    first, second = calls(one)
    assert first == second


def test_stored_payloads_are_said_in_other_bytes_too() -> None:
    on = ground()
    stored = case(action="GetVariables")
    payload: JsonValue = {
        "getVariableData": [{"component": {"name": "A"}, "variable": {"name": "B"}}]
    }
    text = json.dumps([2, "{call.id}", "GetVariables", payload])
    on.seeds.learn(
        observation(
            Case(
                "x", Side.STATION, (SendText((text,)),), stored.expectation, action="GetVariables"
            ),
            replies=[result({"getVariableResult": []})],
        )
    )
    assert len(named(cases(on), "GetVariables/all-together/")) == 1
