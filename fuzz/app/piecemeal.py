"""Plays stored cases and handshakes one at a time, whenever somebody asks: for a test runner that owns the loop.

Knows rig, replay and lab; keeps each on a thread of its own, because who asks is not asynchronous. Must not know who asks
nor how an outcome is shown.
"""

from __future__ import annotations

import asyncio
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from fuzz import store
from fuzz.app import Replayed
from fuzz.app.credentials import vault_for
from fuzz.app.handshaking import quick
from fuzz.app.replaying import Player, ready
from fuzz.app.rig import rig
from fuzz.app.tls_replaying import cases_of
from fuzz.app.tlsing import tls
from fuzz.config import CONFIG_FILE, RunOptions, load_config
from fuzz.engine.executor import Executor
from fuzz.errors import OcppfuzzError, TargetUnavailable, UsageError
from fuzz.lab.options import LabOptions
from fuzz.records import Case, EngineEvent, Note, ReplayOutcome, Side, TargetFacts
from fuzz.report.safe import safe
from fuzz.report.tls import TlsRow
from fuzz.report.words import attacked, oracle_words
from fuzz.station.planting import find_plants
from tlslab.registry import TlsCase, all_cases

Say = Callable[[str], None]

MAX_SHOWN = 400
"""Characters of what a target said that a message holds."""
GRACE_S = 30.0
"""How long a case that is being played may go on when nobody wants it any more."""
_SERVE_EVERY_S = 1.0
_SERVE_S = 0.05
_PROVEN = ("passed", "passed with a remark", "recorded")


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to play: `name` is stable, `again` the command that plays it, `handshakes` the lab's ids if it is one."""

    name: str
    again: str
    about: str
    path: Path | None = None
    case: Case | None = None
    handshakes: tuple[str, ...] = ()


class Fate(StrEnum):
    """What became of a piece."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_PLAYED = "not played"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a piece, in words that are safe to show; one line, or a few where it failed."""

    fate: Fate
    text: str = ""


# --- what there is to play ----------------------------------------------------------------------------------


def options_for(
    *, config: Path | None, corpus: Path | None, self_test: bool, defects: Sequence[str]
) -> RunOptions:
    """Who is attacked: our own station only when it is asked for. Raises `UsageError` or `ConfigError`."""
    if self_test and config is not None:
        raise UsageError("a self-test attacks our own station; leave the configuration file out")
    if self_test:
        find_plants(defects, ())
        return RunOptions(corpus_dir=corpus, defects=tuple(defects))
    if defects:
        raise UsageError("a defect is planted in our own station only; ask for the self-test")
    options = load_config(config, {"corpus_dir": corpus} if corpus is not None else {})
    if options.embedded:
        file = config or CONFIG_FILE
        raise UsageError(
            f"no target: name one in [target] of {file}, or ask for the self-test of our own station"
        )
    return options


def pieces(options: RunOptions, config: Path | None, *, handshakes: bool) -> tuple[Piece, ...]:
    """The corpus in the order of its files, and the most telling handshakes behind it. Raises `UsageError`."""
    flags = _flags(options, config)
    side = _side(options).value
    ours = [c for c in all_cases().values() if handshakes and c.side.value == side and quick(c)]
    return (*_stored(options, flags), *(_handshake(case, flags) for case in ours))


def _stored(options: RunOptions, flags: str) -> Iterator[Piece]:
    root = Path(str(store.corpus_folder(options.corpus_dir)))
    for path, case in store.Collection.load(root).cases.items():
        name = path.relative_to(root).with_suffix("").as_posix()
        again = f"ocppfuzz replay {shlex.quote(str(path))}{flags}"
        about = case.purpose or f"{case.action or 'a message'}, {case.position.value}"
        yield Piece(name, again, about, path, case, cases_of(case))


def _handshake(case: TlsCase, flags: str) -> Piece:
    return Piece(
        f"tls/{case.id}",
        f"ocppfuzz tls --only {case.id}{flags}",
        case.title,
        handshakes=(case.id,),
    )


def _side(options: RunOptions) -> Side:
    return Side.CSMS if options.target is not None else Side.STATION


def _flags(options: RunOptions, config: Path | None) -> str:
    """What names the same target again."""
    given = [("--config", config), ("--defect", ",".join(options.defects) or None)]
    return "".join(f" {flag} {shlex.quote(str(value))}" for flag, value in given if value)


# --- playing ------------------------------------------------------------------------------------------------


class Desk:
    """Plays pieces as they are asked for; the rig and the lab have the target one after the other, never at once.

    Attributes:
        facts: who was attacked, None until somebody was.
    """

    def __init__(self, options: RunOptions, pieces: Sequence[Piece], say: Say) -> None:
        """`say` is given what a person must know or do, one safe line at a time, on any thread."""
        ids = dict.fromkeys(id_ for piece in pieces for id_ in piece.handshakes)
        self._options = options
        self._ids = tuple(ids)
        self._say = say
        self._seat: Seat | None = None
        self._lab: LabRun | None = None
        self._gone = ""
        self.facts: TargetFacts | None = None

    def play(self, piece: Piece) -> Outcome:
        """What becomes of the piece. The first one that misses the target fails; behind it nothing is played."""
        if self._gone:
            return Outcome(Fate.NOT_PLAYED, self._gone)
        try:
            return self._handshake(piece) if piece.handshakes else self._message(piece)
        except OcppfuzzError as error:
            what = "target unavailable" if isinstance(error, TargetUnavailable) else "not playable"
            self._gone = f"{what}: {safe(str(error), MAX_SHOWN)}"
            return Outcome(Fate.FAILED, f"{self._gone}\nagain: {safe(piece.again, 1_000)}")

    def close(self) -> None:
        """Put back what was changed, and stop what was started."""
        for busy in (self._seat, self._lab):
            if busy is not None:
                busy.close()

    @property
    def attacked(self) -> str:
        """Who was attacked, in one line; "" when nobody was."""
        return attacked(self.facts) if self.facts is not None else ""

    def _message(self, piece: Piece) -> Outcome:
        assert piece.path is not None
        assert piece.case is not None
        if self._lab is not None:
            self._lab.wait()  # one port, one target
        if self._seat is None:
            self._seat = Seat(self._options, self._say)
        replayed = self._seat.play(piece.path, piece.case)
        self.facts = replayed.facts or self.facts
        return _told(piece, replayed)

    def _handshake(self, piece: Piece) -> Outcome:
        if self._seat is not None:
            self._seat.close()
            self._seat = None
        if self._lab is None:
            self._lab = LabRun(self._options, self._ids, self._say)
        if unknown := [id_ for id_ in piece.handshakes if id_ not in all_cases()]:
            return Outcome(Fate.NOT_PLAYED, f"no case of the TLS lab is called {safe(unknown[0])}")
        rows = [self._lab.row(id_) for id_ in piece.handshakes]
        self.facts = self._lab.facts or self.facts
        return _of_rows(piece, rows)


def _told(piece: Piece, replayed: Replayed) -> Outcome:
    match replayed.outcome:
        case ReplayOutcome.FIXED:
            return Outcome(Fate.PASSED)
        case ReplayOutcome.NOT_RUN:
            return Outcome(Fate.NOT_PLAYED, safe(replayed.text, MAX_SHOWN))
        case _:
            found = replayed.violation
            first = safe(replayed.text, MAX_SHOWN)
            if found is None:
                return _failed(piece, first, "")
            return _failed(
                piece, f"{oracle_words(found)}: {safe(found.symptom, MAX_SHOWN)}", found.text
            )


def _of_rows(piece: Piece, rows: Sequence[TlsRow | None]) -> Outcome:
    for row in rows:
        if row is not None and row.outcome == "failed":
            why = "; ".join(row.why)
            return _failed(piece, f"handshake failed: {safe(row.symptom, MAX_SHOWN)}", why)
    for row in rows:
        if row is None:
            return Outcome(Fate.NOT_PLAYED, "the case is about the other side")
        if row.outcome not in _PROVEN:
            why = f"{row.outcome}: {'; '.join(row.why)}".removesuffix(": ")
            return Outcome(Fate.NOT_PLAYED, safe(why, MAX_SHOWN))
    return Outcome(Fate.PASSED)


def _failed(piece: Piece, first: str, seen: str) -> Outcome:
    lines = [
        first,
        f"case:  {safe(piece.about, MAX_SHOWN)}",
        *([f"seen:  {safe(seen, MAX_SHOWN)}"] if seen else []),
        f"again: {safe(piece.again, 1_000)}",
    ]
    return Outcome(Fate.FAILED, "\n".join(lines))


# --- one rig, on a thread -----------------------------------------------------------------------------------

_Asked = tuple[Path, Case, "Future[Replayed]"]


class Seat:
    """One rig that stays up between cases; what it raises reaches whoever asks."""

    def __init__(self, options: RunOptions, say: Say) -> None:
        self._options = options
        self._say = say
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._asked: asyncio.Queue[_Asked | None] = asyncio.Queue()
        self._over: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, name="ocppfuzz", daemon=True)
        self._thread.start()

    def play(self, path: Path, case: Case) -> Replayed:
        """What became of the case. Raises what the rig raises."""
        replayed: Future[Replayed] = Future()
        self._over.add_done_callback(lambda over: _pass_on(over, replayed))
        self._tell((path, case, replayed))
        return replayed.result()

    def close(self) -> None:
        """Wait until the target is left as it was found; a case that takes too long is cut off. Never raises."""
        self._tell(None)
        self._thread.join(GRACE_S)
        if self._thread.is_alive() and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _tell(self, what: _Asked | None) -> None:
        if not self._over.done():
            self._loop.call_soon_threadsafe(self._asked.put_nowait, what)

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asks, which raises it
                self._over.set_exception(error)
            else:
                self._over.set_result(None)

    async def _serve(self) -> None:
        self._task = asyncio.current_task()
        async with rig(self._options, self._hear) as made:
            vault = vault_for(made, self._options, self._hear)
            executor = Executor(made.wiring, made.pace)
            player = await ready(executor, vault, self._options, self._hear)
            while (asked := await self._next(executor)) is not None:
                await _answer(player, asked)
            await player.put_back(self._hear)
            await executor.hang_up()

    def _hear(self, event: EngineEvent) -> None:
        """Of all that is told only what a person must know, or do."""
        if isinstance(event, Note) and event.level in ("action", "warning"):
            self._say(safe(event.text, MAX_SHOWN))

    async def _next(self, executor: Executor) -> _Asked | None:
        """What is asked next; the target is served while nobody asks."""
        while True:
            try:
                async with asyncio.timeout(_SERVE_EVERY_S):
                    return await self._asked.get()
            except TimeoutError:
                await executor.serve(_SERVE_S)


async def _answer(player: Player, asked: _Asked) -> None:
    path, case, replayed = asked
    outcome = await player.play(path, case)
    replayed.set_result(replace(outcome, item=case, facts=player.executor.facts))


def _pass_on(over: Future[None], waiting: Future[Replayed]) -> None:
    """Nobody waits for a rig that ended."""
    if not waiting.done():
        error = over.exception() or TargetUnavailable("the rig was stopped")
        waiting.set_exception(error)


# --- one run of the lab, on a thread ------------------------------------------------------------------------


class _Stopped(Exception):
    """Nobody wants to know the rest."""


@dataclass(slots=True, eq=False)
class _Rows:
    news: threading.Condition = field(default_factory=threading.Condition)
    by_id: dict[str, TlsRow] = field(default_factory=dict)
    over: bool = False
    stopped: bool = False
    error: BaseException | None = None
    facts: TargetFacts | None = None


class LabRun:
    """The lab's cases in one run; who asks for one waits until it was played."""

    def __init__(self, options: RunOptions, ids: Sequence[str], say: Say) -> None:
        self._options, self._ids, self._say = options, tuple(ids), say
        self._rows = _Rows()
        self._thread = threading.Thread(target=self._work, name="ocppfuzz-lab", daemon=True)
        self._thread.start()

    @property
    def facts(self) -> TargetFacts | None:
        """Who was attacked, once the run is over."""
        return self._rows.facts

    @property
    def rows(self) -> Mapping[str, TlsRow]:
        """What was played so far."""
        return self._rows.by_id

    def row(self, id_: str) -> TlsRow | None:
        """What came of a case; None when the run is over without it. Raises what the lab raises."""
        with self._rows.news:
            self._rows.news.wait_for(lambda: id_ in self._rows.by_id or self._rows.over)
        if id_ not in self._rows.by_id and self._rows.error is not None:
            raise self._rows.error
        return self._rows.by_id.get(id_)

    def wait(self) -> None:
        """Until the target is free again."""
        self._thread.join()

    def close(self) -> None:
        """Stop behind the case that is played now; never raises."""
        self._rows.stopped = True
        self._thread.join()

    def _work(self) -> None:
        lab = LabOptions(only=self._ids, attended=False, fast=True)
        try:
            report, _ = tls(self._options, lab, told=self._told, note=self._note, keep=False)
            self._rows.facts = report.facts
            for left in report.left_changed:
                self._note(f"stays changed on the peer: {left}")
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asks, which raises it
            self._rows.error = error
        with self._rows.news:
            self._rows.over = True
            self._rows.news.notify_all()

    def _note(self, text: str) -> None:
        self._say(safe(text, MAX_SHOWN))

    def _told(self, row: TlsRow, _done: int, _total: int) -> None:
        if self._rows.stopped:
            raise _Stopped
        with self._rows.news:
            self._rows.by_id[row.id] = row
            self._rows.news.notify_all()
