"""CertificateSigned with chains that are not what was asked for (A02.FR.06, FR.07, FR.16; A00.FR.501 to FR.511).

Every fault comes for a CSR of its own, after a good renewal in the same session; the certificate from before must stay.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from tlslab.bench import StationBench, Unfinished
from tlslab.describe import DAY, Chain, Description, Digest, KeyKind, Order, Root, Usage
from tlslab.keys import new_key, pem_of
from tlslab.pki import LabError
from tlslab.registry import Attacker, Effect, Need, Severity, tls_case
from tlslab.request import Request, request
from tlslab.rotation import (
    ACCEPTED,
    REJECTED,
    SILENT,
    Describe,
    Renewal,
    anew,
    answering,
    asked,
    controlled,
    der_of,
    direct,
    kept,
    proper,
    reachable,
    refused,
    renew,
    restored,
    send,
    shown,
    signer_of,
    switched,
    text_of,
)
from tlslab.session import SessionError

LONG_AGO = -30 * DAY
OVER = -2 * DAY
ROUNDS = 3
MAX_CSR = 5500
"""Characters that SignCertificateRequest.csr may have."""
MAX_CHAIN = 10_000
"""Characters that CertificateSignedRequest.certificateChain may have."""
SOON_S = 15
AHEAD_S = 10
CSO_NEEDS = (Need.STATION_CA, Need.OCPP)


# --- what is asked for ------------------------------------------------------------------------------------


@tls_case(
    "TR-02",
    *("A02.FR.02", "A02.FR.03", "A00.FR.502", "A00.FR.503", "A00.FR.509", "A00.FR.511"),
    expects="a sound CSR with a new key every time",
    severity=Severity.HIGH,
    endangers=("TC_A_11_CS", "TC_A_14_CS", "TC_A_15_CS"),
    needs=(Need.OCPP,),
    effect=Effect.VOLATILE,
    attacker=Attacker.IS_PEER,
    cwe="CWE-323",
)
async def sound_requests(bench: StationBench) -> None:
    """Every trigger brings a PKCS #10 request in PEM, signed by itself, with a strong key that was never used before.

    Three rounds, none of which is signed. The names in it are remarks: the CA may put in the right ones.
    """
    await bench.settle()
    own = _key_of(await shown(bench))
    keys: list[bytes] = []
    with answering(bench):
        for number in range(1, ROUNDS + 1):
            csr = await asked(bench, answer=REJECTED)
            try:
                found = request(csr)
            except LabError as why:
                bench.require(holds=False, what="the CSR can be read", came=why)
                return
            _review(bench, csr, found)
            key = _bytes(found.public)
            bench.record(f"CSR {number}", f"{_kind(found)} {key[-8:].hex()}")
            bench.require(key not in keys, "the key pair is new each time")
            bench.require(key != own, "the key is not that of the certificate in use")
            keys.append(key)


def _review(bench: StationBench, csr: str, found: Request) -> None:
    station, key = bench.station, found.public
    bits = key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else 256
    needed = 2048 if isinstance(key, rsa.RSAPublicKey) else 224
    bench.require(len(csr) <= MAX_CSR, "the CSR has at most 5500 characters", len(csr))
    bench.require("CERTIFICATE REQUEST-----" in csr, "the CSR is PEM")
    bench.require(found.self_signed, "the CSR is signed with its own key")
    bench.require(bits >= needed, "the key is strong enough", f"{_kind(found)} of {bits} bits")
    name, owner = found.common_name or "none", found.organization or "none"
    bench.require(
        name == station.serial, "the CSR's commonName is the serial number", name, remark=True
    )
    fits = not station.organization or owner == station.organization
    bench.require(fits, "the CSR's organizationName is OrganizationName", owner, remark=True)


def _kind(found: Request) -> str:
    return "RSA" if isinstance(found.public, rsa.RSAPublicKey) else "EC"


def _bytes(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _key_of(certificate: bytes) -> bytes:
    return _bytes(x509.load_der_x509_certificate(certificate).public_key()) if certificate else b""


# --- certificates that must not be taken ------------------------------------------------------------------


@tls_case(
    "TR-03",
    *("A02.FR.06", "A02.FR.07"),
    expects="Rejected, InvalidChargingStationCertificate, old one stays",
    severity=Severity.CRITICAL,
    endangers=("TC_A_14_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def another_key(bench: StationBench) -> None:
    """A certificate for another public key than the one that was asked for is Rejected and told of."""
    await refused(bench, "for another public key", direct, key=bench.key)


@tls_case(
    "TR-04",
    *("A02.FR.06", "A02.FR.07", "A00.FR.509", "A00.FR.511"),
    expects="Rejected, InvalidChargingStationCertificate, old one stays",
    severity=Severity.HIGH,
    endangers=("TC_A_14_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def another_subject(bench: StationBench) -> None:
    """A certificate in another station's name, for another operator, or in nobody's name is Rejected and told of."""
    other = f"{bench.station.serial}X"
    await refused(bench, "another commonName", lambda d: Chain(replace(d, common_name=other)))
    stranger = "another operator"
    await refused(
        bench, "another organizationName", lambda d: Chain(replace(d, organization=stranger))
    )
    nobody = {"common_name": None, "organization": None}
    await refused(bench, "an empty subject", lambda d: Chain(replace(d, **nobody)))  # type: ignore[arg-type]


@tls_case(
    "TR-05",
    *("A02.FR.06", "A02.FR.07"),
    expects="Rejected, InvalidChargingStationCertificate, old one stays",
    severity=Severity.CRITICAL,
    endangers=("TC_A_14_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-298",
)
async def expired(bench: StationBench) -> None:
    """A certificate that ended two days ago is Rejected and told of."""
    ended = {"begins": LONG_AGO, "validity": OVER}
    await refused(bench, "expired two days ago", lambda d: Chain(replace(d, **ended)))  # type: ignore[arg-type]


@tls_case(
    "TR-06",
    *("A02.FR.06", "A02.FR.07", "A02.FR.08"),
    expects="ed3: kept until it is valid, or Rejected; 2025-09: Rejected",
    severity=Severity.HIGH,
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def not_yet_valid(bench: StationBench) -> None:
    """A certificate that begins tomorrow is not used today: Rejected by the errata, in Edition 3 it may be kept.

    Edition 3 lets a station switch when the time has come (A02.FR.08); the errata of 2025 make it invalid (A02.FR.06).
    """
    if bench.station.edition != "ed3":
        await refused(bench, "begins tomorrow", _tomorrow)
        return
    await controlled(bench)
    before = await shown(bench)
    with answering(bench):
        future = await renew(bench, _tomorrow)
        bench.record("a certificate that begins tomorrow", future.answer)
        bench.require(future.answer in (ACCEPTED, REJECTED), "a status comes", future.answer)
        after = await anew(bench)
        bench.require(after == before, "it is not used before its time")
        if future.accepted and before:
            await _switches(bench)


def _tomorrow(wanted: Description) -> Chain:
    return Chain(replace(wanted, begins=DAY))


async def _switches(bench: StationBench) -> None:
    """One that was kept is used once its time has come (A02.FR.08)."""
    soon = timedelta(seconds=SOON_S)
    later = await renew(bench, lambda d: Chain(replace(d, begins=soon)))
    if not later.accepted:
        raise Unfinished(f"a certificate that begins in {SOON_S} s was answered: {later.answer}")
    first = bench.server.count
    await bench.comes(first, within=SOON_S + bench.reconnect_s + 5)
    bench.require(await anew(bench) == later.leaf, "it is used once its time has come")
    await restored(bench)


@tls_case(
    "TR-07",
    "A02.FR.06",
    expects="record",
    severity=Severity.LOW,
    endangers=("TC_A_11_CS",),
    needs=CSO_NEEDS,
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
)
async def begins_now(bench: StationBench) -> None:
    """Whether a certificate that begins this very second, or in ten seconds, is taken.

    Clocks are never quite the same: a station that is a little behind may turn either away.
    """
    await controlled(bench)
    with answering(bench):
        for seconds in (0, AHEAD_S):
            first, begins = bench.server.count, timedelta(seconds=seconds)
            found = await renew(bench, lambda d, b=begins: Chain(replace(d, begins=b)))  # type: ignore[misc]
            bench.record(f"begins in {seconds} s", found.answer)
            if seconds == 0 and not found.accepted:
                bench.remark(f"a certificate that begins now is answered with {found.answer}")
            if found.accepted:
                # It may be used only then: nothing may be left that changes later.
                await bench.server.until(lambda: False, within=seconds)
                await switched(bench, first)
    await restored(bench)


@tls_case(
    "TR-08",
    *("A02.FR.06", "A02.FR.07"),
    expects="Rejected, InvalidChargingStationCertificate, old one stays",
    severity=Severity.CRITICAL,
    endangers=("TC_A_14_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def another_root(bench: StationBench) -> None:
    """A certificate under an unknown root, or under one that has the known one's name, is Rejected and told of."""
    await refused(bench, "an unknown root", lambda d: Chain(d, root=Root.STRANGER))
    await refused(bench, "a root with the known one's name", lambda d: Chain(d, root=Root.NAMESAKE))


@tls_case(
    "TR-09",
    *("A02.FR.06", "A02.FR.07", "A00.FR.502", "A00.FR.503", "A00.FR.504", "A00.FR.506"),
    expects="Rejected, InvalidChargingStationCertificate, old one stays",
    severity=Severity.HIGH,
    endangers=("TC_A_14_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-326",
)
async def weak(bench: StationBench) -> None:
    """A certificate that is signed with SHA-1 or MD5, or by a CA with a weak key, is Rejected and told of.

    An RSA CA makes the weak signature: ECDSA with MD5 has no name. Its own key is what the station asked for.
    """
    good = replace(bench.ca, key=KeyKind.RSA_2048)
    await _takes_under(bench, good)
    for digest in (Digest.SHA1, Digest.MD5):
        await refused(
            bench,
            f"signed with {digest}",
            lambda d, h=digest: Chain(replace(d, digest=h), (good,)),  # type: ignore[misc]
        )
    for kind in (KeyKind.RSA_1024, KeyKind.EC_P192):
        weak_ca = replace(bench.ca, key=kind)
        await refused(bench, f"a CA with {kind}", lambda d, ca=weak_ca: Chain(d, (ca,)))  # type: ignore[misc]


async def _takes_under(bench: StationBench, *cas: Description) -> Renewal:
    """A good renewal under these CAs is taken: what is under a faulty one can be refused for its fault alone."""
    await controlled(bench)
    with answering(bench):
        first = bench.server.count
        good = await renew(bench, lambda d: Chain(d, cas))
        if not good.accepted:
            raise Unfinished(f"a proper certificate under an intermediate: {good.answer}")
        await switched(bench, first)
        return good


@tls_case(
    "TR-10",
    *("A02.FR.06", "A00.FR.512", "A00.FR.514"),
    expects="record",
    severity=Severity.MEDIUM,
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def odd_use(bench: StationBench) -> None:
    """What becomes of a certificate that is a CA's, is for servers only, may not sign, or says nothing of its use.

    No requirement names these; the first three are remarks when they are taken.
    """
    await controlled(bench)
    odd: dict[str, Describe] = {
        "a CA's": lambda d: Chain(replace(d, is_ca=True)),
        "for servers only": lambda d: Chain(replace(d, extended=("serverAuth",))),
        "not for signing": lambda d: Chain(replace(d, usage=Usage.NO_SIGNATURE)),
        "no keyUsage": lambda d: Chain(replace(d, usage=Usage.ABSENT)),
    }
    for label, describe in odd.items():
        with answering(bench):
            before, first = await shown(bench), bench.server.count
            found = await renew(bench, describe)
            bench.record(label, found.answer)
            if found.accepted and label != "no keyUsage":
                bench.remark(f"a certificate that is {label} was accepted")
            await kept(bench, label, before, found, first)


@tls_case(
    "TR-11",
    *("A02.FR.06", "A02.FR.07"),
    expects="leaf first is accepted; none of ours, or no path, Rejected",
    severity=Severity.MEDIUM,
    endangers=("TC_A_11_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
)
async def order(bench: StationBench) -> None:
    """A chain with its leaf first is accepted; one without the leaf, or without a CA in between, is Rejected.

    The field wants the leaf first and each issuer after it. A station that sorts out another order is no worse.
    """
    good = await _takes_under(bench, bench.ca)
    if bench.station.security_profile == 3:
        chain = (await bench.settle()).client_chain
        bench.require(len(chain) > 1, "the intermediate is shown with the leaf", remark=True)
        bench.require(chain[:1] == (good.leaf,), "the new certificate is shown")
    # Never shown before, so that no station can know it.
    hidden = replace(bench.ca, common_name="ocppfuzz lab hidden intermediate")
    await refused(
        bench, "the intermediate left out", lambda d: Chain(d, (hidden,), order=Order.INCOMPLETE)
    )
    await refused(bench, "the leaf left out", lambda d: Chain(d, (bench.ca,), order=Order.NO_LEAF))
    others = (Order.LEAF_LAST, Order.REVERSED, Order.DOUBLED, Order.WITH_ROOT, Order.WITH_STRANGERS)
    for how in others:
        await _in_order(bench, how)
    await restored(bench)


async def _in_order(bench: StationBench, how: Order) -> None:
    with answering(bench):
        first = bench.server.count
        found = await renew(bench, lambda d: Chain(d, (bench.ca,), order=how))
        bench.record(how, found.answer)
        if not found.accepted or bench.station.security_profile < 3:
            return
        if how is Order.LEAF_LAST:
            bench.remark("a chain whose leaf comes last was accepted")
        sent = [*map(der_of, found.certificates)]
        used, _ = await switched(bench, first)
        bench.require(used in sent, f"a certificate of the accepted chain is used: {how}")


# --- sizes and garbage ------------------------------------------------------------------------------------


@tls_case(
    "TR-12",
    "A02.FR.16",
    expects="Rejected above MaxCertificateChainSize, CALLERROR or Rejected above 10000",
    severity=Severity.HIGH,
    needs=CSO_NEEDS,
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-770",
)
async def too_large(bench: StationBench) -> None:
    """A chain above MaxCertificateChainSize is Rejected, one above the 10000 characters of the schema is not taken.

    All is right with the chain but its length: blank lines behind it. Exactly 10000 characters are written down only.
    """
    await controlled(bench)
    said = await bench.session.get_variable("SecurityCtrlr", "MaxCertificateChainSize")
    bench.record("MaxCertificateChainSize", said or "not implemented")
    limit = int(said) if said and said.isdecimal() else 0
    if 0 < limit < MAX_CHAIN:
        answer = await _sized(bench, limit + 1)
        bench.require(answer == REJECTED, "a chain above MaxCertificateChainSize", answer)
    answer = await _sized(bench, MAX_CHAIN + 1)
    bench.require(answer != ACCEPTED, "10001 characters are not taken", answer)
    # It may close the connection over a message that is too long for it.
    bench.require(answer != SILENT, "10001 characters are answered", answer, remark=True)
    bench.record("10001 characters", answer)
    bench.record("10000 characters", await _sized(bench, MAX_CHAIN))
    await _lives(bench, "after long chains")
    await restored(bench)


async def _sized(bench: StationBench, size: int) -> str:
    with answering(bench):
        csr = await asked(bench)
        made = signer_of(bench).sign(csr, direct(proper(bench, csr)))
        first = bench.server.count
        answer = await send(bench, text_of(made).ljust(size, "\n"))
        if answer == ACCEPTED:
            await switched(bench, first)
        return answer


@tls_case(
    "TR-13",
    *("A02.FR.06", "A02.FR.07"),
    expects="Rejected or CALLERROR, and it lives on",
    severity=Severity.HIGH,
    endangers=("TC_A_14_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-20",
)
async def garbage(bench: StationBench) -> None:
    """What is no certificate in PEM is Rejected or answered with a CALLERROR, and the station goes on as before.

    Other writings of a good certificate (CRLF, a byte order mark, DER, PKCS #7, a key beside it) are written down only.
    """
    await controlled(bench)
    before, boots = await shown(bench), bench.session.booted
    with answering(bench):
        for label, text in _nonsense(text_of(signer_of(bench).sign(await asked(bench)))).items():
            answer = await send(bench, text)
            bench.record(label, answer)
            taken = answer in (ACCEPTED, SILENT)
            bench.require(not taken, f"Rejected or a CALLERROR: {label}", answer)
        for label in _writings(b""):
            csr = await asked(bench)
            made = signer_of(bench).sign(csr, direct(proper(bench, csr)))[0]
            first = bench.server.count
            answer = await send(bench, _writings(made)[label])
            bench.record(label, answer)
            bench.require(answer != SILENT, f"an answer: {label}", answer)
            if answer == ACCEPTED:
                before, _ = await switched(bench, first)
    await _lives(bench, "after garbage")
    if before:
        bench.require(await anew(bench) == before, "the certificate from before stays in use")
    again = bench.session.booted - boots
    bench.require(again <= 0, "no BootNotification meanwhile", again, remark=True)


def _nonsense(good: str) -> dict[str, str]:
    return {
        "garbage": "no certificate at all",
        "garbage in PEM": "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n",
        "half a certificate": good[: len(good) // 2],
        "no end": good.replace("-----END CERTIFICATE-----", ""),
        "empty": "",
    }


def _writings(pem: bytes) -> dict[str, str]:
    """A good certificate, written in other ways; b"" gives their names."""
    text = pem.decode("ascii")
    body = "".join(text.splitlines()[1:-1])
    seven = ""
    if pem:
        parsed = x509.load_pem_x509_certificate(pem)
        seven = pkcs7.serialize_certificates([parsed], serialization.Encoding.PEM).decode()
    key = pem_of(new_key(KeyKind.EC_P256)).decode() if pem else ""
    return {
        "CRLF": text.replace("\n", "\r\n"),
        "a byte order mark": "\ufeff" + text,
        "DER in base64": base64.b64encode(base64.b64decode(body)).decode(),
        "PKCS #7": seven,
        "a key beside it": text + key,
    }


async def _lives(bench: StationBench, when: str) -> None:
    """It is there, and answers; that it hung up meanwhile is no fault."""
    what = f"it answers {when}"
    try:
        await reachable(bench)
        await bench.session.get_variable("SecurityCtrlr", "OrganizationName")
    except (SessionError, Unfinished) as why:
        bench.require(holds=False, what=what, came=why)
        return
    bench.require(holds=True, what=what)
