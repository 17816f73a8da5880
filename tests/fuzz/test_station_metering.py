import pytest
from hypothesis import given, strategies as st

from fuzz.ocppj.payloads import validate_schema
from fuzz.station.hardware import Evse
from fuzz.station.metering import Reading, meter_value, read_evse, read_grid, seconds_to_next
from strategies.labels import Kind
from strategies.version import version

MEASURANDS = (
    "Current.Import",
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Power.Factor",
    "SoC",
    "Voltage",
)
DC = Reading(1000.0, 40_000.0, 400.0, 20.0)
AC = Reading(1000.0, 6_900.0, 230.0, phases=3)


def shown(reading, *measurands):
    values = meter_value(reading, measurands, "Other", "2026-01-01T00:00:00Z")
    return values[0]["sampledValue"] if values else []


@given(st.lists(st.sampled_from(MEASURANDS), unique=True), st.sampled_from([DC, AC]))
def test_a_value_holds_exactly_what_was_configured_as_far_as_the_meter_knows_it(names, reading):
    told = list(dict.fromkeys(value["measurand"] for value in shown(reading, *names)))
    assert told == [name for name in names if name != "SoC" or reading is DC]


@given(
    st.lists(st.sampled_from(MEASURANDS), unique=True, min_size=1),
    st.floats(0, 1e9),
    st.floats(0, 400_000),
    st.sampled_from([0, 1, 3]),
)
def test_every_value_is_a_proper_one(names, energy, power, phases):
    reading = Reading(energy, power, 400.0, 20.0, phases)
    values = meter_value(reading, names, "Sample.Clock", "2026-01-01T00:00:00Z")
    payload = {"evseId": 1, "meterValue": values}
    assert validate_schema("MeterValues", Kind.REQUEST, payload, version()) is None


def test_dc_has_one_value_of_each_with_its_unit():
    units = {v["measurand"]: v.get("unitOfMeasure", {}).get("unit") for v in shown(DC, *MEASURANDS)}
    assert units == {
        "Current.Import": "A",
        "Energy.Active.Import.Register": "Wh",
        "Power.Active.Import": "W",
        "Power.Factor": None,
        "SoC": "Percent",
        "Voltage": "V",
    }
    assert [v["value"] for v in shown(DC, "Current.Import", "SoC")] == [100.0, 20.0]


@pytest.mark.parametrize(
    ("measurand", "phases", "values"),
    [
        ("Current.Import", ["L1", "L2", "L3"], [10.0] * 3),
        ("Voltage", ["L1-N", "L2-N", "L3-N"], [230.0] * 3),
        ("Power.Active.Import", [None, "L1", "L2", "L3"], [6900.0, *[2300.0] * 3]),
        ("Energy.Active.Import.Register", [None], [1000.0]),
    ],
)
def test_three_phases_are_told_one_by_one(measurand, phases, values):
    told = shown(AC, measurand)
    assert ([v.get("phase") for v in told], [v["value"] for v in told]) == (phases, values)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10_000)), max_size=20))
def test_the_register_never_decreases_and_stands_still_without_power(steps):
    evse, now = Evse(1, 1, plugged=1, ready=True), 1_000.0
    before = read_evse(evse, now).energy_wh
    for closed, seconds in steps:
        evse.closed = closed
        now += seconds
        after = read_evse(evse, now).energy_wh
        assert after - before == pytest.approx(closed * 50_000 * seconds / 3600)
        before = after


def test_the_grid_meter_shows_the_sum_and_no_state_of_an_ev():
    grid = read_grid([DC, AC])
    assert (grid.energy_wh, grid.power_w) == (2000.0, 46_900.0)
    told = shown(grid, *MEASURANDS)
    assert {v["measurand"] for v in told} == {
        "Energy.Active.Import.Register",
        "Power.Active.Import",
        "Power.Factor",
    }
    assert {v["location"] for v in told} == {"Inlet"}


@given(st.floats(1.6e9, 2e9), st.integers(1, 86_400))
def test_the_next_multiple_is_ahead_and_counts_from_midnight(wall, interval):
    wait = seconds_to_next(wall, interval)
    assert 0 < wait <= interval + 0.01
    today = (wall + wait) % 86_400
    # Within a millisecond of a multiple, or of midnight.
    off = min(today % interval, interval - today % interval, today, 86_400 - today)
    assert off < 0.002
