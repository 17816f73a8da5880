"""Was a Charging Station's boot asked for, was what it was asked for done before, or did its software die of it?

Knows Resets and boots of a scene; must not know verdicts.
"""

from __future__ import annotations

from fuzz.ocppj.history import Deed, Happening
from fuzz.ocppj.variables import text_of
from fuzz.oracles.reading import scene
from fuzz.records import ENDED_TO_RESTART, Observation

USES = frozenset({"plug-in", "unplug", "present-token", "start-power", "stop-power"})
"""What people come to a station for, and what never makes it boot."""

_BY_HAND = ("power-cycle", "cut-network", "fault")
"""What may make a station boot, and whose boot may name an older reason."""

_FOR_A_RESET = frozenset({"RemoteReset", "ScheduledReset"})
_TAKEN = ("Accepted", "Scheduled")


def done_again(obs: Observation) -> bool:
    """True when a station that booted for the only Reset of its scene, and was let in, boots for a Reset once more."""
    reasons = set(obs.boot_reasons)
    seen = scene(obs) if reasons and reasons <= _FOR_A_RESET else None
    if seen is None or any(h.text.startswith(_BY_HAND) for h in seen.operated()):
        return False
    resets = [told for _, told in seen.asked("Reset") if told is not None and _takes(told)]
    boots = [
        pair for pair in seen.called("BootNotification") if _text(pair[0], "reason") in reasons
    ]
    if len(resets) != 1 or not boots:
        return False
    boot, answer = boots[-1]
    return boot.at_s >= resets[0].at_s and _text(answer, "status") == "Accepted"


def died_in_a_reset(obs: Observation) -> str:
    """How the process ended when it was to restart, after it had outlived another Reset of the same scene; "" if it did not.

    A process may well end for every Reset, and leave it to whoever watches over it to start it again: that shows in the
    first one. An end in order is never meant here, nor one behind a loss of power.
    """
    outlived = pending = False
    for h in scene(obs) or ():
        if h.deed is Deed.TOLD and h.action == "Reset":
            pending = pending or _takes(h)
        elif h.deed is Deed.OPERATED and h.text.startswith("power-cycle"):
            outlived = pending = False
        elif h.deed is Deed.CALLED and h.action == "BootNotification":
            outlived = outlived or (pending and _text(h, "reason") in _FOR_A_RESET)
            pending = False
        elif h.deed is Deed.OTHER and h.text.startswith(ENDED_TO_RESTART):
            symptom = h.text.removeprefix(ENDED_TO_RESTART)
            if outlived and pending and symptom != "exit 0":
                return symptom
            outlived = pending = False
    return ""


def _takes(told: Happening) -> bool:
    return _text(told, "status") in _TAKEN


def _text(told: Happening | None, name: str) -> str:
    return "" if told is None else text_of(told.payload, name)
