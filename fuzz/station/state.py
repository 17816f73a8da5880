"""What a station keeps between two starts of its process: a folder with one file for each member of `Persist.state`.

Knows files, locks and JSON; what a member holds is for the block that gave it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from fuzz.errors import UsageError
from strategies.labels import JsonObject, JsonValue

_ENDING = ".station.json"
_UNFINISHED = ".unfinished-"
_CHANGES = ".changes"
_LOCK = ".lock"


class StateDir:
    """A folder that only its owner can look into, held by one process at a time; leave it with `close`.

    What one `write` changes is there as a whole or not at all, at whatever moment the process is killed: changes of
    several members are written down together before the first of them is made.
    """

    def __init__(self, folder: Path) -> None:
        """The folder exists and is ours alone. Raises UsageError where that cannot be."""
        self._folder = folder
        self._written: dict[str, str] = {}
        self._noted = False
        self._lock = -1
        try:
            _make_private(folder)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in folder.glob(f"{_UNFINISHED}*"):
                left.unlink()
        except BlockingIOError:
            self.close()
            raise UsageError(f"another station keeps its state in {folder}; stop it") from None
        except OSError as error:
            self.close()
            raise UsageError(f"no state can be kept in {folder}: {_why(error)}") from None

    def __enter__(self) -> StateDir:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def read(self) -> JsonObject:
        """Every member. Raises UsageError, naming the file, when one cannot be read or is damaged."""
        self._complete()
        state: JsonObject = {}
        for path in sorted(self._folder.glob(f"*{_ENDING}")):
            member = path.name.removesuffix(_ENDING)
            with _named_on_failure(path):
                text = path.read_text("utf-8")
                state[member] = json.loads(text)
            self._written[member] = text
        return state

    def write(self, state: JsonObject) -> None:
        """Each member that is not as it was is written, what is gone is removed. Raises OSError."""
        texts = {member: _text(value) for member, value in state.items()}
        changes: dict[str, str | None] = {
            member: text for member, text in texts.items() if self._written.get(member) != text
        }
        changes.update(dict.fromkeys(self._written.keys() - texts.keys()))
        if len(changes) > 1 or self._noted:
            self._replace(self._folder / _CHANGES, json.dumps(changes))
            self._noted = True
        self._make(changes)

    def close(self) -> None:
        """Another process may have it."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def _complete(self) -> None:
        """Makes the changes that a killed process had written down."""
        path = self._folder / _CHANGES
        if path.exists():
            with _named_on_failure(path):
                changes = dict(json.loads(path.read_text("utf-8")))
                self._noted = True
                self._make(changes)

    def _make(self, changes: Mapping[str, str | None]) -> None:
        for member, text in changes.items():
            if text is None:
                self._path(member).unlink(missing_ok=True)
                self._written.pop(member, None)
            else:
                self._replace(self._path(member), text)
                self._written[member] = text
        if self._noted:
            (self._folder / _CHANGES).unlink()
            self._noted = False

    def _path(self, member: str) -> Path:
        return self._folder / f"{member}{_ENDING}"

    def _replace(self, path: Path, text: str) -> None:
        # mkstemp gives mode 0600: a member may hold the Basic password or a key. No fsync: a rename survives the
        # death of this process, and a power cut is played by the station, not by the machine.
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=_UNFINISHED)
        with _removed_on_failure(Path(temporary)):
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _named_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UsageError(
            f"the state in {path} cannot be read: {_why(error)}; remove or restore it"
        ) from None


def _text(value: JsonValue) -> str:
    # ASCII only: a peer's lone surrogate could not be written as UTF-8.
    return f"{json.dumps(value, indent=1, sort_keys=True)}\n"


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not folder.stat().st_mode & 0o077:
        return
    if any(folder.iterdir()):
        # Somebody's folder, perhaps /tmp: its mode is not ours to change.
        raise PermissionError(f"others may look into it; chmod 700 {folder}, or name a new folder")
    folder.chmod(0o700)


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
