"""The station's I/O: dials the CSMS, moves text and files, keeps time and state, listens to its operator.

Owns asyncio and the clock; must not know what any message means.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, assert_never

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from fuzz.errors import UsageError
from fuzz.pics.answers import Pics
from fuzz.pics.loading import load_pics
from fuzz.station.connecting import MAX_MESSAGE, NotConnected, Route, dial
from fuzz.station.console import (
    HELP,
    Ask,
    Line,
    Wait,
    check,
    parse,
    parse_script,
    told,
)
from fuzz.station.core import Station
from fuzz.station.events import (
    BytesReceived,
    CancelTransfer,
    CloseConnection,
    Command,
    Connect,
    Connected,
    CutNetwork,
    Disconnected,
    Download,
    DropConnection,
    Endpoint,
    Event,
    Exit,
    Failure,
    Later,
    Note,
    OperatorEvent,
    Persist,
    PowerCycle,
    PowerOn,
    Reboot,
    RestoreNetwork,
    SendText,
    TextReceived,
    Tick,
    TransferDone,
    Upload,
)
from fuzz.station.keyboard import typed_lines
from fuzz.station.options import StationOptions
from fuzz.station.planting import find_plants, find_wire
from fuzz.station.settings import Settings
from fuzz.station.state import StateDir
from fuzz.station.timing import (
    BENCH_BACKOFF_S,
    BENCH_BOOT_S,
    Manner,
    closes_on_unparsable,
    realistic_timing,
    stays_dead,
)
from fuzz.station.tls import client_context
from strategies.labels import JsonObject, JsonValue
from strategies.version import Version, version

if TYPE_CHECKING:
    from fuzz.station.transfer import Transfers

__all__ = ["MAX_MESSAGE", "StationOptions", "serve_station", "serve_until_told"]

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
_TALK = (SendText, CloseConnection, DropConnection)
_SEND_TIMEOUT_S = 30.0
_BOOT_S = 0.5
_MAX_OPERATOR = 16
_MAX_MISSED = 1000
_MAX_DELAYED = 64
"""So many answers may be on their way, slowly, before the next message is read."""


@dataclass(frozen=True, slots=True)
class _Dialled:
    """An attempt to connect is over."""

    result: ClientConnection | NotConnected


_News: TypeAlias = "_Dialled | TransferDone | OperatorEvent | Ask"


async def serve_station(
    options: StationOptions, *, die: Callable[[int], object] = os._exit
) -> None:
    """Runs one station until the task is cancelled.

    Args:
        options: what to run.
        die: ends the process at once; planted defects call it with an exit code.

    Raises:
        UsageError: something that the options name cannot be read, or is not known.
    """
    with contextlib.ExitStack() as held:
        kept = held.enter_context(StateDir(options.state)) if options.state is not None else None
        shell = _Shell(options, kept, die)
        helpers = [asyncio.ensure_future(work) for work in shell.operators()]
        try:
            await shell.run()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await shell.hang_up()


async def serve_until_told(options: StationOptions) -> None:
    """Runs one station until SIGTERM or SIGINT, which end the process with 0. Raises UsageError as `serve_station`."""
    task = asyncio.ensure_future(serve_station(options))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        # All is kept and said. A name being looked up in a thread could hold up any other exit for seconds.
        sys.stderr.flush()
        os._exit(0)


class _Shell:
    def __init__(
        self, options: StationOptions, kept: StateDir | None, die: Callable[[int], object]
    ) -> None:
        self._options = options
        self._kept = kept
        self._die = die
        self._version: Version = version()
        self._pics = load_pics(options.pics)
        self._script = _read_script(options.script, self._pics)
        self._manners = _manners(options)
        self._station = _make_station(options, self._version, self._pics, kept)
        self._wire = find_wire(options.defects)
        if options.csms.startswith("wss:"):
            # What cannot be loaded is told now, not at every attempt to connect.
            client_context(
                self._station.credentials,
                cipher_suites=self._pics.cipher_suites,
                security_profile=options.security_profile,
            )
        # The loop's clock, so that a station on a loop whose time jumps lives in that time.
        self._ticks = asyncio.get_running_loop().time
        self._began = time.time() - self._ticks()
        self._connection: ClientConnection | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._later: list[tuple[float, Sequence[Command]]] = []
        self._news: deque[_News] = deque()
        self._missed: deque[OperatorEvent] = deque(maxlen=_MAX_MISSED)
        self._room = asyncio.Semaphore(_MAX_OPERATOR)
        self._up_at: float | None = None
        self._network = True
        self._alarm: asyncio.Timeout | None = None
        self._moving: set[str] = set()
        self._transfers: Transfers | None = None

    async def run(self) -> None:
        """One event after the other, for ever."""
        await self._carry_out(self._handle(PowerOn()))
        while True:
            await self._carry_out(await self._next())

    async def hang_up(self) -> None:
        """Closes the connection, politely but quickly; nothing goes on."""
        self._stop_transfers()
        await self._stop_dialling()
        if self._connection is not None:
            await self._connection.close(1001)
            self._connection = None

    # --- what happens -------------------------------------------------------------------------------------

    def _handle(self, event: Event) -> Sequence[Command]:
        now = self._now()
        commands: Sequence[Command] = self._station.handle(event, now)
        for manner in self._manners:
            commands = manner(commands, now)
        return commands

    async def _next(self) -> Sequence[Command]:
        """Waits for the next event and lets the station handle it."""
        deadline = self._deadline()
        wait_s = None if deadline is None else deadline - self._now()
        if wait_s is not None and wait_s <= 0:
            # Before the next message: a peer that never pauses must not stop the station's timers.
            return self._tick()
        if self._news:
            return self._hear_of(self._news.popleft())
        try:
            async with asyncio.timeout(wait_s) as self._alarm:
                message = await self._message()
        except TimeoutError:
            return ()
        except ConnectionClosed as closed:
            return self._lost(_describe(closed))
        finally:
            self._alarm = None
        self._log_message("received", message)
        if isinstance(message, str):
            return self._handle(TextReceived(message))
        return self._handle(BytesReceived(message))

    async def _message(self) -> str | bytes:
        """The next message; none while nothing may be read."""
        if self._connection is None or len(self._later) >= _MAX_DELAYED:
            await asyncio.get_running_loop().create_future()
        assert self._connection is not None
        return await self._connection.recv()

    def _tell(self, news: _News) -> None:
        """Something happened that is no message: it is handled next."""
        self._news.append(news)
        if self._alarm is not None:
            # RuntimeError: the wait is over already, for another reason.
            with contextlib.suppress(RuntimeError):
                self._alarm.reschedule(asyncio.get_running_loop().time())

    def _deadline(self) -> float | None:
        if self._up_at is not None:
            return self._up_at
        moments = [when for when, _ in self._later]
        if self._station.deadline is not None:
            moments.append(self._station.deadline)
        return min(moments, default=None)

    def _tick(self) -> Sequence[Command]:
        if self._up_at is not None:
            return self._come_up()
        now = self._now()
        due = [command for when, commands in self._later if when <= now for command in commands]
        self._later = [entry for entry in self._later if entry[0] > now]
        return [*due, *self._handle(Tick())]

    def _hear_of(self, news: _News) -> Sequence[Command]:
        match news:
            case _Dialled(result):
                self._dialling = None
                return self._dialled(result)
            case TransferDone():
                self._moving.discard(news.transfer)
                return self._handle(news)
            case Ask():
                self._room.release()
                for line in HELP if news is Ask.HELP else self._status():
                    self._log(line)
                return ()
            case _:
                self._room.release()
                self._log(told(news))
                return self._happened(news)

    def _happened(self, event: OperatorEvent) -> Sequence[Command]:
        if self._up_at is not None and not isinstance(event, PowerCycle):
            # A station without power notices nothing; what was done to it is found when it is back.
            self._missed.append(event)
            return ()
        commands = self._handle(event)
        match event:
            case CutNetwork():
                self._network = False
                for transfer in self._stop_transfers():
                    self._tell(TransferDone(transfer, failure="unreachable"))
            case RestoreNetwork():
                self._network = True
            case _:
                pass
        return commands

    # --- what the station wants done ----------------------------------------------------------------------

    async def _carry_out(self, commands: Sequence[Command]) -> None:
        pending = deque(commands)
        while pending:
            pending.extendleft(reversed(await self._do(pending.popleft())))

    async def _do(self, command: Command) -> Sequence[Command]:
        """Does one command; returns what follows from it at once."""
        match command:
            case SendText(text):
                await self._send(text)
            case Connect(endpoint):
                await self._stop_dialling()
                self._dialling = asyncio.ensure_future(self._dial(endpoint))
            case CloseConnection(code):
                return await self._close(code)
            case DropConnection():
                return self._drop()
            case Reboot(extra_s, abrupt):
                return await self._go_down(extra_s, abrupt=abrupt)
            case Persist(state):
                self._keep(state)
            case Later(delay_s, commands):
                self._later.append((self._now() + delay_s, commands))
            case Note(text):
                self._log(text)
            case Download(transfer) | Upload(transfer):
                self._move(command, transfer)
            case CancelTransfer(transfer):
                self._moving.discard(transfer)
                self._stop_transfer(transfer)
            case Exit(code):
                self._log(f"dead with exit code {code}")
                sys.stderr.flush()
                self._die(code)
            case _:
                assert_never(command)
        return ()

    async def _send(self, text: str) -> None:
        if self._connection is None:
            return
        self._log_message("sent", text)
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await self._connection.send(text)
        except (ConnectionClosed, TimeoutError):
            # The next recv tells how the connection ended; a peer that does not read is cut off.
            if self._connection.close_code is None:
                self._connection.transport.abort()

    # --- the connection -----------------------------------------------------------------------------------

    async def _dial(self, endpoint: Endpoint) -> None:
        route = Route(
            endpoint.url or self._options.csms,
            self._options.identity,
            endpoint.security_profile or self._options.security_profile,
            self._version.subprotocol,
            self._pics.cipher_suites,
            allow_wildcards=self._station.allows_wildcards,
            ping_s=self._station.ping_interval_s if self._options.ping else 0,
            clock_shift_s=self._station.clock_shift_s,
        )
        try:
            if not self._network:
                raise NotConnected(Failure.UNREACHABLE, "no network")
            connection = await dial(route, self._station.credentials, self._wire)
            self._log(f"connected to {route.full_url}")
            self._tell(_Dialled(connection))
        except NotConnected as error:
            self._tell(_Dialled(error))
        except Exception as error:  # noqa: BLE001
            # An attempt that is never answered would be the last: whatever a CSMS makes go wrong is a failure.
            why = f"cannot connect to {route.full_url}: {type(error).__name__}: {error}"
            self._tell(_Dialled(NotConnected(Failure.UNREACHABLE, why)))

    async def _stop_dialling(self) -> None:
        """No attempt is under way, and none that succeeded waits to be heard of."""
        dialling, self._dialling = self._dialling, None
        if dialling is not None:
            dialling.cancel()
            await asyncio.wait({dialling})
        for news in [news for news in self._news if isinstance(news, _Dialled)]:
            self._news.remove(news)
            if not isinstance(news.result, NotConnected):
                news.result.transport.abort()

    def _dialled(self, result: ClientConnection | NotConnected) -> Sequence[Command]:
        if isinstance(result, NotConnected):
            return self._lost(str(result), result.failure)
        if not self._network:
            result.transport.abort()
            return self._lost("no network", Failure.UNREACHABLE)
        self._connection = result
        return self._handle(Connected())

    async def _close(self, code: int) -> Sequence[Command]:
        if self._connection is None:
            return ()
        await self._connection.close(code)
        return self._lost(f"closed by the station with {code}")

    def _drop(self) -> Sequence[Command]:
        if self._connection is None:
            return ()
        self._connection.transport.abort()
        return self._lost("let go without a close")

    def _lost(self, why: str, failure: Failure | None = None) -> Sequence[Command]:
        self._connection = None
        self._later = _without_talk(self._later)
        self._log(f"disconnected: {why}")
        return self._handle(Disconnected(failure))

    # --- power --------------------------------------------------------------------------------------------

    async def _go_down(self, extra_s: float, *, abrupt: bool) -> Sequence[Command]:
        await self._stop_dialling()
        self._stop_transfers()
        self._later.clear()
        # Down before the connection is: what follows from its loss waits for the power, too.
        self._up_at = self._now() + _boot_s(self._options) + extra_s
        self._log("reboot")
        return self._drop() if abrupt else await self._close(1001)

    def _come_up(self) -> Sequence[Command]:
        self._up_at = None
        commands = list(self._handle(PowerOn()))
        while self._missed:
            commands += self._handle(self._missed.popleft())
        return commands

    # --- files --------------------------------------------------------------------------------------------

    def _move(self, command: Download | Upload, transfer: str) -> None:
        if not self._network:
            self._tell(TransferDone(transfer, failure="unreachable"))
            return
        if self._transfers is None:
            # Not before it is needed: an HTTP client takes a third of the time that a station needs to start.
            from fuzz.station.transfer import Transfers

            self._transfers = Transfers(
                self._tell,
                roots=lambda: self._station.credentials.roots,
                anywhere=self._options.files_anywhere,
            )
        self._moving.add(transfer)
        self._transfers.start(command)

    def _stop_transfer(self, transfer: str) -> None:
        if self._transfers is not None:
            self._transfers.cancel(transfer)

    def _stop_transfers(self) -> Sequence[str]:
        """Nothing is fetched or sent any more; the names of what was."""
        stopped = sorted(self._moving)
        self._moving.clear()
        for transfer in stopped:
            self._stop_transfer(transfer)
        return stopped

    def _keep(self, state: JsonObject) -> None:
        if self._kept is not None:
            try:
                self._kept.write(state)
            except OSError as error:
                self._log(f"cannot keep the state in {self._options.state}: {error}")

    # --- the operator -------------------------------------------------------------------------------------

    def operators(self) -> list[Coroutine[None, None, None]]:
        """Whoever may do something to the station, each to be run beside `run`."""
        found = [self._play(self._script)] if self._script else []
        return [*found, self._listen()] if self._options.console else found

    async def _play(self, script: Sequence[Line]) -> None:
        for line in script:
            await self._obey(line)

    async def _listen(self) -> None:
        """Takes one line after the other from standard input until it ends."""
        async for text in typed_lines():
            try:
                line = parse(text)
                if line is not None:
                    check(line, self._pics)
                    await self._obey(line)
            except UsageError as error:
                self._log(str(error))

    async def _obey(self, line: Line) -> None:
        match line:
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case _:
                await self._room.acquire()
                self._tell(line)

    def _status(self) -> Sequence[str]:
        connected = "connected" if self._connection is not None else "not connected"
        power = "" if self._up_at is None else ", without power"
        registration = f"registration {self._station.registration.value}"
        return (f"{registration}, {connected}{power}", *self._station.describe_evses())

    # --- time and words -----------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._began + self._ticks()

    def _log_message(self, what: str, message: str | bytes) -> None:
        if self._options.verbose:
            kind = "characters" if isinstance(message, str) else "bytes"
            self._log(f"{what} {len(message)} {kind}")

    def _log(self, text: str) -> None:
        stamp = time.strftime("%H:%M:%S", time.gmtime(self._now()))
        # What a peer contributes to a line, such as the reason of a close, must not steer a terminal.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{stamp} {self._options.identity} {ascii(text)[1:-1]}\n")


# --- setting up -------------------------------------------------------------------------------------------


def _make_station(
    options: StationOptions, of: Version, pics: Pics, kept: StateDir | None
) -> Station:
    plants = find_plants(options.defects, options.decoys, decoy_delay_s=options.decoy_delay_s)
    lasting: Mapping[str, JsonValue] = {} if kept is None else kept.read()
    # Outermost, because what it closes the connection for never reaches a defect.
    manner = (closes_on_unparsable,) if options.bench else ()
    return Station(of, pics, _settings(options), plants=(*plants, *manner), lasting=lasting)


def _settings(options: StationOptions) -> Settings:
    bench = options.bench
    return Settings(
        ids=lambda: str(uuid.uuid4()),
        random=random.random,
        identity=options.identity,
        security_profile=options.security_profile,
        backoff_min_s=BENCH_BACKOFF_S
        if bench and options.backoff_min_s is None
        else options.backoff_min_s,
        backoff_range_s=0.0
        if bench and options.backoff_range_s is None
        else options.backoff_range_s,
        boot_retry_s=options.boot_retry_s,
        csms=options.csms,
        password=options.password or "",
        certificate=_read(options.certificate),
        key=_read(options.key),
        roots=tuple(("CSMSRootCertificate", pem) for pem in _each(_read(options.ca), options.ca)),
        edition=options.edition,
    )


def _boot_s(options: StationOptions) -> float:
    if options.boot_delay_s is not None:
        return options.boot_delay_s
    return BENCH_BOOT_S if options.bench else _BOOT_S


def _manners(options: StationOptions) -> tuple[Manner, ...]:
    manners: tuple[Manner, ...] = (stays_dead,) if options.bench else ()
    return (*manners, realistic_timing(random.random)) if options.realistic_timing else manners


def _read_script(path: Path | None, pics: Pics) -> Sequence[Line]:
    if path is None:
        return ()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--script {path} cannot be read: {_why(error)}") from None
    return parse_script(text, str(path), pics)


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"certificates or key in {path} cannot be read: {_why(error)}") from None


def _each(pem: str, path: Path | None) -> Sequence[str]:
    """Every certificate of a PEM file, on its own."""
    found: Sequence[str] = _CERTIFICATE.findall(pem)
    if path is not None and not found:
        raise UsageError(f"no certificates in {path}; it must hold at least one, PEM")
    return found


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _without_talk(
    later: Sequence[tuple[float, Sequence[Command]]],
) -> list[tuple[float, Sequence[Command]]]:
    """What is left to do when the connection that it was meant for is gone: all but talking."""
    left = [
        (when, [command for command in commands if not isinstance(command, _TALK)])
        for when, commands in later
    ]
    return [(when, commands) for when, commands in left if commands]


def _describe(closed: ConnectionClosed) -> str:
    frame = closed.rcvd or closed.sent
    by = "the CSMS" if closed.rcvd is not None and closed.rcvd_then_sent else "the station"
    return f"closed by {by} with {frame.code}" if frame is not None else "lost without a close"
