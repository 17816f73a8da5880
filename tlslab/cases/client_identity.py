"""Client certificates at the door of a CSMS: who signed them, whose they are, when they hold (A00.FR.401 to FR.429)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from tlslab.csms_bench import CsmsBench, Unfinished
from tlslab.describe import DAY, Description, Digest, KeyKind, Root
from tlslab.keys import new_key, pem_of
from tlslab.notes import NotAsked
from tlslab.offers import TLS_1_2, Engine
from tlslab.registry import Attacker, Need, Severity, left_out, tls_case
from tlslab.seen import Stage

PATH = ("A00.FR.403", "A00.FR.407")
NAME = ("A00.FR.405", "A00.FR.407", "B01.FR.12")
KEYS = ("A00.FR.501", "A00.FR.502", "A00.FR.503", "A00.FR.504", "A00.FR.506")
CA = (Need.STATION_CA,)


@tls_case(
    "TC-13",
    *("A00.FR.401", "A00.FR.407"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_07_CSMS", "TC_A_08_CSMS"),
    profiles=(3,),
    attacker=Attacker.REACHES,
    cwe="CWE-306",
)
async def no_certificate(bench: CsmsBench) -> None:
    """Nobody comes in without a client certificate."""
    await bench.refuses(bench.proper(credential=None), label="no certificate")


@tls_case(
    "TC-30",
    *("A00.FR.002", "A05.FR.07"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_19_CSMS",),
    profiles=(3,),
    attacker=Attacker.REACHES,
    cwe="CWE-287",
)
async def password_instead(bench: CsmsBench) -> None:
    """A Basic password does not take the place of the client certificate of security profile 3."""
    basic = (bench.csms.identity.name, "ocppfuzz-password")
    knock = bench.proper(credential=None, basic=basic, says={"http.basic": "an invented one"})
    await bench.refuses(knock, label="a password, no certificate")


@tls_case(
    "TC-14",
    *PATH,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_08_CSMS",),
    profiles=(3,),
    attacker=Attacker.REACHES,
    cwe="CWE-295",
)
async def self_signed(bench: CsmsBench) -> None:
    """A certificate that is signed with its own key opens nothing."""
    await _root(bench, Root.NONE)


@tls_case(
    "TC-15",
    *PATH,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_08_CSMS",),
    profiles=(3,),
    attacker=Attacker.REACHES,
    cwe="CWE-295",
)
async def unknown_root(bench: CsmsBench) -> None:
    """A certificate under a root that the CSMS does not know opens nothing."""
    await _root(bench, Root.STRANGER)


@tls_case(
    "TC-16",
    *PATH,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_08_CSMS",),
    profiles=(3,),
    attacker=Attacker.REACHES,
    cwe="CWE-295",
)
async def namesake_root(bench: CsmsBench) -> None:
    """A root that only has the name of the trusted one, and another key, vouches for nobody."""
    await _root(bench, Root.NAMESAKE)


async def _root(bench: CsmsBench, root: Root) -> None:
    # Nobody needs the CA's key for this; with it the control differs in the root alone.
    control = bench.proper(None if bench.authority is None else bench.chain())
    await bench.refuses(bench.proper(bench.chain(root=root)), label=root, control=control)


@tls_case(
    "TC-17",
    *("A00.FR.403", "A00.FR.407", "A00.FR.429"),
    expects="refuse, or Pending where it is configured so",
    severity=Severity.HIGH,
    endangers=("TC_A_08_CSMS",),
    needs=CA,
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-298",
)
async def expired(bench: CsmsBench) -> None:
    """An expired certificate is refused, or at most answered with Pending so that it can be renewed."""
    leaf = replace(bench.leaf, begins=-30 * DAY, validity=-2 * DAY)
    await bench.refuses(
        bench.proper(bench.chain(leaf)),
        label="expired two days ago",
        control=bench.proper(bench.chain()),
        tolerated=Stage.WEBSOCKET,
    )


@tls_case(
    "TC-18",
    *PATH,
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_08_CSMS",),
    needs=CA,
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-298",
)
async def not_yet_valid(bench: CsmsBench) -> None:
    """A certificate whose time begins in two days is refused."""
    leaf = replace(bench.leaf, begins=2 * DAY)
    control = bench.proper(bench.chain())
    await bench.refuses(bench.proper(bench.chain(leaf)), label="in two days", control=control)


@tls_case(
    "TC-19",
    *NAME,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_08_CSMS",),
    needs=(Need.TWO_IDENTITIES,),
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-639",
)
async def certificate_of_another(bench: CsmsBench) -> None:
    """The valid certificate of one Charging Station does not open the path of another."""
    control = bench.proper(identity=bench.other)
    ours = bench.csms.identity
    for serial, label in (
        (ours.common_name, "our path and serial number, its certificate"),
        (bench.other.common_name, "our path, its certificate and serial number"),
    ):
        knock = bench.proper(identity=bench.other, path=bench.path_of(ours.name), serial=serial)
        await bench.refuses(knock, label=label, control=control, tolerated=Stage.WEBSOCKET)
    label = "our path and certificate, its serial number"
    exposure = await bench.either(bench.proper(serial=bench.other.common_name), label=label)
    bench.require(exposure.stage < Stage.OCPP, f"no boot is accepted: {label}")


async def _other_leaf(
    bench: CsmsBench, leaf: Description, label: str, *, later: bool = True
) -> None:
    knock = bench.proper(bench.chain(leaf))
    control = bench.proper(bench.chain())
    tolerated = Stage.WEBSOCKET if later else None
    await bench.refuses(knock, label=label, control=control, tolerated=tolerated)


@tls_case(
    "TC-20",
    *("A00.FR.404", "A00.FR.407"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_08_CSMS",),
    needs=CA,
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-295",
)
async def another_owner(bench: CsmsBench) -> None:
    """A certificate whose organizationName is not the operator's is refused, though its CA is trusted."""
    for owner in ("another operator", None):
        leaf = replace(bench.leaf, organization=owner)
        await _other_leaf(bench, leaf, f"organizationName {owner or 'absent'}", later=False)


@tls_case(
    "TC-21",
    *(*NAME, "A00.FR.511"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_08_CSMS",),
    needs=CA,
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-297",
)
async def names_alike(bench: CsmsBench) -> None:
    """A commonName that only resembles the serial number is another's: longer, shorter, with NUL, in a list."""
    own = bench.csms.identity.common_name
    alike = {
        "something behind": own + "0",
        "something before": "0" + own,
        "one character less": own[:-1],
        "a NUL and more": own + "\0.example",
        "a list": f"{own},other",
        "in another's name": f"other/CN={own}",
        "a pattern": "*",
    }
    for label, name in alike.items():
        if name and name != own and len(name) <= 64:
            await _other_leaf(bench, replace(bench.leaf, common_name=name), label)
    # OCPP's identifiers are case-insensitive strings (Part 2, 2.1), and names are compared without regard to spaces
    # around them (RFC 5280 7.1), so that both answers can be argued for.
    for label, name in (("upper and lower case", own.swapcase()), ("a space behind", f"{own} ")):
        if name != own and len(name) <= 64:
            knock = bench.proper(bench.chain(replace(bench.leaf, common_name=name)))
            await bench.either(knock, label=label, control=bench.proper(bench.chain()))


@tls_case(
    "TC-22",
    *NAME,
    expects="refuse",
    severity=Severity.HIGH,
    needs=CA,
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-297",
)
async def name_elsewhere(bench: CsmsBench) -> None:
    """The serial number in subjectAltName alone does not name a Charging Station: its commonName does."""
    own = bench.csms.identity.common_name
    leaf = replace(bench.leaf, common_name="somebody-else", names=(own,))
    await _other_leaf(bench, leaf, "in subjectAltName only")


@tls_case(
    "TC-23",
    *PATH,
    expects="refuse",
    severity=Severity.MEDIUM,
    needs=CA,
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-295",
)
async def server_certificate(bench: CsmsBench) -> None:
    """A certificate for servers alone is none of a Charging Station (RFC 5280 section 4.2.1.12), whatever its name."""
    leaf = replace(bench.leaf, extended=("serverAuth",))
    await _other_leaf(bench, leaf, "serverAuth only", later=False)


@tls_case(
    "TC-24",
    *PATH,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_08_CSMS",),
    needs=CA,
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-295",
)
async def no_ca(bench: CsmsBench) -> None:
    """Only a CA may sign: no Charging Station's certificate, none without basicConstraints, none too deep."""
    leaf_signs = bench.proper(bench.chain(leaf_signs=True))
    plain = bench.proper(bench.chain())
    await bench.refuses(leaf_signs, label="signed by a Charging Station", control=plain)
    one = bench.proper(bench.chain(cas=(bench.ca,)))
    for label, is_ca in (("without basicConstraints", None), ("which says it is no CA", False)):
        ca = replace(bench.ca, is_ca=is_ca)
        knock = bench.proper(bench.chain(cas=(ca,)))
        await bench.refuses(knock, label=f"an issuer {label}", control=one)
    lower = replace(bench.ca, common_name="ocppfuzz lab lower intermediate")
    upper = replace(bench.ca, path_length=1)
    deep = bench.proper(bench.chain(cas=(replace(upper, path_length=0), lower)))
    allowed = bench.proper(bench.chain(cas=(upper, lower)))
    await bench.refuses(deep, label="deeper than pathLen allows", control=allowed)


@tls_case(
    "TC-25",
    *KEYS,
    expects="refuse",
    severity=Severity.HIGH,
    needs=CA,
    profiles=(3,),
    attacker=Attacker.ON_PATH,
    cwe="CWE-326",
)
async def weak(bench: CsmsBench) -> None:
    """Certificates with short keys, or signed with SHA-1 or MD5, are refused."""
    rsa = replace(bench.leaf, key=KeyKind.RSA_2048)
    # TLS 1.3 has no such keys at all, so that a client could not show them.
    control = bench.proper(bench.chain(rsa), highest=TLS_1_2)
    for kind in (KeyKind.RSA_1024, KeyKind.RSA_512):
        knock = bench.proper(bench.chain(replace(rsa, key=kind)), highest=TLS_1_2)
        await bench.refuses(knock, label=kind, control=control)
    curve = replace(bench.leaf, key=KeyKind.EC_P192)
    knock = bench.proper(bench.chain(curve), highest=TLS_1_2)
    control = bench.proper(bench.chain(), highest=TLS_1_2)
    await bench.refuses(knock, label=KeyKind.EC_P192, control=control)
    # Only an RSA key signs with MD5.
    signer = (replace(bench.ca, key=KeyKind.RSA_2048),)
    control = bench.proper(bench.chain(cas=signer), highest=TLS_1_2)
    for digest in (Digest.SHA1, Digest.MD5):
        chain = bench.chain(replace(bench.leaf, digest=digest), cas=signer)
        knock = bench.proper(chain, highest=TLS_1_2)
        await bench.refuses(knock, label=f"signed with {digest}", control=control)


@tls_case(
    "TC-26",
    *("A00.FR.702", "A00.FR.705"),
    expects="refuse",
    severity=Severity.HIGH,
    needs=(Need.REVOCATION,),
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-299",
)
async def revoked(bench: CsmsBench) -> None:
    """A certificate that its CA has revoked opens nothing."""
    if bench.revoked is None:
        raise NotAsked(Need.REVOCATION)
    says = {"chain": "one that is revoked"}
    await bench.refuses(bench.proper(credential=bench.revoked, says=says), label="revoked")


@tls_case(
    "TC-27",
    *("A00.FR.403", "A00.FR.420"),
    expects="refuse",
    severity=Severity.CRITICAL,
    profiles=(3,),
    attacker=Attacker.REACHES,
    cwe="CWE-295",
)
async def key_not_held(bench: CsmsBench) -> None:
    """Who shows a Charging Station's certificate must prove that it holds its key: certificates are no secret."""
    credential = bench.proper().credential
    if credential is None:
        raise NotAsked("the certificate of our identity")
    kind = KeyKind.EC_P256 if credential.elliptic else KeyKind.RSA_2048
    control = bench.proper(engine=Engine.TLSLITE, highest=TLS_1_2)
    knock = bench.proper(engine=Engine.TLSLITE, highest=TLS_1_2, sign_with=pem_of(new_key(kind)))
    await bench.refuses(knock, label="signed with another key", control=control)


left_out(
    "TC-28",
    "which manufacturers' roots a CSMS trusts is its own affair, and the lab holds no key of one; "
    "a certificate under a root that is none of the operator's is TC-15",
)


@tls_case(
    "TC-29",
    "A00.FR.427",
    expects="record",
    severity=Severity.MEDIUM,
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-294",
)
async def twice_at_once(bench: CsmsBench) -> None:
    """What becomes of a Charging Station when somebody else comes in with its certificate."""
    knock = bench.proper()
    async with bench.staying(knock) as first, bench.staying(knock) as second:
        if first.stage < Stage.WEBSOCKET or first.dialogue is None:
            raise Unfinished("the first visit was not let in")
        bench.record("the second", "let in" if second.stage >= Stage.WEBSOCKET else "refused")
        bench.record("the first", "goes on" if first.dialogue.open else "is closed")
    await bench.serves("after two visits at once")


@tls_case(
    "TC-33",
    *PATH,
    expects="ignored",
    severity=Severity.CRITICAL,
    profiles=(3,),
    attacker=Attacker.REACHES,
    cwe="CWE-290",
)
async def certificate_in_headers(bench: CsmsBench) -> None:
    """Headers that a proxy would set do not take the place of a client certificate, nor of the name in it."""
    own = bench.proper().credential
    if own is None:
        raise NotAsked("the certificate of our identity")
    name = bench.csms.identity.common_name
    pem = quote(own.certificate.decode())
    kinds = {
        "X-SSL-*": (("X-SSL-Client-Cert", pem), ("X-SSL-Client-Verify", "SUCCESS")),
        "ssl-client-*": (("ssl-client-cert", pem), ("ssl-client-verify", "SUCCESS")),
        "X-Client-Cert": (("X-Client-Cert", pem), ("X-Client-CN", name), ("X-SSL-Client-CN", name)),
        "X-Forwarded-*": (
            ("X-Forwarded-Client-Cert", f'Cert="{pem}";Subject="CN={name}"'),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Proto", "https"),
        ),
    }
    for label, headers in kinds.items():
        control = bench.proper(headers=headers)
        knock = bench.proper(credential=None, headers=headers)
        await bench.refuses(knock, label=f"{label}, no certificate", control=control)
        if bench.csms.other is not None:
            other = bench.proper(
                identity=bench.csms.other,
                path=bench.path_of(bench.csms.identity.name),
                serial=name,
                headers=headers,
            )
            label = f"{label}, the certificate of another"
            await bench.refuses(other, label=label, control=control, tolerated=Stage.WEBSOCKET)
