"""The composition root: the only place that puts rooms together. The command line calls nothing else.

Every function imports what it needs when it is called, so that `--help` stays quick. No module in here may have the
name of a function below: importing it would put the module in the function's place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.app.corpora import Checked, Listed, Merged
    from fuzz.app.differing import Difference
    from fuzz.app.meaning import Explanation
    from fuzz.app.recording import Recorded
    from fuzz.config import RegressOptions, RunOptions
    from fuzz.policy.regression import Regression
    from fuzz.records import (
        Case,
        EngineEvent,
        Finding,
        ReplayOutcome,
        Summary,
        TargetFacts,
        Violation,
    )
    from fuzz.report.tls import TlsRow

    Sink = Callable[[EngineEvent], None]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What one phase would do, and about how long; `cases` and `reconnects` None when the budget decides."""

    phase: str
    cases: int | None
    reconnects: int | None
    hand_actions: int
    note: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign as it would be, without anything being sent.

    `not_asked` counts cases by reason, `night` what a pull request leaves for the night; `notes` say what was assumed.
    `pace` is that in a few words.
    """

    target: str
    rows: tuple[PlanRow, ...]
    not_asked: tuple[tuple[str, int], ...] = ()
    night: Mapping[str, int] = field(default_factory=dict)
    max_time_s: float | None = None
    notes: tuple[str, ...] = ()
    pace: str = ""

    @property
    def seconds(self) -> float:
        """About how long everything takes that ends by itself."""
        return sum(row.seconds for row in self.rows)

    @property
    def held(self) -> bool:
        """False when the time limit will end it before its list is through."""
        return self.max_time_s is None or self.seconds <= self.max_time_s


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one stored case.

    `item` is what was stored, `violation` what was objected to this time, `facts` who was attacked; None: not known.
    Where it is another thing than before, `expected` and `seen` tell both.
    """

    path: Path
    outcome: ReplayOutcome
    text: str
    item: Finding | Case | None = None
    violation: Violation | None = None
    facts: TargetFacts | None = None
    expected: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """How the reference station is built and played with, when it is served on its own.

    `pics` None is the default one. `script` holds an operator's lines, `console` reads more of them from standard
    input. `files_anywhere` lets it move files beyond this machine, to where the CSMS says. `back_off` are the seconds
    after which it dials again at first, None as its variables say.
    """

    pics: str | None = None
    state: Path | None = None
    console: bool = False
    script: Path | None = None
    realistic_timing: bool = False
    bench: bool = False
    files_anywhere: bool = False
    back_off: float | None = None


@dataclass(frozen=True, slots=True)
class CsmsStage:
    """How the reference CSMS is built and played with.

    `listen` holds places as `[PROFILE@]HOST:PORT`, `stations` is a TOML file, `pki` a lab folder with its certificates
    and its CA, `organizations` are the owners whose stations it takes, `revoked` identities and serial numbers.
    """

    listen: tuple[str, ...]
    stations: Path | None = None
    pki: Path | None = None
    organizations: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    interval_s: int = 300
    retry_s: int = 10
    console: bool = False


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What the recording proxy may be told.

    `listen` is HOST:PORT for stations, `target` a ws or wss URL with `{identity}`. `cert`, `key` and `ca` are what
    stations meet: a certificate makes it wss, a root of theirs asks them for one (security profile 3). The `upstream_`
    ones are what the CSMS meets; a station's own key never gets here. `max_time_s` None: until it is stopped.
    """

    listen: str
    target: str
    folder: Path = Path("recorded")
    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    upstream_ca: Path | None = None
    upstream_cert: Path | None = None
    upstream_key: Path | None = None
    max_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `doctor` looked at: what was seen, and what to do next; `ok` with advice is no more than odd."""

    topic: str
    seen: str
    advice: str = ""
    ok: bool = True

    @property
    def mark(self) -> str:
        """How a line begins: `ok`, `odd` or `FAIL`."""
        return "FAIL" if not self.ok else "odd" if self.advice else "ok"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `doctor` saw: lines of (topic, what was seen), what to check when nobody called, and, dialled, its checks."""

    connected: bool
    facts: tuple[tuple[str, str], ...]
    advice: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table that `show` or `bench` prints; `cells` match the table's headings."""

    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


def run(options: RunOptions, sink: Sink) -> Summary:
    """Run a campaign. Raises `OcppfuzzError` for everything that we could not do."""
    from fuzz.app.campaign import run as run_

    return run_(options, sink)


def plan(options: RunOptions) -> Plan:
    """Tell what a campaign would do; nothing is sent."""
    from fuzz.app.planning import plan as plan_

    return plan_(options)


def plan_build(options: RunOptions, wanted: RegressOptions) -> Plan:
    """Tell what a build in CI would do; nothing is sent. Raises `UsageError` for what cannot be meant."""
    from fuzz.app.build_planning import plan_build as plan_
    from fuzz.app.regressing import check

    check(options, wanted)
    return plan_(options, wanted)


def replay(
    paths: Sequence[Path],
    options: RunOptions,
    sink: Sink,
    told: Callable[[Replayed], None] = lambda _: None,
) -> list[Replayed]:
    """Play stored cases and findings again; `told` hears of each. Raises `CaseFormatError` for unreadable files."""
    from fuzz.app.replaying import replay as replay_

    return replay_(paths, options, sink, told)


def remember_replay(replayed: Sequence[Replayed]) -> None:
    """Add the outcome to what folders of findings remember of their runs, where they do."""
    from fuzz.app.remembering import remember_replay as remember

    remember(replayed)


def regress(
    options: RunOptions,
    wanted: RegressOptions,
    sink: Sink,
    second: Mapping[str, object] | None = None,
    told: Callable[[TlsRow], None] = lambda _: None,
) -> Regression:
    """Play a build in CI and judge it by the project's policy; `told` hears of each handshake.

    Raises `OcppfuzzError` for what we could not do.
    """
    from fuzz.app.regressing import regress as regress_

    return regress_(options, wanted, sink, second, told)


def pack_finding(folder: Path, output: Path | None, *, embargo: str = "") -> tuple[Path, str]:
    """Seal a stored finding in one zip; where it lies, and its SHA-256. Raises `UsageError`."""
    from fuzz.app.packing import pack_finding as pack_

    return pack_(folder, output, embargo=embargo)


def look_at(
    paths: Sequence[Path], output: Path, csv: Path | None, *, compare: bool
) -> tuple[Path, bool]:
    """Write one HTML page of what lies in folders; where, and whether it has its pictures. Raises `UsageError`."""
    from fuzz.app.looking import look_at as look_at_

    return look_at_(paths, output, csv, compare=compare)


def explain(name: str) -> Explanation:
    """What an oracle, a case of the TLS lab, or the rule behind a stored finding means. Raises `UsageError`."""
    from fuzz.app.explaining import explain as explain_

    return explain_(name)


def shrink(path: Path, options: RunOptions, sink: Sink) -> Replayed:
    """Play a stored finding and make its case smaller; the finding on disk is replaced by the smaller one."""
    from fuzz.app.replaying import shrink as shrink_

    return shrink_(path, options, sink)


def corpus_add(paths: Sequence[Path], options: RunOptions, family: str) -> Merged:
    """Add cases to the corpus. Raises `UsageError`."""
    from fuzz.app import corpora

    return corpora.add(paths, options, family)


def corpus_list(options: RunOptions) -> list[Listed]:
    """Every case of the corpus, with what it is for."""
    from fuzz.app import corpora

    return corpora.listed(options)


def corpus_merge(
    sources: Sequence[Path], options: RunOptions, sink: Sink, *, by_content: bool
) -> Merged:
    """Add what shows something new, from other corpora."""
    from fuzz.app import corpora

    return corpora.merge(sources, options, sink, by_content=by_content)


def corpus_minimise(options: RunOptions, sink: Sink, *, by_content: bool) -> Merged:
    """Take away what shows nothing of its own."""
    from fuzz.app import corpora

    return corpora.minimise(options, sink, by_content=by_content)


def corpus_check(options: RunOptions, sink: Sink, *, play: bool) -> Checked:
    """Whether every case still says what it claims."""
    from fuzz.app import corpora

    return corpora.check(options, sink, play=play)


def corpus_promote(
    path: Path, options: RunOptions, sink: Sink, *, unverified: bool, name: str
) -> Path:
    """Move a fixed finding into the regression corpus. Raises `UsageError` when it is not fixed."""
    from fuzz.app import corpora

    return corpora.promote(path, options, sink, unverified=unverified, name=name)


def corpus_import(
    paths: Sequence[Path],
    options: RunOptions,
    *,
    keylog: Path | None,
    recorded_by: str | None,
    told: Callable[[Path, int], None],
) -> Merged:
    """Make cases of recorded traffic. Raises `UsageError` for a file that is none."""
    from fuzz.app import corpora

    return corpora.import_(paths, options, keylog=keylog, recorded_by=recorded_by, told=told)


def diff(first: RunOptions, second: RunOptions, sink: Sink) -> Difference:
    """Play the same cases on two targets and tell where they disagree."""
    from fuzz.app.differing import diff as diff_

    return diff_(first, second, sink)


def doctor(options: RunOptions, sink: Sink) -> Diagnosis:
    """Wait for a station and tell who dialled, and how; or dial a CSMS and tell how far that goes."""
    from fuzz.app.diagnosing import doctor as doctor_

    return doctor_(options, sink)


def serve_station(options: RunOptions, csms: str, stage: Stage) -> None:
    """Run the reference station against any CSMS until it is stopped."""
    from fuzz.app.serve import serve_station as serve_

    serve_(options, csms, stage)


def serve_csms(options: RunOptions, stage: CsmsStage) -> None:
    """Run the reference CSMS until it is stopped."""
    from fuzz.app.serve import serve_csms as serve_

    serve_(options, stage)


def record(options: RecordOptions, tell: Callable[[str, str], None]) -> Recorded:
    """Stand between stations and their CSMS until it is stopped; `tell` hears lines for people. Raises `UsageError`."""
    from fuzz.app.recording import record as record_

    return record_(options, tell)


def bench(options: RunOptions, sink: Sink) -> list[Table]:
    """Measure generation and whole cases on this machine, as ratios within one run."""
    from fuzz.app.measuring import bench as bench_

    return bench_(options, sink)


def bench_detect(
    options: RunOptions,
    sink: Sink,
    *,
    only: Sequence[str],
    seeds: int,
    tools: Sequence[str],
    healthy: int,
    jobs: int,
    results: Path | None,
    picture: Path | None,
    run: bool,
) -> tuple[list[Table], list[str]]:
    """Measure detection of planted defects, or tell what was measured; the tables, and what was missed in words."""
    from fuzz.app import detecting

    chosen = tuple(tools) or tuple(detecting.TOOLS)
    todo = list(detecting.trials(only, seeds, chosen, healthy))
    outcomes = detecting.detect(todo, results, sink, jobs=jobs, run=run)
    if picture is not None:
        detecting.draw(outcomes, picture)
    return detecting.tables(outcomes), detecting.missed(outcomes)


def bench_tls(sslyze: Path | None) -> list[Table]:
    """Measure how fast a server's suites are enumerated; `sslyze` is the Python of an environment that has it."""
    from fuzz.app.tls_measuring import bench_tls as bench_tls_

    return bench_tls_(sslyze)


def bench_record() -> list[Table]:
    """Measure what the recording proxy adds to a round trip."""
    from fuzz.app.record_measuring import bench_record as bench_record_

    return bench_record_()


def show(topic: str) -> Table:
    """One of the registries: oracles, violations, defects, decoys, coverage, actions. Raises `UsageError`."""
    from fuzz.app.showing import show as show_

    return show_(topic)


def show_pics(name: str) -> list[Table]:
    """The PICS form with the answers of one PICS file, section by section. Raises `UsageError`."""
    from fuzz.app.showing import show_pics as show_

    return show_(name)


def config_schema_text() -> str:
    """The JSON Schema of `ocppfuzz.toml`."""
    from fuzz.app.config_schema import schema_text

    return schema_text()


def draft_pics(options: RunOptions, file: Path, sink: Sink) -> Table:
    """Wait for a station and write a PICS file of what it shows. Raises `TargetUnavailable` when nobody came."""
    from fuzz.app.picsing import draft_pics as draft_

    return draft_(options, file, sink)


def check_pics(file: str, options: RunOptions, sink: Sink) -> Table:
    """Wait for a station and tell which answers of a PICS file it contradicts, one a row."""
    from fuzz.app.picsing import check_pics as check_

    return check_(file, options, sink)


def pki_create(folder: Path, names: Sequence[str], serial: str) -> list[tuple[str, Path]]:
    """Create the lab's root, CSMS and station certificates; keys are readable by their owner only."""
    from fuzz.app.rig import create_pki

    return create_pki(folder, names, serial)
