"""Versions, suites, groups and safeguards that a CSMS serves, found out by hellos (A00.FR.313 to FR.323, FR.416 to FR.426)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tlslab import robot
from tlslab.codes import GROUPS, group_name, is_weak_group
from tlslab.csms_bench import CsmsBench, Unfinished
from tlslab.offers import ECDSA_SUITES, RSA_SUITES, SSL_3_0, TLS_1_0, TLS_1_1, TLS_1_2, Engine
from tlslab.probe import Reply, Survey
from tlslab.registry import Attacker, Severity, tls_case
from tlslab.seen import RENEGOTIATED, Stage
from tlslab.suites import forbidden, legacy, suite_name
from tlslab.wire import version_name

OLD = (SSL_3_0, TLS_1_0, TLS_1_1)


async def _survey(bench: CsmsBench) -> Survey:
    found = await bench.survey()
    if not found.supported:
        raise Unfinished("the CSMS answered no ClientHello with a ServerHello")
    return found


def _names(codes: Sequence[int]) -> str:
    return ", ".join(map(suite_name, codes)) or "none"


@tls_case(
    "TC-01",
    *("A00.FR.313", "A00.FR.416"),
    expects="TLS 1.2 or above only",
    severity=Severity.CRITICAL,
    endangers=("TC_A_06_CSMS",),
    cwe="CWE-326",
)
async def versions(bench: CsmsBench) -> None:
    """TLS 1.2 or 1.3 is spoken, and nothing older."""
    found = await _survey(bench)
    for version, answer in found.versions.items():
        bench.record(version_name(version), answer.words)
    bench.require(any(v >= TLS_1_2 for v in found.supported), "TLS 1.2 or above is spoken")
    old = [version_name(v) for v in found.supported if v < TLS_1_2]
    bench.require(not old, "nothing older than TLS 1.2 is spoken", ", ".join(old))


@tls_case(
    "TC-02",
    *("A00.FR.315", "A00.FR.418"),
    expects="an alert, or the end of the connection",
    severity=Severity.CRITICAL,
    endangers=("TC_A_06_CSMS",),
    cwe="CWE-757",
)
async def old_versions_end(bench: CsmsBench) -> None:
    """A client that speaks nothing newer than TLS 1.1 is turned away at once, with or without an alert."""
    found = await _survey(bench)
    for version in OLD:
        answer = found.versions[version]
        name = version_name(version)
        bench.record(name, answer.words)
        chosen = answer.reply is Reply.HELLO and answer.hello is not None
        bench.require(not chosen, f"{name} alone leads to no ServerHello", answer.words)
        ended = answer.reply is not Reply.SILENCE
        bench.require(ended, f"{name} alone is answered or ended", answer.words, remark=True)
    await bench.serves("after hellos of old versions")


@tls_case(
    "TC-03",
    *("A00.FR.318", "A00.FR.421"),
    expects="all four suites",
    severity=Severity.HIGH,
    endangers=("TC_A_04_CSMS", "TC_A_07_CSMS"),
)
async def four_suites(bench: CsmsBench) -> None:
    """All four suites of OCPP are served: those with an ECDSA certificate and those with RSA key exchange."""
    found = await _survey(bench)
    if TLS_1_2 in found.undecided:
        raise Unfinished("the CSMS did not answer hellos of TLS 1.2")
    taken = found.accepted(TLS_1_2)
    bench.record("suites of TLS 1.2", _names(taken))
    for code in (*ECDSA_SUITES, *RSA_SUITES):
        bench.require(code in taken, f"{suite_name(code)} is served")


def _suites(found: Survey, wanted: Callable[[int], str]) -> list[str]:
    codes = {code for v in found.supported for code in found.accepted(v)}
    return [f"{suite_name(code)} ({wanted(code)})" for code in sorted(codes) if wanted(code)]


@tls_case(
    "TC-04",
    *("A00.FR.320", "A00.FR.322", "A00.FR.423", "A00.FR.425"),
    expects="none",
    severity=Severity.CRITICAL,
    endangers=("TC_A_04_CSMS",),
    cwe="CWE-327",
)
async def no_broken_suites(bench: CsmsBench) -> None:
    """No suite without encryption or authentication is served, and none with export keys, RC4, DES or MD5."""
    bad = _suites(await _survey(bench), forbidden)
    bench.require(not bad, "no suite is served that is unfit for any use", ", ".join(bad))


@tls_case(
    "TC-05",
    *("A00.FR.320", "A00.FR.423"),
    expects="none, or noted",
    severity=Severity.MEDIUM,
    cwe="CWE-327",
)
async def no_legacy_suites(bench: CsmsBench) -> None:
    """Suites that only old clients need are listed: 3DES, CBC with SHA-1, RSA key exchange other than OCPP's."""
    old = _suites(await _survey(bench), legacy)
    bench.record("suites for old clients only", len(old))
    bench.require(not old, "no suite for old clients only is served", ", ".join(old), remark=True)


@tls_case(
    "TC-06",
    *("A00.FR.321", "A00.FR.424"),
    expects="no compression",
    severity=Severity.HIGH,
    cwe="CWE-310",
)
async def no_compression(bench: CsmsBench) -> None:
    """Of DEFLATE and null the CSMS chooses null: compression tells secrets (CVE-2012-4929)."""
    found = await _survey(bench)
    chosen = found.compression
    bench.record("compression", "nothing was chosen" if chosen is None else chosen)
    bench.require(not chosen, "no TLS compression is chosen", chosen)


@tls_case(
    "TC-07",
    expects="alert 86 or 70",
    severity=Severity.LOW,
    cwe="CWE-757",
)
async def fallback_signal(bench: CsmsBench) -> None:
    """A client that says it came down to a lower version than the CSMS speaks is turned away (RFC 7507)."""
    answer = (await _survey(bench)).fallback
    if answer is None or answer.reply in (Reply.SILENCE, Reply.UNREACHABLE):
        raise Unfinished("no answer to TLS_FALLBACK_SCSV")
    bench.record("answer", answer.words)
    bench.require(answer.reply is not Reply.HELLO, "no ServerHello follows TLS_FALLBACK_SCSV")


@tls_case(
    "TC-08",
    *("A00.FR.501", "A00.FR.503", "A00.FR.504"),
    expects="none weak",
    severity=Severity.MEDIUM,
    cwe="CWE-326",
)
async def no_weak_groups(bench: CsmsBench) -> None:
    """Keys are exchanged in no group of less than 224 bits on a curve, or 2048 bits in a field."""
    groups = (await _survey(bench)).groups
    taken = () if groups is None else groups.accepted
    bench.record("groups", ", ".join(map(group_name, taken)) or "none was told")
    weak = [group_name(g) for g in taken if g in GROUPS and is_weak_group(g)]
    bench.require(not weak, "no weak group is taken", ", ".join(weak))


@tls_case(
    "TC-09",
    expects="refuse",
    severity=Severity.MEDIUM,
    cwe="CWE-400",
)
async def no_renegotiation_by_clients(bench: CsmsBench) -> None:
    """A client cannot start the handshake anew: each one costs the CSMS more than the client (CVE-2011-1473)."""
    knock = bench.proper(engine=Engine.PYOPENSSL, highest=TLS_1_2, renegotiate=True)
    visit = await bench.knock(knock)
    if visit.stage is Stage.NOTHING or not visit.connection.notes:
        raise Unfinished(visit.connection.error or "TLS 1.2 did not come about")
    bench.record("renegotiation", ", ".join(visit.connection.notes))
    again = RENEGOTIATED in visit.connection.notes
    bench.require(not again, "no second handshake comes about that the client began")
    await bench.serves("after a renegotiation was asked for")


@tls_case(
    "TC-10",
    *("A00.FR.318", "A00.FR.421"),
    expects="the same answer to every padding",
    severity=Severity.HIGH,
    attacker=Attacker.ON_PATH,
    cwe="CWE-203",
)
async def no_padding_oracle(bench: CsmsBench) -> None:
    """RSA key exchanges are answered alike, however badly the secret is padded (Bleichenbacher's attack, ROBOT)."""
    found = await robot.padding(bench.client.connect, server_name=bench.csms.server_name)
    if not found.answers:
        bench.record("RSA key exchange", "not served")
        return
    if not found.asked:
        raise Unfinished("not every padding reached the CSMS")
    came = "; ".join(f"{form}: {answer.words}" for form, answer in found.answers.items())
    bench.require(found.alike, "every padding is answered alike", came)
    await bench.serves("after badly padded key exchanges")
