#!/usr/bin/env python3
"""Plays one stored finding of ocppfuzz again, and says REPRODUCED or NOT REPRODUCED.

Nothing but the standard library of Python 3.9 or newer is needed. The stored messages are at the end of this file, as
they are sent; words in braces such as {call.id} are filled in. Attack only what you may: it sends what broke the target.

    python3 repro.py --listen 0.0.0.0:9000                  the target is a Charging Station, which dials in
    python3 repro.py wss://csms.example/ocpp/CS-1 --ca ca.pem --cert cs.pem --key cs.key     the target is a CSMS

A password is asked for, or read from OCPPFUZZ_PASSWORD or OCPP_PASSWORD; it is never stored. Exit codes: 1 reproduced, 0
not reproduced, 2 wrong usage, 3 nobody came or nothing was served.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import getpass
import hashlib
import json
import os
import re
import select
import socket
import ssl
import struct
import sys
import time
import urllib.parse
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAX_MESSAGE = 64 * 2**20
NO_FRAME = 1006
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SHAKE_S, HOLD_S, LINGER_S, SOFT_S = 10.0, 3.0, 0.3, 2.0
LONGEST_S = 7 * 86_400.0
PASSWORDS = ("OCPPFUZZ_PASSWORD", "OCPP_PASSWORD")
PROBES = 3
UNREADABLE = ("-1", "", None)
CODES = frozenset(
    [
        "FormatViolation",
        "GenericError",
        "InternalError",
        "MessageTypeNotSupported",
        "NotImplemented",
        "NotSupported",
        "OccurrenceConstraintViolation",
        "PropertyConstraintViolation",
        "ProtocolError",
        "RpcFrameworkError",
        "SecurityError",
        "TypeConstraintViolation",
    ]
)
OLD_CODES = frozenset(("FormationViolation", "OccurenceConstraintViolation"))
LEAVING = ('"Reset"', '"UpdateFirmware"')
EMPTY = frozenset(
    [
        "ClearedChargingLimit",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "StatusNotification",
    ]
)
REFUSED = {
    "DataTransfer": "UnknownVendorId",
    "GetCertificateStatus": "Failed",
    "NotifyEVChargingNeeds": "Rejected",
    "NotifyEVChargingSchedule": "Accepted",
    "SignCertificate": "Rejected",
}


def say(text: str) -> None:
    """One line for people; whatever the target wrote was made harmless by `shown` before."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def shown(text: object, limit: int = 160) -> str:
    """A string of the target without power over the reader's screen."""
    spelled = ascii(text)[1:-1] if isinstance(text, str) else ascii(text)
    return spelled if len(spelled) <= limit else spelled[:limit] + "..."


def now() -> str:
    """The present time as OCPP writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# --- WebSocket (RFC 6455) ---------------------------------------------------------------------------------


class Ended(Exception):
    """The connection is over; `code` 1006 means: without a close frame."""

    def __init__(self, code: int, *, by_target: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.by_target = by_target


class Wire:
    """One WebSocket connection. `masks` says whether we are the client, who masks (section 5.1)."""

    def __init__(self, sock: socket.socket, *, masks: bool, rest: bytes = b"") -> None:
        self.sock = sock
        self.pongs: list[bytes] = []
        self._masks = masks
        self._buffer = bytearray(rest)
        self._parts = bytearray()
        self._opcode = 0
        self._closing = False

    def text(self, text: str) -> None:
        """Send one text message; lone surrogates go out as the ill UTF-8 that they stand for."""
        self.message(text.encode("utf-8", "surrogatepass"), TEXT)

    def message(self, data: bytes, opcode: int) -> None:
        """Send one frame."""
        bit, size = (0x80 if self._masks else 0), len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, bit | size)
        elif size < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, bit | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, bit | 127, size)
        self.raw(head + (bytes(4) if self._masks else b"") + data)

    def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        try:
            self.sock.sendall(data)
        except OSError:
            # What had arrived before it went tells how it ended.
            self._drain()
            raise Ended(NO_FRAME) from None

    def _drain(self) -> None:
        try:
            while self.receive(0.2) is not None:
                pass
        except OSError:
            return

    def receive(self, seconds: float) -> tuple[int, bytes] | None:
        """The next whole message as (opcode, bytes), None when none came in time. Raises `Ended`."""
        deadline = time.monotonic() + seconds
        while True:
            frame = self._frame()
            if frame is not None:
                message = self._take(*frame)
                if message is not None:
                    return message
                continue
            left = deadline - time.monotonic()
            if left < 0:
                return None
            self._fill(left)

    def _fill(self, seconds: float) -> None:
        pending = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
        try:
            if not pending and not select.select([self.sock], [], [], seconds)[0]:
                return
            data = self.sock.recv(65536)
        except OSError:
            raise Ended(NO_FRAME) from None
        if not data or len(self._buffer) + len(self._parts) > MAX_MESSAGE:
            raise Ended(NO_FRAME, by_target=not data)
        self._buffer += data

    def _frame(self) -> tuple[int, bytes] | None:
        """A whole frame out of the buffer as (first byte, payload)."""
        have = self._buffer
        if len(have) < 2:
            return None
        size, at = have[1] & 0x7F, 2
        if size >= 126:
            at = 4 if size == 126 else 10
            if len(have) < at:
                return None
            size = int.from_bytes(have[2:at], "big")
        masked = have[1] & 0x80
        start = at + (4 if masked else 0)
        if len(have) < start + size:
            return None
        payload = bytes(have[start : start + size])
        if masked:
            payload = unmask(payload, bytes(have[at:start]))
        first = have[0]
        del have[: start + size]
        return first, payload

    def _take(self, first: int, payload: bytes) -> tuple[int, bytes] | None:
        opcode = first & 0x0F
        if opcode == PING:
            self.message(payload, PONG)
        elif opcode == PONG:
            self.pongs.append(payload)
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            ours, self._closing = self._closing, True
            if not ours:
                self.message(payload[:2], CLOSE)
            raise Ended(code, by_target=not ours)
        else:
            self._opcode = opcode or self._opcode
            self._parts += payload
            if first & 0x80:
                whole, self._parts = bytes(self._parts), bytearray()
                return self._opcode, whole
        return None

    def close(self, code: int) -> None:
        """End the connection, with a close frame unless `code` is 1006; never raises."""
        try:
            if code != NO_FRAME:
                self._closing = True
                self.message(struct.pack("!H", code), CLOSE)
                self._drain()
        except Ended:
            pass
        self.sock.close()


def unmask(data: bytes, key: bytes) -> bytes:
    """The payload under a mask (section 5.3)."""
    if not data:
        return b""
    stream = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")


def accept_of(key: str) -> str:
    """The Sec-WebSocket-Accept for a key (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(f"{key}{GUID}".encode()).digest()).decode()


def read_head(sock: socket.socket) -> tuple[str, dict[str, str], bytes]:
    """The first line, the headers in lower case, and what came behind them. Raises `OSError`."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(4096)
        if not piece or len(data) > 65536:
            raise OSError("no HTTP message")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}, rest


# --- who comes, or is called ------------------------------------------------------------------------------


def bound_to(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises `OSError`, or `ValueError` for a name that is none."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(16)
    except BaseException:
        made.close()
        raise
    return made


class Listening:
    """Waits for a Charging Station."""

    def __init__(
        self, place: str, asked: Any, subprotocol: str, handshakes: dict[str, str]
    ) -> None:
        host, _, name = place.rpartition(":")
        if not (name.isascii() and name.isdigit() and int(name) < 2**16):
            raise ValueError(f"{place!r} is no HOST:PORT")
        self._tls = None
        if asked.cert:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(asked.cert, asked.key or None)
            if asked.ca:
                self._tls.verify_mode = ssl.CERT_REQUIRED
                self._tls.load_verify_locations(asked.ca)
        self._credentials = (asked.user, asked.password) if asked.password else None
        self._subprotocol = subprotocol
        self._handshakes = handshakes
        self._badly: list[str] = []
        self.taken: list[str] = []
        self._socket = bound_to(host.strip("[]") or "127.0.0.1", int(name))
        bound = self._socket.getsockname()[1]
        say(f"listening at {'wss' if self._tls else 'ws'}://{host or '127.0.0.1'}:{bound}")

    def misbehave(self, how: str, times: int) -> None:
        """Receive the next callers with a bad opening handshake."""
        self._badly = [how] * times

    def open(self, seconds: float) -> Wire | None:
        """The next station, None when nobody came in time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                break
            caller, place = self._socket.accept()
            caller.settimeout(SHAKE_S)
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                wire = self._receive(caller)
            except OSError as error:
                say(f"{place[0]} did not get through the handshake: {shown(str(error))}")
                caller.close()
                continue
            if wire is not None:
                return wire
        return None

    def _receive(self, caller: socket.socket) -> Wire | None:
        how = self._badly.pop(0) if self._badly else ""
        if how in ("refuse-tcp", "silent", "tls-abort"):
            if how != "refuse-tcp":
                select.select([caller], [], [], HOLD_S)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.close()
            return None
        sock: socket.socket = caller
        if self._tls is not None:
            sock = self._tls.wrap_socket(caller, server_side=True)
        first, headers, rest = read_head(sock)
        if how in self._handshakes:
            self._answer_badly(sock, how, headers)
            return None
        return self._greet(sock, first, headers, rest)

    def _answer_badly(self, sock: socket.socket, how: str, headers: dict[str, str]) -> None:
        stored = base64.b64decode(self._handshakes[how])
        accept = accept_of(headers.get("sec-websocket-key", "")).encode()
        host = headers.get("host", "localhost").encode("latin-1")
        sock.sendall(stored.replace(b"{accept}", accept).replace(b"{host}", host))
        say(f"a caller was answered badly: {how}")
        if how.startswith("101-"):
            wire = Wire(sock, masks=False)
            try:
                wire.message(b"", PING)
                wire.receive(HOLD_S)
            except Ended:
                pass
            if wire.pongs:
                self.taken.append(how)
        sock.close()

    def _greet(
        self, sock: socket.socket, first: str, headers: dict[str, str], rest: bytes
    ) -> Wire | None:
        offered = [n.strip() for n in headers.get("sec-websocket-protocol", "").split(",")]
        key = headers.get("sec-websocket-key", "")
        refusal = ""
        if self._credentials is not None and not self._let_in(headers.get("authorization", "")):
            refusal = '401 Unauthorized\r\nWWW-Authenticate: Basic realm="OCPP"'
        elif not key or self._subprotocol not in offered:
            refusal = "400 Bad Request"
        if refusal:
            say(f"refused {shown(first, 80)}: {refusal[:16]}")
            sock.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            sock.close()
            return None
        lines = (
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept_of(key)}",
            f"Sec-WebSocket-Protocol: {self._subprotocol}",
        )
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        say(f"connected: {shown(first, 80)}")
        return Wire(sock, masks=False, rest=rest)

    def _let_in(self, header: str) -> bool:
        assert self._credentials is not None
        user, password = self._credentials
        try:
            given = base64.b64decode(header.partition(" ")[2]).decode("utf-8", "replace")
        except ValueError:
            return False
        name, _, secret = given.partition(":")
        return secret == password and (not user or name == user)


def checked_url(url: str) -> urllib.parse.SplitResult:
    """The parts of a URL that can be dialled. Raises `ValueError`."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("ws", "wss") or host[:1] in ("", "."):
        raise ValueError(f"{url!r} is no ws or wss URL; write such as wss://csms.example/ocpp/CS-1")
    _ = parts.port  # raises for one that is no number
    host.encode("idna")
    if not url.isascii():
        raise ValueError(f"{url!r} holds more than ASCII; write its characters as %XX")
    return parts


class Dialling:
    """Calls a CSMS."""

    taken: tuple[str, ...] = ()

    def __init__(self, url: str, asked: Any, subprotocol: str) -> None:
        self._url = checked_url(url)
        self._subprotocol = subprotocol
        self._tls = None
        if self._url.scheme == "wss":
            self._tls = ssl.create_default_context(cafile=asked.ca or None)
            if asked.cert:
                self._tls.load_cert_chain(asked.cert, asked.key or None)
        identity = urllib.parse.unquote(self._url.path.rstrip("/").rpartition("/")[2])
        self._credentials = (asked.user or identity, asked.password) if asked.password else None

    def misbehave(self, how: str, times: int) -> None:
        """Nobody calls us, so nobody can be received badly."""
        raise SystemExit("this finding needs a target that dials in")

    def open(self, seconds: float) -> Wire | None:
        """A connection, None when none came about in time."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._dial()
            except OSError as error:
                if time.monotonic() + 0.5 > deadline:
                    say(f"no connection: {shown(str(error))}")
                    return None
                time.sleep(0.5)

    def _dial(self) -> Wire:
        host = self._url.hostname or "localhost"
        port = self._url.port or (443 if self._tls else 80)
        sock: socket.socket = socket.create_connection((host, port), SHAKE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            sock = self._tls.wrap_socket(sock, server_hostname=host)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {self._url.path or '/'} HTTP/1.1",
            f"Host: {self._url.netloc.rpartition('@')[2]}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {self._subprotocol}",
        ]
        if self._credentials is not None:
            told = ":".join(self._credentials).encode()
            lines.append(f"Authorization: Basic {base64.b64encode(told).decode()}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        first, headers, rest = read_head(sock)
        if " 101 " not in f"{first} " or headers.get("sec-websocket-accept") != accept_of(key):
            sock.close()
            raise OSError(f"the handshake was answered with {first[:80]!r}")
        return Wire(sock, masks=True, rest=rest)


# --- the conversation -------------------------------------------------------------------------------------


class NobodyCame(Exception):
    """There is no connection, or nothing is served on it: nothing is proven."""


def spell(text: list[Any]) -> str:
    """A stored text written out: strings, and pieces that repeat."""
    return "".join(_piece(part) for part in text)


def _piece(part: Any) -> str:
    if isinstance(part, str):
        return part
    if "join" in part:
        return "".join(part["join"])
    return _piece(part["repeat"]) * int(part["times"])


def read(data: bytes) -> Any:
    """The JSON value of a message, None when it is none."""
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


class Play:
    """Plays the stored steps and keeps what came back."""

    def __init__(self, stored: dict[str, Any], door: Any, asked: Any) -> None:
        self.stored = stored
        self.door = door
        self.wait_s: float = asked.wait
        self.back_s: float = asked.back
        self.timeout_s: float = asked.timeout or stored["timeout_s"]
        self.station: bool = stored["side"] == "station"
        self.ended: Ended | None = None
        self.came_back: bool | None = None
        self.booted_again = False
        self.served = True
        self.waited_in_vain = ""
        self.messages: list[bytes] = []
        self.replies: list[list[Any]] = []
        self.strays: list[list[Any]] = []
        self.answers: list[list[Any]] = []
        self.calls: list[list[Any]] = []
        self.said: list[str] = []
        self.pongs: list[bytes] = []
        self.overlap = False
        self.answered_s: float | None = None
        self._wire: Wire | None = None
        self._number = 0
        self._token = os.urandom(4).hex()
        self._last_id = ""
        self._case_id: str | None = None
        self._case_s = 0.0
        self._own: dict[str, list[Any] | None] = {}
        self._named: dict[str, str] = {}
        self._overrides: dict[str, list[str]] = {}
        self._expected: set[int] = set()
        self._boots = 0
        self._away = False
        self._open_call: tuple[str, float] | None = None

    # connecting

    def connect(self) -> None:
        """A connection on which the target is booted and serves. Raises `NobodyCame`."""
        deadline = time.monotonic() + self.wait_s
        while (left := deadline - time.monotonic()) > 0:
            wire = self.door.open(left)
            if wire is None:
                break
            self._wire, self._boots = wire, 0
            try:
                if self._ready(deadline):
                    return
            except Ended:
                continue
        raise NobodyCame("nobody came, or nothing was served")

    def _ready(self, deadline: float) -> bool:
        if self.stored["preamble"] == "connected":
            return True
        for action, payload in self.stored["opening"]:
            answer = self.call(action, json.loads(json.dumps(payload).replace("{time.now}", now())))
            if (
                answer is None
                or answer[0] != 3
                or answer[2].get("status", "Accepted") != "Accepted"
            ):
                raise NobodyCame(f"{action} was not accepted")
        if self.station:
            self.serve(lambda: self._boots > 0, SOFT_S)
            self.serve(lambda: False, 0.5)
        while time.monotonic() < deadline:
            answer = self.call(*self.stored["probe"])
            if answer is not None and answer[2:3] != ["SecurityError"]:
                return True
            self.serve(lambda: self._boots > 0, 1.0)
        return False

    def _wired(self) -> Wire:
        """The connection, a new one where the old one was meant to end."""
        if self._wire is None:
            self._wire = self.door.open(self.back_s)
            self._open_call = None
            if self._wire is None:
                self.came_back = False
                raise Ended(NO_FRAME)
            self._away = False
        return self._wire

    # hearing

    def serve(self, done: Callable[[], bool], seconds: float) -> bool:
        """Answer the target properly until `done()` or the time is up. Raises `Ended`."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left < 0:
                return False
            wire = self._wired()
            try:
                came = wire.receive(min(left, 0.5))
            except Ended as ended:
                self._lost(ended)
                continue
            finally:
                self.pongs += wire.pongs
                wire.pongs = []
            if came is not None:
                self._hear(*came)
        return True

    def _lost(self, ended: Ended) -> None:
        if self._wire is not None:
            self._wire.sock.close()
        self._wire = None
        if not self._away:
            raise ended

    def _hear(self, opcode: int, data: bytes) -> None:
        self.messages.append(data)
        items = read(data)
        if not isinstance(items, list) or not items:
            return
        if items[0] == 2:
            self._answer(items)
            return
        message_id = items[1] if len(items) > 1 else None
        if isinstance(message_id, str) and message_id in self._own:
            if self._own[message_id] is None:
                self._own[message_id] = items
            else:
                self.strays.append(items)
        elif items[0] in (3, 4) and self._is_mine(message_id):
            self.replies.append(items)
            if self.answered_s is None:
                self.answered_s = time.monotonic() - self._case_s
        elif items[0] in (3, 4):
            self.strays.append(items)

    def _is_mine(self, message_id: Any) -> bool:
        if self._case_id is not None and message_id == self._case_id:
            return True
        unread = isinstance(message_id, str) and any(message_id in said for said in self.said[-1:])
        return message_id in UNREADABLE or not isinstance(message_id, str) or unread

    def _answer(self, items: list[Any]) -> None:
        self.calls.append(items)
        if len(items) != 4 or not isinstance(items[1], str) or not isinstance(items[2], str):
            return
        message_id, action, payload = items[1], items[2], items[3]
        self._boots += action == "BootNotification"
        self._named["asked.previous"] = self._named.get("asked.id", message_id)
        self._named["asked.id"] = message_id
        info = payload.get("transactionInfo") if isinstance(payload, dict) else None
        if isinstance(info, dict) and isinstance(info.get("transactionId"), str):
            self._named["tx.id"] = json.dumps(info["transactionId"][:36])[1:-1]
        if self._open_call is not None and time.monotonic() - self._open_call[1] < 5.0:
            self.overlap = True
        waiting = self._overrides.get(action)
        if waiting:
            text = waiting.pop(0).replace("{call.id}", json.dumps(message_id)[1:-1])
            if text:
                self._wired().text(text)
            else:
                self._open_call = (message_id, time.monotonic())
            return
        self._wired().text(json.dumps(self._proper(message_id, action, payload)))

    def _proper(self, message_id: str, action: str, payload: Any) -> list[Any]:
        """What a proper peer answers."""
        answer: dict[str, Any] | None = None
        if not self.station:
            answer = None
        elif action == "BootNotification":
            answer = {"currentTime": now(), "interval": 300, "status": "Accepted"}
        elif action == "Heartbeat":
            answer = {"currentTime": now()}
        elif action == "Authorize" or (action == "TransactionEvent" and "idToken" in payload):
            answer = {"idTokenInfo": {"status": "Accepted"}}
        elif action == "TransactionEvent" or action in EMPTY:
            answer = {}
        elif action in REFUSED:
            answer = {"status": REFUSED[action]}
        if answer is None:
            return [4, message_id, "NotSupported", "", {}]
        return [3, message_id, answer]

    # saying

    def _fresh_id(self) -> str:
        self._number += 1
        return f"{self._token}-{self._number:08x}"

    def fill(self, text: str, *, ids: bool = True) -> str:
        """The text with its slots filled as the case format defines them."""
        self._named["time.now"] = now()
        if ids and "{call.previous}" in text:
            text = text.replace("{call.previous}", self._last_id)
        if ids and "{call.id" in text:
            self._last_id = self._fresh_id()
            pattern = r"\{call\.id(?::(\d{1,2}))?\}"
            text = re.sub(pattern, lambda m: self._last_id.ljust(int(m[1] or 0), "x"), text)
        return re.sub(r"\{([a-z]+\.[a-z0-9.-]+)\}", lambda m: self._named.get(m[1], m[0]), text)

    def call(self, action: str, payload: Any) -> list[Any] | None:
        """A proper CALL and its answer, None when none came in time. Raises `Ended`."""
        return self.answer_to(self.ask(action, payload))

    def ask(self, action: str, payload: Any) -> str:
        """Send a proper CALL; its messageId."""
        message_id = self._fresh_id()
        self._own[message_id] = None
        self._wired().text(json.dumps([2, message_id, action, payload], separators=(",", ":")))
        return message_id

    def answer_to(self, message_id: str) -> list[Any] | None:
        """The answer to one of our proper CALLs, None when none came in time. Raises `Ended`."""
        own = self._own
        self.serve(lambda: own[message_id] is not None, self.timeout_s)
        return own[message_id]

    def _mine(self, text: str) -> None:
        """Note the messageId under which the case's own message is answered."""
        self.said.append(text)
        self._case_s, self.answered_s = time.monotonic(), None
        items = read(text.encode("utf-8", "surrogatepass"))
        found = re.match(r'\s*\[\s*2\s*,\s*"([^"\\]{1,255})"', text[:1000])
        if isinstance(items, list) and len(items) > 1 and isinstance(items[1], str):
            self._case_id = items[1]
        else:
            self._case_id = found[1] if found else None

    # steps

    def begin(self) -> None:
        """What was heard so far belongs to the boot."""
        self.messages, self.replies, self.strays, self.calls = [], [], [], []
        self._boots, self.overlap = 0, False

    def steps(self, steps: list[dict[str, Any]]) -> None:
        """Do every step. Raises `Ended` when the target ended a connection that nothing was to end."""
        for step in steps:
            getattr(self, "_do_" + step["do"].replace("-", "_"))(step)

    def _do_send_text(self, step: dict[str, Any]) -> None:
        text = self.fill(spell(step["text"]))
        self._mine(text)
        self._wired().text(text)

    def _do_send_bytes(self, step: dict[str, Any]) -> None:
        data = base64.b64decode(step["base64"])
        self._mine(data.decode("utf-8", "replace"))
        self._wired().message(data, BINARY if step.get("opcode") == "binary" else TEXT)

    def _do_send_frames(self, step: dict[str, Any]) -> None:
        data = base64.b64decode(step["base64"])
        for text in step.get("messages", []):
            self._mine(text)
        self._wired().raw(data)

    def _do_ask(self, step: dict[str, Any]) -> None:
        text = self.fill(spell(step["text"]))
        items = read(text.encode("utf-8", "surrogatepass"))
        message_id = items[1] if isinstance(items, list) and len(items) > 1 else self._last_id
        self._own[str(message_id)] = None
        self._wired().text(text)
        answer = self.answer_to(str(message_id))
        if answer is None:
            return
        self.answers.append(answer)
        payload = answer[2] if len(answer) == 3 and isinstance(answer[2], dict) else {}
        leaves = any(name in text[:200] for name in LEAVING)
        if leaves and payload.get("status") in ("Accepted", "Scheduled"):
            self._away = True

    def _do_settle(self, step: dict[str, Any]) -> None:
        before = len(self.replies)
        if self.serve(lambda: len(self.replies) > before or bool(self.replies), SOFT_S):
            return
        self.call(*self.stored["probe"])

    def _do_answer_next(self, step: dict[str, Any]) -> None:
        text = self.fill(spell(step.get("text", [])), ids=False)
        self._overrides.setdefault(step["action"], []).append(text)

    def _do_expect(self, step: dict[str, Any]) -> None:
        def came() -> bool:
            for number, items in enumerate(self.calls):
                if number not in self._expected and self._fits(items, step):
                    self._expected.add(number)
                    return True
            return False

        if not self.serve(came, step.get("timeout_s", 30.0)):
            self.waited_in_vain = self.waited_in_vain or step["action"]

    def _fits(self, items: list[Any], step: dict[str, Any]) -> bool:
        if len(items) != 4 or items[2] != step["action"]:
            return False
        for pointer, wanted in step.get("where", []):
            value = items[3]
            for name in pointer.split("/")[1:]:
                value = value.get(name) if isinstance(value, dict) else None
            if isinstance(value, int):
                value = str(value).lower()
            if value != wanted:
                return False
        return True

    def _do_wait(self, step: dict[str, Any]) -> None:
        self.serve(lambda: False, step["seconds"])

    def _do_disconnect(self, step: dict[str, Any]) -> None:
        if self._wire is not None:
            self._wire.close(step.get("code", 1000))
        self._wire, self._away = None, True

    def _do_repeat(self, step: dict[str, Any]) -> None:
        for _ in range(step["times"]):
            self.steps(step["steps"])

    def _do_misbehave(self, step: dict[str, Any]) -> None:
        self.door.misbehave(step["how"], step.get("times", 1))

    # the end

    def settle(self) -> None:
        """Wait for the answer, then look whether harmless CALLs are served. Raises `Ended`."""
        due = bool(self.said) and self.stored["position"] == "call"
        if due and not self.serve(lambda: bool(self.replies), SOFT_S):
            behind = self.ask(*self.stored["probe"])
            self.serve(lambda: bool(self.replies), self.timeout_s)
            self.served = self.answer_to(behind) is not None
        self.serve(lambda: False, LINGER_S)
        for _ in range(PROBES):
            self.served = self.served and self.call(*self.stored["probe"]) is not None

    def look_after(self) -> None:
        """After an end that nothing asked for: does it come back, and did it boot again?"""
        self._away, self._wire, self._boots = False, None, 0
        wire = self.door.open(self.back_s if self.station else 1.0)
        self.came_back = wire is not None
        if wire is None:
            return
        self._wire = wire
        with contextlib.suppress(Ended):
            self.serve(lambda: self._boots > 0, SOFT_S + 1.0)
        self.booted_again = self._boots > 0


RETURNS = ("died", "reboots", "away")
"""What is told by whether the target comes back, and how."""


def run(play: Play) -> None:
    """The whole finding, from the connection to what became of it. Raises `NobodyCame`."""
    play.connect()
    play.begin()
    try:
        play.steps(play.stored["steps"])
        play.settle()
    except Ended as ended:
        play.ended = ended
        if play.came_back is None and play.stored["sign"]["see"] in RETURNS:
            play.look_after()


# --- judging ----------------------------------------------------------------------------------------------


def statuses(payload: Any) -> list[str]:
    """Every status that a response tells, item by item where it has items."""
    found = []
    if isinstance(payload, dict):
        holders = [payload, payload.get("idTokenInfo")]
        for name, value in payload.items():
            if name.endswith("Result") and isinstance(value, list):
                holders += value
        for holder in holders:
            if isinstance(holder, dict):
                told = (holder.get("status"), holder.get("attributeStatus"))
                found += [s for s in told if isinstance(s, str)]
    return found


SHAPES = frozenset(
    (
        "not JSON",
        "no OCPP-J message",
        "CALL arity",
        "CALLRESULT arity",
        "CALLERROR arity",
        "CALL messageId type",
        "CALL messageId length",
        "CALL action type",
        "1.6 spelling",
        "unknown error code",
        "errorDescription type",
        "errorDescription length",
        "errorDetails type",
        "non-string messageId echoed",
        "over-long messageId echoed",
        "no messageId",
        "other messageId",
    )
)


def shape(items: Any, said: list[str]) -> list[str]:
    """What is wrong with the envelope of a message (OCPP-J sections 4.1.4 and 4.2)."""
    if not isinstance(items, list) or items[:1] not in ([2], [3], [4]):
        return ["not JSON" if items is None else "no OCPP-J message"]
    wrong = []
    kind = items[0]
    if len(items) != {2: 4, 3: 3, 4: 5}[kind]:
        return [{2: "CALL arity", 3: "CALLRESULT arity", 4: "CALLERROR arity"}[kind]]
    if kind == 2:
        if not isinstance(items[1], str):
            wrong.append("CALL messageId type")
        elif len(items[1]) > 36:
            wrong.append("CALL messageId length")
        if not isinstance(items[2], str):
            wrong.append("CALL action type")
    elif kind == 4:
        if items[2] in OLD_CODES:
            wrong.append("1.6 spelling")
        elif not isinstance(items[2], str) or items[2] not in CODES:
            wrong.append("unknown error code")
        if not isinstance(items[3], str):
            wrong.append("errorDescription type")
        elif len(items[3]) > 255:
            wrong.append("errorDescription length")
        if not isinstance(items[4], dict):
            wrong.append("errorDetails type")
    return wrong + echo(items, said) if kind in (3, 4) else wrong


def echo(items: list[Any], said: list[str]) -> list[str]:
    """What is wrong with the messageId of an answer."""
    wrong, got = [], items[1]
    if not isinstance(got, str):
        wrong.append("non-string messageId echoed")
    elif len(got) > 36 and items[0] == 3:
        wrong.append("over-long messageId echoed")
    if got is None or got == "":
        wrong.append("no messageId")
    if not any(json.dumps(got) in text for text in said):
        wrong.append("other messageId")
    return wrong


TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and v == int(v),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
}
KEYWORDS: dict[str, Callable[[Any, Any], bool]] = {
    "required": lambda v, limit: not isinstance(v, dict) or all(name in v for name in limit),
    "additionalProperties": lambda v, limit: not isinstance(v, dict) or set(v) <= set(limit),
    "type": lambda v, limit: TYPES[limit](v),
    "enum": lambda v, limit: v in limit,
    "maxLength": lambda v, limit: not isinstance(v, str) or len(v) <= limit,
    "minLength": lambda v, limit: not isinstance(v, str) or len(v) >= limit,
    "maxItems": lambda v, limit: not isinstance(v, list) or len(v) <= limit,
    "minItems": lambda v, limit: not isinstance(v, list) or len(v) >= limit,
    "maximum": lambda v, limit: not isinstance(v, (int, float)) or v <= limit,
    "minimum": lambda v, limit: not isinstance(v, (int, float)) or v >= limit,
}


def values_at(value: Any, pointer: str) -> list[Any]:
    """What a JSON pointer leads to, where * stands for every item."""
    found = [value]
    for name in pointer.split("/")[1:]:
        if name == "*":
            found = [item for v in found if isinstance(v, list) for item in v]
        else:
            found = [v[name] for v in found if isinstance(v, dict) and name in v]
    return found


def breaks(play: Play, sign: dict[str, Any]) -> bool:
    """True when a payload breaks the stored site of its schema."""
    rule, payloads = KEYWORDS[sign["keyword"]], []
    if sign["kind"] == "request":
        payloads = [c[3] for c in play.calls if len(c) == 4 and c[2] == sign["action"]]
    else:
        payloads = [
            r[2] for r in [*play.replies, *play.answers, *play.strays] if r[0] == 3 and len(r) == 3
        ]
    values = [v for payload in payloads for v in values_at(payload, sign["pointer"])]
    return any(not rule(value, sign["limit"]) for value in values)


def outcome(items: list[Any]) -> list[Any]:
    """How an answer turned out: its error code, or its statuses and the values that it tells."""
    if items[0] == 4:
        return [4, items[2] if len(items) > 2 else None]
    payload = items[2] if len(items) > 2 else None
    results = payload.get("getVariableResult") if isinstance(payload, dict) else None
    told = [r.get("attributeValue") for r in results or [] if isinstance(r, dict)]
    return [3, statuses(payload), told]


def free_text(data: bytes, names: list[str]) -> str:
    """The text that the target made up itself."""
    items = read(data)
    if not isinstance(items, list):
        return ""
    if items[:1] == [4]:
        return "\n".join(strings(items[3:]))
    found: list[str] = []
    pending = items[2:]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            for name, inner in value.items():
                if name in names:
                    found += strings(inner)
                else:
                    pending.append(inner)
    return "\n".join(found)


def strings(value: Any) -> list[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    return [text for part in value for text in strings(part)] if isinstance(value, list) else []


def tells(play: Play, sign: dict[str, Any]) -> bool:
    """True when a pattern stands in free text of the target, and not in what we said."""
    ours = "\n".join(play.said).casefold()
    for data in play.messages:
        for found in re.finditer(sign["pattern"], free_text(data, sign["names"])):
            if sign.get("echo") or found.group().strip().casefold() not in ours:
                return True
    return False


def died(play: Play, _: dict[str, Any]) -> bool:
    """The connection ended unasked, and it stayed away or booted anew."""
    return play.ended is not None and (play.came_back is False or play.booted_again)


def answered(play: Play, sign: dict[str, Any]) -> bool:
    """The answer to the case's message is of the stored kind."""
    got = play.replies[0] if play.replies else None
    if got is None or got[0] != sign["type"]:
        return False
    if sign["type"] == 4:
        return bool(got[2:3] == [sign["code"]])
    return bool(statuses(got[2] if len(got) > 2 else None) == sign["statuses"])


def open_still(play: Play) -> bool:
    """True while nothing ended the connection."""
    return play.ended is None


JUDGES: dict[str, Callable[[Play, dict[str, Any]], bool]] = {
    "died": died,
    "reboots": lambda p, _: p.ended is not None and p.booted_again,
    "away": lambda p, _: p.came_back is False,
    "close": lambda p, sign: (
        p.ended is not None and p.ended.by_target and p.ended.code == sign["code"]
    ),
    "no pong": lambda p, sign: open_still(p) and bytes.fromhex(sign["data"]) not in p.pongs,
    "silence": lambda p, _: open_still(p) and not p.replies,
    "unserved": lambda p, _: open_still(p) and not p.served,
    "twice": lambda p, sign: len(p.replies) > sign["times"],
    "stray": lambda p, _: any(
        s[1:2] and isinstance(s[1], str) and s[1] not in UNREADABLE for s in p.strays
    ),
    "shape": lambda p, sign: any(sign["what"] in shape(m, p.said) for m in judged(p)),
    "site": breaks,
    "reply": answered,
    "text": tells,
    "trace": lambda p, sign: [outcome(a) for a in (p.answers or p.replies)] == sign["outcomes"],
    "served": lambda p, _: open_still(p) and (p.served or bool(p.replies)),
    "taken": lambda p, sign: sign["how"] in p.door.taken,
    "overlap": lambda p, _: p.overlap,
    "reply to answer": lambda p, _: bool(p.replies),
}


def judged(play: Play) -> list[Any]:
    """The messages whose envelopes are judged: all but answers to the proper CALLs of this script."""
    own = {id(items) for items in play._own.values() if items is not None}
    read_ones: list[Any] = [m for m in play.replies + play.calls if id(m) not in own]
    others = [read(data) for data in play.messages]
    return read_ones + [
        m for m in others if not isinstance(m, list) or m[:1] not in ([2], [3], [4])
    ]


def facts(play: Play) -> str:
    """What was seen, in one line."""
    parts = []
    for reply in play.replies[:2]:
        parts.append(f"answered with {shown(json.dumps(reply))}")
    if play.said and not play.replies and play.ended is None:
        parts.append("the message was not answered")
    if play.stored["sign"]["see"] == "no pong":
        parts.append(f"{len(play.pongs)} pongs came")
    if play.ended is not None:
        parts.append(f"the connection ended with {play.ended.code}")
    if play.came_back is not None:
        back = "it came back" + (" and booted anew" if play.booted_again else " without a boot")
        parts.append(back if play.came_back else "it did not come back in time")
    if play.ended is None:
        parts.append("harmless CALLs are " + ("served" if play.served else "not served any more"))
    return "; ".join(parts)


class Parser(argparse.ArgumentParser):
    """Tells what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        """End with 2."""
        self.exit(2, f"{self.prog}: error: {shown(message, 400)}; --help tells the options\n")


def seconds(text: str) -> float:
    """A time that can be waited for."""
    value = float(text)
    if not 0 <= value <= LONGEST_S:
        raise ValueError
    return value


def password_of(*, asked: bool) -> str:
    """The password, "" for none. Raises `ValueError` where it is asked for and nobody tells it."""
    told = next(filter(None, map(os.environ.get, PASSWORDS)), "")
    if asked and not told:
        told = _typed()
        if not told:
            raise ValueError(f"there is no password; set {PASSWORDS[0]}, or type it at a terminal")
    told.encode()  # raises for what is no text
    return told


def _typed() -> str:
    """What somebody types unseen, or pipes in."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass("password: ")
        except getpass.GetPassWarning:
            # Nobody can type unseen here.
            piped = sys.stdin is not None and not sys.stdin.isatty()
            return sys.stdin.readline().rstrip("\r\n") if piped else ""
        except EOFError:
            return ""


def parser(stored: dict[str, Any]) -> argparse.ArgumentParser:
    """The options for this finding."""
    made = Parser(prog="repro.py", description=f"{stored['finding']}: {stored['expects']}")
    if stored["side"] == "station":
        made.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:9000")
    else:
        made.add_argument("url", metavar="URL", help="of the CSMS, with the identity at its end")
    made.add_argument(
        "--cert", help="certificate chain of this end, PEM; with it a listener speaks TLS"
    )
    made.add_argument("--key", help="its key, PEM")
    made.add_argument("--ca", help="whose certificates are trusted, PEM")
    made.add_argument(
        "--user", default="", help="user of Basic authentication; usually the identity"
    )
    made.add_argument(
        "--password",
        action="store_true",
        help=f"ask for it; {' or '.join(PASSWORDS)} tells it as well",
    )
    made.add_argument(
        "--wait", type=seconds, default=120.0, help="seconds until somebody must have come"
    )
    made.add_argument(
        "--back",
        type=seconds,
        default=stored["back_s"],
        help="seconds until it must have come back",
    )
    made.add_argument(
        "--timeout", type=seconds, default=0.0, help="seconds until a CALL must be answered"
    )
    return made


def main(stored: dict[str, Any], arguments: list[str] | None = None) -> int:
    """Play the finding and print what came of it; the exit code."""
    options = parser(stored)
    asked = options.parse_args(arguments)
    try:
        if asked.key and not asked.cert:
            raise ValueError("--key belongs to --cert; give both")
        asked.user.encode()  # raises for what is no text
        asked.password = password_of(asked=asked.password)
        door: Any
        if stored["side"] == "station":
            door = Listening(asked.listen, asked, stored["subprotocol"], stored["handshakes"])
        else:
            door = Dialling(asked.url, asked, stored["subprotocol"])
    except (OSError, ValueError) as error:
        options.error(str(error))
    except KeyboardInterrupt:
        return 130
    say(f"{stored['finding']}, expected of a broken target: {stored['expects']}")
    play = Play(stored, door, asked)
    try:
        run(play)
    except NobodyCame as reason:
        say(f"NOTHING PROVEN: {reason}")
        return 3
    except KeyboardInterrupt:
        return 130
    if JUDGES[stored["sign"]["see"]](play, stored["sign"]):
        say(f"REPRODUCED: {facts(play)}")
        return 1
    say(f"NOT REPRODUCED: {facts(play)}")
    return 0
