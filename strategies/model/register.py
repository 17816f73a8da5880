"""What meters tell: the energy register of an EVSE counts what it delivered since it was made, and never falls (J02).

Knows sampled values of Energy.Active.Import.Register. Must not know who charges, nor when a value is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import isfinite

from strategies.labels import JsonObject
from strategies.model.events import Called, Event, Objection, Topic, Weight, member, objects, text
from strategies.model.facts import Facts

_REGISTER = "Energy.Active.Import.Register"
_SLACK_WH = 1.0
"""Registers may be rounded differently from one message to the next."""

_Meter = tuple[int, str, str]


class Register:
    """Follows the energy register of each EVSE, phase and location."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._read: dict[_Meter, tuple[datetime, float]] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether a register fell; after the transaction took note of where it is."""
        if not isinstance(event, Called) or event.action != "TransactionEvent":
            return
        found = self._facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        if found is None or not found.evse:
            return
        for value in objects(event.payload, "meterValue"):
            at = _moment(text(value, "timestamp"))
            for sample in objects(value, "sampledValue"):
                energy = _energy_wh(sample)
                if at is not None and energy is not None:
                    meter = (
                        found.evse,
                        text(sample, "phase"),
                        text(sample, "location") or "Outlet",
                    )
                    yield from self._follows(meter, at, energy)

    def _follows(self, meter: _Meter, at: datetime, energy: float) -> Iterator[Objection]:
        before_at, before = self._read.get(meter, (at, energy))
        if at < before_at:
            # Told late, or by a clock that was set: nothing can be said of what came first.
            return
        self._read[meter] = (at, energy)
        if energy < before - _SLACK_WH:
            yield Objection(
                "J02",
                "energy register falls",
                f"{_REGISTER} of EVSE {meter[0]} was {before:g} Wh and is {energy:g} Wh later",
                Topic.LOST,
                Weight.HIGH,
            )


def _energy_wh(sample: JsonObject) -> float | None:
    """The register in Wh, None for any other measurand, one that begins with the transaction, or no number."""
    if text(sample, "measurand") not in ("", _REGISTER):
        return None
    value, multiplier = (
        sample.get("value"),
        member(sample, "unitOfMeasure", "multiplier"),
    )
    power = 0 if multiplier is None else multiplier
    unit = text(sample, "unitOfMeasure", "unit") or "Wh"
    if unit not in ("Wh", "kWh") or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(power, bool) or not isinstance(power, int) or not -6 <= power <= 6:
        return None
    energy = float(value) * 10.0**power * (1_000 if unit == "kWh" else 1)
    return energy if isfinite(energy) else None


def _moment(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
