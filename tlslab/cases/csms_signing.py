"""What a CSMS signs for a Charging Station, and which of its certificates it takes then (A02, A03, A04)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tlslab.csms_bench import CsmsBench, Unfinished, Visit
from tlslab.csr import Wish, csr
from tlslab.describe import DAY, Chain, KeyKind
from tlslab.keys import PrivateKey, new_key, pem_of
from tlslab.knock import Identity, Knock, Ticket
from tlslab.notes import NotAsked
from tlslab.pki import Credential
from tlslab.registry import Attacker, Effect, Need, Severity, tls_case
from tlslab.seen import Stage
from tlslab.session import AnsweredWithError, Dialogue, NotAnswered, NotSeen

SIGNED_S = 10.0
FLOOD = 10
TYPE = "ChargingStationCertificate"
_PASSING = "certificate that passes "
MUST_REJECT = "the CSMS signs no CSR with"


@dataclass(frozen=True, slots=True)
class Signed:
    """What the CSMS made of one CSR: the status or error code of its answer, and the certificates, PEM."""

    status: str
    chain: str = ""


async def _ask(dialogue: Dialogue, text: str) -> Signed:
    """One SignCertificateRequest, and the CertificateSignedRequest if one follows."""
    payload = {"csr": text, "certificateType": TYPE}
    try:
        status = str((await dialogue.call("SignCertificate", payload)).get("status", ""))
        if status != "Accepted":
            return Signed(status)
        told = await dialogue.wait_for("CertificateSigned", within=SIGNED_S)
    except AnsweredWithError as error:
        return Signed(error.code)
    except (NotSeen, NotAnswered) as why:
        return Signed(str(why))
    return Signed(status, str(told.get("certificateChain", "")))


def _in(visit: Visit) -> Dialogue:
    if visit.dialogue is None or visit.stage < Stage.OCPP:
        raise Unfinished("the BootNotification of a proper visitor was not accepted")
    return visit.dialogue


def _wish(bench: CsmsBench) -> Wish:
    return Wish(bench.csms.identity.common_name, bench.csms.organization)


async def _signs(bench: CsmsBench, dialogue: Dialogue) -> None:
    """A proper CSR is signed, without which nothing can be said of others. Raises `NotAsked`."""
    signed = await _ask(dialogue, csr(_wish(bench), new_key(KeyKind.EC_P256)))
    if not signed.chain:
        raise NotAsked(f"a CSMS that signs a proper CSR; this one answered: {signed.status}")
    _same(bench, "a proper CSR", signed)


def _same(bench: CsmsBench, label: str, signed: Signed) -> None:
    """What was signed is a certificate of ours, and no more than that."""
    try:
        leaf = x509.load_pem_x509_certificate(signed.chain.encode())
        names = [str(a.value) for a in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        owners = [
            str(a.value) for a in leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        ]
        found = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
        is_ca = found.ca
    except x509.ExtensionNotFound:
        is_ca = False
    except ValueError as why:
        bench.require(holds=False, what=f"{label}: the certificate can be read", came=why)
        return
    own = [bench.csms.identity.common_name]
    bench.require(names == own, f"{label}: the certificate names our identity", ", ".join(names))
    fits = owners == [bench.csms.organization]
    bench.require(fits, f"{label}: it names the operator", ", ".join(owners), remark=True)
    bench.require(not is_ca, f"{label}: it makes us no CA")
    weak = _weak(leaf)
    bench.require(not weak, f"{label}: its key is strong enough", weak)


def _weak(leaf: x509.Certificate) -> str:
    match leaf.public_key():
        case rsa.RSAPublicKey() as key if key.key_size < 2048:
            return f"RSA of {key.key_size} bits"
        case ec.EllipticCurvePublicKey() as key if key.curve.key_size < 224:
            return f"a curve of {key.curve.key_size} bits"
        case _:
            return ""


def _never(bench: CsmsBench) -> Mapping[str, str]:
    """CSRs that nobody may sign, by what is wrong with them."""
    wish = _wish(bench)
    key = new_key(KeyKind.EC_P256)
    good = csr(wish, key)
    return {
        "garbage in PEM": "-----BEGIN CERTIFICATE REQUEST-----\nbm90aGluZw==\n"
        "-----END CERTIFICATE REQUEST-----\n",
        "no PEM at all": "nothing",
        "5501 characters": good + "\n" * (5501 - len(good)),
        "an RSA key of 1024 bits": csr(wish, new_key(KeyKind.RSA_1024)),
        "a broken signature": csr(replace(wish, broken=True), key),
    }


def _odd(bench: CsmsBench) -> Mapping[str, Wish]:
    """Wishes that may be overlooked, not granted."""
    wish = _wish(bench)
    return {
        "another identity": replace(wish, common_name="ocppfuzz-somebody-else"),
        "another operator": replace(wish, organization="another operator"),
        "CA:TRUE": replace(wish, is_ca=True),
        "a subjectAltName": replace(wish, names=("csms.example.com",)),
    }


@tls_case(
    "TC-36",
    *("A02.FR.04", "A02.FR.11", "A02.FR.12", "A00.FR.405", "A00.FR.502"),
    expects="Rejected, or a certificate of ours only",
    severity=Severity.CRITICAL,
    endangers=("TC_A_11_CSMS", "TC_A_14_CSMS"),
    needs=(Need.OCPP,),
    effect=Effect.VOLATILE,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def what_is_signed(bench: CsmsBench) -> None:
    """The CSMS signs what a Charging Station may ask for and nothing else, whatever the CSR says."""
    async with bench.staying(_passing(bench, bench.csms.identity)) as visit:
        dialogue = _in(visit)
        dialogue.answer("CertificateSigned", {"status": "Rejected"})
        await _signs(bench, dialogue)
    for label, text in _never(bench).items():
        signed = await _alone(bench, text)
        bench.record(label, signed.status)
        if label == "5501 characters":
            # Only its length is wrong, against the schema.
            bench.require(not signed.chain, "a CSR longer than allowed is not signed", remark=True)
            continue
        bench.require(not signed.chain, f"{MUST_REJECT} {label}", signed.status)
    for label, wish in _odd(bench).items():
        signed = await _alone(bench, csr(wish, new_key(KeyKind.EC_P256)))
        bench.record(label, "signed" if signed.chain else signed.status)
        if signed.chain:
            _same(bench, label, signed)
    await bench.serves("after odd CSRs")


async def _alone(bench: CsmsBench, text: str) -> Signed:
    """What becomes of a CSR in a conversation of its own; the certificate is never taken."""
    async with bench.staying(_passing(bench, bench.csms.identity)) as visit:
        dialogue = _in(visit)
        dialogue.answer("CertificateSigned", {"status": "Rejected"})
        return await _ask(dialogue, text)


def _passing(bench: CsmsBench, who: Identity) -> Knock:
    """A proper visit, with a certificate of its own where one can be made: a CSMS at fault may drop the one it saw."""
    if bench.csms.security_profile < 3 or bench.authority is None:
        return bench.proper(identity=who)
    number = len([k for k in bench.memo if k.startswith(_PASSING)]) + 1
    bench.memo[f"{_PASSING}{number}"] = True
    leaf = replace(bench.leaf_of(who), validity=(200 + number) * DAY)
    return bench.proper(bench.chain(leaf), identity=who)


@tls_case(
    "TC-37",
    *("A02.FR.02", "A02.FR.11"),
    expects="record",
    severity=Severity.LOW,
    needs=(Need.OCPP,),
    effect=Effect.VOLATILE,
    attacker=Attacker.IS_PEER,
    cwe="CWE-770",
)
async def many_requests(bench: CsmsBench) -> None:
    """Whether a CSR for the same key is signed again, and how many in a row are."""
    # Whoever is limited after this is better not the one that later cases are about.
    who = bench.csms.other or bench.csms.identity
    text = csr(Wish(who.common_name, bench.csms.organization), new_key(KeyKind.EC_P256))
    async with bench.staying(_passing(bench, who)) as visit:
        dialogue = _in(visit)
        dialogue.answer("CertificateSigned", {"status": "Rejected"})
        signed = 0
        for _ in range(FLOOD):
            came = await _ask(dialogue, text)
            signed += bool(came.chain)
            if not came.chain:
                bench.record("stopped with", came.status)
                break
        bench.record("CSRs for one key that were signed", f"{signed} of {FLOOD}")
    await bench.serves("after many CSRs")


@tls_case(
    "TC-38",
    "A02.FR.07",
    expects="accept",
    severity=Severity.HIGH,
    endangers=("TC_A_14_CSMS",),
    needs=(Need.OCPP, Need.STATION_CA),
    profiles=(3,),
    effect=Effect.VOLATILE,
)
async def old_one_after_rejection(bench: CsmsBench) -> None:
    """A Charging Station that rejected its new certificate comes in with the old one."""
    old = bench.proper(_throw_away(bench, 100))
    async with bench.staying(old) as visit:
        dialogue = _in(visit)
        dialogue.answer("CertificateSigned", {"status": "Rejected"})
        await _signs(bench, dialogue)
    await bench.takes(old, label="the old certificate")


def _throw_away(bench: CsmsBench, days: int) -> Chain:
    """A certificate of ours that no other case shows: it may be taken back."""
    return bench.chain(replace(bench.leaf, validity=days * DAY))


@dataclass(frozen=True, slots=True)
class _Renewed:
    old: Knock
    new: Knock
    ticket: Ticket | None


async def _renewed(bench: CsmsBench, days: int) -> _Renewed:
    """Our certificate was renewed, and the new one was let in."""
    old = bench.proper(_throw_away(bench, days))
    key: PrivateKey = new_key(KeyKind.EC_P256)
    async with bench.staying(old) as visit:
        dialogue = _in(visit)
        dialogue.answer("CertificateSigned", {"status": "Accepted"})
        signed = await _ask(dialogue, csr(_wish(bench), key))
        ticket = visit.ticket
    if not signed.chain:
        raise NotAsked(f"a CSMS that signs a proper CSR; this one answered: {signed.status}")
    footer = f"{ssl.PEM_FOOTER}\n"
    pems = [p.strip() + "\n" + footer for p in signed.chain.split(ssl.PEM_FOOTER)[:-1]]
    first, *rest = (p.encode() for p in pems)
    credential = Credential(first, pem_of(key), tuple(rest))
    new = bench.proper(credential=credential, says={"chain": "the renewed one"})
    exposure = await bench.takes(new, label="the renewed certificate", control=new)
    if exposure.stage < Stage.WEBSOCKET:
        raise Unfinished("the renewed certificate was not let in")
    return _Renewed(old, new, ticket)


@tls_case(
    "TC-39",
    *("A01.FR.02", "A02.FR.08"),
    expects="record",
    severity=Severity.MEDIUM,
    endangers=("TC_A_11_CSMS",),
    needs=(Need.OCPP, Need.STATION_CA),
    profiles=(3,),
    effect=Effect.PERSISTENT,
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-613",
)
async def old_one_after_renewal(bench: CsmsBench) -> None:
    """The renewed certificate is let in; whether the old one still is, is written down."""
    renewed = await _renewed(bench, 101)
    await bench.either(renewed.old, label="the old certificate", control=renewed.new)


@tls_case(
    "TC-32",
    *("A00.FR.407", "A02.FR.08"),
    expects="refuse, or a full handshake",
    severity=Severity.MEDIUM,
    needs=(Need.OCPP, Need.STATION_CA),
    profiles=(3,),
    effect=Effect.PERSISTENT,
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-613",
)
async def old_session_after_renewal(bench: CsmsBench) -> None:
    """A session of a certificate that was replaced opens no more than the certificate itself does."""
    renewed = await _renewed(bench, 102)
    if renewed.ticket is None:
        bench.record("session", "none to resume")
        return
    plain = await bench.either(renewed.old, label="the old certificate", control=renewed.new)
    knock = replace(
        renewed.old,
        ticket=renewed.ticket,
        facts={**renewed.old.facts, "tls.session": "resumed"},
    )
    resumed = await bench.either(knock, label="its session, resumed", control=renewed.new)
    let_in = resumed.stage >= Stage.WEBSOCKET > plain.stage
    bench.require(not let_in, "resuming does not open what the certificate does not")


@tls_case(
    "TC-40",
    *("A04.FR.01", "A04.FR.03"),
    expects="confirmed",
    severity=Severity.MEDIUM,
    needs=(Need.OCPP,),
    attacker=Attacker.IS_PEER,
    cwe="CWE-20",
)
async def security_events(bench: CsmsBench) -> None:
    """Every security event is confirmed, also one of a type that the CSMS does not know."""
    moment = bench.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    events = {
        "a known type": {"type": "SettingSystemTime", "timestamp": moment},
        "an unknown type": {"type": "OcppfuzzUnknownEvent", "timestamp": moment},
        "techInfo that looks like another's": {
            "type": "SettingSystemTime",
            "timestamp": moment,
            "techInfo": "station=ocppfuzz-somebody-else; <b>'\"\\",
        },
    }
    async with bench.staying(bench.proper()) as visit:
        dialogue = _in(visit)
        for label, payload in events.items():
            came = ""
            try:
                await dialogue.call("SecurityEventNotification", payload)
            except (AnsweredWithError, NotAnswered) as why:
                came = str(why)
            bench.require(not came, f"confirmed: {label}", came)
    await bench.serves("after security events")
