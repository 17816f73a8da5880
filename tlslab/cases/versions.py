"""Versions of TLS that a station must refuse or take, and whether it can be talked down to one (A00.FR.312 to FR.317)."""

from __future__ import annotations

from collections.abc import Sequence

from tlslab import rogue
from tlslab.bench import StationBench, Unfinished
from tlslab.exchange import offered_suite
from tlslab.offers import SSL_3_0, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, Engine, Offer
from tlslab.registry import Severity, tls_case
from tlslab.rogue import Answer
from tlslab.seen import Stage
from tlslab.suites import FALLBACK_SCSV, forbidden, legacy, suite_name
from tlslab.wire import ClientHello, version_name

OLD = "InvalidTLSVersion"
TLS = ("A00.FR.312", "A00.FR.313", "A00.FR.314", "A00.FR.415", "A00.FR.416", "A00.FR.417")
OLD_SUITES = (0xC02B, 0xC02C, 0xC009, 0xC00A, 0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035)
"""The four of OCPP, and what TLS 1.0 and 1.1 can do besides."""
FAILURES = 3
FAILING_S = 120.0


@tls_case(
    "TS-13",
    *("A00.FR.313", "A00.FR.317", "A00.FR.416", "A00.FR.420"),
    expects="the same hello after every failure",
    severity=Severity.HIGH,
    endangers=("TC_A_06_CS",),
    cwe="CWE-757",
)
async def no_downgrade_dance(bench: StationBench) -> None:
    """After failed handshakes the station offers nothing weaker than before (CVE-2014-3566 began that way)."""
    await bench.settle()
    before = (await bench.again()).hello  # of an attempt with no failure before it
    if before is None:
        raise Unfinished("the ClientHello of the station cannot be read")
    for answer in (rogue.alert_at_once(70), rogue.alert_at_once(40), HANG_UP):
        seen = await bench.attempts(bench.by_hand(answer), FAILURES, within=FAILING_S)
        later = [c.hello for c in seen if c.hello is not None]
        if not later:
            raise Unfinished(f"no attempt was seen: {answer.name}")
        bench.record(f"hellos after {answer.name}", len(later))
        _compare(bench, before, later, answer.name)


HANG_UP = Answer("hanging up", lambda hello: b"")


def _compare(
    bench: StationBench, before: ClientHello, later: Sequence[ClientHello], failure: str
) -> None:
    lower = [h for h in later if _lower(before, h)]
    came = ", ".join(version_name(max(h.versions)) for h in lower)
    bench.require(not lower, f"no lower version is offered after {failure}", came)
    new = {code for h in later for code in h.suites if code not in before.suites}
    weak = [suite_name(code) for code in sorted(new) if forbidden(code) or legacy(code)]
    bench.require(not weak, f"no weaker suite is offered after {failure}", ", ".join(weak))
    fallen = any(FALLBACK_SCSV in h.cipher_suites for h in later)
    what = f"no TLS_FALLBACK_SCSV after {failure}: it marks a deliberate step down (RFC 7507)"
    bench.require(not fallen, what, remark=True)


def _lower(before: ClientHello, later: ClientHello) -> bool:
    best, worst = (max(before.versions, default=0), min(before.versions, default=0))
    return max(later.versions, default=0) < best or min(later.versions, default=0) < worst


def _old(bench: StationBench, version: int, engine: Engine = Engine.STDLIB) -> tuple[Offer, Offer]:
    """A server that speaks this version only, and the same one that speaks proper ones."""
    bad = bench.offer(engine=engine, suites=OLD_SUITES, lowest=version, highest=version)
    good = bench.offer(engine=engine, suites=OLD_SUITES, lowest=TLS_1_2, highest=TLS_1_2)
    return bad, good


async def _refuses_version(bench: StationBench, version: int) -> None:
    bad, good = _old(bench, version)
    name = version_name(version)
    # A library may say handshake_failure here, since the suites are not of that version either.
    events = (OLD, "InvalidTLSCipherSuite")
    label = f"a server of {name} only"
    await bench.refuses(bad, label=label, control=good, event=events, must_tell=False)
    await bench.rejects(rogue.version(version), event=OLD)


@tls_case(
    "TS-14",
    *(*TLS, "A00.FR.316", "A00.FR.419"),
    expects="refuse; InvalidTLSVersion where it can tell",
    severity=Severity.CRITICAL,
    endangers=("TC_A_06_CS",),
    cwe="CWE-757",
)
async def tls_1_0(bench: StationBench) -> None:
    """A CSMS of TLS 1.0 only is refused, and InvalidTLSVersion raised where the station can tell why."""
    await _refuses_version(bench, TLS_1_0)


@tls_case(
    "TS-15",
    *(*TLS, "A00.FR.316", "A00.FR.419"),
    expects="refuse; InvalidTLSVersion where it can tell",
    severity=Severity.CRITICAL,
    endangers=("TC_A_06_CS",),
    cwe="CWE-757",
    telling=True,
)
async def tls_1_1(bench: StationBench) -> None:
    """A CSMS of TLS 1.1 only is refused, and InvalidTLSVersion raised where the station can tell why."""
    await _refuses_version(bench, TLS_1_1)


@tls_case(
    "TS-16",
    *(*TLS, "A00.FR.316", "A00.FR.419"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_06_CS",),
    cwe="CWE-757",
)
async def ssl_3(bench: StationBench) -> None:
    """A ServerHello of SSL 3.0 ends the handshake (RFC 7568)."""
    await bench.rejects(rogue.version(SSL_3_0), event=OLD)


@tls_case(
    "TS-17",
    *("A00.FR.313", "A00.FR.416"),
    expects="accept",
    severity=Severity.HIGH,
    endangers=("TC_A_04_CS", "TC_A_07_CS"),
)
async def tls_1_2(bench: StationBench) -> None:
    """A CSMS of TLS 1.2 only is connected to."""
    offer = bench.offer(lowest=TLS_1_2, highest=TLS_1_2)
    await bench.takes(offer, label="a server of TLSv1.2 only")


@tls_case(
    "TS-18",
    *("A00.FR.313", "A00.FR.416"),
    expects="record",
    severity=Severity.INFO,
)
async def tls_1_3(bench: StationBench) -> None:
    """A CSMS of TLS 1.3 only is connected to or refused cleanly; OCPP 2.0.1 asks for TLS 1.2 or above."""
    offer = bench.offer(lowest=TLS_1_3, highest=TLS_1_3)
    seen = await bench.either(offer, label="a server of TLSv1.3 only")
    bench.record("TLS 1.3", "spoken" if seen.stage >= Stage.WEBSOCKET else "not spoken")


@tls_case(
    "TS-26",
    *("A00.FR.317", "A00.FR.420"),
    expects="refuse where TLS 1.3 is offered",
    severity=Severity.HIGH,
    cwe="CWE-757",
    telling=True,
)
async def downgrade_sentinel(bench: StationBench) -> None:
    """A station of TLS 1.3 ends a handshake of TLS 1.2 whose random says that somebody talked it down (RFC 8446 4.1.3)."""
    hello = await bench.hello()
    credential = bench.offer().credential
    if TLS_1_3 not in hello.versions or not offered_suite(hello, credential):
        bench.record("downgrade sentinel", "it offers no TLS 1.3, or no ECDHE to go down to")
        return
    if not await bench.believes(credential):
        raise Unfinished("it does not go on with a proper handshake of TLS 1.2 made by hand")
    await bench.rejects(rogue.downgrade_sentinel(credential))
