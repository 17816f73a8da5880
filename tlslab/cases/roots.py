"""Installing, listing and deleting the roots by which a station knows its CSMS (M03 to M05)."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509

from tlslab.bench import StationBench, Unfinished
from tlslab.describe import DAY, Chain, Description
from tlslab.notes import NotAsked
from tlslab.offers import Offer
from tlslab.pki import issue
from tlslab.registry import Attacker, Effect, Need, Severity, tls_case
from tlslab.roots import (
    CSMS_ROOT,
    MANUFACTURER_ROOT,
    Trust,
    additional_check,
    delete,
    find,
    forget,
    hash_data,
    install,
    installed,
    listed,
    second,
    serial_of,
)
from tlslab.rotation import ACCEPTED, REJECTED, SILENT, reachable, shown

LONG_AGO = -30 * DAY
OVER = -2 * DAY
MAX_ROOT = 5500
"""Characters that InstallCertificateRequest.certificate may have."""
MANY = 25
NEEDS = (Need.OCPP, Need.CA_KEY)
FAILED, NOT_FOUND = "Failed", "NotFound"


def _under(bench: StationBench, trust: Trust, name: str = "a second root") -> Offer:
    """A proper offer of a chain under another root."""
    made = bench.offer(bench.chain(), by=trust.authority)
    return replace(made, facts={**made.facts, "chain.signed by": name})


@tls_case(
    "TR-30",
    *("M05.FR.01", "M05.FR.02"),
    expects="Accepted, and a chain under it is connected to",
    severity=Severity.HIGH,
    endangers=("TC_M_01_CS", "TC_M_12_CS", "TC_M_20_CS"),
    needs=NEEDS,
    items=("!AS-2",),
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
)
async def good_root(bench: StationBench) -> None:
    """A good CSMS root is accepted, listed, and the station connects to a server whose chain leads to it."""
    await bench.settle()
    async with installed(bench) as trust:
        there = find(await listed(bench), trust.root.certificate)
        bench.require(there is not None, "the new root is listed")
        await bench.takes(_under(bench, trust), label="a server under the new root")
        await bench.settle()


def _bad(bench: StationBench) -> dict[str, str]:
    """What is no root, by what is wrong with it."""
    now, kind = bench.now(), bench.key

    def made(name: str, **changes: object) -> str:
        described = Description(name, **{"key": kind, "is_ca": True, **changes})  # type: ignore[arg-type]
        return issue(described, now=now).certificate.decode("ascii")

    good = made("ocppfuzz lab long root")
    return {
        "a leaf": made("ocppfuzz lab no root", is_ca=False),
        "expired": made("ocppfuzz lab old root", begins=LONG_AGO, validity=OVER),
        "a broken signature": made("ocppfuzz lab broken root", broken=True),
        "garbage": "no certificate at all",
        "garbage in PEM": "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n",
        "5501 characters": good.ljust(MAX_ROOT + 1, "\n"),
    }


@tls_case(
    "TR-31",
    *("M05.FR.07", "M03.FR.01"),
    expects="Rejected or CALLERROR, and not listed",
    severity=Severity.HIGH,
    endangers=("TC_M_07_CS",),
    needs=NEEDS,
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def bad_roots(bench: StationBench) -> None:
    """What is no valid root is Rejected or answered with a CALLERROR, and is not listed afterwards.

    One that is over the schema's 5500 characters, or signed by another CA, may be taken: then it must be listed and
    be deleted like any other.
    """
    await bench.settle()
    additional = await additional_check(bench)
    if not additional:
        async with installed(bench):
            pass
    for label, pem in _bad(bench).items():
        await _offered(bench, label, pem, tolerated=label == "5501 characters")
    if bench.authority is not None and not additional:
        intermediate = bench.authority.issue(Chain(Description("ocppfuzz sub CA", is_ca=True)))
        pem = intermediate.certificate.decode("ascii")
        await _offered(bench, "an intermediate", pem, tolerated=True)
    await bench.again()


async def _offered(bench: StationBench, label: str, pem: str, *, tolerated: bool) -> None:
    before = {serial_of(data) for data in await listed(bench)}
    status = await install(bench, pem)
    bench.record(label, status)
    bench.require(status != SILENT, f"an answer: {label}", status)
    if status == SILENT:
        raise Unfinished("InstallCertificate is not answered")
    bench.require(status != ACCEPTED, f"not Accepted: {label}", status, remark=tolerated)
    new = [data for data in await listed(bench) if serial_of(data) not in before]
    if status == ACCEPTED:
        bench.require(new, f"what was accepted is listed: {label}")
    else:
        bench.require(not new, f"what was not accepted is not listed: {label}")
    for data in new:
        gone = await delete(bench, data)
        bench.require(gone == ACCEPTED, f"what was accepted can be deleted: {label}", gone)


# --- one root replaces another ----------------------------------------------------------------------------


async def _replacing(bench: StationBench) -> None:
    if not await additional_check(bench):
        raise NotAsked("a station whose AdditionalRootCertificateCheck is true")
    await bench.settle()


@tls_case(
    "TR-32",
    *("M05.FR.09", "M05.FR.10", "M05.FR.11"),
    expects="Rejected",
    severity=Severity.CRITICAL,
    endangers=("TC_M_09_CS",),
    needs=NEEDS,
    items=("AS-2",),
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def not_signed_by_old(bench: StationBench) -> None:
    """With AdditionalRootCertificateCheck a new CSMS root that the old one did not sign is Rejected."""
    await _replacing(bench)
    good = second(bench, "ocppfuzz lab next root", signed=True)
    status = await install(bench, good.pem)
    if status != ACCEPTED:
        raise Unfinished(f"a root that the old one signed was answered with {status}")
    await forget(bench, good.root.certificate)
    stray = second(bench, "ocppfuzz lab stray root")
    status = await install(bench, stray.pem)
    bench.require(status not in (ACCEPTED, SILENT), "a root of another is not accepted", status)
    bench.require(status == REJECTED, "a root of another is Rejected", status, remark=True)
    there = find(await listed(bench), stray.root.certificate)
    bench.require(there is None, "a root of another is not listed")
    if there is not None:
        await forget(bench, stray.root.certificate)
    await bench.again()


@tls_case(
    "TR-33",
    *("M05.FR.12", "M05.FR.13"),
    expects="the old root is removed once the new one worked",
    severity=Severity.HIGH,
    needs=NEEDS,
    items=("AS-2",),
    effect=Effect.ONE_WAY,
    attacker=Attacker.IS_PEER,
    cwe="CWE-324",
)
async def old_root_goes(bench: StationBench) -> None:
    """Once a connection under the new CSMS root succeeded, the old one is removed.

    From then on the station knows the lab by the new root alone.
    """
    await _replacing(bench)
    old = bench.authority.root if bench.authority is not None else None
    new = second(bench, "ocppfuzz lab next root", signed=True)
    status = await install(bench, new.pem)
    if status != ACCEPTED or old is None:
        raise Unfinished(f"a root that the old one signed was answered with {status}")
    both = len(await listed(bench))
    bench.record("roots while one replaces the other", both)
    try:
        await bench.again(_under(bench, new, "the next root"))
    except Unfinished as why:
        bench.require(holds=False, what="it connects to a server under the next root", came=why)
        await bench.again()
        await forget(bench, new.root.certificate)
        return
    bench.authority = new.authority
    await bench.settle()
    entries = await listed(bench)
    bench.require(find(entries, new.root.certificate) is not None, "the next root is listed")
    bench.require(find(entries, old.certificate) is None, "the old root is removed")


@tls_case(
    "TR-34",
    "M05.FR.14",
    expects="falls back to the old root",
    severity=Severity.CRITICAL,
    needs=NEEDS,
    items=("AS-2",),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-754",
)
async def falls_back_to_old_root(bench: StationBench) -> None:
    """While the server still shows the old chain, a station with a new root falls back to the old one and connects."""
    await _replacing(bench)
    new = second(bench, "ocppfuzz lab next root", signed=True)
    status = await install(bench, new.pem)
    if status != ACCEPTED:
        raise Unfinished(f"a root that the old one signed was answered with {status}")
    what = "it connects to the old chain, too"
    try:
        await bench.again()
    except Unfinished as why:
        bench.require(holds=False, what=what, came=why)
        await bench.again(_under(bench, new, "the next root"))
        return
    bench.require(holds=True, what=what)
    await forget(bench, new.root.certificate)


# --- the store --------------------------------------------------------------------------------------------


@tls_case(
    "TR-35",
    "M05.FR.06",
    expects="Rejected when it is full",
    severity=Severity.MEDIUM,
    needs=NEEDS,
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-770",
)
async def store_full(bench: StationBench) -> None:
    """When there is no room for another root it is Rejected, and the station works on; at most 25 are installed."""
    await bench.settle()
    use = MANUFACTURER_ROOT if await additional_check(bench) else CSMS_ROOT
    before = len(await listed(bench, use))
    made: list[bytes] = []
    status = ACCEPTED
    try:
        for number in range(MANY):
            root = second(bench, f"ocppfuzz lab root {number + 1}").root.certificate
            status = await install(bench, root.decode("ascii"), use)
            if status != ACCEPTED:
                break
            made.append(root)
        if status == SILENT:
            raise Unfinished(
                f"the InstallCertificate after {len(made)} was not answered: see TR-31"
            )
        if not made:
            raise NotAsked(f"a station that takes another {use}; it answered {status}")
        bench.record("roots taken", len(made))
        if status == ACCEPTED:
            bench.record("a full store", "not reached")
        else:
            bench.require(status == REJECTED, "one too many is Rejected", status, remark=True)
        there = len(await listed(bench, use)) - before
        bench.require(
            there == len(made), "all that were taken are listed", f"{there} of {len(made)}"
        )
        await bench.again()
    finally:
        for root in made:
            await forget(bench, root, use)


@tls_case(
    "TR-36",
    "M05.FR.17",
    expects="Accepted, and listed once",
    severity=Severity.LOW,
    needs=NEEDS,
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
)
async def same_root_again(bench: StationBench) -> None:
    """A root that is installed already is Accepted once more, and listed once."""
    await bench.settle()
    signed = await additional_check(bench)
    trust = second(bench, "ocppfuzz lab same root", signed=signed)
    status = await install(bench, trust.pem)
    if status != ACCEPTED:
        raise Unfinished(f"InstallCertificate of a good CSMS root was answered with {status}")
    again = await install(bench, trust.pem)
    serial = f"{trust.root.x509.serial_number:x}"
    entries = [data for data in await listed(bench) if serial_of(data) == serial]
    bench.require(again == ACCEPTED, "the same root is Accepted again", again)
    bench.require(len(entries) == 1, "the same root is listed once", len(entries))
    await forget(bench, trust.root.certificate)


# --- deleting ---------------------------------------------------------------------------------------------


@tls_case(
    "TR-37",
    *("M04.FR.01", "M04.FR.03", "M04.FR.04", "M04.FR.06", "M04.FR.07"),
    expects="Failed for the last root and its own, NotFound for what is not there",
    severity=Severity.CRITICAL,
    endangers=("TC_M_22_CS", "TC_M_23_CS"),
    needs=NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-754",
)
async def not_to_be_deleted(bench: StationBench) -> None:
    """The last CSMS root, where AQ-1 is No, and its own certificate stay; what is not installed is not found.

    Without a declared AQ-1 the last root is left alone: deleting it is no fault, and would lock the station out.
    """
    await bench.settle()
    await _not_found(bench)
    await _own_certificate(bench)
    await _last_root(bench)
    await bench.again()


async def _not_found(bench: StationBench) -> None:
    signed = await additional_check(bench)
    stranger = second(bench, "ocppfuzz lab absent root").root.certificate
    status = await delete(bench, hash_data(stranger, stranger))
    bench.require(status == NOT_FOUND, "a root that was never installed is NotFound", status)
    trust = second(bench, "ocppfuzz lab second root", signed=signed)
    status = await install(bench, trust.pem)
    if status != ACCEPTED:
        raise Unfinished(f"InstallCertificate of a good CSMS root was answered with {status}")
    data = find(await listed(bench), trust.root.certificate)
    if data is None:
        raise Unfinished("an installed root is not listed: see TR-30")
    width = len(str(data["issuerNameHash"]))
    odd = {**data, "issuerNameHash": "0" * width, "issuerKeyHash": "0" * width}
    status = await delete(bench, odd)
    bench.require(status == NOT_FOUND, "the serial number of a root alone finds nothing", status)
    other = next(a for a in ("SHA512", "SHA384") if a != data["hashAlgorithm"])
    issuer = bench.authority.root.certificate if signed and bench.authority else None
    name = hash_data(trust.root.certificate, issuer or trust.root.certificate, other)
    bench.record(f"a root by its {other} name", await delete(bench, name))
    await forget(bench, trust.root.certificate)


async def _own_certificate(bench: StationBench) -> None:
    leaf = await shown(bench)
    issuer = _issuer(bench, leaf) if leaf else None
    if issuer is None:
        bench.record("its own certificate", "not tried: its issuer is not known")
        return
    status = await delete(bench, hash_data(leaf, issuer))
    kept = status in (FAILED, NOT_FOUND)
    bench.require(kept, "its own certificate is not deleted", status)


def _issuer(bench: StationBench, leaf: bytes) -> bytes | None:
    """The certificate of who signed this one, among those that are known."""
    newest = bench.server.newest
    known = [*(newest.client_chain[1:] if newest else ()), *bench.station.own_roots]
    wanted = x509.load_der_x509_certificate(leaf).issuer
    for data in known:
        pem = data.startswith(b"-----")
        read = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
        if read(data).subject == wanted:
            return data
    return None


async def _last_root(bench: StationBench) -> None:
    entries = await listed(bench)
    root = bench.authority.root.certificate if bench.authority is not None else b""
    data = find(entries, root) if root else None
    declared = bench.station.items.get("AQ-1")
    if declared is not False or data is None or len(entries) != 1:
        bench.record("the last CSMS root", "not tried")
        return
    status = await delete(bench, data)
    bench.require(status == FAILED, "the last CSMS root is not deleted", status)
    if status == ACCEPTED:
        again = await install(bench, root.decode("ascii"))
        bench.record("the last CSMS root, installed again", again)


@tls_case(
    "TR-38",
    *("M04.FR.02", "A00.FR.308", "A00.FR.411"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS", "TC_M_20_CS"),
    needs=NEEDS,
    items=("!AS-2",),
    effect=Effect.PERSISTENT,
    attacker=Attacker.ON_PATH,
    cwe="CWE-295",
)
async def deleted_root(bench: StationBench) -> None:
    """A server whose chain leads to a root that was deleted is refused; while it was installed it was let in."""
    await bench.settle()
    async with installed(bench, "ocppfuzz lab short-lived root") as trust:
        offer = _under(bench, trust, "a root that is installed")
        await bench.takes(offer, label="while its root is installed")
        await bench.settle()
    if find(await listed(bench), trust.root.certificate) is not None:
        raise Unfinished("the root is still listed after it was deleted")
    gone = _under(bench, trust, "a root that was deleted")
    await bench.refuses(gone, label="after its root was deleted")
    await reachable(bench)


@tls_case(
    "TR-39",
    *("M05.FR.07", "A05.FR.02"),
    expects="no more is taken than over TLS",
    severity=Severity.MEDIUM,
    needs=(Need.OCPP,),
    profiles=(1,),
    effect=Effect.PERSISTENT,
    attacker=Attacker.ON_PATH,
    cwe="CWE-295",
)
async def without_tls(bench: StationBench) -> None:
    """Over a connection without TLS, too, what is no valid root is not installed; what else is taken is written down.

    Anybody on the path can install a root then, which the next security profile would trust.
    """
    await bench.settle()
    for label, pem in _bad(bench).items():
        await _offered(bench, label, pem, tolerated=label == "5501 characters")
    if not await additional_check(bench):
        trust = second(bench, "ocppfuzz lab root without TLS")
        bench.record("a good root", await install(bench, trust.pem))
        await forget(bench, trust.root.certificate)
