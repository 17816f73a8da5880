"""The lab on Python's ssl: versions, suites, weak certificates, client certificates, alerts in both directions."""

import ssl
from dataclasses import replace

import pytest

from tlslab.describe import Chain, Description, Digest, KeyKind, Order, Root
from tlslab.engines import engine_of, ready
from tlslab.offers import (
    ECDSA_SUITES,
    RSA_SUITES,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    ClientAuth,
    Engine,
    Offer,
)
from tlslab.seen import Stage, Way

VERSIONS = {
    TLS_1_0: ssl.TLSVersion.TLSv1,
    TLS_1_1: ssl.TLSVersion.TLSv1_1,
    TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TLS_1_3: ssl.TLSVersion.TLSv1_3,
}
ANY_SUITE = "ALL:@SECLEVEL=0"
PROTOCOL_VERSION = 70
HANDSHAKE_FAILURE = 40


@pytest.mark.parametrize("version", VERSIONS)
async def test_each_version_is_spoken(lab_server, lab_pki, calls, ended, version):
    suites = (*ECDSA_SUITES, 0xC009, 0xC00A)
    lab_server.offer = Offer(lab_pki.ecdsa, lowest=version, highest=version, suites=suites)
    wanted = VERSIONS[version]
    await calls(suites=ANY_SUITE, lowest=wanted, highest=wanted)
    connection = await ended()
    assert (connection.stage, connection.version) == (Stage.WEBSOCKET, version)


@pytest.mark.parametrize("suite", [*ECDSA_SUITES, 0xC0AC, 0xCCA9])
async def test_each_ecdsa_suite_is_spoken(lab_server, lab_pki, calls, ended, suite):
    lab_server.offer = Offer(lab_pki.ecdsa, highest=TLS_1_2, suites=(suite,))
    await calls(suites=ANY_SUITE)
    assert (await ended()).suite == suite


@pytest.mark.parametrize("suite", [*RSA_SUITES, 0x002F, 0xC02F, 0x003B])
async def test_each_rsa_suite_is_spoken(lab_server, lab_pki, calls, ended, suite):
    lab_server.offer = Offer(lab_pki.rsa, highest=TLS_1_2, suites=(suite,))
    await calls(suites="ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    assert (await ended()).suite == suite


async def test_a_second_certificate_serves_the_other_suites(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(lab_pki.ecdsa, second=lab_pki.rsa, highest=TLS_1_2)
    await calls(suites="AES128-GCM-SHA256")
    assert (await ended(1)).server_chain == (lab_pki.rsa.der,)
    await calls()
    assert (await ended(2)).server_chain == (lab_pki.ecdsa.der,)


async def test_a_version_that_the_caller_does_not_speak_ends_in_our_alert(
    lab_server, lab_pki, calls, ended
):
    lab_server.offer = Offer(lab_pki.ecdsa, lowest=TLS_1_0, highest=TLS_1_1, suites=(0xC009,))
    await calls(lowest=ssl.TLSVersion.TLSv1_2)
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert (connection.alerts[0].way, connection.alerts[0].number) == (Way.LAB, PROTOCOL_VERSION)


async def test_a_suite_that_the_caller_does_not_speak_ends_in_our_alert(
    lab_server, lab_pki, calls, ended
):
    lab_server.offer = Offer(lab_pki.rsa, highest=TLS_1_2, suites=RSA_SUITES)
    await calls(suites="ECDHE-ECDSA-AES128-GCM-SHA256")
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert [(a.way, a.number) for a in connection.alerts] == [(Way.LAB, HANDSHAKE_FAILURE)]
    assert connection.error == "NO_SHARED_CIPHER"


# --- certificates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KeyKind.RSA_1024, KeyKind.EC_P192, KeyKind.EC_P224])
async def test_a_weak_key_is_shown(lab_server, lab_pki, calls, ended, key):
    weak = lab_pki.server(key=key)
    lab_server.offer = Offer(weak, highest=TLS_1_2)
    assert ready(lab_server.offer).engine is Engine.STDLIB
    await calls(suites=ANY_SUITE)
    assert (await ended()).hello is not None


@pytest.mark.parametrize("digest", [Digest.SHA1, Digest.MD5])
async def test_a_weak_hash_is_shown(lab_server, lab_pki, calls, ended, digest):
    leaf = Description("localhost", key=KeyKind.RSA_2048, digest=digest)
    weak = lab_pki.authority.issue(Chain(leaf, root=Root.NONE))
    lab_server.offer = Offer(weak, highest=TLS_1_2)
    await calls(suites="AES128-GCM-SHA256")
    connection = await ended()
    assert (connection.stage, connection.server_chain) == (Stage.ALERT, (weak.der,))


@pytest.mark.parametrize("order", [Order.REVERSED, Order.WITH_STRANGERS, Order.DOUBLED])
async def test_an_odd_order_is_shown_as_it_is(lab_server, lab_pki, calls, ended, order):
    between = Description("lab intermediate", is_ca=True)
    leaf = Description("localhost", names=("localhost",))
    odd = lab_pki.authority.issue(Chain(leaf, (between,), order=order))
    lab_server.offer = Offer(odd)
    await calls()
    assert len((await ended()).server_chain) == len(odd.chain) + 1


async def test_a_chain_of_garbage_is_another_engines_business(lab_pki):
    broken = b"-----BEGIN CERTIFICATE-----\nAAECAwQ=\n-----END CERTIFICATE-----\n"
    offer = Offer(replace(lab_pki.ecdsa, chain=(broken,)))
    assert engine_of(offer) is Engine.STDLIB
    assert ready(offer).engine is Engine.TLSLITE


# --- client certificates ----------------------------------------------------------------------------------


@pytest.mark.parametrize("highest", [TLS_1_2, TLS_1_3])
async def test_a_client_certificate_under_the_roots_is_let_in(
    lab_server, lab_pki, calls, ended, highest
):
    lab_server.offer = Offer(
        lab_pki.ecdsa,
        highest=highest,
        client_auth=ClientAuth.VERIFY,
        client_roots=(lab_pki.root.certificate,),
    )
    await calls(shown=lab_pki.station)
    connection = await ended()
    assert connection.stage is Stage.WEBSOCKET
    assert connection.client_chain[0] == lab_pki.station.der


@pytest.mark.parametrize("highest", [TLS_1_2, TLS_1_3])
async def test_a_strangers_client_certificate_is_refused_and_kept(
    lab_server, lab_pki, calls, ended, highest
):
    lab_server.offer = Offer(
        lab_pki.ecdsa,
        highest=highest,
        client_auth=ClientAuth.VERIFY,
        client_roots=(lab_pki.rsa.certificate,),
    )
    await calls(shown=lab_pki.station)
    connection = await ended()
    assert connection.stage < Stage.UPGRADE
    assert connection.client_chain[0] == lab_pki.station.der
    assert connection.error.startswith("CERTIFICATE_VERIFY_FAILED")


async def test_a_session_is_never_resumed(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(lab_pki.ecdsa, highest=TLS_1_2)
    for number in (1, 2):
        await calls()
        assert (await ended(number)).server_chain == (lab_pki.ecdsa.der,)


# --- garbage ----------------------------------------------------------------------------------------------


def test_no_suite_that_ssl_knows_is_another_engines_business(lab_pki):
    offer = Offer(lab_pki.rsa, highest=TLS_1_2, suites=(0x0005,))
    assert ready(offer).engine is Engine.TLSLITE
