"""Does the target say more than it was asked, or the same over and over (O22)?

Knows sizes, counts and moments; must not judge what a message says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.oracles.reading import happened, scene
from fuzz.oracles.registry import oracle, violation
from fuzz.records import (
    Basis,
    FrameKind,
    Observation,
    RepeatSteps,
    SendText,
    Severity,
    Step,
    Violation,
)
from strategies.labels import JsonValue, Text

_RATIO = 3
_EXTRA = 10_000
_AGAIN = 5
_AGAIN_S = 2.0
_FLOOD = 30
_FLOOD_S = 1.0
_EARLY = 0.75
_LAG_S = 0.5
"""What is earlier than this share of an interval, and by more than this, is no matter of clocks."""

_IDLE_REPEATS = 4
_IDLE_S = 2.5
_SAID_ONCE = frozenset({"Authorize", "BootNotification", "SignCertificate"})
"""CALLs that a good answer settles; one of a boot is good when it accepts."""

_RETRIED = "TransactionEvent"
_INTERVAL = "messageattemptinterval"
_TIMES = frozenset({"timestamp", "currentTime", "generatedAt"})
_STRETCHING = frozenset(
    {
        "NotifyReport",
        "NotifyMonitoringReport",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEvent",
        "ReportChargingProfiles",
        "SecurityEventNotification",
        "StatusNotification",
    }
)
"""CALLs that lawfully come in numbers: parts of one report, one for each connector, what waited for the network."""


@oracle("O22", name="amplification", clause="Part 2 E13.FR.01 to FR.04", cwe="CWE-406")
def amplification(obs: Observation) -> Iterator[Violation]:
    """A message costs the target and the network no more than it is worth.

    An error that is more than three times as long as the message, and 10 kB longer, lets a small peer fill a big
    pipe; answers that hold what was asked for, and reports, are as long as they are. A CALL that failed is sent again
    only after MessageAttemptInterval times the transmissions before it (E13.FR.02): judged where the scene has shown
    that interval, else only five equal CALLs within two seconds count, or four of which each had a good answer and was
    said again within seconds. What we or an operator caused is no storm, nor what waited for the network.

    Seen: a transaction's end that was refused with CALLERROR and sent again without a pause
    (https://github.com/matth-x/MicroOcpp/commit/d3f93a7); errors that repeat four times what they were sent.

    Fix: never echo the message in an error; wait before each repetition, longer each time, and give up in the end.
    """
    yield from _amplified(obs)
    if len(obs.calls) >= _AGAIN or (len(obs.calls) > 1 and scene(obs) is not None):
        seen = happened(obs)
        yield from _first(_too_early(seen), _again(seen), _although_answered(seen), _flood(seen))


def _amplified(obs: Observation) -> Iterator[Violation]:
    longest = max((len(h.text) for h in obs.replies if h.kind is FrameKind.CALLERROR), default=0)
    if longest <= _EXTRA:
        return
    said = max((_length(text) for text in _texts(obs.case.steps)), default=0)
    if said and longest > _RATIO * said and longest > said + _EXTRA:
        text = f"a CALLERROR of {longest} characters for a message of {said}"
        yield violation(
            "O22",
            Basis.HARDENING,
            Severity.MEDIUM,
            "amplified error",
            text,
            clause="Part 4 section 4.2.3",
        )


def _texts(steps: Sequence[Step]) -> Iterator[Text]:
    for step in steps:
        match step:
            case SendText(text):
                yield text
            case RepeatSteps(inner):
                yield from _texts(inner)
            case _:
                pass


def _length(text: Text) -> int:
    return sum(len(p) if isinstance(p, str) else len(p.unit) * p.times for p in text)


def _first(*lookers: Iterator[Violation]) -> Iterator[Violation]:
    """One storm is one finding, however many ways it can be seen in."""
    for looker in lookers:
        for found in looker:
            yield found
            return


# --- sent again too early -----------------------------------------------------------------------------------


def _too_early(seen: History) -> Iterator[Violation]:
    """E13.FR.02, where the scene has shown MessageAttemptInterval."""
    interval: float | None = None
    sent: list[Happening] = []
    for h in seen:
        before, interval = interval, _interval(seen, h, interval)
        if before != interval or h.deed in (Deed.OPENED, Deed.CLOSED, Deed.ENDED):
            sent = []
        elif h.deed is Deed.CALLED and h.action == _RETRIED:
            sent = [*sent, h] if sent and _content(sent[-1]) == _content(h) else [h]
            if interval and _early(sent, interval):
                text = (
                    f"sent again {h.at_s - sent[-2].at_s:.1f} s after transmission {len(sent) - 1};"
                    f" MessageAttemptInterval is {interval:g} s"
                )
                yield _storm(f"{_RETRIED} sent again too early", text)


def _early(sent: Sequence[Happening], interval: float) -> bool:
    if len(sent) < 2:
        return False
    gap, least = sent[-1].at_s - sent[-2].at_s, interval * (len(sent) - 1)
    return gap < _EARLY * least and least - gap > _LAG_S


def _interval(seen: History, h: Happening, known: float | None) -> float | None:
    """The interval after `h`: what the target said it is, or accepted to be; unchanged where nothing was said."""
    asked = seen.partner(h) if h.deed is Deed.TOLD else None
    if asked is None or asked.action not in ("GetVariables", "SetVariables"):
        return known
    name = f"{asked.action[0].lower()}{asked.action[1:-1]}"
    told = _list(h.payload, f"{name}Result")
    wanted = _list(asked.payload, f"{name}Data")
    for item, answer in zip(wanted, told, strict=False):
        if not _is_interval(answer) or answer.get("attributeStatus") != "Accepted":
            continue
        known = _number(answer.get("attributeValue", item.get("attributeValue")))
    return known


def _is_interval(item: dict[str, JsonValue]) -> bool:
    variable = item.get("variable")
    if not isinstance(variable, dict) or item.get("attributeType", "Actual") != "Actual":
        return False
    name, instance = variable.get("name"), variable.get("instance")
    return (
        isinstance(name, str)
        and name.lower() == _INTERVAL
        and isinstance(instance, str)
        and instance.lower() == _RETRIED.lower()
    )


def _list(payload: JsonValue, name: str) -> list[dict[str, JsonValue]]:
    found = payload.get(name) if isinstance(payload, dict) else None
    return [i if isinstance(i, dict) else {} for i in found] if isinstance(found, list) else []


def _number(text: JsonValue) -> float | None:
    try:
        return float(text) if isinstance(text, str) else None
    except ValueError:
        return None


# --- storms -------------------------------------------------------------------------------------------------


def _again(seen: History) -> Iterator[Violation]:
    """The same CALL five times within two seconds, with nothing said or done that asks for it."""
    sent: dict[str, list[Happening]] = {}
    excuses = 0
    for h in seen:
        if h.deed in (Deed.OPENED, Deed.CLOSED, Deed.ENDED):
            sent.clear()
        elif h.deed is Deed.OPERATED or (h.deed is Deed.ASKED and h.case):
            excuses += 1
        elif h.deed is Deed.CALLED:
            before = sent.get(h.action, [])
            same = bool(before) and _content(before[-1]) == _content(h)
            now = sent[h.action] = [*before, h] if same else [h]
            # The seqNo makes each TransactionEvent another one, whatever asked for it.
            least = _AGAIN if h.action == _RETRIED else _AGAIN + excuses
            if len(now) >= least and h.at_s - now[-least].at_s <= _AGAIN_S:
                yield _storm(
                    f"{h.action} sent again at once",
                    f"the same {h.action} {least} times within {_AGAIN_S:g} s",
                )


def _although_answered(seen: History) -> Iterator[Violation]:
    """A CALL that was answered well said again and again, seconds apart, with nothing said or done that asks for it."""
    sent: dict[str, list[Happening]] = {}
    for h in seen:
        if h.deed in (Deed.OPENED, Deed.CLOSED, Deed.ENDED, Deed.OPERATED) or (
            h.deed is Deed.ASKED and h.case
        ):
            sent.clear()
        elif h.deed is Deed.CALLED and h.action in _SAID_ONCE:
            before = sent.get(h.action, [])
            goes_on = bool(before) and h.at_s - before[-1].at_s <= _IDLE_S
            now = sent[h.action] = [*before, h] if goes_on and _settled(seen, before[-1]) else [h]
            if len(now) >= _IDLE_REPEATS:
                yield _storm(
                    f"{h.action} said again although answered",
                    f"{h.action} {len(now)} times in a row, each at most {_IDLE_S:g} s after a good answer",
                )


def _settled(seen: History, call: Happening) -> bool:
    """Whether a CALL was answered by a CALLRESULT that leaves nothing to ask for."""
    answer = seen.partner(call)
    if answer is None or answer.error_code or not isinstance(answer.payload, dict):
        return False
    return call.action != "BootNotification" or answer.payload.get("status") == "Accepted"


def _flood(seen: History) -> Iterator[Violation]:
    """More CALLs of one action within a second than anything could ask for."""
    sent: dict[str, list[Happening]] = {}
    excuses = 0
    for h in seen:
        if h.deed is Deed.OPERATED or (h.deed is Deed.ASKED and h.case):
            excuses += 1
        elif h.deed is Deed.CALLED and h.action not in _STRETCHING and not _was_offline(h):
            now = sent.setdefault(h.action, [])
            now.append(h)
            least = _FLOOD + excuses
            if len(now) > least and h.at_s - now[-least - 1].at_s <= _FLOOD_S:
                text = f"more than {least} {h.action} within {_FLOOD_S:g} s"
                yield _storm(f"flood of {h.action}", text)


def _was_offline(h: Happening) -> bool:
    return isinstance(h.payload, dict) and h.payload.get("offline") is True


def _content(h: Happening) -> str:
    """What a CALL says, apart from when."""
    payload = h.payload
    # Of a security event the moment is what it is about: several may have waited for a boot to be accepted.
    if isinstance(payload, dict) and h.action != "SecurityEventNotification":
        payload = {name: value for name, value in payload.items() if name not in _TIMES}
    try:
        return json.dumps(payload, sort_keys=True)
    except RecursionError:
        return h.text


def _storm(symptom: str, text: str) -> Violation:
    return violation("O22", Basis.STOPPED_SERVING, Severity.HIGH, symptom, text, cwe="CWE-799")
