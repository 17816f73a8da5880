"""A corpus as a collection: one case a file, found by what it puts on the wire, named by its content where a machine adds it.

Knows files and the wire of a case. Must not know what a case shows when it is played.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from fuzz.errors import StoreError, UsageError
from fuzz.records import Case
from fuzz.store.cases import load_case, save_case
from fuzz.store.codec import case_to_json, dump
from fuzz.store.files import entries_of, writing

HASH_DIGITS = 16

_BY_CONTENT = re.compile(rf"(?:.*-)?([0-9a-f]{{{HASH_DIGITS}}})")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WIRE = ("preamble", "side", "steps", "version")
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def wire_digest(case: Case) -> str:
    """What two cases share that put the same on the wire, as hex digits (SHA-256, cut)."""
    members = case_to_json(case)
    told = dump({name: members[name] for name in _WIRE}, indent=None)
    return hashlib.sha256(told).hexdigest()[:HASH_DIGITS]


def content_name(case: Case) -> str:
    """The name of a file that a machine adds: `boot-notification-0123456789abcdef`."""
    words = re.sub(r"[^a-z0-9]+", "-", _WORD_BEGINS.sub("-", case.action).lower()).strip("-")
    return "-".join(filter(None, (words[:40].strip("-"), wire_digest(case))))


def named_by_content(stem: str) -> str | None:
    """The hash in the name of a file that a machine added, None for a name that a person gave."""
    found = _BY_CONTENT.fullmatch(stem)
    return found.group(1) if found else None


def well_named(name: str) -> bool:
    """Whether a family or a file is named in lower-case words."""
    return _NAME.fullmatch(name) is not None


@dataclass(slots=True)
class Collection:
    """The cases of one corpus folder by path."""

    root: Path
    cases: dict[Path, Case] = field(default_factory=dict)
    _by_wire: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> Collection:
        """What lies under `root`, which need not exist. Raises `CaseFormatError`."""
        made = cls(root)
        for path in case_files(root):
            made._hold(path, load_case(path))
        return made

    def _hold(self, path: Path, case: Case) -> None:
        self.cases[path] = case
        self._by_wire.setdefault(wire_digest(case), path)

    def holds(self, case: Case) -> Path | None:
        """The file whose wire is the same."""
        return self._by_wire.get(wire_digest(case))

    def add(self, case: Case, family: str, *, name: str = "") -> Path | None:
        """Write a case under `name`, else under its content's; None when the wire is known. Raises `StoreError`."""
        if self.holds(case) is not None:
            return None
        stem = name or content_name(case)
        for word in (family, stem):
            if not well_named(word):
                raise UsageError(
                    f"{word!r} is no name for a family or a case; use lower-case words such as json-text"
                )
        path = self.root / family / f"{stem}.json"
        if path.exists():
            raise StoreError(f"{path} exists and holds another case; choose another --name")
        case = replace(case, id=f"corpus/{family}/{stem}")
        save_case(case, path)
        self._hold(path, case)
        return path

    def remove(self, path: Path) -> None:
        """Take a case out. Raises `StoreError`."""
        with writing(path):
            path.unlink(missing_ok=True)
        case = self.cases.pop(path)
        if self._by_wire.get(wire_digest(case)) == path:
            del self._by_wire[wire_digest(case)]


def case_files(root: Path) -> Iterator[Path]:
    """The files `<family>/<name>.json` of a corpus, in the order of their paths."""
    for family in entries_of(root):
        if family.is_dir():
            yield from (
                root / family.name / f.name for f in entries_of(family) if f.name.endswith(".json")
            )
