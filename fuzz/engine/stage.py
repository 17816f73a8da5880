"""Plays the steps of a scene: asks, expects, answers badly, hangs up, has things done at the target, comes back.

Knows steps, conversations and the target adapter. Must not know verdicts, nor what a step is for. A scene may lose its
connection and go on over the next one; a connection that the target ends although nothing asked for it ends the scene.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from fuzz.clock import rfc3339
from fuzz.engine.conversation import Conversation, Take
from fuzz.engine.effects import asks_to_reconnect
from fuzz.engine.line import Line
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.ocppj.history import arrival
from fuzz.ocppj.lenient import hear
from fuzz.records import (
    ENDED_TO_RESTART,
    Ability,
    AnswerNext,
    Ask,
    Case,
    Close,
    Deafening,
    Disconnect,
    Entry,
    Expect,
    Figures,
    FrameKind,
    Gauge,
    Heard,
    HostileDoor,
    Link,
    LinkClosed,
    Misbehave,
    Operator,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Settle,
    Side,
    Step,
    TlsStep,
    Wait,
    Who,
)
from strategies.labels import JsonValue, spell

RESTARTS = frozenset({"power-cycle"})
"""What a person does that makes the target boot."""

CUTS = frozenset({"cut-network", *RESTARTS})
"""What a person does that ends the connection."""

ABRUPT = 1006
"""The code of a `Disconnect` without a close frame: it cannot be sent (RFC 6455 section 7.4.1)."""

DEAF = 0
"""The code of a `Disconnect` that tells nobody: the connection stays open, and is not read any more."""

_LOOK_S = 2.0
"""How often a target of ours that should come back is looked after, seconds."""

SILENCES = 2
"""Unanswered CALLs in a row behind which a scene goes no further: a target that is dead would keep it waiting for each."""

REFUSED_S = 0.1
"""How long a CALL of the target may take all the same whose cause it refused, seconds."""

IN_VAIN, REFUSED = "waited in vain for", "refused, so not waited for:"
"""How the transcript tells that a CALL of the target did not come."""

MAX_PATH = 500
"""So much of the path that a caller asks for is told."""

_CAUSES = {
    "CustomerInformation": "NotifyCustomerInformation",
    "GetBaseReport": "NotifyReport",
    "GetLog": "LogStatusNotification",
    "GetMonitoringReport": "NotifyMonitoringReport",
    "GetReport": "NotifyReport",
    "Reset": "BootNotification",
    "UpdateFirmware": "FirmwareStatusNotification",
}
"""Which CALL of the target another one of ours causes, unless it is refused."""

_RESETS = frozenset({"Reset", "UpdateFirmware"})
_TAKEN = frozenset({"Accepted", "Scheduled"})
_GRANTED = _TAKEN | {"AcceptedCanceled"}
_OF_ITS_OWN = frozenset({"BootNotification", "TransactionEvent"})
"""What a station that refused to be triggered may well send all the same."""
_STATELESS = (SendText, SendBytes, Wait)


def is_scene(case: Case) -> bool:
    """True for a case that is more than messages said on a booted connection."""
    return not all(isinstance(step, _STATELESS) for step in case.steps)


def of_lab(case: Case) -> bool:
    """True for a case of the TLS lab, which is not played on a line."""
    return any(isinstance(step, TlsStep) for step in case.steps)


def needs_hands(steps: Iterable[Step]) -> bool:
    """True when something has to be done at the target."""
    return any(
        needs_hands(step.steps) if isinstance(step, RepeatSteps) else isinstance(step, Operator)
        for step in steps
    )


@dataclass(slots=True)
class Scene:
    """What became of a scene so far.

    `away` is true from when the connection was given up with intent until there is a new one, `restarting` from when
    the target was made to boot until it does. `spare` is what may end a connection once more, because it was done
    while one was about to end anyway: whether one end comes of both, or two, depends on the target. `unreached` names
    what the scene waited for in vain; a scene that waited in vain for a boot, or for `SILENCES` answers in a row, is
    `stuck`, and `unserved` if a harmless CALL beside the last one was not answered either. `refused` are the CALLs of
    the target that it refused to be made to send, `deaf` the connections that were left half-open. `hung_up` is why we
    ended a connection that nobody wanted ended.
    """

    case: Case
    take: Take
    away: bool = False
    restarting: bool = False
    spare: list[Callable[[], None]] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    stuck: bool = False
    silences: int = 0
    unserved: bool = False
    refused: set[str] = field(default_factory=set)
    hung_up: str = ""
    deaf: list[Link] = field(default_factory=list)
    _expected: set[int] = field(default_factory=set)
    _boots: int = 0
    _glanced: set[str] = field(default_factory=set)

    def expects(self, step: Expect) -> bool:
        """True when a CALL that no earlier step took fits; it is taken then."""
        for i, heard in enumerate(self.take.calls):
            if i not in self._expected and heard.action == step.action and _fits(heard, step):
                self._expected.add(i)
                return True
        return False

    def answered(self, asked: str, answer: Heard) -> None:
        """Take note of whether the target will do what a CALL of ours asked it for."""
        self.silences = 0
        if _status(answer.payload) in _GRANTED:
            self.refused.clear()
        elif caused := _caused(asked):
            self.refused.add(caused)

    def patience_s(self, step: Expect) -> float:
        """How long to wait for a CALL: of what was refused a glance is enough, and one in a scene."""
        if step.action not in self.refused:
            return step.timeout_s
        glance_s = 0.0 if step.action in self._glanced else REFUSED_S
        self._glanced.add(step.action)
        return min(step.timeout_s, glance_s)

    def restart(self) -> None:
        """The target was made to boot."""
        if self.excused:
            self.spare.append(self.restart)
        self.restarting = True
        self._boots = len(self.take.boot_reasons)

    def cut(self) -> None:
        """The target was made to lose its connection."""
        if self.excused:
            self.spare.append(self.cut)
        self.away = True

    @property
    def excused(self) -> bool:
        """True while the end of a connection is what the scene asked for."""
        if self.restarting and len(self.take.boot_reasons) > self._boots:
            self.restarting = False
        return self.away or self.restarting

    def forgives(self) -> bool:
        """Whether the scene asked for the end of a connection that was just lost."""
        if not self.excused and self.spare:
            self.spare.pop(0)()
        return self.excused


class Stage(Line):
    """A line on which scenes are played."""

    async def enact(self, scene: Scene) -> None:
        """Do every step. Raises `LinkClosed` where the target ended a connection, `Flooded`, `TargetUnavailable`."""
        steps = scene.case.steps
        for i, step in enumerate(steps):
            if isinstance(step, Operator) and not (i and isinstance(steps[i - 1], Operator)):
                await self._announce(steps[i:])
            await self._step(scene, step)
            if scene.stuck:
                # Whatever comes next would wait in vain, too, and has nothing to tell.
                return

    async def _announce(self, steps: Sequence[Step]) -> None:
        """Tell a person what is to be done before the next message, all together."""
        announce = getattr(self._target, "announce", None)
        if announce is not None:
            batch = itertools.takewhile(lambda s: isinstance(s, Operator), steps)
            await announce([f"{s.event} {s.argument}".strip() for s in batch])  # type: ignore[union-attr]

    async def _step(self, scene: Scene, step: Step) -> None:
        self._slots.named["time.now"] = rfc3339(self._clock.now())
        match step:
            case RepeatSteps():
                for _ in range(step.times):
                    for inner in step.steps:
                        await self._step(scene, inner)
            case Operator():
                await self._operate(scene, step)
            case Gauge():
                self._gauge(scene, step.label)
            case Misbehave():
                self._door_misbehaves(scene, step)
            case AnswerNext():
                scene.take.answer_next(step.action, self._slots.fill_values(spell(step.text)))
            case Disconnect():
                await self._leave(scene, step.code)
            case TlsStep():
                raise UsageError(f"case {scene.case.id} is one of the TLS lab; play it there")
            case Wait() | Expect():
                await self._wait(scene, step)
            case Ask() | SendText() | SendBytes() | SendFrames() | Settle():
                await self._talk(scene, step)
            case _:
                assert_never(step)

    # --- without a connection ------------------------------------------------------------------------------

    async def _operate(self, scene: Scene, step: Operator) -> None:
        scene.refused.clear()
        words = f"{step.event} {step.argument}".strip()
        if step.event in RESTARTS:
            scene.restart()
            scene.away = True
        elif step.event in CUTS:
            scene.cut()
        done = await self._target.operator(step.event, step.argument)
        if not done:
            scene.unreached.append(f"nobody could do {words!r}")
            scene.away = scene.away and step.event not in CUTS
        _log(scene, self._clock.monotonic(), "operator" if done else "note", words)

    def _gauge(self, scene: Scene, label: str) -> None:
        figures = self._target.figures() if Ability.FIGURES in self._target.abilities else None
        if figures is not None:
            at = self._clock.monotonic() - scene.take.started
            scene.figures.append(replace(figures, at_s=at, label=label))

    def _door_misbehaves(self, scene: Scene, step: Misbehave) -> None:
        if not isinstance(self._door, HostileDoor):
            raise UsageError("callers can be received badly only where we listen")

        def told(how: str) -> None:
            _log(scene, self._clock.monotonic(), "caller", how, who=Who.TARGET)

        self._door.misbehave(step.how, step.times, told)

    def _door_behaves(self, scene: Scene) -> None:
        """Whoever calls after the scene is received properly."""
        for step in scene.case.steps:
            if isinstance(step, Misbehave):
                self._door_misbehaves(scene, replace(step, times=0))

    async def _leave(self, scene: Scene, code: int) -> None:
        scene.away = True
        conversation, self._conversation = self._conversation, None
        if conversation is None:
            return
        if code == DEAF:
            if not isinstance(conversation.link, Deafening):
                raise UsageError("this connection cannot be left half-open")
            conversation.link.deafen()
            scene.deaf.append(conversation.link)
        elif code == ABRUPT:
            await conversation.link.abort()
        else:
            await conversation.link.close(code)
        _log(scene, self._clock.monotonic(), "close", str(code), who=Who.US)

    async def give_up_deaf(self, scene: Scene) -> None:
        """Cut what was left half-open, which the target may take for the end of everything, and come back."""
        while scene.deaf:
            await scene.deaf.pop().abort()
            scene.away = True
            _log(scene, self._clock.monotonic(), "note", "the half-open connection was cut")

    # --- over a connection ---------------------------------------------------------------------------------

    async def _talk(self, scene: Scene, step: Step) -> None:
        """One step that needs a connection; when the old one ended as it should, over the next one."""
        for _ in range(3):
            if isinstance(step, SendFrames):
                conversation = await self._resumed(scene)
            else:
                conversation = await self._free(scene)
            try:
                await self._say_step(scene, conversation, step)
            except LinkClosed:
                self._lost(scene, conversation)
            else:
                return

    async def _say_step(self, scene: Scene, conversation: Conversation, step: Step) -> None:
        match step:
            case SendText():
                await conversation.say(self._slots.fill(step.text))
            case SendBytes():
                await conversation.say_bytes(step.data, step.opcode)
            case SendFrames():
                await conversation.say_raw(step.data)
            case Settle():
                await self._answered(conversation, scene)
            case Ask():
                await self._ask(scene, conversation, step)
            case _:
                raise AssertionError(step)

    async def _ask(self, scene: Scene, conversation: Conversation, step: Ask) -> None:
        text = self._slots.fill(step.text)
        message_id = await conversation.put(text)
        # Whoever was silent just before may serve nothing any more, which shows while this answer is waited for.
        probe = await conversation.ask(*self._probe) if scene.silences else None
        answer = await conversation.answer_to(message_id, self.answer_within_s)
        served = probe is None or await conversation.answer_to(probe, 0.0) is not None
        if answer is None:
            scene.unreached.append("an answer to a CALL of the scene")
            scene.silences += 1
            scene.unserved = not served
            scene.stuck = scene.stuck or scene.silences == SILENCES
            return
        scene.answered(text, answer)
        if _makes_it_leave(text, answer.payload):
            scene.restart()
        elif asks_to_reconnect([text], [answer.payload]):
            scene.away = True

    async def _answered(self, conversation: Conversation, scene: Scene) -> None:
        take = scene.take
        if await conversation.wait(lambda: bool(take.replies), self.pace.soft_s):
            if any(_makes_it_leave(take.said[-1], h.payload) for h in take.replies if take.said):
                scene.restart()
            return
        # Silence by order: what comes behind it is answered, so this never will be.
        probe = await conversation.ask(*self._probe)
        await conversation.wait(lambda: conversation.answered(probe), self.answer_within_s)
        await conversation.answer_to(probe, 0.0)

    async def _wait(self, scene: Scene, step: Wait | Expect) -> None:
        """Let time pass, or until the target's CALL came; connections may come and go meanwhile."""
        limit = step.seconds if isinstance(step, Wait) else scene.patience_s(step)
        deadline = self._clock.monotonic() + limit
        while (left := deadline - self._clock.monotonic()) > 0:
            if isinstance(step, Expect) and scene.expects(step):
                return
            try:
                conversation = await self._resumed(scene, timeout_s=left)
            except TargetUnavailable:
                break
            try:
                if isinstance(step, Wait):
                    await conversation.idle(left)
                else:
                    await conversation.wait(_News(scene.take), left)
            except LinkClosed:
                self._lost(scene, conversation)
        if isinstance(step, Expect) and not scene.expects(step):
            scene.unreached.append(f"{step.action} from the target")
            scene.stuck |= step.action == "BootNotification"
            refused = step.action in scene.refused and not scene.stuck
            told = f"{REFUSED if refused else IN_VAIN} {step.action}"
            _log(scene, self._clock.monotonic(), "note", told)

    # --- coming back ---------------------------------------------------------------------------------------

    async def _resumed(self, scene: Scene, timeout_s: float | None = None) -> Conversation:
        """The scene's connection, a new one where the old one ended as it should. Raises `TargetUnavailable`."""
        conversation = self._conversation
        if conversation is not None and conversation.closed is None:
            return conversation
        if timeout_s is None:
            # The target holds on to the dead connection, as it may (Part 2 section 3.2 only advises against it).
            await self.give_up_deaf(scene)
        within_s = timeout_s or self.pace.come_back_s
        with self.absence.told(within_s):
            link = await self._next_link(scene, within_s, patient=timeout_s is None)
        self.reconnects += 1
        self.handshake = made = link.handshake
        self._conversation = conversation = self._on(link)
        conversation.adopt(scene.take)
        scene.away = False
        _log(scene, self._clock.monotonic(), "open", arrival(made.path[:MAX_PATH], made.secret))
        if self._door.side is Side.CSMS:
            await conversation.open(self.pace.boot_s, await_boot=False)
        return conversation

    async def _free(self, scene: Scene) -> Conversation:
        """The scene's connection when anything may be said on it; half a frame can only be cut off."""
        conversation = await self._resumed(scene)
        if conversation.unfinished:
            await self._leave(scene, ABRUPT)
            conversation = await self._resumed(scene)
        return conversation

    async def _next_link(self, scene: Scene, timeout_s: float, *, patient: bool) -> Link:
        """The next connection; who is `patient` begins to wait when our door keeps nobody who called."""
        deadline = self._clock.monotonic() + timeout_s
        while True:
            end = await self._target.ended(0.0) if self._target.owned else None
            if end is not None:
                if not scene.restarting:
                    # When it was seen tells how long silence has to be that does the same.
                    _log(scene, self._clock.monotonic(), "note", "nobody is there any more")
                    raise LinkClosed(Close(ABRUPT, "the process ended"))
                _log(scene, self._clock.monotonic(), "note", f"{ENDED_TO_RESTART}{end.symptom}")
                await self._target.start()
            left, kept = deadline - self._clock.monotonic(), self._keeping
            try:
                return await self._door.open(min(max(left, 0.05), _LOOK_S))
            except TargetUnavailable:
                if patient and (kept or self._keeping):
                    deadline = self._clock.monotonic() + timeout_s
                elif left <= _LOOK_S:
                    raise

    @property
    def _keeping(self) -> bool:
        """Whether our door holds somebody up, who cannot come again meanwhile."""
        return isinstance(self._door, HostileDoor) and self._door.keeping

    def _lost(self, scene: Scene, conversation: Conversation) -> None:
        """The connection ended: as it should, else the scene is over. Raises `LinkClosed`."""
        closed, take = conversation.closed, scene.take
        leaves = any(_makes_it_leave(take.said[-1], h.payload) for h in take.replies if take.said)
        if leaves and not (scene.excused and scene.restarting):
            scene.restart()
        if closed is not None and closed.by_target and not scene.forgives():
            raise LinkClosed(closed)
        if closed is not None and not (closed.by_target or scene.excused or conversation.closing):
            scene.hung_up = scene.hung_up or f"we hung up: {closed.reason or closed.code}"
        self._conversation = None
        if closed is not None:
            scene.away = True


class _News:
    """True once another CALL of the target came."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._seen = len(take.calls)

    def __call__(self) -> bool:
        return len(self._take.calls) > self._seen


def _caused(asked: str) -> str:
    """The CALL of the target that a CALL of ours causes; "" when it causes none."""
    heard = hear(asked, 0.0)
    if heard.action != "TriggerMessage":
        return _CAUSES.get(str(heard.action), "")
    wanted = _at(heard.payload, "/requestedMessage") or ""
    if wanted.startswith("Sign"):
        return "SignCertificate"
    return "" if wanted in _OF_ITS_OWN else wanted


def _status(answer: JsonValue) -> JsonValue:
    return answer.get("status") if isinstance(answer, dict) else None


def _makes_it_leave(text: str, answer: JsonValue) -> bool:
    """True when a CALL that makes a station boot was taken."""
    return _status(answer) in _TAKEN and any(f'"{action}"' in text[:200] for action in _RESETS)


def _fits(heard: Heard, step: Expect) -> bool:
    return heard.kind is FrameKind.CALL and all(
        _at(heard.payload, pointer) == wanted for pointer, wanted in step.where
    )


def _at(value: JsonValue, pointer: str) -> str | None:
    """The text, the digits of the number, or the word for the truth that a JSON pointer of plain member names leads to (RFC 6901)."""
    for name in pointer.split("/")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) < 2**63:
        return str(value)
    return value if isinstance(value, str) else None


def _log(scene: Scene, now: float, kind: str, text: str, *, who: Who = Who.HARNESS) -> None:
    scene.take.entries.append(Entry(now - scene.take.started, who, kind, text))
