"""What a certificate may be used for: extensions that a station must heed, and one that it must not ask for."""

from __future__ import annotations

from dataclasses import replace

from tlslab.bench import StationBench
from tlslab.describe import Usage
from tlslab.registry import Need, Severity, tls_case
from tlslab.seen import Stage


@tls_case(
    "TS-47",
    *("A00.FR.308", "A00.FR.311", "A00.FR.411", "A00.FR.414"),
    expects="refuse",
    severity=Severity.MEDIUM,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
)
async def unknown_critical_extension(bench: StationBench) -> None:
    """A critical extension that nobody knows makes a certificate invalid (RFC 5280 sections 4.2, 6.1.4 (o), 6.1.5 (f))."""
    offer = bench.offer(bench.chain(replace(bench.leaf, unknown_critical=True)))
    await bench.refuses(offer, label="in the certificate")
    await bench.refuses(
        bench.offer(bench.chain(cas=(replace(bench.ca, unknown_critical=True),))),
        label="in its CA's",
        control=bench.offer(bench.chain(cas=(bench.ca,))),
    )


@tls_case(
    "TS-48",
    *("A00.FR.308", "A00.FR.311", "A00.FR.411", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
)
async def for_clients_only(bench: StationBench) -> None:
    """An Extended Key Usage of clientAuth alone makes a certificate no server's (RFC 5280 section 4.2.1.12)."""
    offer = bench.offer(bench.chain(replace(bench.leaf, extended=("clientAuth",))))
    await bench.refuses(offer, label="clientAuth only")


@tls_case(
    "TS-49",
    "A00.FR.514",
    expects="accept",
    severity=Severity.HIGH,
    endangers=("TC_A_04_CS",),
    needs=(Need.CA_KEY,),
)
async def no_extended_usage(bench: StationBench) -> None:
    """A certificate without Extended Key Usage is accepted, since A00.FR.514 strongly recommends to have none."""
    offer = bench.offer(bench.chain(replace(bench.leaf, extended=())))
    await bench.takes(offer, label="no Extended Key Usage")


@tls_case(
    "TS-50",
    *("A00.FR.308", "A00.FR.411", "A00.FR.512"),
    expects="record; refusing is right",
    severity=Severity.LOW,
    needs=(Need.CA_KEY,),
)
async def key_usage(bench: StationBench) -> None:
    """A keyUsage that does not cover what the handshake does is written down; A00.FR.512 only recommends to have one.

    RFC 5246 section 7.4.2 wants digitalSignature for ECDHE and keyEncipherment for RSA key exchange.
    """
    needed = Usage.NO_SIGNATURE if bench.station.elliptic else Usage.NO_ENCIPHERMENT
    for usage in (needed, Usage.CERT_SIGN_ONLY, Usage.ABSENT):
        offer = bench.offer(bench.chain(replace(bench.leaf, usage=usage)))
        seen = await bench.either(offer, label=f"keyUsage {usage}")
        if usage is Usage.ABSENT and Stage.NOTHING < seen.stage < Stage.WEBSOCKET:
            bench.remark(
                "a certificate without keyUsage is refused, which A00.FR.512 allows to leave out"
            )


@tls_case(
    "TS-71",
    *("A00.FR.308", "A00.FR.311", "A00.FR.411", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
)
async def ca_may_not_sign(bench: StationBench) -> None:
    """A CA whose keyUsage lacks keyCertSign signs no certificates (RFC 5280 section 6.1.4 (n))."""
    await bench.refuses(
        bench.offer(bench.chain(cas=(replace(bench.ca, usage=Usage.NO_CERT_SIGN),))),
        label="no keyCertSign",
        control=bench.offer(bench.chain(cas=(bench.ca,))),
    )


@tls_case(
    "TS-72",
    "A00.FR.308",
    "A00.FR.411",
    expects="record",
    severity=Severity.LOW,
    needs=(Need.CA_KEY,),
)
async def ca_as_server(bench: StationBench) -> None:
    """A server certificate that could sign others is written down: RFC 5280 allows it, a careful station refuses it."""
    await bench.either(bench.offer(bench.chain(replace(bench.leaf, is_ca=True))), label="cA true")


@tls_case(
    "TS-73",
    "A00.FR.514",
    expects="accept",
    severity=Severity.LOW,
    needs=(Need.CA_KEY,),
)
async def for_servers(bench: StationBench) -> None:
    """A certificate with an Extended Key Usage of serverAuth is accepted: not recommended is not forbidden."""
    offer = bench.offer(bench.chain(replace(bench.leaf, extended=("serverAuth",))))
    await bench.takes(offer, label="serverAuth")
