import pytest

from fuzz.station.bench import BENCH_TIME, Bench
from fuzz.station.blocks.metering import MAX_SAMPLES, MeteringBlock
from fuzz.station.events import Persist, ShiftClock, Tick

ENERGY = "Energy.Active.Import.Register"


class Told:
    """Stands where TransactionsBlock stands; keeps what it is told."""

    def __init__(self):
        self.values = []

    def on(self, evse):
        return ""

    def end_all(self, trigger, stopped):
        pass

    def sampled(self, evse, trigger, values):
        self.values.append((evse, trigger, values))
        return True


@pytest.fixture
def bench():
    return Bench().boot(interval=86_400)


@pytest.fixture
def context(bench):
    return bench.station._context


@pytest.fixture
def told(context):
    context.transactions = Told()
    return context.transactions.values


def charge(context, evse=1):
    hardware = context.evses[evse]
    hardware.advance(context.now)
    hardware.plugged, hardware.ready, hardware.closed = 1, True, True


def set_(bench, component, variable, value):
    item = {"component": {"name": component}, "variable": {"name": variable}}
    asked = {"setVariableData": [{**item, "attributeValue": value}]}
    (result,) = bench.ask("SetVariables", asked)[2]["setVariableResult"]
    assert result["attributeStatus"] == "Accepted"


def run(bench, seconds):
    """Time passes in small steps, everything is answered; what the station asked meanwhile."""
    begin = len(bench.said)
    until = bench.now + seconds
    while bench.now < until:
        bench.wait(min(1, until - bench.now))
        bench.settle()
    return [frame for frame in bench.said[begin:] if frame[0] == 2]


def contexts(values):
    return [sampled["context"] for value in values for sampled in value["sampledValue"]]


def aligned(asked):
    return [frame[3]["evseId"] for frame in asked if frame[2] == "MeterValues"]


def test_a_transaction_begins_and_ends_with_its_measurands(bench, context, told):
    first = context.meter.begin(1)
    charge(context)
    bench.wait(36)
    bench.do(Tick())
    last = context.meter.end(1)
    assert contexts(first) == ["Transaction.Begin"]
    assert contexts(last) == ["Transaction.Begin", "Transaction.End"]
    begin, end = (value["sampledValue"][0] for value in last)
    assert (begin["measurand"], end["measurand"]) == (ENERGY, ENERGY)
    assert end["value"] - begin["value"] == 50_000 * 36 / 3600


def test_an_update_is_told_every_interval_with_exactly_its_measurands(bench, context, told):
    context.meter.begin(2)
    bench.wait(179)
    assert [(evse, trigger) for evse, trigger, _ in told] == [(2, "MeterValuePeriodic")] * 2
    ((value,), sampled) = told[0][2], told[0][2][0]["sampledValue"]
    assert value["timestamp"] == "2026-01-01T00:01:00.000Z"
    assert set(contexts([value])) == {"Sample.Periodic"}
    names = "Energy.Active.Import.Register,Power.Active.Import,Voltage,Current.Import,Power.Factor"
    assert [s["measurand"] for s in sampled] == names.split(",")


def test_nothing_is_sampled_after_the_end_nor_with_an_interval_of_zero(bench, context, told):
    context.meter.begin(1)
    set_(bench, "SampledDataCtrlr", "TxUpdatedInterval", "0")
    bench.wait(500)
    assert told == []
    set_(bench, "SampledDataCtrlr", "TxUpdatedInterval", "5")
    bench.wait(10)
    assert len(told) == 2
    context.meter.end(1)
    bench.wait(500)
    assert len(told) == 2


def test_samples_for_the_last_event_are_kept_in_order(bench, context, told):
    set_(bench, "SampledDataCtrlr", "TxEndedInterval", "40")
    set_(bench, "AlignedDataCtrlr", "TxEndedInterval", "60")
    bench.wait(5)
    bench.do(Tick())
    context.meter.begin(1)
    bench.wait(90)
    bench.do(Tick())
    last = context.meter.end(1)
    assert [(v["timestamp"][14:19], *contexts([v])) for v in last] == [
        ("00:05", "Transaction.Begin"),
        ("00:45", "Sample.Periodic"),
        ("01:00", "Sample.Clock"),
        ("01:25", "Sample.Periodic"),
        ("01:35", "Transaction.End"),
    ]


def test_a_long_transaction_keeps_a_bounded_number_of_samples(bench, context, told):
    set_(bench, "SampledDataCtrlr", "TxEndedInterval", "1")
    context.meter.begin(1)
    bench.wait(5 * MAX_SAMPLES)
    assert MAX_SAMPLES / 2 <= len(context.meter.end(1)) <= MAX_SAMPLES + 2


def test_what_is_switched_off_is_not_measured(bench, context, told):
    set_(bench, "SampledDataCtrlr", "Enabled", "false")
    set_(bench, "AlignedDataCtrlr", "Enabled", "false")
    assert context.meter.begin(1) == []
    assert aligned(run(bench, 901)) == []
    assert (context.meter.end(1), told) == ([], [])


def test_an_unknown_evse_has_no_values(context):
    assert (context.meter.begin(0), context.meter.end(9)) == ([], [])


def test_every_evse_and_the_grid_are_told_at_each_multiple_since_midnight(bench, context):
    bench.wait(100)
    context.meter.begin(1)
    assert aligned(run(bench, 799)) == []
    asked = run(bench, 1)
    assert aligned(asked) == [0, 1, 2]
    assert {f[3]["meterValue"][0]["timestamp"] for f in asked} == {"2026-01-01T00:15:00.000Z"}
    values = [sampled for f in asked for sampled in f[3]["meterValue"][0]["sampledValue"]]
    assert {(v["context"], v["measurand"]) for v in values} == {("Sample.Clock", ENERGY)}


def test_a_new_interval_holds_at_once_and_zero_is_off(bench):
    run(bench, 7)
    set_(bench, "AlignedDataCtrlr", "Interval", "10")
    assert aligned(run(bench, 3)) == [0, 1, 2]
    set_(bench, "AlignedDataCtrlr", "Interval", "0")
    assert aligned(run(bench, 2000)) == []


def test_multiples_follow_the_clock_of_the_station(bench):
    bench.do(ShiftClock(100.0))
    bench.settle()
    assert aligned(run(bench, 799)) == []
    bench.do(ShiftClock(-10.0))  # less than what is told to anybody
    assert aligned(run(bench, 10)) == []
    assert aligned(run(bench, 1)) == [0, 1, 2]


def test_clock_aligned_values_are_not_kept_while_offline(bench):
    bench.lose()
    bench.wait(950)
    assert bench.station.handle(ShiftClock(0), bench.now) is not None
    assert [f for f in bench.said if f[2] == "MeterValues"] == []


def test_a_csms_that_never_answers_is_not_told_without_end(bench, context):
    set_(bench, "AlignedDataCtrlr", "Interval", "1")
    bench.wait(3000)
    assert context.peer.room >= 120


def test_registers_and_the_beginning_of_a_transaction_survive_a_restart(bench, context, told):
    charge(context)
    context.meter.begin(1)
    kept = [c for c in bench.wait(120) if isinstance(c, Persist)][-1].state
    again = Bench(lasting=kept).station._context
    assert again.evses[1].register_wh == context.evses[1].register_wh > 0
    again.now = BENCH_TIME + 200
    last = again.meter.end(1)
    assert contexts(last) == ["Transaction.Begin", "Transaction.End"]
    assert last[0]["sampledValue"][0]["value"] == 0.0


@pytest.mark.parametrize("junk", [None, 5, [], {"1": None}, {"1": "x"}, {"1": [{"a": 1}]}])
def test_nonsense_in_a_stored_state_is_left_out(junk):
    context = Bench(lasting={"registers": junk, "metering": junk}).station._context
    assert context.evses[1].register_wh == 0
    assert contexts(context.meter.end(1)) == ["Transaction.End"]


def test_sampling_goes_on_after_a_reboot(bench, context, told):
    context.meter.begin(1)
    (block,) = [b for b in bench.station._blocks if isinstance(b, MeteringBlock)]
    context.cancel()
    block.power_on()
    bench.wait(60)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("request_", "evses"), [({}, [1, 2]), ({"evse": {"id": 2}}, [2]), ({"evse": {"id": 9}}, [])]
)
def test_meter_values_can_be_asked_for_where_the_product_says_so(bench, context, request_, evses):
    assert context.triggers["MeterValues"](request_) == bool(evses)
    asked = run(bench, 1)
    assert aligned(asked) == evses
    assert {c for f in asked for c in contexts(f[3]["meterValue"])} <= {"Trigger"}


def test_the_power_of_an_evse_is_that_of_now(bench, context):
    power = context.model.named("EVSE", "Power", evse=1)
    assert context.model.read(power) == "0"
    charge(context)
    assert context.model.read(power) == "50000"


def test_an_ac_station_tells_each_phase():
    bench = Bench(pics="ac-1evse-type2").boot()
    context = bench.station._context
    context.transactions = Told()
    charge(context)
    context.meter.begin(1)
    bench.wait(60)
    ((_, _, (value,)),) = context.transactions.values
    shown = [(s["measurand"], s.get("phase"), s["value"]) for s in value["sampledValue"]]
    assert ("Power.Active.Import", None, 22_080.0) in shown
    assert [x for x in shown if x[0] == "Current.Import"] == [
        ("Current.Import", phase, 32.0) for phase in ("L1", "L2", "L3")
    ]
