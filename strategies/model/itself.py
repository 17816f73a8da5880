"""Who a station says that it is (B01, ChargingStationType): the same in every boot, but for a firmware that was replaced.

Knows BootNotification and what is told of an update. Must not know what else lasts over a boot (`keeping` does).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from strategies.model.events import (
    Asked,
    Called,
    Event,
    Objection,
    Topic,
    Weight,
    objects,
    text,
)
from strategies.model.rule import Rule

LASTING = ("vendorName", "model", "serialNumber")
"""The members of ChargingStationType that nothing changes."""

_VERSION = "firmwareVersion"
_REPLACES = frozenset(
    {"InstallScheduled", "Installing", "InstallRebooting", "InstallVerificationFailed", "Installed"}
)
"""What is told of firmware that may run from then on, or that may have run and was taken back."""


class Itself(Rule):
    """Compares each boot with what was known before."""

    def __init__(self, known: Mapping[str, str]) -> None:
        """`known` is what the station said before, by member of ChargingStationType; what is missing is not known."""
        self._known = {name: known.get(name, "") for name in LASTING}
        self._version = ""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What a boot says differently."""
        match event:
            case Asked(action="SetVariables"):
                for item in objects(event.payload, "setVariableData"):
                    if text(item, "component", "name").casefold() == "chargingstation":
                        self._known = dict.fromkeys(LASTING, "")
            case Called(action="FirmwareStatusNotification"):
                if text(event.payload, "status") in _REPLACES:
                    self._version = ""
            case Called(action="BootNotification"):
                for name in LASTING:
                    yield from self._compared(name, text(event.payload, "chargingStation", name))
                yield from self._versioned(text(event.payload, "chargingStation", _VERSION))
            case _:
                pass

    def _compared(self, name: str, said: str) -> Iterator[Objection]:
        before = self._known[name]
        self._known[name] = before or said
        if before and said and said != before:
            yield _other(name)

    def _versioned(self, said: str) -> Iterator[Objection]:
        before, self._version = self._version, said
        if before and said and said != before:
            yield _other(_VERSION)


def _other(name: str) -> Objection:
    return Objection(
        "B01, ChargingStationType",
        f"another {name} after a boot",
        f"the station says another {name} than before, and nothing is known that would have changed it",
        Topic.LOST,
        Weight.MEDIUM,
    )
