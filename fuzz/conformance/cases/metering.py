"""Blocks J and K: what the meter tells and when; a charging profile where there is no smart charging."""

from __future__ import annotations

from fuzz.conformance import states
from fuzz.conformance.script import Csms, station_test
from fuzz.conformance.states import Session
from fuzz.conformance.view import View
from strategies.labels import JsonObject

_CHARGING = ("plug-in", "present-token", "start-power")
_REGISTER = "Energy.Active.Import.Register"


def _values(view: View, context: str) -> list[View]:
    """The sampled values of a message in this reading context; a value without one is Sample.Periodic."""
    sampled = [v for m in view.list("meterValue") for v in m.list("sampledValue")]
    return [v for v in sampled if (v["context"] or "Sample.Periodic") == context]


def _told(view: View, context: str) -> set[str]:
    """The measurands of a message in this reading context; the register is the default."""
    return {v.text("measurand") or _REGISTER for v in _values(view, context)}


async def _measurands(s: Csms, component: str, name: str) -> set[str]:
    """The measurands that a variable lists."""
    return set((await s.get_variable(component, name)).text("attributeValue").split(","))


def _require_measurands(s: Csms, view: View, context: str, wanted: set[str]) -> None:
    s.require(_told(view, context) == wanted, f"{context} values of {sorted(wanted)}", view.payload)


async def _aligned(s: Csms, seconds: int) -> set[str]:
    await s.set_variable("AlignedDataCtrlr", "Interval", seconds)
    return await _measurands(s, "AlignedDataCtrlr", "Measurands")


@station_test("TC_J_01", slow=True)
async def clock_aligned_values(s: Csms) -> None:
    """At every multiple of the interval an idle station tells the values of the grid meter and of each EVSE."""
    wanted = await _aligned(s, 2)
    s.forget("MeterValues")
    evses = [0, *range(1, len(s.connectors) + 1)]
    for _ in range(2):
        for evse in evses:
            view = await s.expect("MeterValues", {"evseId": evse})
            # The grid meter need not measure all that an EVSE does, such as a state of charge.
            told = wanted if evse else wanted & _told(view, "Sample.Clock")
            s.require(told, "clock-aligned values", view.payload)
            _require_measurands(s, view, "Sample.Clock", told)


@station_test("TC_J_02", needs=_CHARGING, slow=True)
async def clock_aligned_values_during_a_transaction(s: Csms) -> None:
    """During a transaction the clock-aligned values of its EVSE come in MeterValues or in TransactionEvents."""
    session = await states.charging_session(s)
    wanted = await _aligned(s, 2)
    for _ in range(2):
        view = await s.expect(
            ("MeterValues", "TransactionEvent"),
            lambda v: v["evseId"] == session.evse or v["triggerReason"] == "MeterValueClock",
            what="clock-aligned values of the EVSE in use",
        )
        _require_measurands(s, view, "Sample.Clock", wanted)


@station_test("TC_J_03", needs=(*_CHARGING, "unplug"), slow=True)
async def clock_aligned_values_at_the_end(s: Csms) -> None:
    """The last event of a transaction holds the clock-aligned values of its time."""
    await s.set_variable("AlignedDataCtrlr", "TxEndedInterval", 1)
    wanted = await _measurands(s, "AlignedDataCtrlr", "TxEndedMeasurands")
    session = await states.charging_session(s)
    await s.sleep(2.2)
    await _require_ended(s, session, "Sample.Clock", wanted)


async def _require_ended(s: Csms, session: Session, context: str, wanted: set[str]) -> View:
    """The session ends, and its last event has values of these measurands."""
    view = await states.stop_authorized(s, session)
    if not session.ended:
        view = await states.unplugged(s, session) or view
    s.require(view["eventType"] == "Ended", "the transaction ends", view.payload)
    _require_measurands(s, view, context, wanted)
    return view


@station_test("TC_J_07", needs=_CHARGING)
async def sampled_values_at_the_start(s: Csms) -> None:
    """The first event of a transaction holds the values of its beginning."""
    wanted = await _measurands(s, "SampledDataCtrlr", "TxStartedMeasurands")
    await states.points(s, start="PowerPathClosed")
    session = Session()
    await states.plugged_in(s, session)
    await states.authorized(s, session)
    started = await states.event(s, session, type_="Started")
    _require_measurands(s, started, "Transaction.Begin", wanted)


@station_test("TC_J_08", needs=_CHARGING)
async def sampled_values_when_the_evse_is_known(s: Csms) -> None:
    """A transaction that began before its EVSE was known tells the values of its beginning with the EVSE."""
    wanted = await _measurands(s, "SampledDataCtrlr", "TxStartedMeasurands")
    await states.points(s, start="Authorized")
    session = Session()
    await s.operator("present-token", session.token)
    started = await states.event(s, session, type_="Started", reason="Authorized")
    s.require(started["evse"] is None, "the EVSE is not known yet", started.payload)
    s.require(not started.list("meterValue"), "nothing is measured yet", started.payload)
    await s.operator("plug-in", session.evse)
    view = await s.expect(
        "TransactionEvent",
        lambda v: v["transactionInfo.transactionId"] == session.id and "evse" in v,
        what="an event that names the EVSE",
    )
    _require_measurands(s, view, "Transaction.Begin", wanted)


@station_test("TC_J_09", needs=_CHARGING, slow=True)
async def sampled_values_during_a_transaction(s: Csms) -> None:
    """During a transaction the values come as often as TxUpdatedInterval says."""
    await s.set_variable("SampledDataCtrlr", "TxUpdatedInterval", 1)
    wanted = await _measurands(s, "SampledDataCtrlr", "TxUpdatedMeasurands")
    await states.charging_session(s)
    at = []
    for _ in range(3):
        heard = await s.hear("TransactionEvent", {"triggerReason": "MeterValuePeriodic"})
        s.require(heard["eventType"] == "Updated", "eventType Updated", heard.view.payload)
        _require_measurands(s, heard.view, "Sample.Periodic", wanted)
        at.append(heard.view.list("meterValue")[0].text("timestamp"))
    s.require(at == sorted(set(at)), "each with a moment of its own", at)


@station_test("TC_J_10", needs=(*_CHARGING, "unplug"))
async def sampled_values_at_the_end(s: Csms) -> None:
    """The last event of a transaction holds the values of its end."""
    wanted = await _measurands(s, "SampledDataCtrlr", "TxEndedMeasurands")
    session = await states.charging_session(s)
    await s.sleep(0.3)
    view = await _require_ended(s, session, "Transaction.End", wanted)
    register = [
        v.number("value")
        for context in ("Transaction.Begin", "Sample.Periodic", "Transaction.End")
        for v in _values(view, context)
        if (v["measurand"] or _REGISTER) == _REGISTER
    ]
    s.require(register == sorted(register), "the register never decreases", register)


@station_test("TC_K_38", needs=("plug-in",))
async def a_charging_profile_is_ignored(s: Csms) -> None:
    """A station without smart charging takes a remote start and ignores the charging profile in it."""
    await states.plugged_in(s, session := Session())
    period: JsonObject = {"startPeriod": 0, "limit": 6.0}
    schedule: JsonObject = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    profile: JsonObject = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    start: JsonObject = {
        "idToken": states.id_token(states.REMOTE_TOKEN),
        "evseId": session.evse,
        "remoteStartId": s.request_id(),
        "chargingProfile": profile,
    }
    await s.accepted("RequestStartTransaction", start)
    await s.expect("TransactionEvent", {"triggerReason": "RemoteStart"})
