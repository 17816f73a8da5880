"""Scenarios are data that fits any station: its EVSEs, tokens and variables, and nothing else."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest

from fuzz.testing import malformed
from strategies import sequences
from strategies.moves import Act, Again, Answer, Ask, Await, Move, acts, asks, flat
from strategies.pool import Pool, PoolVariable
from strategies.sequences import Place, Scenario, scenarios, with_variable
from strategies.sequences.registry import told_at

_WRITABLE = (
    PoolVariable("OCPPCommCtrlr", "NetworkConfigurationPriority", values=("0", "1"), value="0"),
    PoolVariable(
        "OCPPCommCtrlr", "MessageAttemptInterval", variable_instance="TransactionEvent", value="60"
    ),
    PoolVariable("OCPPCommCtrlr", "OfflineThreshold", min_limit=0, max_limit=600, value="300"),
    PoolVariable("TxCtrlr", "EVConnectionTimeOut", value="60"),
    PoolVariable(
        "TxCtrlr", "TxStartPoint", values=("EVConnected", "Authorized"), value="Authorized"
    ),
    PoolVariable("SecurityCtrlr", "OrganizationName", value="lab"),
    PoolVariable("SecurityCtrlr", "SecurityProfile", mutability="ReadOnly", value="2"),
    PoolVariable("AuthCtrlr", "OfflineTxForUnknownIdEnabled", data_type="boolean", value="false"),
)
_POOL = Pool(_WRITABLE, evse_ids=(4, 9))
_PLACES = (Place(), Place(_POOL))


def _all() -> list[Scenario]:
    return [told for place in _PLACES for told in scenarios(place)]


def _named(name: str, place: Place) -> tuple[Move, ...]:
    return next(s.moves for s in scenarios(place) if s.name == name)


def test_every_scenario_has_a_name_of_its_own_and_a_sentence() -> None:
    for place in _PLACES:
        names = [told.name for told in scenarios(place)]
        assert len(names) == len(set(names)) > 80
    assert all(told.text.endswith(".") for told in _all())


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(sequences.__path__)])
def test_what_a_module_registers_is_told(module: str) -> None:
    topic = import_module(f"{sequences.__name__}.{module}").__name__
    every = {told.name for told in scenarios(Place(_POOL))}
    assert {told.name for told in told_at(Place(_POOL), topic)} <= every


_MALFORMED = frozenset({"refused-and-left-alone"})
"""Scenarios of what is refused because it is not valid."""


@pytest.mark.parametrize("told", _all(), ids=lambda told: told.name)
def test_what_a_scenario_asks_and_answers_is_valid(told: Scenario) -> None:
    wrong = malformed(told.moves)
    if told.name in _MALFORMED:
        assert len(set(wrong)) == len(wrong) == 4
    else:
        assert wrong == []


def test_nothing_but_the_evses_that_the_station_named_is_plugged() -> None:
    for told in scenarios(Place(_POOL)):
        for move in flat(told.moves):
            if isinstance(move, Act) and move.event in (
                "plug-in",
                "unplug",
                "start-power",
                "fault",
            ):
                assert move.argument in ("4", "9")


def test_every_cable_that_is_plugged_in_is_unplugged() -> None:
    for told in _all():
        plugged: set[str] = set()
        for move in flat(told.moves):
            if isinstance(move, Act) and move.event == "plug-in":
                plugged.add(move.argument)
            elif isinstance(move, Act) and move.event == "unplug":
                plugged.discard(move.argument)
        assert not plugged, told.name


def test_a_network_that_is_cut_is_restored() -> None:
    for told in _all():
        words = [m.event for m in flat(told.moves) if isinstance(m, Act)]
        assert words.count("cut-network") == words.count("restore-network")


def test_slow_scenarios_come_last() -> None:
    slow = [told.slow for told in scenarios(Place(_POOL))]
    assert slow == sorted(slow)
    assert any(slow)


def test_a_station_with_one_evse_has_no_scenario_of_two() -> None:
    assert "two-evses" in {told.name for told in scenarios(Place(_POOL))}
    assert "two-evses" not in {told.name for told in scenarios(Place(Pool(evse_ids=(4,))))}


def test_a_variable_is_put_back_after_the_moves() -> None:
    changed = list(with_variable(Place(_POOL), "TxCtrlr.EVConnectionTimeOut", "1", [Act("tamper")]))
    values = [
        m.payload["setVariableData"][0]["attributeValue"]  # type: ignore[index,call-overload]
        for m in changed
        if isinstance(m, Ask)
    ]
    assert values == ["1", "60"]
    assert changed[1] == Act("tamper")


def test_a_variable_that_cannot_be_written_is_left_alone() -> None:
    assert list(with_variable(Place(), "TxCtrlr.EVConnectionTimeOut", "1", [])) == []


def test_transactions_begin_at_every_point_that_the_station_lists_but_the_present_one() -> None:
    names = {told.name for told in scenarios(Place(_POOL))}
    assert "transaction-points/TxStartPoint-EVConnected" in names
    assert "transaction-points/TxStartPoint-Authorized" not in names


def test_another_network_profile_is_the_one_of_ours_and_the_old_one_comes_back() -> None:
    moves = _named("other-profile", Place(_POOL))
    told = next(m for m in moves if isinstance(m, Ask) and m.action == "SetNetworkProfile")
    connection = told.payload["connectionData"]
    assert isinstance(connection, dict)
    assert told.payload["configurationSlot"] == 1
    assert connection["ocppCsmsUrl"] == "{csms.url}/other"
    assert connection["securityProfile"] == 2
    values = [
        m.payload["setVariableData"][0]["attributeValue"]  # type: ignore[index,call-overload]
        for m in moves
        if isinstance(m, Ask) and m.action == "SetVariables"
    ]
    assert values == ["1,0", "0"]


def test_a_boot_that_is_refused_without_an_interval_is_accepted_in_the_end() -> None:
    moves = _named("boot-pending-without-interval", Place(_POOL))
    answers = [m.payload for m in moves if isinstance(m, Answer)]
    assert all(a is not None and (a["status"], a["interval"]) == ("Pending", 0) for a in answers)
    boots = [m for m in moves if isinstance(m, Await) and m.action == "BootNotification"]
    assert len(boots) == len(answers) + 1


def test_a_station_that_does_not_tell_its_security_profile_gets_no_other_network_profile() -> None:
    bare = Pool(tuple(v for v in _WRITABLE if v.variable != "SecurityProfile"))
    assert "other-profile" not in {told.name for told in scenarios(Place(bare))}


def test_a_change_is_read_back_before_and_after_the_boot() -> None:
    name = "changed-over-a-reset/OCPPCommCtrlr.NetworkConfigurationPriority=1"
    moves = _named(name, Place(_POOL))
    said = [m.action for m in moves if isinstance(m, Ask | Await)]
    assert said == [
        "SetVariables",
        "GetVariables",
        "Reset",
        "BootNotification",
        "GetVariables",
        "SetVariables",
        "GetVariables",
    ]


def test_repeated_moves_count_once_among_what_is_asked_and_done() -> None:
    moves = (Again((Act("plug-in 1"), Ask("Reset", {"type": "OnIdle"})), 5), Act("tamper"))
    assert asks(moves) == {"Reset"}
    assert acts(moves) == {"plug-in", "tamper"}
