"""Report files: which are wanted, whether they can be written, and writing them all.

Knows formats by their names, and the file system. Must not know what a run came to.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from fuzz.errors import StoreError, UsageError
from fuzz.report.codequality import code_quality
from fuzz.report.comment import comment
from fuzz.report.document import document, lines
from fuzz.report.junit import junit
from fuzz.report.results import Results
from fuzz.report.sarif import sarif
from fuzz.store.files import replace_file


def _html(results: Results) -> str:
    # Its template engine is loaded only where a page is wanted.
    from fuzz.report.page.render import html

    return html(results)


FORMATS: Mapping[str, Callable[[Results], str]] = {
    "junit": junit,
    "sarif": sarif,
    "json": document,
    "ndjson": lines,
    "markdown": comment,
    "gitlab-codequality": code_quality,
    "html": _html,
}
"""What each `--<name> FILE` writes."""

ADVICE = "free some space or choose another file"


def check_wanted(wanted: Mapping[str, Path]) -> None:
    """Tell before a target is attacked what could not be written afterwards.

    Raises:
        UsageError: two reports go to one file, or a file cannot be written.
    """
    taken: dict[Path, str] = {}
    for name, path in wanted.items():
        real = Path(os.path.realpath(path))
        if real in taken:
            raise UsageError(
                f"--{taken[real]} and --{name} both name {path}; give each its own file"
            )
        taken[real] = name
        _try(name, path)


def _try(name: str, path: Path) -> None:
    try:
        # What is renamed over a device or a pipe would take its place.
        if path.exists() and not path.is_file():
            raise UsageError(f"--{name} {path} is no file; name one")
        path.parent.mkdir(parents=True, exist_ok=True)
        trial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise UsageError(
            f"cannot write --{name} {path}: {error.strerror or error}; choose another file"
        ) from None


def write_reports(
    results: Results,
    wanted: Mapping[str, Path],
    formats: Mapping[str, Callable[[Results], str]] = FORMATS,
) -> None:
    """Write each report, all or nothing each. Raises `StoreError` for the first that failed, behind the others."""
    failed: list[StoreError] = []
    for name, path in wanted.items():
        try:
            replace_file(path, formats[name](results).encode(), advice=ADVICE)
        except StoreError as error:
            failed.append(error)
    if failed:
        raise failed[0]
