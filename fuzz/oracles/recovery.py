"""Does a Charging Station come back after what can happen to any connection (O29)?

Knows connections, restarts and what a scene waited for; must not look into messages beyond a boot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.oracles.backing_off import too_soon
from fuzz.oracles.reading import scene
from fuzz.oracles.registry import oracle, violation
from fuzz.oracles.returning import wrong_returns
from fuzz.records import Basis, Misbehave, Observation, Severity, Side, Violation

_BOOT = "BootNotification"
_IN_VAIN_S = 10.0
_SILENT_S = 30.0
"""How long a connection must have been open before a BootNotification is missed: waited for, or only not seen."""

_CUT, _RESTORED, _CYCLED = "cut-network", "restore-network", "power-cycle"


@oracle("O29", name="recovery", clause="Part 4 section 5.3; B01.FR.03", cwe="CWE-755")
def recovery(obs: Observation) -> Iterator[Violation]:
    """A Charging Station comes back by itself, as it was agreed, and says that it booted when it did.

    Whatever ended or refused a connection - a cut in the middle of a frame, a bad handshake, a server that is busy, a
    network that was away - the station goes on trying (Part 4 section 5.3), and after a restart its first message is
    BootNotification, however much waits to be sent. It is missed only where the network was up again and the scene
    waited in vain. How late it comes back is its own choice: the back-off has no upper limit. Behind a connection that we
    cut it comes no sooner than the RetryBackOffWaitMinimum that was set or read in the same scene, unless it starts anew;
    longer waits are not seen from here. It comes back with the password that it accepted last and with none that it refused
    (A01), and calls the address of the network profile that it says it uses (B09, B10). A password of less than 16 or more
    than 64 characters is accepted by nobody (A00.FR.205).

    Seen: a race between time-outs after which no station ever dialled again
    (https://github.com/EVerest/libocpp/commit/230ae1a); a BootNotification dropped from a full queue
    (https://github.com/EVerest/EVerest/commit/1458b9a); a security profile that was changed, and a connection that was
    made with the options of the one before.

    Fix: keep trying in one supervised loop without an end; put BootNotification in front of the queue, not into it; read
    password and network profile anew for each connection, from where they are stored once they are accepted.
    """
    seen = scene(obs)
    if seen is None or obs.facts.side is not Side.STATION or _without_network(seen):
        return
    if _stays_away(obs, seen):
        text = "the station did not come back after its connection had ended"
        yield violation("O29", Basis.STOPPED_SERVING, Severity.CRITICAL, "not back", text)
    elif _boots_unheard(seen):
        text = "the station restarted and is connected, but never said BootNotification"
        yield violation("O29", Basis.STOPPED_SERVING, Severity.HIGH, f"no {_BOOT}", text)
    else:
        yield from _otherwise(obs, seen)


def _otherwise(obs: Observation, seen: History) -> Iterator[Violation]:
    """What it came back with that was not agreed; each kind once, and none while callers are received badly."""
    if any(isinstance(step, Misbehave) for step in obs.case.steps):
        return
    told: set[str] = set()
    for wrong in (*wrong_returns(seen), *too_soon(seen)):
        if wrong.symptom not in told:
            told.add(wrong.symptom)
            yield violation(
                "O29",
                Basis.SHALL,
                Severity.MEDIUM if wrong.minor else Severity.HIGH,
                wrong.symptom,
                wrong.text,
                clause=wrong.clause,
            )


def _without_network(seen: History) -> bool:
    """True when the network was never given back, as far as the transcript tells."""
    words = [h.text.split()[0] for h in seen.operated() if h.text.startswith((_CUT, _RESTORED))]
    return bool(words) and words[-1] == _CUT


def _stays_away(obs: Observation, seen: History) -> bool:
    if obs.probes.new_connection is not False or obs.probes.fresh_identity is True:
        return False
    last = [h for h in seen if h.deed in (Deed.OPENED, Deed.CLOSED) or _ends_it(h)]
    return bool(last) and last[-1].deed is not Deed.OPENED


def _ends_it(h: Happening) -> bool:
    return h.deed is Deed.OPERATED and h.text.startswith((_CUT, _CYCLED))


def _boots_unheard(seen: History) -> bool:
    """True when a restart was followed by a connection without a BootNotification that was waited for."""
    restarts = [i for i, h in enumerate(seen) if _restarts(seen, h)]
    if not restarts:
        return False
    after = seen.happenings[restarts[-1] + 1 :]
    if any(h.deed is Deed.CALLED and h.action == _BOOT for h in after):
        return False
    opened = [i for i, h in enumerate(after) if h.deed is Deed.OPENED]
    return bool(opened) and _was_waited_for(after[opened[-1] :])


def _restarts(seen: History, h: Happening) -> bool:
    if h.deed is Deed.OPERATED:
        return h.text.startswith(_CYCLED)
    asked = seen.partner(h) if h.deed is Deed.TOLD and h.action == "Reset" else None
    whole = asked is not None and isinstance(asked.payload, dict) and "evseId" not in asked.payload
    return whole and isinstance(h.payload, dict) and h.payload.get("status") == "Accepted"


def _was_waited_for(connected: Sequence[Happening]) -> bool:
    """Whether the time on the last connection, which nothing ended, was enough."""
    since_s = connected[0].at_s
    if any(h.deed in (Deed.CLOSED, Deed.ENDED) or _ends_it(h) for h in connected):
        return False
    in_vain = any(
        h.deed is Deed.OTHER and h.text.endswith(f"in vain for {_BOOT}")
        for h in connected
        if h.at_s - since_s >= _IN_VAIN_S
    )
    return in_vain or connected[-1].at_s - since_s >= _SILENT_S
