"""Finds what somebody wants explained: an oracle, a case of the TLS lab, or a finding in a folder or a pack.

Knows how each is named. Must not know what any of them means (`meaning` does), nor how it is shown.
"""

from __future__ import annotations

import re
from pathlib import Path

import fuzz.oracles.differential
from fuzz import store
from fuzz.app.meaning import Explanation, of_case, of_finding, of_oracle
from fuzz.app.packing import load_pack
from fuzz.errors import UsageError
from fuzz.oracles.registry import oracle_named
from fuzz.records import Finding
from tlslab.registry import all_cases

_COMPARING = fuzz.oracles.differential
"""Importing it registers the oracle that no campaign asks."""

_FOLDER = re.compile(r"O\d{1,3}-[0-9a-f]{8}")


def explain(name: str) -> Explanation:
    """The explanation of an oracle by name or id, a case of the TLS lab by id, or a finding's folder or pack.

    Raises:
        UsageError: nothing is called so.
    """
    path = Path(name)
    if path.exists():
        return of_finding(load_pack(path) if path.suffix == store.SUFFIX else _stored(path))
    if _FOLDER.fullmatch(name):
        raise UsageError(
            f"there is no {name} here; a finding is named by its folder, such as findings/{name}"
        )
    case = all_cases().get(name.upper())
    return of_case(case) if case is not None else of_oracle(oracle_named(name), "ed3")


def _stored(path: Path) -> Finding:
    if path.is_dir() and not (path / "finding.json").is_file():
        raise UsageError(f"{path} is no folder of a finding; name one such as findings/O4-1a2b3c4d")
    return store.load_finding(path)
