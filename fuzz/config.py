"""What a person may ask for: `RunOptions`, out of `ocppfuzz.toml` with the flags of the command line over it.

Knows names, types and limits of options and refuses what cannot be meant. Must not know the records, nor what a
campaign makes of an option.
"""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import os
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit

CONFIG_FILE = Path("ocppfuzz.toml")
PASSWORD_VARIABLE = "OCPPFUZZ_PASSWORD"

PHASES = (
    "replay",
    "systematic",
    "frames",
    "stateful",
    "answers",
    "injection",
    "twins",
    "resource",
    "generated",
)
"""In the order in which they take their turns; what weighs on a target comes behind what needs it as it was."""

STATELESS_PHASES = ("systematic", "generated")
"""The phases whose cases are single messages."""

RANDOM_PHASE = "random"
"""Valid messages drawn at random and nothing else: what other phases are compared with, never played unasked."""

TIERS = ("sites", "full")
EDITIONS = ("ed3", "2025-09")
EFFECTS = ("none", "volatile", "persistent", "lock-out", "energise", "one-way")
SECURITY_PROFILES = (0, 1, 2, 3)


class ConfigError(ValueError):
    """The configuration or a flag asks for something impossible; the text says what would be possible."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Everything a command may be told about its target and its campaign.

    Neither `listen` (HOST:PORT, a station dials in) nor `target` (a ws or wss URL with `{identity}`, a CSMS that we
    dial) means: the embedded reference station. `seed` None means: draw one and print it. `allow` names the effects
    that cases may have on a target that we did not start, beyond none and volatile (design 2.7). `oracles` are the only
    ones that may speak, all where none is named. `pics` is the PICS file of the station: what it claims, and what the
    embedded one is built of.
    `catcher` is HOST:PORT of this machine as the target reaches it: there we wait for whoever follows an address that
    an injection told. `capture_interface` is the network interface whose real packets are kept beside findings.
    `on_stuck` is a command, or a URL to post to, for when the target stays away for longer than `wait_s`; without one a
    person is asked to restart it, unless `unattended`. `self_test` means our own station by name, for a finding that was
    found elsewhere. The password is never in here, see `password_of`; `password_env`
    is the environment variable that holds it.
    """

    listen: str | None = None
    target: str | None = None
    identity: str = ""
    authorized: bool = False
    security_profile: int = 3
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    password_file: Path | None = None
    password_env: str = PASSWORD_VARIABLE
    start_cmd: str | None = None
    restart_cmd: str | None = None
    on_stuck: str | None = None
    operator: str | None = None
    unattended: bool = False
    wait_s: float = 120.0
    catcher: str | None = None
    capture_interface: str | None = None
    self_test: bool = False
    seed: int | None = None
    max_time_s: float | None = 60.0
    max_cases: int | None = None
    max_exchanges: int | None = None
    fail_fast: bool = False
    phases: tuple[str, ...] = PHASES
    tier: str = "full"
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strict: bool = False
    oracles: tuple[str, ...] = ()
    edition: str = "ed3"
    allow: tuple[str, ...] = ()
    findings_dir: Path = Path("findings")
    corpus_dir: Path | None = None
    resume: bool = False
    plan: bool = False
    defects: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    pics: str | None = None
    quiet: bool = False
    json: bool = False
    color: bool | None = None

    @property
    def embedded(self) -> bool:
        """True when the target is our own reference station."""
        return self.listen is None and self.target is None


MODES = ("pr", "nightly")


@dataclass(frozen=True, slots=True)
class Identity:
    """One of `[[identities]]`: who a station is, and which environment variables hold its credentials.

    `password_env` holds a Basic password; `cert_env` and `key_env` hold PEM text, or the name of a file with it.
    """

    identity: str
    security_profile: int | None = None
    password_env: str = ""
    cert_env: str = ""
    key_env: str = ""


@dataclass(frozen=True, slots=True)
class RegressOptions:
    """What `regress` may be told beyond what names the target and the cases.

    `self_test` is `station` or `csms` for our own ends, "" for a target. `handshakes` are shell patterns of TLS lab
    cases, or `none`; without any the mode decides. `whole` plays in a pull request what is otherwise left for the night,
    of handshakes and of the phases that are played. `before` is a command or an http(s) address that is asked before
    anything is played. `reason` and `expires` go into new entries of the baseline.
    """

    mode: str = "pr"
    self_test: str = ""
    fail_on: str = "high,shall-broken"
    handshakes: tuple[str, ...] = ()
    whole: bool = False
    wait_ready_s: float | None = None
    before: str | None = None
    allow_incomplete: bool = False
    baseline: Path | None = None
    update_baseline: bool = False
    reason: str = ""
    expires: str | None = None
    quirks: Path | None = None
    lock: Path = Path("ocppfuzz.lock")
    update_lock: bool = False
    identities: tuple[Identity, ...] = ()

    @property
    def short(self) -> bool:
        """True where nobody is to wait for what can as well be played at night."""
        return self.mode == "pr" and not self.whole


_TARGET_KEYS = {
    "listen": "listen",
    "url": "target",
    "identity": "identity",
    "authorized": "authorized",
    "security_profile": "security_profile",
    "ca": "ca",
    "cert": "cert",
    "key": "key",
    "password_file": "password_file",
    "password_env": "password_env",
    "start_cmd": "start_cmd",
    "restart_cmd": "restart_cmd",
    "on_stuck": "on_stuck",
    "operator": "operator",
    "unattended": "unattended",
    "wait_s": "wait_s",
}
_RUN_KEYS = {
    "capture_interface": "capture_interface",
    "seed": "seed",
    "max_time_s": "max_time_s",
    "max_cases": "max_cases",
    "max_exchanges": "max_exchanges",
    "fail_fast": "fail_fast",
    "phases": "phases",
    "tier": "tier",
    "only": "only",
    "exclude": "exclude",
    "findings": "findings_dir",
    "corpus": "corpus_dir",
    "defects": "defects",
    "decoys": "decoys",
    "pics": "pics",
    "catcher": "catcher",
    "quiet": "quiet",
    "json": "json",
    "color": "color",
}
_POLICY_KEYS = {
    "allow": "allow",
    "strict": "strict",
    "oracles": "oracles",
    "edition": "edition",
}

_REGRESS_KEYS = {
    "mode": "mode",
    "fail_on": "fail_on",
    "handshakes": "handshakes",
    "whole": "whole",
    "wait_ready_s": "wait_ready_s",
    "before": "before",
    "allow_incomplete": "allow_incomplete",
    "baseline": "baseline",
    "quirks": "quirks",
    "lock": "lock",
}
_IDENTITY_KEYS = ("identity", "security_profile", "password_env", "cert_env", "key_env")
_IDENTITIES = "identities"

TABLES: Mapping[str, Mapping[str, str]] = {
    "target": _TARGET_KEYS,
    "run": _RUN_KEYS,
    "policy": _POLICY_KEYS,
    "regress": _REGRESS_KEYS,
}
"""The tables of `ocppfuzz.toml`: each key and the field of `RunOptions`, or of `RegressOptions`, that it sets."""


def load_config(path: Path | None = None, flags: Mapping[str, object] | None = None) -> RunOptions:
    """The options of a file with `flags` (field name to value) laid over them, checked.

    Without `path`, `ocppfuzz.toml` in the current folder is read when there is one. Relative paths in the file
    start at the file's folder. A number of cases or exchanges alone is the whole budget: then no clock ends it.

    Raises:
        ConfigError: for an unknown key or value, a wrong type, or options that exclude each other.
    """
    given = read_config(path)[0] | dict(flags or {})
    if flags and flags.get("listen") and "target" not in flags:
        given.pop("target", None)
    if flags and flags.get("target") and "listen" not in flags:
        given.pop("listen", None)
    if {"max_cases", "max_exchanges"} & set(given) and "max_time_s" not in given:
        given["max_time_s"] = None
    return checked(RunOptions(**given), profile_given="security_profile" in given)


def load_regress(
    path: Path | None = None, flags: Mapping[str, object] | None = None
) -> RegressOptions:
    """The options of `regress` in a file, with `flags` laid over them, checked. Raises `ConfigError`."""
    options = RegressOptions(**(read_config(path)[1] | dict(flags or {})))
    _known(options.mode, MODES, "mode")
    if options.wait_ready_s is not None and not 0 < options.wait_ready_s < float("inf"):
        raise ConfigError(f"{_flag('wait_ready_s')} is {options.wait_ready_s}; it must be above 0")
    if options.update_baseline and options.baseline is None:
        raise ConfigError("--update-baseline means nothing without --baseline FILE")
    for name in ("reason", "expires"):
        if getattr(options, name) and not options.update_baseline:
            raise ConfigError(f"{_flag(name)} means nothing without --update-baseline")
    return options


def read_config(path: Path | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of `RunOptions` and those of `RegressOptions` that a file sets. Raises `ConfigError`."""
    if path is None and not CONFIG_FILE.is_file():
        return {}, {}
    path = path or CONFIG_FILE
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; check --config") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not readable as TOML: {error}") from None
    found: dict[str, Any] = {}
    regress: dict[str, Any] = {}
    for table, members in tables.items():
        if table == _IDENTITIES:
            regress[table] = _identities(members, path)
            continue
        known = TABLES[_known(table, (*TABLES, _IDENTITIES), f"table in {path}")]
        if not isinstance(members, dict):
            raise ConfigError(f"{path}: {table} is not a table; write [{table}]")
        for key, value in members.items():
            field = known[_known(key, known, f"key in [{table}] of {path}")]
            kind, into = (
                (RegressOptions, regress) if known is _REGRESS_KEYS else (RunOptions, found)
            )
            into[field] = _typed(
                kind, field, value, place=f"[{table}] {key} in {path}", base=path.parent
            )
    return found, regress


def _identities(value: object, path: Path) -> tuple[Identity, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{path}: {_IDENTITIES} is no list of tables; write [[{_IDENTITIES}]]")
    return tuple(
        _identity(one, f"[[{_IDENTITIES}]] {n} in {path}", path.parent)
        for n, one in enumerate(value, 1)
    )


def _identity(value: object, place: str, base: Path) -> Identity:
    if not isinstance(value, dict):
        raise ConfigError(f"{place} is not a table; write [[{_IDENTITIES}]]")
    for key in value:
        if key in ("password", "key"):
            raise ConfigError(
                f"{place}: a secret does not belong into the file; name an environment variable with {key}_env"
            )
        _known(key, _IDENTITY_KEYS, f"key in {place}")
    if not value.get("identity"):
        raise ConfigError(f"{place} has no identity")
    fields = {k: _typed(Identity, k, v, place=f"{place}, {k}", base=base) for k, v in value.items()}
    made = Identity(**fields)  # type: ignore[arg-type]
    if made.security_profile not in (None, *SECURITY_PROFILES):
        raise ConfigError(
            f"{place}: unknown security profile {made.security_profile}; known: 0, 1, 2, 3"
        )
    if bool(made.cert_env) != bool(made.key_env):
        raise ConfigError(f"{place}: cert_env and key_env belong together; give both")
    return made


def _typed(owner: type, field: str, value: object, *, place: str, base: Path) -> object:
    kind = get_type_hints(owner)[field]
    allowed = get_args(kind) or (kind,)
    if Path in allowed and isinstance(value, str):
        return base / value
    if field == "pics" and isinstance(value, str) and value.endswith(".toml"):
        return str(base / value)  # a path, where it is not one of our names
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if allowed == (str, Ellipsis):
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise ConfigError(f'{place} is not a list of strings; write ["..."]')
    if type(value) in allowed and value is not None:
        return value
    names = " or ".join(t.__name__ for t in allowed if t is not type(None))
    raise ConfigError(f"{place} is of type {type(value).__name__}; write {names}")


# --- checks -----------------------------------------------------------------------------------------------


def nearest(word: str, known: Collection[str]) -> str:
    """How an error names what was probably meant: `did you mean x?`, else all known words."""
    close = difflib.get_close_matches(word.lower(), {k.lower(): k for k in known}, 1, 0.5)
    by_lower = {k.lower(): k for k in known}
    return f"did you mean {by_lower[close[0]]}?" if close else f"known: {', '.join(known)}"


def _flag(field: str) -> str:
    """How an option is typed: `--max-time` for `max_time_s`, which the file shows by its own name."""
    return f"--{field.removesuffix('_s').replace('_', '-')}"


def _known(word: str, known: Collection[str], what: str) -> str:
    if word not in known:
        raise ConfigError(f"unknown {what}: {word!r}; {nearest(word, known)}")
    return word


def checked(options: RunOptions, *, profile_given: bool = True) -> RunOptions:
    """The options, if they can be meant together; the security profile inferred where none was given.

    Raises:
        ConfigError: they cannot, with what would be possible.
    """
    _check_words(options)
    _check_numbers(options)
    if options.listen is not None and options.target is not None:
        raise ConfigError(
            "listen and target exclude each other: either a station dials in, or we dial a CSMS"
        )
    if options.listen is not None:
        host, _ = host_and_port(options.listen)
        _check_authorized(options, host, options.listen)
    if options.target is not None:
        options = _checked_target(options, profile_given=profile_given)
    if options.embedded and (options.start_cmd or options.restart_cmd):
        raise ConfigError(
            "--start-cmd and --restart-cmd need --listen or --target: the embedded station is ours"
        )
    if not options.embedded and (options.defects or options.decoys):
        raise ConfigError(
            "defects and decoys are planted in the embedded station only; leave them out"
        )
    if options.target is not None and options.pics is not None:
        raise ConfigError("pics tells of a station; leave it out, or give listen instead of target")
    if options.catcher is not None:
        host_and_port(options.catcher)
    if (options.cert is None) != (options.key is None):
        raise ConfigError("cert and key belong together; give both")
    return options


def _check_words(options: RunOptions) -> None:
    _known(options.tier, TIERS, "tier")
    _known(options.edition, EDITIONS, "edition")
    for phase in options.phases:
        _known(phase, (*PHASES, RANDOM_PHASE), "phase")
    for effect in options.allow:
        _known(effect, EFFECTS, "effect in allow")
    if options.only or options.exclude:
        from strategies.version import version  # reads the schema folder: only when it is needed

        for action in (*options.only, *options.exclude):
            _known(action, tuple(version().actions), "action")


def _check_numbers(options: RunOptions) -> None:
    if options.security_profile not in SECURITY_PROFILES:
        raise ConfigError(f"unknown security profile {options.security_profile}; known: 0, 1, 2, 3")
    for name in ("max_time_s", "max_cases", "max_exchanges", "wait_s"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            raise ConfigError(f"{_flag(name)} is {value}; it must be above 0")
    if options.seed is not None and options.seed < 0:
        raise ConfigError(f"seed is {options.seed}; it must be 0 or more")


def host_and_port(address: str) -> tuple[str, int]:
    """The two halves of `HOST:PORT` (`[::1]:9000` for IPv6). Raises `ConfigError`."""
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ConfigError(f"{address!r} is not HOST:PORT; write such as 127.0.0.1:9000")
    return host, int(port)


def _checked_target(options: RunOptions, *, profile_given: bool) -> RunOptions:
    url = options.target or ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"target {url!r} is not a URL: {error}") from None
    if parts.scheme not in ("ws", "wss") or not host:
        raise ConfigError(
            f"target {url!r} is no ws or wss URL; write such as wss://host/{{identity}}"
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"a password does not belong into the URL; set {PASSWORD_VARIABLE} or password_file"
        )
    if "{identity}" in url and not options.identity:
        raise ConfigError("target holds {identity}, but no identity is given; give --identity")
    if not profile_given:
        options = replace(options, security_profile=default_profile(url, options))
    if (parts.scheme == "wss") != (options.security_profile >= 2):
        raise ConfigError(
            f"security profile {options.security_profile} does not go with {parts.scheme}; "
            "0 and 1 need ws, 2 and 3 need wss"
        )
    _check_authorized(options, host, url)
    return options


def default_profile(url: str, options: RunOptions) -> int:
    """The security profile that a CSMS URL and the credentials at hand suggest."""
    if url.startswith("wss:"):
        return 3 if options.cert else 2
    return 1 if password_of(options) else 0


def _check_authorized(options: RunOptions, host: str, named: str) -> None:
    # Design 2.8: only who is named is attacked.
    if is_loopback(host) or (options.authorized and options.identity):
        return
    raise ConfigError(
        f"{named} is beyond loopback: write identity and authorized = true into [target] of {CONFIG_FILE}, "
        "if you may attack it"
    )


def is_loopback(host: str) -> bool:
    """True when only this machine can be meant by `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# --- what is not in the options ---------------------------------------------------------------------------


def password_of(options: RunOptions, environ: Mapping[str, str] = os.environ) -> str | None:
    """The Basic password out of `password_file`, else out of the environment; None when there is none.

    Raises:
        ConfigError: the file cannot be read or holds more than one line.
    """
    if options.password_file is None:
        return environ.get(options.password_env) or None
    try:
        lines = options.password_file.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        raise ConfigError(f"cannot read the password file {options.password_file}") from None
    if len(lines) != 1 or not lines[0]:
        raise ConfigError(f"the password file {options.password_file} must hold exactly one line")
    return lines[0]


_DECIDES_CASES: Sequence[str] = (
    "listen",
    "target",
    "identity",
    "phases",
    "tier",
    "only",
    "exclude",
    "strict",
    "oracles",
    "edition",
    "allow",
    "corpus_dir",
    "defects",
    "decoys",
    "pics",
    "catcher",
)


def campaign_hash(options: RunOptions) -> str:
    """Equal for options that ask for the same cases on the same target, given one seed: what `--resume` compares."""
    values = [(name, str(getattr(options, name))) for name in _DECIDES_CASES]
    return hashlib.sha256(repr(values).encode("utf-8", "backslashreplace")).hexdigest()[:16]
