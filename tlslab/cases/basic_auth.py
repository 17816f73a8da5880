"""Basic authentication at the door of a CSMS in security profile 2 (A00.FR.303, FR.324; RFC 7617)."""

from __future__ import annotations

import base64

from tlslab.csms_bench import TOO_MANY, CsmsBench
from tlslab.knock import Knock
from tlslab.notes import NotAsked
from tlslab.offers import Engine
from tlslab.registry import Attacker, Effect, Need, Severity, tls_case
from tlslab.seen import Stage

BASIC = ("A00.FR.303", "A00.FR.324")
FAILURES = 30


def _own(bench: CsmsBench) -> tuple[str, str]:
    identity = bench.csms.identity
    if identity.password is None:
        raise NotAsked("the Basic password of our identity")
    return identity.name, identity.password


def _basic(bench: CsmsBench, user: str, password: str, says: str) -> Knock:
    return bench.proper(basic=(user, password), says={"http.basic": says})


def _header(bench: CsmsBench, says: str, *values: str) -> Knock:
    """A visit with these Authorization headers, word for word."""
    headers = tuple(("Authorization", value) for value in values)
    facts = {"http.basic": says, "http.headers": "none"}
    return bench.proper(basic=None, headers=headers, says=facts)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@tls_case(
    "TC-41",
    *BASIC,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_03_CSMS",),
    profiles=(2,),
    attacker=Attacker.REACHES,
    cwe="CWE-287",
)
async def wrong_password(bench: CsmsBench) -> None:
    """Only the password of the Charging Station opens its path, character for character."""
    user, password = _own(bench)
    wrong = {
        "another password": "ocppfuzz-is-not-it-0000",
        "one character more": password + "0",
        "one character less": password[:-1],
        "upper and lower case swapped": password.swapcase(),
        "empty": "",
        "the identity": user,
    }
    for label, given in wrong.items():
        if given != password:
            await bench.refuses(_basic(bench, user, given, label), label=label)


@tls_case(
    "TC-42",
    *BASIC,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_03_CSMS",),
    profiles=(2,),
    attacker=Attacker.REACHES,
    cwe="CWE-306",
)
async def no_credentials(bench: CsmsBench) -> None:
    """Nobody comes in without Basic credentials."""
    knock = bench.proper(basic=None, says={"http.basic": "none"})
    await bench.refuses(knock, label="no Authorization header")


@tls_case(
    "TC-43",
    *BASIC,
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_03_CSMS",),
    profiles=(2,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-287",
)
async def wrong_user(bench: CsmsBench) -> None:
    """The Basic user is the identity of the Charging Station; the right password under another name is none."""
    user, password = _own(bench)
    for label, name in (("another name", "somebody"), ("empty", ""), ("longer", user + "0")):
        await bench.refuses(_basic(bench, name, password, f"user: {label}"), label=f"user: {label}")


@tls_case(
    "TC-44",
    *BASIC,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_03_CSMS",),
    needs=(Need.TWO_IDENTITIES,),
    profiles=(2,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-639",
)
async def credentials_of_another(bench: CsmsBench) -> None:
    """The credentials of one Charging Station do not open the path of another, whole or mixed."""
    user, password = _own(bench)
    other = bench.other
    if other.password is None or other.password == password:
        raise NotAsked("a second identity with a password of its own")
    theirs = _basic(bench, other.name, other.password, "those of another")
    await bench.refuses(theirs, label="its name and password on our path")
    mixed = _basic(bench, user, other.password, "the password of another")
    await bench.refuses(mixed, label="our name with its password")
    control = bench.proper(identity=other)
    ours = bench.proper(identity=other, basic=(user, password), says={"http.basic": "ours"})
    await bench.refuses(ours, label="our name and password on its path", control=control)


@tls_case(
    "TC-45",
    *BASIC,
    expects="accept",
    severity=Severity.MEDIUM,
    endangers=("TC_A_02_CSMS",),
    profiles=(2,),
)
async def scheme_in_any_case(bench: CsmsBench) -> None:
    """The name of the scheme is case-insensitive: `basic` is as good as `Basic` (RFC 9110 11.1)."""
    user, password = _own(bench)
    told = _encoded(f"{user}:{password}".encode())
    for scheme in ("basic", "BASIC"):
        await bench.takes(_header(bench, f"its own as {scheme}", f"{scheme} {told}"), label=scheme)


@tls_case(
    "TC-46",
    *BASIC,
    expects="refuse",
    severity=Severity.HIGH,
    profiles=(2,),
    attacker=Attacker.REACHES,
    cwe="CWE-20",
)
async def odd_headers(bench: CsmsBench) -> None:
    """An Authorization header that is no proper one opens nothing, and the CSMS survives it."""
    user, password = _own(bench)
    wrong = f"{user}:ocppfuzz-is-not-it-0000".encode()
    odd = {
        "not base64": "Basic !!!!",
        "nothing behind the scheme": "Basic",
        "no colon": "Basic " + _encoded(user.encode()),
        "a NUL before the colon": "Basic " + _encoded(f"{user}\0:x".encode()),
        "a NUL behind the password": "Basic " + _encoded(f"{user}:{password}\0x".encode()),
        "no UTF-8": "Basic " + _encoded(user.encode() + b":\xff\xfe\xfd"),
        "4000 characters": "Basic " + _encoded(user.encode() + b":" + b"x" * 3000),
        "another scheme": "Bearer " + _encoded(wrong),
    }
    for label, value in odd.items():
        await bench.refuses(_header(bench, label, value), label=label)


@tls_case(
    "TC-47",
    *BASIC,
    expects="record",
    severity=Severity.LOW,
    profiles=(2,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-444",
)
async def two_headers(bench: CsmsBench) -> None:
    """Which of two Authorization headers counts: whoever stands before the CSMS may see another one."""
    user, password = _own(bench)
    right = "Basic " + _encoded(f"{user}:{password}".encode())
    wrong = "Basic " + _encoded(f"{user}:ocppfuzz-is-not-it-0000".encode())
    for label, values in (("right, wrong", (right, wrong)), ("wrong, right", (wrong, right))):
        await bench.either(_header(bench, label, *values), label=label)


@tls_case(
    "TC-48",
    "A00.FR.324",
    expects="a limit on failed attempts",
    severity=Severity.LOW,
    profiles=(2,),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.REACHES,
    cwe="CWE-307",
)
async def failed_attempts(bench: CsmsBench) -> None:
    """After many wrong passwords the CSMS slows down or turns everything away for a while."""
    user, _ = _own(bench)
    knock = _basic(bench, user, "ocppfuzz-is-not-it-0000", "a wrong password")
    limited = 0
    for _ in range(FAILURES):
        visit = await bench.knock(knock)
        if visit.stage >= Stage.WEBSOCKET:
            bench.require(holds=False, what="a wrong password never opens it")
            return
        if visit.connection.status in TOO_MANY or visit.stage < Stage.UPGRADE:
            limited += 1
    bench.record("attempts", f"{FAILURES}, of which {limited} were not looked at")
    if not limited:
        bench.remark(f"{FAILURES} wrong passwords in a row met no limit")
    await bench.serves("after many wrong passwords")


@tls_case(
    "TC-49",
    "A00.FR.303",
    expects="accept",
    severity=Severity.LOW,
)
async def encoded_identity(bench: CsmsBench) -> None:
    """A percent-encoded identity is the same identity (Part 4 section 3.1.1; RFC 3986 2.3)."""
    name = bench.csms.identity.name
    first = f"%{name[:1].encode()[0]:02X}" if name[:1].isascii() else ""
    if not first:
        raise NotAsked("an identity that begins with an ASCII character")
    encoded = bench.path_of(name[1:]).removeprefix(bench.csms.path)
    path = bench.csms.path + first + encoded
    await bench.either(bench.proper(path=path), label=path)


@tls_case(
    "TC-50",
    *("A00.FR.312", "A00.FR.415", "A00.FR.003"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_04_CSMS",),
    attacker=Attacker.ON_PATH,
    cwe="CWE-319",
)
async def plain_text(bench: CsmsBench) -> None:
    """Plain text at a port of TLS is not answered as a WebSocket; no real password is ever sent this way."""
    invented = (bench.csms.identity.name, "ocppfuzz-is-not-it-0000")
    basic = None if bench.csms.security_profile == 3 else invented
    knock = bench.proper(engine=Engine.PLAIN, basic=basic, credential=None)
    exposure = await bench.refuses(knock, label="ws:// at the port of wss://")
    asked = any(c.status == 401 for c in exposure.connections)
    bench.require(not asked, "no password is asked for in plain text")


@tls_case(
    "TC-52",
    *("A00.FR.001", "A00.FR.002", "A05.FR.07"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_19_CSMS",),
    profiles=(2,),
    attacker=Attacker.REACHES,
    cwe="CWE-287",
)
async def strict_identity(bench: CsmsBench) -> None:
    """A Charging Station of security profile 3 is not let in where passwords are taken, with or without one."""
    name = bench.csms.strict
    if not name:
        raise NotAsked("an identity of security profile 3, beside the port of security profile 2")
    path, tried = (
        bench.path_of(name),
        {"no password": None, "an invented password": (name, "x" * 20)},
    )
    for label, basic in tried.items():
        says = {"http.basic": label}
        await bench.refuses(
            bench.proper(path=path, serial=name, basic=basic, says=says), label=label
        )
