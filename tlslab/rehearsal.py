"""A Charging Station that is nothing but a rule, on a clock of its own: cases are tried out against it in no time.

Takes the place of `LabServer` and of `Session` at once. No socket, no waiting: whoever waits moves the clock. Knows
offers and connections. Must not know a case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tlslab.build import client_hello
from tlslab.offers import Engine, Offer
from tlslab.pretending import Papers
from tlslab.seen import Connection, Stage
from tlslab.session import NotSeen, Payload, Where
from tlslab.wire import ClientHello, parse_client_hello

T = TypeVar("T")

Rule = Callable[[Offer, Connection], str]
"""Fills in how the connection went when this was offered; gives the security event that is told later, or ""."""

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
SUITES = (0xC02B, 0xC02C, 0x009C, 0x009D)
ATTEMPT_S = 0.1
"""How long an attempt lasts that fails."""
KEPT = 200


def takes_everything(offer: Offer, connection: Connection) -> str:
    """The rule of a station that trusts anybody."""
    match offer.engine:
        case Engine.HAND:
            connection.reached(Stage.FINISHED)
            connection.notes.append("it went on with the handshake")
        case Engine.PLAIN:
            connection.hello = None
            connection.request = "GET /ocpp HTTP/1.1"
            connection.reached(Stage.UPGRADE)
        case _:
            connection.header_names = ("authorization",)
            connection.server_chain = (b"",)
            connection.reached(Stage.OCPP)
    return ""


def refuses_everything(offer: Offer, connection: Connection) -> str:
    """The rule of a station that trusts nobody."""
    connection.reached(Stage.ALERT)
    return ""


class PretendStation:
    """Both what dials the lab and what the lab sees of it.

    Attributes:
        offer: as `LabServer.offer`.
        port: as `LabServer.port`.
        rule: how it meets an offer.
        now_s: its clock.
        count: how often it dialled.
        actions: how often somebody was asked to do something at the station.
        connected: as `Session.connected`.
        booted: as `Session.booted`.
        variables: what `get_variable` gives, by component and name.
        papers: its certificates, None for one that has none to speak of.
        url: as `LabServer.url`.
    """

    def __init__(
        self,
        rule: Rule,
        *,
        reconnect_s: float = 1.0,
        repeat_times: int = 3,
        hello: ClientHello | None = None,
        chain: tuple[bytes, ...] = (),
    ) -> None:
        """`reconnect_s` is the back-off, which doubles `repeat_times` times; `chain` is its own, DER."""
        self.offer: Offer | None = None
        self.port = 9443
        self.rule = rule
        self.now_s = 0.0
        self.count = 0
        self.actions = 0
        self.connected = False
        self.booted = 1
        self.variables: dict[tuple[str, str], str] = {}
        self.papers: Papers | None = None
        self.url = "wss://csms.test:9443/ocpp"
        self._reconnect_s = reconnect_s
        self._repeat_times = repeat_times
        self._hello = hello or parse_client_hello(client_hello(suites=SUITES))
        self._chain = chain
        self._kept: list[Connection] = []
        self._failures = 0
        self._next_s = reconnect_s
        self._queued: list[tuple[str, str]] = []
        self._events: list[tuple[str, str]] = []

    def monotonic(self) -> float:
        """Its clock."""
        return self.now_s

    def wall(self) -> datetime:
        """Its clock on the wall."""
        return BEGAN + timedelta(seconds=self.now_s)

    # --- as LabServer -------------------------------------------------------------------------------------

    @property
    def newest(self) -> Connection | None:
        """The latest connection; None before the first."""
        return self._kept[-1] if self._kept else None

    def since(self, first: int) -> Sequence[Connection]:
        """The connections with a number above `first`, oldest first."""
        return [c for c in self._kept[-KEPT:] if c.number > first]

    async def until(self, found: Callable[[], T], *, within: float) -> T | None:
        """The first truthy value of `found`; the clock moves as far as it takes, `within` seconds at most."""
        deadline = self.now_s + within
        while True:
            if value := found():
                return value
            if self.connected or self.offer is None or self._next_s > deadline:
                self.now_s = max(self.now_s, deadline)
                return found() or None
            self.now_s = max(self.now_s, self._next_s)
            self._dial(self.offer)

    def _dial(self, offer: Offer) -> None:
        self.count += 1
        connection = Connection(self.count, self.now_s, self.wall(), hello=self._hello)
        # A fresh random, as every hello has.
        connection.hello = _fresh(self._hello, self.count)
        connection.client_chain = self._chain
        if self.papers is not None and self.papers.level == 3:
            connection.client_chain = self.papers.shown
        self._kept.append(connection)
        event = self.rule(offer, connection)
        # The same failure in a row is told once (the note at A00.FR.316).
        if event and (event, "") not in self._queued:
            self._queued.append((event, ""))
        if connection.stage >= Stage.WEBSOCKET:
            self.connected, self._failures = True, 0
            self._events += self._queued
            self._queued.clear()
            return
        self.now_s += ATTEMPT_S
        connection.ended_s = self.now_s
        self._failures += 1
        self._next_s = self.now_s + self._reconnect_s * 2 ** min(self._failures, self._repeat_times)

    # --- as Session ---------------------------------------------------------------------------------------

    async def serve(self, stream: object, connection: Connection) -> None:
        """Never called: there are no streams."""

    async def drop(self) -> None:
        """Its connection ends; it dials again after its back-off."""
        if self.connected:
            self.connected = False
            self._kept[-1].ended_s = self.now_s
            self._next_s = self.now_s + self._reconnect_s

    async def call(self, action: str, payload: Payload, *, within: float | None = None) -> Payload:
        """What its papers say; without any it takes whatever it is asked."""
        if self.papers is None:
            return {"status": "Accepted"}
        answer = self.papers.answer(action, payload)
        self.booted += self.papers.boots
        if self.papers.leaves:
            await self.drop()
        self.papers.leaves = self.papers.boots = False
        return answer

    async def wait_for(self, action: str, where: Where = None, *, within: float) -> Payload:
        """What its papers let it say. Raises `NotSeen` for all else."""
        said = self.papers.said if self.papers is not None else []
        for one in said:
            if one[0] == action:
                said.remove(one)
                return one[1]
        self.now_s += within if self.papers is not None else self._reconnect_s
        raise NotSeen(f"no {action}: this station is a rule and says nothing")

    def heard(self, action: str, where: Where = None) -> Sequence[Payload]:
        """What its papers let it say, and nobody took."""
        said = self.papers.said if self.papers is not None else []
        return [payload for name, payload in said if name == action]

    def forget(self, *actions: str) -> None:
        """What it said counts no more."""
        if self.papers is not None:
            self.papers.said = [
                one for one in self.papers.said if actions and one[0] not in actions
            ]

    def answer(self, action: str, payload: Payload, *, times: int = 1) -> None:
        """Whether a certificate will come decides whether a key is kept."""
        if self.papers is not None and action == "SignCertificate":
            self.papers.signs = str(payload["status"])

    def answer_properly(self, *actions: str) -> None:
        """Nothing is signed, as usual."""
        if self.papers is not None:
            self.papers.signs = "Rejected"

    def mute(self, action: str) -> None:
        """It asks nothing that could be left unanswered."""

    def events(self) -> Sequence[tuple[str, str]]:
        """Those that it told so far."""
        papers = self.papers.told if self.papers is not None else []
        return (*self._events, *((kind, "") for kind in papers))

    async def operator(self, event: str, argument: str = "") -> bool:
        """Counted, and done."""
        self.actions += 1
        if event == "power-cycle" and self.papers is not None:
            self.papers.lose_power()
            self.booted += 1
            await self.drop()
        return True

    async def get_variable(self, component: str, name: str) -> str | None:
        """What `variables` says, or its papers."""
        said = self.variables.get((component, name))
        return self.papers.get(name) if said is None and self.papers is not None else said

    async def set_variable(self, component: str, name: str, value: str) -> str:
        """Always set, unless its papers decide, or a password is too short (A00.FR.304)."""
        if name == "BasicAuthPassword" and len(value) < 16:
            return "Rejected"
        if self.papers is not None and self.papers.get(name) is not None:
            return self.papers.set(name, value)
        self.variables[component, name] = value
        return "Accepted"


def _fresh(hello: ClientHello, number: int) -> ClientHello:
    return replace(hello, random=number.to_bytes(32))
