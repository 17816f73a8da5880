"""The line to the target: connects, waits for the boot, serves it while nothing is played, brings it back.

Knows doors, conversations and the target adapter. Must not know cases, phases or oracles.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from fuzz.clock import Clock, moments_in
from fuzz.engine.absence import OWN_AWAY_S, Absence
from fuzz.engine.conversation import Conversation, Flooded, Ledger, Take
from fuzz.engine.slots import Slots, message_ids
from fuzz.errors import TargetUnavailable
from fuzz.ocppj.variables import text_of
from fuzz.records import (
    Ability,
    Catcher,
    Door,
    EngineEvent,
    FrameKind,
    Handshake,
    Heard,
    Link,
    LinkClosed,
    Side,
    Target,
    TargetFacts,
    Voice,
    Who,
)
from strategies.labels import JsonObject

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


@dataclass(slots=True)
class Pace:
    """Time-outs that are learned, not fixed (design section 3), in seconds; and what was measured of the target."""

    soft_s: float = 0.25
    probe_s: float = 30.0
    come_back_s: float = 120.0
    boot_s: float = 120.0
    linger_s: float = 0.3
    settle_s: float = 0.05
    death_s: float = 1.0
    slowest_s: float = 0.0
    answers_s: list[float] = field(default_factory=list)
    returns_s: list[float] = field(default_factory=list)
    answers: int = 0
    longest_s: float = 0.0

    def came_back(self, seconds: float) -> None:
        """Take note of how long it took until the target was there again."""
        _keep(self.returns_s, seconds)

    def saw(self, answer_s: float) -> None:
        """Take note of how long a healthy answer took."""
        _keep(self.answers_s, answer_s)
        if answer_s > self.slowest_s:
            self.slowest_s = answer_s
            self.soft_s = min(max(0.25, 6 * answer_s), 5.0)

    def heard(self, answers: int, longest_s: float) -> None:
        """Take note of how many answers came in one play, and how long the slowest of them took."""
        self.answers += answers
        self.longest_s = max(self.longest_s, longest_s)

    def enough_s(self, limit_s: float, least_s: float) -> float:
        """How long to wait for an answer that did not come within the limit before: much longer than any ever took."""
        if self.answers < ENOUGH:
            return limit_s
        return min(limit_s, max(least_s, LONGER * self.longest_s))


ENOUGH, LONGER = 200, 4.0
"""Answers before it is known how long one takes, and how many times longer than the slowest is surely none."""

PONG_S = 10.0
"""How long a pong may take: as soon as is practical (RFC 6455 section 5.5.2)."""

GLANCE_S = 0.5
"""So long it is looked whether a target that stayed away is there after all, before anybody is asked for help."""

BOOTED_BEFORE_S = 5.0
"""So long a station that we never met may take to boot on its connection, before it is asked whether it did already."""

MEASURED = 1_000
"""So many times of a kind are kept, the first ones."""


def _keep(times: list[float], seconds: float) -> None:
    if len(times) < MEASURED:
        times.append(seconds)


@dataclass(slots=True)
class Wiring:
    """What an executor needs from outside.

    `met` says that the target was there and booted just before, so that it may not boot on our first connection.
    `tell` hears when the target is away for long, `please` is what a person is asked for then, "" where nobody is.
    `hide` puts slots such as `{secret.password.old}` in the place of the secrets that came by another way than the door.
    """

    door: Door
    voice: Voice
    target: Target
    clock: Clock
    facts: TargetFacts
    secrets: dict[str, str] = field(default_factory=dict)
    on_stuck: Callable[[], Awaitable[bool]] | None = None
    catcher: Catcher | None = None
    met: bool = False
    hide: Callable[[bytes], bytes] = bytes
    tell: Callable[[EngineEvent], None] = lambda _: None
    please: str = ""


async def _nobody() -> bool:
    return False


async def _first_that_helps(ways: Iterator[Callable[[], Awaitable[bool]]]) -> bool:
    """True when one of the ways that are left worked; those before it are used up."""
    for way in ways:
        if await way():
            return True
    return False


class Line:
    """Keeps one connection with the target alive."""

    def __init__(self, wiring: Wiring, pace: Pace | None = None) -> None:
        self.facts = wiring.facts
        self.pace = pace or Pace()
        self.handshake = Handshake()
        self.reconnects = 0
        self.restarts = 0
        # Connections that the target ended while nothing was played, and that nobody had asked it to end.
        self.lost = 0
        self.boots_on_reconnect: bool | None = None
        self._door = wiring.door
        self._voice = wiring.voice
        self._target = wiring.target
        self._clock = wiring.clock
        self._ledger = Ledger()
        self._slots = Slots(
            message_ids(secrets.token_hex(4)), wiring.secrets, named=self._ledger.named
        )
        self._conversation: Conversation | None = None
        self._booted_once = wiring.met
        self._restart_pending = False
        self._untouched = False
        self._met_deaf = False
        self._forced = False
        self._gone: TargetUnavailable | None = None
        # How long an answer is waited for at least, where silence was met with before; None: as long as it may take.
        self.least_s: float | None = None
        # How long the target may stay away before that is the verdict; None: until nobody can help any more.
        self._patience_s: float | None = None
        self._stayed_away: TargetUnavailable | None = None
        self.absence = Absence(wiring.tell, wiring.please)
        if wiring.target.owned:
            self.absence.away_s = OWN_AWAY_S
        self._on_stuck = wiring.on_stuck
        self._catcher = wiring.catcher
        self.hide = wiring.hide
        self._probe = PROBES[wiring.door.side]

    # --- connecting ---------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """True while the kept connection is open as far as we know."""
        return self._conversation is not None and self._conversation.closed is None

    @property
    def hung_up(self) -> str:
        """Why we ended the kept connection, which the target gave us reason to; "" when we did not."""
        closed = None if self._conversation is None else self._conversation.closed
        return "" if closed is None or closed.by_target else closed.reason or str(closed.code)

    @property
    def answer_within_s(self) -> float:
        """How long an answer is waited for now."""
        limit_s = self.facts.message_timeout_s
        return limit_s if self.least_s is None else self.pace.enough_s(limit_s, self.least_s)

    @property
    def exchanges(self) -> int:
        """CALLs of both sides so far, and what was said that is no CALL: the currency of a campaign."""
        return self._ledger.exchanges

    @property
    def owned(self) -> bool:
        """True when the target was started by us and can be restarted."""
        return self._target.owned

    @property
    def restartable(self) -> bool:
        """True when the target can be started anew: it is ours, or there is a command or a hook for it."""
        return self._target.owned or Ability.START in self._target.abilities

    async def connect(self) -> Take:
        """Open a connection and wait until the target is booted; the take holds what it said meanwhile.

        A target that was there before and stays away is restarted where we may, then helped by the `on_stuck` hook, and
        waited for as long again after each. Raises `TargetUnavailable` when it does not come within the learned bound.
        """
        if self._gone is not None:
            raise self._gone
        self._forced = False
        away, self._stayed_away = self._stayed_away, None
        bound_s = self._patience_s or self.pace.come_back_s
        try:
            return await self._awaited(GLANCE_S if away is not None else bound_s)
        except TargetUnavailable as gone:
            away = away or gone
            if not self._booted_once:
                raise
        if self._patience_s is not None:
            self._stayed_away = away
            raise away
        return await self._helped_back(away)

    async def _awaited(self, seconds: float) -> Take:
        """Connect, and tell of a target that was there before when it takes long."""
        if not self._booted_once:
            return await self._connect_within(seconds)
        with self.absence.told(seconds):
            return await self._connect_within(seconds)

    async def _helped_back(self, away: TargetUnavailable) -> Take:
        """Bring a target back that stays away: by force where it is ours, else by whoever helps."""
        ways = iter((self._kill, self._restart, self._on_stuck or _nobody))
        while await _first_that_helps(ways):
            self._forced = True
            try:
                return await self._connect_within(self.pace.come_back_s)
            except TargetUnavailable as gone:
                away = gone
        raise TargetUnavailable(f"the target went away and did not come back: {away}") from away

    async def _kill(self) -> bool:
        """Restart a target that is ours; False when it is not."""
        if Ability.KILL not in self._target.abilities or not self._target.owned:
            return False
        await self._target.kill()
        self._restart_pending = True
        return True

    async def _restart(self) -> bool:
        """Have a target restarted that is not ours; False when nothing can, or it failed."""
        if self._target.owned or not self.restartable:
            return False
        with suppress(TargetUnavailable):
            await self._target.start()
            self._restart_pending = True
            return True
        return False

    async def _connect_within(self, seconds: float) -> Take:
        started, known = self._clock.monotonic(), self._booted_once
        deadline = started + seconds
        self._met_deaf = False
        trouble: TargetUnavailable | None = None
        while self._clock.monotonic() < deadline:
            await self._ensure_process()
            try:
                link = await self._door.open(self._patience(deadline))
            except TargetUnavailable as nobody:
                # Who came and was of no use says more than that nobody came afterwards.
                trouble = trouble or nobody
                if not self._booted_once and not self._target.owned:
                    # Refused at the first attempt: a wrong password or certificate does not mend by waiting.
                    break
                continue
            take = await self._greet(link)
            if isinstance(take, Take):
                if known:
                    self.pace.came_back(self._clock.monotonic() - started)
                return take
            trouble = TargetUnavailable(f"{take}; is it the right station, and may it boot?")
            await link.abort()
        raise trouble or TargetUnavailable("the target did not boot; may it?")

    async def _greet(self, link: Link) -> Take | str:
        """The take of a new connection on which the target is booted, or what went wrong."""
        self.reconnects += 1
        self.handshake = link.handshake
        self._note_address()
        conversation = self._on(link)
        take = conversation.begin()
        try:
            if await self._boot(conversation, take):
                self._conversation = conversation
                self._restart_pending = False
                self._untouched = True
                return take
        except LinkClosed as closed:
            return f"the target connected and closed again with {closed.close.code}"
        except Flooded as flood:
            return f"the target sent {flood}"
        return "the target connected but was not ready in time: no BootNotification, or it refuses CALLs"

    def _note_address(self) -> None:
        """Where the target calls us, for the slot `{csms.url}`: as it was at first, whatever it is told later."""
        made = self.handshake
        if self._door.side is Side.STATION and made.host:
            scheme = "wss" if made.tls_version else "ws"
            url = f"{scheme}://{made.host}{made.path.rpartition('/')[0]}"
            self._slots.named.setdefault("csms.url", json.dumps(url)[1:-1])

    def _on(self, link: Link) -> Conversation:
        return Conversation(link, self._voice, self._clock, self._slots.ids, self._ledger)

    def _patience(self, deadline: float) -> float:
        left = max(0.1, deadline - self._clock.monotonic())
        # A process that we own may die while it connects: look after it now and then.
        return min(left, 5.0) if self._target.owned else left

    async def _boot(self, conversation: Conversation, take: Take) -> bool:
        # A CSMS never boots towards us: what the voice says at the opening boots us.
        await_boot = self._door.side is Side.STATION and (
            not self._booted_once or self._restart_pending or self.boots_on_reconnect is True
        )
        if await_boot and not self._booted_once and not self._target.owned:
            return await self._meet(conversation, take)
        ready = await conversation.open(self.pace.boot_s, await_boot=await_boot)
        if ready and await_boot:
            # What a station says right after its boot should be over before it is attacked.
            await conversation.idle(self.pace.settle_s)
        elif ready:
            ready = await self._answers_now(conversation, take)
        self._booted_once = self._booted_once or ready
        return ready

    async def _meet(self, conversation: Conversation, take: Take) -> bool:
        """The first connection with a station of somebody else's: it boots, or it did so before, for whoever met it then."""
        patience = min(BOOTED_BEFORE_S, self.pace.boot_s)
        ready = await conversation.open(patience, await_boot=True)
        if not ready:
            answer = await conversation.call(*self._probe, min(self.pace.probe_s, self.pace.boot_s))
            ready = answer is not None and answer.kind is FrameKind.CALLRESULT
            if ready:
                await self._have_it_boot(conversation, take)
        if not ready:
            ready = await conversation.open(self.pace.boot_s - patience, await_boot=True)
        if ready:
            await conversation.idle(self.pace.settle_s)
        self._booted_once = ready
        return ready

    async def _have_it_boot(self, conversation: Conversation, take: Take) -> None:
        """Ask a station that serves, and did not boot for us, to do so.

        One that was accepted before refuses (F06.FR.17); one that was left Pending serves some CALLs (B02.FR.01), boots when
        it is asked to, and is accepted by us.
        """
        limit_s = min(self.pace.probe_s, self.pace.boot_s)
        answer = await conversation.call(
            "TriggerMessage", {"requestedMessage": "BootNotification"}, limit_s
        )
        if answer is not None and text_of(answer.payload, "status") == "Accepted":
            await conversation.wait(lambda: bool(take.boot_reasons), limit_s)

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
                min(self.pace.probe_s, self.pace.boot_s),
            )
            answer = await conversation.answer_to(asked, 0.0)
            if answer is not None and answer.error_code != "SecurityError":
                return True
            if answer is not None:
                # Before its boot is accepted a station refuses everything (B02.FR.09); its BootNotification will come.
                await conversation.idle(0.2)
            elif len(take.boot_reasons) == boots:
                self._met_deaf = self._met_deaf or await conversation.link.ping(PONG_S)
                return False
        return False

    async def _ensure_process(self) -> None:
        if not self._target.owned:
            return
        if await self._target.ended(0.0) is not None:
            self.restarts += 1
            self._restart_pending = True
            await self._target.start()

    def clock_offset_s(self, take: Take) -> float | None:
        """How far the target's clock is ahead of ours, by the latest moment that it told in a take; None without any.

        Moments that waited in a queue are older than the message that tells them, so the latest one counts.
        """
        elapsed_s = self._clock.monotonic() - take.started
        began_s = self._clock.now().timestamp() - elapsed_s
        told = (
            moment - began_s - entry.at_s
            for entry in take.entries
            if entry.who is Who.TARGET and entry.kind == "text"
            for moment in moments_in(entry.text)
        )
        return max((round(offset, 1) for offset in told), default=None)

    async def fresh(self) -> None:
        """Have a connection on which no case was played yet; a reconnect that is not needed is spared."""
        if self.connected and self._untouched:
            return
        await self.hang_up()
        await self.connect()

    def _note_loss(self) -> None:
        closed = None if self._conversation is None else self._conversation.closed
        if closed is not None and closed.by_target and not self._restart_pending:
            self.lost += 1

    async def hang_up(self) -> None:
        """Close the kept connection, if there is one."""
        self._note_loss()
        conversation, self._conversation = self._conversation, None
        if conversation is not None and conversation.closed is None:
            await conversation.link.close(1000)

    async def conversation(self) -> Conversation:
        """The kept conversation, opened when there is none. Raises `TargetUnavailable`."""
        if not self.connected:
            self._note_loss()
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
