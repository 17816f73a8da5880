"""Which stations there are, how each proves who it is, and what it is told when it boots: a small TOML text.

Knows how a password is kept: salted and hashed, never as it is (A01.FR.08). Opens no file.
"""

from __future__ import annotations

import difflib
import hashlib
import hmac
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from fuzz.csms.events import BootStatus
from fuzz.errors import UsageError

MAX_STATIONS = 1000
MAX_IDENTITY = 48
_COST = 2**12
_BLOCK = 8
_SALT_BYTES = 16
_SCHEME = "scrypt"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One station that is known here.

    Attributes:
        identity: the last part of its URL.
        serial: its serial number, the commonName of its certificate; the identity where none is given.
        security_profile: the only one in which it is served (A00.FR.001, FR.002).
        password_hash: of the Basic password of security profiles 1 and 2, as `hash_password` makes it.
        boot: what it is told when it boots.
        pending_boots: so many BootNotifications are answered with Pending before one is accepted; 0 is for ever.
        allow_expired: whether its expired certificate is let in, to be renewed at once (A00.FR.429).
    """

    identity: str
    security_profile: int = 3
    serial: str = ""
    password_hash: str = field(default="", repr=False)
    boot: BootStatus = BootStatus.ACCEPTED
    pending_boots: int = 0
    allow_expired: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a station that could never come in."""
        if not 0 < len(self.identity) <= MAX_IDENTITY or ":" in self.identity:
            raise UsageError(
                f"identity {self.identity!r} must have 1 to {MAX_IDENTITY} characters and no ':'"
            )
        if self.security_profile not in (1, 2, 3):
            raise UsageError(
                f"security profile {self.security_profile} of {self.identity} is none; known: 1, 2, 3"
            )
        if self.security_profile < 3 and not self.password_hash:
            raise UsageError(
                f"station {self.identity} needs a password in security profile {self.security_profile}"
            )

    @property
    def name(self) -> str:
        """What its certificate must call it (A00.FR.405)."""
        return self.serial or self.identity


# --- passwords --------------------------------------------------------------------------------------------


def hash_password(password: str, salt: bytes) -> str:
    """What is kept of a password: enough to know it again, not to say it."""
    return f"{_SCHEME}${salt.hex()}${_scrypt(password, salt).hex()}"


def password_fits(given: str, stored: str) -> bool:
    """Whether `given` is the password of which `stored` was made; takes as long for a wrong one (CWE-208)."""
    scheme, _, rest = stored.partition("$")
    salt, _, wanted = rest.partition("$")
    known = scheme == _SCHEME and bool(wanted)
    made = _scrypt(given, bytes.fromhex(salt) if known else bytes(_SALT_BYTES)).hex()
    return hmac.compare_digest(made, wanted if known else "") and known


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=_COST, r=_BLOCK, p=1, dklen=32
    )


# --- the file ---------------------------------------------------------------------------------------------

_KEYS: Mapping[str, type] = {
    "identity": str,
    "security_profile": int,
    "serial": str,
    "password": str,
    "password_hash": str,
    "boot": str,
    "pending_boots": int,
    "allow_expired": bool,
}


def read_enrolment(text: str, name: str, salt: bytes) -> list[Enrolled]:
    """The stations of a TOML text called `name`, one `[[station]]` each. Raises UsageError, one line.

    `salt` is for the passwords that are there in clear; they are hashed and forgotten.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not readable as TOML: {error}") from None
    for key in tables:
        _known(key, ("station",), name)
    stations = tables.get("station", [])
    if not isinstance(stations, list) or not stations:
        raise UsageError(f"{name} names no station; write [[station]] with an identity")
    found = [_enrolled(station, name, salt) for station in stations[: MAX_STATIONS + 1]]
    check_enrolment(found)
    return found


def check_enrolment(stations: Sequence[Enrolled]) -> None:
    """Raises UsageError for too many stations, and for two of the same name (A00.FR.427)."""
    if len(stations) > MAX_STATIONS:
        raise UsageError(f"more than {MAX_STATIONS} stations")
    for names in ([s.identity for s in stations], [s.name for s in stations]):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"station {twice!r} is there twice; give every station its own name")


def _enrolled(table: object, name: str, salt: bytes) -> Enrolled:
    if not isinstance(table, dict):
        raise UsageError(f"{name}: station is not a table; write [[station]]")
    for key, value in table.items():
        wanted = _KEYS[_known(key, _KEYS, name)]
        if type(value) is not wanted:
            raise UsageError(f"{name}: {key} is of another type; write a {wanted.__name__}")
    given = dict(table)
    password = given.pop("password", None)
    if password is not None:
        given["password_hash"] = hash_password(password, salt)
    given.setdefault("security_profile", 2 if given.get("password_hash") else 3)
    given["boot"] = _boot(given.get("boot", BootStatus.ACCEPTED.value), name)
    return Enrolled(given.pop("identity", ""), **given)


def _boot(text: str, name: str) -> BootStatus:
    return BootStatus(_known(text, [status.value for status in BootStatus], f"{name}, boot"))


def _known(word: str, known: Collection[str], place: str) -> str:
    if word not in known:
        near = difflib.get_close_matches(word, known, 1)
        advice = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise UsageError(f"{place}: unknown word {word!r}; {advice}")
    return word
