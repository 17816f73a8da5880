"""Did the target cope? One decorated function an oracle, one module a family; `registry.judge` asks them all.

Knows observations only: nothing here talks to the target, and nothing may know its inside. Importing the package
registers every family, so that a new oracle is a new function and, for a new family, one name in the line below.
"""

from fuzz.oracles import (
    acceptance,
    answers,
    codes,
    discipline,
    events,
    injection,
    leaks,
    liveness,
    logs,
    metamorphic,
    readback,
    recovery,
    resources,
    results,
    shape,
    states,
    storms,
    transfers,
    websocket,
)

__all__ = [
    "acceptance",
    "answers",
    "codes",
    "discipline",
    "events",
    "injection",
    "leaks",
    "liveness",
    "logs",
    "metamorphic",
    "readback",
    "recovery",
    "resources",
    "results",
    "shape",
    "states",
    "storms",
    "transfers",
    "websocket",
]
