"""The files beside a finding that people read or run: REPORT.md, repro.py, and the capture of its connection.

Knows which room makes which file. Must not know how any of them reads.
"""

from __future__ import annotations

import platform
import ssl
from collections.abc import Callable
from dataclasses import replace

from fuzz.app.meaning import advice
from fuzz.app.sniffing import Sniffer
from fuzz.capture import pcapng, taped
from fuzz.engine.line import PROBES
from fuzz.records import Entry, Finding, FindingStatus, Run
from fuzz.report.markdown import render_finding
from fuzz.report.repro import repro_of, why_no_repro
from fuzz.report.words import folder_name
from fuzz.store import CAPTURE_FILE, PRIVATE, REPORT_FILE, REPRO_FILE, RUNS_FILE

PACKETS_FILE = f"{PRIVATE}packets.pcapng"
_SECRET = "{secret."


def files_of(
    finding: Finding,
    there: frozenset[str] = frozenset(),
    *,
    embargo: str = "",
    sniffer: Sniffer | None = None,
) -> dict[str, bytes]:
    """The files by name; `there` are those that lie beside the finding already.

    With a `sniffer` the real packets lie there as well, where only their owner reads them.
    """
    files = {}
    if script := repro_of(finding, PROBES[finding.case.side]):
        files[REPRO_FILE] = script
    if capture := _capture(finding):
        files[CAPTURE_FILE] = capture
    if sniffer is not None and capture and PACKETS_FILE not in there:
        # Nobody looked into them for a password.
        packets = sniffer.pcapng(finding.tapes, folder_name(finding))
        files |= {PACKETS_FILE: packets} if packets else {}
    beside = {*there, *files, *([RUNS_FILE] if finding.runs else [])}
    report = render_finding(
        finding,
        beside=beside,
        no_script=why_no_repro(finding),
        advice=advice(finding),
        embargo=embargo,
    )
    return {**files, REPORT_FILE: report.encode("utf-8", "backslashreplace")}


def _capture(finding: Finding) -> bytes:
    """The capture of the last play; b"" before anything was repeated, and where the bytes would tell a secret."""
    if finding.status is FindingStatus.CANDIDATE or any(_SECRET in e.text for e in finding.entries):
        return b""
    secure = finding.facts.url.startswith("wss:")
    inside = " The connection was TLS; what is shown was inside." if secure else ""
    words = f"Finding {folder_name(finding)}; of what came before on the connection, only its opening is here.{inside}"
    return pcapng(map(taped, finding.tapes), words)


def hidden(finding: Finding, hide: Callable[[bytes], bytes]) -> Finding:
    """The finding with slots in place of the secrets that its transcripts tell."""

    def veiled(entry: Entry) -> Entry:
        plain = entry.text.encode("utf-8", "surrogatepass")
        text = hide(plain)
        return (
            entry if text == plain else replace(entry, text=text.decode("utf-8", "surrogatepass"))
        )

    def run(one: Run) -> Run:
        return replace(one, entries=tuple(map(veiled, one.entries)))

    entries = tuple(map(veiled, finding.entries))
    return replace(finding, entries=entries, runs=tuple(map(run, finding.runs)))


def signed(finding: Finding) -> Finding:
    """The finding with the versions that it was found with."""
    if finding.made_with:
        return finding
    return replace(finding, made_with=f"{finding.tool}, {environment()}".removeprefix(", "))


def environment() -> str:
    """The versions under this tool."""
    return f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"
