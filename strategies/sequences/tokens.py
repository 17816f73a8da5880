"""Scenarios of what the CSMS says of a token (C01, C09, E05): every status, in either answer, and groups that are not one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.moves import Act, Answer, Ask, Await, Move, Pause
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenario, scenarios_over
from strategies.sequences.steps import (
    GLANCE_S,
    charge,
    get_variable,
    judged,
    leave,
    present,
)

RARE = (
    "ConcurrentTx",
    "NoCredit",
    "NotAllowedTypeEVSE",
    "NotAtThisLocation",
    "NotAtThisTime",
    "Unknown",
)
"""What AuthorizationStatusEnumType has beside Accepted and the usual refusals, which other scenes give."""

GOES_ON_S = 3.0
"""How long energy may flow on until it is sure that nobody stops it."""


@scenario
def rare_refusals(place: Place) -> Iterable[Move]:
    """A token after the other is refused, each for another rare reason, and the EV wants energy."""
    n = place.evses[0]
    shown: list[Move] = []
    for number, status in enumerate(RARE):
        token = f"04A1B2E{number}"
        shown += [
            Answer("Authorize", judged(status)),
            present((token, "ISO14443")),
            Await("Authorize", (("/idToken/idToken", token),)),
        ]
    after: list[Move] = [Act(f"start-power {n}"), Pause(GLANCE_S), Act(f"unplug {n}")]
    return [Act(f"plug-in {n}"), *shown, *after, Ask("ClearCache", {})]


@scenario
def token_of_another_group(place: Place) -> Iterable[Move]:
    """Another token, of another group, is shown while somebody charges, and stops nothing (C09)."""
    other = place.tokens[1]
    return [
        Answer("Authorize", judged("Accepted", "GROUP-A")),
        Answer("Authorize", judged("Accepted", "GROUP-B")),
        *charge(place),
        present(other),
        Await("Authorize", (("/idToken/idToken", other[0]),), 10.0),
        Pause(GLANCE_S),
        *leave(place),
    ]


@scenarios_over
def refused_while_charging(place: Place) -> Iterable[tuple[str, Script]]:
    """The token of a running transaction is refused in the answer to a TransactionEvent, for one reason or another."""
    # Rare ones first: whoever tells them apart by name may know the usual ones only.
    for status in ("ConcurrentTx", "Invalid", "NoCredit", "Unknown"):
        yield status.lower(), partial(_refused_while_charging, status)


def _refused_while_charging(status: str, place: Place) -> list[Move]:
    # Where it is not known to be absent, energy may flow on up to it (E05.FR.03).
    allowance = get_variable(PoolVariable("TxCtrlr", "MaxEnergyOnInvalidId"))
    return [
        allowance,
        *[Answer("TransactionEvent", judged(status)) for _ in range(3)],
        *charge(place)[:-1],
        Await("TransactionEvent"),
        Pause(GOES_ON_S),
        *leave(place),
    ]
