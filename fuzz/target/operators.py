"""Who does things at a target that the wire cannot do: a command, an HTTP hook, a class of the user's, or a person.

Knows how to ask them and how they say no. Must not know what the words mean: `plug-in 1`, `present-token 04A1B2C3`,
`power-cycle` and the others are those of the reference station's console (`ocppfuzz serve station`, then `help`).
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import shlex
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from fuzz.errors import UsageError
from fuzz.records import Ability, Figures, ProcessEnd, Target

HOOK_TIMEOUT_S = 60.0
RESCUE_TIMEOUT_S = 300.0
MAX_WORDS = 500

PERSON = "person"
FORMS = "cmd:COMMAND, http://HOST/PATH, class:MODULE:NAME or person"


class Hand(Protocol):
    """Somebody who does things at a target."""

    async def do(self, event: str, argument: str) -> bool:
        """Have it done; False when it cannot be. Never raises for what the other side does."""
        ...


@dataclass(frozen=True, slots=True)
class CommandHand:
    """Runs a command with the event and its argument behind it; it was done when the command ends with 0."""

    words: tuple[str, ...]

    async def do(self, event: str, argument: str) -> bool:
        """Have it done; False when the command fails, is not there or takes too long."""
        return await _ends_well((*self.words, event, *argument.split()), HOOK_TIMEOUT_S)


async def _ends_well(words: Sequence[str], timeout_s: float) -> bool:
    """True when a command ends with 0 in time; what it writes is nobody's to see."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return False
    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@dataclass(frozen=True, slots=True)
class HttpHand:
    """Posts `{"event": ..., "argument": ...}`; it was done when the answer is 2xx."""

    url: str

    async def do(self, event: str, argument: str) -> bool:
        """Have it done; False for any other answer, and for none."""
        return await asyncio.to_thread(self._post, event, argument)

    def _post(self, event: str, argument: str) -> bool:
        body = json.dumps({"event": event, "argument": argument}).encode()
        headers = {"Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self.url, body, headers, method="POST")
            with urllib.request.urlopen(request, timeout=HOOK_TIMEOUT_S) as answer:
                return 200 <= int(answer.status) < 300
        except (OSError, ValueError, urllib.error.URLError):
            return False


@dataclass(frozen=True, slots=True)
class ClassHand:
    """An object of the user's with `operate(event, argument) -> bool`, plain or a coroutine function."""

    operate: Callable[[str, str], Any]

    async def do(self, event: str, argument: str) -> bool:
        """Have it done; False when it says so. An exception of the user's class is the user's to see."""
        done = self.operate(event, argument)
        return bool(await done if inspect.isawaitable(done) else done)


@dataclass(slots=True)
class PersonHand:
    """Asks a person, several things at once where they follow each other; `unattended` asks nobody.

    `say` shows one line, `hear` waits for one and gives it back, "" for just Enter.
    """

    say: Callable[[str], None]
    hear: Callable[[], str]
    unattended: bool = False
    _agreed: list[str] = field(default_factory=list)
    _gone: bool = False

    async def announce(self, batch: Sequence[str]) -> None:
        """Ask for several things together; what is agreed to is not asked for again."""
        self._agreed = list(batch) if len(batch) > 1 and await self._ask(batch) else []

    async def do(self, event: str, argument: str) -> bool:
        """Have it done; False when the person passes it over, or nobody is there."""
        words = f"{event} {argument}".strip()
        if self._agreed and self._agreed[0] == words:
            self._agreed.pop(0)
            return True
        return await self._ask([words])

    async def _ask(self, batch: Sequence[str]) -> bool:
        if self.unattended or self._gone:
            return False
        self.say("At the target, please, in this order:")
        for number, words in enumerate(batch, 1):
            self.say(f"  {number}. {_plain(words)}")
        self.say("Enter when done, s to skip, q to be asked no more:")
        try:
            answer = (await asyncio.to_thread(self.hear)).strip().lower()
        except EOFError:
            answer = "q"
        self._gone = answer == "q"
        return answer == ""


_PLAIN = {
    "plug-in": "plug the cable of EVSE {} into an EV (or its simulator)",
    "unplug": "take the cable of EVSE {} out of the EV",
    "present-token": "hold token {} before the reader",
    "start-power": "let the EV at EVSE {} take energy",
    "stop-power": "let the EV at EVSE {} take no energy",
    "fault": "provoke a fault at EVSE {}",
    "clear-fault": "mend the fault at EVSE {}",
    "cut-network": "take the station's network away",
    "restore-network": "give the station its network back",
    "power-cycle": "take the station's power away, and give it back",
    "tamper": "open the housing, and close it again",
}


def _plain(words: str) -> str:
    event, _, argument = words[:MAX_WORDS].partition(" ")
    return _PLAIN[event].format(argument) if event in _PLAIN else words[:MAX_WORDS]


def hand(
    how: str, *, say: Callable[[str], None], hear: Callable[[], str], unattended: bool = False
) -> Hand:
    """Who is meant by `--operator`. Raises `UsageError` with the forms that there are."""
    kind, _, rest = how.partition(":")
    if how == PERSON:
        return PersonHand(say, hear, unattended)
    if _is_url(how):
        return HttpHand(how)
    if kind == "cmd" and rest.strip():
        return CommandHand(_words("--operator", rest))
    if kind == "class" and ":" in rest:
        return ClassHand(_operate(rest))
    raise UsageError(f"--operator {how!r} is none of {FORMS}")


def rescue(how: str, identity: str) -> Callable[[], Awaitable[bool]]:
    """What `--on-stuck` asks for, true when it ended well: a command as it stands, or a POST with the event `stuck`.

    Raises `UsageError` for a command that cannot be read.
    """
    if _is_url(how):
        return partial(HttpHand(how).do, "stuck", identity)
    return partial(_ends_well, _words("--on-stuck", how), RESCUE_TIMEOUT_S)


def _is_url(how: str) -> bool:
    return how.startswith(("http://", "https://"))


def _words(option: str, command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"{option} {command!r} cannot be split into words: {error}") from None
    if not words:
        raise UsageError(f"{option} is empty; give a command or leave it out")
    return words


def _operate(where: str) -> Callable[[str, str], Any]:
    module, _, name = where.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)()
        operate = made.operate
    except (ImportError, AttributeError, TypeError) as error:
        raise UsageError(f"--operator class:{where}: {error}") from None
    if not callable(operate):
        raise UsageError(f"--operator class:{where}: its `operate` cannot be called")
    return operate  # type: ignore[no-any-return]


class Operated:
    """A target with somebody beside it; everything else is as it was."""

    def __init__(self, target: Target, by: Hand) -> None:
        self._target = target
        self._by = by

    @property
    def name(self) -> str:
        """For people."""
        return self._target.name

    @property
    def owned(self) -> bool:
        """True when we started it."""
        return self._target.owned

    @property
    def abilities(self) -> frozenset[Ability]:
        """Those of the target, and an operator unless nobody is to be asked."""
        absent = isinstance(self._by, PersonHand) and self._by.unattended
        return self._target.abilities | (frozenset() if absent else {Ability.OPERATOR})

    async def start(self) -> None:
        """Start or restart it. Raises `TargetUnavailable`."""
        await self._target.start()

    async def stop(self) -> None:
        """Stop it gently, then firmly."""
        await self._target.stop()

    async def kill(self) -> None:
        """Stop it at once, as a power cut would."""
        await self._target.kill()

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        """How its process ended, None while it runs or when it cannot be known."""
        return await self._target.ended(timeout_s)

    async def announce(self, batch: Sequence[str]) -> None:
        """Tell whoever it is what comes next, all together."""
        if isinstance(self._by, PersonHand):
            await self._by.announce(batch)

    async def operator(self, event: str, argument: str = "") -> bool:
        """Have something done at the target; False when it cannot be."""
        return await self._by.do(event, argument)

    def memory(self) -> int | None:
        """Resident bytes, None when not known."""
        return self._target.memory()

    def figures(self) -> Figures | None:
        """What its process uses now, None when not known."""
        return self._target.figures()

    def log_lines(self) -> Sequence[str]:
        """The last lines that it wrote, newest last."""
        return self._target.log_lines()

    def log_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """How many lines it wrote so far, and those after the first `mark` that are still kept."""
        return self._target.log_since(mark)
