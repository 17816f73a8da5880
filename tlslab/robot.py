"""Asks a TLS server whether it tells well-padded from badly padded RSA key exchanges (Bleichenbacher; ROBOT, 2018).

OCPP asks a CSMS for suites with RSA key exchange (A00.FR.318), so it must answer all forms alike. Only classes of
answers are compared, never times. Knows messages and streams; how a connection is made is handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tlslab.build import client_hello, flight, handshake, record, vector
from tlslab.flight import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    read_certificates,
    read_server_hello,
)
from tlslab.probe import MAX_ANSWER, PATIENCE_S, Answer, Connect, Reply
from tlslab.records import (
    CHANGE_CIPHER_SPEC,
    HANDSHAKE_RECORD,
    HelloError,
    Message,
    messages,
    plain_alert,
    records,
)
from tlslab.suites import OLDER_SUITES, suite

CLIENT_KEY_EXCHANGE = 16
MAX_KEY = 8192
"""Bits of the largest key that is encrypted to."""

_OCPP = (0x009C, 0x009D)

RSA_SUITES = (
    *_OCPP,
    *(
        c
        for c in OLDER_SUITES
        if suite(c).key_exchange == "RSA" and "AES" in suite(c).cipher and c not in _OCPP
    ),
)
"""Suites with RSA key exchange, OCPP's own first."""

_SECRET = bytes(range(1, 47))


def forms(size: int) -> Mapping[str, bytes]:
    """The padded secrets by name, for a modulus of so many bytes; the first one is right (RFC 8017 7.2.1)."""
    secret = b"\x03\x03" + _SECRET
    padding = b"\xa5" * (size - 3 - len(secret))
    right = b"\0\2" + padding + b"\0" + secret
    return {
        "right": right,
        "wrong version": b"\0\2" + padding + b"\0\2\2" + _SECRET,
        "wrong first bytes": b"\x41\x17" + right[2:],
        "no end of the padding": b"\0\2" + b"\xa5" * (size - 2),
        "secret too short": b"\0\2" + b"\xa5" * (size - 4) + b"\0\5",
    }


@dataclass(frozen=True, slots=True)
class Padding:
    """How each form was answered; {} for a server that takes no RSA key exchange."""

    answers: Mapping[str, Answer]

    @property
    def asked(self) -> bool:
        """Whether every form got as far as the server."""
        silent = (Reply.UNREACHABLE, Reply.GARBAGE)
        return bool(self.answers) and all(a.reply not in silent for a in self.answers.values())

    @property
    def alike(self) -> bool:
        """Whether nothing can be learnt from the answers; True also when there are none."""
        return len({(a.reply, a.alert) for a in self.answers.values()}) <= 1


async def padding(
    connect: Connect, *, server_name: str = "", patience_s: float = PATIENCE_S
) -> Padding:
    """How the server answers each form, asked one after the other; a form that stands out is asked again."""
    found: dict[str, Answer] = {}
    for name in forms(256):
        answer = await _ask(connect, name, server_name, patience_s)
        if answer is None:
            return Padding({})
        found[name] = answer
    result = Padding(found)
    if result.alike:
        return result
    # Whatever happens by chance does not happen twice alike.
    again = {name: await _ask(connect, name, server_name, patience_s) for name in found}
    return Padding(
        {name: found[name] if again[name] == found[name] else found["right"] for name in found}
    )


async def _ask(connect: Connect, form: str, server_name: str, patience_s: float) -> Answer | None:
    """The answer to this form; None when the server takes no RSA key exchange. Never raises."""
    try:
        async with asyncio.timeout(patience_s):
            reader, writer = await connect()
    except (OSError, TimeoutError):
        return Answer(Reply.UNREACHABLE)
    try:
        async with asyncio.timeout(patience_s):
            hello = client_hello(suites=RSA_SUITES, server_name=server_name)
            writer.write(hello)
            first = await _first_flight(reader)
            if first is None:
                return None
            writer.write(_second_flight(first, form))
            return await _reaction(reader)
    except TimeoutError:
        return Answer(Reply.SILENCE)
    except (OSError, HelloError):
        return Answer(Reply.CLOSED)
    finally:
        writer.transport.abort()


async def _first_flight(reader: asyncio.StreamReader) -> tuple[Message, ...] | None:
    """The server's messages up to ServerHelloDone; None when it does not get there."""
    data = bytearray()
    while len(data) < MAX_ANSWER and (chunk := await reader.read(16384)):
        data += chunk
        stream = tuple(records(bytes(data)))
        if any((plain_alert(found) or (1,))[0] == 2 for found in stream):
            return None
        said = tuple(messages(stream))
        if any(message.type == SERVER_HELLO_DONE for message in said):
            return said if _key(said) is not None else None
    return None


def _key(said: tuple[Message, ...]) -> rsa.RSAPublicKey | None:
    """The RSA key that the secret is encrypted to; None when that is not what the server chose."""
    bodies = {message.type: message.body for message in said}
    try:
        hello = read_server_hello(bodies[SERVER_HELLO])
        certificate = x509.load_der_x509_certificate(read_certificates(bodies[CERTIFICATE])[0])
        key = certificate.public_key()
    except (KeyError, IndexError, ValueError):
        return None
    if not isinstance(key, rsa.RSAPublicKey) or hello.cipher_suite not in RSA_SUITES:
        return None
    # Numbers beyond these would keep us busy for a hostile server.
    return key if 1024 <= key.key_size <= MAX_KEY and key.public_numbers().e < 2**32 else None


def _second_flight(said: tuple[Message, ...], form: str) -> bytes:
    """The key exchange with this form, and a Finished that nobody can verify."""
    key = _key(said)
    if key is None:
        raise HelloError("no RSA key")
    numbers = key.public_numbers()
    size = (key.key_size + 7) // 8
    hidden = pow(int.from_bytes(forms(size)[form]), numbers.e, numbers.n).to_bytes(size)
    asked = any(message.type == CERTIFICATE_REQUEST for message in said)
    none = (handshake(CERTIFICATE, bytes(3)),) if asked else ()
    exchange = flight(*none, handshake(CLIENT_KEY_EXCHANGE, vector(hidden, 2)))
    return exchange + record(CHANGE_CIPHER_SPEC, b"\1") + record(HANDSHAKE_RECORD, bytes(64))


async def _reaction(reader: asyncio.StreamReader) -> Answer:
    data = bytearray()
    while len(data) < MAX_ANSWER and (chunk := await reader.read(16384)):
        data += chunk
        alerts = (plain_alert(found) for found in records(bytes(data)))
        if fatal := next((a for a in alerts if a is not None and a[0] == 2), None):
            return Answer(Reply.ALERT, alert=fatal[1])
    return Answer(Reply.GARBAGE if data else Reply.CLOSED)
