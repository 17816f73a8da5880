"""A station that does not boot for us is known by its report, or by what it tells when it is asked."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fuzz.engine import nameplate
from fuzz.records import Side, TargetFacts
from fuzz.transport.memory import MemoryLink
from strategies.labels import JsonObject, JsonValue
from strategies.pool import Pool

PLATE = {"VendorName": "lab", "Model": "dc", "SerialNumber": "7", "FirmwareVersion": "1.0"}
NOBODY = TargetFacts(Side.STATION)
KNOWN = replace(NOBODY, vendor="lab", model="dc", serial="7", firmware="1.0")


def entry(name: str, value: JsonValue, component: str = "ChargingStation") -> JsonObject:
    return {
        "component": {"name": component},
        "variable": {"name": name},
        "variableAttribute": [{"value": value}],
    }


def answering(tell: Callable[[str], JsonValue]) -> Any:
    """Answers each CALL with the result that `tell` has for the variable it names."""

    async def behave(link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] == 2:
            name = frame[3]["getVariableData"][0]["variable"]["name"]
            await link.send_text(json.dumps([3, frame[1], tell(name)]))

    return behave


def result(value: JsonValue, status: str = "Accepted") -> JsonValue:
    return {"getVariableResult": [{"attributeStatus": status, "attributeValue": value}]}


def test_a_report_tells_who_it_is_in_whatever_case_its_names_are_written() -> None:
    report = [entry(name.upper(), value, "chargingstation") for name, value in PLATE.items()]
    assert nameplate.read(NOBODY, Pool.from_report(report)) == KNOWN


def test_what_the_boot_told_stays_and_other_components_tell_nothing() -> None:
    booted = replace(NOBODY, vendor="boot", model="boot")
    report = [entry("VendorName", "other"), entry("FirmwareVersion", "9", "Meter")]
    assert nameplate.read(booted, Pool.from_report(report)) == booted


async def test_without_a_report_it_is_asked_one_variable_a_call(scripted: Any) -> None:
    async with scripted(answering(lambda name: result(PLATE.get(name, "")))) as executor:
        await executor.connect()
        assert await nameplate.ask(executor) == replace(
            KNOWN, message_timeout_s=executor.facts.message_timeout_s
        )


@pytest.mark.parametrize(
    "told",
    [
        result("lab", "UnknownVariable"),
        result(None),
        result(["lab"]),
        {"getVariableResult": "lab"},
        {"getVariableResult": ["lab"]},
        [],
        None,
    ],
)
async def test_whatever_else_it_says_tells_nothing(scripted: Any, told: JsonValue) -> None:
    async with scripted(answering(lambda _: told)) as executor:
        await executor.connect()
        before = executor.facts
        assert await nameplate.ask(executor) == before


async def test_what_is_told_is_bounded(scripted: Any) -> None:
    async with scripted(answering(lambda _: result("a" * 5_000))) as executor:
        await executor.connect()
        assert (await nameplate.ask(executor)).vendor == "a" * nameplate.MAX_TOLD


async def test_who_does_not_answer_is_asked_once(scripted: Any) -> None:
    asked: list[str] = []

    async def deaf(_link: MemoryLink, text: str) -> None:
        asked.append(text)

    async with scripted(deaf) as executor:
        await executor.connect()
        assert await nameplate.ask(executor) == executor.facts
    assert len(asked) == 1
