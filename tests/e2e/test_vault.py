"""New passwords on a station that uses them: on the disk first, accepted at the door, never in a report, set back."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fuzz import app, store
from fuzz.app.credentials import file_name
from fuzz.app.rig import EMBEDDED_IDENTITY, EMBEDDED_PASSWORD
from fuzz.config import RunOptions
from fuzz.records import Case, Note, SendText, Side
from fuzz.transport.link import WebSocketLink
from fuzz.transport.listen import Listener
from strategies.labels import Channel, Expectation, Fault, Mutation, Stance, Tier

KEPT = Path("private") / file_name(EMBEDDED_IDENTITY)
PASSWORD = re.compile(r'"BasicAuthPassword".{0,40}?"attributeValue": ?"([^"]*)"')


@dataclass
class Wire:
    """What left us, and what was on the disk at that moment."""

    findings: Path
    sent: list[str] = field(default_factory=list)
    unkept: list[str] = field(default_factory=list)
    learned: list[tuple[str, ...]] = field(default_factory=list)

    def leaves(self, text: str) -> None:
        for password in PASSWORD.findall(text):
            self.sent.append(password)
            if password != EMBEDDED_PASSWORD and password not in self._kept():
                self.unkept.append(password)

    def _kept(self) -> list[str]:
        path = self.findings / KEPT
        if not path.exists() or path.stat().st_mode & 0o777 != 0o600:
            return []
        kept: list[str] = json.loads(path.read_text())["passwords"]
        return kept


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    seen = Wire(tmp_path / "findings")
    send, learn = WebSocketLink.send_text, Listener.learn

    async def spied(link: WebSocketLink, text: str) -> None:
        seen.leaves(text)
        await send(link, text)

    def noted(listener: Listener, *, passwords: list[str], identities: list[str]) -> None:
        seen.learned.append(tuple(passwords))
        learn(listener, passwords=passwords, identities=identities)

    monkeypatch.setattr(WebSocketLink, "send_text", spied)
    monkeypatch.setattr(Listener, "learn", noted)
    return seen


def _set(component: str, variable: str, value: str) -> SendText:
    item = {
        "component": {"name": component},
        "variable": {"name": variable},
        "attributeValue": value,
    }
    payload = json.dumps({"setVariableData": [item]}, separators=(",", ":"))
    return SendText((f'[2,"{{call.id}}","SetVariables",{payload}]',))


def _setting(step: SendText) -> Case:
    accept = Expectation(Stance.ACCEPT, Tier.MODEL)
    return Case("vault", Side.STATION, (step,), accept, action="SetVariables")


def _case(value: str = "{secret.password}") -> Case:
    return _setting(_set("SecurityCtrlr", "BasicAuthPassword", value))


def _options(tmp_path: Path, *cases: Case, allow: tuple[str, ...] = ("lock-out",)) -> RunOptions:
    for n, case in enumerate(cases):
        store.save_case(replace(case, id=f"vault-{n}"), tmp_path / "corpus" / "vault" / f"{n}.json")
    return RunOptions(
        security_profile=1,
        phases=("replay",),
        seed=1,
        allow=allow,
        corpus_dir=tmp_path / "corpus",
        findings_dir=tmp_path / "findings",
    )


def test_a_new_password_is_on_the_disk_before_it_leaves_and_set_back_at_the_end(
    tmp_path: Path, wire: Wire
) -> None:
    summary = app.run(_options(tmp_path, _case()), lambda event: None)
    assert (summary.exit_code, summary.reason, summary.left_changed) == (0, "", ())
    new, back = wire.sent
    assert len(new) == 20
    assert back == EMBEDDED_PASSWORD
    assert wire.unkept == []
    assert wire.learned == [(new,), ()]
    assert not (wire.findings / KEPT).exists()


def test_a_password_that_the_station_must_refuse_leaves_the_old_one(
    tmp_path: Path, wire: Wire
) -> None:
    summary = app.run(_options(tmp_path, _case("{secret.password.15}")), lambda event: None)
    assert (summary.exit_code, summary.left_changed) == (0, ())
    assert len(wire.sent[0]) == 15
    assert wire.unkept == []


def _accused(case: Case) -> Case:
    """Called broken though it is not, so that a finding with all its files comes of it."""
    return replace(
        case,
        expectation=Expectation(Stance.REJECT, Tier.MODEL, Fault.DEVICE_MODEL),
        mutations=(Mutation(Channel.PAYLOAD, "/setVariableData", "lab", "accused"),),
    )


def test_a_finding_without_a_password_has_its_capture_where_passwords_may_be_changed(
    tmp_path: Path, wire: Wire
) -> None:
    harmless = _accused(_setting(_set("OCPPCommCtrlr", "HeartbeatInterval", "300")))
    options = _options(tmp_path, harmless, allow=("persistent", "lock-out"))
    summary = app.run(options, lambda event: None)
    assert [f.violation.oracle for f in summary.findings] == ["O8"]
    (capture,) = wire.findings.glob(f"O8-*/{store.CAPTURE_FILE}")
    assert b"from the bytes of the socket" in capture.read_bytes()
    assert b"Sec-WebSocket-Accept: " in capture.read_bytes()
    assert EMBEDDED_PASSWORD.encode() not in capture.read_bytes()


def test_no_report_and_no_transcript_holds_a_password(tmp_path: Path, wire: Wire) -> None:
    accused = _accused(_case("correctHorseBattery1"))
    events: list[object] = []
    summary = app.run(_options(tmp_path, accused), events.append)
    assert [f.violation.oracle for f in summary.findings] == ["O8"]
    assert summary.left_changed == ()
    secrets = {EMBEDDED_PASSWORD, "correctHorseBattery1", *wire.sent}
    assert wire.unkept == []
    written = {p: p.read_text() for p in wire.findings.rglob("*") if p.is_file()}
    assert any("{secret.password.20}" in text for text in written.values())
    assert not any(p.name == store.CAPTURE_FILE for p in written)
    leaks = [(p.name, s) for p, text in written.items() for s in secrets if s in text]
    assert leaks == []
    assert not any(s in str(events) for s in secrets)


def test_without_permission_no_password_is_sent(tmp_path: Path, wire: Wire) -> None:
    summary = app.run(_options(tmp_path, _case(), allow=()), lambda event: None)
    assert wire.sent == []
    assert sum(summary.not_asked.values()) == 1
    assert "lock-out" in next(iter(summary.not_asked))


def test_what_a_killed_campaign_left_behind_is_let_in_and_set_back(
    tmp_path: Path, wire: Wire
) -> None:
    left = json.dumps({"passwords": ["left-behind-password"], "identities": []}).encode()
    store.save_private(wire.findings, KEPT.name, left)
    events: list[object] = []
    summary = app.run(_options(tmp_path, _case()), events.append)
    assert wire.learned[0] == ("left-behind-password",)
    assert summary.left_changed == ()
    assert wire.sent[-1] == EMBEDDED_PASSWORD
    assert not (wire.findings / KEPT).exists()
    assert any(isinstance(e, Note) and "earlier campaign" in e.text for e in events)


def test_a_stored_case_that_sets_a_password_is_replayed_only_with_permission(
    tmp_path: Path, wire: Wire
) -> None:
    barred = _options(tmp_path, _case(), allow=())
    path = tmp_path / "corpus" / "vault" / "0.json"
    (refused,) = app.replay([path], barred, lambda event: None)
    assert refused.outcome.value == "not run"
    assert wire.sent == []
    (played,) = app.replay([path], replace(barred, allow=("lock-out",)), lambda event: None)
    assert played.outcome.value == "fixed"
    assert wire.sent[-1] == EMBEDDED_PASSWORD
