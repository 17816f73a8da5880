"""Server certificates that are not valid now (RFC 5280 section 6.1.3; A00.FR.308, FR.411)."""

from __future__ import annotations

from dataclasses import replace

from tlslab.bench import StationBench
from tlslab.describe import DAY
from tlslab.registry import Need, Severity, tls_case

INVALID = "InvalidCsmsCertificate"
LONG_AGO = -30 * DAY
OVER = -2 * DAY
TO_COME = 2 * DAY


@tls_case(
    "TS-31",
    *("A00.FR.308", "A00.FR.310", "A00.FR.311", "A00.FR.411", "A00.FR.413", "A00.FR.414"),
    expects="refuse, InvalidCsmsCertificate",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-298",
    telling=True,
)
async def expired(bench: StationBench) -> None:
    """An expired certificate ends the connection and raises InvalidCsmsCertificate.

    The certificate ended two days ago by the station's own clock.
    """
    good = replace(bench.leaf, begins=LONG_AGO)
    await bench.refuses(
        bench.offer(bench.chain(replace(good, validity=OVER))),
        label="expired two days ago",
        control=bench.offer(bench.chain(good)),
        event=INVALID,
    )


@tls_case(
    "TS-32",
    *("A00.FR.308", "A00.FR.310", "A00.FR.311", "A00.FR.411", "A00.FR.413", "A00.FR.414"),
    expects="refuse, InvalidCsmsCertificate",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
)
async def not_yet_valid(bench: StationBench) -> None:
    """A certificate that begins in two days ends the connection and raises InvalidCsmsCertificate."""
    await bench.refuses(
        bench.offer(bench.chain(replace(bench.leaf, begins=TO_COME))),
        label="begins in two days",
        event=INVALID,
    )


@tls_case(
    "TS-68",
    *("A00.FR.308", "A00.FR.311", "A00.FR.411", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-298",
)
async def ca_not_valid(bench: StationBench) -> None:
    """A CA whose own time is over, or has not begun, makes the whole path invalid (RFC 5280 section 6.1.3 (a)(2))."""
    old = replace(bench.ca, begins=LONG_AGO)
    await bench.refuses(
        bench.offer(bench.chain(cas=(replace(old, validity=OVER),))),
        label="the CA expired two days ago",
        control=bench.offer(bench.chain(cas=(old,))),
        event=INVALID,
        must_tell=False,
    )
    await bench.refuses(
        bench.offer(bench.chain(cas=(replace(bench.ca, begins=TO_COME),))),
        label="the CA begins in two days",
        control=bench.offer(bench.chain(cas=(bench.ca,))),
        event=INVALID,
        must_tell=False,
    )
