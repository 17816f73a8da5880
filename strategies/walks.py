"""Walks: long conversations put together by rules, each rule a few moves that a station in this state can take.

Knows a coarse model of what happens at a station, enough to wait only for what must come. Must not send anything: a rule
appends moves, and whoever plays them finds out what the station made of it. What a walk left behind is undone at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from strategies.moves import Act, Answer, Ask, Await, Leave, Move, Pause, Withhold
from strategies.pool import PoolVariable
from strategies.sequences import (
    CHARGING,
    ENDED,
    NOWHERE,
    Place,
    answered,
    boot_answer,
    booted,
    charge,
    get_variable,
    judged,
    present,
    reboot,
    start_remotely,
    stop_remotely,
    tell_status,
    trigger,
)

OFF_LINE, BOOTING, PENDING, REJECTED, ACCEPTED = (
    "offline",
    "booting",
    "pending",
    "rejected",
    "accepted",
)
IDLE, PLUGGED, AUTHORIZED, IN_CHARGE = "idle", "plugged", "authorised", "charging"

STATES: tuple[str, ...] = tuple(
    f"{standing}/{use}"
    for standing in (ACCEPTED, BOOTING, PENDING, REJECTED, OFF_LINE)
    for use in (IDLE, PLUGGED, AUTHORIZED, IN_CHARGE)
)
"""What a station can be in, as far as its CSMS can tell: how it is registered, and the furthest that any EVSE has come."""

_HEARTBEAT = PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")
_QUICK_S = 10.0


def changes() -> tuple[tuple[str, str], ...]:
    """The changes of state that the specification knows and a CSMS can see, as pairs of `STATES`."""
    return tuple(dict.fromkeys((*_in_use(), *_cuts(), *_boots())))


def _in_use() -> Iterator[tuple[str, str]]:
    """What people do at a station; what is authorised without a network is not told then."""
    seen = {
        IDLE: (PLUGGED, AUTHORIZED),
        PLUGGED: (IDLE, AUTHORIZED),
        AUTHORIZED: (IDLE, PLUGGED, IN_CHARGE),
        IN_CHARGE: (IDLE, PLUGGED),
    }
    for before, afters in seen.items():
        yield from ((f"{ACCEPTED}/{before}", f"{ACCEPTED}/{after}") for after in afters)
    for standing in (OFF_LINE, PENDING, REJECTED):
        yield f"{standing}/{IDLE}", f"{standing}/{PLUGGED}"
        yield f"{standing}/{PLUGGED}", f"{standing}/{IDLE}"
    yield from ((f"{OFF_LINE}/{use}", f"{OFF_LINE}/{IDLE}") for use in (AUTHORIZED, IN_CHARGE))


def _cuts() -> Iterator[tuple[str, str]]:
    """The connection ends and is made again."""
    for use in (IDLE, PLUGGED, AUTHORIZED, IN_CHARGE):
        yield f"{ACCEPTED}/{use}", f"{OFF_LINE}/{use}"
        yield f"{OFF_LINE}/{use}", f"{ACCEPTED}/{use}"


def _boots() -> Iterator[tuple[str, str]]:
    """The station boots, which ends every authorisation, and is answered."""
    for use in (IDLE, PLUGGED):
        yield from (
            (f"{OFF_LINE}/{use}", f"{answer}/{use}") for answer in (ACCEPTED, PENDING, REJECTED)
        )
        yield from ((f"{waiting}/{use}", f"{ACCEPTED}/{use}") for waiting in (PENDING, REJECTED))
    for use in (AUTHORIZED, IN_CHARGE):
        yield f"{OFF_LINE}/{use}", f"{ACCEPTED}/{PLUGGED}"


@dataclass(slots=True)
class _Evse:
    """What the model takes for true of one EVSE; None where the station may do as it likes."""

    plugged: bool = False
    wants: bool = False
    authorized: bool | None = False
    charging: bool | None = False

    def free(self) -> None:
        """The EV is gone, and with it every authorisation (E09.FR.01)."""
        self.plugged = self.wants = False
        self.authorized = self.charging = False


@dataclass(slots=True)
class _Model:
    online: bool = True
    pending: bool = False
    evses: dict[int, _Evse] = field(default_factory=dict)

    @property
    def served(self) -> bool:
        """Whether ordinary CALLs are answered."""
        return self.online and not self.pending


class _Walker(RuleBasedStateMachine):
    """The moves of one walk, what they did to the model, and what its rules have in common."""

    def __init__(self, place: Place, *, operated: bool) -> None:
        super().__init__()
        self.place = place
        self.operated = operated
        self.moves: list[Move] = []
        self.model = _Model(evses={n: _Evse() for n in place.evses})

    def add(self, *moves: Move) -> None:
        """Go on with these moves."""
        self.moves.extend(moves)

    def charging_now(self, n: int) -> None:
        """Wait for energy where it must flow by now."""
        evse = self.model.evses[n]
        if not (evse.plugged and evse.wants and evse.authorized) or evse.charging:
            return
        if self.model.served:
            self.add(CHARGING)
            evse.charging = True
        else:
            evse.charging = None

    def forget(self) -> None:
        """The station booted: authorisations and transactions are over, the EVs still there."""
        for evse in self.model.evses.values():
            evse.authorized = evse.charging = False if not evse.plugged else None

    def waiting(self) -> int | None:
        """The EVSE that a token is for: the only one in use, not authorised yet."""
        used = [n for n, evse in self.model.evses.items() if evse.plugged]
        alone = len(used) == 1 and self.model.evses[used[0]].authorized is False
        return used[0] if alone else None

    def undo(self) -> None:
        """Undo what was left."""
        if not self.model.online:
            self.add(Pause(0.1), Act("restore-network"), *tell_status(self.place))
        if self.model.pending:
            self.add(trigger("BootNotification"), booted(self.place))
        self.add(*(Act(f"unplug {n}") for n, e in self.model.evses.items() if e.plugged))


class _AtTheStation(_Walker):
    """What people and the network do; which EVSE they do it at is drawn by whoever knows the place."""

    def come_or_go(self, n: int) -> None:
        """An EV comes, or goes."""
        evse = self.model.evses[n]
        if not evse.plugged:
            self.add(Act(f"plug-in {n}"))
            evse.plugged = True
            return
        self.add(Act(f"unplug {n}"))
        if evse.charging and self.model.served:
            self.add(ENDED)
        evse.free()

    def come_and_charge(self, n: int) -> None:
        """Somebody comes, shows a token and charges, where nobody else is."""
        evse = self.model.evses[n]
        if any(e.plugged for e in self.model.evses.values()):
            return
        self.add(*charge(self.place, n))
        evse.plugged = evse.wants = True
        evse.authorized = evse.charging = True

    @precondition(lambda self: self.operated and self.waiting() is not None)
    @rule(answer=st.sampled_from(("Accepted",) * 4 + ("Blocked", "late", "error")))
    def show_token(self, answer: str) -> None:
        """A token is shown where exactly one EV waits for it."""
        n = self.waiting()
        assert n is not None
        evse = self.model.evses[n]
        if not self.model.served:
            self.add(present(self.place.tokens[0]))
            evse.authorized = None
            return
        self.judge_token(answer)
        evse.authorized = answer in ("Accepted", "late")
        self.charging_now(n)

    def judge_token(self, answer: str) -> None:
        """Show the token, and answer its Authorize in one way or another."""
        asked = Await("Authorize", timeout_s=_QUICK_S)
        match answer:
            case "late":
                shown = (Withhold("Authorize"), present(self.place.tokens[0]), asked, Pause(0.05))
                self.add(*shown, answered(judged("Accepted")))
            case "error":
                error = Answer("Authorize", error="InternalError")
                self.add(error, present(self.place.tokens[0]), asked)
            case _:
                self.add(Answer("Authorize", judged(answer)), present(self.place.tokens[0]), asked)

    def want_or_not(self, n: int) -> None:
        """An EV wants energy, or no more."""
        evse = self.model.evses[n]
        if not evse.plugged:
            return
        if evse.wants:
            self.add(Act(f"stop-power {n}"))
            evse.wants = False
            evse.charging = None if evse.charging is not False else False
            return
        self.add(Act(f"start-power {n}"))
        evse.wants = True
        self.charging_now(n)

    @precondition(lambda self: self.operated and self.model.online)
    @rule()
    def lose_network(self) -> None:
        """The network goes."""
        self.add(Act("cut-network"), Pause(0.05))
        self.model.online = False

    @precondition(lambda self: not self.model.online)
    @rule()
    def find_network(self) -> None:
        """The network comes back."""
        self.add(Pause(0.1), Act("restore-network"), *tell_status(self.place))
        self.model.online = True

    @precondition(lambda self: self.operated and self.model.served)
    @rule()
    def lose_power(self) -> None:
        """The power goes, and comes back."""
        self.add(Act("power-cycle"), booted(self.place))
        self.forget()


class _OverTheWire(_Walker):
    """What the CSMS asks for."""

    def start_or_be_refused(self, n: int) -> None:
        """A transaction is started remotely where an EV waits, or where it must be refused."""
        evse = self.model.evses[n]
        if not evse.plugged and self.operated:
            return
        self.add(start_remotely(self.place, n if evse.plugged else self.place.evses[-1] + 50))
        if evse.plugged:
            evse.authorized = True if self.waiting() == n else None
            self.charging_now(n)

    @precondition(lambda self: self.model.served)
    @rule()
    def stop_one(self) -> None:
        """A transaction is stopped remotely, the only one or one that never was."""
        charging = [e for e in self.model.evses.values() if e.charging is not False]
        if len(charging) != 1 or not charging[0].charging:
            self.add(stop_remotely("never-heard-of"))
            return
        self.add(stop_remotely(), Pause(0.05))
        charging[0].authorized = charging[0].charging = None

    @precondition(lambda self: self.model.served)
    @rule(answer=st.sampled_from(("Accepted", "Pending", "Rejected")))
    def reset_at_once(self, answer: str) -> None:
        """The station is reset, and its boot answered in one way or another."""
        match answer:
            case "Pending":
                self.add(boot_answer("Pending", 60), *reboot(self.place))
                self.model.pending = True
            case "Rejected":
                self.add(boot_answer("Rejected", 1), *reboot(self.place), booted(self.place))
            case _:
                self.add(*reboot(self.place))
        self.forget()

    @precondition(lambda self: self.model.pending and self.model.online)
    @rule(first=st.sampled_from(("start", "report", "heartbeat", "nothing")))
    def accept(self, first: str) -> None:
        """A station that waits to be accepted is asked something, and accepted."""
        if first == "start":
            self.add(start_remotely(self.place))
        elif first == "report":
            self.report()
        elif first == "heartbeat":
            self.add(trigger("Heartbeat"))
        self.add(trigger("BootNotification"), booted(self.place))
        self.model.pending = False

    @precondition(lambda self: self.model.served)
    @rule(code=st.sampled_from((1000, 1001, 1006)))
    def hang_up(self, code: int) -> None:
        """The connection ends and is made again."""
        self.add(Leave(code), *tell_status(self.place))

    @precondition(lambda self: self.model.served)
    @rule(what=st.sampled_from(("variable", "status", "heartbeat", "report", "log", "tx", "cross")))
    def ask(self, what: str) -> None:
        """Something is asked that changes nothing."""
        match what:
            case "variable":
                self.add(get_variable(_HEARTBEAT))
            case "status":
                self.add(*tell_status(self.place))
            case "heartbeat":
                self.add(trigger("Heartbeat"), Await("Heartbeat", timeout_s=_QUICK_S))
            case "report":
                self.report()
            case "log":
                log = {"remoteLocation": NOWHERE}
                self.add(
                    Ask("GetLog", {"requestId": 71, "logType": "SecurityLog", "log": dict(log)})
                )
            case "tx":
                self.add(Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}))
            case _:
                self.cross()

    def report(self) -> None:
        """Ask for a short report."""
        self.add(Ask("GetBaseReport", {"requestId": 72, "reportBase": "SummaryInventory"}))

    def cross(self) -> None:
        """Ask while the station waits for an answer."""
        self.add(
            Withhold("Heartbeat"),
            trigger("Heartbeat"),
            Await("Heartbeat", timeout_s=_QUICK_S),
            get_variable(_HEARTBEAT),
            answered({"currentTime": "{time.now}"}),
        )


def machine(
    place: Place, collect: Callable[[tuple[Move, ...]], None], *, operated: bool = True
) -> type[RuleBasedStateMachine]:
    """A state machine whose runs hand the moves of one walk each to `collect`; without an operator only CALLs."""
    evses = st.sampled_from(place.evses)

    class Walk(_AtTheStation, _OverTheWire):
        """One walk at this place: with the rules for which one of its EVSEs is drawn."""

        def __init__(self) -> None:
            super().__init__(place, operated=operated)

        @precondition(lambda self: self.operated)
        @rule(n=evses)
        def plug(self, n: int) -> None:
            self.come_or_go(n)

        @precondition(lambda self: self.operated and self.model.served)
        @rule(n=evses)
        def arrive(self, n: int) -> None:
            self.come_and_charge(n)

        @precondition(lambda self: self.operated)
        @rule(n=evses)
        def want(self, n: int) -> None:
            self.want_or_not(n)

        @precondition(lambda self: self.model.served)
        @rule(n=evses)
        def start_at(self, n: int) -> None:
            self.start_or_be_refused(n)

        def teardown(self) -> None:
            self.undo()
            collect(tuple(self.moves))

    return Walk
