"""`[[identities]]`: who we are, or whom we wait for, with credentials out of the environment.

Knows options and environment variables. A secret never reaches a command line, a report or a file that stays.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.config import ConfigError, Identity

_PEM = "-----BEGIN "


@dataclass(frozen=True, slots=True)
class Lent:
    """`fields` of `RunOptions` for the identity that is used, `second` those of `LabOptions` for the next one."""

    fields: Mapping[str, object] = field(default_factory=dict)
    second: Mapping[str, object] = field(default_factory=dict)


@contextmanager
def lent(
    identities: tuple[Identity, ...],
    wanted: str | None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Lent]:
    """The credentials of an identity, the first one when none is named, as files that go away behind the run.

    Raises:
        ConfigError: an environment variable that an identity names is not set.
    """
    chosen = next((i for i in identities if wanted in (None, i.identity)), None)
    if chosen is None:
        yield Lent()
        return
    other = next((i for i in identities if i.identity != chosen.identity), None)
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
        purse = _Purse(Path(folder), environ)
        second = {} if other is None else purse.second(other)
        yield Lent(purse.first(chosen), second)


@dataclass(frozen=True, slots=True)
class _Purse:
    folder: Path
    environ: Mapping[str, str]

    def first(self, who: Identity) -> dict[str, object]:
        found: dict[str, object] = {"identity": who.identity}
        if who.security_profile is not None:
            found["security_profile"] = who.security_profile
        if who.password_env:
            self._value(who, who.password_env)
            found["password_env"] = who.password_env
        if who.cert_env:
            found["cert"] = self._file(who, who.cert_env)
            found["key"] = self._file(who, who.key_env)
        return found

    def second(self, who: Identity) -> dict[str, object]:
        found: dict[str, object] = {"second": who.identity}
        if who.password_env:
            found["second_password_file"] = self._kept(
                who.password_env, self._value(who, who.password_env)
            )
        if who.cert_env:
            found["second_cert"] = self._file(who, who.cert_env)
            found["second_key"] = self._file(who, who.key_env)
        return found

    def _value(self, who: Identity, name: str) -> str:
        value = self.environ.get(name, "")
        if not value:
            raise ConfigError(
                f"the environment variable {name} of identity {who.identity} is not set; export it first"
            )
        return value

    def _file(self, who: Identity, name: str) -> Path:
        value = self._value(who, name)
        return self._kept(name, value) if _PEM in value else Path(value)

    def _kept(self, name: str, value: str) -> Path:
        path = self.folder / f"{name}-{len(list(self.folder.iterdir()))}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(value)
        return path
