"""The lab on tlslite-ng: what OpenSSL speaks no more, any certificate, wrong signatures, chains that nobody loads."""

import asyncio
import socket
import ssl
import warnings
from dataclasses import replace

import pytest

from tlslab.describe import KeyKind
from tlslab.keys import new_key, pem_of
from tlslab.offers import SSL_3_0, TLS_1_2, TLS_1_3, ClientAuth, Engine, Offer
from tlslab.pki import pem
from tlslab.seen import Stage, Way

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "The asyncore module", DeprecationWarning)
    from tlslite.api import HandshakeSettings, TLSConnection

RC4_SHA, TRIPLE_DES, NULL_SHA256, AECDH = 0x0005, 0x000A, 0x003B, 0xC018
REQUEST = b"GET /ocpp/CS1 HTTP/1.1\r\n\r\n"
DECRYPT_ERROR = 51


def _dial(port, settings, anonymous):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        tls = TLSConnection(plain)
        if anonymous:
            tls.handshakeClientAnonymous(settings=settings)
        else:
            tls.handshakeClientCert(settings=settings)
        tls.write(REQUEST)
        answer = tls.read(1000, len(b"HTTP/1.1 101"))
        tls.close()
        return bytes(answer)


@pytest.fixture
def tlslite_calls(lab_server):
    """Dials with tlslite-ng's own client, in a thread."""

    async def call(*, version=(3, 3), cipher="", anonymous=False):
        settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = version
        settings.versions = [version]
        settings.cipherNames = [cipher] if cipher else settings.cipherNames
        settings.macNames = [*settings.macNames, "md5"]
        return await asyncio.to_thread(_dial, lab_server.port, settings, anonymous)

    return call


@pytest.mark.parametrize(
    ("suite", "cipher"), [(RC4_SHA, "rc4"), (TRIPLE_DES, "3des"), (NULL_SHA256, "null")]
)
async def test_a_suite_that_nobody_should_speak_is_spoken(
    lab_server, lab_pki, tlslite_calls, ended, suite, cipher
):
    lab_server.offer = Offer(lab_pki.rsa, engine=Engine.TLSLITE, highest=TLS_1_2, suites=(suite,))
    assert (await tlslite_calls(cipher=cipher)).startswith(b"HTTP/1.1 101")
    connection = await ended()
    assert (connection.stage, connection.suite) == (Stage.WEBSOCKET, suite)
    assert connection.server_chain == (lab_pki.rsa.der,)


async def test_ssl_3_is_spoken(lab_server, lab_pki, tlslite_calls, ended):
    lab_server.offer = Offer(
        lab_pki.rsa,
        engine=Engine.TLSLITE,
        lowest=SSL_3_0,
        highest=SSL_3_0,
        suites=(TRIPLE_DES, 0x002F),
    )
    assert (await tlslite_calls(version=(3, 0))).startswith(b"HTTP/1.1 101")
    connection = await ended()
    assert (connection.stage, connection.version) == (Stage.WEBSOCKET, SSL_3_0)


async def test_an_anonymous_handshake_is_made(lab_server, lab_pki, tlslite_calls, ended):
    lab_server.offer = Offer(lab_pki.rsa, engine=Engine.TLSLITE, highest=TLS_1_2, suites=(AECDH,))
    assert (await tlslite_calls(anonymous=True)).startswith(b"HTTP/1.1 101")
    connection = await ended()
    assert (connection.suite, connection.server_chain) == (AECDH, ())


@pytest.mark.parametrize("highest", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
async def test_a_proper_offer_is_taken_by_openssl(lab_server, lab_pki, calls, ended, highest, kind):
    credential = getattr(lab_pki, kind)
    suites = (0xC02B, 0xC02F)
    lab_server.offer = Offer(credential, engine=Engine.TLSLITE, highest=highest, suites=suites)
    assert (await calls()).startswith(b"HTTP/1.1 101")
    connection = await ended()
    assert (connection.stage, connection.version) == (Stage.WEBSOCKET, highest)


@pytest.mark.parametrize("highest", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
async def test_a_handshake_signed_with_another_key_is_refused_by_openssl(
    lab_server, lab_pki, calls, ended, highest, kind
):
    credential = getattr(lab_pki, kind)
    other = new_key(KeyKind.EC_P256 if kind == "ecdsa" else KeyKind.RSA_2048)
    lab_server.offer = Offer(
        credential, highest=highest, suites=(0xC02B, 0xC02F), sign_with=pem_of(other)
    )
    assert isinstance(await calls(), ssl.SSLError)
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert (connection.alerts[0].way, connection.alerts[0].number) == (Way.PEER, DECRYPT_ERROR)


@pytest.mark.parametrize("highest", [TLS_1_2, TLS_1_3])
async def test_any_client_certificate_is_taken_and_kept(lab_server, lab_pki, calls, ended, highest):
    lab_server.offer = Offer(
        lab_pki.ecdsa,
        engine=Engine.TLSLITE,
        highest=highest,
        client_auth=ClientAuth.ANY,
        client_roots=(lab_pki.rsa.certificate,),
    )
    stranger = lab_pki.server()
    assert (await calls(shown=stranger)).startswith(b"HTTP/1.1 101")
    connection = await ended()
    assert connection.client_chain[0] == stranger.der


@pytest.mark.parametrize("garbage", [b"\x00", b"garbage", b"0\x03\x02\x01\x01"])
async def test_a_chain_that_nobody_can_read_is_shown(lab_server, lab_pki, calls, ended, garbage):
    lab_server.offer = Offer(replace(lab_pki.ecdsa, chain=(pem(garbage),)), highest=TLS_1_2)
    assert isinstance(await calls(), ssl.SSLError)
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert connection.server_chain == (lab_pki.ecdsa.der, garbage)


async def test_a_certificate_that_nobody_can_read_is_shown(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(replace(lab_pki.ecdsa, certificate=pem(b"garbage")), highest=TLS_1_2)
    assert isinstance(await calls(), ssl.SSLError)
    connection = await ended()
    assert (connection.stage, connection.server_chain) == (Stage.ALERT, (b"garbage",))


async def test_a_suite_that_the_caller_does_not_speak_ends_in_our_alert(
    lab_server, lab_pki, calls, ended
):
    lab_server.offer = Offer(lab_pki.rsa, engine=Engine.TLSLITE, highest=TLS_1_2, suites=(RC4_SHA,))
    await calls()
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert [(a.way, a.level) for a in connection.alerts] == [(Way.LAB, 2)]
