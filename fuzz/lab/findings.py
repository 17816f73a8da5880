"""Findings of the TLS lab: a failed case as a `Finding` in the store's format, and the files beside it.

Knows outcomes and records. Must not know how a case was played. What a connection with credentials said after TLS is
in no file: the tape holds what went over the socket, encrypted.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from fuzz import __version__, store
from fuzz.capture import pcapng
from fuzz.records import (
    Basis,
    Case,
    Effect,
    Entry,
    Finding,
    FindingStatus,
    Preamble,
    Provenance,
    Severity,
    Side,
    TargetFacts,
    TlsStep,
    Violation,
    Who,
)
from fuzz.store import PRIVATE
from strategies.labels import Channel, Expectation, JsonObject, JsonValue, Mutation, Stance, Tier
from tlslab.codes import alert_name, version_name
from tlslab.lab import Played
from tlslab.registry import TlsCase
from tlslab.seen import STAGE_WORDS, Connection, Exposure, Way
from tlslab.suites import suite_name
from tlslab.verdict import Judged

PHASE = "tls"
MAX_CONNECTIONS = 12
_AUTHENTICATION = ("basic auth", "client identity")


def finding_of(played: Played, facts: TargetFacts, *, first_seen: str) -> Finding:
    """The finding that a failed case is; its control was played beside it, which is what confirms it."""
    case = stored_case(played.case)
    violation = _violation(played)
    shown = [e for e in played.seen.exposures if e.connections]
    return Finding(
        fingerprint=fingerprint_of(played.case, violation.symptom),
        violation=violation,
        case=case,
        original=case,
        facts=facts,
        status=FindingStatus.CONFIRMED,
        confirmed=played.plays,
        tries=played.plays,
        control_hits=0,
        control_tries=sum(e.control is not None for e in shown),
        entries=tuple(_entries(played)),
        tool=f"ocppfuzz {__version__}",
        first_seen=first_seen,
        notes=tuple(_notes(played)),
    )


def stored_case(case: TlsCase) -> Case:
    """The case as the store keeps it: one step that names it."""
    return Case(
        id=f"tls-{case.id.lower()}",
        side=Side(case.side.value),
        steps=(TlsStep(case.id),),
        expectation=Expectation(Stance.UNSPECIFIED, Tier.JSON),
        preamble=Preamble.CONNECTED,
        effect=Effect(case.effect.value),
        mutations=(Mutation(Channel.HANDSHAKE, case.id, case.topic, case.expects),),
        provenance=Provenance(PHASE, tool=f"ocppfuzz {__version__}"),
    )


def fingerprint_of(case: TlsCase, symptom: str) -> str:
    """The name under which equal failures of a case meet."""
    return store.fingerprint(broken(case, symptom), stored_case(case))


def symptom_of(case: TlsCase, judged: Judged) -> str:
    """Short and stable: what was seen of which case."""
    return f"{case.id} {judged.symptom or judged.outcome}"


def _violation(played: Played) -> Violation:
    case = played.case
    text = f"{case.title} Seen: {'; '.join(played.judged.texts)}"
    return replace(broken(case, symptom_of(case, played.judged)), text=text)


def broken(case: TlsCase, symptom: str) -> Violation:
    """What a peer that fails a case with this symptom broke."""
    return Violation(
        oracle="O16" if case.topic in _AUTHENTICATION else "O18",
        name=f"{case.topic.replace(' ', '-')} {case.id}",
        basis=Basis.SHALL if case.requirements else Basis.HARDENING,
        severity=Severity(int(case.severity)),
        symptom=symptom,
        text=case.title,
        clause=", ".join(case.requirements),
        cwe=case.cwe,
    )


def _notes(played: Played) -> Iterator[str]:
    yield f"attacker: {played.case.attacker}"
    if played.case.endangers:
        yield f"certification tests at risk: {', '.join(played.case.endangers)}"
    yield "the handshakes are in handshake.pcapng, built from the socket's bytes, and in tls.json"


# --- the transcript ---------------------------------------------------------------------------------------


def _entries(played: Played) -> Iterator[Entry]:
    for exposure in played.seen.exposures:
        yield _note(0.0, Who.HARNESS, f"offer: {exposure.label}, to {exposure.expect}")
        for line in exposure.difference:
            yield _note(0.0, Who.HARNESS, f"differs from the control in {line}")
        if exposure.control is not None:
            yield _note(0.0, Who.HARNESS, f"control: {STAGE_WORDS[exposure.control]}")
        for connection in exposure.connections[:MAX_CONNECTIONS]:
            yield from _told(connection)
        if exposure.events:
            told = f"security events afterwards: {', '.join(exposure.events)}"
            yield _note(0.0, Who.TARGET, told)
    for check in played.seen.checks:
        if not check.holds:
            yield _note(0.0, Who.HARNESS, f"expected: {check.what}; came: {check.came}")
    for name, value in played.seen.records.items():
        yield _note(0.0, Who.HARNESS, f"{name}: {value}")


def _told(connection: Connection) -> Iterator[Entry]:
    hello = base64.b64encode(connection.hello_bytes[:4096]).decode()
    # Who dials says hello: a Charging Station under test, or we at a CSMS.
    first = next((chunk.way for chunk in connection.tape), Way.PEER)
    yield Entry(0.0, _who(first), "bytes", hello)
    if connection.version:
        agreed = f"{version_name(connection.version)} {suite_name(connection.suite)}"
        yield _note(0.0, Who.HARNESS, f"agreed on {agreed}")
    for alert in connection.alerts:
        yield _note(alert.at_s, _who(alert.way), f"alert {alert_name(alert.number)}")
    ended = connection.ended_s if connection.ended_s is not None else connection.began_s
    text = f"connection {connection.number}: {STAGE_WORDS[connection.stage]}"
    if connection.sent_authorization:
        text += "; the request held an Authorization header"
    yield _note(ended - connection.began_s, Who.HARNESS, text)


def _who(way: Way) -> Who:
    return Who.TARGET if way is Way.PEER else Who.US


def _note(at_s: float, who: Who, text: str) -> Entry:
    return Entry(round(at_s, 3), who, "note", text)


# --- the files beside it ----------------------------------------------------------------------------------


def evidence_of(played: Played) -> dict[str, bytes]:
    """`tls.json` with every fact, and `handshake.pcapng` of the connections and their controls."""
    shown = [c for e in played.seen.exposures for c in (*e.connections, *e.control_connections)]
    unique = list({id(c): c for c in shown}.values())[:MAX_CONNECTIONS]
    text = json.dumps(played_to_json(played), indent=1, ensure_ascii=True, sort_keys=True)
    files = {"tls.json": text.encode() + b"\n"}
    if unique:
        files["handshake.pcapng"] = pcapng(unique, f"Case {played.case.id}.")
    if secrets := _secrets(unique, shown):
        files[f"{PRIVATE}keys.log"] = secrets.encode()
    return files


def _secrets(connections: Sequence[Connection], every: Sequence[Connection]) -> str:
    """The key log without what would make a password readable: a resumed session has the secret of the first one."""
    closed = {line.split()[-1] for c in every if c.sent_authorization for line in _keys(c)}
    lines = [line for c in connections if not c.sent_authorization for line in _keys(c)]
    return "".join(f"{line}\n" for line in lines if line.split()[-1] not in closed)


def _keys(connection: Connection) -> list[str]:
    return [line for line in connection.secrets.splitlines() if line.strip()]


def played_to_json(played: Played) -> JsonObject:
    """Everything known of one played case, as JSON. No key, no password, no header's value."""
    case, judged = played.case, played.judged
    return {
        "id": case.id,
        "topic": case.topic,
        "title": case.title,
        "expects": case.expects,
        "outcome": str(judged.outcome),
        "stage": None if judged.stage is None else f"S{int(judged.stage)}",
        "severity": case.severity.name.lower(),
        "requirements": [*case.requirements],
        "endangers": [*case.endangers],
        "attacker": str(case.attacker),
        "cwe": case.cwe,
        "texts": [*judged.texts],
        "seconds": round(played.seen.seconds, 3),
        "exposures": [_exposure(e) for e in played.seen.exposures],
        "checks": [
            {"what": c.what, "holds": c.holds, "came": c.came, "remark": c.remark}
            for c in played.seen.checks
        ],
        "records": dict(played.seen.records),
        "remarks": [*played.seen.remarks],
    }


def _exposure(exposure: Exposure) -> JsonValue:
    return {
        "label": exposure.label,
        "expects": str(exposure.expect),
        "stage": f"S{int(exposure.stage)}",
        "control": None if exposure.control is None else f"S{int(exposure.control)}",
        "difference": [*exposure.difference],
        "seconds": round(exposure.seconds, 3),
        "events": [*exposure.events],
        "connections": [_connection(c) for c in exposure.connections[:MAX_CONNECTIONS]],
    }


def _connection(connection: Connection) -> JsonValue:
    hello = connection.hello
    return {
        "number": connection.number,
        "began": connection.began.isoformat(),
        "stage": f"S{int(connection.stage)}",
        "hello": connection.hello_bytes.hex(),
        "offered_versions": [*hello.version_names] if hello else [],
        "offered_suites": [*hello.suite_names] if hello else [],
        "server_name": hello.server_name if hello else "",
        "version": version_name(connection.version) if connection.version else "",
        "suite": suite_name(connection.suite) if connection.suite else "",
        "server_chain": [_pem(der) for der in connection.server_chain],
        "client_chain": [_pem(der) for der in connection.client_chain],
        "alerts": [
            {"at_s": round(a.at_s, 4), "by": str(a.way), "alert": alert_name(a.number)}
            for a in connection.alerts
        ],
        "request_headers": [*connection.header_names],
        "error": connection.error,
    }


def _pem(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
