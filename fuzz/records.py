"""The types that travel through the product, and the seams between its rooms.

Knows what a case, an observation, a violation and a finding are, and what a `Link`, a `Voice`, a `Door` and a
`Target` must offer. Must not know how any of them is made: no I/O, no clock, no schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from strategies.labels import (
    Expectation,
    JsonObject,
    JsonValue,
    Mutation,
    Position,
    Text,
)

CASE_FORMAT = 1
FINDING_FORMAT = 1


# --- the case ---------------------------------------------------------------------------------------------


class Side(StrEnum):
    """Which end is attacked."""

    STATION = "station"
    CSMS = "csms"


class Preamble(StrEnum):
    """The state that the target is brought into before the first step."""

    CONNECTED = "connected"
    BOOTED = "booted"


class Effect(StrEnum):
    """What a case may leave behind on the target, harmless first (design 2.7)."""

    NONE = "none"
    VOLATILE = "volatile"
    PERSISTENT = "persistent"
    LOCK_OUT = "lock-out"
    ENERGISE = "energise"
    ONE_WAY = "one-way"


@dataclass(frozen=True, slots=True)
class SendText:
    """Send one WebSocket text message. Slots in braces, such as `{call.id}`, are filled when it is said."""

    text: Text


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Send one WebSocket message of raw bytes; `opcode` is `text` or `binary`."""

    data: bytes
    opcode: str = "text"


@dataclass(frozen=True, slots=True)
class SendFrames:
    """Write raw bytes below the WebSocket layer, past every library's checks."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """Make a CALL that belongs to the scene and wait for its answer, at most the target's own MessageTimeout.

    Unlike `SendText` it is no hostile message: the answers to it are judged by what the whole scene shows.
    """

    text: Text


@dataclass(frozen=True, slots=True)
class Settle:
    """Wait until the hostile message said last is answered, or known not to be."""


@dataclass(frozen=True, slots=True)
class AnswerNext:
    """Answer the target's next CALL of `action` with `text` instead of the voice's own answer; no text, no answer.

    `{call.id}` is that CALL's messageId. Several for one action are used up in their order.
    """

    action: str
    text: Text = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait until the target has sent a CALL of `action` that no earlier `Expect` took, at most `timeout_s` seconds.

    `where` holds pairs of a JSON pointer into the payload and the text of the value there, all of which must fit.
    """

    action: str
    timeout_s: float = 30.0
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection with `code`; the next step needs a new one.

    Code 1006 cuts it without a close frame. Code 0 leaves it half-open: it stays, and nobody reads it any more, until a
    step finds no other connection to go on with, or the scene ends.
    """

    code: int = 1000


@dataclass(frozen=True, slots=True)
class Operator:
    """Ask the person or relay at the target to do something."""

    event: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class RepeatSteps:
    """Do `steps` `times` times."""

    steps: tuple[Step, ...]
    times: int


@dataclass(frozen=True, slots=True)
class TlsStep:
    """Play the TLS lab's case `id`."""

    id: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Misbehave:
    """Treat the target's next `times` attempts to connect in the way called `how` (a name of `fuzz.transport`)."""

    how: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Gauge:
    """Read the figures of the target's process now, under the name `label`."""

    label: str


Step: TypeAlias = (
    "SendText | SendBytes | SendFrames | Ask | Settle | AnswerNext | Expect | Wait | Disconnect | Operator"
    " | RepeatSteps | Misbehave | Gauge | TlsStep"
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a case came from: enough to make it again."""

    phase: str
    seed: int = 0
    index: int = 0
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Data from which the wire is determined (design 2.1).

    `control` is the same conversation with only the fault undone; empty when there is none.
    `action` is "" when the message names none. `purpose` says for people what the case is for, `clause` what decides it,
    `mirrors` which kind of real bug it is like.
    """

    id: str
    side: Side
    steps: tuple[Step, ...]
    expectation: Expectation
    control: tuple[Step, ...] = ()
    preamble: Preamble = Preamble.BOOTED
    effect: Effect = Effect.VOLATILE
    position: Position = Position.CALL
    action: str = ""
    mutations: tuple[Mutation, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance("unknown"))
    heavy: bool = False
    version: str = "2.0.1"
    purpose: str = ""
    clause: str = ""
    mirrors: str = ""

    @property
    def mutation_class(self) -> str:
        """What this case does, without pointer and values: the unit of quarantine."""
        return "+".join(m.class_ for m in self.mutations) or "valid"


# --- what was seen ----------------------------------------------------------------------------------------


class Who(StrEnum):
    """Who did what a transcript entry tells."""

    US = "us"
    TARGET = "target"
    HARNESS = "harness"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transcript.

    `at_s` is seconds since the case began. `kind` is `text`, `bytes`, `frames`, `pong`, `caller`, `open`, `close`,
    `process`, `operator` or `note`. `text` of `bytes`, `frames` and `pong` is base64, of `caller` the way in which one
    was received badly. Secrets stay slots.
    """

    at_s: float
    who: Who
    kind: str
    text: str


class FrameKind(StrEnum):
    """What a message from the target claims to be."""

    CALL = "CALL"
    CALLRESULT = "CALLRESULT"
    CALLERROR = "CALLERROR"
    OTHER = "other"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Heard:
    """One message from the target, read as leniently as possible so that oracles can judge its shape.

    `items` are the elements of the outer array, () when it is not one. `kind` is CALL, CALLRESULT or CALLERROR by
    the first element alone; OTHER for other JSON; GARBAGE when it is not JSON or not text.
    """

    at_s: float
    text: str
    kind: FrameKind
    items: tuple[JsonValue, ...] = ()
    binary: bool = False

    @property
    def message_id(self) -> JsonValue:
        """The second element, whatever its type; None when absent."""
        return self.items[1] if len(self.items) > 1 else None

    @property
    def action(self) -> JsonValue:
        """The third element of a CALL; None otherwise."""
        return self.items[2] if self.kind is FrameKind.CALL and len(self.items) > 2 else None

    @property
    def payload(self) -> JsonValue:
        """The payload of a CALL or CALLRESULT; None when absent."""
        index = {FrameKind.CALL: 3, FrameKind.CALLRESULT: 2}.get(self.kind)
        return self.items[index] if index is not None and len(self.items) > index else None

    @property
    def error_code(self) -> JsonValue:
        """The errorCode of a CALLERROR; None otherwise."""
        return self.items[2] if self.kind is FrameKind.CALLERROR and len(self.items) > 2 else None


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection ended. `code` 1006 means: without a close frame."""

    code: int
    reason: str = ""
    by_target: bool = True


class LinkClosed(Exception):
    """The connection is gone; carries how."""

    def __init__(self, close: Close) -> None:
        super().__init__(f"connection closed {close.code}")
        self.close = close


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """The end of a process that we own: exit code, or the signal that killed it (then `code` is negative)."""

    code: int

    @property
    def symptom(self) -> str:
        """Short and stable: `exit 1`, `signal 11`."""
        return f"signal {-self.code}" if self.code < 0 else f"exit {self.code}"


class Settled(StrEnum):
    """How the executor knew that no more answers would come."""

    ANSWERED = "answered"
    BY_ORDER = "by-order"
    BY_CLOCK = "by-clock"
    CUT_SHORT = "cut-short"


@dataclass(frozen=True, slots=True)
class Probes:
    """The four liveness probes (design section 7); None means: not asked."""

    same_connection: bool | None = None
    ping: bool | None = None
    new_connection: bool | None = None
    fresh_identity: bool | None = None
    process: bool | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process uses at one moment, summed over its descendants; None where the machine does not tell.

    `memory` are resident bytes, `processor_s` seconds of processor time since it began, `label` the step that asked.
    """

    at_s: float
    label: str = ""
    memory: int | None = None
    processor_s: float | None = None
    descriptors: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Caught:
    """One visit to our catcher: somebody followed a URL, or opened a socket, that only our messages told.

    `kind` is `http` or `tcp`, `path` what followed the address of an HTTP request, `data` its body or the first bytes.
    A path that begins with `/ok/` may be visited, one that begins with `/hit/` stood inside an injection only. Secrets
    are hidden before anybody sees it: where the data told a password, it holds `{secret.password.old}` for the
    configured one, `{secret.password.20}` for one of 20 characters that a case set.
    """

    at_s: float
    kind: str
    path: str = ""
    method: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they went over a connection, `at_s` seconds after it began; `ours` when we said them."""

    at_s: float
    ours: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Tape:
    """The bytes of one connection: its opening handshake, and what the case has to do with.

    `ours` and `theirs` are addresses as (host, port), ("", 0) when not known. `ended_s` is None while it is open.
    """

    began: datetime
    ours: tuple[str, int]
    theirs: tuple[str, int]
    chunks: tuple[Chunk, ...]
    ended_s: float | None = None


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What is known about the target before a verdict: declared, learned or assumed.

    `supported` holds the actions that the target did not refuse as unknown or unsupported in the baseline;
    None while that is not known. `message_timeout_s` is its own MessageTimeout, else 30.
    `declared` and `denied` are actions that the target claims to support, and not to, by its PICS file or base report
    (`fuzz.pics.claims` says how they are written); what is in neither is not known.
    `volatile` are the names of variables that change by themselves, learned while nothing was asked
    (`fuzz.ocppj.variables.describe` says how they are written). `clock_offset_s` is how far its clock is ahead of
    ours, as far as its messages tell; None when they do not.
    """

    side: Side
    url: str = ""
    identity: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    security_profile: int = 0
    edition: str = "ed3"
    version: str = "2.0.1"
    supported: frozenset[str] | None = None
    declared: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    message_timeout_s: float = 30.0
    items_per_message: Mapping[str, int] = field(default_factory=dict)
    bytes_per_message: Mapping[str, int] = field(default_factory=dict)
    volatile: frozenset[str] = frozenset()
    clock_offset_s: float | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that was seen of one played case; oracles read nothing else.

    `said` are the messages as sent (heavy ones cut), `call_id` the messageId of the case's own message when a
    correct peer could read one. `replies` are CALLRESULTs and CALLERRORs attributed to the case's message
    (ids "-1", "" and null included when the message was unreadable), in order of arrival; `strays` answer nothing
    that we asked; `calls` are the target's own CALLs meanwhile. `probe_after` tells whether the next harmless CALL
    was served. `figures` were read by `Gauge` steps, `caught` came to our catcher, `log` are the lines that the target
    wrote meanwhile, `tapes` the bytes of the connections. What happened in which order is in `entries`;
    `fuzz.ocppj.history` reads it. `inconclusive` is the reason why no verdict may be given, else "".
    """

    case: Case
    facts: TargetFacts
    entries: Sequence[Entry] = ()
    said: tuple[str, ...] = ()
    call_id: str | None = None
    replies: tuple[Heard, ...] = ()
    strays: tuple[Heard, ...] = ()
    calls: tuple[Heard, ...] = ()
    settled: Settled = Settled.ANSWERED
    close: Close | None = None
    process: ProcessEnd | None = None
    boots: int = 0
    boot_reasons: tuple[str, ...] = ()
    restart_asked: bool = False
    probes: Probes = field(default_factory=Probes)
    figures: tuple[Figures, ...] = ()
    caught: tuple[Caught, ...] = ()
    log: tuple[str, ...] = ()
    tapes: tuple[Tape, ...] = ()
    inconclusive: str = ""


# --- what it means ----------------------------------------------------------------------------------------


class Basis(StrEnum):
    """What a violation rests on (design 2.3)."""

    SHALL = "shall-broken"
    SCHEMA = "schema-broken"
    STOPPED_SERVING = "stopped-serving"
    LEAK = "leak"
    HARDENING = "hardening"


class Severity(IntEnum):
    """How bad it is, worst last."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that the target broke in one observation.

    `oracle` is the id (`O4`), `name` its words (`unanswered-call`). `symptom` is short, stable and free of values
    that change from run to run: it is part of the fingerprint. `remark` marks a tolerated deviation: listed, never
    an exit code, promoted by `--strict`. `clause` names the source (requirement id, Part and section), `cwe` is
    such as `CWE-248`.
    """

    oracle: str
    name: str
    basis: Basis
    severity: Severity
    symptom: str
    text: str
    clause: str = ""
    cwe: str = ""
    remark: bool = False


class Verdict(IntEnum):
    """The outcome of one case; the worst wins."""

    PASS = 0
    INCONCLUSIVE = 1
    FAIL = 2
    ERROR = 3


class FindingStatus(StrEnum):
    """How far a finding has come."""

    CANDIDATE = "candidate"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Run:
    """One play of a finding's case, or of its control, and whether it showed the symptom."""

    control: bool
    shown: bool
    entries: Sequence[Entry]
    inconclusive: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation that was seen, repeated, and shrunk.

    `confirmed` of `tries` repeats showed it again, `control_hits` of `control_tries` control plays showed it too
    (must be 0). `case` is the smallest case known, `original` the one that found it. `also` names other case ids of
    the same fingerprint. `exchanges` is how many messages the campaign had exchanged when it was first seen. `tool` and
    `target` tell versions and who was attacked, for the report's first line. `not_minimal` says why a smaller case may
    exist that was not looked for; "" where there is none that we know how to find. `made_with` are the versions of the
    tool and of what is under it. `runs` are all plays that repeated it or its control, `tapes` the connections' bytes of
    the last one; both go into files of their own and are not read back.
    """

    fingerprint: str
    violation: Violation
    case: Case
    original: Case
    facts: TargetFacts
    status: FindingStatus = FindingStatus.CANDIDATE
    confirmed: int = 0
    tries: int = 0
    control_hits: int = 0
    control_tries: int = 0
    entries: Sequence[Entry] = ()
    also: tuple[str, ...] = ()
    tool: str = ""
    first_seen: str = ""
    exchanges: int = 0
    notes: tuple[str, ...] = ()
    not_minimal: str = ""
    made_with: str = ""
    runs: tuple[Run, ...] = ()
    tapes: tuple[Tape, ...] = ()


class ReplayOutcome(StrEnum):
    """What became of a stored case."""

    REPRODUCED = "reproduced"
    FIXED = "fixed"
    CHANGED = "changed"
    NOT_RUN = "not run"


# --- engine events: reports and displays consume them -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CampaignStarted:
    """The first event: what is attacked, with what seed and phases."""

    facts: TargetFacts
    seed: int
    phases: tuple[str, ...]
    max_time_s: float | None
    max_cases: int | None


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase begins; `planned` is None when it runs on budget."""

    phase: str
    planned: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Counters so far, sent a few times a second at most.

    `answers` counts by class (`CALLRESULT`, an error code, `silence`, `closed`); `coverage` maps a table's name
    (`sites`, `boundaries`, ...) to (reached, total) for supported actions; `rate` is cases per second.
    """

    phase: str
    cases: int
    elapsed_s: float
    rate: float
    findings: int
    remarks: int
    inconclusive: int
    answers: Mapping[str, int]
    coverage: Mapping[str, tuple[int, int]]
    current: str = ""


@dataclass(frozen=True, slots=True)
class FindingReported:
    """A finding is new, or known better than before (same fingerprint)."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class RemarkReported:
    """A tolerated deviation was seen for the first time in this campaign."""

    violation: Violation
    case_id: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know; `level` is `info`, `warning` or `action` (a person must do something)."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """A phase is over; `complete` is False when the budget or Ctrl-C ended it."""

    phase: str
    cases: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Turnout:
    """What came of the cases of one action in one position; `action` is "" for messages that name none.

    `judged` cases came to a verdict, `inconclusive` ones did not, `left_out` ones were never played, counted by reason;
    in `measured` ones the figures of the target's process were read. `remarks` holds the first one of each oracle and
    how many there were, `objections` pairs of an oracle and the fingerprint of the finding that its objection became,
    or adds nothing to.
    """

    action: str
    position: Position
    judged: int = 0
    inconclusive: int = 0
    measured: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[tuple[Violation, int], ...] = ()
    objections: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FullPass:
    """What the whole systematic phase costs a target: its cases, how many end a connection, and measured seconds.

    `reconnect_s` is None where no connection was lost, so that nothing was measured.
    """

    cases: int
    reconnects: int
    answer_s: float
    reconnect_s: float | None

    @property
    def seconds(self) -> float:
        """About how long it takes: every case waits for one answer."""
        return self.cases * self.answer_s + self.reconnects * (self.reconnect_s or 0.0)


@dataclass(frozen=True, slots=True)
class Summary:
    """The outcome of a campaign; `exit_code` is 0 no finding, 1 findings, 3 nothing proven.

    `unconfirmed` was seen and did not repeat, or showed without its fault too; it counts for nothing. `exchanges` counts
    the CALLs of both sides and what was said that is no CALL. `warnings` are doubts about the campaign itself,
    `unreached` what it could not reach, with the reason. `disturbed` counts the reasons for which single cases were
    inconclusive.
    """

    facts: TargetFacts
    seed: int
    cases: int
    elapsed_s: float
    findings: tuple[Finding, ...]
    remarks: tuple[RemarkReported, ...]
    inconclusive: int
    answers: Mapping[str, int]
    coverage: Mapping[str, tuple[int, int]]
    left_changed: tuple[str, ...]
    unavailable: tuple[str, ...]
    exit_code: int
    reason: str = ""
    blocked: Mapping[str, int] = field(default_factory=dict)
    not_asked: Mapping[str, int] = field(default_factory=dict)
    exchanges: int = 0
    warnings: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    turnouts: tuple[Turnout, ...] = ()
    unconfirmed: tuple[Finding, ...] = ()
    full_pass: FullPass | None = None
    disturbed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CampaignEnded:
    """The last event."""

    summary: Summary


EngineEvent: TypeAlias = (
    CampaignStarted
    | PhaseStarted
    | Progress
    | FindingReported
    | RemarkReported
    | Note
    | PhaseEnded
    | CampaignEnded
)


# --- seams ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Handshake:
    """What is known of a connection before its first message; empty strings and None mean: not known.

    `context_takeover` tells whether our compressed messages may build upon earlier ones (RFC 7692 section 7.1.1).
    `peer_certificate` is the verified certificate of the peer, DER.
    """

    identity: str = ""
    path: str = ""
    subprotocol: str = ""
    offered_subprotocols: tuple[str, ...] = ()
    remote: str = ""
    tls_version: str = ""
    cipher_suite: str = ""
    peer_common_name: str = ""
    basic_user: str = ""
    compression: bool = False
    context_takeover: bool = False
    peer_certificate: bytes = b""


class Link(Protocol):
    """One open connection that moves whole messages and knows no meaning."""

    @property
    def handshake(self) -> Handshake:
        """How the connection came about."""
        ...

    async def send_text(self, text: str) -> None:
        """Send one text message. Raises `LinkClosed`; lone surrogates are sent as invalid UTF-8."""
        ...

    async def send_bytes(self, data: bytes, *, opcode: str) -> None:
        """Send one message of raw bytes as `text` or `binary`. Raises `LinkClosed`."""
        ...

    async def send_raw(self, data: bytes) -> None:
        """Write bytes below the WebSocket layer. Raises `LinkClosed`, `UsageError` where it cannot."""
        ...

    async def receive(self) -> str | bytes:
        """The next message: str for text, bytes for binary. Raises `LinkClosed`."""
        ...

    def pongs(self) -> Sequence[bytes]:
        """What pongs held that no `ping` waits for, since this was asked last; empty where there are no frames."""
        ...

    async def ping(self, timeout_s: float) -> bool:
        """True when a WebSocket pong came back in time."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close properly; never raises."""
        ...

    async def abort(self) -> None:
        """Cut the connection without a close frame; never raises."""
        ...


class Door(Protocol):
    """Where links come from: a listener that waits for a station, or a dialler that calls a CSMS."""

    @property
    def side(self) -> Side:
        """Who is on the other side of the door."""
        ...

    async def open(self, timeout_s: float) -> Link:
        """The next link with the target. Raises `TargetUnavailable` with what to check."""
        ...

    async def aclose(self) -> None:
        """Stop listening or dialling."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A voice's answer to a CALL of the target: a payload, or an error code with a description."""

    payload: JsonObject | None = None
    error_code: str = ""
    description: str = ""


class Voice(Protocol):
    """Our proper end of the conversation: keeps the target in the wanted state while it is attacked. Sans-IO."""

    def opening(self) -> Sequence[tuple[str, JsonObject]]:
        """The CALLs (action, payload) to make, one after another, on a fresh connection before it counts as booted."""
        ...

    def answer(self, action: str, payload: JsonValue) -> Answer:
        """The proper answer to the target's CALL; takes note of what it says."""
        ...

    def learned(self, action: str, payload: JsonValue, answer: JsonValue) -> None:
        """Take note of the target's answer to a CALL that we made properly."""
        ...

    @property
    def booted(self) -> bool:
        """True when the target may be sent ordinary CALLs on the present connection."""
        ...


class Ability(StrEnum):
    """What a target adapter can do; every absence is reported."""

    START = "start"
    STOP = "stop"
    KILL = "kill"
    ALIVE = "alive"
    OPERATOR = "operator"
    MEMORY = "memory"
    FIGURES = "figures"
    LOG = "log"


class Target(Protocol):
    """Our hold on the thing under test; everything is optional and `abilities` says what there is."""

    @property
    def name(self) -> str:
        """For people: `embedded station`, `command: ./run.sh`."""
        ...

    @property
    def owned(self) -> bool:
        """True when we started it, so that every effect is allowed."""
        ...

    @property
    def abilities(self) -> frozenset[Ability]:
        """What this adapter can do."""
        ...

    async def start(self) -> None:
        """Start or restart it. Raises `TargetUnavailable`."""
        ...

    async def stop(self) -> None:
        """Stop it gently, then firmly."""
        ...

    async def kill(self) -> None:
        """Stop it at once, as a power cut would."""
        ...

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        """How the process ended, waiting at most `timeout_s`; None while it runs or when it cannot be known."""
        ...

    async def operator(self, event: str, argument: str = "") -> bool:
        """Have something done at the target; False when nobody can."""
        ...

    def memory(self) -> int | None:
        """Resident bytes, None when not known."""
        ...

    def figures(self) -> Figures | None:
        """What its process uses now, None when not known."""
        ...

    def log_lines(self) -> Sequence[str]:
        """The last lines that the target wrote, newest last."""
        ...

    def log_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """How many lines it wrote so far, and those after the first `mark` that are still kept."""
        ...


class Catcher(Protocol):
    """Waits on this machine for whoever follows the addresses that our messages tell."""

    def slots(self) -> Mapping[str, str]:
        """The values of its slots, such as `canary.url`; fresh ones for every play."""
        ...

    def caught(self) -> Sequence[Caught]:
        """What came since `slots` was called last; `at_s` counts from then."""
        ...

    def late(self) -> Sequence[str]:
        """The values of `canary.token` in earlier plays that somebody followed since this was asked last."""
        ...


@runtime_checkable
class Deafening(Protocol):
    """A link that can be left open without anybody reading it."""

    def deafen(self) -> None:
        """Read nothing any more, and answer nothing, not even a ping; `abort` ends it."""
        ...


@runtime_checkable
class TapingDoor(Protocol):
    """A door that writes down the bytes of its connections."""

    @property
    def recorder(self) -> Recorder:
        """Where they are written down."""
        ...


class Recorder(Protocol):
    """The tapes of a door."""

    def rewind(self) -> None:
        """What counts begins now."""
        ...

    def tapes(self) -> tuple[Tape, ...]:
        """Every connection on which anything was said since then, each with its opening handshake."""
        ...


@runtime_checkable
class HostileDoor(Protocol):
    """A door that can also receive callers badly."""

    def misbehave(self, how: str, times: int, told: Callable[[str], None] | None = None) -> None:
        """Treat the next `times` callers in this way, and tell of each; 0 times: properly again.

        Raises `UsageError` for an unknown way.
        """
        ...
