"""Cases on disk: single files and the corpus.

Knows where cases lie. Must not know how they are played.
"""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from fuzz.errors import UsageError
from fuzz.records import Case
from fuzz.store.codec import case_from_json, case_to_json, dump
from fuzz.store.files import aside, entries_of, load_json, replace_file, settle

CORPUS_OPTION = "--corpus"
CASE_FILE = "case.json"

KNOWN = "known"
"""The family of accepted findings: it belongs to a baseline, and is played with its entries only."""


def load_case(path: Path) -> Case:
    """The case in a file, or in the folder of a finding. Raises `CaseFormatError`."""
    if path.is_dir() or aside(path).is_dir():
        settle(path.parent)
        path = path / CASE_FILE
    return case_from_json(load_json(path), source=str(path))


def save_case(case: Case, path: Path) -> None:
    """Write or replace one case file. Raises `StoreError`."""
    replace_file(path, dump(case_to_json(case)))


def corpus_folder(folder: Path | None = None) -> Traversable:
    """Where stored cases come from: `folder`, else `./corpus`, else what was packaged. Raises `UsageError`."""
    if folder is not None:
        if not folder.is_dir():
            raise UsageError(f"corpus folder {folder} does not exist; give one to {CORPUS_OPTION}")
        return folder
    here = Path("corpus")
    return here if _families(here) else packaged_corpus()


def packaged_corpus() -> Traversable:
    """The corpus that came with the product."""
    packaged = resources.files("fuzz").joinpath("_corpus")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "corpus"


def corpus_cases(folder: Path | None = None) -> tuple[Case, ...]:
    """All cases `<family>/<name>.json` of the corpus, in the order of their paths. Raises `CaseFormatError`."""
    root = corpus_folder(folder)
    found = [
        case_from_json(load_json(file), source=str(file))
        for family in _families(root)
        for file in entries_of(family)
        if file.name.endswith(".json")
    ]
    return tuple(found)


def _families(root: Traversable) -> list[Traversable]:
    return [f for f in entries_of(root) if f.is_dir() and f.name != KNOWN]
