"""What this version of the tool has: its checks, its phases, and the cases that follow from it alone.

Knows registries and tables. Must not know what a lock makes of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from fuzz import store
from fuzz.app.campaign import TOOL
from fuzz.app.handshaking import quick
from fuzz.app.shortening import messages_for_the_night, own_corpus
from fuzz.config import PHASES, RunOptions
from fuzz.engine.phases import Ground, Systematic
from fuzz.engine.support import Coverage, Support
from fuzz.lab.findings import stored_case
from fuzz.oracles.registry import oracles
from fuzz.policy.lock import Ahead, Lock, ahead, lock_of
from fuzz.records import Case, Side
from strategies.version import version
from tlslab.registry import all_cases


@dataclass(frozen=True, slots=True)
class Stock:
    """`checks` and `phases` are ids, `tables` maps a table to the ids of its cases.

    `handshakes` are the ids of the cases of the TLS lab as they are stored, `night` what of all cases is not for a pull
    request.
    """

    checks: frozenset[str]
    phases: frozenset[str]
    tables: Mapping[str, tuple[str, ...]]
    handshakes: frozenset[str]
    night: frozenset[str]

    def locked(self) -> Lock:
        """A lock on all of it."""
        return lock_of(TOOL, self.checks, self.phases, self.tables, self.night)

    def ahead_of(self, lock: Lock | None, *, short: bool) -> Ahead:
        """What of it is newer than a lock; a `short` list plays nothing that is for the night."""
        played = self.handshakes.union(*self.tables.values()) - self.night if short else ()
        return ahead(lock, self.checks, self.phases, self.tables, played)


def check_names() -> dict[str, str]:
    """Every name of a check, and its id."""
    names = {name: o.id for o in oracles() for name in (o.id, o.name)}
    return names | {id_: id_ for id_ in all_cases()}


def stock(options: RunOptions) -> Stock:
    """Everything that this version has, for both sides: one lock does for a Charging Station and a CSMS."""
    tables: dict[str, tuple[str, ...]] = {}
    for side in Side:
        tables |= _systematic(side)
    if not own_corpus(options):
        tables["corpus"] = tuple(case.id for case in store.corpus_cases())
    shaken = {stored_case(case).id: case for case in all_cases().values()}
    later = frozenset(id_ for id_, case in shaken.items() if not quick(case))
    return Stock(
        frozenset(check_names().values()),
        frozenset((*PHASES, "tls")),
        tables,
        frozenset(shaken),
        later | messages_for_the_night(options),
    )


def _systematic(side: Side) -> Mapping[str, tuple[str, ...]]:
    """The systematic phase as if a target supported everything and had told nothing of itself."""
    ground = Ground(version(), side, 0, Support(), Coverage(), tool=TOOL)
    ground.support.supported.update(ground.actions())
    found: dict[str, list[str]] = defaultdict(list)
    for case in Systematic(ground).table():
        found[_table(side, case)].append(case.id)
    return {name: tuple(ids) for name, ids in found.items()}


def _table(side: Side, case: Case) -> str:
    return f"systematic/{side.value}/{case.action or 'frames'}"
