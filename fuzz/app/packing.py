"""Makes a sealed pack of a stored finding, and reads one as the finding that it holds.

Knows which files belong into a pack. Must not know how a pack is sealed, nor how it is shown.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from fuzz import __version__, store
from fuzz.app.dossier import environment, files_of
from fuzz.errors import UsageError
from fuzz.records import Finding
from fuzz.report.words import attacked, folder_name
from strategies.labels import JsonObject

_EVIDENCE = frozenset({store.CAPTURE_FILE, store.RUNS_FILE, "tls.json", "handshake.pcapng"})
"""What of the files beside a finding belongs into a pack; somebody's own notes do not."""


def pack_finding(folder: Path, output: Path | None, *, embargo: str = "") -> tuple[Path, str]:
    """Pack a finding's folder; where the pack lies, and its SHA-256.

    Nothing below `private/` goes into it. REPORT.md is made anew, with the embargo when there is one.

    Raises:
        UsageError: there is no finding in the folder, or the pack cannot be written.
    """
    if not (folder / "finding.json").is_file():
        raise UsageError(
            f"{folder} is no folder of a finding; name one such as findings/O4-1a2b3c4d"
        )
    finding = store.load_finding(folder)
    beside = {n: data for n, data in store.evidence_of(folder).items() if n in _EVIDENCE}
    files = {
        **beside,
        **files_of(finding, frozenset(beside), embargo=embargo),
        **store.files_of(finding),
    }
    data = store.pack(files, _about(finding))
    path = output or Path(f"{folder_name(finding)}{store.SUFFIX}")
    store.save_pack(data, path)
    return path, store.digest(data)


def _about(finding: Finding) -> JsonObject:
    facts = finding.facts
    return {
        "finding": folder_name(finding),
        "fingerprint": finding.fingerprint,
        "attacked": attacked(facts),
        "times_utc": {"first_seen": finding.first_seen},
        "clock_offset_s": facts.clock_offset_s,
        "versions": {
            "found_with": finding.made_with or finding.tool,
            "packed_with": f"ocppfuzz {__version__}, {environment()}",
        },
    }


def load_pack(path: Path) -> Finding:
    """The finding in a pack that is as it was made. Raises `CaseFormatError`."""
    files = store.read_pack(path)
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        return store.load_finding(Path(folder))
