"""Does the Charging Station keep to the specification over a whole scene (O11, O13, O14, O31)?

Knows how a history is folded over the model of the specification (`strategies.model`), which objects; every objection has
a topic, and every topic an oracle. Must not know a rule itself: those are in the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.ocppj.lenient import hear
from fuzz.oracles.reading import scene
from fuzz.oracles.registry import oracle, violation
from fuzz.oracles.signing import poor_requests
from fuzz.records import (
    Basis,
    Entry,
    Expect,
    FrameKind,
    Observation,
    RepeatSteps,
    Severity,
    Side,
    Step,
    TargetFacts,
    Violation,
)
from strategies.labels import JsonValue, Kind
from strategies.model import (
    Answered,
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Missed,
    Model,
    Objection,
    Opened,
    Operated,
    Stray,
    Told,
    Topic,
    Unread,
    Weight,
)
from strategies.model.events import member
from strategies.version import version

MAX_NAME = 50
"""As much of an action is looked at."""

_last: tuple[Sequence[Entry], TargetFacts, tuple[Objection, ...]] | None = None


@oracle("O31", name="energy-safety", clause="C01.FR.01; E09.FR.01", cwe="CWE-862")
def energy_safety(obs: Observation) -> Iterator[Violation]:
    """No energy flows for somebody who was not let in.

    A transaction that charges needs an authorization of its own: a token that was shown and not refused, an accepted
    Authorize, or an accepted RequestStartTransaction. One that was used up, or given for an EV that has gone since, does
    not count again (E09.FR.01), nor does one that outlived an EVConnectionTimeOut which was set in the scene (C01.FR.26),
    or that is for another EVSE (C01.FR.19 to FR.21). Spoken of only where the EV was plugged in during the scene, the
    transaction was told from its Started on, nothing was offline, and the token is of a kind that somebody must show;
    whatever a station may know by itself - a cache, a list, AuthEnabled false - counts in its favour. Without a network
    only a token counts that was never seen before, at a station that was told to let no such token in (C15.FR.08). Nor does
    energy flow where a place had been made Inoperative a while before the EV came (G03, G04).

    Seen: an authorisation that outlived its session and let the next car charge
    (https://github.com/EVerest/EVerest/commit/56bc227).

    Fix: keep the authorization in the session of one EV; drop it with that session.
    """
    yield from _spoken(obs, Topic.ENERGY)


@oracle("O13", name="persistence", clause="B01.FR.07; E04; B12.FR.05", cwe="CWE-664")
def persistence(obs: Observation) -> Iterator[Violation]:
    """What was accepted, and what waits to be sent, outlives a reset and a loss of power.

    The station boots again and says so (B01.FR.03), accepted variables read the same, what was made Inoperative stays so
    (B01.FR.07, G03.FR.08, G04.FR.09; what was not seen so before the boot is O11's), roots are listed by the same hash
    data (M03), and no beginning or end of a transaction is lost (E04, B12.FR.05), nor one that was sent and not answered
    (E12, E13). A reset that was agreed to is carried out (B11, B12). A station is missed only where the scene waited for its
    BootNotification in vain, at least half a minute, and the network was never cut; a variable is compared only with what
    was set or read in the same scene, and not at all where the specification lets others change it.

    Seen: a value that was accepted and stored, and with which the station never started again
    (https://github.com/EVerest/EVerest/pull/1782).

    Fix: check a value where it is accepted against everything that a start needs; write queue and settings so that a
    loss of power at any moment leaves the old or the new state.
    """
    yield from _spoken(obs, Topic.LOST)


@oracle("O14", name="idempotency", clause="E01; E13; Part 4 section 4.1.4", cwe="CWE-837")
def idempotency(obs: Observation) -> Iterator[Violation]:
    """What may happen once happens once.

    A transactionId is never used for a second transaction, not even after a reboot (E01); one request is carried out once;
    a TransactionEvent that was acknowledged is not sent again, and one that was not is sent again as it was, under its own
    seqNo, and not more often than MessageAttempts says where the scene has shown it (E13). That a CALL which was sent again
    with its messageId is carried out twice is a remark: Part 4 asks senders for new ids, and receivers for nothing.

    Seen: a firmware update that was carried out twice (https://github.com/matth-x/MicroOcpp/commit/565f6d4); meter
    values doubled by a retry.

    Fix: take transactionIds from a UUID or a counter that is stored before it is used; remember requestIds that are
    being worked on.
    """
    yield from _spoken(obs, Topic.AGAIN)


@oracle("O11", name="state-model", clause="Part 2, blocks B to J", cwe="CWE-841")
def state_model(obs: Observation) -> Iterator[Violation]:
    """The station does nothing that its present state forbids, and what the state demands.

    A model of the specification is folded over everything that happened in the scene: registration, transactions, remote
    control, availability, triggered messages, reports and their values, what connectors are said to be, the reasons and
    times that transactions give, their meter values, questions about tokens, whose certificates are taken for firmware and
    for itself, how transfers go on and end, which network profiles may be stored and used, what it asks to have signed, one
    CALL at a time. It knows only what was seen, and objects to nothing that depends on more; where the specification leaves
    a choice, every choice is right. A message that is owed is missed only where the scene waited for it in vain while the
    station was free to send it.

    Seen: a charging profile for a transaction that there was not
    (https://github.com/EVerest/libocpp/commit/c83af3a); a trigger that was accepted and never followed
    (https://github.com/EVerest/EVerest/commit/3852a50).

    Fix: the symptom names the requirement; look at what the station knew when it answered or sent the message.
    """
    yield from _spoken(obs, Topic.STATE)
    yield from poor_requests(obs)


_SPEAKERS = {Topic.ENERGY: "O31", Topic.LOST: "O13", Topic.AGAIN: "O14", Topic.STATE: "O11"}


def _spoken(obs: Observation, topic: Topic) -> Iterator[Violation]:
    told: set[str] = set()
    for objection in objections(obs):
        if objection.topic is topic and objection.name not in told:
            told.add(objection.name)
            yield spoken(objection)


def spoken(objection: Objection) -> Violation:
    """What the oracle of its topic says of an objection."""
    note = objection.weight is Weight.NOTE
    return violation(
        _SPEAKERS[objection.topic],
        Basis.HARDENING if note else Basis.SHALL,
        Severity(int(objection.weight)),
        f"{objection.rule} {objection.name}",
        objection.text,
        clause=objection.rule,
        remark=note,
    )


def objections(obs: Observation) -> tuple[Objection, ...]:
    """What the model of the specification objects to; nothing for a stateless case, or where a CSMS is the target."""
    global _last
    seen = scene(obs)
    if seen is None or obs.facts.side is not Side.STATION:
        return ()
    if _last is None or _last[0] is not obs.entries or _last[1] is not obs.facts:
        _last = (obs.entries, obs.facts, _folded(obs, seen))
    return _last[2]


def _folded(obs: Observation, seen: History) -> tuple[Objection, ...]:
    facts = obs.facts
    model = Model(
        timeout_s=facts.message_timeout_s,
        volatile=facts.volatile,
        profile=facts.security_profile,
        known={
            "vendorName": facts.vendor,
            "model": facts.model,
            "serialNumber": facts.serial,
        },
    )
    scripted = any(m.keyword == "scenario" for m in obs.case.mutations)
    for event in events(seen, scripted=scripted):
        if isinstance(event, Asked | Told) and _asked(event).action in facts.denied:
            # What follows from an action that the station claims not to support is nobody's to say.
            continue
        try:
            model.saw(event)
        except RecursionError:
            # Nested as deep as the parser goes: nobody needs to understand that.
            model.saw(Unread(event.at_s))
    end_s = max((entry.at_s for entry in obs.entries), default=0.0)
    model.over(end_s, tuple(missed(obs.case.steps, seen)))
    return tuple(model.objections)


def _asked(event: Asked | Told) -> Asked:
    return event.asked if isinstance(event, Told) else event


# --- from histories to the words of the model ---------------------------------------------------------------


def events(seen: History, *, scripted: bool = False) -> Iterator[Event]:
    """A history in the model's words; `scripted` where the case plays the CSMS, so that its whole answers are as good as any."""
    asked: dict[int, Asked] = {}
    called: dict[int, Called] = {}
    for index, h in enumerate(seen):
        name = h.action[:MAX_NAME]
        match h.deed:
            case Deed.ASKED:
                asked[index] = Asked(h.at_s, name, h.payload, h.message_id)
                yield asked[index]
            case Deed.CALLED:
                called[index] = Called(h.at_s, name, h.payload, h.message_id)
                yield called[index]
            case Deed.TOLD:
                yield Told(h.at_s, asked[h.partner], h.payload, _code(h))
            case Deed.ANSWERED:
                call, code = called[h.partner], _code(h)
                proper = not h.case or (scripted and not code and _is_whole(h, call))
                yield Answered(h.at_s, call, h.payload, code, proper=proper)
            case _:
                yield from _plain(h)


def _is_whole(answer: Happening, call: Called) -> bool:
    """True for a CALLRESULT that a CSMS may give to this very CALL."""
    of_no_token = call.action == "TransactionEvent" and member(call.payload, "idToken") is None
    if of_no_token and member(answer.payload, "idTokenInfo") is not None:
        return False
    try:
        return version().validator(call.action, Kind.RESPONSE).is_valid(answer.payload)
    except (KeyError, ValueError):
        return False


def _code(h: Happening) -> str:
    """The errorCode of a CALLERROR, whatever stands in its place; "" for a CALLRESULT."""
    is_error = hear(h.text, h.at_s).kind is FrameKind.CALLERROR
    return (h.error_code or "none") if is_error else ""


def _plain(h: Happening) -> Iterator[Event]:
    match h.deed:
        case Deed.OPERATED:
            yield Operated(h.at_s, h.text)
        case Deed.OPENED:
            yield Opened(h.at_s)
        case Deed.CLOSED:
            yield Closed(h.at_s)
        case Deed.ENDED:
            yield Died(h.at_s)
        case _ if not h.ours:
            yield Unread(h.at_s)
        case _ if hear(h.text, h.at_s).kind in (FrameKind.CALLRESULT, FrameKind.CALLERROR):
            yield Stray(h.at_s, h.message_id)
        case _:
            pass


def missed(steps: Iterable[Step], seen: History) -> Iterator[Missed]:
    """What the scene waited for in vain: each `Expect` for which no CALL is left that no earlier one took."""
    calls = [h for h in seen if h.deed is Deed.CALLED]
    for step in _expects(steps):
        found = next((h for h in calls if h.action == step.action and _fits(h, step)), None)
        if found is None:
            yield Missed(step.action, step.timeout_s, step.where)
        else:
            calls.remove(found)


def _expects(steps: Iterable[Step]) -> Iterator[Expect]:
    for step in steps:
        match step:
            case Expect():
                yield step
            case RepeatSteps():
                for _ in range(min(step.times, 100)):
                    yield from _expects(step.steps)
            case _:
                pass


def _fits(h: Happening, step: Expect) -> bool:
    return all(_at(h.payload, pointer) == wanted for pointer, wanted in step.where)


def _at(value: JsonValue, pointer: str) -> JsonValue:
    """What a pointer leads to, as whoever waits for it has it (`engine.stage`)."""
    for name in pointer.split("/")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) < 2**63:
        return str(value)
    return value
