"""Measures detection: every planted defect of the reference station, several seeds, a budget in exchanged messages.

Knows how to run campaigns as processes of their own and what counts as found. Must not know how a campaign works, nor
what any defect does: a campaign is told a defect's number and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from fuzz.app import Row, Table
from fuzz.config import STATELESS_PHASES
from fuzz.errors import StoreError, UsageError
from fuzz.records import EngineEvent, Note, ReplayOutcome
from fuzz.station.decoys import decoys
from fuzz.station.defects import Defect, defects

SHALLOW, DEEP = 5_000, 20_000
"""Exchanges that a campaign may use for a defect of depth 0 or 1, and for a deeper one."""

_MAIN = "import sys; from fuzz.cli import main; sys.exit(main(sys.argv[1:]))"

_ALLOW = ("--allow", "lock-out")

HEALTHY = "healthy"
SECOND_PICS = "ac-1evse-type2"
FIXED = ReplayOutcome.FIXED.value
PATIENCE_S = 5_400.0
"""A campaign that takes longer than this counts as one that found nothing."""

CRASH = ("O1", "O2", "O3", "O4", "O5", "O6", "O7")
"""What tools judge by that know no target: died, silent, bad shape."""

TOOLS: Mapping[str, tuple[str, ...]] = {
    "ocppfuzz": (),
    "stateless phases only": ("--phases", ",".join(STATELESS_PHASES)),
    "crash oracles only": ("--oracles", ",".join(CRASH)),
    "random valid messages": ("--phases", "random", "--oracles", ",".join(CRASH)),
}
"""What is compared: this product, and what is left of it without its sequences, without its oracles, without both."""

Sink = Callable[[EngineEvent], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """One campaign: which tool against which defect or healthy target, from which seed, with how many exchanges."""

    tool: str
    plant: str
    seed: int
    budget: int

    @property
    def flags(self) -> tuple[str, ...]:
        """What makes the embedded station the one that is meant."""
        if self.plant == HEALTHY:
            return ()
        if self.plant == SECOND_PICS:
            return ("--pics", SECOND_PICS)
        if self.plant.startswith("D-"):
            return ("--decoy", self.plant)
        return ("--defect", self.plant, *self.healthy_flags)

    @property
    def healthy_flags(self) -> tuple[str, ...]:
        """What makes the embedded station the same one without its defect."""
        return ("--security-profile", str(defects()[self.plant].highest_profile))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial. `oracle` names the first confirmed finding, `exchanges` when it was first seen.

    `size` is how many steps its smallest case has, `mended` what a replay of it says of the station without the defect:
    anything but `fixed` is a false alarm. `failed` says why a trial proves nothing, else "".
    """

    trial: Trial
    oracle: str = ""
    symptom: str = ""
    exchanges: int = 0
    size: int = 0
    used: int = 0
    mended: str = ""
    failed: str = ""

    @property
    def found(self) -> bool:
        """True when any finding was confirmed."""
        return bool(self.oracle)


def measured_defects() -> list[Defect]:
    """The planted defects that a campaign should find: the others are the TLS lab's."""
    return list({d.number: d for d in defects().values() if not d.caught_by}.values())


def trials(only: Sequence[str], seeds: int, tools: Sequence[str], healthy: int) -> Iterator[Trial]:
    """Every campaign to run, the cheapest first. Raises `UsageError` for an unknown name."""
    unknown = set(tools) - set(TOOLS)
    if unknown:
        raise UsageError(f"unknown tool {min(unknown)!r}; known: {', '.join(TOOLS)}")
    chosen = [d for d in measured_defects() if not only or d.number in only]
    if only and len(chosen) != len(set(only)):
        missing = min(set(only) - {d.number for d in chosen})
        raise UsageError(
            f"{missing!r} is no defect that a campaign should find; see `ocppfuzz show defects`"
        )
    for tool in tools:
        for seed in range(1, (seeds if tool == "ocppfuzz" else 1) + 1):
            for defect in sorted(chosen, key=lambda d: d.depth):
                yield Trial(tool, defect.number, seed, SHALLOW if defect.depth < 2 else DEEP)
    if healthy and not only:
        for seed, begun in enumerate(range(0, healthy, DEEP), start=1):
            yield Trial("ocppfuzz", HEALTHY, seed, min(DEEP, healthy - begun))
        for plant in (SECOND_PICS, *sorted({d.number for d in decoys().values()})):
            yield Trial("ocppfuzz", plant, 1, min(healthy, DEEP))


def detect(
    todo: Iterable[Trial], results: Path | None, sink: Sink, *, jobs: int = 2, run: bool = True
) -> list[Outcome]:
    """Run what `results` does not hold yet, side by side, and add it there line by line; the outcomes known then.

    What proved nothing is tried again.

    Raises:
        StoreError: the file cannot be read or written.
        UsageError: it is no file of results.
    """
    known = {o.trial: o for o in _load(results)}
    planned = list(todo)
    if run:
        left = [t for t in planned if t not in known or known[t].failed]
        asyncio.run(_all(left, known, results, sink, jobs))
    return [known[t] for t in planned if t in known]


async def _all(
    todo: Sequence[Trial],
    known: dict[Trial, Outcome],
    results: Path | None,
    sink: Sink,
    jobs: int,
) -> None:
    room = asyncio.Semaphore(jobs)

    async def one(trial: Trial) -> None:
        async with room:
            outcome = await _run(trial)
        known[trial] = outcome
        _append(results, outcome)
        sink(Note(_line(outcome, len(known))))

    async with asyncio.TaskGroup() as group:
        for trial in todo:
            group.create_task(one(trial))


def _line(outcome: Outcome, done: int) -> str:
    trial = outcome.trial
    said = outcome.failed or (
        f"{outcome.oracle} {outcome.symptom} after {outcome.exchanges:,} exchanges, {outcome.size} steps"
        + (f"; mended: {outcome.mended}" if outcome.mended else "")
        if outcome.found
        else f"nothing in {outcome.used:,} exchanges"
    )
    return f"{done}: {trial.tool}, {trial.plant}, seed {trial.seed}: {said}"


async def _run(trial: Trial) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
        empty = Path(folder) / "corpus"
        empty.mkdir()
        # Four defects are deviations that are tolerated as remarks; what is odd but lawful may always be remarked on.
        flags: tuple[str, ...] = () if trial.plant.startswith("D-") else ("--strict",)
        flags += () if trial.plant in (HEALTHY, SECOND_PICS) else ("--fail-fast",)
        words = [
            *("run", "--json", "--seed", str(trial.seed)),
            *("--max-exchanges", str(trial.budget), "--corpus", str(empty)),
            *("--findings", str(Path(folder) / "findings")),
            *_ALLOW,
            *TOOLS[trial.tool],
            *trial.flags,
            *flags,
        ]
        told = await _cli(words)
        if told is None:
            return Outcome(trial, failed=f"not over after {PATIENCE_S:g} s")
        outcome, finding = _outcome(trial, *told)
        if not finding or trial.plant not in defects():
            return outcome
        return replace(outcome, mended=await _mended(trial, finding))


async def _mended(trial: Trial, finding: str) -> str:
    """What a replay of a finding's folder says of the station without the defect."""
    told = await _cli(["replay", finding, *trial.healthy_flags, *_ALLOW, "--json"])
    try:
        return str(json.loads(told[0])["outcome"]) if told else "not over"
    except (ValueError, KeyError):
        return "no result"


async def _cli(words: Sequence[str]) -> tuple[bytes, bytes] | None:
    """What a command wrote to its output and its errors; None when it was stopped after `PATIENCE_S`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _MAIN),
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await process.communicate()
    except TimeoutError:
        return None
    finally:
        # Nobody's campaign goes on by itself when the measurement is stopped.
        if process.returncode is None:
            process.kill()
            await process.wait()


def _outcome(trial: Trial, out: bytes, err: bytes) -> tuple[Outcome, str]:
    """What a campaign told, and the folder of its first finding or ""."""
    try:
        told = json.loads(out)
    except ValueError:
        why = err.decode(errors="replace").strip().rpartition("\n")[2][:200]
        return Outcome(trial, failed=f"it ended without a result: {why}"), ""
    used = int(told["exchanges"])
    findings = sorted(told["findings"], key=lambda f: int(f["exchanges"]))
    if not findings:
        failed = str(told["reason"]) if told["exit_code"] == 3 else ""
        return Outcome(trial, used=used, failed=failed), ""
    first = findings[0]
    case = json.loads((Path(first["folder"]) / "case.json").read_text())
    outcome = Outcome(
        trial,
        oracle=str(first["oracle"]),
        symptom=str(first.get("text", ""))[:80],
        exchanges=int(first["exchanges"]),
        size=len(case["steps"]),
        used=used,
    )
    return outcome, str(first["folder"])


# --- on disk ------------------------------------------------------------------------------------------------


def _load(results: Path | None) -> list[Outcome]:
    if results is None or not results.exists():
        return []
    try:
        lines = results.read_text().splitlines()
        values = [json.loads(line) for line in lines if line.strip()]
        return [Outcome(**{**value, "trial": Trial(**value["trial"])}) for value in values]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{results} holds no results of `bench detect`: {error}") from None


def _append(results: Path | None, outcome: Outcome) -> None:
    if results is None:
        return
    try:
        with results.open("a") as file:
            file.write(json.dumps(asdict(outcome), sort_keys=True) + "\n")
    except OSError as error:
        raise StoreError(f"cannot write {results}: {error.strerror}") from None


# --- the table ----------------------------------------------------------------------------------------------


def is_right(outcome: Outcome) -> bool:
    """True when the oracle that spoke first is one that should."""
    return outcome.oracle in defects()[outcome.trial.plant].oracle.split()


def depth_of(outcome: Outcome) -> str:
    """`0`, `1`, `2` or `3+`: the protocol steps that a defect needs before it shows."""
    depth = defects()[outcome.trial.plant].depth
    return str(depth) if depth < 3 else "3+"


def tables(outcomes: Sequence[Outcome]) -> list[Table]:
    """Detection by tool and depth, and what was found where nothing is."""
    planted = [o for o in outcomes if o.trial.plant in defects()]
    healthy = [o for o in outcomes if o.trial.plant not in defects()]
    rows = [
        _row(
            tool,
            depth,
            [o for o in planted if o.trial.tool == tool and depth in (depth_of(o), "all")],
        )
        for tool in TOOLS
        for depth in ("0", "1", "2", "3+", "all")
    ]
    made = [
        Table(
            "Detection of planted defects",
            (
                "tool",
                "depth",
                "found",
                "right oracle",
                "silent when mended",
                "exchanges (median)",
                "steps (median)",
            ),
            tuple(row for row in rows if row is not None),
            note=f"Campaigns of {SHALLOW:,} exchanges at depth 0 and 1, of {DEEP:,} below; without a corpus.",
        )
    ]
    if healthy:
        quiet = [
            _nothing_planted(plant, [o for o in healthy if o.trial.plant == plant])
            for plant in dict.fromkeys(o.trial.plant for o in healthy)
        ]
        columns = ("target", "campaigns", "exchanges", "findings")
        made.append(Table("Where nothing is planted", columns, tuple(quiet)))
    return made


def _nothing_planted(plant: str, outcomes: Sequence[Outcome]) -> Row:
    told = sorted({o.failed or o.oracle for o in outcomes} - {""})
    used = sum(o.used for o in outcomes)
    return Row((plant, str(len(outcomes)), f"{used:,}", "; ".join(told) or "none"))


def _row(tool: str, depth: str, outcomes: Sequence[Outcome]) -> Row | None:
    if not outcomes:
        return None
    found = [o for o in outcomes if o.found]
    right = [o for o in found if is_right(o)]
    mended = [o for o in found if o.mended]
    silent = [o for o in mended if o.mended == FIXED]
    return Row(
        (
            tool,
            depth,
            f"{len(found)} of {len(outcomes)}",
            f"{len(right)} of {len(found)}" if found else "-",
            f"{len(silent)} of {len(mended)}" if mended else "-",
            f"{statistics.median(o.exchanges for o in found):,.0f}" if found else "-",
            f"{statistics.median(o.size for o in found):g}" if found else "-",
        )
    )


def missed(outcomes: Sequence[Outcome], tool: str = "ocppfuzz") -> list[str]:
    """The defects that a tool did not find in some seed, found by another oracle, or still saw when mended, in words."""
    told = []
    for o in outcomes:
        if o.trial.tool != tool or o.trial.plant not in defects():
            continue
        name = defects()[o.trial.plant].name
        if not o.found:
            told.append(f"{o.trial.plant} {name}, seed {o.trial.seed}: {o.failed or 'not found'}")
        elif not is_right(o):
            told.append(f"{o.trial.plant} {name}, seed {o.trial.seed}: by {o.oracle} ({o.symptom})")
        if o.mended not in ("", FIXED):
            told.append(
                f"{o.trial.plant} {name}, seed {o.trial.seed}: mended, its replay says {o.mended}"
            )
    return told


# --- the picture --------------------------------------------------------------------------------------------

_WIDTH, _ROW, _LEFT = 640, 26, 190
_COLOURS = {"0": "#4c72b0", "1": "#55a868", "2": "#c44e52", "3+": "#8172b2"}


def draw(outcomes: Sequence[Outcome], picture: Path) -> None:
    """Write an SVG of the share that each tool found, a bar for each depth. Raises `StoreError`."""
    planted = [o for o in outcomes if o.trial.plant in defects()]
    lines, y = [], 10
    for tool in TOOLS:
        mine = [o for o in planted if o.trial.tool == tool]
        if not mine:
            continue
        lines.append(f'<text x="8" y="{y + 17}" font-weight="bold">{tool}</text>')
        for depth, colour in _COLOURS.items():
            at = [o for o in mine if depth_of(o) == depth]
            if at:
                lines += _bar(y, depth, colour, sum(o.found for o in at), len(at))
                y += _ROW
        y += 10
    body = "\n".join(lines)
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" '
        f'font-family="sans-serif" font-size="13">\n<title>Detection of planted defects</title>\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n'
    )
    try:
        picture.write_text(text)
    except OSError as error:
        raise StoreError(f"cannot write {picture}: {error.strerror}") from None


def _bar(y: int, depth: str, colour: str, found: int, of: int) -> list[str]:
    room = _WIDTH - _LEFT - 130
    return [
        f'<text x="{_LEFT - 8}" y="{y + 17}" text-anchor="end">depth {depth}</text>',
        f'<rect x="{_LEFT}" y="{y + 4}" width="{room}" height="18" fill="#eeeeee"/>',
        f'<rect x="{_LEFT}" y="{y + 4}" width="{room * found // of}" height="18" fill="{colour}"/>',
        f'<text x="{_LEFT + room + 8}" y="{y + 17}">{found} of {of}</text>',
    ]
