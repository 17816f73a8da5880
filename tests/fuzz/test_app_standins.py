import asyncio
import json

import pytest

from fuzz.app.standins import BenchStation, Ends
from fuzz.errors import UsageError
from fuzz.records import Side
from fuzz.testing import CallRefused, CallUnanswered, Said
from fuzz.transport.memory import MemoryDoor

BOOT = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}


# --- a station in memory -----------------------------------------------------------------------------------


def test_a_station_is_booted_and_answers():
    station = BenchStation()
    assert station.call("ClearCache", {})["status"] in ("Accepted", "Rejected")
    assert station.received[0].action == "BootNotification"


def test_a_callerror_of_a_station_is_raised():
    with pytest.raises(CallRefused, match="Reset: refused, PropertyConstraintViolation") as refused:
        BenchStation().call("Reset", {"type": "Perhaps"})
    assert not refused.value.broken


def test_silence_of_a_station_is_raised():
    station = BenchStation()
    station.bench.lose()
    with pytest.raises(CallUnanswered, match="ClearCache"):
        station.call("ClearCache", {})


def test_an_operator_acts_and_time_passes():
    station = BenchStation()
    station.operate("plug-in 1")
    assert station.received[-1].action in ("StatusNotification", "TransactionEvent", "NotifyEvent")
    station.wait(301)
    assert "Heartbeat" in {said.action for said in station.received}


def test_a_restarted_station_knows_nothing_of_the_old_one():
    station = BenchStation()
    station.wait(1_000)
    before = len(station.received)
    station.restart()
    assert len(station.received) < before


def test_an_unknown_defect_is_a_usage_error():
    with pytest.raises(UsageError, match="unknown defect"):
        BenchStation(["NOPE"])


# --- a CSMS for a station that comes ------------------------------------------------------------------------


@pytest.fixture
async def door():
    return MemoryDoor(Side.STATION)


@pytest.fixture
async def csms(door):
    ends = Ends({"DataTransfer": {"status": "Rejected"}})
    talking = asyncio.create_task(ends.let_in(door))
    yield ends
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)


@pytest.fixture
async def station(door, csms):
    """A station's end of a connection on which it has booted."""
    link = door.connect()
    assert (await said(link, [2, "b", "BootNotification", BOOT]))[2]["status"] == "Accepted"
    return link


async def said(link, message) -> list:
    await link.send_text(json.dumps(message))
    return json.loads(await link.receive())


async def test_calls_of_a_station_are_answered_and_kept(csms, station):
    answer = await said(station, [2, "h", "Heartbeat", {}])
    assert list(answer[2]) == ["currentTime"]
    assert csms.received == [Said("BootNotification", BOOT), Said("Heartbeat", {})]


async def test_an_answer_of_ones_own_takes_the_place_of_the_usual_one(csms, station):
    answer = await said(station, [2, "d", "DataTransfer", {"vendorId": "V"}])
    assert answer == [3, "d", {"status": "Rejected"}]


async def test_what_is_improper_is_refused_and_told(csms, station):
    assert (await said(station, [2, "x", "Heartbeat", {"more": 1}]))[0] == 4
    assert len(csms.improper) == 1
    assert len(csms.received) == 1


async def test_each_call_is_waited_for_once(csms, station):
    assert await csms.wait_for("BootNotification", 1) == BOOT
    with pytest.raises(CallUnanswered, match="no BootNotification within 0 s"):
        await csms.wait_for("BootNotification", 0)


async def test_a_call_is_answered(csms, station):
    asking = asyncio.create_task(csms.call("ClearCache", {}, 1))
    asked = json.loads(await station.receive())
    assert asked[2:] == ["ClearCache", {}]
    await station.send_text(json.dumps([3, asked[1], {"status": "Accepted"}]))
    assert await asking == {"status": "Accepted"}


@pytest.mark.parametrize(
    ("answer", "code", "broken"),
    [
        ([4, "ID", "NotSupported", "", {}], "NotSupported", False),
        ([3, "ID"], "RpcFrameworkError", True),
    ],
)
async def test_a_refusal_is_raised(csms, station, answer, code, broken):
    asking = asyncio.create_task(csms.call("ClearCache", {}, 1))
    asked = json.loads(await station.receive())
    await station.send_text(json.dumps([asked[1] if part == "ID" else part for part in answer]))
    with pytest.raises(CallRefused) as refused:
        await asking
    assert (refused.value.code, refused.value.broken) == (code, broken)


async def test_silence_and_absence_are_told_apart(csms, door):
    with pytest.raises(CallUnanswered, match="ClearCache: no station is there within 0 s"):
        await csms.call("ClearCache", {}, 0)
    link = door.connect()
    await said(link, [2, "b", "BootNotification", BOOT])
    with pytest.raises(CallUnanswered, match=r"ClearCache: no answer within 0\.01 s"):
        await csms.call("ClearCache", {}, 0.01)


async def test_behind_silence_the_next_call_is_answered(csms, station):
    with pytest.raises(CallUnanswered):
        await csms.call("ClearCache", {}, 0.01)
    late = json.loads(await station.receive())
    asking = asyncio.create_task(csms.call("GetLocalListVersion", {}, 1))
    asked = json.loads(await station.receive())
    await station.send_text(json.dumps([3, late[1], {"status": "Accepted"}]))
    await station.send_text(json.dumps([3, asked[1], {"versionNumber": 0}]))
    assert await asking == {"versionNumber": 0}


async def test_whoever_waits_for_an_answer_can_be_stopped(csms, station):
    asking = asyncio.create_task(csms.call("ClearCache", {}, 1))
    await station.receive()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_connection_that_ends_ends_the_call_and_the_next_one_needs_no_boot(
    csms, station, door
):
    asking = asyncio.create_task(csms.call("ClearCache", {}, 1))
    await station.receive()
    await station.close()
    with pytest.raises(CallUnanswered, match="the connection ended"):
        await asking
    again = door.connect()
    asking = asyncio.create_task(csms.call("ClearCache", {}, 1))
    asked = json.loads(await again.receive())
    await again.send_text(json.dumps([3, asked[1], {"status": "Accepted"}]))
    assert await asking == {"status": "Accepted"}
