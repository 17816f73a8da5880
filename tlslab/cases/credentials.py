"""What the station says before it knows whom it talks to: plain text, redirects, Basic credentials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tlslab.bench import StationBench, Unfinished
from tlslab.describe import DAY, Root
from tlslab.offers import Engine, Offer
from tlslab.registry import Need, Severity, tls_case
from tlslab.seen import Connection, Stage

HTTP_400 = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def _in_the_clear(connections: Sequence[Connection]) -> int:
    """On how many connections the station spoke HTTP without TLS."""
    return sum(bool(c.request) and c.hello is None for c in connections)


@tls_case(
    "TS-62",
    *("A00.FR.312", "A00.FR.415"),
    expects="refuse, never in plain text",
    severity=Severity.CRITICAL,
    cwe="CWE-319",
)
async def plain_text(bench: StationBench) -> None:
    """A CSMS that answers in plain text, or sends the station to ws://, gets no word from it without TLS."""
    await _never_plain(bench, bench.offer(engine=Engine.PLAIN, http=HTTP_400), "plain HTTP")
    host, port = bench.station.host, bench.server.port
    where = f"[{host}]" if ":" in host else host
    for status in ("301 Moved Permanently", "307 Temporary Redirect"):
        answer = f"HTTP/1.1 {status}\r\nLocation: ws://{where}:{port}/ocpp\r\n"
        http = f"{answer}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        await _never_plain(bench, bench.offer(http=http), f"{status[:3]} to ws://")


async def _never_plain(bench: StationBench, offer: Offer, label: str) -> None:
    await bench.settle()
    first = bench.server.count
    seen = await bench.either(offer, label=label)
    if seen.stage is Stage.NOTHING and not seen.connections:
        raise Unfinished(f"{label}: no connection was seen")
    # It may follow a redirect at once or with its next attempt: all that came until it was back counts.
    plain = _in_the_clear(bench.server.since(first))
    what = f"nothing is said without TLS, after {label}"
    bench.require(not plain, what, f"HTTP in plain text, {plain} times")


@tls_case(
    "TS-63",
    *("A00.FR.301", "A00.FR.308", "A00.FR.311"),
    expects="never an Authorization header",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    profiles=(2,),
    cwe="CWE-522",
)
async def password_to_strangers(bench: StationBench) -> None:
    """Whoever shows a bad certificate never gets the Basic credentials."""
    leaf = bench.leaf
    old = replace(leaf, begins=-30 * DAY, validity=-2 * DAY)
    other = replace(leaf, common_name="other.ocppfuzz.example", names=())
    chains = {
        "self-signed": bench.chain(root=Root.NONE),
        "unknown root": bench.chain(root=Root.STRANGER),
        "expired": bench.chain(old),
        "another host": bench.chain(other),
    }
    for label, chain in chains.items():
        seen = await bench.either(bench.offer(chain), label=label)
        if seen.stage is Stage.NOTHING:
            raise Unfinished(f"{label}: no connection was seen")
        told = any(connection.sent_authorization for connection in seen.connections)
        bench.require(not told, f"no Authorization header: {label}")
