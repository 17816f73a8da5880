"""Policy files on disk: the baseline with its cases, the lock, the quirks.

Knows their form and the file system. Must not know what they mean for a build.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from fuzz.errors import UsageError
from fuzz.policy.baseline import Baseline, Entry, Known, checked as checked_baseline, migrated
from fuzz.policy.flaw import Flaw
from fuzz.policy.lock import Lock, checked as checked_lock
from fuzz.policy.quirks import Quirk, quirks_from
from fuzz.policy.renaming import FINGERPRINT_VERSION
from fuzz.records import Case
from fuzz.store.cases import KNOWN, load_case, save_case
from fuzz.store.codec import Misfit, dump, opened, record_from_json, record_to_json
from fuzz.store.files import load_json, read_bytes, replace_file
from fuzz.store.findings import fingerprint

BASELINE_FORMAT = 1
LOCK_FORMAT = 2
"""1 knew nothing of what is left for the night."""

T = TypeVar("T")


@contextmanager
def _placed(path: Path) -> Iterator[None]:
    """Whatever is wrong in a file becomes one line that names the file and the place."""
    try:
        yield
    except (Misfit, Flaw) as error:
        where = f"{error.place}: " if error.place else ""
        raise UsageError(f"{path}: {where}{error}") from None


def _record(kind: type[T], path: Path, newest: int) -> T:
    value = load_json(path)
    with _placed(path):
        found: Any = record_from_json(kind, opened(value, newest), "")
    read: T = found
    return read


def load_baseline(path: Path) -> tuple[Known, ...]:
    """The entries with their cases, as today's findings are called. Raises `UsageError` with the place."""
    baseline = _record(Baseline, path, BASELINE_FORMAT)
    with _placed(path):
        entries = checked_baseline(baseline).entries
    known = [Known(entry, _case_of(entry, path, n)) for n, entry in enumerate(entries)]
    with _placed(path):
        return migrated(known, baseline.fingerprints, fingerprint)


def _case_of(entry: Entry, path: Path, number: int) -> Case:
    file = path.parent / entry.case
    if not file.is_file():
        raise UsageError(f"{path}: /entries/{number}/case: there is no {file}; remove the entry")
    return load_case(file)


def save_baseline(path: Path, known: Iterable[Known], before: Iterable[Known] = ()) -> None:
    """Write the baseline and the cases of its entries; what we wrote for entries of `before` goes with them."""
    kept = sorted(known, key=lambda one: one.entry.name)
    for one in kept:
        save_case(one.case, path.parent / one.entry.case)
    baseline = Baseline(FINGERPRINT_VERSION, tuple(one.entry for one in kept))
    replace_file(path, dump({"format": BASELINE_FORMAT, **record_to_json(baseline)}))
    needed = {one.entry.case for one in kept}
    for one in before:
        if one.entry.case not in needed and Path(one.entry.case).parent.name == KNOWN:
            (path.parent / one.entry.case).unlink(missing_ok=True)


def case_file(path: Path, folder: Path, name: str) -> str:
    """What an entry calls its case: the file in `folder`, seen from the baseline at `path`."""
    return Path(os.path.relpath(folder / f"{name}.json", path.parent)).as_posix()


def load_lock(path: Path) -> Lock | None:
    """The lock, None where there is none. Raises `UsageError` with the place."""
    if not path.exists():
        return None
    lock = _record(Lock, path, LOCK_FORMAT)
    with _placed(path):
        return checked_lock(lock)


def save_lock(path: Path, lock: Lock) -> None:
    """Write the lock. Raises `StoreError`."""
    replace_file(path, dump({"format": LOCK_FORMAT, **record_to_json(lock)}))


def load_quirks(path: Path, checks: Mapping[str, str]) -> tuple[Quirk, ...]:
    """The quirks in a file; `checks` maps every name of a check to its id. Raises `UsageError` with the place."""
    data = read_bytes(path)
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not readable as TOML: {error}") from None
    with _placed(path):
        return quirks_from(value, checks)
