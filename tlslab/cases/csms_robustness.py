"""Hellos that no TLS library sends: the CSMS ends them, and goes on serving its Charging Stations (A00.FR.420)."""

from __future__ import annotations

from tlslab.build import client_hello, handshake, record, vector
from tlslab.client import CHOSE
from tlslab.csms_bench import CsmsBench
from tlslab.knock import MIXED_SUITES, Knock
from tlslab.offers import TLS_1_2, TLS_1_3, Engine
from tlslab.records import HANDSHAKE_RECORD
from tlslab.registry import Attacker, Severity, tls_case
from tlslab.suites import TLS_1_3_SUITES

_EARLY_DATA, _PADDING = 42, 21
_SUITES = (*TLS_1_3_SUITES, *MIXED_SUITES)


def proper_hellos(name: str) -> dict[str, bytes]:
    """Unusual hellos that a server must understand, by name."""

    def hello(**options: object) -> bytes:
        versions = (TLS_1_2, TLS_1_3)
        return client_hello(versions=versions, suites=_SUITES, server_name=name, **options)  # type: ignore[arg-type]

    return {
        "reserved values (GREASE)": hello(grease=True),
        "in records of 16 bytes": hello(size=16),
        "15000 bytes long": hello(extra=((_PADDING, bytes(14_500)),)),
    }


def faulty_hellos(name: str) -> dict[str, bytes]:
    """Hellos that a server must not go on with, by name."""
    good = client_hello(suites=_SUITES, server_name=name)
    return {
        "no suites": client_hello(suites=(), server_name=name),
        "zeros": bytes(512),
        "noise": bytes((i * 167 + 13) & 0xFF for i in range(2048)),
        "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "a record longer than allowed": b"\x16\x03\x01\xff\xff" + bytes(65535),
        "a length that lies": good[:6] + b"\xff\xff\xff" + good[9:],
        "an empty hello": record(HANDSHAKE_RECORD, handshake(1, b"")),
        "another message first": record(HANDSHAKE_RECORD, handshake(16, vector(b"x" * 64, 2))),
        "data first": record(23, b"x" * 64),
        "only alerts": b"\x15\x03\x01\x00\x02\x01\x00" * 64,
    }


@tls_case(
    "TC-34",
    *("A00.FR.317", "A00.FR.420"),
    expects="ends it, and serves the next one",
    severity=Severity.MEDIUM,
    attacker=Attacker.REACHES,
    cwe="CWE-20",
)
async def odd_hellos(bench: CsmsBench) -> None:
    """Whatever the first bytes are, the CSMS ends the connection or answers it properly, and serves the next visitor."""
    name = bench.csms.server_name
    for label, data in proper_hellos(name).items():
        exposure = await bench.either(_by_hand(bench, data), label=label)
        chose = any(CHOSE in c.notes for c in exposure.connections)
        bench.require(chose, f"a ServerHello answers a hello: {label}", remark=True)
    for label, data in faulty_hellos(name).items():
        exposure = await bench.either(_by_hand(bench, data), label=label)
        chose = any(CHOSE in c.notes for c in exposure.connections)
        bench.require(not chose, f"no ServerHello answers: {label}")
    early = client_hello(
        versions=(TLS_1_3,), suites=TLS_1_3_SUITES, server_name=name, extra=((_EARLY_DATA, b""),)
    )
    await bench.either(_by_hand(bench, early + record(23, b"x" * 256)), label="early data")


def _by_hand(bench: CsmsBench, data: bytes) -> Knock:
    return bench.proper(engine=Engine.HAND, hello=data, credential=None, basic=None)


@tls_case(
    "TC-51",
    *("A00.FR.403", "A00.FR.407"),
    expects="refuse, and serve the next one",
    severity=Severity.MEDIUM,
    profiles=(3,),
    attacker=Attacker.REACHES,
    cwe="CWE-20",
)
async def garbage_behind(bench: CsmsBench) -> None:
    """Garbage behind the own certificate is ignored or refused, and the next visitor is served."""
    for label, data in (
        ("noise", bytes(range(256))),
        ("a cut certificate", b"\x30\x82\x01\x00\x30"),
    ):
        knock = bench.proper(engine=Engine.TLSLITE, highest=TLS_1_2, garbage=data)
        control = bench.proper(engine=Engine.TLSLITE, highest=TLS_1_2)
        await bench.either(knock, label=label, control=control)
