from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from tlslab.build import client_hello
from tlslab.codes import VERSIONS
from tlslab.describe import Description, KeyKind
from tlslab.flight import ServerHello, read_server_hello
from tlslab.pki import issue
from tlslab.records import messages, plain_alert, records
from tlslab.rogue import (
    Answer,
    alert_at_once,
    chosen,
    compression,
    done_before_certificate,
    downgrade_sentinel,
    early_change_cipher_spec,
    empty_certificate,
    in_small_records,
    nonsense,
    proper,
    retry_loop,
    signed_by_another,
    small_prime,
    suite_not_offered,
    version,
    warning_flood,
    without_renegotiation_info,
    zero_length_records,
)
from tlslab.suites import OLDER_SUITES
from tlslab.wire import parse_client_hello

NOW = datetime.now(UTC)
ROOT = issue(Description("root", is_ca=True), now=NOW)
ECDSA = issue(Description("csms.test", key=KeyKind.EC_P256), now=NOW, issuer=ROOT)
RSA = issue(Description("csms.test", key=KeyKind.RSA_2048), now=NOW, issuer=ROOT)

EVERY = (
    *nonsense(),
    version(0x0300),
    chosen(0x0005),
    suite_not_offered(),
    compression(),
    without_renegotiation_info(),
    downgrade_sentinel(ECDSA),
    proper(ECDSA),
    proper(RSA),
    small_prime(512, RSA),
    signed_by_another(ECDSA, RSA.key),
    in_small_records(ECDSA),
    early_change_cipher_spec(ECDSA),
)
HELLO = parse_client_hello(client_hello(suites=(0xC02C, 0x009D)))


def _hello_of(answer: Answer) -> ServerHello:
    first = next(messages(records(answer(HELLO))))
    return read_server_hello(first.body)


def test_every_answer_has_a_name_of_its_own() -> None:
    names = [answer.__name__ for answer in EVERY]
    assert len(set(names)) == len(names) - 1  # `proper` is there twice.


@given(
    answer=st.sampled_from(EVERY),
    suites=st.lists(st.sampled_from(OLDER_SUITES), max_size=5).map(tuple),
    groups=st.lists(st.integers(0, 0xFFFF), max_size=3).map(tuple),
    bare=st.booleans(),
)
def test_every_answer_can_be_given_to_every_client(
    answer: Answer, suites: tuple[int, ...], groups: tuple[int, ...], bare: bool
) -> None:
    hello = parse_client_hello(client_hello(suites=suites, groups=groups, bare=bare))
    said = answer(hello)
    assert 0 < len(said) < 2**20
    assert answer(hello) == said or answer.name.startswith(("TLS 1.2", "a proper", "a key"))


@pytest.mark.parametrize("code", VERSIONS)
def test_a_version_is_chosen_with_a_suite_that_was_offered(code: int) -> None:
    told = _hello_of(version(code))
    assert (told.version, told.cipher_suite) == (code, 0xC02C)


def test_only_the_one_fault_is_in_a_server_hello() -> None:
    good = _hello_of(proper(ECDSA))
    assert (good.cipher_suite, good.compression_method, good.downgraded_to) == (0xC02C, 0, 0)
    assert good.has_renegotiation_info
    assert _hello_of(compression(1)).compression_method == 1
    assert _hello_of(chosen(0x0005)).cipher_suite == 0x0005
    assert not _hello_of(without_renegotiation_info()).has_renegotiation_info
    assert _hello_of(downgrade_sentinel(ECDSA)).downgraded_to == 0x0303
    assert _hello_of(retry_loop()).is_retry


@given(offered=st.sets(st.sampled_from(OLDER_SUITES)).map(tuple))
def test_a_suite_that_was_not_offered_was_not_offered(offered: tuple[int, ...]) -> None:
    hello = parse_client_hello(client_hello(suites=offered))
    (message,) = messages(records(suite_not_offered()(hello)))
    assert read_server_hello(message.body).cipher_suite not in offered


def test_whoever_offers_every_suite_still_gets_one_that_he_did_not() -> None:
    hello = parse_client_hello(client_hello(suites=OLDER_SUITES))
    (message,) = messages(records(suite_not_offered()(hello)))
    assert read_server_hello(message.body).cipher_suite == 0xABCD


def test_floods_are_bounded() -> None:
    assert len(warning_flood(10**9)(HELLO)) < 2**17
    assert len(zero_length_records(10**9)(HELLO)) < 2**17


def test_an_alert_comes_alone() -> None:
    (only,) = records(alert_at_once(80)(HELLO))
    assert plain_alert(only) == (2, 80)


def test_a_flight_in_small_records_is_the_same_flight() -> None:
    kinds = [m.type for m in messages(records(in_small_records(ECDSA)(HELLO)))]
    assert kinds == [m.type for m in messages(records(proper(ECDSA)(HELLO)))] == [2, 11, 12, 14]
    assert {len(r.body) for r in records(in_small_records(ECDSA)(HELLO))} == {1}


def _openssl_says(answer: Answer) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ROOT.certificate.decode())
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="csms.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(answer(parse_client_hello(outgoing.read())))
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return "waits or goes on"
    except ssl.SSLError:
        return "refuses"
    raise AssertionError("a handshake ends with Finished of both")


REFUSED = [
    *(a for a in nonsense() if not a.name.startswith(("half", "a ServerHello of 167"))),
    *(version(code) for code in (0x0300, 0x0301, 0x0302)),
    chosen(0x0005),
    compression(),
    without_renegotiation_info(),
    small_prime(1024, RSA),
    early_change_cipher_spec(ECDSA),
    done_before_certificate(),
    empty_certificate(),
]


@pytest.mark.parametrize("answer", REFUSED, ids=lambda a: a.name)
def test_openssl_refuses_what_is_wrong(answer: Answer) -> None:
    assert _openssl_says(answer) == "refuses"


# OpenSSL offers 1.3 here, so the plain flight of 1.2 differs from this one in the sentinel only.
def test_openssl_heeds_the_downgrade_sentinel() -> None:
    assert _openssl_says(proper(ECDSA)) == "waits or goes on"
    assert _openssl_says(in_small_records(ECDSA)) == "waits or goes on"
    assert _openssl_says(downgrade_sentinel(ECDSA)) == "refuses"
