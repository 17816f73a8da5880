"""Dials a CSMS step by step and tells how far it came: the first thing to run before one is attacked.

Knows DNS, TCP, TLS, the opening handshake and the boot; attacks nothing. A password is said only where `run` would say
it: without TLS, or to a CSMS whose certificate is trusted.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

from cryptography.x509.oid import NameOID

from fuzz.app import Check, Diagnosis
from fuzz.app.diagnosing_certificates import judge_chain, trusted_roots
from fuzz.app.rig import EMBEDDED_IDENTITY
from fuzz.clock import Clock, SystemClock
from fuzz.config import PASSWORD_VARIABLE, RunOptions, password_of
from fuzz.errors import UsageError
from fuzz.lab.caller import StationCaller, StationDialogue
from fuzz.lab.csmses import DEFAULT_PORTS
from fuzz.station.voice import StationVoice
from strategies.labels import JsonObject
from strategies.version import version
from tlslab import own
from tlslab.client import LabClient, Opened
from tlslab.client_engines.stdlib import ASKED
from tlslab.codes import alert_name, version_name
from tlslab.knock import Knock
from tlslab.offers import Engine
from tlslab.pki import Credential, LabError
from tlslab.seen import Connection, Way
from tlslab.session import AnsweredWithError, NotAnswered
from tlslab.suites import suite_name

TCP_S = 5.0
CLOCK_S = 60.0
"""So far two clocks may be apart: what is signed and what is metered by them must agree to the minute."""

MAX_ADDRESSES = 8


@dataclass(frozen=True, slots=True)
class _Where:
    """What is dialled; `path` holds the query too."""

    host: str
    port: int
    path: str
    secure: bool

    @property
    def named(self) -> str:
        """Host and port as a person writes them."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


async def examine(options: RunOptions, clock: Clock | None = None) -> Diagnosis:
    """What each step towards the CSMS of the options showed. Raises `UsageError` for files that cannot be used."""
    return await _Examination(options, clock or SystemClock()).made()


class _Examination:
    def __init__(self, options: RunOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._identity = options.identity or EMBEDDED_IDENTITY
        self._where = _where(options, self._identity)
        self._password = password_of(options)
        self._credential = _credential(options, clock)
        self._checks: list[Check] = []

    async def made(self) -> Diagnosis:
        """The checks, as far as they came."""
        address = await self._reached()
        opened = await self._secured(address) if address else None
        if opened is not None and opened.stream is not None:
            if self._where.secure and not self._trusted(opened.connection):
                await opened.stream.close()
            else:
                await self._spoken(opened)
        checks = tuple(self._checks)
        return Diagnosis(connected=all(c.ok for c in checks), facts=(), checks=checks)

    def _tell(self, topic: str, seen: str, advice: str = "", *, ok: bool = True) -> None:
        self._checks.append(Check(topic, seen, advice, ok=ok))

    # --- the way there ------------------------------------------------------------------------------------

    async def _reached(self) -> str:
        """An address that takes a connection; "" when none does."""
        where = self._where
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                where.host, where.port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", "") or "not a host name"
            self._tell("DNS", f"{where.host}: {why}", _NO_NAME, ok=False)
            return ""
        addresses = [str(a[4][0]) for a in found[:MAX_ADDRESSES]]
        addresses = list(dict.fromkeys(addresses))
        same = addresses == [where.host]
        self._tell("DNS", f"{where.host} is {'an address' if same else ', '.join(addresses)}")
        return await self._connected(addresses)

    async def _connected(self, addresses: Sequence[str]) -> str:
        failed: dict[str, str] = {}
        for address in addresses:
            began = self._clock.monotonic()
            try:
                async with asyncio.timeout(TCP_S):
                    _, writer = await asyncio.open_connection(address, self._where.port)
            except (OSError, TimeoutError) as error:
                failed[address] = _why_unreachable(error)
                continue
            writer.transport.abort()
            took = (self._clock.monotonic() - began) * 1000
            also = "".join(f"; {other}: {why}" for other, why in failed.items())
            self._tell("TCP", f"{address} port {self._where.port} answers in {took:.0f} ms{also}")
            return address
        said = "; ".join(f"{a} port {self._where.port}: {why}" for a, why in failed.items())
        self._tell("TCP", said, _NO_PORT, ok=False)
        return ""

    # --- TLS ----------------------------------------------------------------------------------------------

    async def _secured(self, address: str) -> Opened | None:
        where = self._where
        client = LabClient(
            address, where.port, monotonic=self._clock.monotonic, now=self._clock.now
        )
        opened = await client.open(
            Knock(
                where.path,
                self._identity,
                credential=self._credential if where.secure else None,
                engine=Engine.STDLIB if where.secure else Engine.PLAIN,
                server_name="" if _is_address(where.host) else where.host,
            )
        )
        if where.secure:
            self._tell_tls(opened)
        return opened

    def _tell_tls(self, opened: Opened) -> None:
        connection = opened.connection
        if opened.stream is None:
            self._tell("TLS", _why_no_tls(connection), _next_for_tls(connection), ok=False)
            return
        seen = f"{version_name(connection.version)}, {suite_name(connection.suite)}"
        asked = ASKED in connection.notes
        if asked and self._credential is None:
            advice = "it asks for a client certificate: give --cert and --key"
            self._tell("TLS", seen, advice if self._options.security_profile == 3 else "")
        else:
            self._tell("TLS", seen + ("; our certificate was shown" if asked else ""))

    def _trusted(self, connection: Connection) -> bool:
        """Whether the CSMS is the one that is meant; without it nothing more is said."""
        ca = self._options.ca
        judged = judge_chain(
            connection.server_chain, self._where.host, trusted_roots(ca), self._clock.now(), ca=ca
        )
        self._checks += judged.checks
        return judged.trusted

    # --- HTTP, WebSocket and OCPP -------------------------------------------------------------------------

    async def _spoken(self, opened: Opened) -> None:
        assert opened.stream is not None
        caller = StationCaller(lambda: StationVoice(self._clock))
        basic = (self._identity, self._password) if self._password else None
        dialogue = await caller.dial(
            opened.stream, host=self._where.named, path=self._where.path, basic=basic
        )
        try:
            if self._let_in(dialogue, opened.connection) and self._agreed(dialogue):
                await self._booted(dialogue)
            elif date := _date(dialogue.header("Date")):
                self._tell_clock("Date header", date)
        finally:
            with contextlib.suppress(OSError):
                await dialogue.close()

    def _let_in(self, dialogue: StationDialogue, connection: Connection) -> bool:
        shown = self._shown()
        match dialogue.status:
            case 101:
                self._tell("credentials", f"let in as {self._identity} {shown}")
                return True
            case 401 | 403 as status:
                seen = f"refused {self._identity} {shown} with {status}"
                self._tell("credentials", seen, self._how_to_get_in(), ok=False)
            case 0:
                self._tell("HTTP", *self._silence(connection), ok=False)
            case status:
                self._tell(
                    "HTTP",
                    f"{self._where.path}: {status} instead of 101",
                    _next_for(status),
                    ok=False,
                )
        return False

    def _shown(self) -> str:
        certificate = self._where.secure and self._credential is not None
        given = ["a certificate"] if certificate else []
        given += ["a Basic password"] if self._password else []
        return f"with {' and '.join(given)}" if given else "without credentials"

    def _how_to_get_in(self) -> str:
        if self._options.security_profile == 3:
            return f"does its certificate name {self._identity}, and is it of a root that the CSMS trusts?"
        if self._password is None:
            return f"give the password: {PASSWORD_VARIABLE} or --password-file"
        return f"does the CSMS know {self._identity}, and with this password?"

    def _silence(self, connection: Connection) -> tuple[str, str]:
        alert = next((a for a in reversed(connection.alerts) if a.way is Way.PEER), None)
        if alert is not None and alert.number:
            seen = f"ended by TLS alert {alert_name(alert.number)} instead of an answer"
            return seen, "it may want another client certificate: --cert and --key"
        if ASKED in connection.notes and self._credential is None:
            return "closed without an answer", "give the client certificate that it asked for"
        if self._where.secure:
            return "closed without an answer", "does the CSMS log why?"
        return "closed without an answer", "does the port speak TLS? then dial wss://"

    def _agreed(self, dialogue: StationDialogue) -> bool:
        wanted, chosen = version().subprotocol, dialogue.subprotocol
        if dialogue.open and chosen == wanted:
            self._tell("subprotocol", f"{chosen} agreed")
            return True
        if not dialogue.open:
            seen = f"the WebSocket did not open: {dialogue.refusal or 'closed'}"
            self._tell(
                "subprotocol", seen, "is there a proxy that does not speak WebSocket?", ok=False
            )
            return False
        seen = f"{wanted} was offered, {chosen or 'none'} chosen"
        self._tell("subprotocol", seen, "is this the URL for OCPP 2.0.1?", ok=False)
        return False

    async def _booted(self, dialogue: StationDialogue) -> None:
        action, payload = self._boot()
        date = _date(dialogue.header("Date"))
        try:
            answer = await dialogue.call(action, payload)
        except (NotAnswered, AnsweredWithError) as why:
            broken = isinstance(why, AnsweredWithError) and why.broken
            advice = "`ocppfuzz run` names the rule" if broken else "does it know this station?"
            self._tell("boot", str(why), advice, ok=False)
        else:
            status = answer.get("status")
            advice = "" if status == "Accepted" else "accept the station at the CSMS"
            self._tell("boot", f"{action}: {status}", advice)
            if told := _moment(answer.get("currentTime")):
                self._tell_clock("currentTime", told)
                return
        if date is not None:
            self._tell_clock("Date header", date)
        else:
            self._tell("clock", "the CSMS told no time that can be read", _NO_TIME, ok=False)

    def _boot(self) -> tuple[str, JsonObject]:
        """What a station says first; in security profile 3 it is who its certificate says (B01.FR.12)."""
        (action, payload), *_ = StationVoice(self._clock).opening()
        station = payload["chargingStation"]
        if self._credential is not None and isinstance(station, dict):
            names = self._credential.x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            serial = next((str(name.value) for name in names), "")
            payload = {**payload, "chargingStation": {**station, "serialNumber": serial}}
        return action, payload

    def _tell_clock(self, source: str, told: datetime) -> None:
        apart = (told - self._clock.now()).total_seconds()
        way = "ahead of" if apart > 0 else "behind"
        seen = f"{source} is {_span(abs(apart))} {way} this machine"
        ok = abs(apart) <= CLOCK_S
        self._tell("clock", seen, "" if ok else "set both by NTP", ok=ok)


_NO_NAME = "check the name, and this machine's resolver"
_NO_PORT = "is the CSMS running, is the port right, does a firewall swallow the call?"
_CLOSED = ("", "the caller ended it")
_NO_TIME = "its BootNotificationResponse needs currentTime"


def _where(options: RunOptions, identity: str) -> _Where:
    parts = urlsplit((options.target or "").replace("{identity}", quote(identity, safe="")))
    path = parts.path or "/"
    return _Where(
        parts.hostname or "",
        parts.port or DEFAULT_PORTS[parts.scheme],
        f"{path}?{parts.query}" if parts.query else path,
        parts.scheme == "wss",
    )


def _credential(options: RunOptions, clock: Clock) -> Credential | None:
    if options.cert is None or options.key is None:
        return None
    try:
        return own.finished(options.cert, options.key, now=clock.now)
    except LabError as error:
        raise UsageError(str(error)) from None


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdecimal()


def _why_unreachable(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not getattr(error, "errno", None):
        return f"no answer within {TCP_S:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(getattr(error, "strerror", "") or type(error).__name__)


def _why_no_tls(connection: Connection) -> str:
    alert = next((a for a in connection.alerts if a.way is Way.PEER), None)
    if alert is not None:
        return f"ended by alert {alert_name(alert.number)}"
    if connection.error in _CLOSED:
        return "closed in the midst of the handshake, without an alert"
    return f"no handshake: {connection.error}"


def _next_for_tls(connection: Connection) -> str:
    if connection.error in _CLOSED or "wrong version" in connection.error.lower().replace("_", " "):
        return "does the port speak TLS at all? without it dial ws://"
    if ASKED in connection.notes:
        return "it asked for a client certificate: give --cert and --key that it trusts"
    return (
        "it needs TLS 1.2 or 1.3 and a suite of OCPP; `ocppfuzz tls --target ...` lists what it has"
    )


def _next_for(status: int) -> str:
    match status:
        case 404:
            return "check the path, and whether the CSMS knows the identity"
        case 300 | 301 | 302 | 303 | 307 | 308:
            return "stations follow no redirection: dial where it leads"
        case 400 | 426:
            return "is this URL for WebSocket, and for OCPP 2.0.1?"
        case _ if status >= 500:
            return "look into the CSMS's log, and at the proxy before it"
        case _:
            return "check the path"


def _date(text: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError):
        return None


def _moment(value: object) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(value)) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _aware(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _span(seconds: float) -> str:
    """A difference for people: to the second, or in larger units."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.0f} h" if seconds < 172_800 else f"{seconds / 86_400:,.0f} days"
