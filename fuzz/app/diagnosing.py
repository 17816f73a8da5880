"""Listens, and tells who dialled and how: the first thing to run when a station does not come.

Knows handshakes and ClientHellos; attacks nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

from fuzz.app import Diagnosis
from fuzz.app.refusing import remedy
from fuzz.app.rig import Rig, rig
from fuzz.config import RunOptions, host_and_port
from fuzz.engine.executor import Executor
from fuzz.errors import TargetUnavailable
from fuzz.records import EngineEvent, Handshake, Heard, LinkClosed
from fuzz.transport.hello import ClientHelloTap, Tapped
from fuzz.transport.listen import Listener
from strategies.labels import JsonValue
from tlslab.wire import ClientHello

Sink = Callable[[EngineEvent], None]
Facts = tuple[tuple[str, str], ...]

MAX_CALLERS = 5
"""So many different callers are described, the latest ones."""

NOBODY_CALLED = (
    "is the station powered, and is its network up?",
    "does it dial this machine's address and port? a firewall between would swallow the call",
    "does its URL start with ws:// for security profile 1, or wss:// for 2 and 3?",
    "stations wait longer after each failed attempt: power-cycle it to make it call at once",
)
TLS_FAILED = (
    "does the station trust our root certificate, and does its URL hold the name that our certificate has?",
    "for security profile 3: has the station a certificate of the root that we trust (--ca)?",
    "is the station's clock right? a certificate from the future or the past is refused",
)
NOT_BOOTED = (
    "it was let in, but did not boot: does it send BootNotification on a new connection?",
)


def doctor(options: RunOptions, sink: Sink) -> Diagnosis:
    """Wait for a station and tell what it did; dial a CSMS instead where one is named."""
    if options.target is not None:
        from fuzz.app.diagnosing_csms import examine

        return asyncio.run(examine(options))
    return asyncio.run(_doctor(options, sink))


async def _doctor(options: RunOptions, sink: Sink) -> Diagnosis:
    if options.listen is None:
        return await _diagnose(options, None, sink)
    host, port = host_and_port(options.listen)
    tap = ClientHelloTap(host, port)
    await tap.start()
    try:
        return await _diagnose(options, tap, sink)
    finally:
        await tap.aclose()


async def _diagnose(options: RunOptions, tap: ClientHelloTap | None, sink: Sink) -> Diagnosis:
    async with rig(options, sink, behind=tap.inner_port if tap is not None else None) as made:
        made.pace.come_back_s = made.pace.boot_s = options.wait_s
        executor = Executor(made.wiring, made.pace)
        said: list[Heard] = []
        try:
            take = await executor.connect()
            said = take.calls
            await executor.serve(0.5)
        except (TargetUnavailable, LinkClosed):
            facts = (*_tapped(tap), *_refusals(made))
            return Diagnosis(
                connected=False, facts=facts, advice=_advice(facts, made, options.wait_s)
            )
        facts = (*_tapped(tap), *_handshake(executor.handshake), *_booted(said), *_refusals(made))
        await executor.hang_up()
        return Diagnosis(connected=True, facts=facts)


def _advice(facts: Facts, made: Rig, wait_s: float) -> tuple[str, ...]:
    """What to look at, by how far the station came."""
    topics = {topic for topic, _ in facts}
    door = made.wiring.door
    refused = door.refused if isinstance(door, Listener) else []
    found = tuple(filter(None, dict.fromkeys(map(remedy, refused))))
    if "handshake failed" in topics:
        found += TLS_FAILED
    if found:
        return found
    if topics:
        return NOT_BOOTED
    return (f"nobody called within {wait_s:g} s", *NOBODY_CALLED)


def _tapped(tap: ClientHelloTap | None) -> Iterator[tuple[str, str]]:
    """Each caller once, however often it called."""
    callers: dict[tuple[str, str], Tapped] = {}
    for seen in tap.seen if tap is not None else ():
        callers[seen.remote.rpartition(":")[0], seen.summary] = seen
    for seen in list(callers.values())[-MAX_CALLERS:]:
        yield "called from", seen.remote
        if isinstance(seen.hello, ClientHello):
            yield from _hello(seen.hello)
        else:
            yield "spoke", seen.summary


def _hello(hello: ClientHello) -> Iterator[tuple[str, str]]:
    yield "SNI", hello.server_name or "none sent"
    yield "TLS versions offered", ", ".join(hello.version_names)
    yield "cipher suites offered", ", ".join(hello.suite_names)


def _handshake(handshake: Handshake) -> Iterator[tuple[str, str]]:
    yield "identity", handshake.identity
    yield "path", handshake.path
    yield "subprotocols offered", ", ".join(handshake.offered_subprotocols) or "none"
    yield "subprotocol agreed", handshake.subprotocol or "none"
    yield "compression", "agreed" if handshake.compression else "not agreed"
    if handshake.tls_version:
        yield "TLS", f"{handshake.tls_version}, {handshake.cipher_suite}"
    if handshake.peer_common_name:
        yield "client certificate", f"CN {handshake.peer_common_name}"
    yield "Basic user", handshake.basic_user or "none"


def _booted(said: list[Heard]) -> Iterator[tuple[str, str]]:
    for heard in said:
        payload = heard.payload
        station = payload.get("chargingStation") if isinstance(payload, dict) else None
        if (
            heard.action == "BootNotification"
            and isinstance(payload, dict)
            and isinstance(station, dict)
        ):
            yield "boot reason", _text(payload.get("reason"))
            for name in ("vendorName", "model", "serialNumber", "firmwareVersion"):
                if name in station:
                    yield name, _text(station[name])


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else repr(value)


def _refusals(made: Rig) -> Iterator[tuple[str, str]]:
    """Who was turned away and why; without addresses, which behind a tap are our own."""
    door = made.wiring.door
    if isinstance(door, Listener):
        for refusal in door.refused:
            yield "refused", str(replace(refusal, remote=""))
        for reason in dict.fromkeys(failure.reason for failure in door.handshake_failures):
            yield "handshake failed", reason
