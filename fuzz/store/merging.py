"""The journal of a merge: what each case showed, so that a second call goes on where the first was killed.

Knows lines of JSON. Must not know how a case is played. One line a case, on the disk before the next one is played; a line
that a kill cut off is passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.store.files import replace_file, writing

_FOLDER = ".merge"


@dataclass(slots=True)
class MergeJournal:
    """What cases showed, by the digest of their wire. `about` says under which circumstances."""

    root: Path
    about: str
    shown: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path, about: str) -> MergeJournal:
        """The journal under `root`; an empty one when there is none, or when it was about something else."""
        made = cls(root, about)
        try:
            lines = made._file.read_bytes().splitlines()
        except OSError:
            lines = []
        if lines and _read(lines[0]) == {"about": about}:
            for line in lines[1:]:
                made._take(_read(line))
        else:
            replace_file(made._file, json.dumps({"about": about}).encode() + b"\n")
        return made

    @property
    def _file(self) -> Path:
        return self.root / _FOLDER / "journal.ndjson"

    def _take(self, value: object) -> None:
        if isinstance(value, dict) and isinstance(value.get("shown"), list):
            self.shown[str(value.get("wire"))] = frozenset(map(str, value["shown"]))

    def note(self, wire: str, shown: Iterable[str]) -> None:
        """Keep what a case showed. Raises `StoreError`."""
        self.shown[wire] = frozenset(shown)
        line = json.dumps({"wire": wire, "shown": sorted(self.shown[wire])}).encode() + b"\n"
        with writing(self._file), self._file.open("ab") as file:
            # A line that was cut off must not swallow this one.
            file.write(b"\n" + line)
            file.flush()
            os.fsync(file.fileno())

    def clear(self) -> None:
        """The merge is complete. Raises `StoreError`."""
        with writing(self._file):
            self._file.unlink(missing_ok=True)
            if self._file.parent.is_dir():
                self._file.parent.rmdir()


def _read(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
