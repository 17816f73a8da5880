"""What one functional block offers to the others, as protocols, and the answers of a station without that block.

Knows shapes only; `Context` holds whoever answers.
"""

from __future__ import annotations

from typing import Protocol

from fuzz.station.transaction import Grant
from strategies.labels import JsonObject


class Transactions(Protocol):
    """What other blocks may ask about transactions; TransactionsBlock answers."""

    def on(self, evse: int) -> str:
        """The id of the transaction on an EVSE, "" when there is none; EVSE 0 asks for any at all."""
        ...

    def end_all(self, trigger: str, stopped: str) -> None:
        """Ends every transaction, energy first, with a triggerReason and a stoppedReason."""
        ...

    def sampled(self, evse: int, trigger: str, values: list[JsonObject]) -> bool:
        """Tells meter values (MeterValueType) of the transaction on an EVSE; False when there is none."""
        ...

    def authorized(self, evse: int) -> bool:
        """Whether somebody was authorised for an EVSE."""
        ...

    def waiting(self, evses: frozenset[int]) -> int:
        """The EVSE among `evses` (empty: all) where an EV waits for an authorisation, 0 for none."""
        ...

    def admit(self, grant: Grant) -> str:
        """Lets somebody charge; the reasonCode when that cannot be, "" when it can."""
        ...

    def stop_of(self, token: JsonObject) -> bool:
        """Ends the authorisation that `token` began; False when there is none."""
        ...

    def stop_group(self, group: str, token: JsonObject) -> bool:
        """Ends the authorisation of another token of the same group; False when there is none."""
        ...

    def stop(self, transaction: str) -> bool:
        """Ends the authorisation of a transaction because the CSMS asked for it; False when it is unknown."""
        ...


class Meter(Protocol):
    """What TransactionsBlock asks of the meter; MeteringBlock answers. Values are lists of MeterValueType."""

    def begin(self, evse: int) -> list[JsonObject]:
        """A transaction begins: the values of TxStartedMeasurands, Transaction.Begin; sampling starts."""
        ...

    def end(self, evse: int) -> list[JsonObject]:
        """A transaction ends: what its last event tells, Transaction.End among it; sampling stops."""
        ...


class NoMeter:
    """The answers of a station without a meter."""

    def begin(self, evse: int) -> list[JsonObject]:
        """Nothing was measured."""
        return []

    def end(self, evse: int) -> list[JsonObject]:
        """Nothing was measured."""
        return []


class NoTransactions:
    """The answers of a station that has none."""

    def on(self, evse: int) -> str:
        """Never any."""
        return ""

    def end_all(self, trigger: str, stopped: str) -> None:
        """Nothing to end."""

    def sampled(self, evse: int, trigger: str, values: list[JsonObject]) -> bool:
        """There is no transaction."""
        return False

    def authorized(self, evse: int) -> bool:
        """Nobody ever."""
        return False

    def waiting(self, evses: frozenset[int]) -> int:
        """No EV waits."""
        return 0

    def admit(self, grant: Grant) -> str:
        """Nobody may charge."""
        return "NotEnabled"

    def stop_of(self, token: JsonObject) -> bool:
        """Nothing to stop."""
        return False

    def stop_group(self, group: str, token: JsonObject) -> bool:
        """Nothing to stop."""
        return False

    def stop(self, transaction: str) -> bool:
        """Nothing to stop."""
        return False
