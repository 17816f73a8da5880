"""Which CSMS is dialled next, over which security profile, after which wait (Part 2, A05, B09 and B10).

Knows slots, the priority order and attempts; no clock and no socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fuzz.station.backoff import Backoff, Limits
from fuzz.station.device_model import DeviceModel
from fuzz.station.events import Endpoint
from fuzz.station.settings import Settings
from strategies.labels import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Profile:
    """What one slot holds: a NetworkConnectionProfile, as far as it matters here. No timeout of its own: 0."""

    url: str
    security_profile: int
    message_timeout_s: int = 0

    @property
    def endpoint(self) -> Endpoint:
        """Where to dial, and how."""
        return Endpoint(self.url, self.security_profile)


@dataclass(frozen=True, slots=True)
class Choice:
    """A slot with what it held when it was chosen: a change of the slot in use counts after a reboot only."""

    slot: int
    profile: Profile


class Dialling:
    """The order of attempts: each slot by priority, then for ever the one that worked last (B10.FR.03, FR.07; C-47)."""

    def __init__(
        self,
        first: Profile,
        backoff: Backoff,
        *,
        priority: Callable[[], str],
        attempts: Callable[[], int],
        may_go_down: Callable[[], bool] = lambda: False,
        anew_when_lost: bool = False,
    ) -> None:
        """A station with slot 0 alone.

        Args:
            first: what slot 0 holds.
            backoff: how long to wait after a lost connection or a failed attempt.
            priority: gives the present NetworkConfigurationPriority.
            attempts: gives the present NetworkProfileConnectionAttempts.
            may_go_down: whether security profile 3 may become 2 (A05.FR.08 in the errata of 2025).
            anew_when_lost: begin with the first slot after a lost connection, too (B10.FR.03 in the errata of 2025).
        """
        self._given = first
        self._backoff = backoff
        self._priority = priority
        self._attempts = attempts
        self._may_go_down = may_go_down
        self._anew_when_lost = anew_when_lost
        self._queue: list[Choice] = []
        self._left = 0
        self.profiles: dict[int, Profile] = {0: first}
        self.security_profile = first.security_profile
        self.last: Choice | None = None

    # --- the order ----------------------------------------------------------------------------------------

    @property
    def choice(self) -> Choice:
        """What is dialled now."""
        if self._queue:
            return self._queue[0]
        return self.last or Choice(0, self._given)

    def begin(self) -> None:
        """The station starts: the first entry comes first (A05.FR.05, B10.FR.04), and the wait is short."""
        self._backoff.reset()
        self._anew()

    def _anew(self) -> None:
        self._queue = [Choice(slot, self.profiles[slot]) for slot in self._eligible()]
        self._left = self._attempts()

    def lost(self) -> float:
        """An open connection was lost; how long to wait before the next attempt."""
        if self._anew_when_lost:
            self._anew()
        return self._backoff.next_wait_s()

    def failed(self) -> float:
        """An attempt failed; how long to wait before the next. After enough of them the next slot has its turn."""
        if self._queue:
            self._count()
        return self._backoff.next_wait_s()

    def _count(self) -> None:
        self._left -= 1
        if self._left <= 0:
            del self._queue[0]
            self._left = self._attempts()
        if not self._queue and self.last is None and self._given in self.profiles.values():
            self._anew()  # nothing ever worked, so there is nothing to fall back to

    def worked(self) -> bool:
        """The attempt succeeded; whether it leads elsewhere than the last that did."""
        self._backoff.reset()
        choice = self.choice
        switched = self.last is not None and choice != self.last
        self.last = choice
        self._queue = []
        self._settle(choice.profile.security_profile)
        return switched

    def reaches(self, security_profile: int) -> bool:
        """Whether a security profile may be used: never a lower one (A00.FR.005)."""
        down = (self.security_profile, security_profile) == (3, 2) and self._may_go_down()
        return security_profile >= self.security_profile or down

    def _eligible(self) -> list[int]:
        return [slot for slot in self.slots() if self._allows(slot)]

    def _allows(self, slot: int) -> bool:
        found = self.profiles.get(slot)
        return found is not None and self.reaches(found.security_profile)

    def slots(self) -> list[int]:
        """The slots of NetworkConfigurationPriority, in order."""
        return [int(slot) for slot in self._priority().split(",") if slot.isdecimal()]

    def _settle(self, security_profile: int) -> None:
        """From now on this is the security profile; slots below it are emptied (A05.FR.06)."""
        if self.reaches(security_profile):
            self.security_profile = security_profile
        for slot in [slot for slot in self.profiles if not self._allows(slot)]:
            del self.profiles[slot]

    # --- lasting state ------------------------------------------------------------------------------------

    def lasting(self) -> JsonObject:
        """All that must survive a reboot; slot 0 goes unnamed while it holds what the station was started with."""
        kept: JsonObject = {}
        slots: JsonObject = {
            str(slot): _to_json(profile)
            for slot, profile in self.profiles.items()
            if (slot, profile) != (0, self._given)
        }
        if slots or 0 not in self.profiles:
            kept["slots"] = slots
            kept["first"] = self.profiles.get(0) == self._given
            kept["securityProfile"] = self.security_profile
        if self.last is not None:
            given = self.last == Choice(0, self._given)
            kept["last"] = {
                "slot": self.last.slot,
                **({} if given else _to_json(self.last.profile)),
            }
        return kept

    def restore(self, kept: Mapping[str, JsonValue]) -> None:
        """Takes over what `lasting` gave once; what does not fit is left out."""
        slots = kept.get("slots")
        for slot, value in slots.items() if isinstance(slots, dict) else ():
            profile = _from_json(value)
            if profile is not None and slot.isdecimal():
                self.profiles[int(slot)] = profile
        first_is_gone = kept.get("first") is False and self.profiles.get(0) == self._given
        if first_is_gone and len(self.profiles) > 1:
            del self.profiles[0]
        highest = max(profile.security_profile for profile in self.profiles.values())
        level = kept.get("securityProfile")
        if isinstance(level, int):
            self._settle(min(level, highest))
        self.last = self._restored_choice(kept.get("last"))

    def _restored_choice(self, value: JsonValue) -> Choice | None:
        if value == {"slot": 0}:
            choice = Choice(0, self._given)
        else:
            profile, slot = _from_json(value), value.get("slot") if isinstance(value, dict) else 0
            if profile is None or not isinstance(slot, int):
                return None
            choice = Choice(slot, profile)
        return choice if self.reaches(choice.profile.security_profile) else None


HURRIED_S = 5.0
"""Longest wait that counts, once the CSMS has set it, where a setting stands in for the variable."""


def dialling_of(settings: Settings, model: DeviceModel) -> Dialling:
    """The dialling of a station with these settings; variables count as they are whenever they are needed."""
    first = model.number("OCPPCommCtrlr", "RetryBackOffWaitMinimum")

    def limits() -> Limits:
        minimum, spread = settings.backoff_min_s, settings.backoff_range_s
        least = model.number("OCPPCommCtrlr", "RetryBackOffWaitMinimum")
        if minimum is None:
            minimum = least
        elif least != first:
            minimum = min(least, HURRIED_S)
        if spread is None:
            spread = model.number("OCPPCommCtrlr", "RetryBackOffRandomRange")
        return Limits(minimum, spread, model.number("OCPPCommCtrlr", "RetryBackOffRepeatTimes"))

    def may_go_down() -> bool:
        allowed = model.value("SecurityCtrlr", "AllowSecurityProfileDowngrade") == "true"
        return settings.errata and allowed

    return Dialling(
        Profile(settings.csms, settings.security_profile),
        Backoff(limits, settings.random),
        priority=lambda: model.value("OCPPCommCtrlr", "NetworkConfigurationPriority"),
        attempts=lambda: model.number("OCPPCommCtrlr", "NetworkProfileConnectionAttempts"),
        may_go_down=may_go_down,
        anew_when_lost=settings.errata,
    )


def _to_json(profile: Profile) -> JsonObject:
    return {
        "url": profile.url,
        "securityProfile": profile.security_profile,
        "messageTimeout": profile.message_timeout_s,
    }


def _from_json(value: JsonValue) -> Profile | None:
    if not isinstance(value, dict):
        return None
    url, level, timeout = (value.get(n) for n in ("url", "securityProfile", "messageTimeout"))
    if not (isinstance(url, str) and isinstance(level, int) and isinstance(timeout, int)):
        return None
    return Profile(url, level, timeout) if 1 <= level <= 3 else None
