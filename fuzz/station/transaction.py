"""One session at an EVSE and the transaction in it, with the tables that say when it begins, ends and what state it has.

Knows words of Part 2 block E only; must not know messages, timers or other EVSEs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from strategies.labels import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Grant:
    """An authorisation to charge: who, and where.

    `evses` is what an idTokenInfo limits it to, empty for every EVSE (C01.FR.19); `evse` is the one that the CSMS
    chose, 0 for none. `remote_start_id` is there when the CSMS asked for it.
    """

    token: JsonObject
    group: str = ""
    evses: frozenset[int] = frozenset()
    evse: int = 0
    remote_start_id: int | None = None


def limits_of(info: JsonObject) -> frozenset[int]:
    """The EVSEs that an idTokenInfo allows, empty for all (C01.FR.19 to FR.21)."""
    listed = info.get("evseId")
    numbers = listed if isinstance(listed, list) else []
    return frozenset(int(number) for number in numbers if isinstance(number, int | float))


def group_of(named: JsonObject) -> str:
    """The group that an idTokenInfo or a request names, "" for none."""
    group = named.get("groupIdToken")
    return str(group.get("idToken", "")) if isinstance(group, dict) else ""


@dataclass(slots=True)
class Session:
    """From the first of plug and authorisation to the last; may hold a transaction, whose id is "" before it starts.

    `evse` is 0 while none is chosen, `connector` while no EV is connected. `denied` is true when the CSMS took the
    token back and the energy is held, `energised` once energy has flowed. What was told already has a name in `told`.
    """

    serial: int
    evse: int = 0
    connector: int = 0
    authorized: bool = False
    denied: bool = False
    energised: bool = False
    token: JsonObject = field(default_factory=dict)
    group: str = ""
    evses: frozenset[int] = frozenset()
    remote_start_id: int | None = None
    transaction: str = ""
    seq_no: int = 0
    token_told: bool = False
    evse_told: bool = False
    state_told: str = "Idle"

    def admit(self, grant: Grant) -> None:
        """Authorised from now on."""
        self.authorized, self.denied, self.token_told = True, False, False
        self.token, self.group, self.evses = grant.token, grant.group, grant.evses
        self.remote_start_id = grant.remote_start_id

    def is_of(self, token: JsonObject) -> bool:
        """Whether `token` authorised it; identifiers are the same in either case of letters."""
        return self.authorized and _key(self.token) == _key(token)

    def lasting(self) -> JsonObject:
        """What must survive to end the transaction after a loss of power."""
        return {
            "transaction": self.transaction,
            "seqNo": self.seq_no,
            "evse": self.evse,
            "evseTold": self.evse_told,
        }


def restored(serial: int, stored: JsonValue) -> Session | None:
    """The session that `Session.lasting` told of; None when that is nonsense."""
    if not isinstance(stored, dict):
        return None
    transaction, seq_no, evse = (stored.get(name) for name in ("transaction", "seqNo", "evse"))
    if not isinstance(transaction, str) or not 0 < len(transaction) <= 36:
        return None
    if type(seq_no) is not int or type(evse) is not int or seq_no < 0:
        return None
    told = stored.get("evseTold") is True
    return Session(serial, evse, transaction=transaction, seq_no=seq_no, evse_told=told)


# --- when a transaction begins (E01) --------------------------------------------------------------------------

_BEGINS: Mapping[str, Callable[[Session, bool], bool]] = {
    "EVConnected": lambda session, flowing: bool(session.connector),
    "Authorized": lambda session, flowing: session.authorized,
    "PowerPathClosed": lambda session, flowing: session.authorized and bool(session.connector),
    "EnergyTransfer": lambda session, flowing: flowing,
}


def begins(points: Iterable[str], session: Session, *, flowing: bool) -> bool:
    """Whether any of the TxStartPoints holds."""
    return any(_BEGINS[point](session, flowing) for point in points if point in _BEGINS)


# --- when it ends (E06) ---------------------------------------------------------------------------------------

ENDS_UNPLUGGED = frozenset({"EVConnected", "PowerPathClosed", "EnergyTransfer"})
"""The TxStopPoints that cease to hold when the EV is gone."""

ENDS_DEAUTHORIZED = frozenset({"Authorized", "PowerPathClosed", "EnergyTransfer"})
"""The TxStopPoints that cease to hold when the authorisation is gone."""


# --- its charging state ---------------------------------------------------------------------------------------

_STATES: tuple[tuple[Callable[[Session, bool], bool], str], ...] = (
    (lambda session, flowing: not session.connector, "Idle"),
    (lambda session, flowing: not session.authorized, "EVConnected"),
    (lambda session, flowing: session.denied, "SuspendedEVSE"),
    (lambda session, flowing: flowing, "Charging"),
    (lambda session, flowing: session.energised, "SuspendedEV"),
    (lambda session, flowing: True, "EVConnected"),
)


def charging_state(session: Session, *, flowing: bool) -> str:
    """The ChargingStateEnumType: the first row of the table that holds."""
    return next(state for holds, state in _STATES if holds(session, flowing))


def _key(token: JsonObject) -> tuple[str, str]:
    return str(token.get("idToken")).casefold(), str(token.get("type"))
