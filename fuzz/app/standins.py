"""What stands in for the other end in somebody else's tests: our station in memory, our CSMS on a port.

Knows bench, voice, listener and lab. Must not know a test runner. Both are used from synchronous code.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
import tempfile
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import TimeoutError as NotInTime
from pathlib import Path
from typing import Any, TypeVar, cast

from fuzz.clock import SystemClock
from fuzz.csms.voice import CsmsVoice
from fuzz.errors import RemoteProtocolError, UsageError
from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Answered, CallReceived, Peer, Refused, Reply
from fuzz.records import Door, Link, LinkClosed
from fuzz.station.bench import Bench
from fuzz.station.planting import find_plants
from fuzz.testing import CallRefused, CallUnanswered, Said
from fuzz.transport.contexts import server_context
from fuzz.transport.listen import Listener
from fuzz.transport.pump import Message
from strategies.labels import JsonObject, Sender
from strategies.version import version
from tlslab.pki import Lab

T = TypeVar("T")

PATIENCE_S = 30.0
MAX_RECEIVED = 20_000
_OVER_S = 5.0
_A_YEAR_S = 31_536_000.0


class BenchStation:
    """The reference station in memory, booted and idle: no socket, no process, and time passes when it is told to.

    Attributes:
        bench: the station with everything that can be done to it.
    """

    bench: Bench

    def __init__(self, defects: Sequence[str] = ()) -> None:
        """A station that is booted. Raises `UsageError` for an unknown defect."""
        self._plants = find_plants(defects, ())
        self._ids = itertools.count(1)
        self.restart()

    def restart(self) -> None:
        """A new station in the place of the old one, which knows nothing of what was done to that."""
        self.bench = Bench(*self._plants).boot()

    def call(self, action: str, payload: JsonObject) -> JsonObject:
        """The payload of its answer; what it asks meanwhile is answered properly.

        Raises:
            CallRefused: it answered with a CALLERROR.
            CallUnanswered: it said nothing.
        """
        frame = self.bench.ask(action, payload, f"t{next(self._ids)}")
        self.bench.settle()
        match frame:
            case [3, _, dict(answer)]:
                return answer
            case [4, _, code, *_]:
                raise CallRefused(action, str(code))
            case []:
                raise CallUnanswered(f"{action}: the station said nothing")
            case _:
                raise CallRefused(action, f"it said {frame}", broken=True)

    def wait(self, seconds: float) -> None:
        """Let time pass on the bench, and answer what the station asks."""
        self.bench.wait(seconds)
        self.bench.settle()

    def operate(self, script: str) -> None:
        """Do what an operator's lines say, such as `plug-in 1`, and answer what the station asks."""
        self.bench.play(script)
        self.bench.settle()

    @property
    def received(self) -> tuple[Said, ...]:
        """Every CALL of the station since it was started, oldest first."""
        return tuple(Said(frame[2], frame[3]) for frame in self.bench.said if frame[0] == 2)


class StandInCsms:
    """A CSMS on a port of this machine that lets every station in, accepts its boot and answers it properly.

    Attributes:
        url: what a station dials, without its identity.
        ca: the root that a station must trust; None in security profiles 0 and 1.
        certificate: a station's certificate for security profile 3, else None.
        key: its key, else None.
        answers: payloads in the place of the usual ones, by action.
    """

    def __init__(self, security_profile: int = 2) -> None:
        """Listens from here on. Raises `UsageError` for an unknown security profile."""
        if security_profile not in (0, 1, 2, 3):
            raise UsageError(f"security profile {security_profile}; known: 0, 1, 2, 3")
        self._folder = tempfile.TemporaryDirectory(prefix="ocppfuzz-")
        self.ca: Path | None = None
        self.certificate: Path | None = None
        self.key: Path | None = None
        tls = self._secured(security_profile) if security_profile > 1 else None
        self.answers: dict[str, JsonObject] = {}
        self._loop = _Loop()
        self._ends = Ends(self.answers)
        self._listener = Listener("127.0.0.1", 0, identities=None, tls=tls)
        self._loop.run(self._start())
        scheme = "wss" if tls else "ws"
        self.url = f"{scheme}://localhost:{self._listener.port}/ocpp"

    def _secured(self, profile: int) -> ssl.SSLContext:
        lab = Lab.create(Path(self._folder.name), now=SystemClock().now())
        self.ca = lab.root.certificate
        pairs = [(f.certificate, f.key) for f in (lab.csms, lab.csms_rsa)]
        if profile < 3:
            return server_context(certificates=pairs)
        self.certificate, self.key = lab.station.certificate, lab.station.key
        return server_context(certificates=pairs, client_ca=self.ca)

    async def _start(self) -> None:
        await self._listener.start()
        self._loop.keep(self._ends.let_in(self._listener))

    @property
    def received(self) -> tuple[Said, ...]:
        """Every proper CALL of stations so far, oldest first."""
        return tuple(self._ends.received)

    @property
    def improper(self) -> tuple[str, ...]:
        """Why messages of stations were no proper ones, in our words."""
        return tuple(self._ends.improper)

    @property
    def turned_away(self) -> tuple[str, ...]:
        """Callers that did not get in, and why."""
        failures = [str(f) for f in self._listener.handshake_failures]
        return (*map(str, self._listener.refused), *failures)

    def wait_for(self, action: str, timeout_s: float = PATIENCE_S) -> JsonObject:
        """The payload of the next CALL of `action` that nobody waited for yet. Raises `CallUnanswered`."""
        return self._loop.run(self._ends.wait_for(action, timeout_s))

    def call(self, action: str, payload: JsonObject, timeout_s: float = PATIENCE_S) -> JsonObject:
        """The payload of the station's answer; a station that has not booted yet is waited for.

        The payload is sent as it is, right or wrong.

        Raises:
            CallRefused: it answered with a CALLERROR, or with something that is no answer to this CALL.
            CallUnanswered: it said nothing in time, is not there, or the connection ended.
        """
        return self._loop.run(self._ends.call(action, payload, timeout_s))

    def close(self) -> None:
        """Stop listening, and end what is connected."""
        self._loop.run(self._stop())
        self._loop.close()
        self._folder.cleanup()

    async def _stop(self) -> None:
        await self._listener.aclose()
        await self._ends.hang_up()


class Ends:
    """The conversation with the station that came last."""

    def __init__(self, answers: dict[str, JsonObject]) -> None:
        self.received: list[Said] = []
        self.improper: list[str] = []
        self._answers = answers
        self._taken: dict[str, int] = {}
        self._voice = CsmsVoice(SystemClock())
        self._link: Link | None = None
        self._waiting: dict[str, asyncio.Future[Answered | Refused]] = {}
        self._news = asyncio.Condition()
        self._turn = asyncio.Lock()
        self._numbers = itertools.count(1)
        stations = [a for a, sender in version().actions.items() if sender is not Sender.CSMS]
        self._peer = Peer(version(), ids=lambda: f"t{next(self._numbers)}", serves=stations)

    async def let_in(self, door: Door) -> None:
        """Talk with whoever comes, one after the other."""
        while True:
            async with contextlib.AsyncExitStack() as stack:
                link = await door.open(_A_YEAR_S)
                stack.push_async_callback(self._lost, link)
                await self._talk(link)

    async def _talk(self, link: Link) -> None:
        await self._is_there(link)
        with contextlib.suppress(LinkClosed):
            while True:
                await self._hear(link, await link.receive())

    async def _is_there(self, link: Link) -> None:
        async with self._news:
            self._link = link
            self._news.notify_all()

    async def _lost(self, link: Link) -> None:
        self._link = None
        self._peer.forget()
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()
        await link.abort()

    async def _hear(self, link: Link, message: Message) -> None:
        peer = self._peer
        match peer.hear(message) if isinstance(message, str) else peer.hear_bytes():
            case CallReceived(call):
                await link.send_text(self._answer(call))
                await self._note(call)
            case Reply(text, wrong):
                self.improper.append(str(wrong))
                del self.improper[:-MAX_RECEIVED]
                await link.send_text(text)
            case Answered(call) | Refused(call) as event:
                waiting = self._waiting.pop(call.id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(event)
            case _:
                pass

    def _answer(self, call: Call) -> str:
        if call.action in self._answers:
            return self._peer.answer(call, self._answers[call.action])
        said = self._voice.answer(call.action, call.payload)
        if said.error_code:
            return self._peer.refuse(call, RemoteProtocolError(said.error_code, said.description))
        return self._peer.answer(call, cast(JsonObject, said.payload))

    async def _note(self, call: Call) -> None:
        async with self._news:
            if len(self.received) < MAX_RECEIVED:
                self.received.append(Said(call.action, call.payload))
            self._news.notify_all()

    async def wait_for(self, action: str, timeout_s: float) -> JsonObject:
        """As `StandInCsms.wait_for`."""

        def of_action() -> list[Said]:
            return [said for said in self.received if said.action == action]

        taken = self._taken.get(action, 0)
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: len(of_action()) > taken)
        except TimeoutError:
            raise CallUnanswered(f"no {action} within {timeout_s:g} s") from None
        self._taken[action] = taken + 1
        return of_action()[taken].payload

    async def call(self, action: str, payload: JsonObject, timeout_s: float) -> JsonObject:
        """As `StandInCsms.call`."""
        try:
            async with asyncio.timeout(timeout_s), self._turn:
                link = await self._booted()
                event = await self._asked(link, action, payload)
        except TimeoutError:
            self._peer.forget()
            self._waiting.clear()
            what = "no station is there" if self._link is None else "no answer"
            raise CallUnanswered(f"{action}: {what} within {timeout_s:g} s") from None
        except (LinkClosed, asyncio.CancelledError):
            # What waits for an answer is cancelled as the connection ends; whoever asked may have been, too.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise CallUnanswered(f"{action}: the connection ended") from None
        match event:
            case Answered(_, answer):
                return answer
            case Refused(_, code, broken):
                raise CallRefused(action, code, broken=broken)

    async def _booted(self) -> Link:
        """The connection on which a CALL may be sent; a reconnect needs no boot."""
        async with self._news:
            await self._news.wait_for(lambda: self._link is not None and self._voice.booted)
            assert self._link is not None
            return self._link

    async def _asked(self, link: Link, action: str, payload: JsonObject) -> Answered | Refused:
        call = self._peer.call(action, payload, proper=False)
        answer: asyncio.Future[Answered | Refused] = asyncio.get_running_loop().create_future()
        self._waiting[call.id] = answer
        text = self._peer.pump(SystemClock().monotonic())
        assert text is not None
        await link.send_text(text)
        return await answer

    async def hang_up(self) -> None:
        """End what is connected."""
        if self._link is not None:
            await self._link.close(1001)


class _Loop:
    """A loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._kept: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ocppfuzz", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of it, for whoever is not on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with it until the loop is closed; called on the loop."""
        self._kept.add(asyncio.create_task(work))

    def close(self) -> None:
        """End what is kept, then the loop."""
        with contextlib.suppress(NotInTime):
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_OVER_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for task in self._kept:
            task.cancel()
        await asyncio.gather(*self._kept, return_exceptions=True)
