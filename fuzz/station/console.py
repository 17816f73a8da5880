"""What an operator may type, one line an event: on standard input, or in a script file.

Knows the words and what they mean; reads no file and does nothing. In code the same things are the events themselves.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from fuzz.errors import UsageError
from fuzz.pics.answers import Pics
from fuzz.station.events import (
    ClearFault,
    CutNetwork,
    Fault,
    MaintenanceLogin,
    OperatorEvent,
    PlugIn,
    PowerCycle,
    PresentToken,
    RestoreNetwork,
    ShiftClock,
    StartPower,
    StopPower,
    Tamper,
    Unplug,
)

MAX_LINE = 1000
"""Longest line that is taken, in characters; enough for every token and user name that OCPP can carry."""

_MAX_TOKEN = 36
_MAX_USER = 100
_KINDS = (
    "Central",
    "eMAID",
    "ISO14443",
    "ISO15693",
    "KeyCode",
    "Local",
    "MacAddress",
    "NoAuthorization",
)
"""The kinds of token that OCPP 2.0.1 can carry (IdTokenEnumType)."""

_LONGEST_S = 10 * 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing happens for `seconds`; then the next line."""

    seconds: float


class Ask(StrEnum):
    """What an operator may want to be told."""

    STATUS = "status"
    HELP = "help"


Line: TypeAlias = OperatorEvent | Wait | Ask


@dataclass(frozen=True, slots=True)
class _Word:
    """One command: what follows it, how its words become a line, and what it does."""

    takes: str
    make: Callable[..., Line]
    does: str


_WORDS: Mapping[str, _Word] = {
    "plug-in": _Word(
        "EVSE [CONNECTOR]", lambda *n: PlugIn(*_numbers(n)), "plug the cable into an EV"
    ),
    "unplug": _Word(
        "EVSE [CONNECTOR]", lambda *n: Unplug(*_numbers(n)), "take the cable out of the EV"
    ),
    "present-token": _Word(
        "ID [TYPE]", lambda *words: _token(*words), "hold a token before the reader"
    ),
    "start-power": _Word(
        "EVSE", lambda *n: StartPower(*_numbers(n)), "the EV is ready to take energy"
    ),
    "stop-power": _Word("EVSE", lambda *n: StopPower(*_numbers(n)), "the EV takes no energy"),
    "fault": _Word("EVSE [CONNECTOR]", lambda *n: Fault(*_numbers(n)), "a connector has a fault"),
    "clear-fault": _Word(
        "EVSE [CONNECTOR]", lambda *n: ClearFault(*_numbers(n)), "the fault is mended"
    ),
    "cut-network": _Word("", CutNetwork, "the network is gone, without a farewell"),
    "restore-network": _Word("", RestoreNetwork, "the network is back"),
    "power-cycle": _Word("", PowerCycle, "the station loses its power and gets it back"),
    "shift-clock": _Word(
        "SECONDS", lambda s: ShiftClock(_seconds(s)), "set the clock forward, or back with a minus"
    ),
    "tamper": _Word("", Tamper, "open the housing"),
    "login": _Word(
        "USER", lambda user: MaintenanceLogin(_user(user)), "log in to the maintenance interface"
    ),
    "failed-login": _Word(
        "USER", lambda user: MaintenanceLogin(_user(user), accepted=False), "fail to log in to it"
    ),
    "wait": _Word("SECONDS", lambda s: _wait(s), "wait before the next line"),
    "status": _Word("", lambda: Ask.STATUS, "tell how the station is"),
    "help": _Word("", lambda: Ask.HELP, "tell these words"),
}

HELP: Sequence[str] = tuple(
    f"{f'{name} {word.takes}'.rstrip():27} {word.does}" for name, word in _WORDS.items()
)
"""Every word, what follows it, and what it does: one line each."""


def parse(line: str) -> Line | None:
    """What one line asks for, None for a blank one or a comment. Raises UsageError, one line, for any other."""
    if len(line) > MAX_LINE:
        raise UsageError(f"a line of {len(line)} characters is too long; at most {MAX_LINE}")
    words = line.split()
    if not words or words[0].startswith("#"):
        return None
    name, *arguments = words
    if name not in _WORDS:
        raise UsageError(f"unknown word {name!r}; {_nearest(name)}")
    word = _WORDS[name]
    takes = word.takes.split()
    least = sum(not take.startswith("[") for take in takes)
    if not least <= len(arguments) <= len(takes):
        raise UsageError(f"{line.strip()!r} does not fit; write: {name} {word.takes}".rstrip())
    return word.make(*arguments)


def parse_script(text: str, name: str, pics: Pics) -> list[Line]:
    """Every line of a script called `name` for a station of `pics`. Raises UsageError naming the line that does not fit."""
    lines: list[Line] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found = parse(line)
            if found is not None:
                check(found, pics)
        except UsageError as error:
            raise UsageError(f"{name} line {number}: {error}") from None
        if found is not None:
            lines.append(found)
    return lines


def check(line: Line, pics: Pics) -> None:
    """The EVSE and the connector of `line` exist on a station of `pics`. Raises UsageError for others."""
    evse = getattr(line, "evse", None)
    if evse is None:
        return
    if evse not in pics.evses:
        known = ", ".join(str(number) for number in pics.evses)
        raise UsageError(f"no EVSE {evse}; this station has EVSE {known}")
    connectors = pics.connectors[evse - 1]
    connector = getattr(line, "connector", 1)
    if not 1 <= connector <= connectors:
        raise UsageError(f"no connector {connector}; EVSE {evse} has {connectors}")


def told(event: OperatorEvent) -> str:
    """One calm line about what was done."""
    match event:
        case PlugIn(evse) | Unplug(evse):
            does = "plugged in" if isinstance(event, PlugIn) else "unplugged"
            return f"EVSE {evse}: {does}"
        case StartPower(evse) | StopPower(evse):
            does = "is ready to take energy" if isinstance(event, StartPower) else "takes no energy"
            return f"EVSE {evse}: the EV {does}"
        case Fault(evse) | ClearFault(evse):
            does = "has a fault" if isinstance(event, Fault) else "has no fault any more"
            return f"EVSE {evse}: {does}"
        case PresentToken(token, kind):
            return f"token {token} ({kind}) presented"
        case ShiftClock(seconds):
            return f"clock shifted by {seconds:g} s"
        case MaintenanceLogin(user, accepted):
            return f"{user} {'logged in' if accepted else 'failed to log in'}"
        case _:
            return _TOLD[type(event)]


_TOLD: Mapping[type[OperatorEvent], str] = {
    CutNetwork: "network cut",
    RestoreNetwork: "network restored",
    PowerCycle: "power lost and back",
    Tamper: "housing opened",
}


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name[:40], _WORDS, 1)
    return f"did you mean {near[0]!r}?" if near else "'help' tells the known ones"


def _numbers(words: Sequence[str]) -> list[int]:
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) <= 4):
            raise UsageError(f"{word!r} is no number of an EVSE or connector; write such as 1")
    return [int(word) for word in words]


def _token(token: str, kind: str = "ISO14443") -> PresentToken:
    if len(token) > _MAX_TOKEN or not (token.isascii() and token.isprintable()):
        raise UsageError(f"{token!r} is no token; write at most {_MAX_TOKEN} plain characters")
    if kind not in _KINDS:
        raise UsageError(f"{kind!r} is no type of token; known: {', '.join(_KINDS)}")
    return PresentToken(token, kind)


def _user(user: str) -> str:
    if len(user) > _MAX_USER:
        raise UsageError(f"a user of {len(user)} characters is too long; at most {_MAX_USER}")
    return user


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = math.nan
    if not abs(seconds) <= _LONGEST_S:  # also not a number
        raise UsageError(f"{word!r} is no number of seconds; write such as 30")
    return seconds


def _wait(word: str) -> Wait:
    seconds = _seconds(word)
    if seconds < 0:
        raise UsageError(f"cannot wait {word} seconds; write such as 30")
    return Wait(seconds)
