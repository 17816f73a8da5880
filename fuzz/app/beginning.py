"""Writes a first `ocppfuzz.toml` out of the answers to five questions.

Knows the answers, what goes with what, and the shape of the file. Must not know who asks.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import tomlkit

from fuzz.app.config_schema import TEXTS, example, schema_text
from fuzz.config import (
    CONFIG_FILE,
    PASSWORD_VARIABLE,
    TABLES,
    ConfigError,
    RunOptions,
    checked,
    host_and_port,
    is_loopback,
)
from fuzz.errors import StoreError, UsageError
from strategies.labels import JsonValue

SIDES = {
    "station": "a Charging Station that dials in",
    "csms": "a CSMS that we dial",
    "embedded": "our own reference station, to try things out",
}
"""What may be attacked, the usual one first."""

REACHED = {"station": "127.0.0.1:9000", "csms": "ws://127.0.0.1:9000/ocpp/{identity}"}
"""How each side is reached by default: where we wait for it, or what we dial."""

PROFILES = {
    0: "none: ws:// without password, for the laboratory",
    1: "ws:// with a Basic password",
    2: "wss:// with a Basic password",
    3: "wss:// with a certificate of the station",
}

CERTIFICATES = {
    "lab": "made for you at the first run, in findings/private/pki",
    "system": "the CSMS's root is one that this machine trusts",
    "own": "files of yours",
}

STRICTNESS = {
    "lenient": "a build fails for what is critical, and for leaks",
    "usual": "a build fails from high on, and for every broken SHALL",
    "strict": "remarks count, and a build fails for whatever is found",
}

_FAIL_ON = {
    "lenient": "critical,leak",
    "usual": "high,shall-broken",
    "strict": "info,shall-broken",
}
SCHEMA_NAME = "ocppfuzz.schema.json"
_HEAD = (
    "# What ocppfuzz attacks, and how. Flags of the command line lie over it.",
    "# A line that begins with # and a key is not set: it shows the default, or an example.",
)
_COMMENTS_AT = 44
_MAX_IDENTITY = 48  # OCPP 2.0.1 Part 4, 3.1.2: the identity is an identifierString of at most 48


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers: side, how to reach it (with `identity` and `authorized`), security profile, certificates, strictness.

    `ca`, `cert` and `key` mean something with `own` certificates only.
    """

    side: str = "station"
    reach: str = REACHED["station"]
    identity: str = "CS-1"
    authorized: bool = False
    security_profile: int = 1
    certificates: str = "lab"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    strictness: str = "usual"


def profiles_for(side: str, reach: str) -> tuple[int, ...]:
    """The security profiles that are possible, the proposed one first."""
    if side == "embedded":
        return (3, 1, 2)
    if side == "csms":
        return (2, 3) if reach.startswith("wss:") else (1, 0)
    return (1, 2, 3, 0)


def certificates_for(side: str, security_profile: int) -> tuple[str, ...]:
    """Where certificates may come from, the proposed one first; nothing where none are needed."""
    if side == "embedded" or security_profile < 2:
        return ()
    if side == "station":
        return ("lab", "own")
    return ("own",) if security_profile == 3 else ("system", "own")


def files_for(side: str, security_profile: int) -> tuple[str, ...]:
    """Which files of one's own are needed: of `ca`, `cert` and `key`."""
    if security_profile == 3:
        return ("ca", "cert", "key")
    return ("cert", "key") if side == "station" else ("ca",)


def checked_reach(side: str, reach: str) -> str:
    """How a side is reached, if it can be. Raises `ConfigError`."""
    if side == "station":
        host_and_port(reach)
    elif side == "csms":
        profile = profiles_for(side, reach)[0]
        checked(RunOptions(target=reach, identity="x", authorized=True, security_profile=profile))
    return reach


def beyond_loopback(side: str, reach: str) -> bool:
    """True when what is named may only be attacked with authorisation. Raises `ConfigError`."""
    match side:
        case "station":
            return not is_loopback(host_and_port(reach)[0])
        case "csms":
            return not is_loopback(urlsplit(checked_reach(side, reach)).hostname or "")
        case _:
            return False


def checked_identity(identity: str) -> str:
    """The identity, if a station can have it. Raises `ConfigError`."""
    if not 0 < len(identity) <= _MAX_IDENTITY or not identity.isprintable() or ":" in identity:
        raise ConfigError(
            f"identity {identity!r} is none; write 1 to {_MAX_IDENTITY} visible characters without ':'"
        )
    return identity


def checked_answers(answers: Answers) -> Answers:
    """The answers, if they can be meant together. Raises `ConfigError` with what would be possible."""
    _possible(answers.side, tuple(SIDES), "side")
    _possible(answers.strictness, tuple(STRICTNESS), "strictness")
    if answers.side != "embedded":
        checked_identity(answers.identity)
    possible = profiles_for(answers.side, answers.reach)
    _possible(answers.security_profile, possible, f"security profile for {answers.reach}")
    sources = certificates_for(answers.side, answers.security_profile)
    if sources:
        _possible(answers.certificates, sources, "certificates")
    if answers.certificates == "own":
        for name in files_for(answers.side, answers.security_profile) if sources else ():
            if getattr(answers, name) is None:
                raise ConfigError(f"certificates of your own need {name}; give --{name}")
    checked(_options(answers))
    return answers


def _possible(value: object, known: Sequence[object], what: str) -> None:
    if value not in known:
        raise ConfigError(f"unknown {what}: {value}; possible: {', '.join(map(str, known))}")


def _options(answers: Answers) -> RunOptions:
    station, csms = answers.side == "station", answers.side == "csms"
    return RunOptions(
        listen=answers.reach if station else None,
        target=answers.reach if csms else None,
        identity=answers.identity,
        authorized=answers.authorized,
        security_profile=answers.security_profile,
    )


def _settings(answers: Answers, folder: Path) -> Iterator[tuple[str, str, JsonValue]]:
    """What the file sets: table, key, value; paths as they are seen from `folder`."""
    target = "target"
    if answers.side != "embedded":
        yield target, "listen" if answers.side == "station" else "url", answers.reach
        yield target, "identity", answers.identity
        if answers.authorized:
            yield target, "authorized", True
    yield target, "security_profile", answers.security_profile
    if answers.certificates == "own" and certificates_for(answers.side, answers.security_profile):
        for name in files_for(answers.side, answers.security_profile):
            yield target, name, _from(folder, getattr(answers, name))
    yield "policy", "strict", answers.strictness == "strict"
    yield "regress", "fail_on", _FAIL_ON[answers.strictness]


def _from(folder: Path, file: Path | None) -> str:
    if file is None or file.is_absolute():
        return str(file)
    return os.path.relpath(file, folder)


def file_text(answers: Answers, folder: Path) -> str:
    """The file, for `folder`: what was answered is set, everything else stands there disabled by a `#`."""
    given = {(table, key): value for table, key, value in _settings(answers, folder)}
    lines = [f"#:schema ./{SCHEMA_NAME}", *_HEAD]
    for table, keys in TABLES.items():
        lines += ["", f"[{table}]"]
        for key in keys:
            if (table, key) in given:
                lines.append(_line(table, key, given[table, key]))
            elif key not in _useless(answers.side):
                lines.append(_line(table, key, example(table, key), off="#"))
    return "\n".join(lines) + "\n"


def _useless(side: str) -> frozenset[str]:
    """The keys that the loader would refuse for a side."""
    station_only, embedded_only = {"listen", "pics"}, {"defects", "decoys"}
    match side:
        case "station":
            return frozenset({"url"} | embedded_only)
        case "csms":
            return frozenset(station_only | embedded_only)
        case _:
            return frozenset({"listen", "url", "start_cmd", "restart_cmd"})


def _line(table: str, key: str, value: JsonValue, *, off: str = "") -> str:
    setting = f"{off}{key} = {tomlkit.item(value).as_string()} "
    return f"{setting:<{_COMMENTS_AT}}# {TEXTS[table][key]}"


def init(answers: Answers, file: Path, *, force: bool) -> tuple[str, ...]:
    """Write the file, with its schema beside it; what to do next, the last two of it commands.

    Raises:
        UsageError: the file is there already, and `force` is not given.
        ConfigError: the answers do not go together.
        StoreError: it cannot be written.
    """
    if file.exists() and not force:
        raise UsageError(f"{file} is there already; --force overwrites it, -o writes another file")
    text = file_text(checked_answers(answers), file.parent)
    try:
        (file.parent / SCHEMA_NAME).write_text(schema_text(), "utf-8")
        file.write_text(text, "utf-8")
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}; give another -o") from None
    return tuple(_next(answers, file))


def _next(answers: Answers, file: Path) -> Iterator[str]:
    yield f"wrote {file}, and {SCHEMA_NAME} beside it for editors"
    if answers.side != "embedded" and answers.security_profile in (1, 2):
        yield f"the Basic password is not in it: export {PASSWORD_VARIABLE}=..."
    config = "" if file == CONFIG_FILE else f" --config {shlex.quote(str(file))}"
    yield "Next:"
    yield f"  ocppfuzz doctor{config}"
    yield f"  ocppfuzz run{config}"
