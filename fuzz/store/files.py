"""Reading and writing whole files and folders, all or nothing.

Knows the file system. Must not know what the bytes mean.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources.abc import Traversable
from pathlib import Path

from fuzz.errors import CaseFormatError, StoreError

PRIVATE = "private/"
"""Before a file's name: readable by its owner only, and never part of a report or a pack (design 4)."""

MAX_FILE_BYTES = 64 * 2**20
"""Longer case and finding files are refused unread."""


# --- files ------------------------------------------------------------------------------------------------


def load_json(path: Traversable) -> object:
    """The JSON value in a file. Raises `CaseFormatError`."""
    try:
        data = read_bytes(path)
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        place = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise CaseFormatError(
            f"{path}: {place}not readable as JSON; repair the file or remove it"
        ) from None


def read_bytes(path: Traversable) -> bytes:
    """The content of a file, when it is not longer than any of ours. Raises `CaseFormatError`."""
    try:
        with path.open("rb") as file:
            data: bytes = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CaseFormatError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    if len(data) > MAX_FILE_BYTES:
        raise CaseFormatError(f"{path}: longer than {MAX_FILE_BYTES} bytes, no case is; remove it")
    return data


ADVICE = "free some space or choose another folder with --findings"


@contextmanager
def writing(path: Path, advice: str = ADVICE) -> Iterator[None]:
    """Whatever the disk refuses inside becomes a `StoreError` about `path`, with the next step."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}; {advice}") from None


def write_file(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Put `data` on the disk for good before returning."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Names that were made or changed in the folder are on the disk for good."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: Path, data: bytes, *, mode: int = 0o666, advice: str = ADVICE) -> None:
    """Write or replace one file; whoever reads it sees the old or the new content, never a part."""
    with writing(path, advice):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            write_file(temporary, data, mode=mode)
            temporary.rename(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)


def entries_of(folder: Traversable) -> list[Traversable]:
    """What lies in a folder, hidden names aside, in the order of names; nothing when there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted((f for f in folder.iterdir() if not f.name.startswith(".")), key=lambda f: f.name)


# --- swapping a folder as a whole: `.new-x` is being written, `.old-x` is the former one -------------------


def aside(folder: Path) -> Path:
    """Where the former content of a folder lies while the folder is swapped."""
    return folder.with_name(f".old-{folder.name}")


def swap(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put a folder with these files where another one may be; the caller holds the lock."""
    fresh = folder.with_name(f".new-{folder.name}")
    fresh.mkdir()
    for name, data in files.items():
        if not name.startswith(PRIVATE):
            write_file(fresh / name, data)
            continue
        (fresh / PRIVATE).mkdir(mode=0o700, exist_ok=True)
        write_file(fresh / name, data, mode=0o600)
    sync_folder(fresh)
    if folder.exists():
        folder.rename(aside(folder))
    fresh.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(aside(folder), ignore_errors=True)


def sweep(root: Path) -> None:
    """Finish what a killed writer left behind; the caller holds the lock, so that nobody is writing now."""
    for left in sorted(root.glob(".old-*")):
        folder = left.with_name(left.name.removeprefix(".old-"))
        if folder.exists():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.rename(folder)
    for left in root.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)


def settle(root: Path) -> None:
    """Finish what a killed writer left behind, if there is anything."""
    # Only a folder that shows traces of a writer is locked: findings may lie on a read-only disk.
    if any(root.glob(".old-*")):
        with writing(root), locked(root):
            sweep(root)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Writers of one folder wait for each other."""
    root.mkdir(parents=True, exist_ok=True)
    handle = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
