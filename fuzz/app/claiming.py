"""What a station claims to support, before anything of it is judged: its PICS file, or a draft from its base report.

Knows PICS files and how a person is told. Must not know what a claim decides; oracles do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fuzz.app.rig import DEFAULT_PICS
from fuzz.config import RunOptions
from fuzz.engine.inventory import Inventory
from fuzz.pics.claims import Claims, claims_of, claims_shown
from fuzz.pics.drafting import Seen, draft
from fuzz.pics.form import answered
from fuzz.pics.loading import load_pics
from fuzz.records import EngineEvent, Note, Side, TargetFacts
from strategies.pool import PoolVariable


def with_claims(
    facts: TargetFacts,
    options: RunOptions,
    inventory: Inventory,
    sink: Callable[[EngineEvent], None] = lambda _: None,
) -> TargetFacts:
    """The facts of a station with what it claims, which `sink` is told. Raises `UsageError` for a PICS file that is none."""
    if facts.side is not Side.STATION:
        return facts
    name = options.pics or (DEFAULT_PICS if options.embedded else "")
    if name:
        claims, said = claims_of(load_pics(name)), f"PICS file {name}"
    else:
        variables = tuple(inventory.pool.variables)
        claims, said = claims_shown(variables), _drafted(facts, variables)
    sink(Note(f"{said}; {_words(claims)}"))
    return replace(facts, declared=claims.declared, denied=claims.denied)


def _drafted(facts: TargetFacts, variables: tuple[PoolVariable, ...]) -> str:
    boot = {name: getattr(facts, name) for name in ("vendor", "model", "serial", "firmware")}
    made = draft(
        Seen(
            boot={name: text for name, text in boot.items() if text},
            security_profile=facts.security_profile,
            variables=variables,
        )
    )
    seen = len(made.observed & set(answered()))
    return (
        f"no --pics: of the {len(answered())} answers of a PICS file {seen} are shown by the base report, the others"
        " are left open; `ocppfuzz pics draft -o FILE` writes them for you to correct, `--pics FILE` uses them"
    )


def _words(claims: Claims) -> str:
    """What is claimed and denied, in one line."""
    claimed = len({claim.partition("/")[0] for claim in claims.declared})
    denied = ", ".join(claims.without) or "nothing"
    return f"claimed are {claimed} actions; denied, and so only tried for robustness: {denied}"
