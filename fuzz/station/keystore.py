"""What a station holds to prove who it is and to know its CSMS: roots by use, its own chain and key, keys in waiting.

Knows PEM and hash data, by way of `x509`; no message, no timer, no socket.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one connection is made with. All but the password is PEM; what is missing is empty."""

    password: str = ""
    chain: str = ""
    key: str = ""
    roots: tuple[str, ...] = ()
