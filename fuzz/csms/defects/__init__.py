"""Defects planted in the reference CSMS: one decorated function each, all off unless named.

Each replaces one seam of the healthy CSMS (`hooks.py`, `wire.py`), so that the cases named as its witness show it and
others do not. There is one module for each layer. The first sentence of a docstring is the defect's text in lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from fuzz.csms.defects.registry import Defect, registered
from fuzz.csms.hooks import Hooks
from fuzz.csms.wire import HEALTHY, Wire
from fuzz.errors import UsageError

from . import auth, certificate, tls

__all__ = ["LAYERS", "Defect", "defects", "plant", "rewire"]

LAYERS = (tls, certificate, auth)
"""The modules in which defects are, from the outermost layer of the protocol inwards."""


@cache
def defects() -> Mapping[str, Defect]:
    """Every planted defect, by number and by name."""
    return registered()


def plant(hooks: Hooks, names: Sequence[str]) -> Hooks:
    """The hooks with these defects in. Raises UsageError with the known names for a name that is in no registry."""
    for name in names:
        hooks = _find(name).plant(hooks)
    return hooks


def rewire(names: Sequence[str]) -> Wire:
    """The seams below the requests with these defects in. Raises UsageError as `plant`."""
    wire = HEALTHY
    for name in names:
        wire = _find(name).rewire(wire)
    return wire


def _find(name: str) -> Defect:
    known = defects()
    if name not in known:
        names = ", ".join(sorted({found.name for found in known.values()}))
        raise UsageError(f"unknown defect {name!r} of the CSMS; known: {names}")
    return known[name]
