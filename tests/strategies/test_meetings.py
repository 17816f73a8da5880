"""Every CALL meets every state and every wait, valid by its schema, on any station."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fuzz.testing import malformed
from strategies.meetings import meetings
from strategies.moves import Act, Ask, Pause, Tell, Withhold, asks, flat
from strategies.pool import Pool, PoolVariable
from strategies.sequences import Place, Scenario, booted, scenarios

_PERIODIC = PoolVariable("SampledDataCtrlr", "TxUpdatedInterval", value="60")
_PLACES = (Place(), Place(Pool((_PERIODIC,), evse_ids=(4, 9))))


def _all() -> list[Scenario]:
    return [told for place in _PLACES for told in meetings(place, changes=True)]


def test_names_are_their_own_and_no_scenarios_are_called_so() -> None:
    for place in _PLACES:
        names = [told.name for told in (*meetings(place, changes=True), *scenarios(place))]
        assert len(names) == len(set(names))
    assert all(told.text.endswith(".") for told in _all())


@pytest.mark.parametrize("told", _all(), ids=lambda told: told.name)
def test_what_is_asked_and_answered_is_valid(told: Scenario) -> None:
    assert malformed(told.moves) == []


def _of_calls() -> list[Scenario]:
    others = ("-meets/", "every-setting/")
    return [told for told in _all() if not any(name in told.name for name in others)]


@pytest.mark.parametrize("told", _of_calls(), ids=lambda told: told.name)
def test_every_call_meets_every_state(told: Scenario) -> None:
    assert {"GetVariables", "RequestStartTransaction", "InstallCertificate"} <= set(
        asks(told.moves)
    )


def test_what_is_held_back_is_said_in_the_end() -> None:
    for told in _of_calls():
        held = [i for i, m in enumerate(told.moves) if isinstance(m, Withhold)]
        said = [i for i, m in enumerate(told.moves) if isinstance(m, Tell)]
        assert len(held) == len(said) == told.name.startswith(("meeting/", "meeting-a-queue/"))
        assert held <= said


def test_every_setting_is_set_to_what_it_is_while_somebody_charges() -> None:
    other = PoolVariable("LocalAuthListCtrlr", "Enabled", value="true")
    fixed = replace(other, variable="Entries", mutability="ReadOnly")
    place = Place(Pool((_PERIODIC, other, fixed), evse_ids=(4, 9)))
    (told,) = (t for t in meetings(place, changes=True) if t.name.startswith("every-setting"))
    said = [move.payload for move in flat(told.moves) if isinstance(move, Ask)]
    items = [item for payload in said for item in payload.get("setVariableData", [])]
    values = [(item["variable"]["name"], item["attributeValue"]) for item in items]
    # The first and the last are those of the scene itself: it has the station tell every second that somebody charges.
    assert values[1:-1] == [("TxUpdatedInterval", "60"), ("Enabled", "true")]


def test_without_changes_nothing_is_installed_started_or_made_unavailable_by_a_call_that_meets() -> (
    None
):
    for told in meetings(Place(), changes=False):
        assert not {"InstallCertificate", "RequestStartTransaction", "GetLog"} & set(
            asks(told.moves)
        )


def test_somebody_charges_only_where_the_station_says_that_it_goes_on() -> None:
    with_events = {told.name for told in meetings(_PLACES[1], changes=True)}
    without = {told.name for told in meetings(_PLACES[0], changes=True)}
    charging = {"every-call/charging", "every-setting/charging"}
    assert {n for n in with_events - without if "visit" not in n} == charging


def test_nobody_is_left_plugged_in() -> None:
    for told in _all():
        words = [m.words for m in flat(told.moves) if isinstance(m, Act)]
        plugged = {w.split()[1] for w in words if w.startswith("plug-in")}
        assert plugged <= {w.split()[1] for w in words if w.startswith("unplug")}


def test_an_answer_is_held_back_for_good_only_where_its_connection_is_lost() -> None:
    for told in _all():
        if "-meets/" in told.name:
            lost = told.name.startswith(("cut-", "power-cycle-"))
            assert any(isinstance(m, Tell) for m in told.moves) is not lost


def test_what_people_do_while_an_answer_is_held_back_comes_before_it() -> None:
    for told in _all():
        if "-meets/" in told.name:
            (said,) = [i for i, m in enumerate(told.moves) if isinstance(m, Tell)] or [0]
            # What is done comes another way than the answer, so that it needs a moment to be the first.
            assert not said or isinstance(told.moves[said - 1], Pause)


def test_a_boot_whose_answer_was_lost_is_waited_for_again() -> None:
    (told,) = (
        t for t in meetings(Place(), changes=False) if t.name == "cut-meets/BootNotification"
    )
    assert sum(m == booted(Place()) for m in told.moves) == 2
