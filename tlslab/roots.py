"""Roots of a Charging Station as its CSMS sees them: install one, list all, delete one, and what they are called.

Knows the messages of M03 to M05 by name, and hash data (RFC 6960 section 4.1.1). Must not know a case, nor judge one.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from tlslab.authority import Authority
from tlslab.bench import StationBench
from tlslab.describe import DAY, Description
from tlslab.notes import NotAsked, Unfinished
from tlslab.pki import Credential, issue
from tlslab.registry import Need
from tlslab.rotation import ACCEPTED, told
from tlslab.session import SessionError

CSMS_ROOT = "CSMSRootCertificate"
MANUFACTURER_ROOT = "ManufacturerRootCertificate"
_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}

HashData = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Trust:
    """A root of the lab's, with whom it makes a signer of."""

    root: Credential
    authority: Authority

    @property
    def pem(self) -> str:
        """The root as InstallCertificate takes it."""
        return self.root.certificate.decode("ascii")


async def additional_check(bench: StationBench) -> bool:
    """Whether a new CSMS root must be signed by the old one (AdditionalRootCertificateCheck)."""
    value = await bench.session.get_variable("SecurityCtrlr", "AdditionalRootCertificateCheck")
    return (value or "").lower() == "true"


def second(bench: StationBench, name: str, *, signed: bool = False) -> Trust:
    """Another root of the lab; `signed` lets the present one sign it. Raises `NotAsked` without that one's key."""
    described = Description(name, key=bench.key, is_ca=True, begins=-DAY, validity=3650 * DAY)
    issuer = None
    if signed:
        issuer = bench.authority.root if bench.authority is not None else None
        if issuer is None or not issuer.key:
            raise NotAsked(Need.CA_KEY)
    root = issue(described, now=bench.now(), issuer=issuer)
    anchor = Credential(root.certificate, root.key)
    return Trust(anchor, Authority(anchor, now=bench.now))


async def install(bench: StationBench, pem: str, use: str = CSMS_ROOT) -> str:
    """The status, or CALLERROR code, of installing this."""
    return await told(bench, "InstallCertificate", {"certificateType": use, "certificate": pem})


async def listed(bench: StationBench, use: str = CSMS_ROOT) -> list[HashData]:
    """The hash data of the installed roots of one use. Raises `Unfinished` without an answer."""
    try:
        answer = await bench.session.call("GetInstalledCertificateIds", {"certificateType": [use]})
    except SessionError as why:
        raise Unfinished(f"the roots cannot be listed: {why}") from None
    chains = answer.get("certificateHashDataChain")
    entries: Sequence[object] = chains if isinstance(chains, list) else ()
    found = [e["certificateHashData"] for e in entries if isinstance(e, dict) and _is_use(e, use)]
    return [data for data in found if isinstance(data, dict)]


def _is_use(entry: Mapping[str, object], use: str) -> bool:
    return entry.get("certificateType") == use and "certificateHashData" in entry


def hash_data(certificate: bytes, issuer: bytes, algorithm: str = "SHA256") -> HashData:
    """What OCPP calls a certificate (DER or PEM) by."""
    read, by = _read(certificate), _read(issuer)
    made = ocsp.OCSPRequestBuilder().add_certificate(read, by, _HASHES[algorithm]()).build()
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": made.issuer_name_hash.hex(),
        "issuerKeyHash": made.issuer_key_hash.hex(),
        "serialNumber": f"{read.serial_number:x}",
    }


def _read(data: bytes) -> x509.Certificate:
    pem = data.startswith(b"-----")
    return x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)


def serial_of(data: HashData) -> str:
    """The serial number in a form that can be compared."""
    return str(data.get("serialNumber", "")).lower().lstrip("0") or "0"


def find(entries: Sequence[HashData], certificate: bytes) -> HashData | None:
    """The entry with the certificate's serial number, None without one; it is random enough to be its own."""
    serial = f"{_read(certificate).serial_number:x}"
    return next((data for data in entries if serial_of(data) == serial), None)


async def delete(bench: StationBench, data: HashData) -> str:
    """The status, or CALLERROR code, of deleting what is called this."""
    return await told(bench, "DeleteCertificate", {"certificateHashData": dict(data)})


async def forget(bench: StationBench, certificate: bytes, use: str = CSMS_ROOT) -> None:
    """A root of the lab's is not installed any more; that it still is, is a remark."""
    data = find(await listed(bench, use), certificate)
    if data is not None and await delete(bench, data) != ACCEPTED:
        bench.remark("a root of the lab could not be deleted")


@contextlib.asynccontextmanager
async def installed(
    bench: StationBench, name: str = "ocppfuzz lab second root"
) -> AsyncIterator[Trust]:
    """A second CSMS root is installed, and gone afterwards. Raises `NotAsked` where there may be one alone."""
    if await additional_check(bench):
        raise NotAsked("a station that takes a second CSMS root (AdditionalRootCertificateCheck)")
    trust = second(bench, name)
    status = await install(bench, trust.pem)
    if status != ACCEPTED:
        raise Unfinished(f"InstallCertificate of a good CSMS root was answered with {status}")
    try:
        yield trust
    finally:
        await forget(bench, trust.root.certificate)
