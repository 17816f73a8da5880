"""What the station offers in its ClientHello: read only, on a connection that is there anyway."""

from __future__ import annotations

from collections.abc import Sequence

from tlslab.bench import StationBench, is_address
from tlslab.codes import group_name, is_md5_scheme, is_sha1_scheme, is_weak_group, scheme_name
from tlslab.offers import ECDSA_SUITES, RSA_SUITES, TLS_1_2, TLS_1_3
from tlslab.registry import Severity, tls_case
from tlslab.suites import forbidden, legacy, suite, suite_name
from tlslab.wire import ClientHello, version_name

HELLOS = 5


def _names(codes: Sequence[int]) -> str:
    return ", ".join(suite_name(code) for code in codes) or "none"


@tls_case(
    "TS-01",
    *("A00.FR.313", "A00.FR.314", "A00.FR.416", "A00.FR.417"),
    expects="TLS 1.2 or above",
    severity=Severity.CRITICAL,
    endangers=("TC_A_04_CS", "TC_A_07_CS"),
    cwe="CWE-326",
    telling=True,
)
async def offers_current_version(bench: StationBench) -> None:
    """The ClientHello offers TLS 1.2 or above."""
    hello = await bench.hello()
    bench.record("versions", ", ".join(hello.version_names))
    bench.record("fingerprint (JA3)", hello.fingerprint)
    best = max(hello.versions, default=0)
    bench.require(best >= TLS_1_2, "TLS 1.2 or above is offered", version_name(best))


@tls_case(
    "TS-02",
    *("A00.FR.313", "A00.FR.416"),
    expects="nothing below TLS 1.2",
    severity=Severity.HIGH,
    endangers=("TC_A_06_CS",),
    cwe="CWE-327",
    telling=True,
)
async def offers_no_old_version(bench: StationBench) -> None:
    """The ClientHello offers no version below TLS 1.2, where it lists its versions.

    Without the extension of RFC 8446 only the highest one is told; TS-14 to TS-16 try the others.
    """
    hello = await bench.hello()
    old = [version_name(v) for v in hello.supported_versions if v in hello.versions and v < TLS_1_2]
    listed = ", ".join(version_name(v) for v in hello.supported_versions if v in hello.versions)
    bench.record("supported_versions", listed or "not sent")
    bench.require(not old, "no version below TLS 1.2 is listed", ", ".join(old))


@tls_case(
    "TS-03",
    *("A00.FR.319", "A00.FR.422"),
    expects="both ECDSA suites, or both RSA suites",
    severity=Severity.HIGH,
    endangers=("TC_A_04_CS", "TC_A_07_CS"),
    telling=True,
)
async def offers_a_pair(bench: StationBench) -> None:
    """The ClientHello offers both ECDHE_ECDSA suites of OCPP, or both RSA suites, and those that the PICS declare."""
    offered = set((await bench.hello()).suites)
    pairs = {"ECDHE_ECDSA": ECDSA_SUITES, "RSA": RSA_SUITES}
    whole = [name for name, pair in pairs.items() if offered.issuperset(pair)]
    bench.record("pairs", ", ".join(whole) or "none")
    bench.require(whole, "one pair of A00.FR.319 is offered completely", _names(sorted(offered)))
    missing = [code for code in bench.station.suites if code not in offered]
    what = "every suite that is declared (C-41) is offered"
    bench.require(not missing, what, f"not offered: {_names(missing)}", remark=True)


@tls_case(
    "TS-04",
    *("A00.FR.320", "A00.FR.423"),
    expects="no NULL, anonymous, EXPORT, RC4 or DES suite",
    severity=Severity.CRITICAL,
    endangers=("TC_A_04_CS", "TC_A_07_CS"),
    cwe="CWE-327",
    telling=True,
)
async def offers_nothing_forbidden(bench: StationBench) -> None:
    """The ClientHello offers no suite that is unfit even for legacy use: NULL, anonymous, EXPORT, RC4, DES, MD5."""
    hello = await bench.hello()
    bench.record("suites", _names(hello.suites))
    bad = [f"{suite_name(code)} ({forbidden(code)})" for code in hello.suites if forbidden(code)]
    bench.require(not bad, "no forbidden suite is offered", ", ".join(bad))


@tls_case(
    "TS-05",
    *("A00.FR.320", "A00.FR.423"),
    expects="remark on 3DES, IDEA and static Diffie-Hellman",
    severity=Severity.HIGH,
    cwe="CWE-327",
    telling=True,
)
async def offers_nothing_dated(bench: StationBench) -> None:
    """The ClientHello offers no 3DES and no static Diffie-Hellman, which ENISA's list leaves to old systems only."""
    bad = [f"{suite_name(c)} ({_dated(c)})" for c in (await bench.hello()).suites if _dated(c)]
    bench.require(not bad, "no suite for old systems only is offered", ", ".join(bad), remark=True)


def _dated(code: int) -> str:
    """Why nobody needs the suite any more; CBC with SHA-1 is TS-06's business, RSA key exchange OCPP's own."""
    found = suite(code)
    if found.is_3des or found.is_static_dh or "IDEA" in found.cipher:
        return legacy(code) or forbidden(code)
    return ""


@tls_case(
    "TS-06",
    *("A00.FR.320", "A00.FR.423"),
    expects="remark on CBC with SHA-1",
    severity=Severity.LOW,
    cwe="CWE-327",
)
async def offers_no_cbc_sha1(bench: StationBench) -> None:
    """The ClientHello offers no suite of CBC with SHA-1, which is fit for legacy use only."""
    bad = [code for code in (await bench.hello()).suites if suite(code).is_cbc_sha1]
    bench.require(not bad, "no CBC suite with SHA-1 is offered", _names(bad), remark=True)


@tls_case(
    "TS-07",
    *("A00.FR.321", "A00.FR.424"),
    expects="no compression",
    severity=Severity.HIGH,
    cwe="CWE-310",
    telling=True,
)
async def offers_no_compression(bench: StationBench) -> None:
    """The ClientHello offers no TLS compression (CVE-2012-4929)."""
    methods = (await bench.hello()).compression_methods
    came = ", ".join(map(str, methods))
    bench.require(methods == (0,), "null is the only compression method", came)


@tls_case(
    "TS-08",
    "A00.FR.504",
    expects="no MD5; SHA-1 is a remark",
    severity=Severity.MEDIUM,
    cwe="CWE-328",
)
async def verifies_no_md5(bench: StationBench) -> None:
    """The ClientHello lists the signatures that it verifies, and no MD5 is among them."""
    schemes = (await bench.hello()).signature_schemes
    bench.record("signature schemes", ", ".join(map(scheme_name, schemes)) or "not sent")
    md5 = [scheme_name(code) for code in schemes if is_md5_scheme(code)]
    sha1 = [scheme_name(code) for code in schemes if is_sha1_scheme(code)]
    bench.require(not md5, "no signature with MD5 is taken", ", ".join(md5))
    bench.require(not sha1, "no signature with SHA-1 is taken", ", ".join(sha1), remark=True)
    what = (
        "the signatures are listed: without the list they mean SHA-1 (RFC 5246 section 7.4.1.4.1)"
    )
    bench.require(schemes, what, remark=True)


@tls_case(
    "TS-09",
    *("A00.FR.501", "A00.FR.503"),
    expects="no group below 224 bits",
    severity=Severity.MEDIUM,
    cwe="CWE-326",
)
async def offers_no_weak_group(bench: StationBench) -> None:
    """The ClientHello offers no elliptic curve below 224 bits and no small Diffie-Hellman group."""
    groups = (await bench.hello()).groups
    bench.record("groups", ", ".join(map(group_name, groups)) or "not sent")
    weak = [group_name(code) for code in groups if is_weak_group(code)]
    bench.require(not weak, "no group below 224 bits is offered", ", ".join(weak))


@tls_case("TS-10", expects="record", severity=Severity.INFO)
async def tells_the_name(bench: StationBench) -> None:
    """The ClientHello names the host of the URL that is dialled, and no address (RFC 6066 section 3)."""
    name = (await bench.hello()).server_name
    bench.record("server name", name or "not sent")
    host = bench.station.host
    if name and is_address(name):
        bench.remark("an address is sent as server name, which RFC 6066 forbids")
    elif name and name.lower().rstrip(".") != host.lower().rstrip("."):
        bench.remark(f"the server name is not {host}, the host that is dialled")
    elif not name and not bench.station.dials_address:
        bench.remark("no server name is sent: a CSMS behind a shared address cannot be reached")


@tls_case(
    "TS-11",
    *("A00.FR.317", "A00.FR.420"),
    expects="remark when missing",
    severity=Severity.MEDIUM,
    cwe="CWE-310",
)
async def renegotiates_securely(bench: StationBench) -> None:
    """The ClientHello knows of secure renegotiation and of the extended master secret (RFC 5746, RFC 7627).

    No requirement of OCPP names either, so that what is missing is a remark.
    """
    hello = await bench.hello()
    if min(hello.versions, default=TLS_1_2) >= TLS_1_3:
        bench.record("renegotiation", "TLS 1.3 alone is offered, which has none")
        return
    for holds, what in (
        (hello.has_renegotiation_info, "renegotiation_info, or its signal, is sent (RFC 5746)"),
        (hello.has_extended_master_secret, "extended_master_secret is sent (RFC 7627)"),
    ):
        bench.require(holds, what, remark=True)


@tls_case(
    "TS-12",
    *("A00.FR.317", "A00.FR.420"),
    expects="a fresh random every time",
    severity=Severity.MEDIUM,
    cwe="CWE-330",
)
async def fresh_randoms(bench: StationBench) -> None:
    """Five ClientHellos in a row have five different randoms (RFC 5246 section 7.4.1.2)."""
    await bench.settle()
    hellos = _hellos(bench)
    for _ in range(HELLOS - len(hellos)):
        await bench.again()
    hellos = _hellos(bench)
    randoms = {hello.random for hello in hellos}
    bench.record("hellos compared", len(hellos))
    bench.record("sessions resumed", sum(hello.resumes for hello in hellos))
    bench.record("different fingerprints", len({hello.loose_fingerprint for hello in hellos}))
    bench.require(len(randoms) == len(hellos), "no random comes twice", len(randoms))


def _hellos(bench: StationBench) -> list[ClientHello]:
    """The latest, of whatever connection: no hello may repeat another's random."""
    return [c.hello for c in bench.server.since(0) if c.hello is not None][-HELLOS:]
