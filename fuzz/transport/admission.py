"""Decides whether a station's opening handshake may come in (Part 4 sections 3.1 and 3.2). No I/O.

Knows identities, Basic credentials and subprotocols. Must not know sockets, links or TLS.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from websockets.datastructures import MultipleValuesError
from websockets.http11 import Request

from fuzz.transport.link import offered_subprotocols

_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may come in.

    `identities` None lets everybody in. `basic` holds the password that an identity must give; an identity with
    None, or without an entry, need not give one. `subprotocols` are in our order of preference. `further_passwords`
    and `further_identities` are what the station was told meanwhile: as good as the configured ones.
    """

    identities: frozenset[str] | None
    subprotocols: tuple[str, ...]
    basic: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    further_passwords: tuple[str, ...] = field(default=(), repr=False)
    further_identities: tuple[str, ...] = ()

    def knows(self, identity: str) -> bool:
        """True when the identity may come in."""
        named = self.identities is None or identity in self.identities
        return named or identity in self.further_identities

    def passwords(self, identity: str) -> tuple[str, ...]:
        """The passwords of which the identity must give one; none when it need not give any."""
        configured = [self.basic.get(identity)]
        if identity in self.further_identities and identity not in self.basic:
            # It is the same station under another name.
            configured = [*self.basic.values()]
        asked = tuple(p for p in configured if p is not None)
        return (*asked, *self.further_passwords) if asked else ()


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may come in. `subprotocol` is "" when the two ends have none in common.

    `password` tells which of its passwords it gave, as in `Handshake`; None when it need not give any.
    """

    identity: str
    basic_user: str
    subprotocol: str
    password: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A connection that was turned away: by HTTP status, or 101 for one that was closed right after.

    `identity` is what it claimed to be, made safe to print; `remote` its address.
    """

    identity: str
    status: int
    reason: str
    remote: str = ""

    def __str__(self) -> str:
        """As one line for people."""
        place = f" from {self.remote}" if self.remote else ""
        return f"{self.identity!r}{place} with HTTP {self.status}: {self.reason}"


def admit(request: Request, rules: Rules) -> Admitted | Refused:
    """What the rules say to a request. Never raises, whatever the request holds."""
    identity = identity_of(request.path)
    if identity is None:
        return Refused(shown(request.path), 404, "the path does not end in an identity")
    if not rules.knows(identity):
        # 404 for an identity we do not know (Part 4 section 3.2); only who is named is attacked (design 2.8).
        return Refused(shown(identity), 404, "not an identity that was named")
    user, password = _basic(request)
    wanted = rules.passwords(identity)
    given = next((i for i, w in enumerate(wanted) if _same(password, w)), None)
    if wanted and (user != identity or given is None):
        return Refused(shown(identity), 401, _why_unauthorized(identity, user))
    if given is not None:
        # Whatever was configured is the configured one.
        given = max(0, given + 1 - (len(wanted) - len(rules.further_passwords)))
    return Admitted(identity, user or "", _choose(request, rules), given)


def identity_of(path: str) -> str | None:
    """The identity at the end of a request path, percent-decoded (Part 4 section 3.1.1); None when there is none."""
    last = path.partition("?")[0].rpartition("/")[2]
    try:
        found = unquote(last, errors="strict")
        # Raw bytes in the request line arrive as lone surrogates, which no file or terminal takes.
        found.encode()
    except UnicodeError:
        return None
    return found or None


def _choose(request: Request, rules: Rules) -> str:
    offered = offered_subprotocols(request)
    return next((name for name in rules.subprotocols if name in offered), "")


def _basic(request: Request) -> tuple[str | None, str]:
    """User and password of the Authorization header (RFC 7617); (None, "") when there is none to be read."""
    try:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None, ""
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (MultipleValuesError, binascii.Error, ValueError):
        return None, ""
    user, _, password = decoded.partition(":")
    return user, password


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _why_unauthorized(identity: str, user: str | None) -> str:
    """The reason in words; never the password."""
    if user is None:
        return "no Basic credentials"
    return "wrong Basic password" if user == identity else "the Basic user is not the identity"


def shown(text: str) -> str:
    """A peer's text, short and safe to print."""
    safe = ascii(text)[1:-1]
    return safe if len(safe) <= _MAX_SHOWN else f"{safe[:_MAX_SHOWN]}..."
