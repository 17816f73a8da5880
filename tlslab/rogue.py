"""Answers that no TLS server may give: each makes from a ClientHello the bytes that are said back.

One function an answer, its result has a name for the report. All of them are bounded. What a client should do with
one is the business of the cases; who sends them must not be known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from tlslab.build import (
    SECURE_RENEGOTIATION,
    SOME_RANDOM,
    alert,
    flight,
    handshake,
    record,
    server_hello,
)
from tlslab.codes import KEY_SHARE, SUPPORTED_VERSIONS, alert_name, version_name
from tlslab.exchange import Faults, certificate_message, full_flight
from tlslab.flight import CERTIFICATE, RETRY_RANDOM, SERVER_HELLO, SERVER_HELLO_DONE
from tlslab.pki import Credential
from tlslab.records import CHANGE_CIPHER_SPEC, HANDSHAKE_RECORD, MAX_RECORD, records
from tlslab.suites import OLDER_SUITES, suite, suite_name
from tlslab.wire import ClientHello

HEARTBEAT_RECORD = 24
MAX_FLOOD = 10_000
"""Records of one flood at most."""

_SOUND_SUITES = (0xC02B, 0xC02C, 0x009C, 0x009D, 0xC02F, 0xC030, 0x009E, 0x009F, 0xCCA9)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a ClientHello, and its name for the report."""

    name: str
    say: Callable[[ClientHello], bytes]

    def __call__(self, hello: ClientHello) -> bytes:
        """The bytes to say."""
        return self.say(hello)

    @property
    def __name__(self) -> str:
        """The name, where a function's is looked for."""
        return self.name


def chosen_suite(hello: ClientHello) -> int:
    """The first offered suite that TLS 1.2 has; an OCPP one when there is none."""
    return next((c for c in hello.suites if suite(c).key_exchange), _SOUND_SUITES[0])


# --- ServerHellos that were not asked for -----------------------------------------------------------------


def version(code: int) -> Answer:
    """A ServerHello of this version, with a suite from the client's list."""
    return Answer(
        f"a ServerHello of {version_name(code)}",
        lambda hello: flight(server_hello(suite=chosen_suite(hello), version=code), version=code),
    )


def chosen(code: int) -> Answer:
    """A ServerHello with this suite, whether offered or not."""
    return Answer(
        f"a ServerHello with {suite_name(code)}", lambda hello: flight(server_hello(suite=code))
    )


def suite_not_offered() -> Answer:
    """A ServerHello with a suite that is sound but not on the client's list."""

    def say(hello: ClientHello) -> bytes:
        # Somebody who offers every suite is given a number that is none.
        missing = (c for c in (*_SOUND_SUITES, *OLDER_SUITES, 0xABCD) if c not in hello.suites)
        return flight(server_hello(suite=next(missing)))

    return Answer("a ServerHello with a suite that was not offered", say)


def compression(method: int = 1) -> Answer:
    """A ServerHello that switches compression on (A00.FR.321); 1 is DEFLATE (RFC 3749)."""
    return Answer(
        f"a ServerHello with compression method {method}",
        lambda hello: flight(server_hello(suite=chosen_suite(hello), compression=method)),
    )


def without_renegotiation_info() -> Answer:
    """A ServerHello of a server that knows nothing of secure renegotiation (RFC 5746 3.4)."""
    return Answer(
        "a ServerHello without renegotiation_info",
        lambda hello: flight(server_hello(suite=chosen_suite(hello), extensions=())),
    )


def downgrade_sentinel(credential: Credential) -> Answer:
    """TLS 1.2 chosen by a server that says it could do 1.3 (RFC 8446 4.1.3), and all that follows.

    A client of TLS 1.3 that does not look at the random goes on with its key exchange.
    """
    wrong = Faults(random=SOME_RANDOM[:24] + b"DOWNGRD\x01")
    return Answer(
        "TLS 1.2 with the downgrade sentinel", lambda hello: full_flight(hello, credential, wrong)
    )


def retry_loop(count: int = 5) -> Answer:
    """HelloRetryRequests without end, where one is allowed (RFC 8446 4.1.4)."""

    def say(hello: ClientHello) -> bytes:
        code = next((c for c in hello.suites if suite(c).is_tls13), 0x1301)
        group = hello.groups[-1] if hello.groups else 24
        extensions = ((SUPPORTED_VERSIONS, b"\x03\x04"), (KEY_SHARE, group.to_bytes(2, "big")))
        retry = server_hello(
            suite=code, random=RETRY_RANDOM, session_id=hello.session_id, extensions=extensions
        )
        return b"".join(flight(retry) for _ in range(min(count, MAX_FLOOD)))

    return Answer(f"{count} HelloRetryRequests", say)


# --- flights that are not right ---------------------------------------------------------------------------


def proper(credential: Credential) -> Answer:
    """A TLS 1.2 flight without a fault; the control of those that have one."""
    return Answer("a proper flight of TLS 1.2", lambda hello: full_flight(hello, credential))


def small_prime(bits: int, credential: Credential) -> Answer:
    """DHE with a prime of 512 or 1024 bits, properly signed; to an RSA certificate (A00.FR.501)."""
    return Answer(
        f"DHE with a prime of {bits} bits",
        lambda hello: full_flight(hello, credential, Faults(prime_bits=bits)),
    )


def signed_by_another(credential: Credential, key: bytes) -> Answer:
    """ECDHE whose key exchange is signed with `key` (PEM) instead of the certificate's (A00.FR.317)."""
    return Answer(
        "a key exchange signed with another key",
        lambda hello: full_flight(hello, credential, Faults(signer=key)),
    )


def in_small_records(credential: Credential, size: int = 1) -> Answer:
    """A proper flight in records of one byte each, which is allowed (RFC 5246 6.2.1)."""

    def say(hello: ClientHello) -> bytes:
        whole = full_flight(hello, credential)
        return record(HANDSHAKE_RECORD, _joined(whole), size=size)

    return Answer(f"a proper flight in records of {size} byte", say)


def done_before_certificate() -> Answer:
    """ServerHelloDone where the certificate was due: nobody shows who they are."""
    return Answer(
        "ServerHelloDone without a certificate",
        lambda hello: flight(
            server_hello(suite=chosen_suite(hello)), handshake(SERVER_HELLO_DONE, b"")
        ),
    )


def empty_certificate() -> Answer:
    """A Certificate message without a certificate, which only a client may send (RFC 5246 7.4.2)."""
    return Answer(
        "an empty Certificate message",
        lambda hello: flight(
            server_hello(suite=chosen_suite(hello)),
            handshake(CERTIFICATE, bytes(3)),
            handshake(SERVER_HELLO_DONE, b""),
        ),
    )


def early_change_cipher_spec(credential: Credential) -> Answer:
    """ChangeCipherSpec before any key was exchanged (CVE-2014-0224)."""

    def say(hello: ClientHello) -> bytes:
        first = flight(server_hello(suite=chosen_suite(hello)), certificate_message(credential))
        return first + record(CHANGE_CIPHER_SPEC, b"\x01") + record(HANDSHAKE_RECORD, bytes(40))

    return Answer("ChangeCipherSpec before the key exchange", say)


# --- records that are not right ---------------------------------------------------------------------------


def alert_at_once(number: int = 40, level: int = 2) -> Answer:
    """One alert and nothing else."""
    return Answer(f"the alert {alert_name(number)}", lambda hello: alert(level, number))


def warning_flood(count: int = 1000) -> Answer:
    """So many warnings before anything else; level 1, user_canceled."""
    return Answer(
        f"{count} warning alerts", lambda hello: alert(1, 90) * min(count, MAX_FLOOD) + _good(hello)
    )


def zero_length_records(count: int = 1000) -> Answer:
    """So many empty handshake records, which are forbidden (RFC 5246 6.2.1), and then a ServerHello."""
    return Answer(
        f"{count} empty records",
        lambda hello: record(HANDSHAKE_RECORD, b"") * min(count, MAX_FLOOD) + _good(hello),
    )


def oversized_record(size: int = MAX_RECORD + 1) -> Answer:
    """A plain record of more than 2^14 bytes (RFC 5246 6.2.1: record_overflow)."""
    body = handshake(SERVER_HELLO, bytes(size - 4))
    return Answer(
        f"a record of {size} bytes",
        lambda hello: record(HANDSHAKE_RECORD, body, size=size),
    )


def unknown_record(kind: int = 99) -> Answer:
    """A record of a type that does not exist, and then a ServerHello."""
    return Answer(f"a record of type {kind}", lambda hello: record(kind, b"unknown") + _good(hello))


def heartbeat() -> Answer:
    """A heartbeat that asks for more than it brought (CVE-2014-0160); a record of type 24 back is the leak."""
    return Answer(
        "a heartbeat that asks for 16384 bytes",
        lambda hello: _good(hello) + record(HEARTBEAT_RECORD, b"\x01\x40\x00"),
    )


def huge_message() -> Answer:
    """A handshake message that announces 16 MiB and brings 1 KiB."""
    return Answer(
        "a ServerHello of 16777215 bytes",
        lambda hello: record(HANDSHAKE_RECORD, b"\x02\xff\xff\xff" + bytes(1024)),
    )


def truncated_server_hello() -> Answer:
    """The first half of a ServerHello."""

    def say(hello: ClientHello) -> bytes:
        whole = _good(hello)
        return whole[: len(whole) // 2]

    return Answer("half a ServerHello", say)


def garbage(size: int = 512) -> Answer:
    """Bytes that are nothing, always the same."""
    noise = hashlib.shake_256(b"ocppfuzz").digest(size)
    return Answer(f"{size} bytes of garbage", lambda hello: noise)


def http_answer() -> Answer:
    """What an HTTP server says to a ClientHello."""
    said = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return Answer("plain HTTP", lambda hello: said)


def nonsense() -> tuple[Answer, ...]:
    """Everything that is no handshake at all, whatever the client; to be survived."""
    return (
        alert_at_once(),
        warning_flood(),
        zero_length_records(),
        oversized_record(),
        unknown_record(),
        heartbeat(),
        huge_message(),
        truncated_server_hello(),
        garbage(),
        http_answer(),
        retry_loop(),
        done_before_certificate(),
        empty_certificate(),
    )


def _good(hello: ClientHello) -> bytes:
    return flight(server_hello(suite=chosen_suite(hello), extensions=SECURE_RENEGOTIATION))


def _joined(stream: bytes) -> bytes:
    """The handshake bytes of a stream of records, which all are handshake records."""
    return b"".join(r.body for r in records(stream))
