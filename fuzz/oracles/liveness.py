"""Is it still there? Process death (O1), silent restart (O2), closed connections (O3), zombies (O5).

Knows process ends, boots, close codes and probes; must not look into messages beyond what explains a boot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fuzz.ocppj.history import Deed
from fuzz.oracles.reactions import ORDERLY_CLOSES
from fuzz.oracles.reading import reaction, scene
from fuzz.oracles.registry import oracle, violation
from fuzz.oracles.replies import stuck
from fuzz.oracles.restarts import USES, died_in_a_reset, done_again
from fuzz.oracles.websocket import asks_to_close, received_badly, unanswered_ping
from fuzz.records import (
    LEFT_OPEN,
    AnswerNext,
    Basis,
    Disconnect,
    Observation,
    Operator,
    Preamble,
    RepeatSteps,
    Severity,
    Step,
    TlsStep,
    Violation,
)
from strategies.labels import Channel, Fault, Position, Stance

_SIGNAL_CWE = {
    4: "CWE-248",
    6: "CWE-617",
    7: "CWE-119",
    8: "CWE-369",
    9: "CWE-400",
    11: "CWE-119",
}
"""What usually lies behind a signal: abort an assertion, 7 and 11 memory, 8 a division, 9 the memory killer."""

_ASKED_FOR = frozenset({"RemoteReset", "ScheduledReset", "FirmwareUpdate"})
_FRAME_CLOSES = (1002, 1003, 1007, 1009)
_NO_FRAME, _INTERNAL_ERROR = 1006, 1011
_ABNORMAL = frozenset({_NO_FRAME, _INTERNAL_ERROR})


@oracle("O1", name="process-death", clause="Part 4 section 3.1; FR.03", cwe="CWE-248")
def process_death(obs: Observation) -> Iterator[Violation]:
    """The target's process does not end because of anything a peer says.

    A peer must be able to say anything without stopping a Charging Station or a CSMS: whoever sits at the other end
    of the connection could switch it off. Seen as the end of a process that we own, unless we asked it to restart.
    A process may end for a Reset, but not with an error where it had outlived another one.
    An orderly end after an opening handshake that failed is a remark: a client may give up, and leave it to whoever
    watches over it to start it again.

    Seen: a message whose bytes could not be written into the error that was to be sent (CVE-2025-59399); an EVSE
    number beyond the last one (CVE-2026-26008); an over-long field (CVE-2026-4156).

    Fix: catch the exception where the message is handled, answer CALLERROR, and keep reading. Catch it as well while
    the CALLERROR itself is made; that is where the second half of these bugs lives.
    """
    if symptom := died_in_a_reset(obs):
        text = f"the process ended with {symptom} for a Reset, after it had outlived another one"
        yield violation("O1", Basis.STOPPED_SERVING, Severity.CRITICAL, symptom, text)
        return
    if obs.process is None or obs.restart_asked:
        return
    if obs.process.code == 0 and any(e.kind == "caller" for e in obs.entries):
        text = "the process ended with exit 0 after an opening handshake that failed"
        symptom = "gave up after a failed handshake"
        yield violation("O1", Basis.HARDENING, Severity.LOW, symptom, text, remark=True)
        return
    cwe = _SIGNAL_CWE.get(-obs.process.code, "") if obs.process.code < 0 else ""
    text = f"the process ended with {obs.process.symptom}"
    yield violation(
        "O1", Basis.STOPPED_SERVING, Severity.CRITICAL, obs.process.symptom, text, cwe=cwe
    )


@oracle("O2", name="silent-restart", clause="Part 4 section 5.3; B01", cwe="CWE-248")
def silent_restart(obs: Observation) -> Iterator[Violation]:
    """The target does not boot again unless it was asked to.

    After a reconnect a Charging Station sends BootNotification only when something in it changed (Part 4 section
    5.3), so one that nobody asked for means that its software started again. A boot that names a reset or firmware
    update as its reason is a remark: an earlier request may explain it, unless that one was seen to be done.

    Seen: whatever kills a process behind a supervisor looks like this from outside, CVE-2025-59399 among them: only
    a lost connection and a boot tell of it.

    Fix: look for a watchdog or supervisor entry at that time; the cause is a crash or hang like in O1.
    """
    if not obs.boots or obs.restart_asked or obs.process is not None:
        return
    if done_again(obs):
        text = "one Reset was asked for and done, and the station boots for it once more"
        yield violation(
            "O2", Basis.STOPPED_SERVING, Severity.HIGH, "reset done again", text, clause="B12"
        )
        return
    if _boot_explained(obs):
        return
    asked = bool(obs.boot_reasons) and all(r in _ASKED_FOR for r in obs.boot_reasons)
    yield violation(
        "O2",
        Basis.HARDENING if asked else Basis.STOPPED_SERVING,
        Severity.LOW if asked else Severity.CRITICAL,
        "boot for a reset not asked for" if asked else "unasked BootNotification",
        f"{obs.boots} BootNotification after the case's first step, and nothing asked for it",
        remark=asked,
    )


def _boot_explained(obs: Observation) -> bool:
    case = obs.case
    return (
        case.preamble is Preamble.CONNECTED
        or (bool(obs.boot_reasons) and all(r == "Triggered" for r in obs.boot_reasons))
        or (obs.close is not None and not obs.close.by_target)
        or any("BootNotification" in text for text in obs.said if "TriggerMessage" in text)
        or (case.action == "BootNotification" and case.position is not Position.CALL)
        or _restarts_or_reboots(case.steps)
    )


def _restarts_or_reboots(steps: Iterable[Step]) -> bool:
    pending = list(steps)
    while pending:
        match pending.pop():
            case Operator(event=event) if event in USES:
                pass
            case Disconnect() | Operator() | TlsStep() | AnswerNext(action="BootNotification"):
                return True
            case RepeatSteps(steps=inner):
                pending.extend(inner)
            case _:
                pass
    return False


@oracle(
    "O3", name="connection-closed", clause="Part 4 section 3.1; RFC 6455 section 7.4", cwe="CWE-755"
)
def connection_closed(obs: Observation) -> Iterator[Violation]:
    """The target keeps the connection open, or closes it with a code that fits the fault.

    A bad message is answered, not punished by hanging up: every reconnect costs a Charging Station its back-off.
    RFC 6455 names 1007 for text that is not UTF-8, 1003 for binary, 1009 for size, 1002 for bad frames. An orderly
    close after a message that cannot be read is a remark; 1006 (no close frame) and 1011 (internal error) never
    fit, and usually are an uncaught exception in the reader. After an ill frame the close frame may be left out (RFC
    6455 section 7.1.7), and libraries cut off whoever floods them: 1006 is a remark there. Who hangs up and never comes
    back by itself is lost to its operator: critical. A ping is answered by a pong with its data (section 5.5.2): a
    peer that hears none takes the connection for dead and ends it. A client that fails a connection closes it as well
    (section 7.1.7): one that calls anew, and leaves open what it will never use, is a remark.

    Seen: a close code that may not be sent (https://github.com/mikuso/ocpp-rpc/commit/724d328); links that broke on
    a ping, on a compressed message or on a number of thousands of digits.

    Fix: answer CALLERROR and go on reading; close with the fitting code where WebSocket itself demands it.
    """
    if wrong := unanswered_ping(obs):
        text = "the last ping was not answered by a pong with its data"
        clause = "RFC 6455 section 5.5.2"
        yield violation("O3", Basis.SHALL, Severity.MEDIUM, wrong, text, clause=clause)
    for way in received_badly(obs, LEFT_OPEN):
        text = f"a connection was left open for which the handshake was answered with {way}, while another one was made"
        symptom, clause = "connection left open", "RFC 6455 section 7.1.7"
        yield violation(
            "O3", Basis.HARDENING, Severity.LOW, symptom, text, clause=clause, remark=True
        )
    close = obs.close
    if close is None or not close.by_target or obs.restart_asked or obs.process is not None:
        # The end of a process takes its connections with it, and is O1's to judge.
        return
    right = reaction(obs).closes + (_FRAME_CLOSES if _odd_frame(obs) else ())
    if close.code in right or any(m.channel is Channel.HANDSHAKE for m in obs.case.mutations):
        return
    if asks_to_close(obs) and close.code != _INTERNAL_ERROR:
        return
    symptom = f"close {close.code}"
    text = f"the target closed the connection with {close.code}" + _fitting(right)
    gone = _unserved_everywhere(obs)
    if close.code in _ABNORMAL and not (close.code == _NO_FRAME and _may_cut(obs)):
        text += ", and did not come back by itself" if gone else ""
        severity = Severity.CRITICAL if gone else Severity.HIGH
        yield violation("O3", Basis.STOPPED_SERVING, severity, symptom, text, cwe="CWE-248")
    elif _may_hang_up(obs):
        yield violation("O3", Basis.HARDENING, Severity.LOW, symptom, text, remark=True)
    else:
        yield violation("O3", Basis.STOPPED_SERVING, Severity.MEDIUM, symptom, text)


def _fitting(right: tuple[int, ...]) -> str:
    codes = " or ".join(str(c) for c in sorted(set(right)))
    return f"; only {codes} would fit" if right else ""


def _odd_frame(obs: Observation) -> bool:
    """True when the case did something below whole messages about which RFC 6455 leaves a choice."""
    framed = any(m.channel is Channel.FRAME for m in obs.case.mutations)
    return framed and obs.case.expectation.stance is Stance.UNSPECIFIED


def _may_cut(obs: Observation) -> bool:
    """True when the connection has to or may end for an ill frame (RFC 6455 section 7.1.7), or for sheer quantity."""
    framed = any(m.channel is Channel.FRAME for m in obs.case.mutations)
    expectation = obs.case.expectation
    ends = expectation.stance is Stance.REJECT or expectation.fault in (Fault.HEAVY, Fault.FRAME)
    return framed and ends


def _may_hang_up(obs: Observation) -> bool:
    assert obs.close is not None
    if _may_cut(obs):
        return True
    orderly = obs.close.code in ORDERLY_CLOSES or 3000 <= obs.close.code < 5000
    case = obs.case
    unclear = case.expectation.stance is Stance.UNSPECIFIED or bool(case.expectation.disputed)
    answer = case.position in (Position.CALLRESULT, Position.CALLERROR)
    return orderly and (unclear or answer or case.heavy or reaction(obs).may_hang_up)


@oracle("O5", name="zombie", clause="FR.03; Part 4 section 4.1.1", cwe="CWE-755")
def zombie(obs: Observation) -> Iterator[Violation]:
    """The target still serves a harmless CALL afterwards.

    Socket open, process alive, perhaps even WebSocket pings answered, yet no CALL is served: the task that reads messages
    is dead or waits for ever. The same holds for a target that hung up and never came back, or came back with a connection
    on which it hears nothing, and for one that accepted a Reset and then neither restarts nor serves. After a bad answer to
    one of its own CALLs a target goes on sending: one that accepted to send a Heartbeat, and sends nothing for longer than
    its MessageTimeout, is stuck.

    Seen: one accepted setting put the reading thread into an endless loop, while pings were still answered
    (https://github.com/EVerest/EVerest/commit/387a514).

    Fix: supervise the reader, give every wait a bound, and close the connection when the reader ends.
    """
    if obs.process is not None or (obs.restart_asked and not _never_left(obs)):
        return
    probes = obs.probes
    everywhere = _unserved_everywhere(obs)
    if obs.close is not None:
        if obs.close.by_target and everywhere:
            text = "the target closed the connection and serves no new one"
            yield violation("O5", Basis.STOPPED_SERVING, Severity.CRITICAL, "not back", text)
        elif probes.deaf_connection and not obs.boots:
            # It did not restart, and its pongs prove that it reads: the task behind them is not there.
            text = "the connection that follows is open and answers pings, yet serves no CALL; a later one does"
            yield violation("O5", Basis.STOPPED_SERVING, Severity.HIGH, "deaf connection", text)
    elif probes.same_connection is False and not obs.boots:
        ping = "; WebSocket ping is answered" if probes.ping else ""
        where = ", on a new connection neither" if everywhere else ""
        yield violation(
            "O5",
            Basis.STOPPED_SERVING,
            Severity.CRITICAL if everywhere else Severity.HIGH,
            "CALL unserved",
            f"a harmless CALL is not served any more{where}{ping}",
        )
    else:
        yield from stuck(obs)


def _unserved_everywhere(obs: Observation) -> bool:
    return obs.probes.new_connection is False and obs.probes.fresh_identity is not True


def _never_left(obs: Observation) -> bool:
    """True when a restart was waited for in vain over a connection that nothing ended."""
    seen = scene(obs)
    if seen is None or any(h.deed in (Deed.CLOSED, Deed.OPENED, Deed.ENDED) for h in seen):
        return False
    return any(
        h.deed is Deed.OTHER and h.text.endswith("in vain for BootNotification") for h in seen
    )
