"""Findings of the lab: in the store's format, replayable by id, and without a secret in any file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fuzz import store
from fuzz.app.dossier import files_of
from fuzz.lab.findings import evidence_of, finding_of, fingerprint_of, symptom_of
from fuzz.records import FindingStatus, Side as Attacked, TargetFacts, TlsStep, Who
from fuzz.report.markdown import render_finding
from tlslab.lab import Played, agreed
from tlslab.registry import Attacker, Effect, Severity, Side, TlsCase
from tlslab.seen import Alert, Check, Chunk, Connection, Expect, Exposure, Seen, Stage, Way
from tlslab.verdict import Judged, Outcome, judge

FACTS = TargetFacts(Attacked.STATION, url="wss://localhost:1/ocpp/CS-1", identity="CS-1")


async def _nothing(_bench: Any) -> None:
    """Never played here."""


def case(id_: str = "TS-31", play: Any = _nothing) -> TlsCase:
    return TlsCase(
        id=id_,
        topic="validity",
        title="An expired certificate ends the connection.",
        text="An expired certificate ends the connection.",
        side=Side.STATION,
        expects="refuse",
        requirements=("A00.FR.308",),
        severity=Severity.CRITICAL,
        effect=Effect.NONE,
        needs=frozenset(),
        endangers=("TC_A_05_CS",),
        profiles=frozenset({2, 3}),
        items=(),
        suites="",
        editions=("ed3",),
        attacker=Attacker.ON_PATH,
        cwe="CWE-298",
        telling=False,
        play=play,
    )


def connection() -> Connection:
    made = Connection(
        1,
        10.0,
        datetime(2026, 1, 1, tzinfo=UTC),
        ours=("127.0.0.1", 9000),
        theirs=("127.0.0.1", 50000),
        hello_bytes=b"\x16\x03\x01",
        header_names=("host", "authorization"),
        stage=Stage.WEBSOCKET,
        alerts=[Alert(0.5, Way.PEER, 45)],
        ended_s=11.0,
    )
    made.record(10.0, Way.PEER, b"\x16\x03\x01")
    return made


def played(id_: str = "TS-31") -> Played:
    exposure = Exposure(
        "expired two days ago",
        Expect.REFUSE,
        Stage.WEBSOCKET,
        Stage.OCPP,
        ("leaf.validity: now - 2 days instead of now + 365 days",),
        connections=(connection(),),
    )
    seen = Seen([exposure], [Check("an event", holds=False, came="none")], {"n": "1"})
    return Played(case(id_), seen, judge(seen))


def test_a_failed_case_becomes_a_finding_that_names_it(tmp_path: Path) -> None:
    finding = finding_of(played(), FACTS, first_seen="2026-01-01T00:00:00.000Z")
    folder = store.save_finding(finding, tmp_path, render=files_of)
    assert (folder / "REPORT.md").read_text("utf-8").count("There is no script") == 1
    assert store.load_finding(folder) == finding
    assert finding.case.steps == (TlsStep("TS-31"),)
    assert finding.violation.clause == "A00.FR.308"
    assert finding.violation.severity == Severity.CRITICAL
    assert finding.status is FindingStatus.CONFIRMED


def test_two_cases_never_share_a_fingerprint() -> None:
    prints = {finding_of(played(i), FACTS, first_seen="").fingerprint for i in ("TS-31", "TS-32")}
    assert len(prints) == 2


def test_the_evidence_lies_beside_it_and_stays_when_it_is_saved_again(tmp_path: Path) -> None:
    finding = finding_of(played(), FACTS, first_seen="")
    folder = store.save_finding(finding, tmp_path, evidence=evidence_of(played()))
    store.save_finding(finding, tmp_path)
    facts = json.loads((folder / "tls.json").read_text())
    assert facts["exposures"][0]["difference"] == list(played().seen.exposures[0].difference)
    assert facts["exposures"][0]["connections"][0]["alerts"][0]["alert"] == "certificate_expired"
    assert (folder / "handshake.pcapng").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


def test_the_report_says_what_differs_and_what_is_at_risk() -> None:
    text = render_finding(finding_of(played(), FACTS, first_seen=""))
    assert "leaf.validity: now - 2 days instead of now + 365 days" in text
    assert "TC\\_A\\_05\\_CS" in text
    assert "TS-31" in text


def test_names_of_headers_are_told_and_never_their_values() -> None:
    text = evidence_of(played())["tls.json"].decode()
    assert "authorization" in text
    assert "Basic" not in text


def test_secrets_lie_in_private_and_never_those_of_who_sent_credentials(tmp_path: Path) -> None:
    with_secrets, with_password = connection(), connection()
    with_secrets.secrets, with_password.secrets = "CLIENT_RANDOM a b\n", "CLIENT_RANDOM c d\n"
    with_secrets.header_names = ("host",)
    shown = Exposure("x", Expect.REFUSE, Stage.WEBSOCKET, connections=(with_secrets, with_password))
    seen = Seen([shown])
    made = Played(case(), seen, judge(seen))
    evidence = evidence_of(made)
    finding = finding_of(made, FACTS, first_seen="")
    folder = store.save_finding(finding, tmp_path, evidence=evidence)
    store.save_finding(finding, tmp_path)
    kept = folder / "private" / "keys.log"
    assert kept.read_text() == "CLIENT_RANDOM a b\n"
    assert kept.stat().st_mode & 0o077 == 0
    assert "CLIENT_RANDOM" not in (folder / "tls.json").read_text() + repr(with_secrets)


def test_the_secret_of_a_session_that_was_resumed_with_credentials_is_kept_of_neither() -> None:
    first, resumed = connection(), connection()
    first.secrets, resumed.secrets = "CLIENT_RANDOM a same\n", "CLIENT_RANDOM b same\n"
    first.header_names = ("host",)
    shown = Exposure("x", Expect.REFUSE, Stage.WEBSOCKET, connections=(first, resumed))
    seen = Seen([shown])
    assert not [n for n in evidence_of(Played(case(), seen, judge(seen))) if "keys.log" in n]


def test_a_failure_that_does_not_repeat_is_no_failure() -> None:
    fine = Played(case(), Seen(), Judged(Outcome.PASSED))
    assert agreed(played(), fine).outcome is Outcome.NOT_OBSERVED
    twice = agreed(played(), played())
    assert (twice.outcome, twice.plays) == (Outcome.FAILED, 2)
    assert finding_of(twice, FACTS, first_seen="").confirmed == 2


def test_a_symptom_names_the_case() -> None:
    assert symptom_of(case(), played().judged).startswith("TS-31 ")


@pytest.mark.parametrize(("way", "who"), [(Way.PEER, Who.TARGET), (Way.LAB, Who.US)])
def test_who_dialled_says_the_hello(way: Way, who: Who) -> None:
    made = played()
    made.seen.exposures[0].connections[0].tape[:] = [Chunk(0.0, way, b"\x16\x03\x01")]
    found = finding_of(made, FACTS, first_seen="2026-01-01T00:00:00Z")
    assert [e.who for e in found.entries if e.kind == "bytes"] == [who]


def test_the_fingerprint_follows_from_the_case_and_its_symptom_alone():
    finding = finding_of(played(), FACTS, first_seen="2026-01-01T00:00:00.000Z")
    assert fingerprint_of(case(), finding.violation.symptom) == finding.fingerprint
    assert fingerprint_of(case(), "another symptom") != finding.fingerprint
