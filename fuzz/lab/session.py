"""The lab's conversation with a Charging Station: `tlslab.session.Session`, over the scripted CSMS.

Knows payloads and who may come in. Must not know TLS: what it is given is decrypted already.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fuzz.clock import Clock
from fuzz.conformance.ports import Port, Terms
from fuzz.conformance.script import SILENT, Csms, Failed
from fuzz.conformance.view import View
from fuzz.errors import UsageError
from fuzz.ocppj.peer import Refused
from fuzz.records import LinkClosed
from strategies.labels import JsonObject
from tlslab.pki import Lab
from tlslab.seen import Connection
from tlslab.session import (
    AnsweredWithError,
    NotAnswered,
    NotSeen,
    Payload,
    SessionError,
    Stream,
    Where,
)

Operator = Callable[[str, str], Awaitable[bool]]

_CHUNK = 2**16
_CLOSE_S = 1.0
"""How long a station may take over its close frame; one that speaks no WebSocket properly never sends it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands around the station: whoever can do something there, and no further port."""

    lab: Lab
    folder: Path
    doing: Operator
    lasting: bool = False

    async def operator(self, event: str, argument: str) -> bool:
        """Have something done at the station; False when nobody can."""
        return await self.doing(event, argument)

    async def further_port(self, number: int = 0) -> Port:
        """The lab has one port. Raises `UsageError`."""
        raise UsageError(f"the lab listens at one port only, not at {number}")


class StationSession:
    """Implements `tlslab.session.Session`; `start` opens the door behind the lab server."""

    def __init__(
        self,
        clock: Clock,
        lab: Lab,
        folder: Path,
        *,
        identity: str,
        security_profile: int,
        password: str | None,
        operator: Operator,
        edition: str = "ed3",
    ) -> None:
        self.csms = Csms(
            clock,
            _Place(lab, folder, operator),
            identity=identity,
            profile=security_profile,
            password=password or "",
            edition=edition,
        )
        basic = {identity: password} if password and security_profile == 2 else None
        self._terms = Terms(passwords=basic, identities=frozenset({identity}))
        self._inner = Port("127.0.0.1", 0, clock, self.csms.arrived)
        self._certified = Port("127.0.0.1", 0, clock, self.csms.arrived)
        """Where nobody is asked for a password: for who showed a certificate, as in security profile 3."""
        self._before: dict[tuple[str, str], str] = {}

    async def start(self) -> None:
        """Ready to serve streams."""
        await self._inner.start(self._terms)
        await self._certified.start(replace(self._terms, passwords=None))

    async def aclose(self) -> None:
        """Every conversation is over."""
        await self.csms.aclose()
        await self._inner.aclose()
        await self._certified.aclose()

    # --- streams ------------------------------------------------------------------------------------------

    async def serve(self, stream: Stream, connection: Connection) -> None:
        """Speak HTTP, WebSocket and OCPP on a decrypted stream until it ends."""
        try:
            port = self._certified if connection.client_chain else self._inner
            reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        except OSError:
            await stream.close()
            return
        try:
            async with asyncio.TaskGroup() as group:
                inward = group.create_task(_inwards(stream, writer))
                await _outwards(reader, stream)
                inward.cancel()
        except* OSError:
            pass
        finally:
            writer.close()

    @property
    def connected(self) -> bool:
        """Whether a WebSocket with the Charging Station is open."""
        return self.csms.connection is not None

    @property
    def booted(self) -> int:
        """How many BootNotifications came so far."""
        return self.csms.voice.facts.boots

    async def drop(self) -> None:
        """Close every connection with the Charging Station."""
        for connection in self.csms.connections:
            if not connection.open:
                continue
            try:
                async with asyncio.timeout(_CLOSE_S):
                    await connection.link.close(1001, "going away")
            except TimeoutError:
                await connection.link.abort()
        with contextlib.suppress(Failed):
            await self.csms.disconnected(within=5.0)

    # --- asking -------------------------------------------------------------------------------------------

    async def call(self, action: str, payload: Payload, *, within: float | None = None) -> Payload:
        """The payload of the CALLRESULT. Raises `NotAnswered` or `AnsweredWithError`."""
        try:
            answer = await self.csms.ask(action, dict(payload), within=within, proper=False)
        except Failed as failed:
            raise NotAnswered(str(failed)) from None
        except LinkClosed as closed:
            # Said into a connection that was gone already, which nobody had noticed yet.
            raise NotAnswered(f"{action} could not be sent: {closed}") from None
        if isinstance(answer, Refused):
            raise AnsweredWithError(action, answer.code)
        return answer.payload

    async def wait_for(self, action: str, where: Where = None, *, within: float) -> Payload:
        """The next CALL of the Charging Station like this that nobody took yet. Raises `NotSeen`."""
        try:
            return (await self.csms.expect(action, _where(where), within=within)).payload
        except Failed as failed:
            raise NotSeen(str(failed)) from None

    def heard(self, action: str, where: Where = None) -> Sequence[Payload]:
        """CALLs like this that nobody took, oldest first; they stay."""
        return [h.view.payload for h in self.csms.untaken(action, where=_where(where))]

    def forget(self, *actions: str) -> None:
        """CALLs of these actions, or all, that came so far count no more."""
        self.csms.forget(*actions)

    def answer(self, action: str, payload: Payload, *, times: int = 1_000_000) -> None:
        """The next so many CALLs of this action are answered with this payload instead of the usual one."""
        self.csms.answer(action, dict(payload), times=times)

    def answer_properly(self, *actions: str) -> None:
        """CALLs of these actions, or all, are answered as usual again."""
        self.csms.answer_properly(*actions)

    def mute(self, action: str) -> None:
        """CALLs of this action get no answer at all, until `answer_properly`."""
        self.csms.answer(action, SILENT)

    def events(self) -> Sequence[tuple[str, str]]:
        """(type, techInfo) of every SecurityEventNotification of this session so far, oldest first."""
        return [
            (h.view.text("type"), h.view.text("techInfo"))
            for h in self.csms.heard
            if h.action == "SecurityEventNotification"
        ]

    async def operator(self, event: str, argument: str = "") -> bool:
        """Have something done at the Charging Station, such as `power-cycle`; False when nobody can."""
        return await self.csms.place.operator(event, argument)

    # --- variables ----------------------------------------------------------------------------------------

    async def get_variable(self, component: str, name: str) -> str | None:
        """The actual value; None when it cannot be read. Raises `SessionError`."""
        asked: Any = [{"component": {"name": component}, "variable": {"name": name}}]
        answer = await self.call("GetVariables", {"getVariableData": asked})
        result = _first(answer, "getVariableResult")
        accepted = result["attributeStatus"] == "Accepted"
        return result.text("attributeValue") if accepted else None

    async def set_variable(self, component: str, name: str, value: str) -> str:
        """The attributeStatus that came. What was set is set back after the lab. Raises `SessionError`."""
        if (component, name) not in self._before:
            before = await self.get_variable(component, name)
            if before is not None:
                self._before[component, name] = before
        return await self._set(component, name, value)

    async def _set(self, component: str, name: str, value: str) -> str:
        data: JsonObject = {
            "component": {"name": component},
            "variable": {"name": name},
            "attributeValue": value,
        }
        answer = await self.call("SetVariables", {"setVariableData": [data]})
        return _first(answer, "setVariableResult").text("attributeStatus")

    async def restore(self) -> list[str]:
        """Every variable that was set holds what it held before; the names of those that do not."""
        left = []
        for (component, name), value in self._before.items():
            try:
                status = await self._set(component, name, value)
            except SessionError:
                status = "not answered"
            if status not in ("Accepted", "RebootRequired"):
                left.append(f"{component}.{name}")
        self._before.clear()
        return left


async def _inwards(stream: Stream, writer: asyncio.StreamWriter) -> None:
    while data := await stream.read():
        writer.write(data)
        await writer.drain()
    writer.close()


async def _outwards(reader: asyncio.StreamReader, stream: Stream) -> None:
    while data := await reader.read(_CHUNK):
        await stream.write(data)
    await stream.close()


def _where(where: Where) -> Any:
    if where is None or not callable(where):
        return where
    return lambda view: bool(where(view.payload))


def _first(answer: Payload, member: str) -> View:
    results = View(dict(answer)).list(member)
    return results[0] if results else View({})
