"""Planted defects: one decorated function each, every one modelled on a bug that was found in the field.

Each wraps one seam of the healthy station (`hooks.py`, `wire.py`) so that exactly one trigger shows exactly one
symptom; all are off unless named. There is one module for each layer. The first sentence of a docstring is the
defect's text in lists and reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from fuzz.station.defects.registry import Defect, registered

from . import (
    auth,
    certificate,
    concurrency,
    framing,
    injection,
    leak,
    persistence,
    resource,
    schema,
    state,
    tls,
    websocket,
)

__all__ = ["LAYERS", "NOT_CARRIED", "Defect", "defects"]

LAYERS = (
    framing,
    websocket,
    schema,
    state,
    persistence,
    concurrency,
    resource,
    tls,
    certificate,
    auth,
    injection,
    leak,
)
"""The modules in which defects are, from the outermost layer of the protocol inwards."""

_SMART_CHARGING = "Smart Charging"
NOT_CARRIED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "P22": ("nonfinite-limit", _SMART_CHARGING),
        "P24": ("float-step-reject", _SMART_CHARGING),
        "P26": ("duration-zero", _SMART_CHARGING),
        "P28": ("monitor-spin", "Advanced Device Management"),
        "P29": ("txprofile-without-tx", _SMART_CHARGING),
        "P38": ("reservation-null", "Reservation"),
        "P39": ("clear-profile-copy", _SMART_CHARGING),
        "P46": ("local-list-quadratic", "Local Authorization List Management"),
    }
)
"""Station defects of the survey that need a certification profile which this station has not, and which one."""


@cache
def defects() -> Mapping[str, Defect]:
    """Every planted defect, by number and by name."""
    return registered()
