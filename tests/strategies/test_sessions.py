"""Sessions cross every two parts that fit, and leave a station as they found it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import pytest
from hypothesis import given, strategies as st

from fuzz.testing import malformed
from strategies.labels import JsonObject
from strategies.moves import Act, Ask, flat
from strategies.pool import Pool, PoolVariable
from strategies.sequences import Place, Scenario, scenarios
from strategies.sessions import Row, covering, sessions


def _written(name: str, value: str, *values: str) -> PoolVariable:
    component, _, variable = name.partition(".")
    kind = "MemberList" if values else ""
    return PoolVariable(
        component, variable, value=value, mutability="ReadWrite", data_type=kind, values=values
    )


_CONFIGURED = Pool(
    (
        _written("TxCtrlr.TxStartPoint", "Authorized", "Authorized", "EVConnected"),
        _written("TxCtrlr.TxStopPoint", "EVConnected", "Authorized", "EVConnected"),
        _written("TxCtrlr.EVConnectionTimeOut", "60"),
        _written("AuthCtrlr.OfflineTxForUnknownIdEnabled", "false"),
    ),
    evse_ids=(4, 9),
)
_PLACES = (Place(), Place(_CONFIGURED))
_ALL = [told for place in _PLACES for told in sessions(place)]


@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=5),
    st.sampled_from(
        [lambda row: True, lambda row: row[0] != row[1], lambda row: row[0] == 0 or row[-1] == 0]
    ),
)
def test_every_two_values_meet_that_any_row_lets_meet(
    sizes: list[int], fits: Callable[[Row], bool]
) -> None:
    rows = list(covering(sizes, fits))
    possible = [row for row in product(*map(range, sizes)) if fits(row)]
    assert set(rows) <= set(possible)
    met = {pair for row in rows for pair in combinations(enumerate(row), 2)}
    assert met == {pair for row in possible for pair in combinations(enumerate(row), 2)}
    assert rows == list(covering(sizes, fits))


def test_rows_are_few() -> None:
    sizes = (8, 8, 9, 8, 4, 3)
    assert 72 <= len(list(covering(sizes, lambda row: True))) <= 120


def test_names_are_their_own_and_no_scenarios_are_called_so() -> None:
    for place in _PLACES:
        names = [told.name for told in (*sessions(place), *scenarios(place))]
        assert len(names) == len(set(names))
    assert all(told.text.endswith(".") for told in _ALL)


@pytest.mark.parametrize("told", _ALL, ids=lambda told: told.name)
def test_what_was_done_is_undone(told: Scenario) -> None:
    acts = [move.event for move in flat(told.moves) if isinstance(move, Act)]
    assert acts.count("restore-network") == acts.count("cut-network")
    assert acts.count("clear-fault") == acts.count("fault")
    assert [act for act in acts if act in ("plug-in", "unplug")][-1] == "unplug"


def _asked(told: Scenario, action: str) -> list[JsonObject]:
    return [m.payload for m in told.moves if isinstance(m, Ask) and m.action == action]


@pytest.mark.parametrize("told", _ALL, ids=lambda told: told.name)
def test_what_was_set_is_set_back(told: Scenario) -> None:
    items = [payload["setVariableData"] for payload in _asked(told, "SetVariables")]
    names = [str(item[0]["variable"]) for item in items if isinstance(item, list)]  # type: ignore[index, call-overload]
    half = len(names) // 2
    assert names[:half] == names[half:][::-1]
    changes = [p["operationalStatus"] for p in _asked(told, "ChangeAvailability")]
    assert changes in ([], ["Inoperative", "Operative"])


@pytest.mark.parametrize("told", _ALL, ids=lambda told: told.name)
def test_what_is_asked_and_answered_is_valid(told: Scenario) -> None:
    assert malformed(told.moves) == []


def test_every_way_to_end_meets_every_answer_to_the_boot() -> None:
    for place in _PLACES:
        names = [told.name for told in sessions(place)]
        for end, boot in product(("unplug", "stop", "fault", "reset"), ("pending", "rejected")):
            assert any(n.startswith(f"until-{end}/") and f",{boot}," in n for n in names)
