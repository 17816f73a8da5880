from dataclasses import replace

import pytest
from cryptography import x509

from tlslab.authority import Authority
from tlslab.describe import Chain, Description
from tlslab.notes import NotAsked, Unfinished
from tlslab.pki import issue
from tlslab.pretending import Papers
from tlslab.rehearsal import BEGAN
from tlslab.roots import second
from tlslab.rotation import (
    EVENT,
    asked,
    controlled,
    proper,
    reachable,
    refused,
    renew,
    restored,
    shown,
    signer_of,
    subject,
    text_of,
)
from tlslab.seen import Stage


async def test_a_renewal_changes_the_certificate_that_is_shown(bench):
    before = await shown(bench)
    made = await renew(bench)
    assert made.accepted
    assert await shown(bench, await bench.again()) == made.leaf != before


async def test_a_certificate_is_in_the_stations_name_whatever_its_csr_says(bench):
    csr = await asked(bench)
    bench.station = replace(bench.station, serial="SN-2", organization="")
    wanted = proper(bench, csr)
    assert (wanted.common_name, wanted.organization) == ("SN-2", "O")


async def test_what_is_no_csr_leaves_nothing_to_sign(bench):
    with pytest.raises(Unfinished):
        proper(bench, "nothing")


async def test_a_csr_that_is_sent_again_is_not_taken_for_the_one_that_was_asked_for(bench):
    papers = bench.server.papers
    old = await asked(bench)
    ask = papers.ask

    def again_and_anew():
        papers.said += [("SignCertificate", {"csr": old})] * 3
        ask()

    papers.ask = again_and_anew
    assert await asked(bench) != old


async def test_a_csr_is_taken_that_was_taken_before_when_no_other_comes(bench):
    papers = bench.server.papers
    old = await asked(bench)
    papers.ask = lambda: papers.said.append(("SignCertificate", {"csr": old}))
    assert await asked(bench) == old


async def test_a_station_that_sends_one_csr_for_ever_is_not_listened_to_for_ever(bench):
    papers = bench.server.papers
    old = await asked(bench)
    papers.ask = lambda: papers.said.extend([("SignCertificate", {"csr": old})] * 1000)
    assert await asked(bench) == old
    assert bench.session.heard("SignCertificate")


async def test_without_the_stations_ca_nothing_is_asked(bench):
    bench.signer = None
    with pytest.raises(NotAsked):
        signer_of(bench)


async def test_the_control_is_played_once_in_a_session(bench):
    await controlled(bench)
    count = bench.server.count
    await controlled(bench)
    assert bench.server.count == count
    bench.signer = Authority(bench.signer.root, now=bench.now)
    await controlled(bench)
    assert bench.server.count > count


async def test_a_refusal_is_checked_with_its_event_and_with_what_is_shown_then(bench):
    await refused(bench, "another name", lambda d: Chain(replace(d, common_name="X")))
    assert [c.holds for c in bench.seen.checks] == [True, True, True]
    assert any(EVENT in c.what for c in bench.seen.checks)


async def test_what_was_taken_although_it_is_bad_is_replaced_by_a_good_one(bench):
    bench.server.papers.why_not = lambda chain: ""
    await refused(bench, "another name", lambda d: Chain(replace(d, common_name="X")))
    assert [c.holds for c in bench.seen.checks] == [False]
    assert subject(await shown(bench)) == "CN=SN-1,O=O"


async def test_a_station_with_a_certificate_that_nobody_takes_can_be_reached_and_restored(bench):
    stranger = Authority(issue(Description("other", is_ca=True), now=BEGAN), now=bench.now)
    papers = bench.server.papers
    papers.own = Papers(stranger, serial="SN-1", organization="O", now=bench.now).own
    await reachable(bench)
    assert bench.session.connected
    await restored(bench)
    await bench.again()


async def test_below_profile_3_no_certificate_is_looked_for(bench):
    bench.station = replace(bench.station, security_profile=2)
    assert await shown(bench) == b""


def test_whose_certificate_it_is_is_told_even_of_garbage():
    assert subject(b"nothing") == "unreadable"


async def test_certificates_become_one_text_that_can_be_read_back(bench):
    made = bench.signer.sign(await asked(bench))
    assert x509.load_pem_x509_certificates(text_of(made).encode())


async def test_a_connection_is_waited_for_that_the_station_makes_by_itself(bench):
    await bench.settle()
    first = bench.server.count
    assert await bench.comes(first, within=5.0) is None
    await renew(bench)
    found = await bench.comes(first, within=5.0)
    assert found is not None
    assert found.number == first + 1


async def test_attempts_are_counted_that_fail_until_one_is_let_in(bench):
    await bench.settle()
    nobody = bench.offer(client_roots=(second(bench, "other").root.certificate,))
    failed = await bench.attempts_of(nobody, 3, within=60.0)
    assert len(failed) == 3
    assert all(c.stage < Stage.UPGRADE for c in failed)
    assert len(await bench.attempts_of(bench.offer(), 3, within=60.0)) == 1
