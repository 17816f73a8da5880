"""The seams below the requests: how TLS is set up, and what a TLS port does with somebody who speaks plain HTTP.

Knows ssl; the healthy functions are the defaults, the planted ones in `defects`. The core has its own (`hooks.py`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fuzz.csms.tls import Material


def _as_made(
    context: ssl.SSLContext, _material: Material, _security_profile: int
) -> ssl.SSLContext:
    return context


@dataclass(frozen=True, slots=True)
class Wire:
    """What every connection passes.

    `tls` may alter or replace the context of a port of the given security profile; `plain_too` serves plain HTTP on TLS
    ports.
    """

    tls: Callable[[ssl.SSLContext, Material, int], ssl.SSLContext] = _as_made
    plain_too: bool = False


HEALTHY = Wire()
"""Everything as it should be."""

Rewire: TypeAlias = Callable[[Wire], Wire]
"""Gives back the wire with something of it replaced."""
