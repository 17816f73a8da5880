"""What happened in one play, in order and paired: who asked what, who answered, who hung up, what a person did.

Knows transcripts and OCPP-J shapes. Must not know what any of it means: models and oracles do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fuzz.ocppj.lenient import hear
from fuzz.records import Entry, FrameKind, Heard, Who
from strategies.labels import JsonValue

_NEW_CONNECTION, _TO, _WITH = "a new connection", " to ", " with the password "


def arrival(path: str, secret: str) -> str:
    """How transcripts tell that the target came back: to which path, and with what stands for the password; "" if unknown."""
    to = f"{_TO}{path}" if path else ""
    return f"{_NEW_CONNECTION}{to}" + (f"{_WITH}{secret}" if secret else "")


def arrived(text: str) -> tuple[str, str]:
    """The path and the password that `arrival` told."""
    rest, _, secret = text.removeprefix(_NEW_CONNECTION).partition(_WITH)
    return rest.removeprefix(_TO), secret


class Deed(StrEnum):
    """What was done."""

    ASKED = "asked"
    """We made a CALL."""
    TOLD = "told"
    """The target answered one of ours."""
    CALLED = "called"
    """The target made a CALL."""
    ANSWERED = "answered"
    """We answered one of the target's."""
    OPENED = "opened"
    CLOSED = "closed"
    OPERATED = "operated"
    """A person, or whoever stands for one, did something at the target."""
    ENDED = "ended"
    """The target's process ended."""
    OTHER = "other"
    """Anything else: what cannot be read, and answers that belong to nothing."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened.

    `at_s` is seconds since the play began. `ours` tells whose message it is, `case` whether the case itself said it
    rather than the proper voice. `partner` is the index of the answer to a CALL, or of the CALL that an answer
    belongs to; -1 when there is none. `text` is the whole message, the operator's words, or how a connection ended.
    """

    at_s: float
    deed: Deed
    ours: bool = False
    case: bool = False
    action: str = ""
    payload: JsonValue = None
    message_id: str = ""
    error_code: str = ""
    text: str = ""
    partner: int = -1


@dataclass(frozen=True, slots=True)
class History:
    """Everything that happened in one play, in its order."""

    happenings: tuple[Happening, ...]

    def __iter__(self) -> Iterator[Happening]:
        """One after the other."""
        return iter(self.happenings)

    def __len__(self) -> int:
        """How many."""
        return len(self.happenings)

    def asked(self, action: str = "") -> Iterator[tuple[Happening, Happening | None]]:
        """Our CALLs of an action, of all when it is empty, each with its answer."""
        return self._pairs(Deed.ASKED, action)

    def called(self, action: str = "") -> Iterator[tuple[Happening, Happening | None]]:
        """The target's CALLs of an action, of all when it is empty, each with our answer."""
        return self._pairs(Deed.CALLED, action)

    def operated(self, event: str = "") -> Iterator[Happening]:
        """What was done at the target: `event` is its first word, all when it is empty."""
        return (
            h
            for h in self
            if h.deed is Deed.OPERATED and (not event or h.text.split()[:1] == [event])
        )

    def partner(self, happening: Happening) -> Happening | None:
        """The answer to a CALL, or the CALL that an answer belongs to."""
        return self.happenings[happening.partner] if happening.partner >= 0 else None

    def _pairs(self, deed: Deed, action: str) -> Iterator[tuple[Happening, Happening | None]]:
        for h in self:
            if h.deed is deed and (not action or h.action == action):
                yield h, self.partner(h)


_last: tuple[Sequence[Entry], History] | None = None


def history(entries: Sequence[Entry]) -> History:
    """The history that a transcript tells; what cannot be read of it is kept as it is.

    The last one is kept, because many ask for it one after the other. A transcript only grows, by one happening an entry,
    so that its length tells whether there is more to read.
    """
    global _last
    if _last is None or _last[0] is not entries or len(_last[1]) != len(entries):
        _last = (entries, _read(entries))
    return _last[1]


def _read(entries: Sequence[Entry]) -> History:
    found: list[Happening] = []
    waiting: dict[tuple[bool, str], int] = {}
    for entry in entries:
        made = _READERS.get(entry.kind, _other)(entry)
        key = (made.ours, made.message_id)
        if made.deed in (Deed.ASKED, Deed.CALLED):
            waiting[key] = len(found)
        elif made.deed in (Deed.TOLD, Deed.ANSWERED):
            made = _paired(made, found, waiting)
        found.append(made)
    return History(tuple(found))


def _paired(
    answer: Happening, found: list[Happening], waiting: dict[tuple[bool, str], int]
) -> Happening:
    """The answer with the CALL that it belongs to: the first answer to an id is the answer."""
    at = waiting.pop((not answer.ours, answer.message_id), -1)
    if at < 0:
        return replace(answer, deed=Deed.OTHER)
    found[at] = replace(found[at], partner=len(found))
    return replace(answer, partner=at, action=found[at].action)


def _message(entry: Entry) -> Happening:
    heard, ours = hear(entry.text, entry.at_s), entry.who is not Who.TARGET
    made = Happening(
        entry.at_s,
        _deed(heard, ours=ours),
        ours=ours,
        case=entry.who is Who.US,
        action=heard.action if isinstance(heard.action, str) else "",
        payload=heard.payload,
        message_id=heard.message_id if isinstance(heard.message_id, str) else "",
        error_code=heard.error_code if isinstance(heard.error_code, str) else "",
        text=entry.text,
    )
    return made if made.message_id else replace(made, deed=Deed.OTHER)


def _deed(heard: Heard, *, ours: bool) -> Deed:
    match heard.kind:
        case FrameKind.CALL:
            return Deed.ASKED if ours else Deed.CALLED
        case FrameKind.CALLRESULT | FrameKind.CALLERROR:
            return Deed.ANSWERED if ours else Deed.TOLD
        case _:
            return Deed.OTHER


def _plain(deed: Deed) -> Callable[[Entry], Happening]:
    def read(entry: Entry) -> Happening:
        ours = entry.who is not Who.TARGET
        return Happening(entry.at_s, deed, ours=ours, case=entry.who is Who.US, text=entry.text)

    return read


_other = _plain(Deed.OTHER)
_READERS: dict[str, Callable[[Entry], Happening]] = {
    "text": _message,
    "open": _plain(Deed.OPENED),
    "close": _plain(Deed.CLOSED),
    "operator": _plain(Deed.OPERATED),
    "process": _plain(Deed.ENDED),
}
