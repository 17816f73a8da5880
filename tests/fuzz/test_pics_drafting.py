"""What a station showed fills the form, and whatever it showed, the form can be read."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.pics.answers import Cable, Current, Outlet
from fuzz.pics.checking import TRIGGER_OF, contradictions
from fuzz.pics.comparing import differences
from fuzz.pics.drafting import Seen, draft
from fuzz.pics.form import answered, form
from fuzz.pics.loading import dump_pics, known_pics, load_pics, parse_pics
from fuzz.station.bench import Bench
from strategies.pool import Pool, PoolVariable

BOOT = {"vendor": "ocppfuzz-lab", "serial": "OCPPFUZZ0001", "firmware": "1.0.0"}
LABELS = sorted({label for line in form().values() for label in line.variables})


def shown_by(name):
    """What the station of a PICS file shows on the bench."""
    pics, bench = load_pics(name), Bench(pics=name).boot()
    bench.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    bench.settle()
    parts = [frame[3] for frame in bench.said if frame[2] == "NotifyReport"]
    entries = [entry for part in parts for entry in part["reportData"]]
    summary = bench.ask("GetBaseReport", {"requestId": 2, "reportBase": "SummaryInventory"})
    triggers = {}
    for trigger in TRIGGER_OF.values():
        place = {"evse": {"id": 1, "connectorId": 1}} if trigger == "StatusNotification" else {}
        answer = bench.ask("TriggerMessage", {"requestedMessage": trigger} | place)
        triggers[trigger] = answer[2]["status"]
    return Seen(
        boot=BOOT | {"model": pics.model},
        security_profile=3,
        suites=pics.cipher_suites,
        variables=tuple(Pool.from_report(entries).variables),
        triggers=triggers,
        summary=summary[2]["status"],
        answers_s=(0.1, 0.3),
        reports_s=(1.0,),
    )


@pytest.mark.parametrize("name", known_pics())
def test_a_station_contradicts_none_of_its_own_answers(name):
    made = draft(shown_by(name))
    assert differences(load_pics(name), made) == ()
    assert {"C-13", "HFS-9", "C-30"}.isdisjoint(made.observed)
    assert {"EVSE", "C-09.4", "C-40.2", "C-41", "C-56", "ORS-8", "AS-3"} <= made.observed


def test_another_station_contradicts_them():
    found = differences(load_pics("dc-2evse-ccs1"), draft(shown_by("ac-1evse-type2")))
    assert {d.item for d in found} >= {"EVSE", "C-09.5", "C-40.1", "C-41", "C-56", "ORS-2", "AS-3"}


def test_what_was_not_seen_contradicts_nothing():
    assert differences(load_pics("dc-2evse-ccs1"), draft(Seen())) == ()


@pytest.mark.parametrize(
    ("given_", "item"), [("answers_s", "response"), ("reports_s", "triggered")]
)
def test_a_slow_answer_is_a_difference(given_, item):
    pics = load_pics("dc-2evse-ccs1")
    limit = pics.performance[item].limit_s
    assert differences(pics, draft(Seen(**{given_: (limit,)}))) == ()
    (found,) = differences(pics, draft(Seen(**{given_: (0.1, limit + 1)})))
    assert (found.item, found.observed) == (item, f"{limit + 1:g} s")


def test_another_security_profile_is_a_difference():
    pics = replace(load_pics("dc-2evse-ccs1"), security_profiles=(2, 3))
    (found,) = differences(pics, draft(Seen(security_profile=1)))
    assert (found.item, found.declared, found.observed) == ("security profile", "2, 3", "1")


def test_connectors_that_do_not_fit_together_are_not_taken():
    gap = PoolVariable("Connector", "ConnectorType", evse_id=7, connector_id=2, value="sType2")
    made = draft(Seen(variables=(gap,)))
    assert made.pics.outlets == (Outlet(1, 1, Current.DC, 0, "Unknown", Cable.FIXED),)
    assert "EVSE" not in made.observed


def split(label):
    component, _, rest = label.partition(".")
    name, _, instance = rest.partition("[")
    return component, name, instance.rstrip("]")


texts = st.text(max_size=20) | st.sampled_from(
    ["true", "false", "3", "EVConnected", "sType2", "\ud800"]
)


@st.composite
def variables(draw):
    component, name, instance = split(draw(st.sampled_from(LABELS)))
    place = component in ("EVSE", "Connector")
    return PoolVariable(
        component,
        name,
        variable_instance=instance,
        evse_id=draw(st.integers(-1, 3)) if place else None,
        connector_id=draw(st.integers(-1, 3)) if component == "Connector" else None,
        mutability=draw(st.sampled_from(["ReadWrite", "ReadOnly", "x"])),
        max_limit=draw(st.none() | st.floats(allow_nan=False) | st.integers()),
        values=tuple(draw(st.lists(texts, max_size=3))),
        value=draw(st.none() | texts),
    )


statuses = st.sampled_from(["", "Accepted", "Rejected", "NotImplemented", "NotSupported", "\ud800"])
seen = st.builds(
    Seen,
    boot=st.dictionaries(st.sampled_from([*BOOT, "model", "x"]), texts),
    security_profile=st.none() | st.integers(0, 3),
    suites=st.lists(texts, max_size=3).map(tuple),
    variables=st.lists(variables(), max_size=12).map(tuple),
    triggers=st.dictionaries(st.sampled_from([*TRIGGER_OF.values(), "Heartbeat"]), statuses),
    summary=statuses,
    answers_s=st.lists(st.floats(0, 1e4), max_size=3).map(tuple),
)


@given(seen)
def test_whatever_a_station_shows_the_draft_can_be_read(shown):
    made = draft(shown)
    assert contradictions(made.pics) == ()
    text = dump_pics(made.pics, made.notes, "head")
    assert parse_pics(text.encode().decode(), "draft") == made.pics
    lines = [line for line in text.splitlines() if " = " in line and not line.startswith("#")]
    assert [
        line for line in lines if "  # observed: " not in line and "  # assumed: " not in line
    ] == []


def test_every_line_that_has_an_answer_says_how_it_was_got():
    assert set(answered()) <= set(draft(Seen()).notes)
