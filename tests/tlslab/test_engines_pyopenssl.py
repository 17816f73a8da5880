"""The lab on pyOpenSSL: any client certificate, CA names as told, renegotiation, stapling."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime

import pytest
from OpenSSL import SSL

from tlslab import tape
from tlslab.engines import engine_of, pyopenssl
from tlslab.offers import TLS_1_2, TLS_1_3, ClientAuth, Engine, Offer
from tlslab.revocation import ocsp
from tlslab.seen import Stage, Way

UNKNOWN_CA = 48


@pytest.fixture
def any_client(lab_pki):
    return Offer(lab_pki.ecdsa, client_auth=ClientAuth.ANY)


def test_what_ssl_cannot_do_is_done_by_pyopenssl(lab_pki, any_client):
    root = (lab_pki.root.certificate,)
    asked = Offer(lab_pki.ecdsa, client_auth=ClientAuth.VERIFY, told_roots=root)
    again = Offer(lab_pki.ecdsa, renegotiate=True)
    stapled = Offer(lab_pki.ecdsa, staple=b"response")
    engines = {engine_of(offer) for offer in (any_client, asked, again, stapled)}
    assert engines == {Engine.PYOPENSSL}


@pytest.mark.parametrize("highest", [TLS_1_2, TLS_1_3])
async def test_any_client_certificate_is_taken_and_kept(lab_server, lab_pki, calls, ended, highest):
    lab_server.offer = Offer(lab_pki.ecdsa, client_auth=ClientAuth.ANY, highest=highest)
    stranger = lab_pki.server()
    await calls(shown=stranger)
    connection = await ended()
    assert (connection.stage, connection.version) == (Stage.WEBSOCKET, highest)
    assert connection.client_chain[0] == stranger.der
    assert connection.server_chain == (lab_pki.ecdsa.der,)


async def test_no_client_certificate_is_taken_too(lab_server, any_client, calls, ended):
    lab_server.offer = any_client
    await calls()
    connection = await ended()
    assert (connection.stage, connection.client_chain) == (Stage.WEBSOCKET, ())


@pytest.mark.parametrize(("told", "names"), [(None, 1), ((), 0)], ids=["as trusted", "none"])
async def test_the_names_of_cas_are_told_as_the_offer_says(
    lab_server, lab_pki, calls, ended, told, names
):
    lab_server.offer = Offer(
        lab_pki.ecdsa,
        engine=Engine.PYOPENSSL,
        highest=TLS_1_2,
        client_auth=ClientAuth.VERIFY,
        client_roots=(lab_pki.root.certificate,),
        told_roots=told,
    )
    await calls(shown=lab_pki.station)
    connection = await ended()
    assert connection.stage is Stage.WEBSOCKET
    assert len(tape.facts(connection.tape).requested_names) == names


async def test_a_strangers_certificate_is_refused_where_roots_count(
    lab_server, lab_pki, calls, ended
):
    lab_server.offer = Offer(
        lab_pki.ecdsa,
        highest=TLS_1_2,
        client_auth=ClientAuth.VERIFY,
        client_roots=(lab_pki.rsa.certificate,),
        told_roots=(lab_pki.root.certificate,),
    )
    await calls(shown=lab_pki.station)
    connection = await ended()
    assert connection.stage < Stage.UPGRADE
    assert (Way.LAB, UNKNOWN_CA) in [(a.way, a.number) for a in connection.alerts]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_callers_alert_is_heard(lab_server, lab_pki, any_client, calls, ended, version):
    lab_server.offer = any_client
    await calls(trusted=lab_pki.rsa.certificate.decode(), lowest=version, highest=version)
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert [(a.way, a.number) for a in connection.alerts] == [(Way.PEER, UNKNOWN_CA)]
    assert connection.server_chain == ((lab_pki.ecdsa.der,) if version.value == TLS_1_2 else ())


async def test_a_second_certificate_serves_the_other_suites(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(
        lab_pki.ecdsa, second=lab_pki.rsa, engine=Engine.PYOPENSSL, highest=TLS_1_2
    )
    await calls(suites="AES128-GCM-SHA256")
    assert (await ended(1)).server_chain == (lab_pki.rsa.der,)
    await calls()
    assert (await ended(2)).server_chain == (lab_pki.ecdsa.der,)


# --- renegotiation ----------------------------------------------------------------------------------------


async def test_a_caller_that_renegotiates_is_let_in_afterwards(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(lab_pki.ecdsa, renegotiate=True)
    assert (await calls()).startswith(b"HTTP/1.1 101")
    connection = await ended()
    assert connection.stage is Stage.WEBSOCKET
    assert connection.notes == ["renegotiation: a second handshake was done"]


async def test_a_caller_that_renegotiates_with_another_certificate_sees_it(
    lab_server, lab_pki, calls, ended
):
    stranger = lab_pki.server()
    lab_server.offer = Offer(lab_pki.ecdsa, renegotiate=True, renegotiate_as=stranger)
    await calls()
    connection = await ended()
    assert connection.notes[:1] == ["renegotiation: a second handshake was done"]
    assert connection.server_chain == (lab_pki.ecdsa.der,)


async def test_a_caller_that_refuses_to_renegotiate_ends_before_http_counts(
    lab_server, lab_pki, ended
):
    lab_server.offer = Offer(lab_pki.ecdsa, renegotiate=True)
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_options(SSL.OP_NO_RENEGOTIATION)
    reader, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    tls = SSL.Connection(context, None)
    tls.set_connect_state()
    await _until_ended(tls, reader, writer)
    connection = await ended()
    assert connection.stage is Stage.FINISHED
    assert connection.notes == ["renegotiation: refused with no_renegotiation"]


async def _until_ended(tls, reader, writer):
    done = False
    while True:
        try:
            done = done or tls.do_handshake() is None
            tls.recv(1)
        except SSL.WantReadError:
            pass
        except SSL.Error:
            break
        with contextlib.suppress(SSL.WantReadError):
            writer.write(tls.bio_read(65536))
        if not (data := await reader.read(65536)):
            break
        tls.bio_write(data)
    writer.close()


async def test_a_caller_that_ignores_the_request_is_let_in(lab_server, lab_pki, monkeypatch):
    monkeypatch.setattr(pyopenssl, "RENEGOTIATION_S", 0.05)
    lab_server.offer = Offer(lab_pki.ecdsa, renegotiate=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    tls.set_connect_state()
    while not await _shaken(tls, reader, writer):
        pass
    tls.send(b"GET /ocpp/CS1 HTTP/1.1\r\n\r\n")
    writer.write(tls.bio_read(65536))
    opened = await lab_server.until(lambda: lab_server.newest.stage is Stage.WEBSOCKET, within=10)
    assert opened
    assert lab_server.newest.notes == ["renegotiation: ignored"]
    writer.close()


async def _shaken(tls, reader, writer):
    try:
        tls.do_handshake()
        done = True
    except SSL.WantReadError:
        done = False
    with contextlib.suppress(SSL.WantReadError):
        writer.write(tls.bio_read(65536))
    if not done:
        tls.bio_write(await reader.read(65536))
    return done


# --- stapling ---------------------------------------------------------------------------------------------


async def test_the_response_is_stapled(lab_server, lab_pki, ended):
    shown = lab_pki.ecdsa.certificate
    response = ocsp(lab_pki.root, shown, now=datetime.now(UTC), revoked=True)
    lab_server.offer = Offer(lab_pki.ecdsa, staple=response)
    stapled = []
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_ocsp_client_callback(lambda _c, data, _d: stapled.append(data) or False)
    reader, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    tls = SSL.Connection(context, None)
    tls.request_ocsp()
    tls.set_connect_state()
    await _until_ended(tls, reader, writer)
    await ended()
    assert stapled == [response]
