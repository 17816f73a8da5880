"""What is done with a corpus: adding, listing, merging by behaviour, checking, taking in findings and recorded traffic.

Knows how store, engine and rig are put together for it. Must not know how it is shown.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema_rs

from fuzz import store
from fuzz.app.campaign import TOOL, make_judge, prepare
from fuzz.app.replaying import replay
from fuzz.app.rig import rig
from fuzz.config import RunOptions
from fuzz.engine.behaviour import behaviours, shows_nothing, smallest
from fuzz.engine.claims import broken_claims
from fuzz.engine.effects import allowed_effects, names_credentials
from fuzz.engine.executor import Executor
from fuzz.engine.investigate import Judge
from fuzz.engine.recorded import FAMILY, Recorder
from fuzz.engine.stage import of_lab
from fuzz.errors import CaseFormatError, UsageError
from fuzz.records import (
    Case,
    Effect,
    EngineEvent,
    Note,
    Provenance,
    ReplayOutcome,
    Side,
)
from fuzz.report.words import attacked
from fuzz.traffic.events import Lost, Opened
from fuzz.traffic.exchanges import Exchange, Paired, exchanges
from fuzz.traffic.placeholders import Placeholders
from fuzz.traffic.recordings import Recording, key_log
from strategies.labels import Stance, Tier
from strategies.version import version

Sink = Callable[[EngineEvent], None]

HERE = Path("corpus")
REGRESSION = "regression"
ADDED = "added"
STATIONS = 4
"""Stations of ours that a corpus is checked on side by side: most of the time each one is waited for."""

MAX_IMPORTED = 100_000
"""Cases that one import makes at most."""


@dataclass(slots=True)
class Merged:
    """The outcome of adding, merging or importing: files written, files taken away, what was passed over and why."""

    added: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    known: int = 0
    played: int = 0
    passed_over: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        """Count something that was passed over."""
        self.passed_over[reason] = self.passed_over.get(reason, 0) + 1


@dataclass(frozen=True, slots=True)
class Listed:
    """One stored case, as `corpus list` tells it."""

    family: str
    id: str
    purpose: str
    clause: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a stored case."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a check: how many cases, how many of them were played, what is wrong, what could not be played."""

    cases: int
    played: int
    problems: tuple[Problem, ...]
    not_played: tuple[Problem, ...] = ()


def _root(options: RunOptions) -> Path:
    return options.corpus_dir or HERE


# --- adding and listing ---------------------------------------------------------------------------------------


def add(paths: Sequence[Path], options: RunOptions, family: str) -> Merged:
    """Add case files, findings, or what lies in folders. Raises `UsageError` before anything is written."""
    incoming = [(path, store.load_case(path)) for given in paths for path in _below(given)]
    if not incoming:
        raise UsageError("no case to add; name a case file, a finding, or a folder of them")
    done = Merged()
    with _writing(options) as held:
        for path, case in incoming:
            _take(held, case, family or _family(path), done)
    return done


def _below(path: Path) -> list[Path]:
    if not path.is_dir() or (path / "finding.json").exists():
        return [path]
    findings = sorted(p.parent for p in path.glob("*/finding.json"))
    return findings or list(store.case_files(path)) or sorted(path.glob("*.json"))


def _family(path: Path) -> str:
    """The family that a file comes from, where it lies in a corpus."""
    name = path.parent.name
    in_corpus = not path.is_dir() and (path.parents[1] / "case.schema.json").exists()
    return name if in_corpus and store.well_named(name) else ADDED


def _take(held: store.Collection, case: Case, family: str, done: Merged) -> None:
    path = held.add(case, family)
    if path is None:
        done.known += 1
    else:
        done.added.append(path)


@contextmanager
def _writing(options: RunOptions) -> Iterator[store.Collection]:
    """The corpus to write to, which nobody else writes to meanwhile."""
    root = _root(options)
    with store.writing(root), store.locked(root):
        yield store.Collection.load(root)


def listed(options: RunOptions) -> list[Listed]:
    """Every case with what it is for. Raises `UsageError`."""
    root = store.corpus_folder(options.corpus_dir)
    found = []
    for family in store.entries_of(root):
        for file in store.entries_of(family):
            if file.name.endswith(".json"):
                case = store.case_from_json(store.load_json(file), source=str(file))
                found.append(Listed(family.name, case.id, _purpose(case), _clause(case)))
    return found


def _purpose(case: Case) -> str:
    """What the case says it is for, else what it does."""
    if case.purpose:
        return case.purpose
    what = f"{case.action or 'a message'} ({case.position.value})"
    if not case.mutations:
        return f"{what}, valid" if case.expectation.stance is Stance.ACCEPT else what
    broken = ", ".join(f"{m.keyword}:{m.operator} at {m.pointer or '/'}" for m in case.mutations)
    return f"{what}, {broken}"


_CLAUSES: Mapping[Tier, str] = {
    Tier.JSON: "RFC 8259; OCPP-J 4.2.3",
    Tier.RPC: "OCPP-J 4.1, 4.2",
    Tier.SCHEMA: "OCPP-J 4.3, schema",
    Tier.PRIMITIVE: "Part 2 2.1",
    Tier.MODEL: "Part 2",
}


def _clause(case: Case) -> str:
    """What decides the case, as it says itself, else by the tier that it reaches or breaks."""
    return case.clause or _CLAUSES[case.expectation.tier]


# --- merging --------------------------------------------------------------------------------------------------


def merge(
    sources: Sequence[Path], options: RunOptions, sink: Sink, *, by_content: bool = False
) -> Merged:
    """Add what shows something new from other corpora: the smallest cases first (libFuzzer's `-merge=1`)."""
    incoming: dict[Path, Case] = {}
    for source in sources:
        if not source.is_dir():
            raise UsageError(f"{source} is no folder; `corpus add` takes single files")
        incoming |= {path: store.load_case(path) for path in _below(source)}
    done = Merged()
    with _writing(options) as held:
        new = _unique(held, incoming, done)
        everything = {**held.cases, **new}
        shown = _shown(everything, options, sink, done, by_content=by_content)
        known = frozenset().union(*(shown[path] for path in held.cases))
        for path in smallest(shown, sorted(new, key=lambda p: _size(new[p], p)), known):
            _take(held, new[path], _family(path), done)
        _journal(options, by_content=by_content).clear()
    return done


def minimise(options: RunOptions, sink: Sink, *, by_content: bool = False) -> Merged:
    """Take away what a machine added and what shows nothing that smaller or hand-named cases do not show."""
    if not _root(options).is_dir():
        raise UsageError(f"corpus folder {_root(options)} does not exist; give one to --corpus")
    done = Merged()
    with _writing(options) as held:
        shown = _shown(held.cases, options, sink, done, by_content=by_content)
        made = [
            p for p in held.cases if store.named_by_content(p.stem) and p.parent.name != REGRESSION
        ]
        known = frozenset().union(*(shown[p] for p in held.cases if p not in set(made)))
        kept = set(smallest(shown, sorted(made, key=lambda p: _size(held.cases[p], p)), known))
        for path in made:
            if path not in kept:
                held.remove(path)
                done.removed.append(path)
        _journal(options, by_content=by_content).clear()
    return done


def _size(case: Case, path: Path) -> tuple[int, int, str]:
    return (*store.case_size(case), str(path))


def _unique(
    held: store.Collection, incoming: Mapping[Path, Case], done: Merged
) -> dict[Path, Case]:
    """One file for each wire that the corpus does not hold yet."""
    found: dict[str, Path] = {}
    for path, case in incoming.items():
        wire = store.wire_digest(case)
        if held.holds(case) is not None or wire in found:
            done.known += 1
        else:
            found[wire] = path
    return {path: incoming[path] for path in found.values()}


def _journal(options: RunOptions, *, by_content: bool) -> store.MergeJournal:
    """The journal of a merge under these circumstances: the target, its defects, what may be done to it."""
    names = ("target", "listen", "identity", "security_profile", "pics", "defects", "decoys")
    about = [str(getattr(options, name)) for name in (*names, "allow", "edition", "start_cmd")]
    told = json.dumps([TOOL, by_content, *about])
    return store.MergeJournal.load(_root(options), hashlib.sha256(told.encode()).hexdigest())


def _shown(
    cases: Mapping[Path, Case],
    options: RunOptions,
    sink: Sink,
    done: Merged,
    *,
    by_content: bool,
) -> dict[Path, frozenset[str]]:
    """What each case shows; of what cannot be played, only that it is itself."""
    if by_content:
        return {path: _itself(case) for path, case in cases.items()}
    journal = _journal(options, by_content=by_content)
    todo = [case for case in cases.values() if store.wire_digest(case) not in journal.shown]
    if todo:
        asyncio.run(_play_all(todo, options, sink, journal, done))
    return {path: journal.shown[store.wire_digest(case)] for path, case in cases.items()}


def _itself(case: Case) -> frozenset[str]:
    return frozenset({f"content/{store.wire_digest(case)}"})


async def _play_all(
    cases: Iterable[Case],
    options: RunOptions,
    sink: Sink,
    journal: store.MergeJournal,
    done: Merged,
) -> None:
    async with rig(options, sink) as made:
        executor = Executor(made.wiring, made.pace)
        judged = make_judge(strict=True, edition=options.edition)
        await prepare(executor, sink)
        sink(Note(f"playing on {attacked(executor.facts)}"))
        allowed = allowed_effects(owned=executor.owned, allow=options.allow)
        for case in cases:
            why = _unplayable(case, executor, allowed)
            shown = _itself(case)
            if not why:
                why, shown = await _play(case, executor, judged)
            if why:
                done.skip(f"{why}: kept for what it is")
            else:
                done.played += 1
            journal.note(store.wire_digest(case), shown)
        await executor.hang_up()


async def _play(case: Case, executor: Executor, judged: Judge) -> tuple[str, frozenset[str]]:
    """Why playing the case said nothing about it, "" when it did, and what it showed."""
    try:
        await executor.fresh()
        seen = await executor.play(case, linger=True)
    except UsageError as error:
        return str(error), _itself(case)
    why = shows_nothing(seen)
    return why, _itself(case) if why else behaviours(seen, judged(seen))


def _unplayable(case: Case, executor: Executor, allowed: frozenset[Effect]) -> str:
    """Why a case is not played, and so kept for what it is; "" when it is."""
    if of_lab(case):
        return "a case of the TLS lab"
    if case.side is not executor.facts.side:
        return f"attacks a {case.side.value}"
    if case.effect not in allowed:
        return f"effect {case.effect.value} is not allowed"
    if names_credentials(case):
        return "would change how we get in"
    return ""


# --- checking -------------------------------------------------------------------------------------------------


def check(options: RunOptions, sink: Sink, *, play: bool = True) -> Checked:
    """Whether every case is well formed, unique, named rightly, and still true of the healthy reference station."""
    if options.target is not None or options.listen is not None:
        raise UsageError(
            "a corpus is checked against the embedded station; leave out --listen and --target"
        )
    root = options.corpus_dir or HERE
    if not root.is_dir():
        raise UsageError(f"corpus folder {root} does not exist; give one to --corpus")
    problems: list[Problem] = []
    cases: dict[Path, Case] = {}
    validator = jsonschema_rs.validator_for(_case_schema())
    for path in store.case_files(root):
        try:
            cases[path] = store.load_case(path)
            validator.validate(store.load_json(path))
        except CaseFormatError as error:
            problems.append(Problem(path, str(error)))
        except jsonschema_rs.ValidationError as error:
            problems.append(Problem(path, f"does not fit case.schema.json: {error.message}"))
    problems += _misnamed(cases) + _twice(cases)
    for path, case in cases.items():
        problems += [Problem(path, text) for text in broken_claims(case, version())]
    not_played: list[Problem] = []
    if play and cases:
        spoken, not_played = _spoken(cases, options, sink)
        problems += spoken
    played = len(cases) - len(not_played) if play else 0
    return Checked(len(cases), played, tuple(problems), tuple(not_played))


def _case_schema() -> dict[str, Any]:
    schema = store.load_json(store.packaged_corpus().joinpath("case.schema.json"))
    assert isinstance(schema, dict)
    return schema


def _misnamed(cases: Mapping[Path, Case]) -> list[Problem]:
    found = []
    for path, case in cases.items():
        name = f"{path.parent.name}/{path.stem}"
        digest = store.named_by_content(path.stem)
        if not (store.well_named(path.parent.name) and store.well_named(path.stem)):
            found.append(Problem(path, "is not named in lower-case words"))
        if case.id.startswith("corpus/") and case.id != f"corpus/{name}":
            found.append(Problem(path, f"its id {case.id} is not that of its file"))
        if digest is not None and digest != store.wire_digest(case):
            found.append(
                Problem(path, "its name is not that of its content; `corpus add` names it")
            )
    return found


def _twice(cases: Mapping[Path, Case]) -> list[Problem]:
    found, wires, ids = [], dict[str, Path](), dict[str, Path]()
    for path, case in cases.items():
        first = wires.setdefault(store.wire_digest(case), path)
        if first != path:
            found.append(Problem(path, f"puts the same on the wire as {first}"))
        first = ids.setdefault(case.id, path)
        if first != path:
            found.append(Problem(path, f"has the same id as {first}"))
    return found


def _spoken(
    cases: Mapping[Path, Case], options: RunOptions, sink: Sink
) -> tuple[list[Problem], list[Problem]]:
    """What oracles say of the healthy station, and what could not be played on it."""
    # The lab has a CSMS of ours as well.
    mine = [path for path, case in cases.items() if case.side is Side.STATION or of_lab(case)]
    others = [Problem(path, "attacks a CSMS") for path in cases if path not in mine]
    # It is our own station, so that we may as well change how we get in.
    options = replace(options, allow=tuple(dict.fromkeys((*options.allow, Effect.LOCK_OUT.value))))
    outcomes = replay(mine, options, sink, stations=STATIONS) if mine else []
    wrong = (ReplayOutcome.REPRODUCED, ReplayOutcome.CHANGED)
    said = [
        Problem(r.path, f"the healthy station: {r.text}") for r in outcomes if r.outcome in wrong
    ]
    left = [Problem(r.path, r.text) for r in outcomes if r.outcome is ReplayOutcome.NOT_RUN]
    return said, left + others


# --- promoting ------------------------------------------------------------------------------------------------


def promote(path: Path, options: RunOptions, sink: Sink, *, unverified: bool, name: str) -> Path:
    """Move a finding that is fixed on the target into the regression corpus; gives the case's file.

    Raises:
        UsageError: it is not fixed, or could not be played; nothing was changed.
    """
    folder = path.parent if path.is_file() else path
    finding = store.load_finding(folder)
    if not unverified:
        (outcome,) = replay([folder], options, sink)
        if outcome.outcome is not ReplayOutcome.FIXED:
            raise UsageError(
                f"{folder} is not fixed on this target, but {outcome.outcome.value}: {outcome.text}; "
                "--unverified promotes it all the same"
            )
    case = replace(
        finding.case,
        provenance=Provenance(REGRESSION, finding.case.provenance.seed, tool=TOOL),
        purpose=finding.case.purpose or f"{finding.violation.name}: {finding.violation.symptom}",
        clause=finding.case.clause or finding.violation.clause,
    )
    stem = name or f"{finding.violation.oracle}-{finding.fingerprint[:8]}".lower()
    with _writing(options) as held:
        written = held.add(case, REGRESSION, name=stem) or held.holds(case)
    assert written is not None
    store.remove_finding(folder)
    return written


# --- importing ------------------------------------------------------------------------------------------------


def import_(
    paths: Sequence[Path],
    options: RunOptions,
    *,
    keylog: Path | None = None,
    recorded_by: str | None = None,
    told: Callable[[Path, int], None] = lambda _path, _percent: None,
) -> Merged:
    """Make cases of recorded traffic. Raises `UsageError` for a file that is no recording."""
    owner = None if recorded_by is None else Side(recorded_by)
    keys = key_log(keylog) if keylog is not None else {}
    recordings = [Recording(path, version(), owner, keys) for path in paths]
    recorder = Recorder(version(), Placeholders(version()), TOOL)
    done = Merged()
    for recording in recordings:
        _learn(recording, recorder)
    with _writing(options) as held:
        for recording in recordings:
            for item in _paired(recording, told):
                _import_one(item, recorder, held, done)
    return done


def _learn(recording: Recording, recorder: Recorder) -> None:
    """Get to know what must not leave before anything is written: it may turn up earlier in free text."""
    for item in _paired(recording):
        if isinstance(item, Opened):
            for kind, value in item.secrets:
                recorder.hidden.learn(kind, value)
        elif isinstance(item, Exchange):
            recorder.learn(item)


def _paired(
    recording: Recording, told: Callable[[Path, int], None] = lambda _path, _percent: None
) -> Iterator[Paired]:
    try:
        size = max(1, recording.path.stat().st_size)
    except OSError:
        size = 1
    percent = 0

    def read(count: int) -> None:
        nonlocal percent
        now = min(100, count * 100 // size)
        if now >= percent + _STEP_PERCENT:
            percent = now
            told(recording.path, now)

    return exchanges(recording.events(read if size > _LONG else lambda _count: None))


_LONG = 8 * 2**20
"""Files that are longer tell how far they were read, bytes."""

_STEP_PERCENT = 5


def _import_one(item: Paired, recorder: Recorder, held: store.Collection, done: Merged) -> None:
    if isinstance(item, Opened):
        return
    if isinstance(item, Lost):
        done.skip(item.reason)
        return
    for case in recorder.cases(item):
        if case is None:
            done.skip("a message that no placeholder fits, or an answer to an unknown action")
        elif len(done.added) >= MAX_IMPORTED:
            done.skip(f"more than {MAX_IMPORTED} cases")
        else:
            _take(held, case, FAMILY, done)
