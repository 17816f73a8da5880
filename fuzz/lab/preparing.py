"""Before anything hostile: is the station kept here, and how long does it take to come back? And setting that back.

Knows the variables of the device model that decide about reconnects. Must not know TLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fuzz.errors import UsageError
from tlslab.session import Session, SessionError

_COMPONENT = "OCPPCommCtrlr"
_READ = (
    "NetworkConfigurationPriority",
    "NetworkProfileConnectionAttempts",
    "RetryBackOffWaitMinimum",
    "RetryBackOffRandomRange",
    "RetryBackOffRepeatTimes",
)
_SHORTEST = ("1", "2", "5", "10")
"""Seconds for RetryBackOffWaitMinimum, the first that the station accepts."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What the station says of its reconnecting; a variable that cannot be read is absent."""

    values: Mapping[str, str] = field(default_factory=dict)
    tuned: bool = False

    @property
    def wait_s(self) -> float | None:
        """The longest first wait before a reconnect; None when it is not known."""
        minimum, spread = (self._number(n) for n in (_READ[2], _READ[3]))
        return None if minimum is None else minimum + (spread or 0.0)

    @property
    def slots(self) -> tuple[str, ...]:
        """The configuration slots that it would try, in order."""
        listed = self.values.get("NetworkConfigurationPriority", "")
        return tuple(slot.strip() for slot in listed.split(",") if slot.strip())

    @property
    def repeat_times(self) -> int:
        """How often the wait doubles after a failure; 0 when it is not known."""
        return int(self._number(_READ[4]) or 0)

    def lines(self) -> tuple[str, ...]:
        """For people."""
        return tuple(f"{name} = {value}" for name, value in self.values.items())

    def _number(self, name: str) -> float | None:
        text = self.values.get(name, "")
        return float(text) if text.replace(".", "", 1).isdecimal() else None


async def read_habits(session: Session) -> Habits:
    """What the station says. Raises `SessionError` when it does not answer at all."""
    found: dict[str, str] = {}
    for name in _READ:
        value = await session.get_variable(_COMPONENT, name)
        if value is not None:
            found[name] = value
    return Habits(found)


def refuse_wandering(habits: Habits) -> None:
    """The station stays here while it is turned away. Raises `UsageError` with what to do otherwise.

    A station with several entries in NetworkConfigurationPriority goes to another CSMS after enough failures (B10):
    then whatever the lab would see, or not see, proves nothing, and somebody else's CSMS would be called.
    """
    if len(habits.slots) > 1:
        raise UsageError(
            f"NetworkConfigurationPriority is {','.join(habits.slots)}: after failed attempts the station would dial "
            "another CSMS; set it to the slot of this lab alone, reboot the station and start again"
        )


async def tune(session: Session, habits: Habits) -> Habits:
    """The station waits as little before a reconnect as it accepts; `session.restore` undoes it."""
    for seconds in _SHORTEST:
        if await _set(session, "RetryBackOffWaitMinimum", seconds):
            break
    for name in ("RetryBackOffRandomRange", "RetryBackOffRepeatTimes"):
        await _set(session, name, "0")
    return Habits((await read_habits(session)).values, tuned=True)


async def _set(session: Session, name: str, value: str) -> bool:
    try:
        return await session.set_variable(_COMPONENT, name, value) == "Accepted"
    except SessionError:
        return False
