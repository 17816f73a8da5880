"""Was a Charging Station's boot asked for, or was what it was asked for done before?

Knows Resets and boots of a scene; must not know verdicts.
"""

from __future__ import annotations

from fuzz.ocppj.history import Happening
from fuzz.ocppj.variables import text_of
from fuzz.oracles.reading import scene
from fuzz.records import Observation

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


def _takes(told: Happening) -> bool:
    return _text(told, "status") in _TAKEN


def _text(told: Happening | None, name: str) -> str:
    return "" if told is None else text_of(told.payload, name)
