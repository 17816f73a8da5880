"""Plays cases on the target and reports what was seen; brings it back when it went away.

Knows doors, conversations and the target adapter. Must not know phases, oracles or findings: it decides nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from fuzz.clock import Clock
from fuzz.engine.conversation import Conversation, Flooded, Take
from fuzz.engine.effects import asks_to_reconnect
from fuzz.engine.slots import Slots, message_ids
from fuzz.errors import TargetUnavailable
from fuzz.records import (
    Ability,
    AnswerNext,
    Case,
    Close,
    Disconnect,
    Door,
    Entry,
    Expect,
    FrameKind,
    Handshake,
    Heard,
    Link,
    LinkClosed,
    Observation,
    Operator,
    Probes,
    ProcessEnd,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Settled,
    Side,
    Step,
    Target,
    TargetFacts,
    TlsStep,
    Voice,
    Wait,
    Who,
)
from strategies.labels import Fault, JsonObject, Position, Stance, Tier, spell

Harmless = tuple[str, JsonObject]

PROBES: dict[Side, Harmless] = {
    Side.STATION: (
        "GetVariables",
        {
            "getVariableData": [
                {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
            ]
        },
    ),
    Side.CSMS: ("Heartbeat", {}),
}
"""The harmless CALL that shows that a side still serves; any answer to it will do."""

ABNORMAL = 1006
"""The close code of a connection that ended without a close frame (RFC 6455 section 7.1.5)."""

LINGER_PROBES = 3
"""Harmless CALLs after a case that is looked at closely: some targets die of the next message, or the one after."""

_MUST_ANSWER = frozenset(
    {Fault.ACTION_UNKNOWN, Fault.ACTION_UNSUPPORTED, Fault.ACTION_CASE, Fault.ACTION_DIRECTION}
)


@dataclass(slots=True)
class Pace:
    """Time-outs that are learned, not fixed (design section 3), in seconds."""

    soft_s: float = 0.25
    probe_s: float = 30.0
    come_back_s: float = 120.0
    boot_s: float = 120.0
    linger_s: float = 0.3
    settle_s: float = 0.05
    death_s: float = 1.0
    slowest_s: float = 0.0

    def saw(self, answer_s: float) -> None:
        """Take note of how long a healthy answer took."""
        if answer_s > self.slowest_s:
            self.slowest_s = answer_s
            self.soft_s = min(max(0.25, 6 * answer_s), 5.0)


@dataclass(slots=True)
class Wiring:
    """What an executor needs from outside."""

    door: Door
    voice: Voice
    target: Target
    clock: Clock
    facts: TargetFacts
    secrets: dict[str, str] = field(default_factory=dict)
    on_stuck: Callable[[], Awaitable[bool]] | None = None


class Executor:
    """Keeps one connection with the target alive and plays cases on it."""

    def __init__(self, wiring: Wiring, pace: Pace | None = None) -> None:
        self.facts = wiring.facts
        self.pace = pace or Pace()
        self.handshake = Handshake()
        self.reconnects = 0
        self.restarts = 0
        self.boots_on_reconnect: bool | None = None
        self._door = wiring.door
        self._voice = wiring.voice
        self._target = wiring.target
        self._clock = wiring.clock
        self._slots = Slots(message_ids(secrets.token_hex(4)), wiring.secrets)
        self._conversation: Conversation | None = None
        self._booted_once = False
        self._restart_pending = False
        self._untouched = False
        self._forced = False
        self._gone: TargetUnavailable | None = None
        self._on_stuck = wiring.on_stuck
        self._probe = PROBES[wiring.door.side]

    # --- connecting ---------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """True while the kept connection is open as far as we know."""
        return self._conversation is not None and self._conversation.closed is None

    @property
    def owned(self) -> bool:
        """True when the target was started by us and can be restarted."""
        return self._target.owned

    async def connect(self) -> Take:
        """Open a connection and wait until the target is booted; the take holds what it said meanwhile.

        A target that was there before and stays away is restarted where we may, or helped by the `on_stuck` hook.
        Raises `TargetUnavailable` when it does not come within the learned bound.
        """
        if self._gone is not None:
            raise self._gone
        self._forced = False
        while True:
            try:
                return await self._connect_within(self.pace.come_back_s)
            except TargetUnavailable:
                if self._forced or not self._booted_once or not await self._force():
                    raise
                self._forced = self._restart_pending = True

    async def _force(self) -> bool:
        """Bring a target that stays away back by force; False when nobody can."""
        if Ability.KILL in self._target.abilities and self._target.owned:
            await self._target.kill()
            return True
        return self._on_stuck is not None and await self._on_stuck()

    async def _connect_within(self, seconds: float) -> Take:
        deadline = self._clock.monotonic() + seconds
        trouble = TargetUnavailable("the target did not boot; may it?")
        while self._clock.monotonic() < deadline:
            await self._ensure_process()
            try:
                link = await self._door.open(self._patience(deadline))
            except TargetUnavailable as nobody:
                if not self._booted_once and not self._target.owned:
                    # Refused at the first attempt: a wrong password or certificate does not mend by waiting.
                    raise
                trouble = nobody
                continue
            take = await self._greet(link)
            if isinstance(take, Take):
                return take
            trouble = TargetUnavailable(f"{take}; is it the right station, and may it boot?")
            await link.abort()
        raise trouble

    async def _greet(self, link: Link) -> Take | str:
        """The take of a new connection on which the target is booted, or what went wrong."""
        self.reconnects += 1
        self.handshake = link.handshake
        conversation = Conversation(link, self._voice, self._clock, self._slots.ids)
        take = conversation.begin()
        try:
            if await self._boot(conversation, take):
                self._conversation = conversation
                self._restart_pending = False
                self._untouched = True
                return take
        except LinkClosed as closed:
            return f"it connected and closed again with {closed.close.code}"
        except Flooded as flood:
            return str(flood)
        return "it connected but was not ready in time: no BootNotification, or it refuses CALLs"

    def _patience(self, deadline: float) -> float:
        left = max(0.1, deadline - self._clock.monotonic())
        # A process that we own may die while it connects: look after it now and then.
        return min(left, 5.0) if self._target.owned else left

    async def _boot(self, conversation: Conversation, take: Take) -> bool:
        # A CSMS never boots towards us: what the voice says at the opening boots us.
        await_boot = self._door.side is Side.STATION and (
            not self._booted_once or self._restart_pending or self.boots_on_reconnect is True
        )
        ready = await conversation.open(self.pace.boot_s, await_boot=await_boot)
        if ready and await_boot:
            # What a station says right after its boot should be over before it is attacked.
            await conversation.idle(self.pace.settle_s)
        elif ready:
            ready = await self._answers_now(conversation, take)
        self._booted_once = self._booted_once or ready
        return ready

    async def _answers_now(self, conversation: Conversation, take: Take) -> bool:
        """Ask until a harmless CALL is served: a station may or may not boot on a new connection."""
        deadline = self._clock.monotonic() + self.pace.boot_s
        while self._clock.monotonic() < deadline:
            boots = len(take.boot_reasons)
            asked = await conversation.ask(*self._probe)
            await conversation.wait(
                lambda asked=asked, boots=boots: (
                    conversation.answered(asked) or len(take.boot_reasons) > boots
                ),  # type: ignore[misc]
                self.pace.probe_s,
            )
            answer = await conversation.answer_to(asked, 0.0)
            if answer is not None and answer.error_code != "SecurityError":
                return True
            if answer is not None:
                # Before its boot is accepted a station refuses everything (B02.FR.09); its BootNotification will come.
                await conversation.idle(0.2)
            elif len(take.boot_reasons) == boots:
                return False
        return False

    async def _ensure_process(self) -> None:
        if not self._target.owned:
            return
        if await self._target.ended(0.0) is not None:
            self.restarts += 1
            self._restart_pending = True
            await self._target.start()

    async def fresh(self) -> None:
        """Have a connection on which no case was played yet; a reconnect that is not needed is spared."""
        if self.connected and self._untouched:
            return
        await self.hang_up()
        await self.connect()

    async def hang_up(self) -> None:
        """Close the kept connection, if there is one."""
        conversation, self._conversation = self._conversation, None
        if conversation is not None and conversation.closed is None:
            await conversation.link.close(1000)

    async def conversation(self) -> Conversation:
        """The kept conversation, opened when there is none. Raises `TargetUnavailable`."""
        if not self.connected:
            await self.connect()
        assert self._conversation is not None
        return self._conversation

    async def proper_call(
        self, action: str, payload: JsonObject, timeout_s: float | None = None
    ) -> Heard | None:
        """A well-meant CALL outside every case (inventory, putting back); None when unanswered or cut off."""
        conversation = await self.conversation()
        conversation.begin()
        try:
            return await conversation.call(
                action, payload, timeout_s or self.facts.message_timeout_s
            )
        except (LinkClosed, Flooded):
            return None

    async def serve(self, seconds: float) -> None:
        """Let the target talk, and answer it properly, while nothing is played."""
        if not self.connected or self._conversation is None:
            return
        try:
            await self._conversation.idle(seconds)
        except (LinkClosed, Flooded):
            return

    # --- playing ------------------------------------------------------------------------------------------

    async def play(self, case: Case, *, linger: bool = False) -> Observation:
        """Play a case on the kept connection and tell what was seen.

        `linger` waits a moment and probes after the last answer, for deaths that come late. Raises
        `TargetUnavailable` when the target cannot be brought back afterwards.
        """
        conversation = await self.conversation()
        self._untouched = False
        take = conversation.begin()
        observation = await self._play(conversation, take, case, linger=linger)
        if observation.close is not None:
            return await self._after_close(observation, observation.close)
        if observation.probes.same_connection is False:
            back = await self._back() is not None and not self._forced
            return replace(observation, probes=replace(observation.probes, new_connection=back))
        return observation

    async def _back(self) -> Take | None:
        """The take of a new connection, None when the target stays away: what it did must be told all the same."""
        try:
            return await self.connect()
        except TargetUnavailable as gone:
            self._gone = gone
            return None

    async def _play(
        self,
        conversation: Conversation,
        take: Take,
        case: Case,
        *,
        linger: bool,
    ) -> Observation:
        settled, probes, inconclusive = Settled.CUT_SHORT, Probes(), ""
        try:
            early = await self._say(conversation, take, case)
            settled, probes = await self._settle(conversation, take, case, early)
            if linger:
                probes = await self._linger(conversation, probes)
            if self._reset_accepted(case, take):
                await self._await_restart(conversation)
            elif _reconnect_asked(take):
                await conversation.idle(self.pace.death_s + self.pace.soft_s)
        except LinkClosed:
            pass
        except Flooded as flood:
            inconclusive = str(flood)
            await conversation.link.abort()
            self._conversation = None
        return self._observe(conversation, take, case, settled, probes, inconclusive)

    def _observe(
        self,
        conversation: Conversation,
        take: Take,
        case: Case,
        settled: Settled,
        probes: Probes,
        inconclusive: str,
    ) -> Observation:
        replies, strays = take.replies, take.strays
        if not replies and strays and not take.unreadable:
            # An answer with id "-1" to a readable CALL is an answer all the same; oracles judge its id.
            lost = [
                h
                for h in strays
                if h.kind in (FrameKind.CALLERROR, FrameKind.CALLRESULT) and h.message_id == "-1"
            ]
            replies, strays = lost[:1], [h for h in strays if h not in lost[:1]]
        if (
            self._restart_pending
            and conversation.closed is not None
            and not self._reset_accepted(case, take)
        ):
            inconclusive = (
                inconclusive
                or "the target was about to restart because an earlier case asked for it"
            )
        closed = conversation.closed
        if closed is not None and not closed.by_target and not _hangs_up(case):
            inconclusive = inconclusive or f"we hung up: {closed.reason or closed.code}"
        return Observation(
            case=case,
            facts=self.facts,
            entries=take.entries,
            said=tuple(take.said),
            call_id=take.call_id,
            replies=tuple(replies),
            strays=tuple(strays),
            calls=tuple(take.calls),
            settled=settled,
            close=closed if closed is not None and closed.by_target else None,
            restart_asked=self._restart_pending
            or self._reset_accepted(case, take)
            or _reconnect_asked(take),
            probes=probes,
            inconclusive=inconclusive,
        )

    async def _say(self, conversation: Conversation, take: Take, case: Case) -> str | None:
        """Do every step; the id of a probe that was sent right behind the last message, else None."""
        for step in case.steps:
            await self._do(conversation, take, case, step)
        return await conversation.ask(*self._probe) if silent_by_order(case) else None

    async def _do(self, conversation: Conversation, take: Take, case: Case, step: Step) -> None:
        match step:
            case SendText():
                await conversation.say(self._slots.fill(step.text))
            case SendBytes():
                await conversation.say_bytes(step.data, step.opcode)
            case SendFrames():
                await conversation.link.send_raw(step.data)
            case Wait():
                await conversation.idle(step.seconds)
            case AnswerNext():
                take.overrides[step.action] = spell(step.text)
            case Expect():
                seen = len(take.calls)
                await conversation.wait(
                    lambda: any(h.action == step.action for h in take.calls[seen:]), step.timeout_s
                )
            case Disconnect():
                await conversation.link.close(step.code)
            case Operator():
                await self._target.operator(step.event, step.argument)
            case RepeatSteps():
                for _ in range(step.times):
                    for inner in step.steps:
                        await self._do(conversation, take, case, inner)
            case TlsStep():
                raise TargetUnavailable(
                    f"case {case.id} is played by the TLS lab, not over an open connection"
                )
            case _:
                assert_never(step)

    async def _settle(
        self, conversation: Conversation, take: Take, case: Case, probe_id: str | None
    ) -> tuple[Settled, Probes]:
        """Wait until the case is answered, or known not to be (by order where silence is tolerated, else by clock)."""
        started = self._clock.monotonic()
        limit = self.facts.message_timeout_s

        def left() -> float:
            return max(0.0, started + limit - self._clock.monotonic())

        if probe_id is None:
            if case.position is not Position.CALL:
                probe_id = await conversation.ask(*self._probe)
            elif await conversation.wait(lambda: bool(take.replies), min(self.pace.soft_s, limit)):
                return Settled.ANSWERED, Probes()
            else:
                probe_id = await conversation.ask(*self._probe)
        await conversation.wait(lambda: conversation.answered(probe_id), left())
        served = conversation.answered(probe_id)
        await conversation.answer_to(probe_id, 0.0)
        if served and not take.replies and must_answer(case):
            await conversation.wait(lambda: bool(take.replies), left())
        if take.replies:
            return Settled.ANSWERED, Probes(same_connection=served)
        if served:
            return (Settled.BY_CLOCK if must_answer(case) else Settled.BY_ORDER), Probes(
                same_connection=True
            )
        return Settled.BY_CLOCK, await self._more_probes(conversation)

    async def _more_probes(self, conversation: Conversation) -> Probes:
        """The remaining liveness probes, once the same connection does not serve any more."""
        ping = await conversation.link.ping(5.0)
        ended = await self._target.ended(0.0) if Ability.ALIVE in self._target.abilities else None
        process = None if Ability.ALIVE not in self._target.abilities else ended is None
        await conversation.link.abort()
        self._conversation = None
        return Probes(same_connection=False, ping=ping, process=process)

    async def _linger(self, conversation: Conversation, probes: Probes) -> Probes:
        await conversation.idle(self.pace.linger_s)
        for _ in range(LINGER_PROBES):
            if not await self._probe_served(conversation):
                return await self._more_probes(conversation)
        return replace(probes, same_connection=True)

    async def _probe_served(self, conversation: Conversation) -> bool:
        return await conversation.call(*self._probe, self.facts.message_timeout_s) is not None

    async def probe(self) -> bool:
        """Whether a harmless CALL is served on the kept connection now; False also when it is gone."""
        conversation = self._conversation
        if conversation is None or conversation.closed is not None:
            return False
        conversation.begin()
        try:
            started = self._clock.monotonic()
            served = await self._probe_served(conversation)
            if served:
                self.pace.saw(self._clock.monotonic() - started)
        except (LinkClosed, Flooded):
            return False
        return served

    def late_answers(self) -> list[tuple[str, Heard]]:
        """Second answers to ids of earlier cases, with those ids; emptied by reading."""
        if self._conversation is None:
            return []
        late, self._conversation.late = self._conversation.late, []
        return late

    # --- restarts -----------------------------------------------------------------------------------------

    def _reset_accepted(self, case: Case, take: Take) -> bool:
        if '"Reset"' not in "".join(take.said[-1:])[:200]:
            return False
        return any(
            isinstance(h.payload, dict) and h.payload.get("status") in ("Accepted", "Scheduled")
            for h in take.replies
        )

    async def _await_restart(self, conversation: Conversation) -> None:
        """After an accepted Reset the target hangs up and boots; wait for the hanging up."""
        self._restart_pending = True
        await conversation.idle(self.pace.death_s + self.pace.soft_s)

    async def _after_close(self, observation: Observation, close: Close) -> Observation:
        """Find out what the lost connection means: process death, restart, or only a closed link."""
        process = await self._process_end(observation, close)
        if process is not None:
            self._restart_pending = True
        entries = list(observation.entries)
        if process is not None:
            entries.append(
                Entry(entries[-1].at_s if entries else 0.0, Who.HARNESS, "process", process.symptom)
            )
        await self._forget()
        observation = replace(observation, entries=entries, process=process)
        take = await self._back()
        if take is None:
            return replace(observation, probes=replace(observation.probes, new_connection=False))
        if process is None and not observation.restart_asked and close.code == ABNORMAL:
            await self.serve(self.pace.linger_s)
        boots, reasons = await self._boots(take, observation, process)
        return replace(
            observation,
            boots=boots,
            boot_reasons=reasons,
            probes=replace(observation.probes, new_connection=not self._forced),
        )

    async def _process_end(self, observation: Observation, close: Close) -> ProcessEnd | None:
        if Ability.ALIVE not in self._target.abilities:
            return None
        orderly = close.code != ABNORMAL
        # A process that closes properly is seldom about to die.
        patience = 0.01 if observation.restart_asked or orderly else self.pace.death_s
        return await self._target.ended(patience)

    async def _forget(self) -> None:
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            await conversation.link.abort()

    async def _boots(
        self, take: Take, observation: Observation, process: ProcessEnd | None
    ) -> tuple[int, tuple[str, ...]]:
        """How many boots the close led to, not counting those that any closed connection leads to."""
        reasons = tuple(take.boot_reasons)
        if not reasons or process is not None or observation.restart_asked:
            return len(reasons), reasons
        if self.boots_on_reconnect is None:
            self.boots_on_reconnect = await self._boots_after_clean_close()
        return (0, ()) if self.boots_on_reconnect else (len(reasons), reasons)

    async def _boots_after_clean_close(self) -> bool:
        # Let it finish what it says after a boot: some stations take an answer that never comes badly.
        await self.serve(self.pace.linger_s)
        await self.hang_up()
        take = await self.connect()
        await self.serve(self.pace.linger_s)
        return bool(take.boot_reasons)


def _hangs_up(case: Case) -> bool:
    return any(isinstance(step, Disconnect) for step in case.steps)


def _reconnect_asked(take: Take) -> bool:
    return asks_to_reconnect(take.said, (h.payload for h in take.replies))


def must_answer(case: Case) -> bool:
    """True where only the clock may decide that an answer is missing (FR.03, digest of acceptable reactions)."""
    expectation = case.expectation
    if case.position is not Position.CALL:
        return False
    if expectation.stance is Stance.ACCEPT:
        return True
    return expectation.stance is Stance.REJECT and expectation.fault in _MUST_ANSWER


def silent_by_order(case: Case) -> bool:
    """True where silence is common enough that the next probe goes out at once behind the case."""
    if case.position is not Position.CALL:
        return True
    return case.expectation.tier <= Tier.RPC and not must_answer(case) and not case.heavy
