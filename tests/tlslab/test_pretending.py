from datetime import timedelta

import pytest

from tlslab.authority import Authority
from tlslab.describe import DAY, Chain, Description, Root
from tlslab.pki import issue
from tlslab.pretending import FAILURES, INVALID, ROOMS, Papers
from tlslab.rehearsal import BEGAN
from tlslab.request import requested
from tlslab.session import AnsweredWithError

CA = Authority(
    issue(Description("root", is_ca=True, begins=-DAY, validity=3650 * DAY), now=BEGAN),
    now=lambda: BEGAN,
)


@pytest.fixture
def papers():
    return Papers(CA, serial="SN-1", organization="O", now=lambda: BEGAN)


def signed(papers, make=Chain):
    """What comes of the certificate that `make` makes out of what was asked for."""
    papers.signs = "Accepted"
    papers.answer("TriggerMessage", {})
    _, payload = papers.said.pop()
    made = CA.sign(payload["csr"], make(requested(payload["csr"])))
    return papers.answer("CertificateSigned", {"certificateChain": b"".join(made).decode()})


def test_a_good_certificate_is_used_at_once(papers):
    before = papers.shown
    assert signed(papers) == {"status": "Accepted"}
    assert papers.leaves
    assert papers.shown != before


def test_a_bad_one_is_rejected_told_of_and_changes_nothing(papers):
    before = papers.shown
    assert signed(papers, lambda d: Chain(d, root=Root.STRANGER)) == {"status": "Rejected"}
    assert papers.told == [INVALID]
    assert papers.shown == before


def test_a_request_that_is_not_signed_leaves_no_key(papers):
    papers.answer("TriggerMessage", {})
    assert papers.said
    assert papers.pending == []


def test_a_certificate_that_begins_later_waits_for_its_time(papers):
    later = timedelta(hours=1)

    def tomorrow(wanted):
        return Chain(Description(wanted.common_name, wanted.organization, begins=later))

    before = papers.shown
    assert signed(papers, tomorrow) == {"status": "Accepted"}
    assert papers.shown == before
    papers.now = lambda: BEGAN + 2 * later
    assert papers.shown != before


def test_after_enough_failures_the_old_certificate_has_its_turn(papers):
    before = papers.shown
    signed(papers)
    for _ in range(FAILURES):
        assert papers.shown != before
        papers.failed()
    assert papers.shown == before


def test_there_is_room_for_so_many_roots(papers):
    statuses = [
        papers.install(issue(Description(f"r{n}", is_ca=True), now=BEGAN).certificate.decode())
        for n in range(ROOMS)
    ]
    assert statuses == ["Accepted"] * (ROOMS - 1) + ["Rejected"]


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("CertificateSigned", {"certificateChain": "x" * 10_001}),
        ("InstallCertificate", {"certificate": "x" * 5501}),
    ],
)
def test_what_is_longer_than_the_schema_allows_is_an_error(papers, action, payload):
    with pytest.raises(AnsweredWithError):
        papers.answer(action, payload)
