"""With what a target comes back: the password, the identity and the address that were agreed last (A01, B09, B10).

Knows what was asked for, what was answered, and what the transcript tells of each connection. Must not know violations:
`recovery` makes them of what is wrong here. What was not seen in the same play is unknown, and nothing unknown is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from fuzz.ocppj.history import Deed, Happening, History, arrived
from fuzz.ocppj.variables import items_of, named, number_of, text_of
from strategies.labels import JsonValue


@dataclass(frozen=True, slots=True)
class Wrong:
    """One connection that was not made as it was agreed; a `minor` one lets nobody in."""

    symptom: str
    text: str
    clause: str
    minor: bool = False


def wrong_returns(seen: History) -> Iterator[Wrong]:
    """Every connection that was made with something else than what was agreed before it."""
    kept, address = (Kept(PASSWORD), Kept(IDENTITY)), Address()
    for h in seen:
        for one in kept:
            yield from one.saw(h, seen.partner(h))
        yield from address.saw(h, seen.partner(h))


# --- the password and the identity ---------------------------------------------------------------------------


_COMPONENT = "securityctrlr"
_ANY_LENGTH = "{secret.password}"
"""A slot that is told with its length once it was filled."""
_OF_LENGTH = re.compile(r"\{secret\.password\.(\d{1,4})\}")
_SHORTEST, _LONGEST = 16, 64
"""Characters of a password; of more than 40, up to 64, editions think differently."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A variable of SecurityCtrlr that a connection shows; `shown` reads it off what is told of one, "" if it cannot."""

    variable: str
    words: str
    clause: str
    shown: Callable[[str], str]


def _identity(text: str) -> str:
    # The identity is an identifierString: the same in either case of letters (Part 2 section 2.1.1).
    return unquote(arrived(text)[0].partition("?")[0].rpartition("/")[2]).casefold()


PASSWORD = Credential("basicauthpassword", "password", "A01", lambda text: arrived(text)[1])
IDENTITY = Credential("identity", "identity", "B06", _identity)


@dataclass(slots=True)
class Kept:
    """One credential over a play: what holds now, whether it was asked for or only seen, and what was refused since.

    `_soon` is what was answered RebootRequired: it holds from some connection on, or the next reboot.
    """

    what: Credential
    _now: str = ""
    _soon: str = ""
    _asked: bool = False
    _refused: set[str] = field(default_factory=set)

    def saw(self, h: Happening, partner: Happening | None) -> Iterator[Wrong]:
        """Take note of what happened; tell a connection that was made with something else."""
        if h.deed is Deed.OPENED:
            yield from self._opened(self.what.shown(h.text))
        elif h.deed is Deed.ASKED and h.action == "SetVariables":
            if self._values(h.payload) and partner is None:
                # Nobody knows what became of it.
                self._forget()
        elif h.deed is Deed.TOLD and h.action == "SetVariables" and partner is not None:
            asked = self._values(partner.payload)
            self._told(asked, h)
            yield from self._length(asked, h)

    def _forget(self) -> None:
        self._now, self._soon, self._asked = "", "", False
        self._refused.clear()

    def _values(self, payload: JsonValue) -> list[str]:
        items = items_of(payload, "setVariableData")
        return [self._as_shown(text_of(i, "attributeValue")) for i in items if self._means(i)]

    def _as_shown(self, value: str) -> str:
        return value.casefold() if self.what is IDENTITY else value

    def _means(self, item: JsonValue) -> bool:
        names = named(item)
        component, variable = names["component"], names["variable"]
        same = text_of(variable, "name").lower() == self.what.variable
        return same and text_of(component, "name").lower() == _COMPONENT

    def _told(self, asked: list[str], answer: Happening) -> None:
        if not asked:
            return
        results = [r for r in items_of(answer.payload, "setVariableResult") if self._means(r)]
        status = text_of(results[0], "attributeStatus") if len(results) == 1 else ""
        if len(asked) > 1 or not (status or answer.error_code) or _ANY_LENGTH in asked[0]:
            self._forget()
        elif status == "RebootRequired":
            self._soon = asked[0]
            self._refused.discard(asked[0])
        elif status == "Accepted":
            self._now, self._soon, self._asked = asked[0], "", True
            self._refused.discard(asked[0])
        elif asked[0] not in (self._now, self._soon):
            self._refused.add(asked[0])

    def _length(self, asked: list[str], answer: Happening) -> Iterator[Wrong]:
        """A password of a length that no edition allows, and that was taken; which one it was, only our own slots tell."""
        found = _OF_LENGTH.fullmatch(asked[0]) if len(asked) == 1 else None
        results = [r for r in items_of(answer.payload, "setVariableResult") if self._means(r)]
        taken = [text_of(r, "attributeStatus") in ("Accepted", "RebootRequired") for r in results]
        if self.what is not PASSWORD or found is None or taken != [True]:
            return
        if not _SHORTEST <= int(found[1]) <= _LONGEST:
            size = "short" if int(found[1]) < _SHORTEST else "long"
            text = f"it accepted a password of {found[1]} characters; {_SHORTEST} to 40 are right"
            yield Wrong(f"a password that is too {size}", text, "A00.FR.205, A01")

    def _opened(self, shown: str) -> Iterator[Wrong]:
        words = self.what.words
        if not shown:
            return
        agreed = [one for one in (self._now, self._soon) if one]
        if agreed and shown not in agreed:
            if shown in self._refused:
                text = f"it came back with a new {words} that it had refused"
                yield Wrong(f"a refused {words}", text, self.what.clause)
            elif self._asked and not self._soon and self.what is PASSWORD:
                # Whether an identity counts at once or after a reboot is the station's choice.
                text = f"it accepted a new {words}, and came back with another one"
                yield Wrong(f"not the new {words}", text, self.what.clause)
        self._now, self._asked = shown, False


# --- the address ---------------------------------------------------------------------------------------------

_ACTIVE = "activenetworkprofile"


@dataclass(slots=True)
class Address:
    """Which path is dialled, compared with that of the slot that the station says it uses (ActiveNetworkProfile).

    A slot that was set counts once the station has booted on a later connection. Of a slot that nobody set, the path is
    what was dialled when the station said that it used it. Where a path ends is not compared strictly: a station may put
    its identity behind the URL, or have it in there.
    """

    _path: str = ""
    _fresh: dict[int, str] = field(default_factory=dict)
    """What was set since the last connection began."""
    _dialled: dict[int, str] = field(default_factory=dict)
    """What was set before the last connection began, and no boot was seen since."""
    _known: dict[int, str] = field(default_factory=dict)

    def saw(self, h: Happening, partner: Happening | None) -> Iterator[Wrong]:
        """Take note of what happened; tell a connection to elsewhere."""
        if h.deed is Deed.OPENED:
            self._path = arrived(h.text)[0]
            self._dialled |= self._fresh
            self._fresh = {}
        elif h.deed is Deed.CALLED and h.action == "BootNotification":
            if text_of(h.payload, "reason") != "Triggered":
                self._known |= self._dialled
                self._dialled = {}
        elif h.deed is Deed.ASKED and h.action == "SetNetworkProfile":
            self._set(h.payload, partner)
        elif h.deed is Deed.TOLD and h.action == "GetVariables":
            for item in items_of(h.payload, "getVariableResult"):
                yield from self._read(item)

    def _set(self, payload: JsonValue, answer: Happening | None) -> None:
        slot = number_of(payload, "configurationSlot")
        if slot is None:
            return
        for paths in (self._fresh, self._dialled, self._known):
            paths.pop(slot, None)
        data = payload.get("connectionData") if isinstance(payload, dict) else None
        path = _path_of(text_of(data, "ocppCsmsUrl"))
        if answer is not None and text_of(answer.payload, "status") == "Accepted" and path:
            self._fresh[slot] = path

    def _read(self, item: JsonValue) -> Iterator[Wrong]:
        variable = item.get("variable") if isinstance(item, dict) else None
        value = text_of(item, "attributeValue")
        if text_of(variable, "name").lower() != _ACTIVE or not self._path:
            return
        if not value.isdecimal() or len(value) > 9 or text_of(item, "attributeType") not in _ACTUAL:
            return
        slot = int(value)
        if slot in self._fresh or slot in self._dialled:
            return
        if slot not in self._known:
            # Set before this play, or from outside.
            self._known[slot] = self._path.rpartition("/")[0]
        elif not _leads_to(self._known[slot], self._path):
            text = f"it says that it uses network profile {slot}, and dials another address than that one's"
            yield Wrong("another address", text, "B09; B10")


_ACTUAL = ("", "Actual")


def _path_of(url: str) -> str:
    """The path of a URL that can be compared; "" for anything else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    odd = parts.query or parts.fragment or "%" in parts.path
    return "" if odd or parts.scheme not in ("ws", "wss") else parts.path.rstrip("/") or "/"


def _leads_to(known: str, path: str) -> bool:
    asked, known = path.partition("?")[0].rstrip("/"), known.rstrip("/")
    return known in (asked, asked.rpartition("/")[0].rstrip("/"))
