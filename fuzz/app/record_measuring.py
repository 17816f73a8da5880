"""Measures what the recording proxy adds to a round trip: next to the same round trip without it, in the same run.

Knows how to set up a fair comparison: CSMS, proxy and station are processes of their own, recording and judging are on,
and round trips with and without the proxy take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from fuzz.app import RecordOptions, Row, Table
from fuzz.app.recording import record
from fuzz.clock import SystemClock
from fuzz.transport.contexts import client_context, server_context
from strategies.version import version
from tlslab.pki import Lab

ROUNDS = 1_000
_WARM_UP = 50
_PATIENCE_S = 30.0
_ANSWER = {"currentTime": "2026-01-01T00:00:00Z"}


def bench_record() -> list[Table]:
    """Round trips of a Heartbeat with and without the proxy, plain and with TLS on both sides."""
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-record-") as folder:
        now = SystemClock().now()
        lab = Lab.create(Path(folder), csms_names=("localhost",), serial="BENCH", now=now)
        rows = [
            _row(name, *asyncio.run(_measured(lab, secure=secure)))
            for name, secure in (("ws to ws", False), ("wss to wss", True))
        ]
    return [
        Table(
            "One Heartbeat and its answer over loopback, median, recording and judging on",
            ("what", "direct, ms", "through the proxy, ms", "added, ms", "ratio"),
            tuple(rows),
            note=f"{ROUNDS:,} round trips each way, taking turns; three processes",
        )
    ]


def _row(name: str, direct_ms: float, through_ms: float) -> Row:
    added, ratio = through_ms - direct_ms, through_ms / direct_ms
    return Row((name, f"{direct_ms:.2f}", f"{through_ms:.2f}", f"{added:.2f}", f"{ratio:.1f}"))


async def _measured(lab: Lab, *, secure: bool) -> tuple[float, float]:
    """The medians without and with the proxy, milliseconds."""
    words = [str(lab.folder), str(int(secure))]
    context = client_context(ca=lab.root.certificate) if secure else None
    scheme = "wss" if secure else "ws"
    async with _child("csms", *words) as csms, _child("proxy", *words, csms) as proxy:
        direct = f"{scheme}://localhost:{csms}/BENCH"
        through = f"{scheme}://localhost:{proxy}/BENCH"
        async with _dialled(direct, context) as one, _dialled(through, context) as other:
            return await _taking_turns(one, other)


def _dialled(url: str, context: ssl.SSLContext | None) -> connect:
    names = [Subprotocol(version().subprotocol)]
    return connect(url, ssl=context, subprotocols=names, ping_interval=None)


async def _taking_turns(one: ClientConnection, other: ClientConnection) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + _WARM_UP):
        for link, taken in zip((one, other), times, strict=True):
            text = json.dumps([2, f"{number}", "Heartbeat", {}])
            began = time.perf_counter()
            await link.send(text)
            await link.recv()
            taken.append((time.perf_counter() - began) * 1000)
    first, second = (statistics.median(taken[_WARM_UP:]) for taken in times)
    return first, second


@contextlib.asynccontextmanager
async def _child(*words: str) -> AsyncIterator[str]:
    """A process of this module, and the port that it listens on."""
    command = (sys.executable, "-m", "fuzz.app.record_measuring", *words)
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        line = await asyncio.wait_for(child.stdout.readline(), _PATIENCE_S)
        yield line.decode().strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await child.wait()


# --- the other processes ----------------------------------------------------------------------------------


async def _csms(lab: Lab, *, secure: bool) -> None:
    async def play(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(json.dumps([3, json.loads(message)[1], _ANSWER]))

    tls: ssl.SSLContext | None = None
    if secure:
        tls = server_context(certificates=[(lab.csms.certificate, lab.csms.key)])
    names = [Subprotocol(version().subprotocol)]
    async with serve(play, "127.0.0.1", 0, ssl=tls, subprotocols=names) as server:
        _tell(next(iter(server.sockets)).getsockname()[1])
        await asyncio.get_running_loop().create_future()


def _proxy(lab: Lab, csms: str, *, secure: bool) -> None:
    def tell(kind: str, line: str) -> None:
        if kind == "ready":
            _tell(line.partition(",")[0].rpartition(":")[2])

    record(
        RecordOptions(
            listen="127.0.0.1:0",
            target=f"{'wss' if secure else 'ws'}://localhost:{csms}/{{identity}}",
            folder=lab.folder / "recorded",
            cert=lab.csms.certificate if secure else None,
            key=lab.csms.key if secure else None,
            upstream_ca=lab.root.certificate if secure else None,
        ),
        tell,
    )


def _tell(port: object) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def _play(role: str, folder: str, secure: str, *further: str) -> None:
    lab = Lab(Path(folder))
    if role == "csms":
        asyncio.run(_csms(lab, secure=secure == "1"))
    else:
        _proxy(lab, *further, secure=secure == "1")


if __name__ == "__main__":
    _play(*sys.argv[1:])
