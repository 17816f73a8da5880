"""Answers built by hand: they are said as they are, and what the caller makes of them is written down."""

import asyncio
import ssl

import pytest

from tlslab import rogue
from tlslab.engines import hand
from tlslab.offers import Engine, Offer
from tlslab.pki import LabError
from tlslab.seen import Stage, Way

ILLEGAL_PARAMETER, HANDSHAKE_FAILURE = 47, 40


@pytest.fixture
def says(lab_server, lab_pki):
    """The lab answers every hello with this."""

    def offer(answer):
        lab_server.offer = Offer(lab_pki.ecdsa, engine=Engine.HAND, answer=answer)

    return offer


async def test_the_answer_is_said_as_it_is(says, calls, ended):
    answer = rogue.suite_not_offered()
    says(answer)
    await calls()
    connection = await ended()
    said = b"".join(chunk.data for chunk in connection.tape if chunk.way is Way.LAB)
    assert said == answer(connection.hello)


async def test_the_callers_alert_is_its_refusal(says, calls, ended):
    says(rogue.suite_not_offered())
    await calls()
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert [(a.way, a.number) for a in connection.alerts] == [(Way.PEER, ILLEGAL_PARAMETER)]
    assert connection.notes == []


async def test_an_alert_of_ours_is_written_down_too(says, calls, ended):
    says(rogue.alert_at_once(HANDSHAKE_FAILURE))
    await calls()
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert [(a.way, a.number) for a in connection.alerts] == [(Way.LAB, HANDSHAKE_FAILURE)]


async def test_an_empty_answer_hangs_up(says, calls, ended):
    says(lambda hello: b"")
    assert isinstance(await calls(), OSError)
    connection = await ended()
    assert (connection.stage, connection.notes) == (Stage.CLOSED, [])


async def test_a_caller_that_goes_on_is_noted(says, lab_pki, calls, ended, monkeypatch):
    monkeypatch.setattr(hand, "REACTION_S", 0.2)
    says(rogue.proper(lab_pki.ecdsa))
    await calls(highest=ssl.TLSVersion.TLSv1_2)
    connection = await ended()
    assert connection.notes == [hand.WENT_ON]
    assert connection.stage is Stage.FINISHED


async def test_a_caller_that_waits_for_more_is_noted(says, lab_server, ended, monkeypatch):
    monkeypatch.setattr(hand, "REACTION_S", 0.05)
    says(rogue.version(0x0303))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(
            incoming, outgoing, server_hostname="x"
        ).do_handshake()
    _, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    writer.write(outgoing.read())
    connection = await ended()
    assert connection.notes == [hand.WAITED]
    assert connection.stage is Stage.CLOSED
    writer.close()


async def test_a_caller_that_answers_one_retry_and_refuses_the_next_has_refused(says, calls, ended):
    says(rogue.retry_loop())
    await calls()
    connection = await ended()
    assert connection.stage < Stage.FINISHED
    assert connection.notes == []


def test_an_offer_without_an_answer_is_our_mistake(lab_server, lab_pki):
    with pytest.raises(LabError, match="no answer"):
        lab_server.offer = Offer(lab_pki.ecdsa, engine=Engine.HAND)


async def test_an_answer_that_fails_is_our_mistake_and_costs_one_connection(says, calls, ended):
    says(lambda hello: bytes(hello.cipher_suites))
    await calls()
    assert (await ended()).error.startswith("lab: ValueError")
