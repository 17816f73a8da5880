"""What a case made a target show, as a set of words: two cases that show the same are the same to a corpus.

Knows observations and states. Must not know files. A word is a state (where the station was, what was said last, the class
of the answer, its status), how a connection or a process ended, whether the target still served, or what an oracle objects
to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from fuzz.engine.scheduler import states
from fuzz.engine.seeds import answer_kind
from fuzz.engine.stage import IN_VAIN
from fuzz.ocppj.history import history
from fuzz.records import Observation, Violation

K = TypeVar("K")


def behaviours(seen: Observation, objections: Iterable[Violation] = ()) -> frozenset[str]:
    """What was shown; nothing of it names an id, a time or a value."""
    found = {"/".join(("state", *state)) for state in states(history(seen.entries))}
    kind, status = answer_kind(seen)
    found.add(f"answer/{seen.case.position}/{seen.case.action}/{kind}/{status}")
    if seen.close is not None:
        found.add(f"close/{seen.close.code}")
    if seen.process is not None:
        found.add(f"process/{seen.process.symptom}")
    if seen.probes.same_connection is False:
        found.add("not served afterwards")
    found.update(f"oracle/{v.oracle}/{v.symptom}" for v in objections)
    return frozenset(found)


def shows_nothing(seen: Observation) -> str:
    """Why what was seen says nothing about the case; "" when it does."""
    if seen.inconclusive:
        return "inconclusive"
    if any(entry.kind == "note" and entry.text.startswith(IN_VAIN) for entry in seen.entries):
        return "the target did not send the CALL that it is about"
    return ""


def smallest(
    shown: Mapping[K, frozenset[str]], order: Sequence[K], known: Iterable[str]
) -> list[K]:
    """What to keep beside what shows `known`: in `order`, whatever shows something that nothing before it did."""
    seen, kept = set(known), []
    for key in order:
        if not shown[key] <= seen:
            seen |= shown[key]
            kept.append(key)
    return kept
