from dataclasses import replace

import pytest
from cryptography import x509

from tlslab.authority import Authority
from tlslab.bench import Station, StationBench
from tlslab.describe import DAY, Chain, Description, KeyKind
from tlslab.networks import prefer, put, reset, slots
from tlslab.notes import NotAsked, Unfinished
from tlslab.offers import ECDSA_SUITES
from tlslab.pki import issue
from tlslab.pretending import Papers
from tlslab.registry import Need
from tlslab.rehearsal import BEGAN, PretendStation
from tlslab.roots import (
    additional_check,
    delete,
    find,
    hash_data,
    install,
    installed,
    listed,
    second,
    serial_of,
)
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


@pytest.fixture
def bench():
    pretend = PretendStation(lambda *_: "")
    root = issue(Description("lab root", is_ca=True, begins=-DAY, validity=3650 * DAY), now=BEGAN)
    authority = Authority(root, now=pretend.wall)
    pretend.papers = Papers(authority, serial="SN-1", organization="O", now=pretend.wall)
    pretend.rule = pretend.papers.meets
    station = Station(
        "csms.test", "SN-1", "O", 3, suites=ECDSA_SUITES, own_roots=(root.certificate,)
    )
    found = StationBench(
        station,
        pretend,
        pretend,
        authority,
        pretend.wall,
        pretend.monotonic,
        signer=authority,
        available=frozenset(Need),
    )
    found.reconnect_s = 1.0
    return found


# --- renewing ---------------------------------------------------------------------------------------------


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


# --- roots ------------------------------------------------------------------------------------------------


async def test_an_installed_root_is_listed_found_and_gone_afterwards(bench):
    await bench.settle()
    async with installed(bench) as trust:
        data = find(await listed(bench), trust.root.certificate)
        assert data is not None
        assert serial_of(data) == f"{trust.root.x509.serial_number:x}"
    assert find(await listed(bench), trust.root.certificate) is None
    assert len(await listed(bench)) == 1


async def test_a_root_is_gone_even_when_the_case_breaks_off(bench):
    await bench.settle()
    with pytest.raises(Unfinished):
        async with installed(bench):
            raise Unfinished("enough")
    assert len(await listed(bench)) == 1


async def test_a_second_root_is_signed_by_the_first_only_where_that_is_wanted(bench):
    alone = second(bench, "alone").root.x509
    under = second(bench, "under", signed=True).root.x509
    assert alone.issuer == alone.subject
    assert under.issuer == bench.authority.root.x509.subject
    bench.authority = None
    with pytest.raises(NotAsked):
        second(bench, "under", signed=True)


async def test_where_one_root_replaces_another_no_second_one_is_installed(bench):
    bench.server.papers.checks_roots = True
    assert await additional_check(bench)
    with pytest.raises(NotAsked):
        async with installed(bench):
            pass


@pytest.mark.parametrize(("algorithm", "length"), [("SHA256", 64), ("SHA384", 96), ("SHA512", 128)])
def test_hash_data_is_the_same_for_pem_and_der(algorithm, length):
    root = issue(Description("r", is_ca=True, key=KeyKind.EC_P256), now=BEGAN)
    data = hash_data(root.certificate, root.certificate, algorithm)
    assert data == hash_data(root.der, root.der, algorithm)
    assert len(data["issuerKeyHash"]) == length


def test_a_serial_number_is_compared_without_case_and_leading_zeros():
    assert serial_of({"serialNumber": "00AB"}) == "ab"
    assert serial_of({"serialNumber": "0"}) == "0"


async def test_garbage_is_rejected_and_what_is_not_there_is_not_found(bench):
    await bench.settle()
    assert await install(bench, "nothing") == "Rejected"
    absent = second(bench, "absent").root.certificate
    assert await delete(bench, hash_data(absent, absent)) == "NotFound"


# --- network profiles -------------------------------------------------------------------------------------


async def test_a_free_slot_is_one_that_is_not_in_the_priority(bench):
    await bench.settle()
    known = await slots(bench)
    assert (known.before, known.free) == ("0", 1)
    assert await prefer(bench, known.free, known.before) == "Accepted"
    assert bench.server.papers.priority == "1,0"


async def test_a_lower_profile_is_rejected_and_a_reset_begins_anew(bench):
    await bench.settle()
    assert await put(bench, 1, "ws://csms.test/", 1) == "Rejected"
    booted = bench.session.booted
    await reset(bench)
    assert bench.session.booted == booted + 1
    assert not bench.session.connected
