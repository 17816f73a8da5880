from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, strategies as st

from tlslab.build import alert, flight, handshake, server_hello
from tlslab.describe import Description, KeyKind
from tlslab.exchange import certificate_message
from tlslab.pki import issue
from tlslab.probe import Connect, Reply
from tlslab.records import messages, records
from tlslab.robot import RSA_SUITES, Padding, forms, padding

NOW = datetime.now(UTC)
SERVER = issue(Description("localhost", key=KeyKind.RSA_2048), now=NOW)
ELLIPTIC = issue(Description("localhost", key=KeyKind.EC_P256), now=NOW)
KEY = load_pem_private_key(SERVER.key, None)
assert isinstance(KEY, rsa.RSAPrivateKey)
NUMBERS = KEY.private_numbers()

Respond = Callable[[bytes], bytes]


@pytest.fixture
async def serving():
    """Makes a server of a function that is asked anew for every connection; gives how to connect."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(conversation: Callable[[], Respond]) -> Connect:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                respond = conversation()
                with contextlib.suppress(ConnectionError):
                    while data := await reader.read(65536):
                        if not (said := respond(data)):
                            break
                        writer.write(said)
                writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            stack.push_async_callback(server.wait_closed)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            return lambda: asyncio.open_connection("127.0.0.1", port)

        yield start


@pytest.fixture
def openssl(tmp_path) -> Callable[[str], Callable[[], Respond]]:
    def make(ciphers: str) -> Callable[[], Respond]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(ciphers)
        for name, credential in (("rsa", SERVER), ("ec", ELLIPTIC)):
            file = tmp_path / f"{name}.pem"
            file.write_bytes(credential.presented + credential.key)
            context.load_cert_chain(file)
        return lambda: _openssl(context)

    return make


def _openssl(context: ssl.SSLContext) -> Respond:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)

    def respond(data: bytes) -> bytes:
        incoming.write(data)
        with contextlib.suppress(ssl.SSLError):
            server.do_handshake()
        return outgoing.read()

    return respond


def _decrypting(react: Callable[[bytes], bytes]) -> Callable[[], Respond]:
    """A server that answers the decrypted, still padded secret as the function says."""

    def respond(data: bytes) -> bytes:
        first = next(messages(records(data)))
        if first.type == 1:
            done = handshake(14, b"")
            return flight(server_hello(suite=0x009C), certificate_message(SERVER), done)
        hidden = int.from_bytes(first.body[2:])
        return react(pow(hidden, NUMBERS.d, NUMBERS.public_numbers.n).to_bytes(256))

    return lambda: respond


async def test_openssl_answers_every_form_alike(serving, openssl) -> None:
    found = await padding(await serving(openssl("AES128-GCM-SHA256")))
    assert set(found.answers) == set(forms(256))
    assert found.asked
    assert found.alike
    assert found.answers["right"].words == "refused by an alert (bad_record_mac)"


async def test_a_server_without_rsa_key_exchange_is_not_asked(serving, openssl) -> None:
    found = await padding(await serving(openssl("ECDHE-ECDSA-AES128-GCM-SHA256")))
    assert found == Padding({})
    assert not found.asked


@pytest.mark.parametrize("form", [f for f in forms(256) if f != "right"])
async def test_a_server_that_tells_one_form_from_the_others_is_caught(serving, form) -> None:
    def react(padded: bytes) -> bytes:
        return alert(2, 51) if padded == forms(256)[form] else alert(2, 20)

    found = await padding(await serving(_decrypting(react)))
    assert not found.alike
    assert [name for name, a in found.answers.items() if a.alert == 51] == [form]


async def test_a_server_that_closes_on_bad_padding_is_caught(serving) -> None:
    found = await padding(
        await serving(_decrypting(lambda p: alert(2, 20) if p[:2] == b"\0\2" else b""))
    )
    assert not found.alike
    assert found.answers["wrong first bytes"].reply is Reply.CLOSED


async def test_what_happens_once_is_chance(serving) -> None:
    answers = iter([alert(2, 20), alert(2, 80)])
    found = await padding(await serving(_decrypting(lambda p: next(answers, alert(2, 20)))))
    assert found.asked
    assert found.alike


async def test_who_cannot_be_reached_is_not_judged() -> None:
    async def refuse() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise ConnectionRefusedError

    found = await padding(refuse)
    assert not found.asked


@given(size=st.sampled_from([128, 256, 384, 512]))
def test_every_form_fills_the_modulus_and_is_below_it(size: int) -> None:
    every = forms(size)
    assert {len(padded) for padded in every.values()} == {size}
    assert all(padded[0] < 0x80 for padded in every.values())
    assert len(set(every.values())) == len(every)


def test_the_suites_of_ocpp_are_asked_for_first() -> None:
    assert RSA_SUITES[:2] == (0x009C, 0x009D)
    assert len(set(RSA_SUITES)) == len(RSA_SUITES)
