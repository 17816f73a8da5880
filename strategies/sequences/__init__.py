"""Scenarios: what a tester does with a Charging Station to see how it keeps its states, as moves.

Knows the use cases of OCPP 2.0.1 Part 2 and what a target said of itself. Must not know how moves are played, nor what
a correct station answers: oracles do. A scenario begins at a booted, idle station and puts things back where it can.
One decorated function each; the first sentence of its docstring is its text in reports.

One module a topic; they share `steps`, played at a `place`, registered in `registry`. A new topic is a new module and its
name in `_TOPICS`.
"""

from __future__ import annotations

from strategies.sequences import (
    authorisation,
    availability,
    boot,
    certificates,
    coming_back,
    configured,
    crossing,
    firmware_and_logs,
    garbled,
    metering,
    offline,
    quiet,
    registry,
    remote,
    reports,
    resets,
    statuses,
    tokens,
    told,
    transactions,
    unasked,
)
from strategies.sequences.place import Place
from strategies.sequences.registry import Scenario
from strategies.sequences.steps import (
    CHARGING,
    ENDED,
    GLANCE_S,
    NOWHERE,
    SETTLED_S,
    SHOWN_AGAIN_S,
    SIGN,
    TIMED_OUT_S,
    answered,
    boot_answer,
    booted,
    booted_at_last,
    change_availability,
    charge,
    charge_on,
    get_log,
    get_variable,
    judged,
    leave,
    present,
    reboot,
    reset,
    set_variable,
    settled,
    start_remotely,
    stop_remotely,
    tell_status,
    token_json,
    told_of,
    trigger,
    update_firmware,
    with_variable,
)

__all__ = [
    "CHARGING",
    "ENDED",
    "GLANCE_S",
    "NOWHERE",
    "SETTLED_S",
    "SHOWN_AGAIN_S",
    "SIGN",
    "TIMED_OUT_S",
    "Place",
    "Scenario",
    "answered",
    "boot_answer",
    "booted",
    "booted_at_last",
    "change_availability",
    "charge",
    "charge_on",
    "get_log",
    "get_variable",
    "judged",
    "leave",
    "present",
    "reboot",
    "reset",
    "scenarios",
    "set_variable",
    "settled",
    "start_remotely",
    "stop_remotely",
    "tell_status",
    "token_json",
    "told_of",
    "trigger",
    "update_firmware",
    "with_variable",
]

# Campaigns play scenarios in this order, so that a new topic goes to where its scenes should come.
_TOPICS = (
    boot,
    authorisation,
    transactions,
    remote,
    resets,
    availability,
    reports,
    firmware_and_logs,
    certificates,
    coming_back,
    configured,
    offline,
    crossing,
    garbled,
    statuses,
    tokens,
    told,
    metering,
    unasked,
    quiet,
)


def scenarios(place: Place) -> tuple[Scenario, ...]:
    """Every scenario that can be played at a place, quick ones first; none that changes what the place has not."""
    made = [told for topic in _TOPICS for told in registry.told_at(place, topic.__name__)]
    return tuple(sorted(made, key=lambda told: told.slow))
