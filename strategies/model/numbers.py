"""Numbers of EVSEs and connectors (Part 1 section 4): both begin at 1, and 0 stands for no connector.

Knows only what stands in one message. Must not know which EVSEs there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.model.events import Called, Event, Objection, number
from strategies.model.rule import Rule


class Numbers(Rule):
    """Looks at what is told of a connector, or of the EVSE of a transaction."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with the numbers in a CALL."""
        match event:
            case Called(action="StatusNotification", payload=told):
                numbers = number(told, "evseId"), number(told, "connectorId")
            case Called(action="TransactionEvent", payload=told):
                numbers = number(told, "evse", "id"), number(told, "evse", "connectorId")
            case _:
                return
        if any(n is not None and n < 1 for n in numbers):
            yield Objection(
                "G01, E01",
                f"{event.action} of a place that cannot be",
                f"{event.action} names EVSE {numbers[0]}, connector {numbers[1]}; EVSEs and connectors are numbered from 1",
            )
