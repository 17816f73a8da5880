"""What is known of a planted defect, and the registry that the layers fill.

Knows no defect; each is a decorated function in the module of its layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from fuzz.records import AnswerNext, SendText, Step
from fuzz.station.hooks import Hooks, Plant
from fuzz.station.wire import Rewire, Wire

Witness: TypeAlias = tuple[Step, ...]


def _nothing(hooks: Hooks) -> Hooks:
    return hooks


def _no_other(wire: Wire) -> Wire:
    return wire


@dataclass(frozen=True, slots=True)
class Defect:
    """One planted defect and how it should be found.

    `witness` is the shortest script that shows it on a station that has just booted; `symptom` is what is seen then;
    `oracle` names the one that should name it, best first; `mirrors` are the real bugs behind it, none for those of our
    own making; `depth` counts the protocol steps needed before; it shows in the security profiles from `security_profile` to
    `highest_profile`.
    `caught_by` are the cases of the TLS lab that fail because of it, none where the lab is not what finds it.
    Numbers up to P62 are those of the survey of real bugs; P120 to P134, later P150 to P159, P160 to P169, P170 to P179
    and P180 to P189, each mirror a row of its catalogue that nothing did before, P190 to P199 an issue or a pull request
    each, P200 to P209 one or the other, P210 to P219 a row again, as P220 to P230 do, P231 to P242 an issue, a pull
    request or a line of a changelog each; they were planted by somebody who had not seen what looks for them. Name, text
    and layer come from the decorated function.
    """

    number: str
    mirrors: tuple[str, ...]
    oracle: str
    symptom: str
    witness: Witness
    side: str = "station"
    depth: int = 0
    security_profile: int = 1
    highest_profile: int = 3
    caught_by: tuple[str, ...] = ()
    name: str = ""
    text: str = ""
    layer: str = ""
    plant: Plant = _nothing
    rewire: Rewire = _no_other


_DEFECTS: list[Defect] = []


def plants(defect: Defect) -> Callable[[Plant], Plant]:
    """Registers a function that wraps a seam of the core, under its own name with hyphens."""

    def register(plant: Plant) -> Plant:
        _register(replace(defect, plant=plant), plant)
        return plant

    return register


def rewires(defect: Defect) -> Callable[[Rewire], Rewire]:
    """Registers a function that wraps a seam below the messages, under its own name with hyphens."""

    def register(rewire: Rewire) -> Rewire:
        _register(replace(defect, rewire=rewire), rewire)
        return rewire

    return register


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


# --- how a witness is written -----------------------------------------------------------------------------


def say(text: str) -> SendText:
    """Says this message, as it is."""
    return SendText((text,))


def ask(action: str, payload: str) -> SendText:
    """Asks properly; the payload is JSON."""
    return say(f'[2,"{{call.id}}","{action}",{payload}]')


def reply(action: str, text: str) -> AnswerNext:
    """Answers the station's next CALL of `action` with this text, `{call.id}` being its messageId."""
    return AnswerNext(action, (text,))
