"""Measures how fast the TLS lab enumerates a server's suites, next to sslyze on the same server in the same run.

sslyze is no dependency: it needs an older `cryptography` and lives in an environment of its own, whose Python is
handed in. Ours does more in its time: versions, groups, compression and fallback as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socketserver
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from fuzz.app import Row, Table
from fuzz.clock import SystemClock
from fuzz.errors import UsageError
from tlslab.codes import VERSIONS
from tlslab.pki import Lab
from tlslab.probe import Survey, survey
from tlslab.suites import suite_name

CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
"""The four suites of A00.FR.318; TLS 1.3 has its own."""
ROUNDS = 3
SSLYZE_TIMEOUT_S = 120.0

SSLYZE = """
import json, sys, time
from sslyze import (
    ScanCommand, Scanner, ServerNetworkConfiguration, ServerNetworkLocation, ServerScanRequest
)
commands = {c for c in ScanCommand if c.value.endswith("_cipher_suites")}
scanner = Scanner()
started = time.perf_counter()
place = ServerNetworkLocation("localhost", int(sys.argv[1]), "127.0.0.1")
scanner.queue_scans([ServerScanRequest(place, scan_commands=commands)])
(result,) = scanner.get_results()
seconds = time.perf_counter() - started
found = {}
for command in commands:
    attempt = getattr(result.scan_result, command.value)
    suites = attempt.result.accepted_cipher_suites if attempt.result else ()
    found[command.value] = sorted(s.cipher_suite.name for s in suites)
print(json.dumps({"seconds": seconds, "found": found}))
"""
"""Runs in the other environment; imports do not count."""

_NAMES = {
    0x0300: "ssl_3_0",
    0x0301: "tls_1_0",
    0x0302: "tls_1_1",
    0x0303: "tls_1_2",
    0x0304: "tls_1_3",
}


@dataclass(frozen=True, slots=True)
class _Taken:
    """How long one enumeration took, and what it found: suite names by version."""

    seconds: float
    found: dict[int, frozenset[str]]
    probes: int = 0


def bench_tls(sslyze: Path | None) -> list[Table]:
    """How fast a server with the four suites of OCPP is enumerated, and how fast sslyze is when there is one."""
    return [asyncio.run(_measured(sslyze))]


async def _measured(sslyze: Path | None) -> Table:
    async with _server() as port:
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(await _our_turn(port))
            if sslyze is not None:
                theirs.append(await asyncio.to_thread(_their_turn, sslyze, port))
    seconds = statistics.median(taken.seconds for taken in ours)
    rows = [Row(("ocppfuzz, the whole survey", f"{seconds:.3f}", str(ours[0].probes), "1.0"))]
    if theirs:
        other = statistics.median(taken.seconds for taken in theirs)
        rows.append(
            Row(("sslyze, its suite commands", f"{other:.3f}", "", f"{other / seconds:.1f}"))
        )
    return Table(
        "Enumeration of the suites of one server over loopback",
        ("what", "seconds", "connections", "ratio to ocppfuzz"),
        tuple(rows),
        note=_note(ours[0], theirs[0] if theirs else None),
    )


def _note(ours: _Taken, theirs: _Taken | None) -> str:
    count = sum(len(suites) for suites in ours.found.values())
    said = f"median of {ROUNDS} turns each; {count} suites found in {len(ours.found)} versions"
    if theirs is None:
        return f"{said}; --sslyze PYTHON compares it with sslyze"
    if theirs.found == ours.found:
        return f"{said}; sslyze found the same"
    return f"{said}; sslyze found others: {_difference(ours, theirs)}"


def _difference(ours: _Taken, theirs: _Taken) -> str:
    nothing: frozenset[str] = frozenset()
    return "; ".join(
        f"{VERSIONS[v]}: {', '.join(sorted(ours.found.get(v, nothing) ^ theirs.found.get(v, nothing)))}"
        for v in sorted({*ours.found, *theirs.found})
        if ours.found.get(v) != theirs.found.get(v)
    )


async def _our_turn(port: int) -> _Taken:
    started = time.perf_counter()
    found: Survey = await survey(
        lambda: asyncio.open_connection("127.0.0.1", port), server_name="localhost"
    )
    seconds = time.perf_counter() - started
    by_version = {v: frozenset(map(suite_name, found.accepted(v))) for v in found.supported}
    return _Taken(seconds, by_version, found.probes)


def _their_turn(python: Path, port: int) -> _Taken:
    try:
        done = subprocess.run(
            [python, "-c", SSLYZE, str(port)],
            capture_output=True,
            text=True,
            timeout=SSLYZE_TIMEOUT_S,
            check=True,
        )
        said = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise UsageError(
            f"cannot run sslyze with {python}: {error}; name the Python of an environment that has it"
        ) from error
    found = {v: frozenset(said["found"].get(f"{n}_cipher_suites", ())) for v, n in _NAMES.items()}
    return _Taken(said["seconds"], {v: suites for v, suites in found.items() if suites})


# --- the server, in a process of its own ------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[int]:
    """A server with both certificates of a lab; gives its port."""
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-bench-") as folder:
        Lab.create(Path(folder), now=SystemClock().now())
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fuzz.app.tls_measuring", folder),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert child.stdout is not None
            yield int(await asyncio.wait_for(child.stdout.readline(), 30.0))
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            await child.wait()


class _Server(socketserver.ThreadingTCPServer):
    """One thread a connection; a handshake, nothing else."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def _serve(folder: Path) -> None:
    lab = Lab.load(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(CIPHERS)
    for files in (lab.csms, lab.csms_rsa):
        context.load_cert_chain(files.certificate, files.key)

    class Handshake(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                context.wrap_socket(self.request, server_side=True).close()

    with _Server(("127.0.0.1", 0), Handshake) as server:
        print(server.server_address[1], flush=True)  # noqa: T201 - how the port is told
        server.serve_forever()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
