"""Meetings: every CALL in every state, and while the station waits for each of its answers.

Knows which CALLs can be made at any time and what brings a station into a state. Must not know what a station makes of it:
a station that handles each thing by itself may not handle two that meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from strategies.labels import JsonObject
from strategies.model.requests import NO_VENDOR
from strategies.moves import Act, Ask, Await, Leave, Move, Pause, Withhold
from strategies.pool import PoolVariable
from strategies.sequences import (
    CHARGING,
    GLANCE_S,
    NOWHERE,
    Place,
    Scenario,
    answered,
    boot_answer,
    booted,
    change_availability,
    charge,
    charge_on,
    get_variable,
    judged,
    present,
    reboot,
    reset,
    set_variable,
    stop_remotely,
    tell_status,
    token_json,
    trigger,
)

_HEARTBEAT = PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")
_NOW: JsonObject = {"currentTime": "{time.now}"}
_BOOTED: JsonObject = {**_NOW, "interval": 300, "status": "Accepted"}


def meetings(place: Place, *, changes: bool) -> tuple[Scenario, ...]:
    """Every meeting at a place; only with `changes` do CALLs meet that ask for more than an answer."""
    calls = [*_questions(place), *(_changes(place) if changes else ())]
    settings = _while_charging(place) if changes else ()
    states = (*_in_states(place, calls), *settings)
    return (*states, *_while_waiting(place, calls), *_deeds_and_cuts(place))


# --- what is asked ------------------------------------------------------------------------------------------


def _questions(place: Place) -> Iterator[Ask]:
    """What leaves everything as it is."""
    yield get_variable(_HEARTBEAT)
    yield trigger("Heartbeat")
    yield trigger("StatusNotification", place.connectors[0])
    yield Ask("GetTransactionStatus", {"transactionId": "{tx.id}"})
    yield Ask("GetBaseReport", {"requestId": 91, "reportBase": "SummaryInventory"})
    yield Ask("GetInstalledCertificateIds", {})
    yield Ask("DataTransfer", {"vendorId": NO_VENDOR})
    yield Ask("GetLocalListVersion", {})
    yield Ask("GetCompositeSchedule", {"duration": 60, "evseId": place.evses[0]})
    yield Ask("CustomerInformation", {"requestId": 92, "report": False, "clear": False})


def _changes(place: Place) -> Iterator[Ask]:
    """What a healthy station refuses, or undoes by itself."""
    n = place.evses[0]
    # Before anything that may end a transaction: only one that surely runs forbids it.
    yield Ask("UnlockConnector", {"evseId": n, "connectorId": 1})
    found = place.variable("OCPPCommCtrlr.HeartbeatInterval")
    if found is not None:
        yield set_variable(found, found.value or "")
    other: JsonObject = {"remoteStartId": 93, "idToken": token_json(place.tokens[1]), "evseId": n}
    yield Ask("RequestStartTransaction", other)
    yield stop_remotely("never-heard-of")
    yield Ask("ClearCache", {})
    yield Ask("CertificateSigned", {"certificateChain": "lab"})
    certificate: JsonObject = {"certificateType": "CSMSRootCertificate", "certificate": "lab"}
    yield Ask("InstallCertificate", certificate)
    hashed = dict.fromkeys(("issuerNameHash", "issuerKeyHash", "serialNumber"), "0a")
    yield Ask("DeleteCertificate", {"certificateHashData": {"hashAlgorithm": "SHA256", **hashed}})
    log: JsonObject = {"remoteLocation": NOWHERE}
    # Tried once, so that no state meets the work of the state before.
    once: JsonObject = {"requestId": 94, "retries": 0, "logType": "SecurityLog", "log": log}
    yield Ask("GetLog", once)
    yield change_availability("Operative", n)


# --- in every state -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _State:
    """What brings a station into a state, and back to where it was."""

    name: str
    enter: Sequence[Move] = ()
    leave: Sequence[Move] = ()


def _states(place: Place) -> Iterator[_State]:
    n = place.evses[0]
    unplug = Act(f"unplug {n}")
    yield _State("plugged-in", [Act(f"plug-in {n}"), Pause(0.1)], [unplug])
    yield _State(
        "unavailable",
        [change_availability("Inoperative", n)],
        [change_availability("Operative", n)],
    )
    yield _State("faulted", [Act(f"fault {n}"), Pause(0.1)], [Act(f"clear-fault {n}")])
    pending: list[Move] = [boot_answer("Pending", 60), *reboot(place)]
    yield _State("pending", pending, [trigger("BootNotification"), booted(place)])
    yield _State("rejected", [boot_answer("Rejected", 2), *reboot(place)], [booted(place)])
    yield _State("back-again", [Leave(1006), *tell_status(place)])


def _in_states(place: Place, calls: Sequence[Ask]) -> Iterator[Scenario]:
    for state in _states(place):
        text = f"Every CALL is made while the station is {state.name}."
        moves = (*state.enter, *calls, *state.leave, *tell_status(place))
        yield Scenario(f"every-call/{state.name}", text, moves)
    charging = charge_on(place, calls)
    if charging:
        text = "Every CALL is made while somebody has been charging for a while."
        yield Scenario("every-call/charging", text, tuple(charging))


def _while_charging(place: Place) -> Iterator[Scenario]:
    """What reads a setting once may trip over one that is set anew, be it to what it was."""
    known = [v for v in place.pool.variables if v.mutability == "ReadWrite" and v.value is not None]
    charging = charge_on(place, [set_variable(v, v.value or "") for v in known]) if known else ()
    if charging:
        text = "Every setting is set to what it is while somebody charges."
        yield Scenario("every-setting/charging", text, tuple(charging))


# --- while an answer is awaited -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wait:
    """What makes a station send a CALL, the answer that is held back, and what ends it.

    `before` comes first, and `shows` tells that the station waits. `used` when somebody stands there, at the first EVSE.
    """

    action: str
    prompt: Sequence[Move]
    answer: JsonObject
    end: Sequence[Move] = ()
    several: bool = False
    before: Sequence[Move] = ()
    shows: Sequence[Move] = ()
    used: bool = False
    suffix: str = ""

    @property
    def name(self) -> str:
        """The action, in the plural where more of its kind wait behind it."""
        return f"{self.action}s" if self.several else f"{self.action}{self.suffix}"

    @property
    def family(self) -> str:
        """What the scenes in which CALLs meet it are counted under: one that waits is another thing than a queue."""
        return "meeting-a-queue" if self.several else "meeting"


def _waits(place: Place) -> Iterator[_Wait]:
    """What is worth most first: what people stand before, then what many things hang on."""
    n = place.evses[0]
    shown: list[Move] = [Act(f"plug-in {n}"), present(place.tokens[0])]
    unplug = Act(f"unplug {n}")
    yield _Wait(
        "Authorize", [Ask("ClearCache", {}), *shown], judged("Accepted"), [unplug], used=True
    )
    running: list[Move] = [Act(f"start-power {n}"), CHARGING]
    charged: list[Move] = [*running, unplug]
    yield _Wait("TransactionEvent", shown, judged("Accepted"), charged, used=True)
    report = Ask("GetBaseReport", {"requestId": 95, "reportBase": "ConfigurationInventory"})
    yield _Wait("NotifyReport", [report], {}, [Pause(GLANCE_S)])
    down, up = change_availability("Inoperative"), change_availability("Operative")
    alone = change_availability("Operative", n)
    yield _Wait("StatusNotification", [alone, down], {}, [Pause(GLANCE_S), up], several=True)
    yield _Wait("BootNotification", [reset()], _BOOTED)
    signed = trigger("SignChargingStationCertificate")
    yield _Wait("SignCertificate", [signed], {"status": "Rejected"})
    tried = Ask("CertificateSigned", {"certificateChain": "lab"})
    yield _Wait("SecurityEventNotification", [tried], {})
    yield _Wait("StatusNotification", [trigger("StatusNotification", place.connectors[0])], {})
    yield _Wait("Heartbeat", [trigger("Heartbeat")], _NOW)


def _while_waiting(place: Place, calls: Sequence[Ask]) -> Iterator[Scenario]:
    for wait in _waits(place):
        text = f"Every CALL is made while the station waits for the answer to its {wait.action}."
        yield Scenario(f"{wait.family}/{wait.name}", text, tuple(_meeting(place, wait, calls)))


def _meeting(place: Place, wait: _Wait, calls: Sequence[Ask]) -> Iterable[Move]:
    patience_s = place.boot_s if wait.action == "BootNotification" else place.prompt_s
    return [
        Withhold(wait.action),
        *wait.prompt,
        Await(wait.action, timeout_s=patience_s),
        *calls,
        answered(wait.answer),
        *wait.end,
        *tell_status(place),
    ]


# --- what people do, and lost connections, while an answer is awaited ----------------------------------------


@dataclass(frozen=True, slots=True)
class _Deed:
    """What happens at the station, and what undoes it; `cuts` when it ends the connection."""

    name: str
    moves: Sequence[Move]
    undo: Sequence[Move] = ()
    cuts: bool = False


def _deeds(place: Place, *, used: bool) -> Iterator[_Deed]:
    """What may happen where nobody stands at the first EVSE, or where somebody does (`used`)."""
    n = place.evses[0]
    if used:
        yield _Deed("unplug", [Act(f"unplug {n}")])
        yield _Deed("tokens", [present(token) for token in place.tokens])
    yield _Deed("fault", [Act(f"fault {n}")], [Act(f"clear-fault {n}")])
    free = place.evses[-1] if used else n
    if not used or free != n:
        visit = [Act(f"plug-in {free}"), present(place.tokens[1]), Act(f"start-power {free}")]
        yield _Deed("visit", visit, [Act(f"unplug {free}")])
    yield _Deed("cut", [Leave(1006)], cuts=True)
    yield _Deed("power-cycle", [Act("power-cycle"), booted(place)], cuts=True)


def _later_waits(place: Place) -> Iterator[_Wait]:
    """For events of a transaction that runs, or ends: whichever the station tells first is held back."""
    n = place.evses[0]
    updated, ended = [Act(f"stop-power {n}")], [Act(f"unplug {n}")]
    runs = _Wait("TransactionEvent", updated, {}, before=charge(place), shows=[Pause(GLANCE_S)])
    yield replace(runs, used=True, suffix="-Updated")
    yield replace(runs, prompt=ended, suffix="-Ended")


def _deeds_and_cuts(place: Place) -> Iterator[Scenario]:
    for wait in (*_waits(place), *_later_waits(place)):
        if wait.several:
            continue
        for deed in _deeds(place, used=wait.used):
            text = f"{deed.name} while the station waits for the answer to its {wait.action}."
            name = f"{deed.name}-meets/{wait.name}"
            yield Scenario(name, text, tuple(_deed_meets(place, wait, deed)))


def _deed_meets(place: Place, wait: _Wait, deed: _Deed) -> Iterable[Move]:
    """The answer comes after the deed, unless the deed took away the connection on which it could.

    What people do comes another way than messages: only a moment later it has surely come first.
    """
    boots = wait.action == "BootNotification"
    patience_s = place.boot_s if boots else place.prompt_s
    said: Sequence[Move] = [Pause(GLANCE_S), answered(wait.answer)]
    if deed.cuts:
        # A boot that was not answered has to be told again (B01.FR.08); one after a power cut is waited for anyway.
        said = [booted(place)] if boots and deed.name == "cut" else []
    return [
        *wait.before,
        Withhold(wait.action),
        *wait.prompt,
        *(wait.shows or [Await(wait.action, timeout_s=patience_s)]),
        *deed.moves,
        *said,
        Pause(GLANCE_S),
        *deed.undo,
        Act(f"unplug {place.evses[0]}"),
        *tell_status(place),
    ]


__all__ = ["meetings"]
