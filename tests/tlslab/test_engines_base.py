"""What every engine has in common: whatever a caller says, it is broken in words and never otherwise."""

import contextlib
import ssl
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from tlslab.engines import machine, ready
from tlslab.engines.base import Broken, certificates_of, chain_of
from tlslab.offers import ClientAuth, Engine, Offer
from tlslab.pki import pem
from tlslab.seen import Connection

ENGINES = (Engine.STDLIB, Engine.PYOPENSSL, Engine.TLSLITE)


def _hello():
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


HELLO = _hello()


@st.composite
def hellos(draw):
    """A ClientHello with a few bytes changed, behind the record header."""
    data = bytearray(HELLO)
    for at in draw(st.lists(st.integers(5, len(data) - 1), max_size=3)):
        data[at] = draw(st.integers(0, 255))
    return bytes(data)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=30)
@given(hello=hellos(), flights=st.lists(st.binary(max_size=200), max_size=3))
def test_whatever_a_caller_says_breaks_it_at_most(lab_pki, engine, hello, flights):
    offer = ready(Offer(lab_pki.ecdsa, engine=engine, client_auth=ClientAuth.ANY))
    connection = Connection(1, 0.0, datetime.now(UTC))
    made = machine(offer, connection, lambda: 0.0)
    done = False
    with contextlib.suppress(Broken):
        for data in (hello, *flights, b""):
            made.feed(data)
            done = made.handshake()
    # Nobody can finish a handshake by chance.
    assert not done
    with contextlib.suppress(Broken):
        made.read()
    made.close()
    assert isinstance(made.take(), bytes)


@given(st.binary(max_size=100), st.sampled_from([0x0303, 0x0304]))
def test_a_certificate_message_of_garbage_holds_nothing_or_bytes(message, version):
    assert all(isinstance(der, bytes) for der in certificates_of(message, version))


def test_a_certificate_message_is_read_in_both_forms():
    older = b"\x0b\x00\x00\x0b\x00\x00\x08\x00\x00\x02ab\x00\x00\x00"
    newer = b"\x0b\x00\x00\x0b\x00\x00\x00\x07\x00\x00\x02ab\x00\x00"
    assert certificates_of(older, 0x0303) == (b"ab", b"")
    assert certificates_of(newer, 0x0304) == (b"ab",)


def test_a_chain_is_taken_unread():
    assert chain_of(pem(b"garbage") + pem(b"more")) == (b"garbage", b"more")
