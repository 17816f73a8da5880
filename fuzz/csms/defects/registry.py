"""What is known of a defect planted in the CSMS, and the registry that the layers fill.

Knows no defect; each is a decorated function in the module of its layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from fuzz.csms.hooks import Hooks, Plant
from fuzz.csms.wire import Rewire, Wire
from fuzz.records import TlsStep

Witness: TypeAlias = tuple[TlsStep, ...]


def _nothing(hooks: Hooks) -> Hooks:
    return hooks


def _no_other(wire: Wire) -> Wire:
    return wire


@dataclass(frozen=True, slots=True)
class Defect:
    """One planted defect and how it should be found.

    `witness` names the cases of the TLS lab that show it; `symptom` is what is seen then; `oracle` names the one that
    should name it; `mirrors` are the real bugs behind it, none for those of our own making; `depth` counts the protocol
    steps needed before; `security_profile` is that of the port on which it shows. Numbers up to P62 are those of the
    survey of real bugs. Name, text and layer come from the decorated function.
    """

    number: str
    mirrors: tuple[str, ...]
    oracle: str
    symptom: str
    witness: Witness
    side: str = "csms"
    depth: int = 0
    security_profile: int = 3
    name: str = ""
    text: str = ""
    layer: str = ""
    plant: Plant = _nothing
    rewire: Rewire = _no_other


_DEFECTS: list[Defect] = []


def plants(defect: Defect) -> Callable[[Plant], Plant]:
    """Registers a function that replaces a hook of the core, under its own name with hyphens."""

    def register(plant: Plant) -> Plant:
        _register(replace(defect, plant=plant), plant)
        return plant

    return register


def rewires(defect: Defect) -> Callable[[Rewire], Rewire]:
    """Registers a function that replaces a seam below the requests, under its own name with hyphens."""

    def register(rewire: Rewire) -> Rewire:
        _register(replace(defect, rewire=rewire), rewire)
        return rewire

    return register


def shown_by(*cases: str) -> Witness:
    """The cases of the TLS lab that show it."""
    return tuple(TlsStep(case) for case in cases)


def registered() -> Mapping[str, Defect]:
    """Every planted defect, by number and by name."""
    known = sorted(_DEFECTS, key=lambda found: int(found.number[1:]))
    by_number = {found.number: found for found in known}
    return MappingProxyType({**by_number, **{found.name: found for found in known}})


def _register(defect: Defect, function: Plant | Rewire) -> None:
    text = (function.__doc__ or "").strip().splitlines()[0]
    name = function.__name__.replace("_", "-")
    layer = function.__module__.rpartition(".")[2]
    _DEFECTS.append(replace(defect, name=name, text=text, layer=layer))
