"""Certificate defects: stations' certificates that are accepted, made or dropped although they must not be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fuzz.csms import papers
from fuzz.csms.defects.registry import Defect, plants, shown_by
from fuzz.csms.hooks import Hooks


@plants(
    Defect(
        "P54",
        mirrors=("F8",),
        oracle="O18",
        symptom="SignCertificate Accepted",
        witness=shown_by("TC-36"),
        depth=1,
    )
)
def garbage_csr(hooks: Hooks) -> Hooks:
    """SignCertificate is answered with Accepted whatever the request is."""

    def issue(csr: str, serial: str, organization: str) -> str:
        return "" if papers.load_request(csr) is None else hooks.issue(csr, serial, organization)

    return replace(hooks, request=lambda csr, serial, organizations: "", issue=issue)


@plants(
    Defect(
        "P107",
        mirrors=(),
        oracle="O16",
        symptom="101 with the certificate of another organisation",
        witness=shown_by("TC-20"),
    )
)
def foreign_organisation(hooks: Hooks) -> Hooks:
    """A certificate under the trusted root is accepted, whoever owns the station."""
    return replace(hooks, owned=lambda leaf, organizations: "")


@plants(
    Defect(
        "P108",
        mirrors=(),
        oracle="O16",
        symptom="101 with a revoked certificate",
        witness=shown_by("TC-26"),
    )
)
def revoked_accepted(hooks: Hooks) -> Hooks:
    """A certificate that was revoked goes on working."""
    return replace(hooks, revoked=lambda serial_number, revoked: False)


@plants(
    Defect(
        "P109",
        mirrors=(),
        oracle="O18",
        symptom="a certificate of a CA",
        witness=shown_by("TC-36"),
        depth=1,
    )
)
def csr_as_asked(hooks: Hooks) -> Hooks:
    """What a request asks for is certified: a CA, or further names."""
    return replace(hooks, issue=hooks.issue_all)


@plants(
    Defect(
        "P110",
        mirrors=(),
        oracle="O18",
        symptom="a certificate of another station",
        witness=shown_by("TC-36"),
        depth=1,
    )
)
def csr_other_name(hooks: Hooks) -> Hooks:
    """A station gets a certificate with the commonName and the organisation that it asks for."""

    def request(csr: str, serial: str, organizations: object) -> str:
        found = papers.load_request(csr)
        names = [] if found is None else papers.request_names(found)
        asked = papers.organization_of(csr)
        return hooks.request(csr, names[0] if names else serial, (asked,))

    def issue(csr: str, serial: str, organization: str) -> str:
        found = papers.load_request(csr)
        names = [] if found is None else papers.request_names(found)
        return hooks.issue(csr, names[0] if names else serial, organization)

    return replace(hooks, request=request, issue=issue)


@plants(
    Defect(
        "P111",
        mirrors=(),
        oracle="O18",
        symptom="the old certificate is refused",
        witness=shown_by("TC-38"),
        depth=2,
    )
)
def old_dropped_early(hooks: Hooks) -> Hooks:
    """The certificate in use is dropped although the station refused its successor."""
    return replace(hooks, refused=lambda replaced: replaced)


def never_expired(certificate: papers.Certificate, now: datetime) -> str:
    """As `why_not_now`, but for the end of the time."""
    reason = papers.why_not_now(certificate, now)
    return "" if reason == papers.EXPIRED else reason
