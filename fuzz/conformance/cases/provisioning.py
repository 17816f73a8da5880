"""Block B: booting, variables, reports, resets and network profiles."""

from __future__ import annotations

from dataclasses import replace

from fuzz.conformance import inventory, states
from fuzz.conformance.arena import terms
from fuzz.conformance.papers import pem, server_pairs
from fuzz.conformance.profiles import Slots, free_slot, profile_data, slots
from fuzz.conformance.script import Csms, Port, Terms, View, station_test
from fuzz.records import Effect
from strategies.labels import JsonObject, JsonValue

TOLERANCE_S = 0.1
"""How much earlier than asked something may come, since clocks and timers are not exact."""

# --- booting ----------------------------------------------------------------------------------------------


@station_test("TC_B_01")
async def cold_boot(s: Csms) -> None:
    """After a restart the station says BootNotification, reports every connector and the start itself."""
    await states.reset(s, "Immediate")
    await states.booted(s)


@station_test("TC_B_02")
async def cold_boot_pending(s: Csms) -> None:
    """A pending station can be configured and asked for reports, starts nothing, and says nothing unasked."""
    s.answer("BootNotification", lambda _: s.boot_answer("Pending", 3), times=1)
    await states.reset(s)
    await s.expect("BootNotification")
    s.forget()
    await s.set_variable("OCPPCommCtrlr", "OfflineThreshold", 300)
    await s.get_variable("OCPPCommCtrlr", "OfflineThreshold")
    await inventory.report(s, "FullInventory")
    start: JsonObject = {"idToken": states.id_token(), "evseId": 1, "remoteStartId": s.request_id()}
    await s.accepted("RequestStartTransaction", start, status="Rejected")
    await s.silence(for_s=0.5, what="a pending station says nothing unasked")
    await _trigger_boot(s)
    await s.expect_statuses()


async def _trigger_boot(s: Csms) -> None:
    """Another BootNotification: triggered where the station can do that, else after the interval."""
    answer = await s.accepted(
        "TriggerMessage",
        {"requestedMessage": "BootNotification"},
        status=("Accepted", "NotImplemented"),
    )
    where = {"reason": "Triggered"} if answer["status"] == "Accepted" else None
    await s.expect("BootNotification", where)


@station_test("TC_B_03")
async def cold_boot_rejected(s: Csms) -> None:
    """A rejected station is silent until the interval is over, then says BootNotification again."""
    s.answer("BootNotification", lambda _: s.boot_answer("Rejected", 2), times=1)
    await states.reset(s)
    first = await s.hear("BootNotification")
    s.forget()
    second = await s.hear("BootNotification")
    s.require(second.at - first.at >= 2 - TOLERANCE_S, "2 s between the two", second.at - first.at)
    between = [h.action for h in s.heard if first.at < h.at < second.at]
    s.require(not between, "no other message in between", between)
    await s.expect_statuses()


@station_test("TC_B_30")
async def request_before_acceptance(s: Csms) -> None:
    """A rejected station answers a request of the CSMS with SecurityError."""
    s.answer("BootNotification", lambda _: s.boot_answer("Rejected", 2), times=1)
    await states.reset(s)
    await s.expect("BootNotification")
    code = await s.call_error(
        "GetBaseReport", {"requestId": s.request_id(), "reportBase": "FullInventory"}
    )
    s.require(code == "SecurityError", "the code SecurityError", code)


@station_test("TC_B_51")
async def statuses_after_long_offline(s: Csms) -> None:
    """After more time offline than OfflineThreshold every connector is reported."""
    await s.set_variable("OCPPCommCtrlr", "OfflineThreshold", 1)
    async with s.offline():
        await s.sleep(2.0)
    await s.expect_statuses()


@station_test("TC_B_52", needs=("plug-in",))
async def statuses_after_short_offline(s: Csms) -> None:
    """After less time offline than OfflineThreshold only a connector that changed is reported."""
    await s.set_variable("OCPPCommCtrlr", "OfflineThreshold", 300)
    async with s.offline():
        await s.operator("plug-in", 1)
        await s.sleep(0.5)
    await s.expect_status(1, "Occupied")
    await s.silence(
        "StatusNotification", for_s=1.0, where=lambda v: v["evseId"] != 1, what="no other status"
    )


# --- variables --------------------------------------------------------------------------------------------


@station_test("TC_B_06")
async def get_one_variable(s: Csms) -> None:
    """One variable is read: its value, and the attribute type that was meant."""
    await s.set_variable("OCPPCommCtrlr", "OfflineThreshold", 300)
    result = await s.get_variable("OCPPCommCtrlr", "OfflineThreshold")
    s.require(result["attributeType"] in (None, "Actual"), "attributeType Actual", result.payload)
    s.require(result["attributeValue"] == "300", "the value 300", result.payload)


def _named(results: list[View], component: str, variable: str) -> View:
    """The result for a variable, an empty one when there is none."""
    found = [
        r
        for r in results
        if inventory.same(r.text("component.name"), component)
        and inventory.same(r.text("variable.name"), variable)
    ]
    return found[0] if len(found) == 1 else View({})


def _data(
    *variables: tuple[str, str], value: str | None = None, type_: str = ""
) -> list[JsonValue]:
    """Entries of SetVariables or GetVariables."""
    given: JsonObject = {} if value is None else {"attributeValue": value}
    kind: JsonObject = {"attributeType": type_} if type_ else {}
    return [
        {"component": {"name": component}, "variable": {"name": name}, **given, **kind}
        for component, name in variables
    ]


_THRESHOLD = ("OCPPCommCtrlr", "OfflineThreshold")
_OFFLINE = ("AuthCtrlr", "LocalAuthorizeOffline")


@station_test("TC_B_07")
async def get_two_variables(s: Csms) -> None:
    """Two variables are read at once; each is answered, in any order."""
    answer = await s.call("GetVariables", {"getVariableData": _data(_THRESHOLD, _OFFLINE)})
    results = answer.list("getVariableResult")
    s.require(len(results) == 2, "two results", answer.payload)
    for variable in (_THRESHOLD, _OFFLINE):
        result = _named(results, *variable)
        s.require(
            result["attributeStatus"] == "Accepted", f"{variable} is Accepted", answer.payload
        )
        s.require("attributeValue" in result, f"{variable} has a value", answer.payload)


async def _refused_get(s: Csms, component: str, name: str, status: str, type_: str = "") -> None:
    """Reading is answered with `status`, the names as they were asked for, and no value."""
    result = await s.get_variable(component, name, type_=type_, status=status)
    _echoes(s, result, component, name, type_)
    s.require("attributeValue" not in result, "no value", result.payload)


def _echoes(s: Csms, result: View, component: str, name: str, type_: str) -> None:
    s.require(
        result["component.name"] == component, "the component as it was asked for", result.payload
    )
    s.require(result["variable.name"] == name, "the variable as it was asked for", result.payload)
    if type_:
        s.require(result["attributeType"] == type_, f"attributeType {type_}", result.payload)


@station_test("TC_B_32")
async def get_from_unknown_component(s: Csms) -> None:
    """Reading from a component that does not exist gives UnknownComponent."""
    await _refused_get(s, "NoSuchComponent", "OfflineThreshold", "UnknownComponent")


@station_test("TC_B_33")
async def get_unknown_variable(s: Csms) -> None:
    """Reading a variable that does not exist gives UnknownVariable."""
    await _refused_get(s, "OCPPCommCtrlr", "NoSuchVariable", "UnknownVariable")


@station_test("TC_B_34")
async def get_unsupported_attribute(s: Csms) -> None:
    """Reading an attribute type that a variable has not gives NotSupportedAttributeType."""
    status = "NotSupportedAttributeType"
    await _refused_get(s, "OCPPCommCtrlr", "OfflineThreshold", status, "Target")


@station_test("TC_B_09")
async def set_one_variable(s: Csms) -> None:
    """One variable is set, and holds what was set."""
    result = await s.set_variable("OCPPCommCtrlr", "OfflineThreshold", 300, status="Accepted")
    s.require(result["attributeType"] in (None, "Actual"), "attributeType Actual", result.payload)
    held = await s.get_variable("OCPPCommCtrlr", "OfflineThreshold")
    s.require(held["attributeValue"] == "300", "the value 300", held.payload)


@station_test("TC_B_10")
async def set_two_variables(s: Csms) -> None:
    """Two variables are set at once; each is accepted, in any order."""
    data = _data(_THRESHOLD, value="300") + _data(_OFFLINE, value="true")
    results = (await s.call("SetVariables", {"setVariableData": data})).list("setVariableResult")
    s.require(len(results) == 2, "two results", [r.payload for r in results])
    for variable in (_THRESHOLD, _OFFLINE):
        result = _named(results, *variable)
        s.require(
            result["attributeStatus"] == "Accepted", f"{variable} is Accepted", result.payload
        )


@station_test("TC_B_35")
async def set_in_unknown_component(s: Csms) -> None:
    """Setting in a component that does not exist gives UnknownComponent."""
    status, name = "UnknownComponent", "OfflineThreshold"
    result = await s.set_variable("NoSuchComponent", name, 300, status=status)
    _echoes(s, result, "NoSuchComponent", name, "")


@station_test("TC_B_36")
async def set_unknown_variable(s: Csms) -> None:
    """Setting a variable that does not exist gives UnknownVariable."""
    status, component = "UnknownVariable", "OCPPCommCtrlr"
    result = await s.set_variable(component, "NoSuchVariable", 300, status=status)
    _echoes(s, result, component, "NoSuchVariable", "")


@station_test("TC_B_37")
async def set_unsupported_attribute(s: Csms) -> None:
    """Setting an attribute type that a variable has not gives NotSupportedAttributeType."""
    result = await s.set_variable(
        "OCPPCommCtrlr", "OfflineThreshold", 300, type_="Target", status="NotSupportedAttributeType"
    )
    _echoes(s, result, "OCPPCommCtrlr", "OfflineThreshold", "Target")


@station_test("TC_B_11")
async def set_wrong_types(s: Csms) -> None:
    """A value that is none of a variable's type is Rejected; the variable keeps what it held."""
    moment, text = s.now(), "abc"
    await s.set_variable("OCPPCommCtrlr", "OfflineThreshold", 300, status="Accepted")
    for wrong in ("300.1", "true", moment, text):
        await s.set_variable("OCPPCommCtrlr", "OfflineThreshold", wrong, status="Rejected")
    held = await s.get_variable("OCPPCommCtrlr", "OfflineThreshold")
    s.require(held["attributeValue"] == "300", "the value 300 still", held.payload)
    for wrong in ("300", "300.1", moment, text):
        await s.set_variable("AuthCtrlr", "LocalPreAuthorize", wrong, status="Rejected")
    for wrong in ("true", "300.1", text):
        await s.set_variable("ClockCtrlr", "DateTime", wrong, status="Rejected")


@station_test("TC_B_39")
async def set_read_only(s: Csms) -> None:
    """A variable that can only be read is not set."""
    await s.set_variable(
        "OCPPCommCtrlr", "MessageTimeout", 60, instance="Default", status="Rejected"
    )


# --- reports ----------------------------------------------------------------------------------------------


@station_test("TC_B_12")
async def configuration_inventory(s: Csms) -> None:
    """The ConfigurationInventory holds what an operator can set, and at least the required variables."""
    rows = await inventory.report(s, "ConfigurationInventory")
    for row in rows:
        what = inventory.name(row)
        s.require("variableCharacteristics" in row, f"{what} has characteristics")
        s.require(inventory.mutable(row), f"{what} can be set", row.payload)
    inventory.check_lists(s, rows)
    inventory.check_write_only(s, rows)
    missing = [str(r) for r in inventory.required() if r.writable and not r.is_in(rows)]
    s.require(not missing, "every required variable that can be set", f"missing: {missing}")


@station_test("TC_B_13")
async def full_inventory(s: Csms) -> None:
    """The FullInventory holds the required variables, each with its characteristics."""
    rows = await inventory.report(s, "FullInventory")
    _all_required(s, rows)
    inventory.check_lists(s, rows)


def _all_required(s: Csms, rows: list[View]) -> None:
    for row in rows:
        s.require("variableCharacteristics" in row, f"{inventory.name(row)} has characteristics")
    missing = [str(r) for r in inventory.required() if not r.is_in(rows)]
    s.require(not missing, "every required variable", f"missing: {missing}")


@station_test("TC_B_14")
async def summary_inventory(s: Csms) -> None:
    """The SummaryInventory holds the AvailabilityState of the station, of every EVSE and of every connector."""
    rows = await inventory.report(s, "SummaryInventory")
    state = [r for r in rows if inventory.same(r.text("variable.name"), "AvailabilityState")]
    s.require(
        any(inventory.same(r.text("component.name"), "ChargingStation") for r in state),
        "the AvailabilityState of the station",
    )
    for evse in range(1, len(s.connectors) + 1):
        s.require(any(r["component.evse.id"] == evse for r in state), f"the state of EVSE {evse}")


@station_test("TC_B_53")
async def required_device_model(s: Csms) -> None:
    """The device model holds every required variable, lists name their values, secrets stay hidden."""
    rows = await inventory.report(s, "FullInventory")
    _all_required(s, rows)
    inventory.check_lists(s, rows)
    inventory.check_write_only(s, rows)
    for row in rows:
        if (row["component.name"], row["variable.name"]) == ("EVSE", "Power"):
            s.require("variableCharacteristics.maxLimit" in row, "EVSE.Power has a maxLimit")


# --- resets -----------------------------------------------------------------------------------------------


@station_test("TC_B_20")
async def reset_on_idle(s: Csms) -> None:
    """Reset OnIdle is accepted by an idle station, which boots and reports every connector."""
    await states.reset(s, "OnIdle")
    await states.booted(s)


_A_SESSION = ("plug-in", "present-token", "start-power")


@station_test("TC_B_21", needs=(*_A_SESSION, "unplug"))
async def reset_waits_for_the_transaction(s: Csms) -> None:
    """Reset OnIdle is Scheduled during a transaction; the station boots once it has ended."""
    session = await states.charging_session(s)
    await states.reset(s, "OnIdle", status="Scheduled")
    await s.silence("BootNotification", for_s=1.0)
    await states.finished(s, session)
    await states.booted(s)


@station_test("TC_B_22", needs=_A_SESSION)
async def reset_interrupts_the_transaction(s: Csms) -> None:
    """Reset Immediate ends the transaction as an ImmediateReset; after the boot the cable is still in."""
    session = await states.charging_session(s)
    await states.reset(s, "Immediate")
    ended = await states.event(s, session, type_="Ended", reason="ResetCommand")
    reason = ended["transactionInfo.stoppedReason"]
    s.require(reason == "ImmediateReset", "stoppedReason ImmediateReset", ended.payload)
    state = ended["transactionInfo.chargingState"]
    s.require(state == "EVConnected", "chargingState EVConnected", ended.payload)
    s.require("idToken" not in ended, "no idToken", ended.payload)
    await states.booted(s, reason="RemoteReset", statuses=False)
    await s.expect_statuses(but={1: "Occupied"})


@station_test("TC_B_23")
async def unavailable_outlives_a_reset(s: Csms) -> None:
    """A connector that is out of service stays so over a reset."""
    await s.accepted(
        "ChangeAvailability",
        {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 1}},
    )
    await s.expect_status(1, "Unavailable")
    await states.reset(s)
    await states.booted(s, reason="RemoteReset", statuses=False)
    await s.expect_statuses(but={1: "Unavailable"})


@station_test("TC_B_41", needs=(*_A_SESSION, "unplug"))
async def reset_waits_for_two_transactions(s: Csms) -> None:
    """Reset OnIdle is Scheduled until the last of two transactions has ended."""
    first = await states.charging_session(s, 1)
    second = await states.charging_session(s, 2, states.OTHER_TOKEN)
    await states.reset(s, "OnIdle", status="Scheduled")
    await states.finished(s, first)
    await s.silence("BootNotification", for_s=1.0)
    await states.finished(s, second)
    await states.booted(s)


@station_test("TC_B_28")
async def reset_of_an_evse(s: Csms) -> None:
    """Reset of one EVSE is Rejected by a station that cannot do it."""
    for kind in ("OnIdle", "Immediate"):
        await s.accepted("Reset", {"type": kind, "evseId": 1}, status="Rejected")


@station_test("TC_B_29", needs=_A_SESSION)
async def reset_of_an_evse_in_a_transaction(s: Csms) -> None:
    """Reset of one EVSE during its transaction is Rejected, and the transaction goes on."""
    await states.charging_session(s)
    for kind in ("OnIdle", "Immediate"):
        await s.accepted("Reset", {"type": kind, "evseId": 1}, status="Rejected")
    await s.silence("TransactionEvent", for_s=0.5, where={"eventType": "Ended"})


# --- network profiles -------------------------------------------------------------------------------------


@station_test("TC_B_43")
async def unknown_slot(s: Csms) -> None:
    """A network profile for a slot that does not exist is Rejected."""
    data = profile_data(s.port.url, s.profile)
    await s.accepted(
        "SetNetworkProfile", {"configurationSlot": 999, "connectionData": data}, status="Rejected"
    )


async def _second_csms(s: Csms, given: Terms | None = None) -> tuple[Port, Slots]:
    """A further address of the CSMS, and a slot that leads there."""
    port = await s.place.further_port()
    await port.start(given or terms(s))
    found = await slots(s)
    slot = free_slot(s, found)
    await s.accepted(
        "SetNetworkProfile",
        {"configurationSlot": slot, "connectionData": profile_data(port.url, s.profile)},
    )
    return port, Slots(found.active, slot)


async def _prioritize(s: Csms, *order: int) -> None:
    await s.set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", ",".join(map(str, order)))


@station_test("TC_B_45", effect=Effect.LOCK_OUT)
async def new_connection_profile(s: Csms) -> None:
    """A network profile that comes first is used after the next reset."""
    port, slot = await _second_csms(s)
    await _prioritize(s, slot.free, slot.active)
    await states.reset(s, "OnIdle")
    await s.reconnected(port=port)
    await states.booted(s)


@station_test("TC_B_46", effect=Effect.LOCK_OUT)
async def second_connection_profile(s: Csms) -> None:
    """When the first profile is refused NetworkProfileConnectionAttempts times the second one is used."""
    port, slot = await _second_csms(s)
    await _prioritize(s, slot.active, slot.free)
    await s.set_variable("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", 2)
    s.port.attempts.clear()
    s.port.closed = True
    await states.reset(s, "OnIdle")
    await s.reconnected(port=port)
    tried = len(s.port.attempts)
    s.require(tried == 2, "two attempts with the first profile", tried)
    await states.booted(s)


@station_test("TC_B_49", effect=Effect.LOCK_OUT)
async def fallback_to_the_old_profile(s: Csms) -> None:
    """When a new profile cannot be used the station goes back to the one that worked."""
    port, slot = await _second_csms(s)
    port.closed = True
    await s.set_variable("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", 1)
    await _prioritize(s, slot.free)
    await states.reset(s, "OnIdle")
    await s.reconnected(port=s.port)
    s.require(len(port.attempts) >= 1, "an attempt with the new profile", len(port.attempts))
    await states.booted(s)


@station_test("TC_B_50", effect=Effect.LOCK_OUT, security_profiles=(2, 3))
async def new_root_and_new_csms(s: Csms) -> None:
    """After a new CSMS root is installed the station moves to a CSMS whose certificate leads to it."""
    root = states.csms_root(s, "second CSMS root")
    await s.accepted(
        "InstallCertificate", {"certificateType": "CSMSRootCertificate", "certificate": pem(root)}
    )
    pairs = server_pairs(s.place.folder, root, s.clock.now())
    shown = replace(terms(s), certificates=pairs)
    port, slot = await _second_csms(s, shown)
    await _prioritize(s, slot.free, slot.active)
    await states.reset(s, "OnIdle")
    await s.reconnected(port=port)
    await states.booted(s)


@station_test("TC_B_57")
async def longer_waits(s: Csms) -> None:
    """The wait before the first attempt is at least RetryBackOffWaitMinimum, and after a refusal twice that."""
    await s.set_variable("OCPPCommCtrlr", "RetryBackOffRepeatTimes", 2)
    await s.set_variable("OCPPCommCtrlr", "RetryBackOffRandomRange", 0)
    await s.set_variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", 1)
    s.port.attempts.clear()
    s.port.closed = True
    cut_at = s.clock.monotonic()
    await s.cut()
    await s.until(lambda: s.port.attempts, "a first attempt")
    s.port.closed = False
    await s.reconnected()
    first, second = (a.at for a in list(s.port.attempts)[:2])
    s.require(first - cut_at >= 1 - TOLERANCE_S, "1 s before the first attempt", first - cut_at)
    s.require(second - first >= 2 - TOLERANCE_S, "2 s before the second attempt", second - first)
