"""The list of oracles, which of them may speak when, and `judge`, which asks them all.

Knows precedence; must not know what any oracle looks for.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from fuzz.errors import UsageError
from fuzz.records import Basis, Observation, Severity, Violation

Look: TypeAlias = Callable[[Observation], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class Oracle:
    """One question about an observation.

    `text` is the first sentence of the function's docstring, `explain` all of it: the clause and what a
    maintainer should do. `clause` and `cwe` hold unless a violation says otherwise. One that `compares` needs two
    targets, so that no campaign against one can be told to ask it.
    """

    id: str
    name: str
    text: str
    clause: str
    cwe: str
    explain: str
    look: Look
    compares: bool = False


_LIVENESS = frozenset({"O1", "O2", "O3", "O5"})

_PRECEDENCE: Mapping[str, frozenset[str]] = {
    "O1": frozenset(),
    "O24": frozenset(),
    "O2": frozenset({"O1"}),
    "O3": frozenset({"O1", "O2"}),
    "O28": frozenset({"O1", "O2", "O3"}),
    "O5": frozenset({"O1", "O2", "O3", "O28"}),
    "O22": _LIVENESS,
    "O23": _LIVENESS,
    "O4": _LIVENESS | {"O28"},
    "O7": _LIVENESS | {"O22"},
    "O8": _LIVENESS,
    "O26": _LIVENESS | {"O4", "O7"},
    "O9": _LIVENESS | {"O26"},
    "O12": _LIVENESS | {"O8"},
    "O10": _LIVENESS,
    "O6": _LIVENESS | {"O8"},
    "O35": _LIVENESS | {"O6", "O7", "O8"},
    "O31": _LIVENESS,
    "O13": _LIVENESS | {"O28", "O31"},
    "O14": _LIVENESS | {"O28", "O31"},
    "O11": _LIVENESS | {"O28", "O31", "O13", "O14"},
    "O29": _LIVENESS | {"O28", "O13"},
    "O25": _LIVENESS | {"O28", "O22"},
    "O36": _LIVENESS | {"O28"},
    "O30": _LIVENESS,
}
"""The order in which oracles are asked, and whose finding keeps each of them silent: one cause, one finding.

A remark silences nobody. Where two oracles could speak of the same reply without this table, the split is by what
they look at: ids and spellings are O7's alone, so that O8 and O10 leave them out.
"""

_DESPITE_INCONCLUSIVE = frozenset({"O1"})
"""A process that ended has ended, whatever else went wrong with the case."""

_REGISTRY: dict[str, Oracle] = {}
_plan: list[tuple[str, Look, frozenset[str]]] = []


def oracle(
    id_: str, *, name: str, clause: str, cwe: str, compares: bool = False
) -> Callable[[Look], Look]:
    """Registers the decorated function as the oracle `id_`; its docstring is its documentation.

    Raises:
        ValueError: the id or name is taken, or the function has no docstring.
    """

    def register(look: Look) -> Look:
        explain = inspect.getdoc(look)
        if not explain:
            raise ValueError(f"oracle {id_} has no docstring; its first sentence is its text")
        if any(id_ == o.id or name == o.name for o in _REGISTRY.values()):
            raise ValueError(f"oracle {id_} ({name}) is registered already")
        text = explain.partition("\n")[0]
        _REGISTRY[id_] = Oracle(id_, name, text, clause, cwe, explain, look, compares)
        _plan.append((id_, look, _PRECEDENCE.get(id_, _LIVENESS)))
        _plan.sort(key=_rank)
        return look

    return register


def _rank(planned: tuple[str, Look, frozenset[str]]) -> int:
    order = list(_PRECEDENCE)
    return order.index(planned[0]) if planned[0] in order else len(order)


def oracles() -> tuple[Oracle, ...]:
    """All oracles by number."""
    return tuple(sorted(_REGISTRY.values(), key=lambda o: int(o.id[1:])))


def oracle_named(name: str) -> Oracle:
    """The oracle with this id or name, in any case. Raises `UsageError` that names the nearest one."""
    known = {key: o for o in oracles() for key in (o.id.lower(), o.name)}
    found = known.get(name.lower())
    if found is not None:
        return found
    near = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.0)
    nearest = known[near[0]]
    raise UsageError(
        f"unknown oracle {name!r}; nearest: {nearest.name} ({nearest.id}); "
        "`ocppfuzz show oracles` lists all"
    )


def violation(
    id_: str,
    basis: Basis,
    severity: Severity,
    symptom: str,
    text: str,
    *,
    clause: str = "",
    cwe: str = "",
    remark: bool = False,
) -> Violation:
    """A violation with name, clause and CWE of the oracle `id_` filled in."""
    known = _REGISTRY[id_]
    return Violation(
        oracle=id_,
        name=known.name,
        basis=basis,
        severity=severity,
        symptom=symptom,
        text=text,
        clause=clause or known.clause,
        cwe=cwe or known.cwe,
        remark=remark,
    )


def judge(
    obs: Observation,
    *,
    strict: bool = False,
    edition: str | None = None,
    advisory: Container[str] = (),
) -> tuple[Violation, ...]:
    """What every oracle says about the observation, in order of precedence.

    Args:
        obs: what was seen.
        strict: remarks count as findings; who speaks does not change.
        edition: judge by this edition (`ed3`, `2025-09`) rather than by the one in the target's facts.
        advisory: oracles that speak and silence nobody: what they hide today must still be told.
    """
    if edition is not None and edition != obs.facts.edition:
        obs = replace(obs, facts=replace(obs.facts, edition=edition))
    spoken: list[Violation] = []
    found: set[str] = set()
    for id_, look, silenced_by in _plan:
        if obs.inconclusive and id_ not in _DESPITE_INCONCLUSIVE:
            continue
        if found and not found.isdisjoint(silenced_by):
            continue
        for one in look(obs):
            spoken.append(one)
            if not one.remark and id_ not in advisory:
                found.add(id_)
    if strict:
        return tuple(replace(v, remark=False) if v.remark else v for v in spoken)
    return tuple(spoken)
