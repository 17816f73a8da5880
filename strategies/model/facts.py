"""What is known about the Charging Station so far, shared by all rules: connection, boots, plugs, transactions.

Knows what was seen; whatever was not is unknown and has a value that nothing is concluded from. Must not know rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from strategies.labels import JsonObject
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Opened,
    Operated,
    Stray,
    Told,
    Unread,
    number,
    text,
)
from strategies.model.settings import Settings

NEVER = float("-inf")
REFUSALS = frozenset(
    {
        "Blocked",
        "ConcurrentTx",
        "Expired",
        "Invalid",
        "NoCredit",
        "NotAllowedTypeEVSE",
        "NotAtThisLocation",
        "NotAtThisTime",
        "Unknown",
    }
)
"""AuthorizationStatusEnumType without Accepted."""

_LATE_S = 2.0


class Standing(StrEnum):
    """How far the Charging Station has come with its CSMS (B01 to B03)."""

    UNKNOWN = "unknown"
    OFF = "off"
    """It was started anew, and has not said so yet."""
    BOOTING = "booting"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


@dataclass(slots=True)
class Transaction:
    """One transaction as far as it was told.

    `begun` is true when its Started was seen. `told` are its events by seqNo, without `offline`. `era` counts the
    boots before it was first seen.
    """

    id: str
    era: int
    evse: int = 0
    connector: int = 0
    begun: bool = False
    ended_seq: int | None = None
    state: str = ""
    first_s: float = 0.0
    last_s: float = 0.0
    last_seq: int = -1
    told: dict[int, JsonObject] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    """The seqNos that the CSMS has properly acknowledged."""
    offline: bool = False
    token: tuple[str, str] | None = None
    remote_starts: set[int] = field(default_factory=set)

    @property
    def open(self) -> bool:
        """True from its Started until its Ended."""
        return self.begun and self.ended_seq is None


@dataclass(slots=True)
class Facts:
    """The shared part of what is known.

    `interrupted_s` is when the connection or the power was lost last, `disturbed_s` when anything last happened that
    may end a transaction, `failed_s` when an answer to the station was no proper one or did not come, `unread_s` when
    it said something that nobody could read. `away` is true from when it was lost until it is connected again.
    """

    timeout_s: float = 30.0
    standing: Standing = Standing.UNKNOWN
    boots: int = 0
    booted_s: float = NEVER
    outstanding: Called | None = None
    interrupted_s: float = NEVER
    disturbed_s: float = NEVER
    failed_s: float = NEVER
    unread_s: float = NEVER
    away: bool = False
    closes: int = 0
    plugged: dict[int, float] = field(default_factory=dict)
    """Where somebody plugged in, and when; not where an EV may have been before."""
    ready: set[int] = field(default_factory=set)
    operated: bool = False
    transactions: dict[str, Transaction] = field(default_factory=dict)
    statuses: dict[tuple[int, int], str] = field(default_factory=dict)
    """The ConnectorStatus of (evseId, connectorId), as it was told last."""
    settings: Settings = field(default_factory=Settings)

    def transaction(self, id_: str) -> Transaction | None:
        """The transaction with this id; identifiers are the same in either case of letters."""
        return self.transactions.get(id_.casefold())

    @property
    def shaken_s(self) -> float:
        """When anything last happened that may cost or delay a message."""
        return max(self.interrupted_s, self.failed_s, self.unread_s)

    def surely_open(self, transaction: Transaction) -> bool:
        """True when a transaction runs and nothing that was seen could have ended it unheard."""
        # What waited its turn is told of later than it happened.
        quiet_s = max(self.disturbed_s + _LATE_S, self.shaken_s)
        in_time = transaction.last_s > quiet_s and not transaction.offline
        return transaction.open and in_time and self.outstanding is None

    def note(self, event: Event) -> None:
        """Takes note of what happened, after every rule has looked at it."""
        self.settings.note(event)
        match event:
            case Called():
                self.away = False
                if self.outstanding is not None:
                    self.failed_s = event.at_s
                self.outstanding = event
                if event.action == "StatusNotification":
                    place = number(event.payload, "evseId"), number(event.payload, "connectorId")
                    self.statuses[place[0] or 0, place[1] or 0] = text(
                        event.payload, "connectorStatus"
                    )
                if event.action == "BootNotification":
                    self.boots += text(event.payload, "reason") != "Triggered"
                    self.booted_s = self.disturbed_s = event.at_s
            case Answered():
                self._answered(event)
            case Asked() | Told():
                self._asked(event)
            case Operated():
                self._operated(event)
            case Opened() | Closed() | Died():
                self.interrupted_s = event.at_s
                self.away = not isinstance(event, Opened)
                self.closes += isinstance(event, Closed)
                self.outstanding = None
            case Stray():
                self.failed_s = event.at_s
            case Unread():
                self.unread_s = event.at_s

    def _answered(self, event: Answered) -> None:
        if self.outstanding is event.called:
            self.outstanding = None
        if event.error_code or not (event.proper and event.prompt):
            self.failed_s = event.at_s
        status = text(event.payload, "idTokenInfo", "status")
        if event.called.action == "TransactionEvent" and status not in ("", "Accepted"):
            self.disturbed_s = event.at_s

    def _asked(self, event: Asked | Told) -> None:
        action = event.action if isinstance(event, Asked) else event.asked.action
        if action in _DISTURBING:
            self.disturbed_s = event.at_s

    def _operated(self, event: Operated) -> None:
        self.operated = True
        self.disturbed_s = event.at_s
        match event.deed:
            case "plug-in":
                self.plugged.setdefault(event.evse, event.at_s)
            case "unplug":
                self.plugged.pop(event.evse, None)
                self.ready.discard(event.evse)
            case "start-power":
                self.ready.add(event.evse)
            case "power-cycle" | "cut-network" | "restore-network":
                self.interrupted_s = event.at_s
                self.away = self.away or event.deed != "restore-network"
            case _:
                pass


_DISTURBING = frozenset(
    {
        "RequestStopTransaction",
        "RequestStartTransaction",
        "Reset",
        "UpdateFirmware",
        "SetVariables",
        "UnlockConnector",
        "SetNetworkProfile",
        "CertificateSigned",
    }
)
"""CALLs that may end a transaction, directly or by what they change."""
