"""The scripted CSMS: the whole vocabulary of a conformance test.

Answers the station properly unless told otherwise, remembers what it said and when, and lets a test ask, expect and
require. Must not know a test, nor how the station is started.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, Protocol, TypeAlias, TypeVar, assert_never

from fuzz.clock import Clock, rfc3339
from fuzz.conformance.measure import Stopwatch
from fuzz.conformance.ports import Port, Terms
from fuzz.conformance.registry import station_test
from fuzz.conformance.view import View, Where
from fuzz.csms.voice import CsmsVoice
from fuzz.errors import LocalProtocolError, RemoteProtocolError
from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Answered, CallReceived, Ignored, Peer, Refused, Reply
from fuzz.records import Answer, Link, LinkClosed
from fuzz.transport.pump import Message
from strategies.labels import JsonObject, JsonValue, Sender
from strategies.version import version
from tlslab.pki import Lab

__all__ = [
    "SILENT",
    "Connection",
    "Csms",
    "Failed",
    "Heard",
    "NotRun",
    "Place",
    "Port",
    "Terms",
    "View",
    "error",
    "station_test",
]

RESPONSE_S = 10.0
"""The limit of the performance table: an answer within it."""
REPORT_S = 36.0
"""The limit of the performance table: an asynchronous message within it."""
MAX_HEARD, MAX_FAULTS = 20_000, 20
_LOOK_S = 0.02


class Silence:
    """In the place of an answer: say nothing at all."""


SILENT = Silence()

T = TypeVar("T")

Told: TypeAlias = "JsonObject | Answer | Silence"
Answering: TypeAlias = "Told | Callable[[View], Told]"


def error(code: str, description: str = "") -> Answer:
    """In the place of an answer: this CALLERROR."""
    return Answer(error_code=code, description=description)


class Failed(Exception):
    """The station did not do what must happen; the text says what was expected and what came."""


class NotRun(Exception):
    """The test could not be played to its end; the text says why. Nothing is known of the station."""


@dataclass(slots=True, eq=False)
class Heard:
    """One CALL of the station. `at` is monotonic; `taken` once an expectation consumed it."""

    action: str
    view: View
    at: float
    connection: int
    taken: bool = False

    def __getitem__(self, path: str) -> JsonValue:
        """The value at a dotted path of the payload."""
        return self.view[path]


@dataclass(slots=True, eq=False)
class Connection:
    """One open connection and its conversation."""

    number: int
    link: Link
    port: Port
    peer: Peer
    answers: dict[str, asyncio.Future[Answered | Refused]]
    at: float
    open: bool = True
    ended_at: float = 0.0


class Place(Protocol):
    """What stands around the station: operators, further ports, the lab."""

    @property
    def lasting(self) -> bool:
        """Whether the station lives on after the test, so that what was set must be set back."""
        ...

    @property
    def lab(self) -> Lab:
        """The root that the station trusts, and what it issued."""
        ...

    @property
    def folder(self) -> Path:
        """Where a test may keep files."""
        ...

    async def operator(self, event: str, argument: str) -> bool:
        """Have something done at the station; False when nobody can."""
        ...

    async def further_port(self, number: int = 0) -> Port:
        """Another address of the scripted CSMS, not yet started."""
        ...


class Csms:
    """One scripted CSMS and its one station.

    Attributes:
        identity: the station's identity.
        profile: the security profile in use.
        password: the Basic password in use, "" in profile 3.
        items: the answers of the PICS file, such as `items["C-13"]`.
        connectors: the numbers of connectors of EVSE 1, 2 ...
        port: where the station dials first.
        heard: every CALL of the station since the test began.
        faults: messages of the station that no station may send; one is enough to fail the test.
        judgements: what was required although it rests on a judgement of ours, not on a requirement.
        stopwatch: the performance measurements.
        before: what a lasting station's variables held before they were set.
        patience_s: how long an expectation waits that names no time of its own.
    """

    port: Port
    _last_seen = 0

    def __init__(
        self,
        clock: Clock,
        place: Place,
        *,
        identity: str,
        profile: int,
        password: str = "",
        items: Mapping[str, bool] | None = None,
        connectors: Sequence[int] = (1,),
        edition: str = "ed3",
        patience_s: float = REPORT_S,
    ) -> None:
        self.clock = clock
        self.patience_s = patience_s
        self.place = place
        self.identity, self.profile, self.password = identity, profile, password
        self.items = dict(items or {})
        self.connectors = tuple(connectors)
        self.edition = edition
        self.voice = CsmsVoice(clock, edition=edition)
        self.heard: list[Heard] = []
        self.faults: list[str] = []
        self.judgements: list[str] = []
        self.stopwatch = Stopwatch()
        self.connections: list[Connection] = []
        self.passwords: dict[str, str | None] = {identity: password}
        self.before: dict[str, tuple[JsonObject, str]] = {}
        self.closed: dict[str, JsonObject] = {}
        self._answers: dict[str, list[tuple[Answering, int]]] = {}
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._ids = itertools.count(1)
        self._request_ids = itertools.count(1)
        self._readers: set[asyncio.Task[None]] = set()

    # --- answering ----------------------------------------------------------------------------------------

    def answer(self, action: str, told: Answering, *, times: int = 1_000_000) -> None:
        """The next `times` CALLs of `action` are answered so; later rules wait until earlier ones are used up."""
        self._answers.setdefault(action, []).append((told, times))

    def answer_properly(self, *actions: str) -> None:
        """No rule holds any more, for these actions or for all."""
        for action in actions or tuple(self._answers):
            self._answers.pop(action, None)

    def now(self, after_s: float = 0.0) -> str:
        """The present moment, or one `after_s` later, as OCPP writes it."""
        return rfc3339(self.clock.now() + timedelta(seconds=after_s))

    def boot_answer(self, status: str, interval: int) -> JsonObject:
        """A BootNotificationResponse with this status."""
        return {"currentTime": self.now(), "interval": interval, "status": status}

    def request_id(self) -> int:
        """A requestId that was not used before in this test."""
        return next(self._request_ids)

    # --- connections --------------------------------------------------------------------------------------

    async def arrived(self, link: Link, port: Port) -> None:
        """The station has opened a connection; it replaces an older one."""
        call_ids = itertools.count(1)
        number = len(self.connections) + 1
        peer = Peer(
            version(),
            ids=lambda: f"c{number}-{next(call_ids)}",
            serves=[a for a, s in version().actions.items() if s is not Sender.CSMS],
        )
        connection = Connection(number, link, port, peer, {}, self.clock.monotonic())
        self.connections.append(connection)
        reader = asyncio.create_task(self._read(connection))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        self._tell()

    async def _read(self, connection: Connection) -> None:
        try:
            while True:
                await self._hear(connection, await connection.link.receive())
        except LinkClosed:
            pass
        finally:
            connection.open = False
            connection.ended_at = self.clock.monotonic()
            for waiting in connection.answers.values():
                waiting.cancel()
            self._tell()

    async def _hear(self, connection: Connection, message: Message) -> None:
        peer = connection.peer
        event = peer.hear(message) if isinstance(message, str) else peer.hear_bytes()
        match event:
            case CallReceived(call):
                await self._serve(connection, call)
            case Reply(text, wrong):
                self._fault(f"the station sent a message that is not proper: {wrong}")
                await connection.link.send_text(text)
            case Answered(call) | Refused(call):
                waiting = connection.answers.pop(call.id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(event)
            case Ignored(why):
                self._fault(f"the station sent {why}")
            case _:
                assert_never(event)

    async def _serve(self, connection: Connection, call: Call) -> None:
        view, at = View(call.payload), self.clock.monotonic()
        if len(self.heard) < MAX_HEARD:
            self.heard.append(Heard(call.action, view, at, connection.number))
        self.stopwatch.heard(call.action, view, at)
        told = self._told(call, view)
        if isinstance(told, Silence):
            connection.peer.answer(
                call, {}
            )  # the id is free again, for the repetition that will come
        elif told.payload is not None:
            await connection.link.send_text(connection.peer.answer(call, told.payload))
        else:
            wrong = RemoteProtocolError(told.error_code, told.description)
            await connection.link.send_text(connection.peer.refuse(call, wrong))
        self._tell()

    def _told(self, call: Call, view: View) -> Answer | Silence:
        proper = self.voice.answer(call.action, call.payload)
        rules = self._answers.get(call.action)
        if not rules:
            return proper
        rule, times = rules[0]
        if times > 1:
            rules[0] = (rule, times - 1)
        else:
            rules.pop(0)
        told = rule(view) if callable(rule) else rule
        return Answer(payload=told) if isinstance(told, dict) else told

    def _fault(self, text: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(text)
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    @property
    def connection(self) -> Connection | None:
        """The open connection, the newest one; None while there is none."""
        return next((c for c in reversed(self.connections) if c.open), None)

    async def connected(
        self, *, within: float | None = None, port: Port | None = None
    ) -> Connection:
        """The station is connected, through `port` if it matters."""

        def found() -> Connection | None:
            connection = self.connection
            return connection if connection and port in (None, connection.port) else None

        return await self._until(found, within, "the station connects")

    async def disconnected(self, *, within: float | None = None) -> None:
        """The station is not connected."""
        await self._until(
            lambda: self.connection is None, within, "the station closes its connection"
        )

    async def reconnected(
        self, *, within: float | None = None, port: Port | None = None
    ) -> Connection:
        """A connection younger than the present one is open; tolerates that it is the first after a drop."""
        last = self._last_seen

        def found() -> Connection | None:
            connection = self.connection
            young = connection is not None and connection.number > last
            return connection if connection and young and port in (None, connection.port) else None

        made = await self._until(found, within, "the station connects anew")
        self._last_seen = made.number
        return made

    def note_connection(self) -> None:
        """`reconnected` waits for a connection younger than the present one."""
        self._last_seen = len(self.connections)

    async def close(self, code: int = 1001) -> None:
        """Close the connection properly."""
        self.note_connection()
        if (connection := self.connection) is not None:
            await connection.link.close(code)
            await self.disconnected(within=5.0)

    async def cut(self) -> None:
        """Let the connection go without a close frame."""
        self.note_connection()
        if (connection := self.connection) is not None:
            await connection.link.abort()
            await self.disconnected(within=5.0)

    @asynccontextmanager
    async def offline(self) -> AsyncIterator[None]:
        """Inside, the station has no CSMS and knows it, having tried; at the end it is connected again."""
        ports = {c.port for c in self.connections}
        for port in ports:
            port.closed = True
            port.attempts.clear()
        await self.cut()
        await self.until(lambda: any(port.attempts for port in ports), "the station tries again")
        try:
            yield
        finally:
            for port in ports:
                port.closed = False
        await self.reconnected()

    # --- asking -------------------------------------------------------------------------------------------

    async def ask(
        self,
        action: str,
        payload: JsonObject,
        *,
        within: float | None = None,
        proper: bool = True,
    ) -> View | Refused:
        """The station's answer to a CALL, a CALLERROR too. Fails when none comes or it is not schema-valid.

        With `proper` False the payload may break the schema.
        """
        async with self._turn:
            connection = self.connection
            if connection is None:
                raise Failed(f"{action} could not be sent: the station is not connected")
            if action == "ChangeAvailability":
                place = {name: payload[name] for name in ("evse",) if name in payload}
                self.closed[repr(place)] = place
            call = connection.peer.call(action, payload, proper=proper)
            return await self._asked(connection, call, within or RESPONSE_S)

    async def _asked(self, connection: Connection, call: Call, within: float) -> View | Refused:
        action = call.action
        waiting: asyncio.Future[Answered | Refused] = asyncio.get_running_loop().create_future()
        connection.answers[call.id] = waiting
        at = self.clock.monotonic()
        text = connection.peer.pump(at)
        if text is None:
            raise LocalProtocolError(f"{action} was said while another CALL waits")
        self.stopwatch.asked(action, View(call.payload), at)
        try:
            async with asyncio.timeout(within):
                await connection.link.send_text(text)
                answer = await waiting
        except TimeoutError:
            connection.peer.expire(float("inf"))
            raise Failed(f"{action} was not answered within {within:g} s") from None
        except (LinkClosed, asyncio.CancelledError):
            # Whoever is cut off asks no more, and must not keep what puts things back from asking.
            connection.peer.expire(float("inf"))
            if connection.open:
                raise
            raise Failed(
                f"the station closed the connection instead of answering {action}"
            ) from None
        return self._judged(answer, at)

    def _judged(self, answer: Answered | Refused, at: float) -> View | Refused:
        view = View(answer.payload) if isinstance(answer, Answered) else View({"status": "error"})
        self.stopwatch.answered(answer.call.action, view, at, self.clock.monotonic())
        if isinstance(answer, Refused) and answer.broken:
            raise Failed(f"the answer to {answer.call.action} is not schema-valid: {answer.code}")
        return answer if isinstance(answer, Refused) else view

    async def call(
        self, action: str, payload: JsonObject | None = None, *, within: float | None = None
    ) -> View:
        """The payload of the station's CALLRESULT. A CALLERROR fails the test."""
        answer = await self.ask(action, payload or {}, within=within)
        if isinstance(answer, Refused):
            raise Failed(f"{action} was answered with CALLERROR {answer.code}")
        return answer

    async def call_error(self, action: str, payload: JsonObject | None = None) -> str:
        """The code of the station's CALLERROR. A CALLRESULT fails the test."""
        answer = await self.ask(action, payload or {})
        if isinstance(answer, View):
            raise Failed(f"{action} was answered with {answer.payload}, not with a CALLERROR")
        return answer.code

    async def accepted(
        self,
        action: str,
        payload: JsonObject | None = None,
        *,
        status: str | tuple[str, ...] = "Accepted",
    ) -> View:
        """As `call`, and the answer's `status` is this one, or one of these."""
        answer = await self.call(action, payload)
        allowed = (status,) if isinstance(status, str) else status
        self.require(
            answer["status"] in allowed,
            f"{action} is answered {' or '.join(allowed)}",
            answer.payload,
        )
        return answer

    # --- expecting ----------------------------------------------------------------------------------------

    async def expect(
        self,
        action: str | tuple[str, ...],
        where: Where = None,
        *,
        within: float | None = None,
        what: str = "",
        judgement: bool = False,
    ) -> View:
        """The first CALL of `action` like `where` that no expectation took yet; waits for it. Others may come too."""
        return (await self.hear(action, where, within=within, what=what, judgement=judgement)).view

    async def hear(
        self,
        action: str | tuple[str, ...],
        where: Where = None,
        *,
        within: float | None = None,
        what: str = "",
        judgement: bool = False,
    ) -> Heard:
        """As `expect`, with the time of arrival."""
        actions = (action,) if isinstance(action, str) else action
        wish = what or f"the station sends {' or '.join(actions)}{_like(where)}"
        if judgement:
            self.judgements.append(wish)
        found = await self._until(
            lambda: next(iter(self.untaken(*actions, where=where)), None), within, wish, actions
        )
        found.taken = True
        return found

    def untaken(self, *actions: str, where: Where = None) -> list[Heard]:
        """What the station said and no expectation took, oldest first; of all actions when none is named."""
        return [
            h
            for h in self.heard
            if not h.taken and (not actions or h.action in actions) and h.view.fits(where)
        ]

    def forget(self, *actions: str) -> None:
        """Nothing said so far meets a later expectation; of these actions, or of all."""
        for heard in self.untaken(*actions):
            heard.taken = True

    async def silence(
        self, *actions: str, for_s: float, where: Where = None, what: str = ""
    ) -> None:
        """No CALL of these actions (or of any) comes for so long, nor has come untaken."""
        wish = what or f"the station sends no {' or '.join(actions) or 'message'}{_like(where)}"
        deadline = self.clock.monotonic() + for_s
        while not self.untaken(*actions, where=where):
            if not await self._news_until(deadline):
                return
        came = self.untaken(*actions, where=where)[0]
        raise Failed(f"expected: {wish}; came: {came.action} {came.view.payload}")

    def require(
        self, holds: object, what: str, came: object = None, *, judgement: bool = False
    ) -> None:
        """`holds` is true, or the test fails with `what` should have been and what came."""
        if judgement:
            self.judgements.append(what)
        if not holds:
            mark = " (rests on a judgement)" if judgement else ""
            raise Failed(
                f"expected: {what}{mark}" + (f"; came: {came}" if came is not None else "")
            )

    async def sleep(self, seconds: float) -> None:
        """Let time pass; for what has no message, such as an interval that must not be cut short."""
        await asyncio.sleep(seconds)

    async def until(
        self, holds: Callable[[], object], what: str, *, within: float | None = None
    ) -> None:
        """`holds` becomes true: something that is seen at a port, not in a message."""
        deadline = self.clock.monotonic() + (within or self.patience_s)
        while not holds():
            if self.clock.monotonic() > deadline:
                raise Failed(f"expected: {what}")
            await asyncio.sleep(_LOOK_S)

    async def _until(
        self,
        found: Callable[[], T | None],
        within: float | None,
        what: str,
        actions: Sequence[str] = (),
    ) -> T:
        within = self.patience_s if within is None else within
        deadline = self.clock.monotonic() + within
        while not (result := found()):
            if not await self._news_until(deadline):
                self._missed(what, within, actions)
        return result

    async def _news_until(self, deadline: float) -> bool:
        """Whether something happened before the deadline."""
        news, left = self._news, deadline - self.clock.monotonic()
        if left <= 0:
            return False
        try:
            async with asyncio.timeout(left):
                await news.wait()
        except TimeoutError:
            return False
        return True

    def _missed(self, what: str, within: float, actions: Sequence[str]) -> NoReturn:
        said = self.untaken(*actions)[-3:] or self.untaken()[-3:]
        came = "; ".join(f"{h.action} {h.view.payload}" for h in said) or "nothing else"
        connected = "" if self.connection else ", and it is not connected"
        raise Failed(f"expected within {within:g} s: {what}; came: {came}{connected}")

    # --- the operator -------------------------------------------------------------------------------------

    async def operator(self, event: str, argument: object = "") -> None:
        """Somebody does this at the station: plug-in, unplug, present-token, start-power, stop-power, fault, ..."""
        if not await self.place.operator(event, str(argument)):
            raise NotRun(f"nobody can do this at the station: {event} {argument}".strip())

    # --- often used ---------------------------------------------------------------------------------------

    async def set_variable(
        self,
        component: str,
        name: str,
        value: object,
        *,
        instance: str = "",
        evse: int = 0,
        type_: str = "",
        status: str | tuple[str, ...] = ("Accepted", "RebootRequired"),
    ) -> View:
        """The SetVariableResult; its attributeStatus is `status` (booleans and numbers are written as OCPP does)."""
        variable = _variable(component, name, instance, evse, type_)
        await self._remember(variable)
        datum = variable | {"attributeValue": _written(value)}
        answer = await self.call("SetVariables", {"setVariableData": [datum]})
        return self._one_result(
            answer, "setVariableResult", status, f"{component}.{name}={_written(value)}"
        )

    async def _remember(self, variable: JsonObject) -> None:
        """What a lasting station's variable held before it was set for the first time."""
        key = repr(variable)
        if not self.place.lasting or key in self.before:
            return
        result = (await self.call("GetVariables", {"getVariableData": [variable]})).list(
            "getVariableResult"
        )
        if result and result[0]["attributeStatus"] == "Accepted":
            self.before[key] = (variable, result[0].text("attributeValue"))

    async def restore(self) -> None:
        """What was made inoperative is operative, and every variable holds what it held before, where it can be read."""
        for place in [*self.closed.values()]:
            await self.ask("ChangeAvailability", place | {"operationalStatus": "Operative"})
        self.closed.clear()
        for variable, value in self.before.values():
            data: JsonValue = [variable | {"attributeValue": value}]
            await self.ask("SetVariables", {"setVariableData": data})
        self.before.clear()

    async def get_variable(
        self,
        component: str,
        name: str,
        *,
        instance: str = "",
        evse: int = 0,
        type_: str = "",
        status: str = "Accepted",
    ) -> View:
        """The GetVariableResult; its attributeStatus is `status`. The value is at `attributeValue`."""
        datum = _variable(component, name, instance, evse, type_)
        answer = await self.call("GetVariables", {"getVariableData": [datum]})
        return self._one_result(answer, "getVariableResult", status, f"{component}.{name}")

    def _one_result(
        self, answer: View, member: str, status: str | tuple[str, ...], of: str
    ) -> View:
        results = answer.list(member)
        self.require(len(results) == 1, f"one result for {of}", answer.payload)
        allowed = (status,) if isinstance(status, str) else status
        self.require(
            results[0]["attributeStatus"] in allowed,
            f"{of} is {' or '.join(allowed)}",
            results[0].payload,
        )
        return results[0]

    async def expect_status(
        self, evse: int, status: str, connector: int = 1, *, within: float | None = None
    ) -> None:
        """The connector reports this status, by StatusNotification or by NotifyEvent (G01)."""
        wish = f"connector {connector} of EVSE {evse} reports {status}"
        await self.expect(
            ("StatusNotification", "NotifyEvent"),
            lambda v: _tells_status(v, evse, connector, status),
            within=within,
            what=wish,
        )

    def each_connector(self) -> list[tuple[int, int]]:
        """Every (evse, connector) of the station."""
        return [(e, c) for e, n in enumerate(self.connectors, 1) for c in range(1, n + 1)]

    async def expect_statuses(
        self, status: str = "Available", *, but: Mapping[int, str] | None = None
    ) -> None:
        """Every connector reports `status`; `but` names EVSEs with another one."""
        for evse, connector in self.each_connector():
            await self.expect_status(evse, (but or {}).get(evse, status), connector)

    async def expect_security_event(self, *types: str, within: float | None = None) -> View:
        """A SecurityEventNotification of one of these types comes."""
        return await self.expect(
            "SecurityEventNotification",
            lambda v: v["type"] in types,
            within=within,
            what=f"the station sends the security event {' or '.join(types)}",
        )

    async def aclose(self) -> None:
        """End every connection and its reading."""
        for connection in self.connections:
            if connection.open:
                await connection.link.abort()
        for reader in tuple(self._readers):
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)


def _like(where: Where) -> str:
    return f" with {dict(where)}" if isinstance(where, Mapping) else ""


def _variable(component: str, name: str, instance: str, evse: int, type_: str) -> JsonObject:
    variable: JsonObject = {"name": name}
    if instance:
        variable["instance"] = instance
    where: JsonObject = {"name": component}
    if evse:
        where["evse"] = {"id": evse}
    made: JsonObject = {"component": where, "variable": variable}
    if type_:
        made["attributeType"] = type_
    return made


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tells_status(view: View, evse: int, connector: int, status: str) -> bool:
    if view["connectorStatus"] is not None:
        told = (view["evseId"], view["connectorId"], view["connectorStatus"])
        return told == (evse, connector, status)
    return any(
        event["variable.name"] == "AvailabilityState"
        and event["component.name"] == "Connector"
        and (event["component.evse.id"], event["component.evse.connectorId"]) == (evse, connector)
        and event["actualValue"] == status
        for event in view.list("eventData")
    )
