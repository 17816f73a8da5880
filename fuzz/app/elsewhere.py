"""Whom a stored finding was found on, and whether that is who it is about to be played on.

Knows options and findings. Must not know how anything is played.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fuzz.config import RunOptions
from fuzz.errors import UsageError
from fuzz.records import Case, Finding, Naming
from fuzz.report.naming import found_elsewhere


def naming_of(options: RunOptions) -> Naming:
    """How the options name their target."""
    return Naming(
        listen=options.listen or "",
        target=options.target or "",
        identity=options.identity,
        pics=options.pics or "",
        defects=options.defects,
        decoys=options.decoys,
    )


def named_for(stored: Iterable[tuple[Path, Finding | Case]], options: RunOptions) -> None:
    """Let nothing that was found elsewhere be played on our own station unless that is asked for by name.

    Our own station would pass, and the finding be taken for mended.

    Raises:
        UsageError: a finding is of another target, and no target is named.
    """
    if not options.embedded or options.self_test or options.defects or options.decoys:
        return
    for path, item in stored:
        if isinstance(item, Finding) and _elsewhere(item.facts.naming):
            raise UsageError(found_elsewhere(str(path), item))


def _elsewhere(naming: Naming | None) -> bool:
    """False as well where nobody kept how the target was named: such a finding is played as it always was."""
    return naming is not None and not naming.own
