"""What meters tell: the energy register of an EVSE counts what it delivered since it was made, and never falls (J02).

Knows sampled values of Energy.Active.Import.Register. Must not know who charges, nor when a value is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import isfinite

from strategies.labels import JsonObject
from strategies.model.events import (
    Called,
    Event,
    Objection,
    Topic,
    Weight,
    member,
    moment,
    number,
    objects,
    text,
)
from strategies.model.facts import Facts
from strategies.model.rule import Rule

_REGISTER = "Energy.Active.Import.Register"
_SLACK_WH = 1.0
"""Registers may be rounded differently from one message to the next."""

_LEAST_WH = 0.001
"""In one message they are not: whatever is less than this comes of the way in which machines write numbers."""

_Meter = tuple[int, str, str, str]


class Register(Rule):
    """Follows the energy register of each EVSE, phase and location, apart for each message that tells of it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._read: dict[_Meter, tuple[datetime, float, Called]] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether a register fell; after the transaction took note of where it is."""
        match event:
            case Called(action="TransactionEvent"):
                id_ = text(event.payload, "transactionInfo", "transactionId")
                found = self._facts.transaction(id_)
                if found is not None and found.evse:
                    yield from self._values(event, found.evse, "")
            case Called(action="MeterValues"):
                evse = number(event.payload, "evseId")
                if evse is not None:
                    # J02.FR.16: each message tells of a consumer of its own, which may be metered by itself.
                    yield from self._values(event, evse, event.action)
            case _:
                pass

    def _values(self, event: Called, evse: int, told_by: str) -> Iterator[Objection]:
        for value in objects(event.payload, "meterValue"):
            at = moment(value, "timestamp")
            for sample in objects(value, "sampledValue"):
                energy = energy_wh(sample)
                if at is not None and energy is not None:
                    where = text(sample, "phase"), text(sample, "location") or "Outlet"
                    meter = (evse, told_by, *where)
                    yield from self._follows(meter, at, energy, event)

    def _follows(
        self, meter: _Meter, at: datetime, energy: float, event: Called
    ) -> Iterator[Objection]:
        before_at, before, told = self._read.get(meter, (at, energy, event))
        if at < before_at:
            # Told late, or by a clock that was set: nothing can be said of what came first.
            return
        self._read[meter] = (at, energy, event)
        fell = f"{_REGISTER} of EVSE {meter[0]} was {before:g} Wh and is {energy:g} Wh later"
        if energy < before - _SLACK_WH:
            yield Objection("J02", "energy register falls", fell, Topic.LOST, Weight.HIGH)
        elif told is event and energy < before - _LEAST_WH:
            yield Objection("J02", "energy register falls within one message", fell)


def energy_wh(sample: JsonObject) -> float | None:
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
