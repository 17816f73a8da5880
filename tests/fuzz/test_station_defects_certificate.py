"""The defects of renewal and of roots, on a station on the bench; those that a message shows are in `test_station_defects`."""

import pytest
from cryptography import x509

from fuzz.station.bench import Bench
from fuzz.station.defects import defects
from fuzz.station.events import Connected, Failure, PowerCycle, PowerOn, Tick
from fuzz.station.x509 import hash_data

CSMS = "CSMSRootCertificate"
TRIGGER = {"requestedMessage": "SignChargingStationCertificate"}


@pytest.fixture(scope="module")
def root(mint):
    return mint("root", ca=True)


@pytest.fixture(scope="module")
def own(mint, root):
    return mint(issuer=root)


@pytest.fixture
def start(root, own):
    def boot(*numbers):
        return Bench(
            *(defects()[number].plant for number in numbers),
            security_profile=3,
            csms="wss://localhost",
            certificate=own.pem,
            key=own.key,
            roots=((CSMS, root.pem),),
        ).boot()

    return boot


def request(bench, status="Accepted"):
    """The public key of a request that was triggered and answered."""
    bench.ask("TriggerMessage", TRIGGER)
    bench.do(Tick())
    key = x509.load_pem_x509_csr(requests(bench)[-1].encode()).public_key()
    bench.answer({"status": status})
    return key


def requests(bench):
    return [said[3]["csr"] for said in bench.said if said[2] == "SignCertificate"]


def signed(bench, leaf):
    status = bench.ask("CertificateSigned", {"certificateChain": leaf.pem})[2]["status"]
    bench.settle()
    return status


@pytest.mark.parametrize(("planted", "same"), [((), False), (("P89",), True)])
def test_p89_asks_with_the_key_it_has(start, own, planted, same):
    bench = start(*planted)
    keys = [request(bench), request(bench)]
    assert (keys == [own.x509.public_key()] * 2) is same


@pytest.mark.parametrize(("planted", "status"), [((), "Rejected"), (("P90",), "Accepted")])
def test_p90_takes_an_expired_chain(start, mint, root, planted, status):
    bench = start(*planted)
    assert signed(bench, mint(public=request(bench), issuer=root, days=(-9, -1))) == status


def test_p90_is_strict_otherwise(start, mint, root):
    bench = start("P90")
    key = request(bench)
    stranger = mint("root", ca=True)
    for leaf in (mint(issuer=root), mint(public=key, issuer=stranger), mint("x", public=key)):
        assert signed(bench, leaf) == "Rejected"


@pytest.mark.parametrize(("planted", "left"), [((), True), (("P91",), False)])
def test_p91_loses_its_identity_when_the_power_fails_at_the_wrong_moment(
    start, mint, root, planted, left
):
    bench = start(*planted)
    signed(bench, mint(public=request(bench), issuer=root))
    bench.do(PowerCycle())
    bench.do(PowerOn())
    assert bool(bench.station.credentials.chain) is left


def test_p91_is_safe_at_any_other_moment(start, mint, root):
    bench = start("P91")
    bench.do(PowerCycle())
    bench.do(PowerOn())
    bench.do(Connected())
    bench.answer({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
    bench.settle()
    leaf = mint(public=request(bench), issuer=root)
    signed(bench, leaf)
    bench.lose()
    bench.do(Connected())
    bench.do(PowerCycle())
    assert bench.station.credentials.chain == leaf.pem


@pytest.mark.parametrize(("planted", "back"), [((), True), (("P98",), False)])
def test_p98_never_shows_the_old_certificate_again(start, mint, root, own, planted, back):
    bench = start(*planted)
    signed(bench, mint(public=request(bench), issuer=root))
    bench.lose()
    for _ in range(9):
        bench.lose(Failure.REFUSED)
    assert (bench.station.credentials.chain == own.pem) is back


@pytest.mark.parametrize(("planted", "times"), [((), 1), (("P95",), 4)])
def test_p95_asks_again_as_often_as_it_is_rejected(start, planted, times):
    bench = start(*planted)
    request(bench, "Rejected")
    for _ in range(2):
        if bench.asked[2] == "SignCertificate":
            bench.answer({"status": "Rejected"})
    assert len(requests(bench)) == times


def test_p95_is_quiet_once_it_is_accepted(start):
    bench = start("P95")
    request(bench)
    bench.wait(1_000)
    assert len(requests(bench)) == 1


@pytest.mark.parametrize(("planted", "status"), [((), "Failed"), (("P92",), "Accepted")])
def test_p92_lets_the_last_root_go(start, root, planted, status):
    bench = start(*planted)
    data = hash_data(root.x509, root.x509, "SHA256")
    assert bench.ask("DeleteCertificate", {"certificateHashData": data})[2]["status"] == status
    assert bool(bench.station.credentials.roots) is (status == "Failed")
