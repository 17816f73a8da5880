"""What the lab shows to a CSMS at whose door it knocks: who it says it is, and how TLS and HTTP are spoken.

Knows descriptions only; `client` carries them out. A knock and its control differ in `facts`, field by field, as
offers to a Charging Station do.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from tlslab.offers import OCPP_SUITES, TLS_1_2, TLS_1_3, Engine
from tlslab.pki import Credential

MIXED_SUITES = (*OCPP_SUITES, 0xC02F, 0xC030)
"""The four suites of OCPP, and what a CSMS with an RSA certificate may take in their place."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A Charging Station that the CSMS knows, and how we prove to be it.

    Attributes:
        name: the last part of its URL.
        serial: what its certificate calls it; "" means: the name.
        password: of security profile 2.
        credential: of security profile 3.
    """

    name: str
    serial: str = ""
    password: str | None = field(default=None, repr=False)
    credential: Credential | None = None

    @property
    def common_name(self) -> str:
        """What its certificate must call it (A00.FR.405)."""
        return self.serial or self.name


@dataclass(frozen=True, slots=True)
class Ticket:
    """A TLS session that may be resumed, with the context it belongs to."""

    context: ssl.SSLContext
    session: ssl.SSLSession


@dataclass(frozen=True, slots=True)
class Knock:
    """One visit at the CSMS; the defaults are what OCPP asks for.

    Attributes:
        path: the whole path of the request, its last part being the identity as it goes over the wire.
        serial: what the BootNotification calls us.
        credential: the client certificate; None shows none.
        facts: the visit in plain words, field by field; what differs from the control is the fault.
        basic: user and password of the Authorization header; None sends none.
        headers: further headers.
        subprotocol: of WebSocket; None offers that of OCPP, "" none.
        engine: STDLIB unless another is needed.
        lowest: the lowest version spoken, `highest` the highest.
        suites: IANA codes, in order of preference; TLS 1.3's own are always there.
        server_name: for SNI; "" sends none.
        sign_with: PEM of a key that signs the handshake in the place of the certificate's (TLSLITE).
        garbage: DER shown behind the credential's certificates, whatever it is (TLSLITE).
        hello: HAND only: what is said instead of a ClientHello; the reaction is recorded, then closed.
        ticket: the session that is resumed.
        renegotiate: PYOPENSSL only: another ClientHello once the handshake is done.
    """

    path: str
    serial: str
    credential: Credential | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    subprotocol: str | None = None
    engine: Engine = Engine.STDLIB
    lowest: int = TLS_1_2
    highest: int = TLS_1_3
    suites: tuple[int, ...] = MIXED_SUITES
    server_name: str = ""
    sign_with: bytes = field(default=b"", repr=False)
    garbage: bytes = b""
    hello: bytes = b""
    ticket: Ticket | None = None
    renegotiate: bool = False

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Equal for knocks that are the same to a CSMS; how a control is known again."""
        return tuple(sorted(self.facts.items()))
