"""What the lab shows to a Charging Station that dials: certificates, versions, suites, and how it misbehaves.

Knows descriptions only; `server` and `engines` carry them out. An offer and its control differ in `facts`, field by
field, which is how a report shows that nothing but the one fault was different.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tlslab.pki import Credential
from tlslab.wire import ClientHello

TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0301, 0x0302, 0x0303, 0x0304
SSL_3_0 = 0x0300

ECDSA_SUITES = (0xC02B, 0xC02C)
"""TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and its 256 bit sister (A00.FR.318)."""
RSA_SUITES = (0x009C, 0x009D)
"""TLS_RSA_WITH_AES_128_GCM_SHA256 and its 256 bit sister (A00.FR.318)."""
OCPP_SUITES = (*ECDSA_SUITES, *RSA_SUITES)


class Engine(StrEnum):
    """What terminates TLS; STDLIB wherever it can."""

    STDLIB = "ssl"
    PYOPENSSL = "pyOpenSSL"
    TLSLITE = "tlslite-ng"
    HAND = "hand-built records"
    PLAIN = "no TLS"


class ClientAuth(StrEnum):
    """Whether the Charging Station is asked for its certificate.

    VERIFY lets in who shows one of `Offer.client_roots`; ANY takes whatever is shown (not with STDLIB).
    """

    NONE = "none"
    VERIFY = "verify"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Pace:
    """How the lab's bytes are cut: `piece` bytes a write (0: as they come), `pause_s` between, `stall_s` before all."""

    piece: int = 0
    pause_s: float = 0.0
    stall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Offer:
    """How the lab meets the next callers; the defaults are what OCPP asks for.

    Attributes:
        credential: what is shown, with its key; `second` beside it, for the other kind of key.
        facts: the offer in plain words, field by field; what differs from the control is the fault.
        lowest: the lowest version spoken, `highest` the highest.
        suites: IANA codes, in order of preference; TLS 1.3's own are always there.
        client_auth: whether a client certificate is asked for.
        client_roots: PEM of the roots whose client certificates are taken, and whose names are told;
            `told_roots` overrides the names that are told.
        sign_with: PEM of a key that signs the handshake in the place of the certificate's (TLSLITE).
        answer: HAND only: what is said in answer to the ClientHello; the peer's reaction is recorded, then closed.
        renegotiate: PYOPENSSL only: a HelloRequest once the handshake is done; `renegotiate_as` then shows another.
        staple: PYOPENSSL only: the DER OCSP response that is stapled.
        compression: HAND's business; nothing else here can.
        http: PLAIN, or after TLS: what is said in answer to the HTTP request instead of letting it in.
        pace: how the lab's bytes are cut.
    """

    credential: Credential
    facts: Mapping[str, str] = field(default_factory=dict)
    second: Credential | None = None
    engine: Engine = Engine.STDLIB
    lowest: int = TLS_1_2
    highest: int = TLS_1_3
    suites: tuple[int, ...] = OCPP_SUITES
    client_auth: ClientAuth = ClientAuth.NONE
    client_roots: tuple[bytes, ...] = ()
    told_roots: tuple[bytes, ...] | None = None
    sign_with: bytes = field(default=b"", repr=False)
    answer: Callable[[ClientHello], bytes] | None = None
    renegotiate: bool = False
    renegotiate_as: Credential | None = None
    staple: bytes = b""
    http: bytes = b""
    pace: Pace = Pace()

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Equal for offers that are the same to a peer; how a control is known again."""
        return tuple(sorted(self.facts.items()))


def difference(bad: Mapping[str, str], good: Mapping[str, str]) -> tuple[str, ...]:
    """The fields in which two descriptions differ, as `field: bad instead of good`."""
    names = [*good, *(n for n in bad if n not in good)]
    return tuple(
        f"{name}: {bad.get(name, 'absent')} instead of {good.get(name, 'absent')}"
        for name in names
        if bad.get(name) != good.get(name)
    )
