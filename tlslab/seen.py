"""What was seen of one connection and of one case: facts only, from which outcomes are judged afterwards.

Knows bytes, stages and times. Must not know how a connection is made, nor what OCPP says over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from tlslab.wire import ClientHello

AUTHORIZATION = "authorization"
"""The name of the header whose connections stay unreadable."""
MAX_TAPE = 512 * 1024
"""Bytes kept of one connection in both directions together; a handshake with the largest chain fits."""

WENT_ON, WAITED = "it went on with the handshake", "it waited for more until the lab hung up"
"""Notes of a hand-built answer: what the peer made of it, when it did not end there."""
HAND_NOTES = (WENT_ON, WAITED)

RENEGOTIATED = "renegotiation: a second handshake was done"
"""The note of a renegotiation that came about."""


class Stage(IntEnum):
    """How far a connection went, the worst last: for whoever should have ended it, the earlier the better.

    Of a Charging Station under test, UPGRADE means that it sent its HTTP request, with the Basic password in security
    profile 2; of a CSMS under test, that it answered ours, but not with 101. OCPP means that a message was said: by
    the Charging Station, or by the CSMS an answer that accepts our boot.
    """

    NOTHING = 0
    ALERT = 1
    CLOSED = 2
    FINISHED = 3
    UPGRADE = 4
    WEBSOCKET = 5
    OCPP = 6


STAGE_WORDS: Mapping[Stage, str] = {
    Stage.NOTHING: "no connection was seen",
    Stage.ALERT: "ended by an alert",
    Stage.CLOSED: "closed without an alert",
    Stage.FINISHED: "ended after Finished, before any HTTP",
    Stage.UPGRADE: "the HTTP upgrade was spoken",
    Stage.WEBSOCKET: "the WebSocket was open",
    Stage.OCPP: "OCPP was spoken",
}


class Way(StrEnum):
    """Who said something: the peer under test, or the lab."""

    PEER = "peer"
    LAB = "lab"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they went over the socket, `at_s` seconds after the connection began."""

    at_s: float
    way: Way
    data: bytes


@dataclass(frozen=True, slots=True)
class Alert:
    """One TLS alert (RFC 8446 section 6): who sent it, its number and its level (1 warning, 2 fatal)."""

    at_s: float
    way: Way
    number: int
    level: int = 2


@dataclass(slots=True, eq=False)
class Connection:
    """Everything about one TCP connection, filled while it lives.

    Attributes:
        number: counts the connections of one server or client, from 1.
        began_s: monotonic seconds at which it was accepted or dialled.
        began: the same moment on the clock on the wall, for capture files.
        ours: our address, (host, port).
        theirs: the peer's.
        tape: the socket's bytes, as far as `MAX_TAPE` reaches.
        hello: the ClientHello, whoever sent it; `hello_bytes` are its raw records.
        stage: how far it went so far.
        version: the negotiated version's code, 0 before.
        suite: the negotiated suite's code, 0 before.
        alerts: in order; encrypted ones as far as the engine tells of them.
        server_chain: what the server showed, DER, its own certificate first.
        client_chain: what the client showed; () when it showed none.
        request: the HTTP request line, without headers; "" before.
        header_names: the names of the request's headers, lower case. Never their values.
        status: the HTTP status of the answer; 0 before.
        error: why the TLS engine gave up, in its own words; "" when it did not.
        notes: what else is worth knowing, such as how a renegotiation went.
        ended_s: monotonic seconds at which it ended; None while it is open.
        keeps_secrets: whether the session's secrets are wanted; False keeps none.
        secrets: the session's secrets as a key log file has them (RFC 9850); "" without, and never shown.
    """

    number: int
    began_s: float
    began: datetime
    ours: tuple[str, int] = ("", 0)
    theirs: tuple[str, int] = ("", 0)
    tape: list[Chunk] = field(default_factory=list)
    hello: ClientHello | None = None
    hello_bytes: bytes = b""
    stage: Stage = Stage.NOTHING
    version: int = 0
    suite: int = 0
    alerts: list[Alert] = field(default_factory=list)
    server_chain: tuple[bytes, ...] = ()
    client_chain: tuple[bytes, ...] = ()
    request: str = ""
    header_names: tuple[str, ...] = ()
    status: int = 0
    error: str = ""
    notes: list[str] = field(default_factory=list)
    ended_s: float | None = None
    keeps_secrets: bool = False
    secrets: str = field(default="", repr=False)
    _kept: int = 0

    def record(self, at_s: float, way: Way, data: bytes) -> None:
        """Keep bytes of the socket while there is room; `at_s` is monotonic."""
        room = MAX_TAPE - self._kept
        if room > 0 and data:
            self.tape.append(Chunk(at_s - self.began_s, way, data[:room]))
            self._kept += min(len(data), room)

    def reached(self, stage: Stage) -> None:
        """It went at least as far as this."""
        self.stage = max(self.stage, stage)

    @property
    def sent_authorization(self) -> bool:
        """Whether the request held credentials: what is secret of such a connection is never stored."""
        return AUTHORIZATION in self.header_names

    def keep_no_secrets(self) -> None:
        """Forget what would make the tape readable, and keep no more of it."""
        self.keeps_secrets, self.secrets = False, ""


class Expect(StrEnum):
    """What a correct peer does: accepts, refuses, or either (then it is recorded)."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One offer (or attempt) made to the peer, what came of it, and the control beside it.

    `difference` names the fields in which it differs from the control, each as `field: bad instead of good`; `control`
    is how far the control went in the same session, None when none was played. `seconds` is how long the peer took to
    turn up. `events` are the types of the security events that came afterwards. `connections` are all that were seen
    meanwhile, the one that went furthest decides. Where a requirement allows a refusal later than usual, such as a CSMS
    that looks at the serial number of the boot (B01.FR.12), `tolerated` says how far is no more than a remark.
    """

    label: str
    expect: Expect
    stage: Stage
    control: Stage | None = None
    difference: tuple[str, ...] = ()
    seconds: float = 0.0
    events: tuple[str, ...] = ()
    connections: tuple[Connection, ...] = ()
    control_connections: tuple[Connection, ...] = ()
    tolerated: Stage | None = None

    @property
    def furthest(self) -> Connection | None:
        """The connection that decides; None when none was seen."""
        return max(self.connections, key=lambda c: c.stage, default=None)


@dataclass(frozen=True, slots=True)
class Check:
    """Something else that must hold: what, whether it did, what came instead.

    A `remark` that does not hold is listed and fails nothing.
    """

    what: str
    holds: bool
    came: str = ""
    remark: bool = False


@dataclass(slots=True)
class Seen:
    """All facts of one played case; `unfinished` says why it could not be played to its end, "" when it was."""

    exposures: list[Exposure] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    records: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    unfinished: str = ""
    seconds: float = 0.0
