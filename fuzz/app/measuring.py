"""Measures this machine: how fast messages are made, and whole cases next to a bare WebSocket echo.

Knows how to set up a fair comparison: same processes, same TLS, same frames, one outstanding. Figures are ratios
within one run; absolute rates say little on a shared machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from fuzz.app import Row, Table
from fuzz.app.campaign import run as run_campaign
from fuzz.clock import SystemClock
from fuzz.config import RunOptions
from fuzz.engine.cases import call_text
from fuzz.engine.drawing import draw
from fuzz.engine.line import PROBES
from fuzz.records import EngineEvent, Side
from fuzz.transport.contexts import client_context, server_context
from strategies.boundaries import boundaries
from strategies.frames import envelope_faults
from strategies.labels import JsonValue, Kind, Sender, spell
from strategies.payloads import payloads
from strategies.schema import message_schema
from strategies.text import text_faults
from strategies.version import version
from strategies.violations import apply, sites, violations
from tlslab.pki import Lab

ACTIONS = (
    "GetVariables",
    "SetVariables",
    "GetBaseReport",
    "ChangeAvailability",
    "TriggerMessage",
    "DataTransfer",
)
DRAWS = 60
SECONDS = 2.0

Sink = Callable[[EngineEvent], None]


def bench(options: RunOptions, sink: Sink) -> list[Table]:
    """Generation rates, then whole cases against a bare echo."""
    return [_generation(), _end_to_end(options, sink)]


def _rate(work: Callable[[], int], seconds: float = SECONDS) -> float:
    """Items a second of a piece of work that says how many items it made."""
    started, made = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        made += work()
    return made / (time.perf_counter() - started)


def _generation() -> Table:
    drawn = {a: draw(payloads(a, Kind.REQUEST), seed=1, count=DRAWS) for a in ACTIONS}
    valid = _rate(
        lambda: sum(len(draw(payloads(a, Kind.REQUEST), seed=2, count=DRAWS)) for a in ACTIONS)
    )
    edges = _rate(
        lambda: sum(len(boundaries.__wrapped__(message_schema(a, Kind.REQUEST))) for a in ACTIONS)
    )
    table = _rate(
        lambda: sum(
            len(violations.__wrapped__(message_schema(a, Kind.REQUEST), full=True)) for a in ACTIONS
        )
    )
    broken = _rate(_breaker(drawn))
    rows = [
        ("valid messages drawn by Hypothesis", valid),
        ("boundary messages", edges),
        ("violations, systematic table", table),
        ("violations of drawn messages", broken),
    ]
    return Table(
        "Messages a second, one core",
        ("what", "per second", "ratio to drawn valid"),
        tuple(Row((name, f"{rate:,.0f}", f"{rate / valid:,.1f}")) for name, rate in rows),
        note=f"actions: {', '.join(ACTIONS)}, equally often",
    )


def _breaker(drawn: dict[str, list[dict[str, JsonValue]]]) -> Callable[[], int]:
    rng = random.Random(1)
    tables = {a: sites(message_schema(a, Kind.REQUEST)) for a in drawn}

    def work() -> int:
        made = 0
        for action, values in drawn.items():
            for value in values:
                site = rng.choice(tables[action])
                made += apply(site, rng.choice(site.operators), value, rng) is not None
        return made

    return work


def _end_to_end(options: RunOptions, sink: Sink) -> Table:
    texts = list(_texts())
    before = asyncio.run(_echo(texts))
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-bench-") as folder:
        wanted = replace(
            options,
            listen=None,
            target=None,
            phases=("systematic",),
            exclude=("Reset",),
            max_time_s=None,
            max_cases=4000,
            findings_dir=Path(folder),
            security_profile=3,
            seed=1,
        )
        cases = _campaign_rate(wanted, sink)
    after = asyncio.run(_echo(texts))
    echo = (before + after) / 2
    return Table(
        "Whole cases a second over loopback, mutual TLS, two processes, one outstanding",
        ("what", "per second", "ratio to echo"),
        (
            Row(("bare websockets echo of the same frames", f"{echo:,.0f}", "1.00")),
            Row(("systematic phase, every oracle on", f"{cases:,.0f}", f"{cases / echo:.2f}")),
        ),
        note="Reset is left out: it measures how fast the station boots",
    )


def _campaign_rate(options: RunOptions, sink: Sink) -> float:
    from fuzz.records import PhaseEnded, PhaseStarted

    times: list[float] = []
    cases = 0

    def watch(event: EngineEvent) -> None:
        nonlocal cases
        if isinstance(event, PhaseStarted):
            times.append(time.perf_counter())
        elif isinstance(event, PhaseEnded):
            times.append(time.perf_counter())
            cases += event.cases
        sink(event)

    run_campaign(options, watch)
    return cases / (times[-1] - times[0])


def _texts() -> Iterator[str]:
    """The frames of the systematic phase that the reference station supports."""
    for action in version().sent_by(Sender.CSMS):
        if action in ACTIONS:
            schema = message_schema(action, Kind.REQUEST)
            yield from (spell(call_text(action, b.payload)) for b in boundaries(schema))
            yield from (spell(call_text(action, b.payload)) for b in violations(schema, full=True))
    action, payload = PROBES[Side.STATION]
    frames = (
        *envelope_faults(action, payload, version()),
        *text_faults(action, payload, version()),
    )
    yield from (
        spell(f.text).encode("utf-8", "replace").decode() for f in frames if f.text is not None
    )


async def _echo(texts: Sequence[str]) -> float:
    """Round trips a second of a server here and an echoing client in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-echo-") as folder:
        lab = Lab.create(
            Path(folder), csms_names=("localhost",), serial="OCPPFUZZ0001", now=SystemClock().now()
        )
        context = server_context(
            certificates=[(lab.csms.certificate, lab.csms.key)], client_ca=lab.root.certificate
        )
        return await _serve_echo(texts, context, lab)


async def _serve_echo(texts: Sequence[str], context: ssl.SSLContext, lab: Lab) -> float:
    rate: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def play(connection: ServerConnection) -> None:
        started = time.perf_counter()
        for text in texts:
            await connection.send(text)
            await connection.recv()
        rate.set_result(len(texts) / (time.perf_counter() - started))

    async with serve(
        play, "127.0.0.1", 0, ssl=context, ping_interval=None, max_size=2**24
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        files = (lab.root.certificate, lab.station.certificate, lab.station.key)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "fuzz.app.measuring", str(port), *map(str, files)
        )
        try:
            return await asyncio.wait_for(rate, 120.0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            await child.wait()


async def _echo_client(port: str, ca: str, certificate: str, key: str) -> None:
    context = client_context(ca=Path(ca), certificate=Path(certificate), key=Path(key))
    url = f"wss://localhost:{port}/"
    async with connect(url, ssl=context, ping_interval=None, max_size=2**24) as connection:
        async for message in connection:
            await connection.send(message)


if __name__ == "__main__":
    asyncio.run(_echo_client(*sys.argv[1:]))
