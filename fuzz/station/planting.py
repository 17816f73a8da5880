"""Finds planted defects and decoys by name and gives them to the station.

Knows both registries; what each of them does is in `defects` and `decoys.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from fuzz.errors import UsageError
from fuzz.station.decoys import Decoy, decoys
from fuzz.station.defects import Defect, defects
from fuzz.station.hooks import Plant
from fuzz.station.wire import HEALTHY, Wire

Planted = TypeVar("Planted", Defect, Decoy)


def find_plants(
    defect_names: Sequence[str], decoy_names: Sequence[str], *, decoy_delay_s: float = 3.0
) -> tuple[Plant, ...]:
    """What to plant, decoys first. Raises UsageError with the known names for a name that is in no registry."""
    found_decoys = [_find("decoy", decoys(delay_s=decoy_delay_s), name) for name in decoy_names]
    found_defects = [_find("defect", defects(), name) for name in defect_names]
    return (
        *(decoy.plant for decoy in found_decoys),
        *(defect.plant for defect in found_defects),
    )


def find_wire(defect_names: Sequence[str]) -> Wire:
    """The seams below the messages with what is planted there. Raises UsageError as `find_plants`."""
    wire = HEALTHY
    for name in defect_names:
        wire = _find("defect", defects(), name).rewire(wire)
    return wire


def _find(what: str, known: Mapping[str, Planted], name: str) -> Planted:
    if name not in known:
        names = ", ".join(sorted({found.name for found in known.values()}))
        raise UsageError(f"unknown {what} {name!r}; known: {names}")
    return known[name]
