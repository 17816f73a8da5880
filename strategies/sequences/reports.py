"""Scenarios of reports (B07, B08): one, one within another, and one that a reset ends."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.moves import Ask, Await, Move, Pause, Withhold
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenario, scenarios_over
from strategies.sequences.steps import GLANCE_S, answered, reboot, set_variable, tell_status


def _report(number: int, base: str) -> Ask:
    return Ask("GetBaseReport", {"requestId": number, "reportBase": base})


@scenarios_over
def report(place: Place) -> Iterable[tuple[str, Script]]:
    """A base report is asked for."""
    for number, base in enumerate(
        ("FullInventory", "ConfigurationInventory", "SummaryInventory"), 41
    ):
        yield base, partial(_one_report, number, base)


def _one_report(number: int, base: str, place: Place) -> list[Move]:
    return [_report(number, base), Pause(GLANCE_S), *tell_status(place)]


@scenario
def report_without_texts(place: Place) -> Iterable[Move]:
    """Whatever text may be empty is emptied, and the report still names every variable."""
    texts = [v for v in place.pool.variables if _may_be_empty(v)]
    if not texts:
        return []
    return [
        _report(46, "FullInventory"),
        Pause(2 * GLANCE_S),
        *(set_variable(v, "") for v in texts),
        _report(47, "FullInventory"),
        Pause(2 * GLANCE_S),
        *(set_variable(v, v.value or "") for v in texts),
    ]


def _may_be_empty(variable: PoolVariable) -> bool:
    """Whether a variable is a writable text, of no bearing on who the station is or how it comes back."""
    plain = variable.data_type == "string" and variable.mutability == "ReadWrite"
    lasting = variable.component == "OCPPCommCtrlr" or variable.variable == "Identity"
    return plain and not lasting and bool(variable.value)


@scenario
def report_within_a_report(place: Place) -> Iterable[Move]:
    """Another report is asked for while one is being told."""
    return [*_within(_report(45, "ConfigurationInventory")), *tell_status(place)]


@scenario
def report_asked_for_twice(place: Place) -> Iterable[Move]:
    """A report is asked for again, under the same requestId, while it is being told."""
    return [*_within(_report(44, "FullInventory")), *tell_status(place)]


def _within(other: Ask) -> list[Move]:
    where = (("/requestId", str(other.payload["requestId"])),)
    return [
        Withhold("NotifyReport"),
        _report(44, "FullInventory"),
        Await("NotifyReport", timeout_s=10.0),
        other,
        answered({}),
        Await("NotifyReport", where),
        Pause(GLANCE_S),
    ]


@scenario
def report_over_a_reset(place: Place) -> Iterable[Move]:
    """The station is reset while it tells a report."""
    return [
        Withhold("NotifyReport"),
        _report(46, "FullInventory"),
        Await("NotifyReport", timeout_s=10.0),
        *reboot(place),
        *tell_status(place),
    ]
