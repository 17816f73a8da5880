"""Records what stations and their CSMS say to each other, and has it judged while it goes through.

Composition: the proxy of `fuzz.transport` passes bytes, `fuzz.traffic` reads and writes messages, `fuzz.oracles.passive`
judges them. Whatever goes wrong in here, the two ends go on undisturbed, and it is told at the end.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.app import RecordOptions
from fuzz.clock import SystemClock
from fuzz.config import host_and_port
from fuzz.errors import StoreError, UsageError
from fuzz.oracles.passive import Memory, Seen, Watch
from fuzz.records import Side, Violation
from fuzz.traffic.events import Closing, Lost, Opened, Said, Told
from fuzz.traffic.websocket import Socket
from fuzz.traffic.writing import Log
from fuzz.transport.contexts import OCPP_SUITES, client_context, server_context
from fuzz.transport.proxy import Caller, Proxy, Upstream, upstream
from fuzz.transport.relay import Ended, Why
from strategies.version import Version, version

MAX_KINDS = 1_000
"""Different things seen that are remembered; what comes beyond is counted."""

MAX_STATIONS = 10_000
MAX_MEMORIES = 500
"""Stations of which anything is remembered over connections; who came least lately is forgotten first."""

TICK_S = 5.0

_ENDS = {Side.STATION: "the station", Side.CSMS: "the CSMS"}


@dataclass(frozen=True, slots=True)
class Sighting:
    """A rule that was broken the first time, and where: a line of a recording. `times` counts all of them."""

    identity: str
    side: Side
    violation: Violation
    place: str
    times: int = 1


@dataclass(slots=True)
class Recorded:
    """What was recorded and seen. `trouble` says what we could not do; files are in the order of their connections."""

    connections: int = 0
    refused: int = 0
    stations: OrderedDict[str, None] = field(default_factory=OrderedDict)
    messages: Counter[Side] = field(default_factory=Counter)
    files: list[Path] = field(default_factory=list)
    seen: OrderedDict[tuple[str, Side, str, str], Sighting] = field(default_factory=OrderedDict)
    beyond: int = 0
    trouble: list[str] = field(default_factory=list)

    def of(self, *, remarks: bool) -> list[Sighting]:
        """What was seen: violations, or remarks."""
        return [s for s in self.seen.values() if s.violation.remark == remarks]


Tell = Callable[[str, str], None]
"""Who hears lines for people: what kind it is (`ready`, `connection`, `seen`, `trouble`), and the line."""


class Recorder:
    """What all connections share: the folder, what was seen so far, and who is told."""

    def __init__(self, folder: Path, tell: Tell, known: Version) -> None:
        self.folder, self.version = folder, known
        self.outcome = Recorded()
        self.talks: set[Talk] = set()
        self._memories: OrderedDict[str, Memory] = OrderedDict()
        self._tell = tell
        self._clock = SystemClock()

    def tap(self, caller: Caller) -> Talk:
        """Who listens to one caller."""
        return Talk(self, caller)

    def memory(self, identity: str) -> Memory:
        """What is remembered of a station."""
        found = self._memories.setdefault(identity, Memory())
        self._memories.move_to_end(identity)
        if len(self._memories) > MAX_MEMORIES:
            self._memories.popitem(last=False)
        return found

    def log(self, identity: str) -> Log:
        """The file of a new connection."""
        return Log(self.folder, identity, self._clock.now())

    def say(self, kind: str, line: str) -> None:
        """Tell people."""
        self._tell(kind, line)

    def turned_away(self, remote: str, why: str) -> None:
        """Somebody called who never said who he is."""
        self.outcome.refused += 1
        self.say("connection", f"{remote or 'unknown address'}: {why}")

    def opened(self, talk: Talk) -> None:
        """A connection is open."""
        self.talks.add(talk)
        self.outcome.connections += 1
        if len(self.outcome.stations) < MAX_STATIONS:
            self.outcome.stations[talk.caller.identity] = None

    def write(self, talk: Talk, said: Said) -> None:
        """Keep a message; a disk that is full ends the recording and nothing else."""
        first = talk.log.lines == 0
        talk.log.add(said, self._clock.now())
        self.outcome.messages[said.sender] += 1
        if first:
            self.outcome.files.append(talk.log.path)

    def trouble(self, text: str) -> None:
        """Something that we could not do, told once."""
        if text not in self.outcome.trouble and len(self.outcome.trouble) < MAX_KINDS:
            self.outcome.trouble.append(text)
            self.say("trouble", text)

    def saw(self, talk: Talk, found: Iterable[Seen]) -> None:
        """Remember what was seen, and tell what is new."""
        for one in found:
            kind = talk.caller.identity, one.side, one.violation.oracle, one.violation.symptom
            known = self.outcome.seen.get(kind)
            if known is not None:
                made = Sighting(*kind[:2], known.violation, known.place, known.times + 1)
                self.outcome.seen[kind] = made
            elif len(self.outcome.seen) >= MAX_KINDS:
                self.outcome.beyond += 1
            else:
                place = f"{talk.log.path}:{talk.log.lines}"
                self.outcome.seen[kind] = Sighting(*kind[:2], one.violation, place)
                self.say("seen", f"{talk.name}  {words(self.outcome.seen[kind])}")


def words(sighting: Sighting) -> str:
    """A sighting as a line for people, without who it was."""
    found = sighting.violation
    kind = "remark" if found.remark else found.severity.name.lower()
    text = found.text.replace("the target", "it")  # there is none here
    end = _ENDS[sighting.side]
    return f"seen of {end}: {found.name} ({found.oracle}, {kind}): {text} [{sighting.place}]"


class Talk:
    """Listens to one connection; implements `Tap`. After anything that we could not do it listens no more."""

    def __init__(self, recorder: Recorder, caller: Caller) -> None:
        self.caller = caller
        self.log = recorder.log(caller.identity)
        self._all = recorder
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._socket = Socket(caller.identity, recorder.version.subprotocol)
        self._watch = Watch(recorder.version, recorder.memory(caller.identity))
        self._closing: Closing | None = None
        self._counts: Counter[Side] = Counter()
        self._listening = self._judging = True

    @property
    def name(self) -> str:
        """Who called, for people."""
        return self.caller.identity or "nobody"

    @property
    def _now_s(self) -> float:
        return self._loop.time() - self._began_s

    def opened(self, request: bytes, response: bytes) -> None:
        """Both ends agreed."""
        self._began_s = self._loop.time()
        self._all.opened(self)
        self._all.say("connection", f"{self.name}  connected from {self.caller.remote}")
        self.passed(request, Side.STATION)
        self.passed(response, Side.CSMS)

    def passed(self, data: bytes, sender: Side) -> None:
        """Bytes went through."""
        if not self._listening:
            return
        try:
            for told in self._socket.feed(data, by_opener=sender is Side.STATION):
                self._hear(told)
        except OSError as error:
            self._listening = False
            self._all.trouble(
                f"recording stopped, the traffic goes on: {error.strerror or error}; check {self._all.folder}"
            )
        except Exception as error:  # noqa: BLE001 - no bug of ours may disturb the two ends
            self._listening = False
            self._all.trouble(
                f"a bug in ocppfuzz, the traffic goes on: {type(error).__name__}; please report it with {self.log.path}"
            )

    def _hear(self, told: Told) -> None:
        match told:
            case Said():
                self._counts[told.sender] += 1
                self._all.write(self, told)
                if self._judging:
                    found = self._watch.saw(told.sender, told.data, self._now_s, binary=told.binary)
                    self._all.saw(self, found)
            case Closing():
                self._closing = self._closing or told
            case Lost():
                # Of what is heard by half nobody can tell what was answered.
                self._judging = False
                self._all.say(
                    "connection",
                    f"{self.name}  passed on, not recorded and not judged: {told.reason}",
                )
            case Opened():
                pass

    def waited(self) -> None:
        """Time went by."""
        if self._listening and self._judging:
            self._all.saw(self, self._watch.waited(self._now_s))

    def failed(self, status: int, reason: str, *, by_us: bool) -> None:
        """The connection was refused."""
        self._all.outcome.refused += 1
        who = "refused by us" if by_us else "refused by the CSMS"
        why = f": {reason}" if reason else ""
        self._all.say("connection", f"{self.name}  {who} with HTTP {status}{why}")

    def ended(self, how: Ended) -> None:
        """The connection is over."""
        self._all.talks.discard(self)
        self.log.close()
        count = sum(self._counts.values())
        told = f"{count} message{'' if count == 1 else 's'}"
        self._all.say("connection", f"{self.name}  {self._end(how)}; {told} in {self._now_s:.1f} s")

    def _end(self, how: Ended) -> str:
        if self._closing is not None:
            reason = f" ({self._closing.reason})" if self._closing.reason else ""
            return f"closed by {_ENDS[self._closing.sender]} with {self._closing.code}{reason}"
        if how.side is None:
            return f"connection {how.why.value}"
        return f"connection {'cut' if how.why is Why.CUT else 'ended'} by {_ENDS[how.side]} without a close frame"


# --- the command ------------------------------------------------------------------------------------------


def record(options: RecordOptions, tell: Tell) -> Recorded:
    """Record until Ctrl-C, SIGTERM or the end of `max_time_s`. Raises `UsageError`, `StoreError`."""
    place = host_and_port(options.listen)
    target = upstream(options.target, lambda: _dialling(options))
    if target.tls is None and (
        options.upstream_ca or options.upstream_cert or options.upstream_key
    ):
        raise UsageError(f"{options.target} is not encrypted; --upstream-... needs a wss URL")
    tls = _listening(options)
    try:
        options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"cannot write into {options.folder}: {error.strerror}") from None
    recorder = Recorder(options.folder, tell, version())
    proxy = Proxy(place, target, recorder.tap, tls=tls, failed=recorder.turned_away)
    asyncio.run(_until_told(proxy, recorder, options, target))
    return recorder.outcome


def _listening(options: RecordOptions) -> ssl.SSLContext | None:
    """Our context towards stations, None for ws."""
    if (options.cert is None) != (options.key is None):
        raise UsageError("a certificate and its key belong together; give both --cert and --key")
    if options.cert is None or options.key is None:
        if options.ca is not None:
            raise UsageError(
                "--ca asks stations for certificates, which takes --cert and --key too"
            )
        return None
    return _generous(
        server_context(certificates=[(options.cert, options.key)], client_ca=options.ca)
    )


def _dialling(options: RecordOptions) -> ssl.SSLContext:
    """Our context towards the CSMS."""
    if (options.upstream_cert is None) != (options.upstream_key is None):
        raise UsageError(
            "a certificate and its key belong together; give both --upstream-cert and --upstream-key"
        )
    return _generous(
        client_context(
            ca=options.upstream_ca, certificate=options.upstream_cert, key=options.upstream_key
        )
    )


def _generous(context: ssl.SSLContext) -> ssl.SSLContext:
    """With every suite of OpenSSL's choice besides OCPP's: who is only listened to is not judged by them."""
    context.set_ciphers(":".join(("DEFAULT", *OCPP_SUITES)))
    return context


async def _until_told(
    proxy: Proxy, recorder: Recorder, options: RecordOptions, target: Upstream
) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(
            NotImplementedError, ValueError
        ):  # not everywhere, and only in the main thread
            loop.add_signal_handler(number, told.set)
    await proxy.start()
    way = "wss" if target.tls is not None else "ws"
    recorder.say(
        "ready",
        f"listening on {proxy.url}, passing on to {way}://{target.authority}{target.path},"
        f" recording into {options.folder}",
    )
    ticking = asyncio.create_task(_tick(recorder))
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(options.max_time_s):
                await told.wait()
    finally:
        ticking.cancel()
        await proxy.aclose()


async def _tick(recorder: Recorder) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        for talk in list(recorder.talks):
            talk.waited()
