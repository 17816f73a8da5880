"""Plays cases on the line to the target and reports what was seen.

Knows conversations, slots and the target adapter. Must not know phases, oracles or findings: it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fuzz.engine.conversation import Conversation, Flooded, Take
from fuzz.engine.effects import asks_to_reconnect
from fuzz.engine.line import PONG_S, Pace, Wiring
from fuzz.engine.stage import CUTS, Scene, Stage, is_scene
from fuzz.engine.tidy import leftovers
from fuzz.errors import TargetUnavailable
from fuzz.ocppj.framed import writes_frames, written
from fuzz.ocppj.history import history
from fuzz.records import (
    Ability,
    Case,
    Catcher,
    Caught,
    Close,
    Disconnect,
    Entry,
    Expect,
    FrameKind,
    Handshake,
    Heard,
    LinkClosed,
    Observation,
    Operator,
    Probes,
    ProcessEnd,
    RepeatSteps,
    SendBytes,
    SendText,
    Settled,
    Step,
    TapingDoor,
    Wait,
    Who,
)
from strategies.labels import Channel, Fault, Position, Stance, Tier
from strategies.wsfaults import CONTEXT, DEFLATE, PINGS

ABNORMAL = 1006
"""The close code of a connection that ended without a close frame (RFC 6455 section 7.1.5)."""

LINGER_PROBES = 3
"""Harmless CALLs after a case that is looked at closely: some targets die of the next message, or the one after."""

_MUST_ANSWER = frozenset(
    {Fault.ACTION_UNKNOWN, Fault.ACTION_UNSUPPORTED, Fault.ACTION_CASE, Fault.ACTION_DIRECTION}
)

WAITED_FOR = "it met with silence before, so an answer is waited for no longer than"
"""How the transcript tells that an answer might have come later."""

DRAIN_S, OWN_DRAIN_S = 10.0, 5.0
"""How long messages that were queued in a scene may take to be sent before the next one begins, where we can restart."""

MAX_PLANTED = 256
"""Cases with canaries that are remembered for those who come late."""


_LATE_ENDS = 2
"""How many connections may end while a scene is being closed, because of what was done in it."""


class Executor(Stage):
    """A line on which cases are played and looked at."""

    def __init__(self, wiring: Wiring, pace: Pace | None = None) -> None:
        super().__init__(wiring, pace)
        self._planted: dict[str, Case] = {}
        self._repeats = False
        self._recorder = wiring.door.recorder if isinstance(wiring.door, TapingDoor) else None

    async def play_alone(self, case: Case, patience_s: float) -> Observation:
        """Play a case whose verdict comes first: a target that stays away so long afterwards is helped only when it is needed.

        Raises `TargetUnavailable` when there is no target to begin with.
        """
        await self.fresh()
        self._patience_s = patience_s
        try:
            return await self.play(case, linger=True)
        finally:
            self._patience_s = None

    async def play_again(
        self, case: Case, least_s: float | None, *, linger: bool = False, back: bool = False
    ) -> Observation:
        """Play a case that was played before, and wait for an answer `least_s` at least, but not half a minute.

        How long is enough is learned from all answers so far; without `least_s` it is as long as one may take. How a
        target comes `back` that serves nothing any more is not looked at again where we can restart it. Raises
        `TargetUnavailable` when the target cannot be brought back afterwards.
        """
        before, self.least_s = self.least_s, least_s
        self._repeats = not back
        try:
            return await self.play(case, linger=linger)
        finally:
            self.least_s, self._repeats = before, False

    async def play(self, case: Case, *, linger: bool = False) -> Observation:
        """Play a case on the kept connection and tell what was seen.

        `linger` waits a moment and probes after the last answer, for deaths that come late. Raises
        `TargetUnavailable` when the target cannot be brought back afterwards.
        """
        if writes_frames(case.steps):
            await self._suit(case)
        conversation = await self.conversation()
        if self._recorder is not None:
            self._recorder.rewind()
        self._untouched = False
        take = conversation.begin()
        if self.answer_within_s < self.facts.message_timeout_s:
            conversation.log(Who.HARNESS, "note", f"{WAITED_FOR} {self.answer_within_s:.1f} s")
        mark, _ = self._target.log_since(0)
        canaries = self._plant_canaries(case)
        if is_scene(case):
            observation = await self._play_scene(take, case, linger=linger)
        else:
            observation = await self._play(conversation, take, case, linger=linger)
        if not case.heavy:
            self.pace.heard(take.answered, take.longest_s)
        observation = await self._aftermath(observation)
        if is_scene(case) and self._stayed_away is None:
            await self._tidy(observation)
        if canaries and self._catcher is not None:
            # Whoever comes later still is told by `late_visits`.
            await self.serve(self.pace.soft_s if linger else self.pace.settle_s)
            observation = replace(observation, caught=self._visits(self._catcher))
        tapes = self._recorder.tapes() if self._recorder is not None else ()
        return replace(observation, log=self._log_since(mark), tapes=tapes)

    def _visits(self, catcher: Catcher) -> tuple[Caught, ...]:
        return tuple(
            replace(visit, path=self._veil(visit.path), data=self.hide(visit.data))
            for visit in catcher.caught()
        )

    def _log_since(self, mark: int) -> tuple[str, ...]:
        return tuple(self._veil(line) for line in self._target.log_since(mark)[1])

    def _veil(self, text: str) -> str:
        return self.hide(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    async def _suit(self, case: Case) -> None:
        """Have a connection on which the case's frames mean what they should: no id twice, compression as needed."""
        conversation = await self.conversation()
        texts = written(case.steps).texts
        if conversation.said_in_frames(texts) or _unfit(case, conversation.link.handshake):
            await self.fresh()

    def _plant_canaries(self, case: Case) -> bool:
        """Fill the slots of our catcher, when the case names one."""
        if self._catcher is None or not names_canary(case.steps):
            return False
        slots = self._catcher.slots()
        self._slots.named.update(slots)
        self._planted[slots.get("canary.token", "")] = case
        while len(self._planted) > MAX_PLANTED:
            del self._planted[next(iter(self._planted))]
        return True

    def late_visits(self) -> list[Case]:
        """The cases whose canaries were followed after their play was over; emptied by reading."""
        late = self._catcher.late() if self._catcher is not None else ()
        return [case for token in late if (case := self._planted.pop(token, None)) is not None]

    async def _aftermath(self, observation: Observation) -> Observation:
        if observation.close is not None:
            return await self._after_close(observation, observation.close)
        if observation.probes.same_connection is False:
            if self._repeats and self.owned and Ability.KILL in self._target.abilities:
                # How it comes back by itself was seen before.
                await self.restart()
                return observation
            back = await self._back() is not None and not self._forced
            return replace(observation, probes=replace(observation.probes, new_connection=back))
        return observation

    async def _back(self) -> Take | None:
        """The take of a new connection, None when the target stays away: what it did must be told all the same."""
        try:
            return await self.connect()
        except TargetUnavailable as gone:
            if self._patience_s is None:
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
            if probes.same_connection is False:
                inconclusive = conversation.pours()
            if linger and probes.same_connection is not False:
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
        closed, meant = conversation.closed, conversation.closing or _hangs_up(case)
        return self._observe(closed, take, case, settled, probes, inconclusive, meant=meant)

    async def _play_scene(self, take: Take, case: Case, *, linger: bool) -> Observation:
        scene = Scene(case, take)
        settled, probes, inconclusive = Settled.CUT_SHORT, Probes(), ""
        played_on, ended = self._conversation, None
        if played_on is not None:
            inconclusive = _unfit(case, played_on.link.handshake)
        try:
            await self.enact(scene)
            settled, probes = await self._close_scene(scene, linger=linger)
        except LinkClosed as lost:
            ended = lost.close
            take.entries.extend(_told(take, ended))
        except TargetUnavailable as gone:
            take.entries.append(
                Entry(self._clock.monotonic() - take.started, Who.HARNESS, "note", str(gone))
            )
            # In a repeat the time that it had in the scene is all that it gets.
            probes = Probes(same_connection=False, new_connection=False if self._repeats else None)
            if self._patience_s is not None:
                self._stayed_away = gone
            elif not self._helped():
                # It had its time to come back; nobody is there who could do anything about it.
                waited = f"{self.pace.come_back_s:g} s"
                self._gone = TargetUnavailable(
                    f"the target did not come back within {waited}; start it again, and go on with --resume"
                )
        except Flooded as flood:
            inconclusive = str(flood)
            if self._conversation is not None:
                await self._conversation.link.abort()
                self._conversation = None
        self._door_behaves(scene)
        await self.give_up_deaf(scene)
        # Before the scene's own restart counts as pending: what it asked for does not disturb it.
        meant, inconclusive = scene.excused or _hangs_up(case), inconclusive or scene.hung_up
        seen = self._observe(ended, take, case, settled, probes, inconclusive, meant=meant)
        self._restart_pending = self._restart_pending or scene.restarting
        seen = replace(seen, restart_asked=seen.restart_asked or scene.restarting)
        if ended is None and scene.excused:
            seen = replace(seen, restart_asked=True)
        return replace(seen, figures=tuple(scene.figures))

    def _helped(self) -> bool:
        """Whether anybody can bring a target back that stays away."""
        return (
            self.owned or self._on_stuck is not None or Ability.OPERATOR in self._target.abilities
        )

    async def _close_scene(self, scene: Scene, *, linger: bool) -> tuple[Settled, Probes]:
        """Whether the hostile message was answered, and whether the target serves now; a cut may come as late as this."""
        for _ in range(_LATE_ENDS):
            try:
                return await self._looked_at(scene, linger=linger)
            except LinkClosed:
                if self._conversation is None:
                    raise
                self._lost(scene, self._conversation)
        # One that hangs up however often it comes back is looked at no longer.
        return await self._looked_at(scene, linger=linger)

    async def _looked_at(self, scene: Scene, *, linger: bool) -> tuple[Settled, Probes]:
        await self.give_up_deaf(scene)
        for event, argument in leftovers(history(scene.take.entries)).words:
            if event == "restore-network":
                await self._target.operator(event, argument)
        if scene.excused and scene.restarting and not scene.stuck:
            await self._wait(scene, Expect("BootNotification", self.pace.boot_s))
        conversation = await self._free(scene)
        unanswered = bool(scene.take.said) and scene.case.position is Position.CALL
        unanswered = unanswered and not scene.take.replies
        if scene.stuck and scene.unserved:
            settled = Settled.BY_CLOCK if unanswered else Settled.ANSWERED
            return settled, await self._more_probes(conversation)
        if unanswered:
            settled, probes = await self._settle(conversation, scene.take, scene.case, None)
        else:
            settled, probes = Settled.ANSWERED, await self._served_now(conversation)
        if linger and probes.same_connection is not False:
            probes = await self._linger(conversation, probes)
        if probes.same_connection is not False and any(
            m.keyword == PINGS for m in scene.case.mutations
        ):
            await conversation.hear_pong(PONG_S)
        return settled, probes

    async def _served_now(self, conversation: Conversation) -> Probes:
        if await self._probe_served(conversation):
            return Probes(same_connection=True)
        return await self._more_probes(conversation)

    async def _tidy(self, observation: Observation) -> None:
        """Bring the target back to where scenes begin: idle, in the network, booted."""
        left = leftovers(history(observation.entries))
        if not left:
            return
        done = [await self._target.operator(*words) for words in left.words]
        hopeless = left.stalled and self._target.owned
        waits = left.queued and self.connected and not (left.unready or hopeless)
        drained = not waits or await self._drained()
        ended = not hopeless and await self._ended(left.transactions)
        clean = all(done) and drained and ended and not (left.unready or left.floating)
        if clean or not self._target.owned:
            return
        await self.restart()

    async def _drained(self) -> bool:
        """Wait until the target says that no transaction message waits to be sent (use case E14); False if one still does.

        What was refused may wait for minutes to be sent again, and holds up all that comes behind it (E13.FR.02).
        """
        patience_s = OWN_DRAIN_S if self._target.owned else DRAIN_S
        deadline = self._clock.monotonic() + patience_s
        while self.connected and self._clock.monotonic() < deadline:
            told = await self.proper_call("GetTransactionStatus", {})
            payload = told.payload if told is not None else None
            if not isinstance(payload, dict) or payload.get("messagesInQueue") is not True:
                return True
            await self.serve(self.pace.settle_s)
        return not self.connected

    async def _ended(self, transactions: tuple[str, ...]) -> bool:
        """Wait for the end of these transactions, and ask for it where it does not come by itself."""
        if not transactions:
            return True
        conversation = await self.conversation()
        take = conversation.begin()
        ending = set(transactions)

        def over() -> bool:
            for heard in take.calls:
                ending.difference_update(_ended_in(heard))
            return not ending

        try:
            if await conversation.wait(over, self.pace.soft_s):
                return True
            for id_ in transactions:
                await self.proper_call("RequestStopTransaction", {"transactionId": id_})
            return False
        except (LinkClosed, Flooded):
            return False

    async def restart(self) -> None:
        """Start the target anew; it boots on the next connection. Meant so, it is no restart to wonder at."""
        before = self.restarts
        await self._forget()
        if self._target.owned:
            await self._target.kill()
        else:
            await self._target.start()
            self._restart_pending = True
        await self.connect()
        self.restarts = before

    def _observe(
        self,
        closed: Close | None,
        take: Take,
        case: Case,
        settled: Settled,
        probes: Probes,
        inconclusive: str,
        *,
        meant: bool,
    ) -> Observation:
        """What was seen; `closed` is how the connection ended, `meant` whether we ended it on purpose."""
        replies, strays = take.replies, take.strays
        if not replies and strays and not take.unreadable:
            # An answer with id "-1" to a readable CALL is an answer all the same; oracles judge its id.
            lost = [
                h
                for h in strays
                if h.kind in (FrameKind.CALLERROR, FrameKind.CALLRESULT) and h.message_id == "-1"
            ]
            replies, strays = lost[:1], [h for h in strays if h not in lost[:1]]
        if self._restart_pending and closed is not None and not self._reset_accepted(case, take):
            inconclusive = (
                inconclusive
                or "the target was about to restart because an earlier case asked for it"
            )
        if closed is not None and not closed.by_target and not meant:
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
            case Wait():
                await conversation.idle(step.seconds)
            case _:
                raise AssertionError(f"{step} belongs to a scene")

    async def _settle(
        self, conversation: Conversation, take: Take, case: Case, probe_id: str | None
    ) -> tuple[Settled, Probes]:
        """Wait until the case is answered, or known not to be (by order where silence is tolerated, else by clock)."""
        started = self._clock.monotonic()
        limit = self.answer_within_s

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
        return await conversation.call(*self._probe, self.answer_within_s) is not None

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
        if take is None or self._forced:
            # A boot behind a restart by force shows nothing of the target's own.
            return replace(observation, probes=replace(observation.probes, new_connection=False))
        if process is None and not observation.restart_asked and close.code == ABNORMAL:
            await self.serve(self.pace.linger_s)
        boots, reasons = await self._boots(take, observation, process)
        return replace(
            observation,
            boots=boots,
            boot_reasons=reasons,
            probes=replace(
                observation.probes,
                new_connection=True,
                deaf_connection=(self._met_deaf and not take.boot_reasons) or None,
            ),
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


def _unfit(case: Case, handshake: Handshake) -> str:
    """Why the case proves nothing on a connection that came about in this way; "" when it does."""
    names = [
        m.operator for m in case.mutations if m.channel is Channel.FRAME and m.keyword == DEFLATE
    ]
    if names and not handshake.compression:
        return "permessage-deflate is not negotiated"
    if any(name.startswith(CONTEXT) for name in names) and not handshake.context_takeover:
        return "permessage-deflate is negotiated without context takeover"
    return ""


def _hangs_up(case: Case) -> bool:
    """True when the case itself ends a connection."""
    return any(
        isinstance(step, Disconnect) or (isinstance(step, Operator) and step.event in CUTS)
        for step in _flat(case.steps)
    )


def _flat(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, RepeatSteps):
            yield from _flat(step.steps)
        else:
            yield step


def names_canary(steps: Iterable[Step]) -> bool:
    """True when the steps tell an address at which our catcher waits for a moment."""
    return any(
        isinstance(part, str) and "{canary." in part
        for step in _flat(steps)
        for part in getattr(step, "text", ())
    )


def _told(take: Take, close: Close) -> Iterator[Entry]:
    """How a connection ended that was never opened again, unless the transcript tells it already."""
    if not any(entry.kind == "close" for entry in take.entries):
        yield Entry(0.0, Who.TARGET, "close", f"{close.code} {close.reason}".strip())


def _ended_in(heard: Heard) -> set[str]:
    payload = heard.payload if isinstance(heard.payload, dict) else {}
    info = payload.get("transactionInfo")
    id_ = info.get("transactionId") if isinstance(info, dict) else None
    return {id_} if isinstance(id_, str) and payload.get("eventType") == "Ended" else set()


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
