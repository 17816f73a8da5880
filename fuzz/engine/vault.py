"""Keeps the way back in: new passwords and identities are safe on the disk before the target hears them.

Knows slots, the shape of SetVariables and the seams of a door that learns credentials. Must not know where the disk
is, how a listener works, or why a case is played. Secrets live here and on the wire; everything above sees slots.
"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from fuzz.engine.cases import compact
from fuzz.engine.effects import CREDENTIAL_VARIABLES, names_credentials, tells_credentials
from fuzz.engine.executor import Executor
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import (
    Ask,
    Case,
    Deafening,
    Disconnect,
    Door,
    Expect,
    Gauge,
    Handshake,
    HostileDoor,
    Link,
    Recorder,
    SendText,
    Settle,
    Side,
    Step,
    Tape,
    TapingDoor,
    Wait,
)
from strategies.labels import JsonObject, JsonValue, spell

PASSWORD, IDENTITY = "basicauthpassword", "identity"
OLD_PASSWORD = "{secret.password.old}"
"""The slot of the configured password."""

_SLOT = re.compile(r"\{secret\.password(?:\.(old|\d{1,4}))?\}")
_ORDINARY = re.compile(r"[A-Za-z0-9]{8,9999}")
_USUAL_LENGTH = 20
SHORTEST_SECRET = 8
"""Shorter values are no passwords (A01 wants 16 and more), and hiding them would spoil the words around them."""

_SILENT = (Settle, Expect, Wait, Gauge, Disconnect)
"""Steps that say nothing."""

_LETTERS = string.ascii_letters + string.digits
_CHANGED = frozenset({"Accepted", "RebootRequired"})


@runtime_checkable
class Gate(Protocol):
    """A door that can be told further credentials to let in."""

    def learn(self, *, passwords: Sequence[str], identities: Sequence[str]) -> None:
        """Let these in as well as the ones that were configured; empty ones take that back."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the target may have been told beyond its configured credentials."""

    passwords: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """For the disk."""
        stored = {"passwords": self.passwords, "identities": self.identities}
        return json.dumps(stored, indent=2).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Credentials:
        """The inverse of `to_bytes`. Raises `ValueError` for anything else."""
        stored = json.loads(data)
        if not isinstance(stored, dict):
            raise ValueError("not an object")
        return cls(_strings(stored.get("passwords")), _strings(stored.get("identities")))


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError("not a list of strings")
    return tuple(value)


@dataclass(slots=True)
class Vault:
    """The credentials of one target, old and new.

    `save` must not return before its bytes are on the disk for good, readable by nobody else; `drop` removes them.
    `old` is the configured password, None when it is not known; `identity` the configured identity. `proves` tells
    whether the door asks for the password at all (security profiles 1 and 2), so that coming back proves it.
    `passed` counts the messages with a secret that went over the wire so far, either way.
    """

    gate: Gate
    save: Callable[[bytes], None]
    drop: Callable[[], None]
    old: str | None
    identity: str
    proves: bool = True
    known: Credentials = field(default_factory=Credentials)
    passed: int = 0
    _made: dict[str, str] = field(default_factory=dict)
    _recalled: tuple[str, ...] = ()
    _touched: set[str] = field(default_factory=set)

    def recall(self, data: bytes) -> None:
        """Let in what an earlier campaign may have left behind on the target. Raises `ValueError`."""
        self.known = Credentials.from_bytes(data)
        self._recalled = self.known.passwords
        self._touched |= {PASSWORD} if self.known.passwords else set()
        self._touched |= {IDENTITY} if self.known.identities else set()
        self._tell_gate()

    # --- before a case ------------------------------------------------------------------------------------

    def refuses(self, case: Case) -> str:
        """Why a case that names credentials may not be played, "" when it may."""
        if self.old is None or not self.identity:
            return "would change credentials that are not known here, and could not set them back"
        for text in _texts(case):
            if text is None or any(not isinstance(v, str) for _, v in credentials_in(text)):
                return (
                    "would change credentials in a way that cannot be read, and so not be followed"
                )
        return ""

    def sealed(self, case: Case) -> Case:
        """The case with slots for its new passwords, so that neither disk nor report ever holds one."""
        if not names_credentials(case):
            return case
        return replace(
            case,
            steps=tuple(map(self._seal, case.steps)),
            control=tuple(map(self._seal, case.control)),
        )

    def _seal(self, step: Step) -> Step:
        if not isinstance(step, SendText | Ask):
            return step
        text = spell(step.text)
        for kind, value in credentials_in(text):
            if kind == PASSWORD and isinstance(value, str) and _ORDINARY.fullmatch(value):
                text = text.replace(json.dumps(value), f'"{{secret.password.{len(value)}}}"')
        return replace(step, text=compact(text))

    # --- on the wire --------------------------------------------------------------------------------------

    def outgoing(self, text: str) -> str:
        """The text with its secrets filled in; new credentials are on the disk and known at the door by now."""
        filled = _SLOT.sub(lambda m: json.dumps(self._secret(m.group(1)))[1:-1], text)
        if tells_credentials(filled):
            self._learn(credentials_in(filled))
        self.passed += filled != text
        return filled

    def incoming(self, text: str) -> str:
        """The text with all secrets hidden behind their slots again."""
        for name, value in self._hidden():
            text = text.replace(value, name).replace(json.dumps(value)[1:-1], name)
        return text

    def incoming_bytes(self, data: bytes) -> bytes:
        """The same for a binary message."""
        for name, value in self._hidden():
            data = data.replace(value.encode("utf-8", "surrogatepass"), name.encode())
        return data

    def shown(self, number: int | None) -> str:
        """What stands in transcripts for the password of this number (`Handshake.password`); "" when nothing may."""
        if number is None:
            return ""
        if number == 0:
            return OLD_PASSWORD
        given = self.known.passwords[number - 1 : number]
        return "".join("" if p in self._recalled else self.incoming(p) for p in given)

    def _secret(self, which: str | None) -> str:
        if which == "old":
            return self.old or ""
        length = int(which) if which else _USUAL_LENGTH
        name = f"{{secret.password.{length}}}"
        if name not in self._made:
            self._made[name] = "".join(secrets.choice(_LETTERS) for _ in range(length))
        return self._made[name]

    def _hidden(self) -> Iterator[tuple[str, str]]:
        named = [*self._made.items()]
        if self.old:
            named.append((OLD_PASSWORD, self.old))
        for name, value in sorted(named, key=lambda item: -len(item[1])):
            if len(value) >= SHORTEST_SECRET:
                yield name, value

    def _learn(self, found: Sequence[tuple[str, JsonValue]]) -> None:
        texts = [(kind, v if isinstance(v, str) else json.dumps(v)) for kind, v in found]
        self._touched |= {kind for kind, _ in texts}
        passwords = _joined(self.known.passwords, texts, PASSWORD, self.old)
        identities = _joined(self.known.identities, texts, IDENTITY, self.identity)
        learned = Credentials(passwords, identities)
        if learned != self.known:
            # Design 2.7: first the disk, then the door, then the wire.
            self.save(learned.to_bytes())
            self.known = learned
            self._tell_gate()

    def _tell_gate(self) -> None:
        self.gate.learn(passwords=self.known.passwords, identities=self.known.identities)

    # --- afterwards ---------------------------------------------------------------------------------------

    def claim(self, changed: dict[str, JsonObject]) -> None:
        """Take credentials out of what others would put back: they are set back here, at the end."""
        for key in [k for k, item in changed.items() if _name_of(item) in CREDENTIAL_VARIABLES]:
            del changed[key]

    async def put_back(self, executor: Executor) -> list[str]:
        """Set the configured credentials again and let nothing else in; what could not be set back, in words.

        Where the door asks for them, the proof is that the target comes back while nothing else is let in.
        """
        if not self._touched:
            return []
        try:
            told = [await self._set_back(executor, kind) for kind in sorted(self._touched)]
            await executor.hang_up()
            self.gate.learn(passwords=(), identities=())
            await executor.connect()
            if await executor.probe() and (self.proves or all(told)):
                self.drop()
                self._touched.clear()
                return []
        except TargetUnavailable:
            pass
        self._tell_gate()
        return ["credentials (BasicAuthPassword or Identity); the ones tried lie in private/"]

    async def _set_back(self, executor: Executor, kind: str) -> bool:
        variable, value = ("Identity", self.identity)
        if kind == PASSWORD:
            variable, value = "BasicAuthPassword", OLD_PASSWORD
        item: JsonObject = {
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": variable},
            "attributeValue": value,
        }
        answer = await executor.proper_call("SetVariables", {"setVariableData": [item]})
        payload = answer.payload if answer is not None else None
        results = payload.get("setVariableResult") if isinstance(payload, dict) else None
        first = results[0] if isinstance(results, list) and results else None
        return isinstance(first, dict) and first.get("attributeStatus") in _CHANGED


def _joined(
    known: tuple[str, ...], found: Sequence[tuple[str, str]], kind: str, configured: str | None
) -> tuple[str, ...]:
    new = [v for k, v in found if k == kind and v != configured]
    return tuple(dict.fromkeys((*known, *new)))


def _name_of(item: JsonObject) -> str:
    variable = item.get("variable")
    name = variable.get("name") if isinstance(variable, dict) else None
    return name.strip().lower() if isinstance(name, str) else ""


# --- what a text would set --------------------------------------------------------------------------------


class _Members(list[tuple[str, object]]):
    """A JSON object as its members in order, so that a repeated name hides nothing."""


def credentials_in(text: str) -> list[tuple[str, JsonValue]]:
    """The credential variables that a message would set, each with its value, however oddly it is nested.

    Raises nothing: what is not JSON has none to be read, see `readable`.
    """
    try:
        whole = json.loads(text, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return []
    return list(_settings(whole))


def readable(text: str) -> bool:
    """True when a text is JSON, so that `credentials_in` sees all that it could set."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _settings(value: object) -> Iterator[tuple[str, JsonValue]]:
    pending = [value]
    while pending:
        now = pending.pop()
        if isinstance(now, _Members):
            pending.extend(v for _, v in now)
            yield from _setting(now)
        elif isinstance(now, list):
            pending.extend(now)


def _setting(item: _Members) -> Iterator[tuple[str, JsonValue]]:
    values = [v for name, v in item if name == "attributeValue"]
    if not values:
        return
    named = json.dumps([v for name, v in item if name != "attributeValue"]).lower()
    for kind in sorted(CREDENTIAL_VARIABLES):
        if re.search(rf"(?<![a-z0-9_]){kind}(?![a-z0-9_])", named):
            yield from ((kind, v) for v in values)  # type: ignore[misc]


def _texts(case: Case) -> Iterator[str | None]:
    """Every text of a case that is said; None for one that cannot be read."""
    for step in (*case.steps, *case.control):
        if isinstance(step, _SILENT):
            continue
        text = spell(step.text) if isinstance(step, SendText | Ask) else None
        yield text if text is not None and readable(text) else None


# --- between the engine and the wire ----------------------------------------------------------------------


class VaultLink:
    """A link above which secrets are slots: they are filled in on the way out and hidden on the way in."""

    def __init__(self, link: Link, vault: Vault) -> None:
        self._link = link
        self._vault = vault

    @property
    def handshake(self) -> Handshake:
        """How the connection came about, and with which password."""
        made = self._link.handshake
        return replace(made, secret=self._vault.shown(made.password))

    async def send_text(self, text: str) -> None:
        """Send one text message with its secrets filled in."""
        await self._link.send_text(self._vault.outgoing(text))

    async def send_bytes(self, data: bytes, *, opcode: str) -> None:
        """Send one message of raw bytes as it is."""
        await self._link.send_bytes(data, opcode=opcode)

    async def send_raw(self, data: bytes) -> None:
        """Write bytes below the WebSocket layer as they are."""
        await self._link.send_raw(data)

    async def receive(self) -> str | bytes:
        """The next message with its secrets hidden."""
        data = await self._link.receive()
        said: str | bytes
        if isinstance(data, bytes):
            said = self._vault.incoming_bytes(data)
        else:
            said = self._vault.incoming(data)
        self._vault.passed += said != data
        return said

    def pongs(self) -> Sequence[bytes]:
        """What pongs held that no `ping` waits for."""
        return self._link.pongs()

    async def ping(self, timeout_s: float) -> bool:
        """True when a WebSocket pong came back in time."""
        return await self._link.ping(timeout_s)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close properly."""
        await self._link.close(code, reason)

    async def abort(self) -> None:
        """Cut the connection."""
        await self._link.abort()

    def deafen(self) -> None:
        """Read nothing any more. Raises `UsageError` where the link below cannot be left open."""
        if not isinstance(self._link, Deafening):
            raise UsageError("this connection cannot be left half-open")
        self._link.deafen()


class VaultRecorder:
    """The tapes of a door, as long as no secret is on them: masked or compressed, it could not be struck out there."""

    def __init__(self, recorder: Recorder | None, vault: Vault) -> None:
        self._recorder = recorder
        self._vault = vault
        self._passed = vault.passed

    def rewind(self) -> None:
        """What counts begins now."""
        self._passed = self._vault.passed
        if self._recorder is not None:
            self._recorder.rewind()

    def tapes(self) -> tuple[Tape, ...]:
        """Every connection since `rewind` on which anything was said; none once a secret was said on any of them."""
        if self._recorder is None or self._vault.passed > self._passed:
            return ()
        return self._recorder.tapes()


class VaultDoor:
    """A door whose links fill in and hide the secrets of a vault; implements `TapingDoor`."""

    def __init__(self, door: Door, vault: Vault) -> None:
        self._door = door
        self._vault = vault
        taped = door.recorder if isinstance(door, TapingDoor) else None
        self.recorder: Recorder = VaultRecorder(taped, vault)

    @property
    def side(self) -> Side:
        """Who is on the other side of the door."""
        return self._door.side

    def misbehave(self, how: str, times: int, told: Callable[[str], None] | None = None) -> None:
        """Treat the next `times` callers in this way. Raises `UsageError` for an unknown way, or where nobody calls."""
        if not isinstance(self._door, HostileDoor):
            raise UsageError("callers can be received badly only where we listen")
        self._door.misbehave(how, times, told)

    @property
    def keeping(self) -> bool:
        """True while somebody who called is received badly."""
        return isinstance(self._door, HostileDoor) and self._door.keeping

    async def open(self, timeout_s: float) -> Link:
        """The next link with the target. Raises `TargetUnavailable`."""
        return VaultLink(await self._door.open(timeout_s), self._vault)

    async def aclose(self) -> None:
        """Stop listening or dialling."""
        await self._door.aclose()
