"""Records and chains that are proper but unwieldy: the station may refuse them, but it comes back."""

from __future__ import annotations

from dataclasses import replace

from tlslab.bench import StationBench
from tlslab.describe import Chain
from tlslab.offers import Pace
from tlslab.registry import Effect, Need, Severity, tls_case
from tlslab.seen import Stage

DEPTH = 10
LARGE = 500
"""Names of 200 characters: 100 kB."""
NAMES = 1000
STALL_S = 30.0


@tls_case(
    "TS-58",
    *("A00.FR.317", "A00.FR.420"),
    expects="survive",
    severity=Severity.MEDIUM,
    needs=(Need.CA_KEY,),
    effect=Effect.VOLATILE,
    cwe="CWE-770",
)
async def huge_chains(bench: StationBench) -> None:
    """Ten CAs, 100 kB of names or a thousand of them make the station refuse at worst, and it comes back."""
    leaf = bench.leaf
    many = (bench.station.host, *(f"n{i}.ocppfuzz.example" for i in range(NAMES - 1)))
    chains: dict[str, Chain] = {
        "ten CAs": bench.chain(
            cas=tuple(replace(bench.ca, common_name=f"ocppfuzz CA {i}") for i in range(DEPTH))
        ),
        "100 kB": bench.chain(replace(leaf, padding=LARGE)),
        "a thousand names": bench.chain(replace(leaf, names=many)),
    }
    for label, chain in chains.items():
        await _bears(bench, label, chain=chain)


@tls_case(
    "TS-61",
    *("A00.FR.317", "A00.FR.420"),
    expects="survive",
    severity=Severity.MEDIUM,
    effect=Effect.VOLATILE,
    cwe="CWE-400",
)
async def slow_answers(bench: StationBench) -> None:
    """An answer in pieces of one byte, or after half a minute, keeps the station from nothing."""
    await _bears(bench, "one byte at a time", pace=Pace(piece=1))
    await _bears(bench, "half a minute of silence", pace=Pace(stall_s=STALL_S))


async def _bears(
    bench: StationBench, label: str, *, chain: Chain | None = None, pace: Pace | None = None
) -> None:
    offer = bench.offer(chain, pace=pace or Pace())
    seen = await bench.survives(offer, label=label)
    taken = seen.stage >= Stage.WEBSOCKET
    bench.record(label, "taken" if taken else "refused")
