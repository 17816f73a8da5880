import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given, strategies as st

from fuzz.station.bench import Bench
from fuzz.station.events import (
    CloseConnection,
    Connected,
    Failure,
    PowerOn,
    SendText,
    ShiftClock,
    Tick,
)

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
    """Boots a station; settings may be changed."""

    def boot(certificate=own, profile=3, **settings):
        return Bench(
            security_profile=profile,
            csms="wss://localhost",
            certificate=certificate.pem,
            key=certificate.key,
            roots=((CSMS, root.pem),),
            **settings,
        ).boot()

    return boot


def trigger(bench):
    status = bench.ask("TriggerMessage", TRIGGER)[2]["status"]
    bench.do(Tick())
    return status


def requested(bench):
    """The CSRs asked for so far."""
    return [f[3]["csr"] for f in bench.said if f[0] == 2 and f[2] == "SignCertificate"]


def request(bench):
    """The public key of a request that was triggered and accepted."""
    assert trigger(bench) == "Accepted"
    bench.answer({"status": "Accepted"})
    bench.settle()
    return x509.load_pem_x509_csr(requested(bench)[-1].encode()).public_key()


def signed(bench, *chain):
    pem = "".join(part if isinstance(part, str) else part.pem for part in chain)
    answer = bench.ask("CertificateSigned", {"certificateChain": pem})
    bench.settle()
    return answer[2]["status"], answer[2].get("statusInfo", {}).get("reasonCode")


def told(bench):
    return [f[3]["type"] for f in bench.said if f[0] == 2 and f[2] == "SecurityEventNotification"]


INVALID = ("Rejected", "InvalidCertificate")


# --- asking -----------------------------------------------------------------------------------------------


def test_a_trigger_brings_a_request_with_a_new_key_after_the_answer(start):
    bench = start()
    said = [
        type(c)
        for c in bench.hear(
            '[2,"t","TriggerMessage",{"requestedMessage":"SignChargingStationCertificate"}]'
        )
    ]
    assert said == [SendText]
    assert requested(bench) == []
    assert bench.station.deadline == bench.now
    bench.do(Tick())
    (pem,) = requested(bench)
    csr = x509.load_pem_x509_csr(pem.encode())
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == "CN=OCPPFUZZ0001,O=ocppfuzz-lab"
    assert isinstance(csr.public_key().curve, ec.SECP256R1)
    assert bench.asked[3]["certificateType"] == "ChargingStationCertificate"


def test_a_station_with_rsa_suites_makes_an_rsa_key(start):
    key = request(start(pics="ac-1evse-type2"))
    assert (type(key).__name__, key.key_size) == ("RSAPublicKey", 2048)


def test_every_trigger_makes_another_key(start):
    bench = start()
    assert request(bench) != request(bench)


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, None])
def test_a_refused_request_is_over_and_its_key_forgotten(start, mint, root, answer):
    bench = start()
    trigger(bench)
    if answer:
        bench.answer(answer)
    else:
        bench.wait(31)
    public = x509.load_pem_x509_csr(requested(bench)[0].encode()).public_key()
    assert signed(bench, mint(public=public, issuer=root)) == INVALID
    assert len(requested(bench)) == 1


@pytest.mark.parametrize(("days", "asks"), [(29, 1), (31, 0)])
def test_a_certificate_that_ends_within_a_month_is_renewed_by_itself(start, mint, root, days, asks):
    assert len(requested(start(mint(issuer=root, days=(-9, days))))) == asks


def test_the_end_of_the_certificate_is_looked_for_every_day(start, mint, root):
    bench = start(mint(issuer=root, days=(-9, 31.5)))
    bench.wait(86_400)
    assert len(requested(bench)) == 0
    bench.wait(86_400)
    bench.settle()
    assert len(requested(bench)) == 1


def test_a_clock_that_is_set_forward_brings_the_end_of_the_certificate_nearer(start):
    bench = start()
    bench.do(ShiftClock(300 * 86_400.0))
    bench.settle()
    assert len(requested(bench)) == 0
    bench.do(ShiftClock(40 * 86_400.0))
    bench.do(Tick())
    bench.settle()
    assert len(requested(bench)) == 1


def test_an_organization_that_no_certificate_can_name_is_not_asked_for(start):
    bench = start()
    model = bench.station._context.model
    model.write(model.named("SecurityCtrlr", "OrganizationName"), "\ud800")
    trigger(bench)
    assert requested(bench) == []
    assert bench.station._context.keys.pending == []


def test_a_pending_station_is_asked_and_asks(start, root, own):
    bench = Bench(certificate=own.pem, key=own.key, roots=((CSMS, root.pem),)).boot("Pending")
    assert trigger(bench) == "Accepted"
    assert len(requested(bench)) == 1


# --- the certificate comes (nine reasons to refuse it) --------------------------------------------------


def test_a_proper_chain_is_accepted_and_used_on_a_new_connection(start, mint, root):
    bench = start()
    middle = mint("middle", issuer=root, ca=True)
    leaf = mint(public=request(bench), issuer=middle)
    pem = (leaf.pem + middle.pem).replace("\n", "\\n")
    commands = bench.hear(f'[2,"c","CertificateSigned",{{"certificateChain":"{pem}"}}]')
    kinds = [type(command) for command in commands]
    assert kinds.index(SendText) < kinds.index(CloseConnection)
    assert bench.station.credentials.chain == leaf.pem + middle.pem
    assert bench.station.credentials.key != ""
    assert told(bench).count("InvalidChargingStationCertificate") == 0


def test_row_1_a_message_that_breaks_the_schema_is_a_callerror(start):
    bench = start()
    assert bench.ask("CertificateSigned", {"certificateChain": "x" * 10_001})[0] == 4
    assert bench.ask("CertificateSigned", {})[0] == 4


def test_row_2_more_than_max_certificate_chain_size_is_too_large(start):
    bench = start()
    model = bench.station._context.model
    model.write(model.named("SecurityCtrlr", "MaxCertificateChainSize"), "20")
    assert signed(bench, "x" * 21) == ("Rejected", "TooLargeElement")


def test_row_3_what_is_no_chain_in_order_is_rejected(start, mint, root):
    bench = start()
    middle = mint("middle", issuer=root, ca=True)
    leaf = mint(public=request(bench), issuer=middle)
    for chain in (("none",), (middle, leaf), (leaf, root, middle), (leaf,)):
        assert signed(bench, *chain) == INVALID


def test_row_4_a_key_that_was_not_asked_for_is_rejected(start, mint, root):
    bench = start()
    assert signed(bench, mint(issuer=root)) == INVALID
    request(bench)
    assert signed(bench, mint(issuer=root)) == INVALID


def test_row_5_an_expired_certificate_is_rejected(start, mint, root):
    bench = start()
    assert signed(bench, mint(public=request(bench), issuer=root, days=(-9, -1))) == INVALID


def test_row_6_a_path_to_no_installed_root_is_rejected(start, mint):
    bench = start()
    stranger = mint("root", ca=True)
    leaf = mint(public=request(bench), issuer=stranger)
    assert signed(bench, leaf) == INVALID
    assert signed(bench, leaf, stranger) == INVALID


@pytest.mark.parametrize(
    "wrong", [{"organization": "other"}, {"organization": None}, {"name": "other"}, {"name": None}]
)
def test_row_7_other_names_are_rejected(start, mint, root, wrong):
    bench = start()
    assert signed(bench, mint(public=request(bench), issuer=root, **wrong)) == INVALID


def test_row_8_a_weak_signature_is_rejected(start, mint, root):
    bench = start()
    leaf = mint(public=request(bench), issuer=root, digest=hashes.SHA224())
    assert signed(bench, leaf) == INVALID


@pytest.mark.parametrize("wrong", [{"ca": True}, {"signs": True}])
def test_row_9_a_leaf_that_could_sign_others_is_rejected(start, mint, root, wrong):
    bench = start()
    assert signed(bench, mint(public=request(bench), issuer=root, **wrong)) == INVALID


def test_what_was_rejected_is_told_and_changes_nothing_and_is_not_asked_for_again(
    start, own, mint, root
):
    bench = start(mint(issuer=root, days=(-9, 20)))
    before = bench.station.credentials
    asked = len(requested(bench))
    signed(bench, "none")
    assert told(bench)[-1] == "InvalidChargingStationCertificate"
    assert bench.said[-1][3]["techInfo"] != ""
    bench.wait(3 * 86_400)
    assert len(requested(bench)) == asked
    assert bench.station.credentials == before


@given(
    st.text(max_size=200)
    | st.text(max_size=200).map(
        lambda t: f"-----BEGIN CERTIFICATE-----\n{t}\n-----END CERTIFICATE-----"
    )
)
def test_garbage_is_only_ever_rejected(text):
    assert signed(Bench().boot(), text) == INVALID


@given(st.integers(0, 1_000), st.integers(1, 255))
def test_a_damaged_chain_is_only_ever_rejected(mint, root, own, place, flip):
    bench = Bench(certificate=own.pem, key=own.key, roots=((CSMS, root.pem),)).boot()
    leaf = mint(public=request(bench), issuer=root)
    der = bytearray(leaf.der)
    # The byte before the signature says how many of its last bits do not count: of one that is 0 nobody misses any.
    assume(place % len(der) != len(der) - len(leaf.x509.signature) - 1)
    der[place % len(der)] ^= flip
    assert signed(bench, ssl.DER_cert_to_PEM_cert(bytes(der))) == INVALID
    assert signed(bench, leaf)[0] == "Accepted"


def test_a_v2g_certificate_is_not_for_this_station(start):
    payload = {"certificateChain": "x", "certificateType": "V2GCertificate"}
    assert start().ask("CertificateSigned", payload)[2]["status"] == "Rejected"


# --- editions ---------------------------------------------------------------------------------------------


def test_a_certificate_of_the_future_is_used_when_its_time_has_come_in_edition_3(start, mint, root):
    bench = start()
    before = bench.station.credentials
    leaf = mint(public=request(bench), issuer=root, days=(1, 99))
    assert signed(bench, leaf)[0] == "Accepted"
    assert bench.station.credentials == before
    bench.wait(86_000)
    assert bench.station.credentials == before
    bench.wait(400)
    assert bench.station.credentials.chain == leaf.pem


def test_a_certificate_of_the_future_is_used_when_the_clock_is_set_forward(start, mint, root):
    bench = start()
    leaf = mint(public=request(bench), issuer=root, days=(1, 99))
    signed(bench, leaf)
    bench.do(ShiftClock(86_400.0))
    bench.do(Tick())
    assert bench.station.credentials.chain == leaf.pem


def test_a_certificate_of_the_future_survives_a_reboot(start, mint, root):
    bench = start()
    leaf = mint(public=request(bench), issuer=root, days=(1, 99))
    signed(bench, leaf)
    bench.do(PowerOn())
    bench.wait(86_400)
    assert bench.station.credentials.chain == leaf.pem


def test_a_certificate_of_the_future_is_rejected_by_the_errata(start, mint, root):
    bench = start(edition="2025-09")
    assert signed(bench, mint(public=request(bench), issuer=root, days=(1, 99))) == INVALID


# --- the way back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("edition", "event"), [("ed3", 0), ("2025-09", 1)])
def test_a_new_certificate_that_cannot_connect_gives_way_to_the_old_one(
    start, mint, root, own, edition, event
):
    bench = start(edition=edition)
    leaf = mint(public=request(bench), issuer=root)
    signed(bench, leaf)
    bench.lose()
    for _ in range(2):
        bench.lose(Failure.REFUSED)
        assert bench.station.credentials.chain == leaf.pem
    bench.lose(Failure.REFUSED)
    assert bench.station.credentials.chain == own.pem
    bench.do(Connected())
    bench.settle()
    assert told(bench).count("DiscardedRenewedClientCertificate") == event


def test_a_new_certificate_that_connected_stays(start, mint, root):
    bench = start()
    leaf = mint(public=request(bench), issuer=root)
    signed(bench, leaf)
    bench.lose()
    bench.do(Connected())
    bench.lose()
    for _ in range(9):
        bench.lose(Failure.REFUSED)
    assert bench.station.credentials.chain == leaf.pem


def test_where_the_certificate_is_not_in_use_no_connection_is_closed(start, mint, root):
    bench = start(profile=2)
    leaf = mint(public=request(bench), issuer=root)
    pem = leaf.pem.replace("\n", "\\n")
    commands = bench.hear(f'[2,"c","CertificateSigned",{{"certificateChain":"{pem}"}}]')
    assert not any(isinstance(command, CloseConnection) for command in commands)
    assert bench.station.credentials.chain == leaf.pem


# --- asking again (AS-3) ----------------------------------------------------------------------------------


@pytest.fixture
def patient(start):
    """A station that asks again, at first after 30 s, twice."""
    bench = start(pics="ac-1evse-type2")
    items = [
        {
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": name},
            "attributeValue": value,
        }
        for name, value in (("CertSigningWaitMinimum", "30"), ("CertSigningRepeatTimes", "2"))
    ]
    bench.ask("SetVariables", {"setVariableData": items})
    return bench


def test_a_request_that_nothing_follows_is_repeated_after_waits_that_double(patient):
    request(patient)
    counts = []
    for wait in (29, 1, 59, 1, 1_000):
        patient.wait(wait)
        if patient.asked[2] == "SignCertificate":
            patient.answer({"status": "Accepted"})
        counts.append(len(requested(patient)))
    assert counts == [1, 2, 2, 3, 3]


def test_a_repeat_that_falls_into_an_outage_is_made_up_for(patient):
    request(patient)
    patient.lose()
    patient.wait(100)
    assert len(requested(patient)) == 1
    patient.do(Connected())
    patient.wait(10)
    assert len(requested(patient)) == 2


def test_a_certificate_that_comes_ends_the_repeats(patient, mint, root):
    signed(patient, mint(public=request(patient), issuer=root))
    patient.wait(1_000)
    assert len(requested(patient)) == 1


def test_a_bad_certificate_ends_the_repeats_too(patient):
    request(patient)
    signed(patient, "none")
    patient.wait(1_000)
    assert len(requested(patient)) == 1


def test_a_station_without_that_ability_waits_for_ever(start):
    bench = start()
    request(bench)
    bench.wait(10_000)
    assert len(requested(bench)) == 1
