"""Block G: connector status, and ChangeAvailability at the level of the station, an EVSE and a connector."""

from __future__ import annotations

from fuzz.conformance import states
from fuzz.conformance.script import Csms, station_test
from fuzz.conformance.states import Session
from strategies.labels import JsonObject

_STATION: JsonObject = {}
_EVSE: JsonObject = {"evse": {"id": 1}}
_CONNECTOR: JsonObject = {"evse": {"id": 1, "connectorId": 1}}
_CHARGING = ("plug-in", "present-token", "start-power", "unplug")


async def _change(s: Csms, place: JsonObject, to: str, *, status: str = "Accepted") -> None:
    s.forget("StatusNotification", "NotifyEvent")
    await s.accepted("ChangeAvailability", {"operationalStatus": to, **place}, status=status)


async def _expect(s: Csms, place: JsonObject, status: str) -> None:
    """Every connector at the place reports the status."""
    if place is _STATION:
        await s.expect_statuses(status)
        return
    for evse, connector in s.each_connector():
        if evse == 1 and (place is _EVSE or connector == 1):
            await s.expect_status(evse, status, connector)


async def _to(s: Csms, place: JsonObject, to: str) -> None:
    """The place is in that state, and its connectors have said so."""
    await _change(s, place, to)
    await _expect(s, place, "Unavailable" if to == "Inoperative" else "Available")


async def _there_already(s: Csms, place: JsonObject, to: str) -> None:
    """A change to the state that holds is accepted, and no connector reports another status."""
    if to == "Inoperative":
        await _to(s, place, to)
    await _change(s, place, to)
    other = "Available" if to == "Inoperative" else "Unavailable"
    await s.silence("StatusNotification", for_s=0.5, where={"connectorStatus": other})


async def _there_and_back(s: Csms, place: JsonObject) -> None:
    await _to(s, place, "Inoperative")
    await _to(s, place, "Operative")


async def _over_a_reboot(s: Csms, place: JsonObject) -> None:
    """What is inoperative is still so behind a reset."""
    await _to(s, place, "Inoperative")
    await states.reset(s)
    await states.booted(s, statuses=False)
    if place is _STATION:
        await s.expect_statuses("Unavailable")
    else:
        await s.expect_statuses(but={1: "Unavailable"})


async def _while_charging(s: Csms, place: JsonObject) -> None:
    """A change at a busy place is Scheduled, and happens once the transaction has ended."""
    session = await states.charging_session(s)
    await _change(s, place, "Inoperative", status="Scheduled")
    if place is _STATION:
        for evse, connector in s.each_connector():
            if evse != session.evse:
                await s.expect_status(evse, "Unavailable", connector)
    told = [h for h in s.untaken("StatusNotification") if h["evseId"] == session.evse]
    s.require(not told, "the busy connector keeps its status", [h.view.payload for h in told])
    await states.stop_authorized(s, session)
    await states.unplugged(s, session, status="Unavailable")


@station_test("TC_G_01", needs=("plug-in",))
async def plugging_in_occupies_the_connector(s: Csms) -> None:
    """A connector with an EV at its cable reports Occupied."""
    await s.operator("plug-in", 1)
    await s.expect_status(1, "Occupied")


@station_test("TC_G_02", needs=("plug-in", "unplug"))
async def unplugging_frees_the_connector(s: Csms) -> None:
    """A connector whose cable is taken out reports Available."""
    await states.plugged_in(s, session := Session())
    await states.unplugged(s, session)


@station_test("TC_G_03")
async def an_evse_becomes_inoperative(s: Csms) -> None:
    """An idle EVSE made inoperative reports every connector Unavailable."""
    await _to(s, _EVSE, "Inoperative")


@station_test("TC_G_09")
async def an_operative_evse_stays_so(s: Csms) -> None:
    """Making an operative EVSE operative is accepted."""
    await _there_already(s, _EVSE, "Operative")


@station_test("TC_G_04")
async def an_evse_becomes_operative_again(s: Csms) -> None:
    """An inoperative EVSE made operative reports its connectors Available."""
    await _there_and_back(s, _EVSE)


@station_test("TC_G_10")
async def an_inoperative_evse_stays_so(s: Csms) -> None:
    """Making an inoperative EVSE inoperative is accepted."""
    await _there_already(s, _EVSE, "Inoperative")


@station_test("TC_G_11", needs=_CHARGING)
async def a_busy_evse_becomes_inoperative_later(s: Csms) -> None:
    """A change at an EVSE with a transaction is scheduled until the transaction has ended."""
    await _while_charging(s, _EVSE)


@station_test("TC_G_18")
async def an_inoperative_evse_survives_a_reboot(s: Csms) -> None:
    """An EVSE that was made inoperative is Unavailable after a reset."""
    await _over_a_reboot(s, _EVSE)


@station_test("TC_G_05")
async def the_station_becomes_inoperative(s: Csms) -> None:
    """An idle station made inoperative reports every connector Unavailable."""
    await _to(s, _STATION, "Inoperative")


@station_test("TC_G_12")
async def an_operative_station_stays_so(s: Csms) -> None:
    """Making an operative station operative is accepted."""
    await _there_already(s, _STATION, "Operative")


@station_test("TC_G_06")
async def the_station_becomes_operative_again(s: Csms) -> None:
    """An inoperative station made operative reports its connectors Available."""
    await _there_and_back(s, _STATION)


@station_test("TC_G_13")
async def an_inoperative_station_stays_so(s: Csms) -> None:
    """Making an inoperative station inoperative is accepted."""
    await _there_already(s, _STATION, "Inoperative")


@station_test("TC_G_21")
async def an_inoperative_station_survives_a_reboot(s: Csms) -> None:
    """A station that was made inoperative has every connector Unavailable after a reset."""
    await _over_a_reboot(s, _STATION)


@station_test("TC_G_14", needs=_CHARGING)
async def a_busy_station_becomes_inoperative_in_parts(s: Csms) -> None:
    """A change at a station with a transaction is scheduled: idle EVSEs change at once, the busy one later."""
    await _while_charging(s, _STATION)


@station_test("TC_G_07")
async def a_connector_becomes_inoperative(s: Csms) -> None:
    """An idle connector made inoperative reports Unavailable."""
    await _to(s, _CONNECTOR, "Inoperative")


@station_test("TC_G_15")
async def an_operative_connector_stays_so(s: Csms) -> None:
    """Making an operative connector operative is accepted."""
    await _there_already(s, _CONNECTOR, "Operative")


@station_test("TC_G_08")
async def a_connector_becomes_operative_again(s: Csms) -> None:
    """An inoperative connector made operative reports Available."""
    await _there_and_back(s, _CONNECTOR)


@station_test("TC_G_16")
async def an_inoperative_connector_stays_so(s: Csms) -> None:
    """Making an inoperative connector inoperative is accepted."""
    await _there_already(s, _CONNECTOR, "Inoperative")


@station_test("TC_G_17", needs=_CHARGING)
async def a_busy_connector_becomes_inoperative_later(s: Csms) -> None:
    """A change at a connector with a transaction is scheduled until the transaction has ended."""
    await _while_charging(s, _CONNECTOR)


@station_test("TC_G_19")
async def an_inoperative_connector_survives_a_reboot(s: Csms) -> None:
    """A connector that was made inoperative is Unavailable after a reset."""
    await _over_a_reboot(s, _CONNECTOR)
