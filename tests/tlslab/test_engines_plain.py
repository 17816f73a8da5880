"""The lab without TLS: a caller that speaks TLS is told HTTP, one that speaks HTTP is served."""

import asyncio
import ssl

from tlslab.offers import Engine, Offer
from tlslab.seen import Stage, Way


async def test_a_hello_is_answered_in_plain_text(lab_server, lab_pki, calls, ended):
    moved = b"HTTP/1.1 301 Moved Permanently\r\nLocation: ws://localhost/\r\n\r\n"
    lab_server.offer = Offer(lab_pki.ecdsa, engine=Engine.PLAIN, http=moved)
    assert isinstance(await calls(), ssl.SSLError)
    connection = await ended()
    assert b"".join(c.data for c in connection.tape if c.way is Way.LAB) == moved
    assert Stage.NOTHING < connection.stage < Stage.UPGRADE


async def test_without_words_of_its_own_it_is_a_bad_request(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(lab_pki.ecdsa, engine=Engine.PLAIN)
    await calls()
    said = b"".join(c.data for c in (await ended()).tape if c.way is Way.LAB)
    assert said.startswith(b"HTTP/1.1 400 ")


async def test_a_caller_without_tls_is_served(lab_server, lab_pki, ended):
    lab_server.offer = Offer(lab_pki.ecdsa, engine=Engine.PLAIN)
    reader, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    writer.write(b"GET /ocpp/CS1 HTTP/1.1\r\n\r\n")
    assert (await reader.read(100)).startswith(b"HTTP/1.1 101")
    writer.write(b"\x81\x84aaaahey!")
    writer.close()
    connection = await ended()
    assert (connection.stage, connection.hello) == (Stage.OCPP, None)
