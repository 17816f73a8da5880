"""What an operator of the CSMS may type, one line an event.

Knows the words and what they mean; reads no file and does nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fuzz.csms.events import (
    BootStatus,
    OperatorEvent,
    Restore,
    Revoke,
    SetBootStatus,
    TellEvents,
    TellStations,
    Trigger,
)
from fuzz.errors import UsageError

MAX_LINE = 1000
"""Longest line that is taken, in characters."""

MESSAGES = (
    "BootNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "PublishFirmwareStatusNotification",
    "SignChargingStationCertificate",
    "SignCombinedCertificate",
    "SignV2GCertificate",
    "StatusNotification",
    "TransactionEvent",
)
"""What a station can be asked for (MessageTriggerEnumType)."""


@dataclass(frozen=True, slots=True)
class _Word:
    """One command: what follows it, how its words become an event, and what it does."""

    takes: str
    make: Callable[..., OperatorEvent]
    does: str


_WORDS: Mapping[str, _Word] = {
    "revoke": _Word("ID|SERIAL", Revoke, "take back a station's certificates, or the one (hex)"),
    "restore": _Word("ID|SERIAL", Restore, "accept them again"),
    "boot-status": _Word(
        "ID STATUS",
        lambda identity, status: SetBootStatus(identity, _status(status)),
        "what its next BootNotification is answered with: Accepted, Pending, Rejected",
    ),
    "trigger": _Word(
        "ID MESSAGE",
        lambda identity, message: Trigger(identity, _message(message)),
        "ask a station for a message, such as SignChargingStationCertificate",
    ),
    "events": _Word("[ID]", TellEvents, "tell the latest security events"),
    "stations": _Word("", TellStations, "tell how the stations are"),
}

HELP: Sequence[str] = tuple(
    f"{f'{name} {word.takes}'.rstrip():27} {word.does}" for name, word in _WORDS.items()
)
"""Every word, what follows it, and what it does: one line each."""


def parse(line: str) -> OperatorEvent | None:
    """What one line asks for, None for a blank one or a comment. Raises UsageError, one line, for any other."""
    if len(line) > MAX_LINE:
        raise UsageError(f"a line of {len(line)} characters is too long; at most {MAX_LINE}")
    words = line.split()
    if not words or words[0].startswith("#"):
        return None
    name, *arguments = words
    if name not in _WORDS:
        raise UsageError(f"unknown word {name[:40]!r}; {_nearest(name, _WORDS)}")
    word = _WORDS[name]
    takes = word.takes.split()
    least = sum(not take.startswith("[") for take in takes)
    if not least <= len(arguments) <= len(takes):
        raise UsageError(f"{line.strip()!r} does not fit; write: {name} {word.takes}".rstrip())
    return word.make(*arguments)


def _status(word: str) -> BootStatus:
    known = [status.value for status in BootStatus]
    if word not in known:
        raise UsageError(f"{word!r} is no boot status; known: {', '.join(known)}")
    return BootStatus(word)


def _message(word: str) -> str:
    if word not in MESSAGES:
        raise UsageError(f"{word!r} cannot be triggered; {_nearest(word, MESSAGES)}")
    return word


def _nearest(name: str, known: Sequence[str] | Mapping[str, _Word]) -> str:
    near = difflib.get_close_matches(name[:40], list(known), 1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
