"""Energy that flows although nobody is said to charge (E02.FR.13): the register rises, and no event ever says Charging.

Knows the energy register and chargingState of each transaction. Must not know who may charge (`energy` does), nor when an
EV pauses (`pauses` does).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strategies.labels import JsonValue
from strategies.model.events import Called, Event, Objection, member, objects, text
from strategies.model.facts import Facts
from strategies.model.register import energy_wh
from strategies.model.rule import Rule

LEAST_WH = 2.0
"""What a meter may count while nothing is charged: its own rounding."""


@dataclass(slots=True)
class _Flow:
    """What the register read when a transaction was first told, and whether a state was told since, or that it charges."""

    first_wh: float
    spoke: bool = False
    charged: bool = False


class Flows(Rule):
    """Follows every transaction that was told from its beginning, over a connection that held."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._flows: dict[str, _Flow] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether energy was counted that nobody was said to take; after transactions took note of the event."""
        if not isinstance(event, Called) or event.action != "TransactionEvent":
            return
        facts = self._facts
        found = facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        offline = member(event.payload, "offline") is True
        if found is None or not found.begun or found.offline or offline:
            return
        readings, key = _readings(event.payload), found.id.casefold()
        if readings and text(event.payload, "eventType") == "Started":
            self._flows[key] = _Flow(min(readings))
        flow, state = self._flows.get(key), text(event.payload, "transactionInfo", "chargingState")
        if flow is None or facts.shaken_s >= found.first_s:
            return
        flow.spoke |= bool(state)
        flow.charged |= state == "Charging"
        if (
            flow.spoke
            and not flow.charged
            and readings
            and max(readings) - flow.first_wh > LEAST_WH
        ):
            del self._flows[key]
            yield Objection(
                "E02.FR.13",
                "energy without Charging",
                f"{max(readings) - flow.first_wh:g} Wh were counted in a transaction, and no event said that it charges",
            )


def _readings(payload: JsonValue) -> list[float]:
    """The register at the outlet, of all phases together, as often as an event tells it."""
    samples = [
        sample
        for value in objects(payload, "meterValue")
        for sample in objects(value, "sampledValue")
        if not text(sample, "phase") and text(sample, "location") in ("", "Outlet")
    ]
    return [wh for wh in map(energy_wh, samples) if wh is not None]
