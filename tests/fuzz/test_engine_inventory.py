"""Reads reports of scripted stations, friendly and hostile, and puts back what was changed."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from fuzz.engine import conversation as talk
from fuzz.engine.inventory import MAX_CHANGED, MAX_REPORT_ENTRIES, Inventory
from fuzz.records import Ask, Entry, Observation, Who
from fuzz.testing import case, observation, result
from fuzz.transport.memory import MemoryLink
from strategies.labels import JsonObject, JsonValue


def entry(
    name: str, value: JsonValue, *, component: str = "Ctrlr", type_: str | None = None, **evse: int
) -> JsonObject:
    attribute: JsonObject = {"value": value, **({"type": type_} if type_ else {})}
    made: JsonObject = {"name": component, **({"evse": dict(evse)} if evse else {})}
    return {"component": made, "variable": {"name": name}, "variableAttribute": [attribute]}


REPORT = [
    entry("Interval", "300"),
    entry("BasicAuthPassword", "hush"),
    entry("AvailabilityState", "Available", component="ChargingStation"),
    entry("AvailabilityState", "Unavailable", component="EVSE", id=1),
    entry("AvailabilityState", "Available", component="Connector", id=1, connectorId=1),
]


class Station:
    """Answers GetBaseReport with `parts`, and every other CALL with what `answers` holds for its action."""

    def __init__(self, *parts: JsonValue, **answers: JsonValue) -> None:
        self.parts = parts
        self.answers = answers
        self.asked: list[tuple[str, JsonObject]] = []

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] != 2:
            return
        _, message_id, action, payload = frame
        if action == "GetBaseReport":
            await link.send_text(json.dumps([3, message_id, {"status": "Accepted"}]))
            for number, part in enumerate(self.parts):
                await link.send_text(json.dumps([2, f"r{number}", "NotifyReport", part]))
            return
        self.asked.append((action, payload))
        if self.answers.get(action, {}) is not None:
            await link.send_text(json.dumps([3, message_id, self.answers.get(action, {})]))


def accepted(*items: JsonValue, status: str = "Accepted") -> Observation:
    """A SetVariables whose items were accepted."""
    results = [
        {**item, "attributeStatus": status} if isinstance(item, dict) else item for item in items
    ]
    return observation(
        case(action="SetVariables"), replies=[result({"setVariableResult": results})]
    )


def variable(name: str = "Interval", component: JsonValue = "Ctrlr", **more: JsonValue) -> dict:
    return {"component": {"name": component}, "variable": {"name": name}, **more}


# --- reading ----------------------------------------------------------------------------------------------


async def test_a_report_of_several_parts_is_read_to_its_end(scripted: Callable) -> None:
    parts = [{"tbc": True, "reportData": REPORT[:2]}, {"reportData": REPORT[2:]}]
    async with scripted(Station(*parts)) as executor:
        inventory = Inventory()
        assert await inventory.read(executor)
    assert inventory.report == REPORT
    assert inventory.component_names() == {"ctrlr", "chargingstation", "evse", "connector"}
    assert inventory.pool.evse_ids == (1,)


async def test_a_station_that_refuses_the_report_gives_none(scripted: Callable) -> None:
    async def refuses(link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] == 2:
            await link.send_text(json.dumps([3, frame[1], {"status": "NotSupported"}]))

    async with scripted(refuses) as executor:
        inventory = Inventory()
        assert not await inventory.read(executor)
    assert inventory.report == []


@pytest.mark.parametrize(
    "part",
    [
        {"reportData": None},
        {"reportData": {"0": 1}},
        {"reportData": [1, None, [], {"component": 3}, {"component": {"name": {}}}]},
        {"reportData": [{"variableAttribute": "x"}, {"component": {"name": "A", "evse": [1]}}]},
        {"reportData": [{"component": {"name": "A"}, "variable": [], "variableAttribute": [3]}]},
        {},
    ],
)
async def test_a_report_of_wrong_types_is_read_for_what_it_is_worth(
    part: JsonValue, scripted: Callable
) -> None:
    async with scripted(Station(part)) as executor:
        inventory = Inventory()
        await inventory.read(executor)
        inventory.note(accepted(variable()))
        await inventory.put_back(executor)
    assert inventory.pool.variables == ()
    assert inventory.left_changed() == ["Ctrlr.Interval"]


async def test_more_entries_than_any_station_has_are_left_out(scripted: Callable) -> None:
    many = {"tbc": True, "reportData": [{}] * 15_000}
    async with scripted(Station(many, {**many, "tbc": False})) as executor:
        inventory = Inventory()
        assert await inventory.read(executor)
    assert len(inventory.report) == MAX_REPORT_ENTRIES


async def test_parts_without_end_are_cut_off_and_what_came_counts(
    scripted: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "FLOOD_LIMIT", 50)
    parts = [{"tbc": True, "reportData": [REPORT[0]]}] * 100
    async with scripted(Station(*parts), patience_s=5.0) as executor:
        inventory = Inventory()
        assert await inventory.read(executor)
        assert not executor.connected
        await executor.connect()
    assert 0 < len(inventory.report) <= 50


# --- noting -----------------------------------------------------------------------------------------------


def test_only_accepted_changes_are_noted() -> None:
    inventory = Inventory()
    inventory.note(accepted(variable("A")))
    inventory.note(accepted(variable("B"), status="RebootRequired"))
    inventory.note(accepted(variable("C"), status="Rejected"))
    inventory.note(observation(case(action="GetVariables"), replies=[result({})]))
    assert inventory.left_changed() == ["Ctrlr.A", "Ctrlr.B"]


@pytest.mark.parametrize(("status", "left"), [("Accepted", ["availability"]), ("Rejected", [])])
def test_an_accepted_change_of_availability_is_noted(status: str, left: list[str]) -> None:
    inventory = Inventory()
    reply = result({"status": status})
    inventory.note(observation(case(action="ChangeAvailability"), replies=[reply]))
    assert inventory.left_changed() == left


def test_no_more_is_noted_than_a_station_can_have() -> None:
    inventory = Inventory()
    inventory.note(accepted(*(variable(f"V{n}") for n in range(MAX_CHANGED + 10))))
    assert len(inventory.changed) == MAX_CHANGED


def test_what_was_echoed_beside_the_names_is_dropped() -> None:
    nested: JsonValue = []
    for _ in range(500):
        nested = [nested]
    inventory = Inventory()
    inventory.note(accepted(variable("A" * 5_000, nested, extra=nested)))
    (kept,) = inventory.changed.values()
    assert kept == {"component": {}, "variable": {"name": "A" * 100}}


# --- putting back -----------------------------------------------------------------------------------------


def asked_for(*expected: tuple[str, JsonObject]) -> list[tuple[str, JsonObject]]:
    return list(expected)


async def test_a_variable_is_set_to_what_it_was(scripted: Callable) -> None:
    station = Station(SetVariables={"setVariableResult": [{"attributeStatus": "Accepted"}]})
    inventory = Inventory(report=list(REPORT))
    inventory.note(accepted(variable("interval", "CTRLR")))
    async with scripted(station) as executor:
        await inventory.put_back(executor)
    wanted = {**variable("interval", "CTRLR"), "attributeValue": "300"}
    assert station.asked == asked_for(("SetVariables", {"setVariableData": [wanted]}))
    assert inventory.left_changed() == []


async def test_another_attribute_is_not_set_to_the_actual_value(scripted: Callable) -> None:
    station = Station()
    inventory = Inventory(report=list(REPORT))
    inventory.note(accepted(variable(attributeType="Target")))
    async with scripted(station) as executor:
        await inventory.put_back(executor)
    assert station.asked == []
    assert inventory.left_changed() == ["Ctrlr.Interval (Target)"]


@pytest.mark.parametrize("name", ["BasicAuthPassword", "Unknown"])
async def test_passwords_and_unknown_values_stay_changed_and_are_told(
    name: str, scripted: Callable
) -> None:
    station = Station()
    inventory = Inventory(report=list(REPORT))
    inventory.note(accepted(variable(name)))
    async with scripted(station) as executor:
        await inventory.put_back(executor)
    assert station.asked == []
    assert inventory.left_changed() == [f"Ctrlr.{name}"]


@pytest.mark.parametrize(
    "answer",
    [
        {"setVariableResult": [{"attributeStatus": "Rejected"}]},
        {"setVariableResult": 3},
        {"setVariableResult": [{"attributeStatus": ["Accepted"]}, None]},
        [],
    ],
)
async def test_a_refusal_to_go_back_is_told(answer: JsonValue, scripted: Callable) -> None:
    inventory = Inventory(report=list(REPORT))
    inventory.note(accepted(variable()))
    async with scripted(Station(SetVariables=answer)) as executor:
        await inventory.put_back(executor)
    assert inventory.left_changed() == ["Ctrlr.Interval"]


async def test_a_station_that_does_not_listen_is_not_asked_a_hundred_times(
    scripted: Callable,
) -> None:
    station = Station(SetVariables=None)
    names = [f"V{n}" for n in range(100)]
    inventory = Inventory(report=[entry(n, "1") for n in names])
    inventory.note(accepted(*map(variable, names)))
    async with scripted(station, patience_s=0.01) as executor:
        await inventory.put_back(executor)
    assert len(station.asked) == 2
    assert inventory.left_changed() == [f"Ctrlr.{n}" for n in names]


async def test_availability_is_put_back_as_the_report_had_it(scripted: Callable) -> None:
    station = Station(ChangeAvailability={"status": "Accepted"})
    inventory = Inventory(report=list(REPORT), availability_changed=True)
    async with scripted(station) as executor:
        await inventory.put_back(executor)
    assert [payload for _, payload in station.asked] == [
        {"operationalStatus": "Operative"},
        {"operationalStatus": "Inoperative", "evse": {"id": 1}},
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}},
    ]
    assert inventory.left_changed() == []


async def test_availability_that_stays_is_told(scripted: Callable) -> None:
    inventory = Inventory(report=REPORT[:3], availability_changed=True)
    async with scripted(Station(ChangeAvailability={"status": "Rejected"})) as executor:
        await inventory.put_back(executor)
    assert inventory.left_changed() == ["availability of the station"]


async def test_only_what_was_named_is_put_back_in_between(scripted: Callable) -> None:
    station = Station(SetVariables={"setVariableResult": [{"attributeStatus": "Accepted"}]})
    inventory = Inventory(report=list(REPORT), availability_changed=True)
    inventory.note(accepted(variable()))
    async with scripted(station) as executor:
        await inventory.put_back(executor, only=[])
        assert station.asked == []
        await inventory.put_back(executor, only=["Ctrlr.Interval", "Ctrlr.NoSuch"])
    assert [action for action, _ in station.asked] == ["SetVariables"]
    assert inventory.left_changed() == ["availability"]


# --- scenes -----------------------------------------------------------------------------------------------


def scene(*exchanges: tuple[str, JsonValue, JsonValue]) -> Observation:
    """A scene of these CALLs of ours with their answers."""
    entries = []
    for number, (action, payload, answer) in enumerate(exchanges):
        for who, frame in (
            (Who.US, [2, f"i{number}", action, payload]),
            (Who.TARGET, [3, f"i{number}", answer]),
        ):
            entries.append(Entry(0.0, who, "text", json.dumps(frame)))
    return replace(observation(case(steps=[Ask(("x",))]), replies=[]), entries=entries)


def written(value: str, status: str = "Accepted") -> tuple[str, JsonValue, JsonValue]:
    return (
        "SetVariables",
        {"setVariableData": [variable(attributeValue=value)]},
        {"setVariableResult": [variable(attributeStatus=status)]},
    )


def test_what_is_accepted_anywhere_in_a_scene_is_changed() -> None:
    inventory = Inventory(report=[*REPORT])
    inventory.note(scene(written("1"), ("GetVariables", {}, {}), written("2", "Rejected")))
    assert inventory.left_changed() == ["Ctrlr.Interval"]
    inventory.note(scene(("ChangeAvailability", {}, {"status": "Scheduled"})))
    assert inventory.availability_changed


def test_what_a_scene_puts_back_itself_is_not_changed() -> None:
    inventory = Inventory(report=[*REPORT])
    inventory.note(scene(written("1"), written("300")))
    assert inventory.left_changed() == []


def test_what_only_seems_to_be_put_back_stays_changed() -> None:
    inventory = Inventory(report=[*REPORT])
    inventory.note(scene(written("1"), written("300", "Rejected")))
    assert inventory.left_changed() == ["Ctrlr.Interval"]


def test_refusals_and_reads_of_a_scene_change_nothing() -> None:
    inventory = Inventory(report=[*REPORT])
    inventory.note(
        scene(written("1", "Rejected"), ("ChangeAvailability", {}, {"status": "Rejected"}))
    )
    assert inventory.left_changed() == []
    assert not inventory.availability_changed


@pytest.mark.parametrize(
    ("waits", "seconds"),
    [
        ({"RetryBackOffWaitMinimum": "12", "RetryBackOffRandomRange": "8"}, 20.0),
        ({"RetryBackOffWaitMinimum": "12", "RetryBackOffRandomRange": "0"}, 12.0),
        ({"RetryBackOffWaitMinimum": "12"}, None),
        ({"RetryBackOffWaitMinimum": "soon", "RetryBackOffRandomRange": "8"}, None),
        ({"RetryBackOffWaitMinimum": "9" * 5_000, "RetryBackOffRandomRange": "8"}, None),
        ({}, None),
    ],
    ids=["both", "no range", "half", "no number", "absurd", "none"],
)
def test_how_long_a_station_waits_before_it_dials_again_is_what_it_tells(waits, seconds) -> None:
    report = [entry(name, value, component="OCPPCommCtrlr") for name, value in waits.items()]
    assert Inventory(report=report).back_off_s == seconds
