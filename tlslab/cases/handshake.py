"""Handshakes that are not as RFC 5246 and RFC 8446 want them: messages left out, added, out of turn, or not messages."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

from tlslab import rogue
from tlslab.bench import NotAsked, StationBench, Unfinished
from tlslab.build import SECURE_RENEGOTIATION, flight, handshake, server_hello
from tlslab.describe import Root
from tlslab.exchange import Faults, full_flight, offered_suite
from tlslab.offers import TLS_1_2, Engine, Offer
from tlslab.pki import Credential
from tlslab.records import records
from tlslab.registry import Attacker, Effect, Need, Severity, tls_case
from tlslab.rogue import Answer, chosen_suite
from tlslab.seen import HAND_NOTES, RENEGOTIATED, WENT_ON, Chunk, Stage, Way
from tlslab.suites import suite_name
from tlslab.wire import ClientHello

UNMODIFIED = ("A00.FR.317", "A00.FR.420")
HEARTBEAT = 24
HELLO_REQUEST = 0
NOT_OFFERED = 0x5A5A + 1
"""An extension that nobody has: RFC 8701 reserves its neighbour."""


async def _flights(bench: StationBench) -> Credential:
    """Whose flights the station goes on with. Raises `NotAsked`, or `Unfinished` when it believes none of them."""
    credential = bench.offer().credential
    if not offered_suite(await bench.hello(), credential):
        raise NotAsked(
            "a station that offers an ECDHE suite of TLS 1.2: these flights are made by hand"
        )
    if not await bench.believes(credential):
        raise Unfinished("it does not go on with a proper handshake of TLS 1.2 made by hand")
    return credential


@tls_case(
    "TS-27",
    *UNMODIFIED,
    expects="record",
    severity=Severity.LOW,
)
async def no_renegotiation_info(bench: StationBench) -> None:
    """A CSMS that knows nothing of secure renegotiation is refused or not; RFC 5746 section 3.4 leaves it to the client.

    No requirement of OCPP names it, so that it is written down.
    """
    answer = rogue.without_renegotiation_info()
    seen = await bench.either(bench.by_hand(answer), label=answer.name)
    refused = seen.stage is Stage.ALERT
    bench.record("without renegotiation_info", "refused" if refused else "not refused")


def _renegotiating(
    bench: StationBench, other: Credential | None = None, *, asks: bool = True
) -> Offer:
    # TLS 1.3 has no renegotiation.
    return bench.offer(
        engine=Engine.PYOPENSSL,
        lowest=TLS_1_2,
        highest=TLS_1_2,
        renegotiate=asks,
        renegotiate_as=other,
    )


@tls_case(
    "TS-28",
    *UNMODIFIED,
    expects="survive",
    severity=Severity.MEDIUM,
    effect=Effect.VOLATILE,
    attacker=Attacker.IS_PEER,
    cwe="CWE-400",
)
async def renegotiation(bench: StationBench) -> None:
    """Asked to renegotiate, the station declines, ignores it, or does it; it does not break off for good."""
    offer, control = _renegotiating(bench), _renegotiating(bench, asks=False)
    seen = await bench.survives(offer, label="a HelloRequest", control=control)
    notes = [note for connection in seen.connections for note in connection.notes]
    bench.record("renegotiation", ", ".join(dict.fromkeys(notes)) or "not observed")


@tls_case(
    "TS-29",
    *("A00.FR.308", "A00.FR.311", "A00.FR.411", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    needs=(Need.CA_KEY,),
    attacker=Attacker.ON_PATH,
    cwe="CWE-295",
)
async def renegotiation_as_another(bench: StationBench) -> None:
    """A CSMS that renegotiates as somebody under an unknown root is not believed (CVE-2009-3555).

    A station that declines to renegotiate is safe; what it went on to do with the old keys is no matter.
    """
    other = bench.credential(bench.chain(root=Root.STRANGER))
    offer, control = _renegotiating(bench, other), _renegotiating(bench, asks=False)
    seen = await bench.either(offer, label="another after HelloRequest", control=control)
    if seen.stage is Stage.NOTHING:
        raise Unfinished("no connection was seen")
    notes = [note for connection in seen.connections for note in connection.notes]
    bench.record("renegotiation", ", ".join(dict.fromkeys(notes)) or "not observed")
    bench.require(RENEGOTIATED not in notes, "it does not renegotiate with somebody else")


@tls_case(
    "TS-76",
    *("A00.FR.308", "A00.FR.311", "A00.FR.411", "A00.FR.414"),
    expects="refuse",
    severity=Severity.CRITICAL,
    cwe="CWE-306",
)
async def no_certificate(bench: StationBench) -> None:
    """A CSMS that leaves its certificate out, or shows an empty list, is refused."""
    for answer in (rogue.done_before_certificate(), rogue.empty_certificate()):
        await bench.rejects(answer)


@tls_case(
    "TS-77",
    *UNMODIFIED,
    expects="refuse",
    severity=Severity.HIGH,
    cwe="CWE-326",
)
async def early_change_cipher_spec(bench: StationBench) -> None:
    """ChangeCipherSpec before the keys are agreed on ends the handshake (CVE-2014-0224)."""
    await bench.rejects(rogue.early_change_cipher_spec(await _flights(bench)))


@tls_case(
    "TS-78",
    *UNMODIFIED,
    expects="refuse",
    severity=Severity.MEDIUM,
    cwe="CWE-20",
)
async def strange_extensions(bench: StationBench) -> None:
    """A ServerHello with an extension twice ends the handshake; one that was not asked for should (RFC 5246 7.4.1.4).

    OpenSSL skips an extension that it does not know, asked for or not, so that this is written down.
    """
    await bench.hello()
    twice = "a ServerHello with an extension twice"
    await bench.rejects(Answer(twice, _hello_with(SECURE_RENEGOTIATION * 2)))
    strange = (*SECURE_RENEGOTIATION, (NOT_OFFERED, b""))
    unasked = Answer("a ServerHello with an extension that was not asked for", _hello_with(strange))
    seen = await bench.either(bench.by_hand(unasked), label=unasked.name)
    ended = not any(note in HAND_NOTES for c in seen.connections for note in c.notes)
    bench.record(unasked.name, "refused" if ended else "not refused")


def _hello_with(extensions: tuple[tuple[int, bytes], ...]) -> Callable[[ClientHello], bytes]:
    return lambda hello: flight(server_hello(suite=chosen_suite(hello), extensions=extensions))


@tls_case(
    "TS-79",
    *UNMODIFIED,
    expects="refuse",
    severity=Severity.MEDIUM,
    cwe="CWE-20",
)
async def twice_the_same_message(bench: StationBench) -> None:
    """A second ServerHello where the certificate is due ends the handshake (RFC 5246 section 7.4)."""

    def twice(hello: ClientHello) -> bytes:
        one = server_hello(suite=chosen_suite(hello))
        return flight(one, one)

    await bench.rejects(Answer("two ServerHellos", twice))


@tls_case(
    "TS-80",
    *UNMODIFIED,
    expects="survive",
    severity=Severity.MEDIUM,
    effect=Effect.VOLATILE,
    cwe="CWE-20",
)
async def nonsense(bench: StationBench) -> None:
    """Whatever stands in the place of a handshake, the station comes back to a proper one, and leaks no memory.

    Alerts, floods of warnings and of empty records, records too long or of no type, half and huge messages, garbage,
    HTTP, HelloRetryRequests without end, a hundred HelloRequests, a heartbeat that asks for more than it brought
    (CVE-2014-0160), and hanging up.
    """
    asks = flight(*(handshake(HELLO_REQUEST, b"") for _ in range(100)))
    more = (
        Answer("a hundred HelloRequests", lambda hello: asks),
        Answer("hanging up", lambda hello: b""),
    )
    for answer in (*rogue.nonsense(), *more):
        seen = await bench.survives(bench.by_hand(answer), label=answer.name)
        leaks = [c for c in seen.connections if _says(c.tape, HEARTBEAT)]
        bench.require(not leaks, f"no heartbeat comes back: {answer.name}")


def _says(tape: list[Chunk], kind: int) -> bool:
    said = b"".join(chunk.data for chunk in tape if chunk.way is Way.PEER)
    return any(record.type == kind for record in records(said))


@tls_case(
    "TS-81",
    *("A00.FR.308", "A00.FR.311", "A00.FR.411", "A00.FR.414"),
    expects="refuse",
    severity=Severity.HIGH,
    effect=Effect.VOLATILE,
    cwe="CWE-20",
)
async def garbage_certificates(bench: StationBench) -> None:
    """A certificate that cannot be read, or is cut off, ends the handshake and nothing else."""
    credential = await _flights(bench)
    der = base64.b64decode(b"".join(credential.certificate.splitlines()[1:-1]))
    for name, body in (
        ("a certificate of garbage", bytes(range(256)) * 2),
        ("half a certificate", der[: len(der) // 2]),
        ("an endless certificate", b"\x30\x84\xff\xff\xff\xff" + bytes(64)),
        ("a certificate of nested sequences", b"\x30\x80" * 2000),
    ):
        await bench.rejects(_shows(replace(credential, certificate=_pem(body), chain=()), name))


def _shows(credential: Credential, name: str) -> Answer:
    return Answer(name, lambda hello: full_flight(hello, credential))


def _pem(der: bytes) -> bytes:
    lines = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"


@tls_case(
    "TS-82",
    *UNMODIFIED,
    expects="accept",
    severity=Severity.LOW,
    cwe="CWE-20",
)
async def small_records(bench: StationBench) -> None:
    """A handshake in records of one byte each is gone on with, as RFC 5246 section 6.2.1 allows it."""
    credential = await _flights(bench)
    answer = rogue.in_small_records(credential)
    seen = await bench.either(bench.by_hand(answer), label=answer.name)
    went_on = any(WENT_ON in c.notes for c in seen.connections)
    bench.require(went_on, "it goes on with a handshake in small records", remark=True)


@tls_case(
    "TS-83",
    *UNMODIFIED,
    expects="refuse",
    severity=Severity.MEDIUM,
    cwe="CWE-310",
)
async def wrong_renegotiation_info(bench: StationBench) -> None:
    """A first handshake whose renegotiation_info is not empty ends at once (RFC 5746 section 3.4)."""
    credential = await _flights(bench)
    wrong = Faults(extensions=((0xFF01, b"\x0c" + bytes(12)),))
    answer = Answer(
        "renegotiation_info of an earlier handshake",
        lambda hello: full_flight(hello, credential, wrong),
    )
    if not (await bench.hello()).has_renegotiation_info:
        bench.record("renegotiation_info", f"not offered; see TS-11 ({suite_name(0x00FF)})")
        return
    await bench.rejects(answer)
