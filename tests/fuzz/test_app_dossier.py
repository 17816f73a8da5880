"""Which files lie beside a finding, and that none of them tells a secret."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fuzz.app.dossier import files_of, hidden, signed
from fuzz.records import (
    Basis,
    Case,
    Chunk,
    Entry,
    Finding,
    FindingStatus,
    Gauge,
    Run,
    SendText,
    Severity,
    Side,
    Tape,
    TargetFacts,
    Violation,
    Who,
)
from strategies.labels import Expectation, Stance, Tier

CASE = Case("c", Side.STATION, (SendText(("[]",)),), Expectation(Stance.REJECT, Tier.RPC))
TAPE = Tape(
    datetime(2026, 1, 2, tzinfo=UTC),
    ("127.0.0.1", 9000),
    ("127.0.0.1", 50_000),
    (
        Chunk(0.0, ours=False, data=b"GET / HTTP/1.1\r\n\r\n"),
        Chunk(0.1, ours=True, data=b"\x81\x02[]"),
    ),
    1.0,
)
FINDING = Finding(
    "1a2b3c4d5e6f7081",
    Violation("O1", "process-death", Basis.STOPPED_SERVING, Severity.CRITICAL, "exit 70", "t"),
    CASE,
    CASE,
    TargetFacts(Side.STATION, url="wss://localhost:1/x"),
    status=FindingStatus.CONFIRMED,
    entries=(Entry(0.0, Who.US, "text", "[]"), Entry(0.1, Who.TARGET, "close", "1006")),
    tool="ocppfuzz 1.2.3",
    tapes=(TAPE,),
)


def test_a_confirmed_finding_has_a_report_a_script_and_a_capture_that_says_how_it_was_made():
    from scapy.utils import PcapNgReader

    files = files_of(FINDING)
    assert sorted(files) == ["REPORT.md", "capture.pcapng", "repro.py"]
    assert b"python3 repro.py" in files["REPORT.md"]
    assert b"## How to mend it\n\nCatch the exception where" in files["REPORT.md"]
    assert b"Made by ocppfuzz from the bytes of the socket" in files["capture.pcapng"]
    assert b"The connection was TLS; what is shown was inside." in files["capture.pcapng"]
    packets = list(PcapNgReader(io.BytesIO(files["capture.pcapng"])))
    assert any(bytes(p).endswith(b"\x81\x02[]") for p in packets)


def test_a_candidate_has_a_report_alone():
    files = files_of(replace(FINDING, status=FindingStatus.CANDIDATE))
    assert sorted(files) == ["REPORT.md"]


def test_what_cannot_be_a_script_says_why_in_the_report():
    files = files_of(replace(FINDING, case=replace(CASE, steps=(Gauge("idle"),))))
    assert "repro.py" not in files
    assert b"There is no script for plain Python" in files["REPORT.md"]


def test_the_report_names_what_lies_there_already():
    report = files_of(replace(FINDING, tapes=()), frozenset({"capture.pcapng"}))["REPORT.md"]
    assert b"`capture.pcapng`" in report
    assert b"`runs.ndjson`" not in report


def test_a_secret_becomes_a_slot_everywhere_and_its_bytes_are_not_captured():
    told = Entry(0.2, Who.TARGET, "text", "it is hunter2hunter2!")
    open_ = replace(FINDING, entries=(told,), runs=(Run(False, True, (told,)),))
    hid = hidden(open_, lambda data: data.replace(b"hunter2hunter2!", b"{secret.password.old}"))
    assert hid.entries[0].text == hid.runs[0].entries[0].text == "it is {secret.password.old}"
    files = files_of(hid)
    assert "capture.pcapng" not in files
    assert not any(b"hunter2" in data for data in files.values())


@pytest.mark.parametrize("text", ["\ud800", "plain"])
def test_what_holds_no_secret_stays_as_it_is(text):
    entry = Entry(0.0, Who.TARGET, "text", text)
    assert hidden(replace(FINDING, entries=(entry,)), bytes).entries == (entry,)


def test_a_finding_is_signed_once_with_the_versions_under_the_tool():
    first = signed(FINDING)
    assert first.made_with.startswith("ocppfuzz 1.2.3, Python 3.")
    assert "SSL" in first.made_with
    assert signed(replace(first, tool="ocppfuzz 9")) == replace(first, tool="ocppfuzz 9")


def test_real_packets_are_private_and_taken_once():
    class Packets:
        def pcapng(self, tapes, words):
            return b"packets of " + words.encode()

    files = files_of(FINDING, sniffer=Packets())
    assert files["private/packets.pcapng"] == b"packets of O1-1a2b3c4d"
    there = frozenset({"private/packets.pcapng"})
    assert "private/packets.pcapng" not in files_of(FINDING, there, sniffer=Packets())
