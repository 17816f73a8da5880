"""Plays the TLS lab against every planted defect that it should find: which cases fail, and which should have.

`.venv/bin/python tests/tls_matrix.py [--pics NAME] [--profile N] [--edition ED] [--cases ID]... [--jobs N] [DEFECT ...]`,
or `make tls-matrix ONLY=P72,P73`. A run of the whole lab takes minutes; what was played is kept in `build/tls-matrix`
and not played again while the sources are the same. The table is Markdown, on standard output; progress goes to
standard error. Exit code 1 when a defect was not caught by exactly the cases that `Defect.caught_by` names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from defect_matrix import sources

from fuzz.station.defects import Defect, defects

HERE = Path(__file__).resolve().parent.parent
RESULTS = HERE / "build" / "tls-matrix"
PATIENCE_S = 3600.0
HEALTHY = "healthy"
BAD = ("failed", "not observed")
APPLIES = ("failed", "not observed", "passed", "passed with a remark", "recorded")


@dataclass(frozen=True, slots=True)
class Played:
    """What the lab said of one station: outcomes by case, {} when it did not end; and why it did not."""

    outcomes: Mapping[str, str]
    why: str = ""

    def having(self, *outcomes: str) -> set[str]:
        """The cases with one of these outcomes."""
        return {case for case, outcome in self.outcomes.items() if outcome in outcomes}


@dataclass(frozen=True, slots=True)
class Row:
    """One defect beside the healthy station."""

    defect: Defect
    healthy: Played
    played: Played

    @property
    def failed(self) -> set[str]:
        """The cases that this station fails and the healthy one does not."""
        return self.played.having("failed") - self.healthy.having("failed")

    @property
    def expected(self) -> set[str]:
        """The cases that should fail, as far as the healthy station was asked them here."""
        return set(self.defect.caught_by) & self.healthy.having(*APPLIES)

    @property
    def missed(self) -> set[str]:
        """The cases that should have failed."""
        return self.expected - self.failed

    @property
    def surplus(self) -> set[str]:
        """The cases that should not have failed."""
        return self.failed - self.expected

    @property
    def unseen(self) -> set[str]:
        """The cases of which nothing was observed, unlike at the healthy station."""
        return self.played.having("not observed") - self.healthy.having("not observed")


def result_of(name: str, options: Sequence[str], version: str) -> Played:
    """What the lab says with a defect, or of the healthy station; plays it unless that is known."""
    variant = hashlib.sha256(json.dumps([*options]).encode()).hexdigest()[:8]
    kept = RESULTS / f"{name}-{variant}.json"
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    if known.get("sources") != version:
        sys.stderr.write(f"{name} ...\n")
        played = play(name, options)
        known = {"sources": version, "outcomes": dict(played.outcomes), "why": played.why}
        RESULTS.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(".half")
        half.write_text(json.dumps(known, indent=1), "utf-8")
        half.replace(kept)
    return Played(known["outcomes"], known["why"])


def play(name: str, options: Sequence[str]) -> Played:
    """One run of the lab."""
    planted = () if name == HEALTHY else ("--defect", name)
    command = [str(Path(sys.executable).with_name("ocppfuzz")), "tls", "--json", *options, *planted]
    with TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Played({}, f"no end within {PATIENCE_S:g} s")
    if not done.stdout.strip():
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Played({}, f"exit {done.returncode}: {''.join(last)}")
    return Played({case["id"]: case["outcome"] for case in json.loads(done.stdout)["cases"]})


def chosen(only: Sequence[str]) -> list[Defect]:
    """The defects that are asked for by number or name; all that the lab should catch by default."""
    unknown = [name for name in only if name not in defects()]
    if unknown:
        raise SystemExit(f"unknown defects: {', '.join(unknown)}")
    if only:
        return [defects()[name] for name in only]
    return [d for number, d in defects().items() if number == d.number and d.caught_by]


def table(rows: Sequence[Row], healthy: Played) -> Iterator[str]:
    """The matrix as lines of Markdown."""
    counts = {
        outcome: len(healthy.having(outcome))
        for outcome in dict.fromkeys(healthy.outcomes.values())
    }
    yield f"The healthy station: {', '.join(f'{n} {outcome}' for outcome, n in counts.items()) or healthy.why}."
    bad = sorted(healthy.having(*BAD))
    yield f"Failed or not observed there: {', '.join(bad) or 'none'}."
    yield ""
    yield "| Defect | What it does | Cases that fail | Missed | Surplus | Not observed |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        cells = [row.failed, row.missed, row.surplus, row.unseen]
        told = [", ".join(sorted(cell)) or "-" for cell in cells]
        if not row.played.outcomes:
            told[0] = row.played.why
        name = f"{row.defect.number} {row.defect.name}"
        yield f"| {name} | {row.defect.text} | {' | '.join(told)} |"
    exact = [row for row in rows if row.failed and not row.missed and not row.surplus]
    yield ""
    yield f"{len(exact)} of {len(rows)} defects are caught by exactly the cases that should catch them."


def main(arguments: Sequence[str]) -> int:
    """Plays what is not known yet and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pics", default="")
    parser.add_argument("--profile", default="")
    parser.add_argument("--edition", default="")
    parser.add_argument("--cases", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("defects", nargs="*")
    given = parser.parse_args(arguments)
    named = (
        ("--pics", given.pics), ("--security-profile", given.profile), ("--edition", given.edition),
        *(("--only", case) for case in given.cases),
    )  # fmt: skip
    options = [word for option, value in named if value for word in (option, value)]
    wanted = chosen([name for text in given.defects for name in text.split(",") if name])
    version = sources()
    names = [HEALTHY, *(defect.number for defect in wanted)]
    with ThreadPoolExecutor(given.jobs) as pool:
        results = list(pool.map(lambda name: result_of(name, options, version), names))
    healthy, *planted = results
    rows = [Row(defect, healthy, played) for defect, played in zip(wanted, planted, strict=True)]
    sys.stdout.write("\n".join(table(rows, healthy)) + "\n")
    return any(not row.failed or row.missed or row.surplus for row in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
