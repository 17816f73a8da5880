"""The station's I/O: dials the CSMS, moves text, keeps time and files, and dies when it is told to.

Owns asyncio, TLS and the clock; must not know what any message means.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import random
import ssl
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import assert_never
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from fuzz.errors import UsageError
from fuzz.station.context import Settings
from fuzz.station.core import Station
from fuzz.station.events import (
    BytesReceived,
    CancelTransfer,
    CloseConnection,
    Command,
    Connect,
    Connected,
    Disconnected,
    Download,
    DropConnection,
    Exit,
    Later,
    Note,
    Persist,
    PowerOn,
    Reboot,
    SendText,
    TextReceived,
    Tick,
    Upload,
)
from fuzz.station.options import StationOptions
from fuzz.station.pics import Pics, load_pics
from fuzz.station.planting import find_plants
from strategies.labels import JsonObject, JsonValue
from strategies.version import Version, version

__all__ = ["StationOptions", "serve_station"]

MAX_MESSAGE = 64 * 2**20
"""Longest message that is read, unpacked; a longer one closes the connection with 1009."""

_MAX_WAITING = 4
_OPEN_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 2.0
_SEND_TIMEOUT_S = 30.0
_STATE_FILE = "station.json"


async def serve_station(
    options: StationOptions, *, die: Callable[[int], object] = os._exit
) -> None:
    """Runs one station until the task is cancelled.

    Args:
        options: what to run.
        die: ends the process at once; planted defects call it with an exit code.
    """
    shell = _Shell(options, die)
    try:
        await shell.run()
    finally:
        await shell.hang_up()


class _DirectConnect(connect):
    """A connection without redirects: the Basic password goes to the configured CSMS and nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Shell:
    def __init__(self, options: StationOptions, die: Callable[[int], object]) -> None:
        self._options = options
        self._die = die
        self._version: Version = version()
        self._pics = load_pics(options.pics)
        self._tls = _tls_context(options, self._pics) if options.csms.startswith("wss:") else None
        self._station = _make_station(options, self._version, self._pics)
        self._began = time.time() - time.monotonic()
        self._connection: ClientConnection | None = None
        self._later: list[tuple[float, Sequence[Command]]] = []

    async def run(self) -> None:
        """One event after the other, for ever."""
        await self._carry_out(self._station.handle(PowerOn(), self._now()))
        while True:
            await self._carry_out(await self._next())

    async def hang_up(self) -> None:
        """Closes the connection, politely but quickly."""
        if self._connection is not None:
            await self._connection.close(1001)
            self._connection = None

    async def _next(self) -> Sequence[Command]:
        """Waits for the next event and lets the station handle it."""
        deadline = self._deadline()
        wait_s = None if deadline is None else deadline - self._now()
        if wait_s is not None and wait_s <= 0:
            # Before the next message: a peer that never pauses must not stop the station's timers.
            return self._tick()
        if self._connection is None:
            await asyncio.sleep(60.0 if wait_s is None else wait_s)
            return self._tick()
        try:
            async with asyncio.timeout(wait_s):
                message = await self._connection.recv()
        except TimeoutError:
            return self._tick()
        except ConnectionClosed as closed:
            return self._lost(_describe(closed))
        self._log_message("received", message)
        if isinstance(message, str):
            return self._station.handle(TextReceived(message), self._now())
        return self._station.handle(BytesReceived(message), self._now())

    def _deadline(self) -> float | None:
        moments = [when for when, _ in self._later]
        if self._station.deadline is not None:
            moments.append(self._station.deadline)
        return min(moments, default=None)

    def _tick(self) -> Sequence[Command]:
        now = self._now()
        due = [command for when, commands in self._later if when <= now for command in commands]
        self._later = [entry for entry in self._later if entry[0] > now]
        return [*due, *self._station.handle(Tick(), now)]

    async def _carry_out(self, commands: Sequence[Command]) -> None:
        pending = list(commands)
        while pending:
            pending[:0] = await self._do(pending.pop(0))

    async def _do(self, command: Command) -> Sequence[Command]:
        """Does one command; returns what follows from it at once."""
        match command:
            case SendText(text):
                return await self._send(text)
            case Connect():
                return await self._dial()
            case CloseConnection(code):
                return await self._close(code)
            case Reboot(extra_s, abrupt):
                if abrupt:
                    self._drop()
                else:
                    await self._close(1001)
                self._log("reboot")
                await asyncio.sleep(self._options.boot_delay_s + extra_s)
                return self._station.handle(PowerOn(), self._now())
            case Persist(state):
                self._keep(state)
            case Later(delay_s, commands):
                self._later.append((self._now() + delay_s, commands))
            case Note(text):
                self._log(text)
            case DropConnection():
                return self._drop()
            case Download() | Upload() | CancelTransfer():
                pass  # transfers arrive with the next change
            case Exit(code):
                self._log(f"dead with exit code {code}")
                sys.stderr.flush()
                self._die(code)
            case _:
                assert_never(command)
        return ()

    async def _send(self, text: str) -> Sequence[Command]:
        if self._connection is None:
            return ()
        self._log_message("sent", text)
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await self._connection.send(text)
        except (ConnectionClosed, TimeoutError):
            # The next recv tells how the connection ended; a peer that does not read is cut off.
            if self._connection.close_code is None:
                self._connection.transport.abort()
        return ()

    async def _dial(self) -> Sequence[Command]:
        url = f"{self._options.csms.rstrip('/')}/{quote(self._options.identity, safe='')}"
        subprotocol = Subprotocol(self._version.subprotocol)
        ping_s = self._station.ping_interval_s if self._options.ping else 0
        try:
            connection = await _DirectConnect(
                url,
                subprotocols=[subprotocol],
                additional_headers=self._credentials(),
                ssl=self._tls,
                proxy=None,
                open_timeout=_OPEN_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                ping_interval=ping_s or None,
                max_size=MAX_MESSAGE,
                max_queue=_MAX_WAITING,
            )
        except (OSError, InvalidHandshake, TimeoutError, EOFError) as error:
            return self._lost(f"cannot connect to {url}: {type(error).__name__}: {error}")
        self._connection = connection
        if connection.subprotocol != subprotocol:
            # RFC 6455 section 4.1: without the subprotocol there is nothing to say.
            await connection.close(1002)
            return self._lost("the CSMS chose no subprotocol")
        self._log(f"connected to {url}")
        return self._station.handle(Connected(), self._now())

    def _credentials(self) -> dict[str, str]:
        password = self._station.password or self._options.password
        if self._options.security_profile == 3 or not password:
            return {}
        pair = f"{self._options.identity}:{password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

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

    def _lost(self, why: str) -> Sequence[Command]:
        self._connection = None
        self._later.clear()
        self._log(f"disconnected: {why}")
        return self._station.handle(Disconnected(), self._now())

    def _keep(self, state: JsonObject) -> None:
        if self._options.state is not None:
            try:
                _write_state(self._options.state, state)
            except OSError as error:
                self._log(f"cannot keep the state in {self._options.state}: {error}")

    def _now(self) -> float:
        return self._began + time.monotonic()

    def _log_message(self, what: str, message: str | bytes) -> None:
        if self._options.verbose:
            kind = "characters" if isinstance(message, str) else "bytes"
            self._log(f"{what} {len(message)} {kind}")

    def _log(self, text: str) -> None:
        stamp = time.strftime("%H:%M:%S", time.gmtime(self._now()))
        # What a peer contributes to a line, such as the reason of a close, must not steer a terminal.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{stamp} {self._options.identity} {ascii(text)[1:-1]}\n")


def _make_station(options: StationOptions, of: Version, pics: Pics) -> Station:
    settings = Settings(
        ids=lambda: str(uuid.uuid4()),
        random=random.random,
        identity=options.identity,
        security_profile=options.security_profile,
        backoff_min_s=options.backoff_min_s,
        backoff_range_s=options.backoff_range_s,
        boot_retry_s=options.boot_retry_s,
    )
    plants = find_plants(options.defects, options.decoys, decoy_delay_s=options.decoy_delay_s)
    lasting = _read_state(options.state) if options.state is not None else {}
    return Station(of, pics, settings, plants=plants, lasting=lasting)


def _tls_context(options: StationOptions, pics: Pics) -> ssl.SSLContext:
    """TLS 1.2 with exactly the suites of the PICS file (C-41); the CSMS is verified always (A00.FR.309, FR.412)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(pics.cipher_suites))
    try:
        if options.ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(options.ca)
        if options.security_profile == 3 and options.certificate is not None:
            context.load_cert_chain(options.certificate, options.key)
    except OSError as error:
        raise UsageError(f"certificates or key cannot be loaded: {error}") from None
    return context


def _read_state(folder: Path) -> Mapping[str, JsonValue]:
    try:
        state = json.loads((folder / _STATE_FILE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"the state in {folder} cannot be read: {error}; remove it") from None
    return state if isinstance(state, dict) else {}


def _write_state(folder: Path, state: JsonObject) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # mkstemp gives mode 0600: the state may hold the Basic password. No fsync: a rename survives the death of this
    # process, which is all that a planted crash can bring.
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".station-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(state, file, indent=1, sort_keys=True)
        file.write("\n")
    Path(temporary).replace(folder / _STATE_FILE)


def _describe(closed: ConnectionClosed) -> str:
    frame = closed.rcvd or closed.sent
    by = "the CSMS" if closed.rcvd is not None and closed.rcvd_then_sent else "the station"
    return f"closed by {by} with {frame.code}" if frame is not None else "lost without a close"
