"""Every job meets every interruption, and every boot every answer, valid by its schema, on any station."""

from __future__ import annotations

import json
from itertools import product

import pytest

from fuzz.engine.course import worth
from fuzz.engine.staging import steps
from fuzz.testing import malformed
from strategies.jobs import jobs
from strategies.meetings import meetings
from strategies.moves import Act, Answer, Ask, Await, Leave, Tell, Withhold, acts, asks, flat
from strategies.pool import Pool
from strategies.sequences import Place, Scenario, scenarios

_PLACES = (Place(), Place(Pool(evse_ids=(4, 9))))
_BOOTING = ("reset", "on-idle", "power-cycle")
_CALLS = ("firmware", "log", "report", "customer", "availability")


def _all() -> list[Scenario]:
    return [told for place in _PLACES for told in jobs(place, changes=True)]


def _parts(told: Scenario) -> tuple[str, str, str]:
    """The job, the interruption, and what its boot is answered at first."""
    family, _, rest = told.name.partition("/")
    met, _, boot = rest.partition("-then-")
    return family.removesuffix("-meets"), met, boot or "Accepted"


def test_names_are_their_own_and_no_others_are_called_so() -> None:
    for place in _PLACES:
        others = (*meetings(place, changes=True), *scenarios(place))
        names = [told.name for told in (*jobs(place, changes=True), *others)]
        assert len(names) == len(set(names))
        families = {told.name.partition("/")[0] for told in others}
        assert not {told.name.partition("/")[0] for told in jobs(place, changes=True)} & families
    assert all(told.text.endswith(".") for told in _all())


def test_every_job_meets_every_interruption() -> None:
    met = {_parts(told)[:2] for told in jobs(_PLACES[1], changes=True)}
    every = (*_BOOTING, "cut", "network", "another", "again", "use")
    assert set(product(_CALLS, every)) <= met
    # Where there is no requestId, the same again is another one; a second reset is the reset when idle.
    assert set(product(("certificate",), (*_BOOTING, "cut", "network", "another", "use"))) <= met
    assert set(product(("idle-reset",), (*_BOOTING, "cut", "network", "use"))) <= met


def test_every_boot_is_answered_in_every_way_for_every_interruption_and_every_job() -> None:
    booted = [_parts(told) for told in jobs(_PLACES[0], changes=True)]
    answers = ("Accepted", "Pending", "Rejected")
    assert {(m, boot) for _, m, boot in booted if m in _BOOTING} == set(product(_BOOTING, answers))
    assert set(product(_CALLS, answers)) <= {(job, boot) for job, _, boot in booted}


def test_they_are_few_and_short_and_always_the_same() -> None:
    for place in _PLACES:
        told = jobs(place, changes=True)
        assert len(told) <= 62
        assert all(len(scene.moves) < 30 for scene in told)
        assert sum(worth(steps(scene.moves)) for scene in told) < 1_500
        assert told == jobs(place, changes=True)


@pytest.mark.parametrize("told", _all(), ids=lambda told: told.name)
def test_what_is_asked_and_answered_is_valid(told: Scenario) -> None:
    assert malformed(told.moves) == []


@pytest.mark.parametrize("told", _all(), ids=lambda told: told.name)
def test_an_interruption_comes_once_the_job_has_begun(told: Scenario) -> None:
    _, met, _ = _parts(told)
    told_of = [i for i, m in enumerate(told.moves) if isinstance(m, Await)]
    cuts = [
        i
        for i, m in enumerate(told.moves)
        if isinstance(m, Leave)
        or (isinstance(m, Act) and m.event in ("power-cycle", "cut-network"))
    ]
    assert bool(cuts) is (met in ("power-cycle", "cut", "network"))
    assert all(told_of[0] < at for at in cuts)


def test_a_boot_that_is_not_accepted_is_waited_for_until_one_is() -> None:
    for told in _all():
        said = [i for i, m in enumerate(told.moves) if m == Await("BootNotification", (), 30.0)]
        others = [i for i, m in enumerate(told.moves) if _refuses_boot(m)]
        assert len(others) == (_parts(told)[2] != "Accepted")
        assert all(len([i for i in said if i > at]) >= 2 for at in others)


def _refuses_boot(move: object) -> bool:
    return isinstance(move, Answer) and move.action == "BootNotification"


def test_an_answer_is_held_back_for_good_only_where_its_connection_is_lost() -> None:
    for told in _all():
        held = [m for m in told.moves if isinstance(m, Withhold)]
        said = [m for m in told.moves if isinstance(m, Tell)]
        lost = _parts(told)[1] in (*_BOOTING, "cut", "network")
        assert len(said) == (0 if lost else len(held))


def test_nobody_is_left_plugged_in_and_no_root_installed() -> None:
    for told in _all():
        words = [m.words for m in flat(told.moves) if isinstance(m, Act)]
        plugged = {w.split()[1] for w in words if w.startswith("plug-in")}
        assert plugged <= {w.split()[1] for w in words if w.startswith("unplug")}
        made = [m.action for m in told.moves if isinstance(m, Ask)]
        if "InstallCertificate" in made:
            assert made.index("InstallCertificate") < made.index("DeleteCertificate")


def test_what_is_made_unavailable_is_made_available_again() -> None:
    for told in _all():
        made = [
            m.payload for m in told.moves if isinstance(m, Ask) and "operationalStatus" in m.payload
        ]
        levels = {json.dumps(p.get("evse")): p["operationalStatus"] for p in made}
        assert set(levels.values()) <= {"Operative"}


def test_without_changes_there_are_only_questions_and_cuts() -> None:
    for place in _PLACES:
        told = jobs(place, changes=False)
        assert told
        asked = frozenset().union(*(asks(scene.moves) for scene in told))
        assert asked == {"GetBaseReport", "CustomerInformation", "TriggerMessage"}
        assert frozenset().union(*(acts(scene.moves) for scene in told)) <= {
            "cut-network",
            "restore-network",
        }
