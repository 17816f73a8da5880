"""Writes the cases of `corpus/` that this project ships: `.venv/bin/python tests/make_corpus`.

One module a family, each with a list `CASES`; its first sentence says what belongs there. A test makes all of them again
and compares. A finding that becomes a regression case is simply copied in and needs no recipe here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import certificates
import credentials
import device_model
import frames
import heavy
import schema
import state
import text
import tls
import valid
import websocket
from recipe import Recipe

from fuzz import store
from fuzz.records import Case, Provenance

CORPUS = Path(__file__).resolve().parents[2] / "corpus"

FAMILIES: Mapping[str, Sequence[Recipe]] = {
    "certificates": certificates.CASES,
    "credentials": credentials.CASES,
    "device-model": device_model.CASES,
    "frames": frames.CASES,
    "heavy": heavy.CASES,
    "schema": schema.CASES,
    "state": state.CASES,
    "text": text.CASES,
    "tls": tls.CASES,
    "valid": valid.CASES,
    "websocket": websocket.CASES,
}


def recipes() -> dict[str, Case]:
    """Every case by its path below `corpus/`, without ending."""
    made = [
        (f"{family}/{told.name}", told.case) for family, cases in FAMILIES.items() for told in cases
    ]
    cases = {path: _named(case, path) for path, case in made}
    if len(cases) != len(made):
        raise ValueError("two recipes have one name")
    return cases


def _named(case: Case, path: str) -> Case:
    return replace(case, id=f"corpus/{path}", provenance=Provenance("corpus"))


def main(folder: Path = CORPUS) -> int:
    """Write every recipe."""
    for path, case in recipes().items():
        store.save_case(case, folder / f"{path}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
