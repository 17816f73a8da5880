"""Many failures in a row: how often the station tries, and what it tells of them (A04.FR.02; Part 4 section 5.3)."""

from __future__ import annotations

from itertools import pairwise

from tlslab import rogue
from tlslab.bench import StationBench, Unfinished
from tlslab.describe import Root
from tlslab.offers import TLS_1_0
from tlslab.registry import Effect, Need, Severity, tls_case
from tlslab.seen import Connection

INVALID = "InvalidCsmsCertificate"
OLD = "InvalidTLSVersion"
NEVER = "an event that no station has"
ATTEMPTS = 10
FEW = 4
"""With --fast."""
AS_LONG_AS_S = 240.0
TOLERANCE = 0.9
"""Clocks differ, and the attempt begins before we see it."""
BACK_OFF = "OCPPCommCtrlr"


@tls_case(
    "TS-67",
    *("A00.FR.316", "A00.FR.419", "A04.FR.02"),
    expects="back off; an event; no reboot",
    severity=Severity.MEDIUM,
    needs=(Need.CA_KEY, Need.OCPP),
    effect=Effect.VOLATILE,
    cwe="CWE-400",
)
async def ten_failures(bench: StationBench) -> None:
    """Ten bad certificates in a row make the station wait longer and longer, not reboot, and raise an event.

    No attempt comes sooner than RetryBackOffWaitMinimum after the one before. More events than one are a remark: that
    repeated failures are one event is said of old versions only (TS-84).
    """
    minimum = await _number(bench, "RetryBackOffWaitMinimum")
    spread = await _number(bench, "RetryBackOffRandomRange")
    times = await _number(bench, "RetryBackOffRepeatTimes")
    await bench.settle()
    told, boots = len(bench.session.events()), bench.session.booted
    bad = bench.offer(bench.chain(root=Root.STRANGER))
    wanted = FEW if bench.fast else ATTEMPTS
    seen = await bench.attempts(bad, wanted, within=AS_LONG_AS_S)
    longest = (minimum or 0.0) * 2 ** min(times or 0.0, 10.0) + (spread or 0.0)
    await bench.settle(within=max(2 * longest + 10, 10 * bench.reconnect_s))
    if len(seen) < 2:
        raise Unfinished(f"{len(seen)} failed attempts were seen in {AS_LONG_AS_S:g} s")
    _waits(bench, seen, minimum)
    await bench.told(told, INVALID)
    # The first may be followed by others: all of what is still on its way counts.
    events = await bench.told(told, NEVER)
    bench.require(INVALID in events, f"{INVALID} is raised")
    many = events.count(INVALID)
    bench.require(many <= 1, "one event for repeated failures", f"{many} events", remark=True)
    again = bench.session.booted - boots
    bench.require(again <= 0, "no reboot meanwhile", f"{again} BootNotifications")


@tls_case(
    "TS-84",
    *("A00.FR.316", "A00.FR.419"),
    expects="one event at most",
    severity=Severity.LOW,
    endangers=("TC_A_06_CS",),
    needs=(Need.OCPP,),
    effect=Effect.VOLATILE,
    cwe="CWE-779",
)
async def one_event_for_old_versions(bench: StationBench) -> None:
    """A CSMS of TLS 1.0 that is met again and again is one event InvalidTLSVersion, if it is one at all."""
    await bench.settle()
    told = len(bench.session.events())
    seen = await bench.attempts(bench.by_hand(rogue.version(TLS_1_0)), FEW, within=AS_LONG_AS_S)
    await bench.settle(within=10 * bench.reconnect_s + AS_LONG_AS_S)
    if len(seen) < 2:
        raise Unfinished(f"{len(seen)} failed attempts were seen in {AS_LONG_AS_S:g} s")
    events = await bench.told(told, NEVER)
    many = events.count(OLD)
    bench.record("attempts", len(seen))
    bench.require(many <= 1, "one event for repeated failures", f"{many} of {OLD}")


def _waits(bench: StationBench, seen: tuple[Connection, ...], minimum: float | None) -> None:
    waits = [
        after.began_s - (before.ended_s if before.ended_s is not None else before.began_s)
        for before, after in pairwise(seen)
    ]
    bench.record("attempts", len(seen))
    bench.record("waits in s", ", ".join(f"{wait:.1f}" for wait in waits))
    if minimum:
        soon = [wait for wait in waits if wait < TOLERANCE * minimum]
        what = "no attempt comes sooner than RetryBackOffWaitMinimum after the one before"
        bench.require(not soon, what, f"{min(waits):.1f} s of {minimum:g} s")
    what = "the waits grow"
    bench.require(max(waits[1:], default=waits[0]) >= TOLERANCE * waits[0], what, remark=True)


async def _number(bench: StationBench, name: str) -> float | None:
    value = await bench.session.get_variable(BACK_OFF, name)
    try:
        return float(value or "")
    except ValueError:
        return None
