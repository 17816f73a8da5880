"""One station as the CSMS knows it: what it may say, what it is told when it boots, its certificate's renewal.

Knows messages and their order (B01 to B03, A02, A04); answers that depend on nothing are the voice's. It outlives
connections. Must not know who else there is, nor how the station was let in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import assert_never

from fuzz.clock import Clock
from fuzz.csms import papers
from fuzz.csms.enrolment import Enrolled
from fuzz.csms.events import BootStatus, Close, Command, Note, SendText
from fuzz.csms.facts import member, text
from fuzz.csms.hooks import Hooks
from fuzz.csms.voice import CsmsVoice
from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call, ErrorCode
from fuzz.ocppj.peer import Answered, CallReceived, Ignored, Peer, PeerEvent, Refused, Reply
from fuzz.records import Answer
from strategies.labels import JsonObject, Sender
from strategies.version import Version

_NOT_OFFERED = frozenset({"Get15118EVCertificate"})
_BOOT = "BootNotification"
_SIGN = "SignCertificate"
_TRIGGER = "TriggerMessage"
_FOLLOWS = {"SignChargingStationCertificate": _SIGN, "SignCombinedCertificate": _SIGN}
_MAX_QUEUE = 16
_MAX_SIGNED = 10
_SIGNING_WINDOW_S = 60.0
_MAX_KEYS = 64
_WRONG_SERIAL = 1008
SIGN_TRIGGER = "SignChargingStationCertificate"


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every station: heartbeat and retry interval, trusted owners, whether there is a CA."""

    interval_s: int = 300
    retry_s: int = 10
    organizations: tuple[str, ...] = ()
    signs: bool = True


@dataclass(frozen=True, slots=True)
class _Renewal:
    """A certificate that was made for the station: by which key, in place of which certificate."""

    key: str
    fingerprint: str
    replaces: str


class Station:
    """The conversation with one station, over all its connections."""

    def __init__(
        self,
        enrolled: Enrolled,
        *,
        rules: Rules,
        hooks: Hooks,
        clock: Clock,
        version: Version,
        ids: Callable[[], str],
        drop: Callable[[str], None],
    ) -> None:
        """A station that has not called yet; `drop` is told the fingerprints of certificates that are over."""
        self.enrolled = enrolled
        self.voice = CsmsVoice(clock, interval_s=rules.interval_s, protocol=version)
        self.boot_status = enrolled.boot
        self.accepted = False
        self.connection: int | None = None
        self._rules, self._hooks, self._clock, self._drop = rules, hooks, clock, drop
        serves = set(version.sent_by(Sender.STATION)) - _NOT_OFFERED
        self._peer = Peer(version, ids=ids, serves=serves, max_queue=_MAX_QUEUE)
        self._triggered: set[str] = set()
        self._certified = False
        self._expired = False
        self._shown = ""
        self._key = ""
        self._boots_left = enrolled.pending_boots
        self._renewal: _Renewal | None = None
        self._sent: _Renewal | None = None
        self._keys: deque[str] = deque(maxlen=_MAX_KEYS)
        self._signed: deque[float] = deque(maxlen=_MAX_SIGNED)
        self._out: list[Command] = []

    # --- connections --------------------------------------------------------------------------------------

    def connected(
        self, connection: int, leaf: bytes, *, certified: bool, expired: bool
    ) -> list[Command]:
        """The station has come in; `leaf` is the certificate that it showed, b"" for none."""
        if self.connection is not None:
            # The station lost the old one, or somebody holds its key as well; the newest is the station.
            self._close(1008, "replaced by a newer connection")
            self.lost()
        self.connection, self._certified, self._expired = connection, certified, expired
        self._note(f"connected with security profile {self.enrolled.security_profile}")
        if leaf:
            self._look_at(leaf)
        return self._done()

    def lost(self) -> None:
        """The connection is gone; what was asked over it stays unanswered."""
        self.connection = None
        self._triggered.clear()
        self._not_told()
        self._peer.forget()

    def _not_told(self) -> None:
        """A certificate is on its way, and nobody knows whether it has arrived: when it is used, it has."""
        if self._sent is not None:
            self._renewal, self._sent = self._sent, None

    def _look_at(self, leaf: bytes) -> None:
        shown = papers.load(leaf)
        self._shown = papers.fingerprint(leaf)
        self._key = "" if shown is None else papers.key_of(shown)
        renewal = self._renewal
        if renewal is not None and renewal.fingerprint == self._shown:
            # The new one works: now the old one is over, and no sooner (A02.FR.07, FR.10).
            if renewal.replaces:
                self._drop(renewal.replaces)
            self._renewal = None
            self._note("uses its new certificate; the old one is not accepted any more")

    # --- messages -----------------------------------------------------------------------------------------

    def heard(self, message: str | None) -> list[Command]:
        """What follows from one text message, or from a binary one (None)."""
        if self.connection is None:
            # It was closed; what still comes over it changes nothing.
            return []
        event = self._peer.hear_bytes() if message is None else self._peer.hear(message)
        self._hear(event)
        return self._done()

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do."""
        return self._peer.deadline

    def tick(self) -> list[Command]:
        """A CALL of ours may have stayed unanswered for too long."""
        late = self._peer.expire(self._clock.monotonic())
        if late is not None:
            self._note(f"did not answer {late.call.action}")
            if late.call.action == "CertificateSigned":
                self._not_told()
        return self._done()

    def trigger(self, message: str) -> list[Command]:
        """Asks for a message (F06)."""
        self._trigger(message)
        return self._done()

    def set_boot_status(self, status: BootStatus) -> list[Command]:
        """From its next BootNotification on the station is told that; a waiting one is asked to boot (B02.FR.01)."""
        self.boot_status = status
        self._boots_left = 0
        if status is not BootStatus.ACCEPTED:
            self.accepted = False
        elif not self.accepted and self.connection is not None:
            self._trigger(_BOOT)
        return self._done()

    def _hear(self, event: PeerEvent) -> None:
        match event:
            case CallReceived(call):
                self._asked(call)
            case Reply(said):
                self._send(said)
            case Answered(call, payload):
                self._answered(call, payload)
            case Refused(call, code):
                self._note(f"refused {call.action} with {code[:40]!a}")
                self._refused(call)
            case Ignored():
                pass
            case _:
                assert_never(event)

    def _asked(self, call: Call) -> None:
        if not self._may_say(call.action):
            wrong = RemoteProtocolError(ErrorCode.SECURITY_ERROR, "the boot was not accepted")
            self._send(self._peer.refuse(call, wrong))
            return
        self._triggered.discard(call.action)
        if call.action == _BOOT:
            self._boot(call)
            return
        if call.action == _SIGN:
            self._sign(call)
            return
        self._answer(call, self.voice.answer(call.action, call.payload))
        if call.action == "SecurityEventNotification":
            self._note(f"security event {self.voice.facts.security_events[-1].type!a}")

    def _answer(self, call: Call, answer: Answer) -> None:
        if answer.payload is not None:
            self._send(self._peer.answer(call, answer.payload))
            return
        self._send(
            self._peer.refuse(call, RemoteProtocolError(answer.error_code, answer.description))
        )

    def _may_say(self, action: str) -> bool:
        if self.accepted:
            return True
        return self._hooks.speaks(action, self._allowed())

    def _allowed(self) -> Collection[str]:
        return {_BOOT, *self._triggered}

    # --- boot ---------------------------------------------------------------------------------------------

    def _boot(self, call: Call) -> None:
        said = text(member(call.payload, "chargingStation"), "serialNumber")
        if self._certified and not self._hooks.serial(said, self.enrolled.name):
            # B01.FR.12: somebody uses a certificate that is not its own.
            self._note("the serial number in its BootNotification is not that of its certificate")
            self._close(_WRONG_SERIAL, "serialNumber is not that of the certificate")
            self.lost()
            return
        answer = self.voice.answer(_BOOT, call.payload)
        status = self._status()
        self.accepted = status is BootStatus.ACCEPTED
        self._note(f"booted: {status.value}")
        payload = {**(answer.payload or {}), "status": status.value}
        if status is not BootStatus.ACCEPTED:
            payload["interval"] = self._rules.retry_s
        self._send(self._peer.answer(call, payload))
        if self._expired and status is BootStatus.PENDING:
            self._trigger(SIGN_TRIGGER)

    def _status(self) -> BootStatus:
        """What this boot is answered with; a station with an expired certificate waits for its new one."""
        if self.boot_status is BootStatus.REJECTED:
            return BootStatus.REJECTED
        if self._expired:
            return BootStatus.PENDING
        if self.boot_status is BootStatus.PENDING and self._boots_left > 0:
            self._boots_left -= 1
            if self._boots_left == 0:
                self.boot_status = BootStatus.ACCEPTED
            return BootStatus.PENDING
        return self.boot_status

    # --- certificates -------------------------------------------------------------------------------------

    def _sign(self, call: Call) -> None:
        """A request for a certificate: certified when there is nothing against it (A02.FR.11, FR.12)."""
        csr = text_of(call.payload, "csr")
        kind = text(call.payload, "certificateType")
        reason = self._why_not_sign(csr, kind)
        status = "Rejected" if reason else "Accepted"
        self._note(f"SignCertificate {status}{f': {reason}' if reason else ''}")
        self._send(self._peer.answer(call, {"status": status}))
        if not reason:
            self._certify(csr, kind)

    def _why_not_sign(self, csr: str, kind: str) -> str:
        now = self._clock.monotonic()
        if kind == "V2GCertificate":
            return "no certificates of ISO 15118 are made here"
        if not self._rules.signs:
            return "there is no CA here"
        if self.enrolled.security_profile == 1:
            return "not over a connection without TLS"
        if self._sent is not None:
            return "the last certificate is still on its way"
        full = len(self._signed) == _MAX_SIGNED
        if full and now - self._signed[0] < _SIGNING_WINDOW_S:
            return "too many requests"
        if reason := self._hooks.request(csr, self.enrolled.name, self._rules.organizations):
            return reason
        request = papers.load_request(csr)
        key = "" if request is None else papers.key_of(request)
        # A02.FR.02: a new key pair; the same again is fine only for a certificate that never arrived (A02.FR.17).
        used = bool(key) and (key == self._key or key in self._keys)
        return "the key is in use already" if used else ""

    def _certify(self, csr: str, kind: str) -> None:
        organization = papers.organization_of(csr)
        chain = self._hooks.issue(csr, self.enrolled.name, organization)
        request = papers.load_request(csr)
        made = papers.first_fingerprint(chain)
        if request is None or not made:
            # Nobody can sign here, or a planted defect has accepted what nobody could.
            return
        self._signed.append(self._clock.monotonic())
        self._sent = _Renewal(papers.key_of(request), made, self._shown)
        payload: JsonObject = {"certificateChain": chain}
        if kind:
            payload["certificateType"] = kind  # A02.FR.14
        self._call("CertificateSigned", payload)

    def _answered(self, call: Call, payload: JsonObject) -> None:
        status = text(payload, "status")
        self._note(f"{call.action} {status or 'answered'}")
        if status == "Accepted" and call.action == "CertificateSigned" and self._sent is not None:
            self._keys.append(self._sent.key)
            self._renewal, self._sent = self._sent, None
        elif status != "Accepted":
            self._refused(call)

    def _refused(self, call: Call) -> None:
        """The station did not do what we asked."""
        if call.action == _TRIGGER:
            wanted = text(call.payload, "requestedMessage")
            self._triggered.discard(_FOLLOWS.get(wanted, wanted))
        if call.action == "CertificateSigned" and self._sent is not None:
            # The certificate in use stays (A02.FR.07); nobody shall use the one that was refused.
            self._drop(self._sent.fingerprint)
            if lost := self._hooks.refused(self._sent.replaces):
                self._drop(lost)
            self._sent = None

    # --- pieces -------------------------------------------------------------------------------------------

    def _trigger(self, message: str) -> None:
        if message == SIGN_TRIGGER and self._rules.organizations:
            # What A02 takes for granted: the station knows whom it belongs to.
            self._call("SetVariables", _owned_by(self._rules.organizations[0]))
        if self._call(_TRIGGER, {"requestedMessage": message}):
            self._triggered.add(_FOLLOWS.get(message, message))

    def _call(self, action: str, payload: JsonObject) -> bool:
        if self.connection is None or self._peer.room <= 0:
            self._note(
                f"{action} not sent: {'not connected' if self.connection is None else 'busy'}"
            )
            return False
        self._peer.call(action, payload)
        return True

    def _send(self, said: str) -> None:
        if self.connection is not None:
            self._out.append(SendText(self.connection, said))

    def _close(self, code: int, reason: str) -> None:
        if self.connection is not None:
            self._out.append(Close(self.connection, code, reason))

    def _note(self, what: str) -> None:
        self._out.append(Note(f"{self.enrolled.identity}: {what}"))

    def _done(self) -> list[Command]:
        if self.connection is not None and (said := self._peer.pump(self._clock.monotonic())):
            self._send(said)
        done, self._out = self._out, []
        return done


def _owned_by(organization: str) -> JsonObject:
    return {
        "setVariableData": [
            {
                "component": {"name": "SecurityCtrlr"},
                "variable": {"name": "OrganizationName"},
                "attributeValue": organization,
            }
        ]
    }


def text_of(payload: JsonObject, name: str) -> str:
    """A member that is a string, whole; the schema has bounded it."""
    found = payload.get(name)
    return found if isinstance(found, str) else ""
