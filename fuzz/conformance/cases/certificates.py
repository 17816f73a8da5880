"""Block M: installing, listing and deleting certificates."""

from __future__ import annotations

from cryptography import x509

from fuzz.conformance import papers, states
from fuzz.conformance.papers import new_root, pem
from fuzz.conformance.script import Csms, Failed, View, station_test
from fuzz.records import Effect
from strategies.labels import JsonObject, JsonValue
from tlslab.pki import Credential

CSMS, MANUFACTURER = "CSMSRootCertificate", "ManufacturerRootCertificate"


async def _installed(s: Csms, use: str) -> Credential:
    """CertificateInstalled: a new root of this use is accepted."""
    name = f"another {use}"
    root = states.csms_root(s, name) if use == CSMS else new_root(name, s.clock.now())
    await _install(s, use, root, "Accepted")
    return root


async def _install(s: Csms, use: str, root: Credential, status: str) -> None:
    request: JsonObject = {"certificateType": use, "certificate": pem(root)}
    await s.accepted("InstallCertificate", request, status=status)


async def _listed(s: Csms, *uses: str) -> list[View]:
    """GetInstalledCertificates: the entries for these uses, for all when none is named."""
    names: list[JsonValue] = [*uses]
    request: JsonObject = {"certificateType": names} if uses else {}
    answer = await s.accepted("GetInstalledCertificateIds", request)
    return answer.list("certificateHashDataChain")


def _find(s: Csms, entries: list[View], use: str, root: Credential) -> JsonObject | None:
    """The hash data by which a root of this use is listed, None when it is not."""
    own = root.x509.issuer == root.x509.subject
    issuer = root.x509 if own else s.place.lab.root.read().x509
    for entry in entries:
        data = entry["certificateHashData"]
        if entry["certificateType"] != use or not isinstance(data, dict):
            continue
        if papers.same_certificate(data, root.x509, issuer):
            return data
    return None


def _require_listed(s: Csms, entries: list[View], use: str, root: Credential) -> JsonObject:
    """The hash data of an installed root; that the unused-bits octet is not hashed, as in OCSP, is our reading."""
    data = _find(s, entries, use, root)
    wish = f"the installed {use} is listed with its hash data"
    s.require(data is not None, wish, [e.payload for e in entries], judgement=True)
    return data or {}


@station_test("TC_M_01", effect=Effect.ONE_WAY)
async def install_csms_root(s: Csms) -> None:
    """Another CSMS root is installed and listed."""
    root = await _installed(s, CSMS)
    _require_listed(s, await _listed(s, CSMS), CSMS, root)


@station_test("TC_M_02", effect=Effect.ONE_WAY)
async def install_manufacturer_root(s: Csms) -> None:
    """A manufacturer root is installed and listed."""
    root = await _installed(s, MANUFACTURER)
    _require_listed(s, await _listed(s, MANUFACTURER), MANUFACTURER, root)


@station_test("TC_M_07")
async def install_expired_root(s: Csms) -> None:
    """A root whose time is over is Rejected and not listed."""
    root = papers.expired_root("old CSMS root", s.clock.now())
    await _install(s, CSMS, root, "Rejected")
    request: JsonObject = {"certificateType": [CSMS]}
    answer = await s.accepted(
        "GetInstalledCertificateIds", request, status=("Accepted", "NotFound")
    )
    found = _find(s, answer.list("certificateHashDataChain"), CSMS, root)
    s.require(found is None, "the expired root is not listed", found)


@station_test("TC_M_12", effect=Effect.ONE_WAY)
async def list_csms_roots(s: Csms) -> None:
    """The list of CSMS roots holds an installed one, and nothing of another use."""
    root = await _installed(s, CSMS)
    entries = await _listed(s, CSMS)
    _require_listed(s, entries, CSMS, root)
    _only(s, entries, CSMS)


def _only(s: Csms, entries: list[View], *uses: str) -> None:
    others = [e["certificateType"] for e in entries if e["certificateType"] not in uses]
    s.require(not others, f"only {' and '.join(uses)} are listed", others)


@station_test("TC_M_13", effect=Effect.ONE_WAY)
async def list_manufacturer_roots(s: Csms) -> None:
    """The list of manufacturer roots holds an installed one, and nothing of another use."""
    root = await _installed(s, MANUFACTURER)
    entries = await _listed(s, MANUFACTURER)
    _require_listed(s, entries, MANUFACTURER, root)
    _only(s, entries, MANUFACTURER)


@station_test("TC_M_17", effect=Effect.ONE_WAY)
async def list_two_uses(s: Csms) -> None:
    """A list of two uses holds the roots of both."""
    roots = {use: await _installed(s, use) for use in (CSMS, MANUFACTURER)}
    entries = await _listed(s, CSMS, MANUFACTURER)
    for use, root in roots.items():
        _require_listed(s, entries, use, root)
    _only(s, entries, CSMS, MANUFACTURER)


@station_test("TC_M_18", effect=Effect.ONE_WAY)
async def list_all_uses(s: Csms) -> None:
    """A list of no use in particular holds the roots of all."""
    roots = {use: await _installed(s, use) for use in (CSMS, MANUFACTURER)}
    entries = await _listed(s)
    for use, root in roots.items():
        _require_listed(s, entries, use, root)


@station_test("TC_M_19")
async def list_nothing(s: Csms) -> None:
    """A list of a use that has no certificates is NotFound and left out."""
    request: JsonObject = {"certificateType": ["MORootCertificate"]}
    answer = await s.accepted("GetInstalledCertificateIds", request, status="NotFound")
    s.require("certificateHashDataChain" not in answer, "no list", answer.payload)


@station_test("TC_M_20")
async def delete_root(s: Csms) -> None:
    """An installed CSMS root is deleted and listed no more."""
    root = await _installed(s, CSMS)
    data = _require_listed(s, await _listed(s, CSMS), CSMS, root)
    await s.accepted("DeleteCertificate", {"certificateHashData": data})
    request: JsonObject = {"certificateType": [CSMS]}
    answer = await s.accepted(
        "GetInstalledCertificateIds", request, status=("Accepted", "NotFound")
    )
    found = _find(s, answer.list("certificateHashDataChain"), CSMS, root)
    s.require(found is None, "the deleted root is not listed", found)


@station_test("TC_M_22")
async def delete_unknown_root(s: Csms) -> None:
    """Deleting a certificate that is not there gives NotFound."""
    stranger = new_root("root that was never installed", s.clock.now()).x509
    data = papers.hash_data(stranger, stranger, "SHA256")
    await s.accepted("DeleteCertificate", {"certificateHashData": data}, status="NotFound")


@station_test("TC_M_23", security_profiles=(3,))
async def delete_own_certificate(s: Csms) -> None:
    """The station's own certificate is not deleted: Failed, or NotFound since it is not listed."""
    connection = s.connection
    if connection is None or not connection.link.handshake.peer_certificate:
        raise Failed("expected: a certificate of the station; came: none")
    own = x509.load_der_x509_certificate(connection.link.handshake.peer_certificate)
    data = papers.hash_data(own, s.place.lab.root.read().x509, "SHA256")
    refusals = ("Failed", "NotFound")
    await s.accepted("DeleteCertificate", {"certificateHashData": data}, status=refusals)
    await s.close()
    await s.reconnected()
