"""Scenarios of what a station says and does although nobody asks for it, and of what it must not: more of kinds that are elsewhere.

Each is a further one of a family that another module begins: what is shallow is played before any of these.
"""

from __future__ import annotations

from collections.abc import Iterable

from strategies.labels import JsonObject
from strategies.model.asking import WAYS
from strategies.model.requests import NOTHING
from strategies.moves import Act, Answer, Ask, Await, Leave, Move, Pause, Withhold
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenarios_over
from strategies.sequences.steps import (
    CHARGING,
    ENDED,
    SETTLED_S,
    SHOWN_AGAIN_S,
    boot_answer,
    booted,
    change_availability,
    charge,
    event,
    get_variable,
    judged,
    leave,
    present,
    reboot,
    reset,
    sent_again_soon,
    set_variable,
    settled,
    start_remotely,
    stop_remotely,
    tell_status,
    token_json,
    with_variable,
)

_STAYED_S = 3.0
"""How long an EV stays that came without a network: long beside the time that it takes to tell so."""

_STRANGER = ("04FEEDC0DF", "ISO14443")
"""A token that no other scene shows."""

_NO_SLOT = 999
_SHIFT_S = 7200
_TOLD_BY = "SecurityEventNotification"


# --- boots ---------------------------------------------------------------------------------------------------


@scenarios_over
def boot_pending(_place: Place) -> Iterable[tuple[str, Script]]:
    """The boot is Pending, and the station says it again when the interval is over (B02.FR.04)."""
    yield "by-itself", lambda place: [boot_answer("Pending", 2), *reboot(place), booted(place)]


@scenarios_over
def boot_accepted(place: Place) -> Iterable[tuple[str, Script]]:
    """The power goes after a reset, or the clock is wrong: the next boot has a reason and a time of its own (B01.FR.06, FR.09)."""
    source = place.variable("ClockCtrlr.TimeSource")
    if source is not None and "Heartbeat" in (*source.values, source.value):
        yield "with-a-wrong-clock", _with_a_wrong_clock
    yield (
        "after-a-power-cut",
        lambda place: [*reboot(place), Act("power-cycle"), booted(place), *tell_status(place)],
    )


def _with_a_wrong_clock(place: Place) -> Iterable[Move]:
    source = PoolVariable("ClockCtrlr", "TimeSource")
    moves: list[Move] = [Act(f"shift-clock {_SHIFT_S}"), *reboot(place), *settled(place)]
    return with_variable(place, source.name, "Heartbeat", [get_variable(source), *moves])


# --- without a network ---------------------------------------------------------------------------------------


@scenarios_over
def offline_session(_place: Place) -> Iterable[tuple[str, Script]]:
    """The network is gone for a while, and what happened meanwhile is told as it was (B04.FR.01, E12)."""
    yield "of-some-time", _offline_for_some_time


def _offline_for_some_time(place: Place) -> Iterable[Move]:
    n = place.evses[0]
    moves: list[Move] = [
        Ask("ClearCache", {}),
        Act("cut-network"),
        Pause(0.1),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Pause(_STAYED_S),
        Act(f"unplug {n}"),
        Pause(0.1),
        Act("restore-network"),
        ENDED,
    ]
    name = "AuthCtrlr.OfflineTxForUnknownIdEnabled"
    return with_variable(place, name, "true", [*moves, *tell_status(place)])


@scenarios_over
def news_of_a_time_offline(_place: Place) -> Iterable[tuple[str, Script]]:
    """Somebody opens the housing or logs in, and the connection ends before that is confirmed (A04.FR.01, A04.FR.02)."""
    yield "unconfirmed", _unconfirmed
    yield "maintenance", _maintenance


def _unconfirmed(place: Place) -> Iterable[Move]:
    told = Await(_TOLD_BY, (("/type", "TamperDetectionActivated"),))
    return [Withhold(_TOLD_BY), Act("tamper"), told, Leave(1006), *tell_status(place), told]


def _maintenance(_place: Place) -> Iterable[Move]:
    logins = (("login", "Accepted"), ("failed-login", "Failed"))
    return [
        move
        for word, outcome in logins
        for move in (
            Act(f"{word} ocppfuzz"),
            Await(_TOLD_BY, (("/type", f"MaintenanceLogin{outcome}"),)),
        )
    ]


# --- transactions --------------------------------------------------------------------------------------------


@scenarios_over
def plug_first(_place: Place) -> Iterable[tuple[str, Script]]:
    """Somebody charges whom nobody can know, whose EV pauses, or whose token is shown in other letters (C01, E02, E07)."""
    yield "asked-about", _asked_about
    yield "with-a-pause", _with_a_pause
    yield "in-other-letters", _in_other_letters


def _asked_about(place: Place) -> Iterable[Move]:
    n, ways = place.evses[0], [PoolVariable(component, variable) for component, variable in WAYS]
    charged: list[Move] = [
        Act(f"plug-in {n}"),
        present(_STRANGER),
        Act(f"start-power {n}"),
        CHARGING,
        *leave(place),
    ]
    return [*map(get_variable, ways), *charged]


def _with_a_pause(place: Place) -> Iterable[Move]:
    n = place.evses[0]
    return [
        *charge(place),
        Pause(SETTLED_S),
        Act(f"stop-power {n}"),
        event(triggerReason="ChargingStateChanged"),
        Pause(SETTLED_S),
        Act(f"start-power {n}"),
        CHARGING,
        *leave(place),
    ]


def _in_other_letters(place: Place) -> Iterable[Move]:
    token, kind = place.tokens[0]
    if token.swapcase() == token:
        return []
    other = present((token.swapcase(), kind))
    unplug = Act(f"unplug {place.evses[0]}")
    return [*charge(place), Pause(SHOWN_AGAIN_S), other, ENDED, unplug]


@scenarios_over
def nobody_plugs_in(place: Place) -> Iterable[tuple[str, Script]]:
    """A token is shown where that begins a transaction, EVConnectionTimeOut passes, and nobody comes (E03.FR.05)."""
    start, limit = map(place.variable, ("TxCtrlr.TxStartPoint", "TxCtrlr.EVConnectionTimeOut"))
    if start is not None and limit is not None and "Authorized" in (*start.values, start.value):
        yield "at-all", _nobody_comes


def _nobody_comes(place: Place) -> Iterable[Move]:
    moves: list[Move] = [
        *map(get_variable, map(_named, ("TxStartPoint", "EVConnectionTimeOut"))),
        present(place.tokens[0]),
        event(eventType="Started"),
        ENDED,
    ]
    timed = with_variable(place, "TxCtrlr.EVConnectionTimeOut", "1", moves)
    return with_variable(place, "TxCtrlr.TxStartPoint", "Authorized", timed)


def _named(variable: str) -> PoolVariable:
    return PoolVariable("TxCtrlr", variable)


@scenarios_over
def reset_when_idle(place: Place) -> Iterable[tuple[str, Script]]:
    """The station is to be reset when it is idle, while somebody charges at each of two EVSEs (B12)."""
    if len(place.evses) > 1:
        yield "at-last", _reset_when_all_are_idle


def _reset_when_all_are_idle(place: Place) -> Iterable[Move]:
    first, second = place.evses[:2]
    return [
        *charge(place, first),
        Act(f"plug-in {second}"),
        present(place.tokens[1]),
        Act(f"start-power {second}"),
        CHARGING,
        reset("OnIdle"),
        *leave(place, first),
        Pause(2.5),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        *leave(place, second),
        booted(place),
    ]


# --- remote control ------------------------------------------------------------------------------------------


@scenarios_over
def remote_start(_place: Place) -> Iterable[tuple[str, Script]]:
    """A transaction is started remotely, for the CSMS itself or for somebody whom nobody need ask about (C05, F01)."""
    yield "central", _for_the_csms
    yield "unasked", _without_a_question


def _for_the_csms(place: Place) -> Iterable[Move]:
    n = place.evses[0]
    token = token_json(("ocppfuzz-central", "Central"))
    start = Ask("RequestStartTransaction", {"remoteStartId": 18, "evseId": n, "idToken": token})
    return [Act(f"plug-in {n}"), start, Pause(SETTLED_S), stop_remotely(), Act(f"unplug {n}")]


def _without_a_question(place: Place) -> Iterable[Move]:
    n = place.evses[0]
    asks = get_variable(PoolVariable("AuthCtrlr", "AuthorizeRemoteStart"))
    return [
        asks,
        Act(f"plug-in {n}"),
        start_remotely(place, number=19),
        Pause(SETTLED_S),
        Act(f"unplug {n}"),
    ]


@scenarios_over
def availability(_place: Place) -> Iterable[tuple[str, Script]]:
    """An EVSE is made unavailable and available again, and is still when the station has been reset (B01.FR.07)."""
    yield "operative-over-a-reset", _operative_over_a_reset


def _operative_over_a_reset(place: Place) -> Iterable[Move]:
    n, _ = place.connectors[0]
    return [
        *settled(place),
        change_availability("Inoperative", n),
        change_availability("Operative", n),
        *settled(place),
        *reboot(place),
        *settled(place),
    ]


@scenarios_over
def refused_while_charging(place: Place) -> Iterable[tuple[str, Script]]:
    """The token of a running transaction is refused which ends it, or takes its energy alone (C15, E05)."""
    yield "and-ends", _refused_and_ends
    if place.variable("TxCtrlr.StopTxOnInvalidId") is not None:
        yield "and-goes-on", _refused_and_goes_on


def _refused_and_ends(place: Place) -> Iterable[Move]:
    read = [
        get_variable(_named(v))
        for v in ("MaxEnergyOnInvalidId", "StopTxOnInvalidId", "TxStopPoint")
    ]
    # Where the EV has to go first, nothing ends before it does.
    points = {p.strip() for p in place.value("TxCtrlr.TxStopPoint", "").split(",")}
    stops = place.value("TxCtrlr.StopTxOnInvalidId", "").casefold() == "true"
    ended = ENDED if stops and points & {"Authorized", "PowerPathClosed"} else Pause(SETTLED_S)
    return [
        *read,
        *[Answer("TransactionEvent", judged("Invalid")) for _ in range(3)],
        *charge(place)[:-1],
        ended,
        Act(f"unplug {place.evses[0]}"),
        Pause(SETTLED_S),
    ]


def _refused_and_goes_on(place: Place) -> Iterable[Move]:
    read = [
        get_variable(_named(v))
        for v in ("MaxEnergyOnInvalidId", "StopTxOnInvalidId", "TxStopPoint")
    ]
    moves: list[Move] = [
        *read,
        *[Answer("TransactionEvent", judged("Invalid")) for _ in range(3)],
        *charge(place)[:-1],
        Await("TransactionEvent"),
        Pause(_STAYED_S),
        *leave(place),
    ]
    return with_variable(place, "TxCtrlr.StopTxOnInvalidId", "false", moves)


@scenarios_over
def event_under_way(_place: Place) -> Iterable[tuple[str, Script]]:
    """The power goes while the end of a transaction waits for its answer, and it comes again (E08, E12)."""
    yield "power-cycle", _power_lost_under_way


def _power_lost_under_way(place: Place) -> Iterable[Move]:
    moves: list[Move] = [
        *charge(place),
        Withhold("TransactionEvent"),
        *leave(place),
        Act("power-cycle"),
        booted(place),
        ENDED,
    ]
    return sent_again_soon(place, moves)


@scenarios_over
def weaker_profile(place: Place) -> Iterable[tuple[str, Script]]:
    """A network profile is stored where no slot is, and one without security where there is one; neither is used (B09)."""
    if place.value("OCPPCommCtrlr.NetworkConfigurationPriority", ""):
        yield "unused", _unused_profiles


def _unused_profiles(place: Place) -> Iterable[Move]:
    priority = PoolVariable("OCPPCommCtrlr", "NetworkConfigurationPriority")
    named: JsonObject = {
        "component": priority.component_json(),
        "variable": priority.variable_json(),
    }
    level = place.value("SecurityCtrlr.SecurityProfile", "1")
    return [
        Ask("GetReport", {"requestId": 53, "componentVariable": [named]}),
        Await("NotifyReport", (("/requestId", "53"),)),
        _stored(_NO_SLOT, int(level) if level in ("1", "2", "3") else 1),
        _stored(_NO_SLOT, 0),
        *tell_status(place),
    ]


def _stored(slot: int, level: int) -> Ask:
    data: JsonObject = {
        "messageTimeout": 30,
        "ocppCsmsUrl": "{csms.url}",
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "ocppVersion": "OCPP20",
        "securityProfile": level,
    }
    return Ask("SetNetworkProfile", {"configurationSlot": slot, "connectionData": data})


# --- variables -----------------------------------------------------------------------------------------------


@scenarios_over
def report_of_values(_place: Place) -> Iterable[tuple[str, Script]]:
    """What is not there, or nobody may write or read, is refused one by one (B05, B06)."""
    yield "that-are-not", _variables_that_are_not


@scenarios_over
def report(_place: Place) -> Iterable[tuple[str, Script]]:
    """What can be set is told in both inventories (B07)."""
    yield "both", _both_inventories


def _both_inventories(_place: Place) -> Iterable[Move]:
    bases = enumerate(("FullInventory", "ConfigurationInventory"), 51)
    return [
        move
        for number, base in bases
        for move in (
            Ask("GetBaseReport", {"requestId": number, "reportBase": base}),
            Pause(SETTLED_S),
        )
    ]


def _variables_that_are_not(place: Place) -> Iterable[Move]:
    unknown = PoolVariable(NOTHING, "Enabled"), PoolVariable("OCPPCommCtrlr", NOTHING)
    threshold = PoolVariable("OCPPCommCtrlr", "OfflineThreshold")
    told = (
        ("ChargingStation", "AvailabilityState", "Available"),
        ("SecurityCtrlr", "CertificateEntries", "1"),
    )
    return [
        *(set_variable(v, "1") for v in unknown),
        *map(get_variable, unknown),
        *(set_variable(PoolVariable(c, v), value) for c, v, value in told),
        _of_another_type(set_variable(threshold, place.value(threshold.name, "300"))),
        _of_another_type(get_variable(threshold)),
        get_variable(PoolVariable("SecurityCtrlr", "BasicAuthPassword")),
        get_variable(PoolVariable("AuthCacheCtrlr", "Enabled")),
        Ask("ClearCache", {}),
    ]


def _of_another_type(ask: Ask) -> Ask:
    """The same request of the attribute that says what is aimed at, which no setting has."""
    named: list[JsonObject] = [
        {**item, "attributeType": "Target"}
        for items in ask.payload.values()
        if isinstance(items, list)
        for item in items
        if isinstance(item, dict)
    ]
    return Ask(ask.action, {name: [*named] for name in ask.payload})
