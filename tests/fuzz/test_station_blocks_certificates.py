import pytest
from hypothesis import given, strategies as st

from fuzz.station.bench import Bench
from fuzz.station.events import Connected, Failure
from fuzz.station.x509 import hash_data

CSMS, MANUFACTURER = "CSMSRootCertificate", "ManufacturerRootCertificate"


@pytest.fixture(scope="module")
def roots(mint):
    return [mint(f"root {number}", ca=True) for number in range(3)]


def boot(*roots, own=None, **settings):
    given = {"certificate": own.pem, "key": own.key} if own else {}
    return Bench(roots=tuple((CSMS, root.pem) for root in roots), **given, **settings).boot()


def installed(bench, *types):
    answer = bench.ask(
        "GetInstalledCertificateIds", {"certificateType": list(types)} if types else {}
    )[2]
    chain = answer.get("certificateHashDataChain", [])
    assert (answer["status"] == "Accepted") is bool(chain)
    return [(entry["certificateType"], entry["certificateHashData"]) for entry in chain]


def install(bench, certificate, use=CSMS):
    pem = certificate if isinstance(certificate, str) else certificate.pem
    answer = bench.ask("InstallCertificate", {"certificateType": use, "certificate": pem})[2]
    return answer["status"], answer.get("statusInfo", {}).get("reasonCode")


def delete(bench, data):
    return bench.ask("DeleteCertificate", {"certificateHashData": data})[2]["status"]


def of(root, algorithm="SHA256"):
    return hash_data(root.x509, root.x509, algorithm)


def entries(bench):
    item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "CertificateEntries"}}
    return bench.ask("GetVariables", {"getVariableData": [item]})[2]["getVariableResult"][0][
        "attributeValue"
    ]


# --- M03 --------------------------------------------------------------------------------------------------


def test_certificates_are_listed_by_use_and_all_of_them_when_no_use_is_named(roots):
    bench = boot(roots[0])
    assert install(bench, roots[1], MANUFACTURER) == ("Accepted", None)
    assert installed(bench, CSMS) == [(CSMS, of(roots[0]))]
    assert installed(bench, MANUFACTURER) == [(MANUFACTURER, of(roots[1]))]
    assert len(installed(bench)) == len(installed(bench, CSMS, MANUFACTURER)) == 2
    assert installed(bench, "MORootCertificate", "V2GCertificateChain") == []


def test_the_own_certificate_is_not_listed(mint, roots):
    assert len(installed(boot(roots[0], own=mint(issuer=roots[0])))) == 1


# --- M05 --------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 2), st.sampled_from([CSMS, MANUFACTURER])),
        max_size=12,
    )
)
def test_what_was_installed_and_not_deleted_is_listed(roots, steps):
    bench, expected = boot(), []
    for add, number, use in steps:
        data = of(roots[number])
        if add:
            assert install(bench, roots[number], use) == ("Accepted", None)
            expected += [(use, data)] if (use, data) not in expected else []
            continue
        found = [entry for entry in expected if entry[1] == data]
        last = (CSMS, data) in found and [entry[0] for entry in expected].count(CSMS) == 1
        assert delete(bench, data) == ("Failed" if last else "Accepted" if found else "NotFound")
        expected = [entry for entry in expected if last or entry not in found]
    assert sorted(installed(bench), key=str) == sorted(expected, key=str)
    assert entries(bench) == str(len(expected))


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": (-9, -1)},
        {"days": (1, 9)},
        {"ca": False},
    ],
)
def test_an_improper_certificate_is_rejected_and_not_listed(mint, wrong):
    bench = boot()
    assert install(bench, mint("root", **{"ca": True, **wrong})) == (
        "Rejected",
        "InvalidCertificate",
    )
    assert installed(bench) == []


def test_a_ca_that_another_signed_is_no_root(mint, roots):
    signed = mint("signed", issuer=roots[0], ca=True)
    for known in (roots[1], roots[0]):
        bench = boot(known)
        assert install(bench, signed) == ("Rejected", "InvalidCertificate")
        assert installed(bench) == [(CSMS, of(known))]


def test_a_root_that_the_installed_one_signed_is_listed_by_that_one(moving):
    bench, old, new = moving
    assert install(bench, new) == ("Accepted", None)
    assert (CSMS, hash_data(new.x509, old.x509, "SHA256")) in installed(bench)


def test_two_certificates_at_once_are_rejected(roots):
    assert install(boot(), roots[0].pem + roots[1].pem)[0] == "Rejected"


@given(st.text(max_size=100))
def test_garbage_is_rejected(text):
    assert install(boot(), text)[0] == "Rejected"


@pytest.mark.parametrize("use", ["V2GRootCertificate", "MORootCertificate"])
def test_roots_for_iso_15118_are_rejected(roots, use):
    assert install(boot(), roots[0], use) == ("Rejected", "UnsupportedParam")


def test_no_more_than_certificate_entries_are_taken_but_one_that_is_there_is(mint):
    bench = boot()
    many = [mint(f"root {number}", ca=True) for number in range(21)]
    assert [install(bench, root)[0] for root in many] == ["Accepted"] * 20 + ["Rejected"]
    assert install(bench, many[20]) == ("Rejected", "OutOfStorage")
    assert install(bench, many[0]) == ("Accepted", None)
    assert len(installed(bench)) == 20


# --- M04 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_a_root_is_deleted_by_any_hash(roots, algorithm):
    bench = boot(*roots[:2])
    assert delete(bench, of(roots[0], algorithm)) == "Accepted"
    assert delete(bench, of(roots[0], algorithm)) == "NotFound"
    assert installed(bench) == [(CSMS, of(roots[1]))]


def test_the_last_csms_root_and_the_own_certificate_stay(mint, roots):
    own = mint(issuer=roots[0])
    bench = boot(roots[0], own=own)
    assert delete(bench, of(roots[0])) == "Failed"
    assert delete(bench, hash_data(own.x509, roots[0].x509, "SHA256")) == "Failed"
    assert installed(bench) == [(CSMS, of(roots[0]))]
    assert bench.station.credentials.chain == own.pem


def test_what_is_installed_survives_a_start_of_the_process(roots):
    bench = boot(roots[0])
    message = '[2,"q","InstallCertificate",{"certificateType":"%s","certificate":"%s"}]'
    commands = bench.hear(message % (CSMS, roots[1].pem.replace("\n", "\\n")))
    state = next(command.state for command in commands if hasattr(command, "state"))
    again = Bench(lasting=state).boot()
    assert installed(again) == [(CSMS, of(roots[0])), (CSMS, of(roots[1]))]
    assert again.station.credentials.roots == (roots[0].pem, roots[1].pem)


# --- one CSMS root alone (AdditionalRootCertificateCheck) -------------------------------------------------


@pytest.fixture
def moving(mint):
    """A station that checks additional roots, its root, and a new root that the old one signed."""
    old = mint("old", ca=True)
    bench = boot(old, pics="ac-1evse-type2", security_profile=2, csms="wss://localhost")
    return bench, old, mint("new", issuer=old, ca=True)


def test_a_new_csms_root_must_be_signed_by_the_old_one(moving, roots):
    bench, _, new = moving
    assert install(bench, roots[0]) == ("Rejected", "InvalidCertificate")
    assert install(bench, new) == ("Accepted", None)
    assert install(bench, roots[0], MANUFACTURER) == ("Accepted", None)
    assert len(installed(bench, CSMS)) == 2


def test_after_a_connection_with_the_new_root_the_old_one_is_gone(moving):
    bench, _, new = moving
    install(bench, new)
    bench.lose()
    assert bench.station.credentials.roots == (new.pem,)
    bench.do(Connected())
    assert bench.station.credentials.roots == (new.pem,)
    assert len(installed(bench, CSMS)) == 1


def test_when_the_new_root_does_not_fit_the_old_one_is_tried_and_kept(moving):
    bench, old, new = moving
    install(bench, new)
    bench.lose()
    bench.lose(Failure.UNREACHABLE)
    assert bench.station.credentials.roots == (new.pem,)
    bench.lose(Failure.CSMS_CERTIFICATE)
    assert bench.station.credentials.roots == (old.pem,)
    bench.do(Connected())
    assert len(installed(bench, CSMS)) == 2
    bench.lose()
    assert bench.station.credentials.roots == (new.pem,)


def test_a_third_root_takes_the_place_of_one_that_never_worked(moving, mint):
    bench, old, new = moving
    install(bench, new)
    third = mint("third", issuer=old, ca=True)
    assert install(bench, mint("wrong", issuer=new, ca=True))[0] == "Rejected"
    assert install(bench, third) == ("Accepted", None)
    bench.lose()
    assert bench.station.credentials.roots == (third.pem,)
