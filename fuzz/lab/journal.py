"""What a run of the lab has finished so far, on disk, so that it can be gone on with after a break.

Knows outcomes and one file. Must not know how cases are played.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, replace
from pathlib import Path

from fuzz.errors import StoreError
from fuzz.report.tls import TlsRow

FILE = ".tls-lab.ndjson"
MAX_LINES = 10_000


class Journal:
    """One line a finished case, under a first line that says of which run: peer, security profile, edition."""

    def __init__(self, folder: Path, run: str, *, resume: bool, anew: bool = True) -> None:
        """Knows the rows of the same run when it is to `resume`, none otherwise. Raises `StoreError`.

        What the file knew of the same run is forgotten when it is neither resumed nor to be kept (`anew` False).
        """
        self._path = folder / FILE
        known = _read(self._path, run) if resume or not anew else {}
        self.rows: dict[str, TlsRow] = known if resume else {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps({"run": run}), *(json.dumps(asdict(r)) for r in known.values())]
            self._path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}") from None

    def add(self, row: TlsRow) -> None:
        """The case is finished. Raises `StoreError`."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}") from None

    def finished(self) -> None:
        """The whole run is over: nothing is left to go on with."""
        with contextlib.suppress(OSError):
            self._path.unlink()


def _read(path: Path, run: str) -> dict[str, TlsRow]:
    """The rows of the same run; a broken line, such as the last one of a killed run, counts for nothing."""
    try:
        lines = path.read_text("utf-8").splitlines()[:MAX_LINES]
    except (OSError, UnicodeError):
        return {}
    found: dict[str, TlsRow] = {}
    for number, line in enumerate(lines):
        try:
            value = json.loads(line)
            if number == 0:
                if value != {"run": run}:
                    return {}
                continue
            row = TlsRow(**value)
        except (ValueError, TypeError):
            continue
        found[row.id] = replace(
            row, clause=tuple(row.clause), endangers=tuple(row.endangers), why=tuple(row.why)
        )
    return found
