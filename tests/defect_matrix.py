"""Plays the conformance suite against every planted defect: which tests fail, and what no conformance test can see.

`.venv/bin/python tests/defect_matrix.py [DEFECT ...]`, or `make defect-matrix ONLY=P19,P20`. It takes minutes for each
defect; what was played is kept in `build/defect-matrix` and not played again while the sources are the same. The
table is Markdown, on standard output; progress goes to standard error.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fuzz.station.defects import Defect, defects

HERE = Path(__file__).resolve().parent.parent
RESULTS = HERE / "build" / "defect-matrix"
PATIENCE_S = 1800.0
"""A suite that takes longer has been brought to a standstill by the defect; all of its tests count as failed."""

JOBS = "12"
"""Tests wait more than they work, above all where a defect keeps the station silent."""

MAX_AGAIN = 20
HEALTHY = "healthy"
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Played:
    """What the suite said of one station: its verdicts by test, {} when it did not end."""

    verdicts: Mapping[str, str]
    seconds: float

    @property
    def ended(self) -> bool:
        """Whether there are verdicts at all."""
        return bool(self.verdicts)

    def failed_unlike(self, healthy: Played) -> list[str]:
        """The tests that passed with the healthy station and did not with this one."""
        passed = [test for test, verdict in healthy.verdicts.items() if verdict == "passed"]
        return [test for test in passed if self.verdicts.get(test) != "passed"]


def sources() -> str:
    """The version of all that a result depends on."""
    digest = hashlib.sha256()
    for room in ("fuzz", "strategies", "tlslab"):
        for path in sorted((HERE / room).rglob("*")):
            if path.suffix in (".py", ".toml", ".json", ".csv"):
                digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def result_of(name: str, version: str) -> Played:
    """What the suite says with a defect, or of the healthy station; plays it unless that is known."""
    kept = RESULTS / f"{name}.json"
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    if known.get("sources") != version:
        sys.stderr.write(f"{name} ...\n")
        known = {"sources": version, **play(name)}
        RESULTS.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(".half")
        half.write_text(json.dumps(known, indent=1), "utf-8")
        half.replace(kept)
    return Played(known["verdicts"], known["seconds"])


def play(name: str) -> dict[str, object]:
    """The verdicts of one run of the whole suite, by test; what failed was played again and failed again."""
    suite = conformance(name)
    if suite is None:
        return {"verdicts": {}, "seconds": PATIENCE_S}
    verdicts = {test["id"]: test["verdict"] for test in suite["tests"]}
    failed = [id_ for id_, verdict in verdicts.items() if verdict != "passed"]
    # A test or two may fail because the machine was busy; many are no accident.
    again = conformance(name, *failed) if 0 < len(failed) <= MAX_AGAIN else None
    if again is not None:
        verdicts |= {test["id"]: test["verdict"] for test in again["tests"]}
    return {"verdicts": verdicts, "seconds": suite["abstract"]["seconds"]}


def conformance(name: str, *ids: str) -> dict[str, Any] | None:
    """What one run of the suite, or of some of its tests, left behind; None when it did not end."""
    planted = () if name == HEALTHY else ("--defect", name)
    command = (Path(sys.executable).with_name("ocppfuzz"), "conformance", *ids, *planted)
    with TemporaryDirectory() as folder:
        told = Path(folder, "suite.json")
        try:
            done = subprocess.run(
                [*map(str, command), "--jobs", JOBS, "--json", str(told)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        if not told.exists():
            raise SystemExit(f"{name}: exit {done.returncode}\n{done.stderr.decode()[-2000:]}")
        found: dict[str, Any] = json.loads(told.read_text("utf-8"))["details"]
        return found


def chosen(only: Sequence[str]) -> list[Defect]:
    """The defects that are asked for by number or name, all of them by default."""
    unknown = [name for name in only if name not in defects()]
    if unknown:
        raise SystemExit(
            f"unknown defects: {', '.join(unknown)}; `ocppfuzz show defects` lists them"
        )
    wanted = only or list(defects())
    return list({defects()[name].number: defects()[name] for name in wanted}.values())


def table(played: Mapping[Defect, Played], healthy: Played) -> Iterator[str]:
    """The matrix, then what no test sees, as lines of Markdown."""
    total = sum(verdict == "passed" for verdict in healthy.verdicts.values())
    yield f"Of the conformance tests, {total} pass with the healthy station."
    yield ""
    yield "| Defect | Layer | What it does | Tests that fail |"
    yield "|---|---|---|---|"
    for defect, result in played.items():
        failed = _failed(result, healthy)
        yield f"| {defect.number} {defect.name} | {defect.layer} | {defect.text} | {failed} |"
    unseen = [d for d, result in played.items() if not result.failed_unlike(healthy)]
    yield ""
    yield f"Conformance testing does not see {len(unseen)} of {len(played)} defects:"
    yield ""
    yield from (f"- {defect.number} {defect.name}: {defect.text}" for defect in unseen)


def _failed(result: Played, healthy: Played) -> str:
    failed = result.failed_unlike(healthy)
    if not result.ended:
        return "all: the suite does not end"
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    return ", ".join(failed[:_SHOWN]) + more if failed else "none"


def main(arguments: Sequence[str]) -> int:
    """Plays what is not known yet and prints the table."""
    only = [name for argument in arguments for name in argument.split(",") if name]
    version = sources()
    wanted = chosen(only)
    healthy = result_of(HEALTHY, version)
    played = {defect: result_of(defect.name, version) for defect in wanted}
    sys.stdout.write("\n".join(table(played, healthy)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
