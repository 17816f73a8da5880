from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest

from tlslab.build import SOME_RANDOM, client_hello
from tlslab.describe import Description, KeyKind
from tlslab.exchange import PRIMES, Faults, full_flight, offered_suite
from tlslab.flight import KeyExchange
from tlslab.pki import Credential, issue
from tlslab.seen import Chunk, Way
from tlslab.tape import facts
from tlslab.wire import parse_client_hello

NOW = datetime.now(UTC)
ROOT = issue(Description("root", is_ca=True), now=NOW)
ECDSA = issue(Description("csms.test", key=KeyKind.EC_P256), now=NOW, issuer=ROOT)
RSA = issue(Description("csms.test", key=KeyKind.RSA_2048), now=NOW, issuer=ROOT)
HELLO = client_hello(suites=(0x009C, 0xC02F, 0xC02C, 0x009E))


def _client_says(credential: Credential, faults: Faults, ciphers: str = "DEFAULT") -> str:
    """What OpenSSL thinks of the flight, which does not mind small groups here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.load_verify_locations(cadata=ROOT.certificate.decode())
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="csms.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(full_flight(parse_client_hello(outgoing.read()), credential, faults))
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return "goes on"
    except ssl.SSLError as exc:
        return str(exc.reason)
    raise AssertionError("a handshake ends with Finished of both")


@pytest.mark.parametrize("credential", [ECDSA, RSA], ids=["ecdsa", "rsa"])
def test_openssl_takes_a_flight_without_a_fault(credential: Credential) -> None:
    assert _client_says(credential, Faults()) == "goes on"


def test_openssl_takes_a_small_group_at_the_lowest_level() -> None:
    assert _client_says(RSA, Faults(prime_bits=1024), "kDHE") == "goes on"


def test_openssl_refuses_a_signature_of_another_key() -> None:
    other = issue(Description("other", key=KeyKind.EC_P256), now=NOW)
    assert _client_says(ECDSA, Faults(signer=other.key)) == "BAD_SIGNATURE"
    assert _client_says(ECDSA, Faults(signer=RSA.key)) == "WRONG_SIGNATURE_TYPE"


@pytest.mark.parametrize(
    ("credential", "exchange", "code"),
    [(ECDSA, "ECDHE", 0xC02C), (RSA, "ECDHE", 0xC02F), (RSA, "DHE", 0x009E), (ECDSA, "DHE", 0)],
)
def test_the_suite_fits_certificate_and_offer(
    credential: Credential, exchange: str, code: int
) -> None:
    assert offered_suite(parse_client_hello(HELLO), credential, exchange=exchange) == code


def test_a_flight_holds_the_chain_and_the_group_asked_for() -> None:
    said = full_flight(parse_client_hello(HELLO), RSA, Faults(prime_bits=512))
    told = facts([Chunk(0.0, Way.PEER, HELLO), Chunk(0.1, Way.LAB, said)])
    assert told.suite == 0x009E
    assert told.server_chain == (ssl.PEM_cert_to_DER_cert(RSA.certificate.decode()),)
    assert told.exchange == KeyExchange(prime_bits=512)
    assert told.server_hello is not None
    assert told.server_hello.random == SOME_RANDOM


@pytest.mark.parametrize("bits", PRIMES)
def test_the_groups_are_sound_but_for_their_size(bits: int) -> None:
    prime = PRIMES[bits]
    assert prime.bit_length() == bits
    assert pow(2, prime - 1, prime) == pow(2, (prime - 3) // 2, (prime - 1) // 2) == 1
