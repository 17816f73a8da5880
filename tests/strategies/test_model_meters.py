"""Meter values of transactions come as agreed and are what they say; whatever may have a reason of its own does not count."""

import pytest

from strategies.model import Answered, Asked, Called, Missed, Model, Operated, Told

WAITED = Missed("TransactionEvent", 12.0, (("/triggerReason", "MeterValuePeriodic"),))
NONE_CAME = "no periodic meter values"


class Charging:
    """Somebody charges from second 2 on under a TxUpdatedInterval, None where nobody set it."""

    def __init__(self, interval="1", status="Accepted"):
        self.model, self.seq = Model(), 0
        if interval is not None:
            self.set(0.0, interval, status)
        self.event(1.0, "Started", "Authorized", "EVConnected")
        self.event(2.0, "Updated", "ChargingStateChanged", "Charging")

    def set(self, at_s, value, status="Accepted"):
        names = {
            "component": {"name": "SampledDataCtrlr"},
            "variable": {"name": "TxUpdatedInterval"},
        }
        asked = Asked(
            at_s,
            "SetVariables",
            {"setVariableData": [{**names, "attributeValue": value}]},
            f"q{at_s}",
        )
        self.model.saw(asked)
        self.model.saw(
            Told(at_s + 0.1, asked, {"setVariableResult": [{**names, "attributeStatus": status}]})
        )

    def event(self, at_s, kind, trigger, state="Charging", *, contexts=(), slow=0.0, **more):
        values = [
            {
                "timestamp": "2026-01-01T00:00:00Z",
                "sampledValue": [{"value": 1, "context": c} for c in contexts],
            }
        ]
        payload = {
            "eventType": kind,
            "seqNo": self.seq,
            "triggerReason": trigger,
            "timestamp": f"2026-01-01T00:00:{at_s:06.3f}Z",
            "transactionInfo": {"transactionId": "t1", "chargingState": state},
            "evse": {"id": 1, "connectorId": 1},
            **({"meterValue": values} if contexts else {}),
            **more,
        }
        self.seq += 1
        called = Called(at_s, "TransactionEvent", payload, f"c{at_s}")
        found = self.model.saw(called)
        self.model.saw(Answered(at_s + 0.01 + slow, called, {}))
        return [o.name for o in found]

    def end(self, end_s=20.0, missed=WAITED):
        return [o.name for o in self.model.over(end_s, [missed])]


def test_values_that_never_come_although_they_were_waited_for_are_found():
    assert Charging().end() == [NONE_CAME]
    scene = Charging()
    scene.model.saw(Operated(15.0, "unplug 1"))
    scene.event(15.1, "Ended", "EVCommunicationLost", "Idle")
    scene.set(16.0, "60")
    assert scene.end() == [NONE_CAME]


def test_values_are_not_missed_too_early_nor_where_nobody_waited_for_them():
    assert Charging().end(13.0) == []
    assert Charging().end(missed=Missed("TransactionEvent", 12.0)) == []
    assert Charging("6").end() == []


@pytest.mark.parametrize(
    ("interval", "status"), [(None, ""), ("0", "Accepted"), ("1", "RebootRequired")]
)
def test_values_are_not_missed_where_the_interval_is_off_or_unknown(interval, status):
    assert Charging(interval, status).end() == []


@pytest.mark.parametrize(
    "disturb",
    [
        lambda scene: scene.event(5.0, "Updated", "MeterValuePeriodic"),
        lambda scene: scene.event(5.0, "Updated", "ChargingStateChanged", "SuspendedEV"),
        lambda scene: scene.event(5.0, "Updated", "ChargingRateChanged", slow=9.0),
        lambda scene: scene.model.saw(Operated(9.0, "stop-power 1")),
        lambda scene: scene.model.saw(Called(3.0, "Heartbeat", {}, "h")),
    ],
    ids=["told", "suspended", "held-up", "stopped", "waiting"],
)
def test_values_are_not_missed_where_energy_did_not_surely_flow(disturb):
    scene = Charging()
    disturb(scene)
    assert scene.end() == []


def test_values_that_are_turned_off_and_come_all_the_same_are_found():
    assert Charging("0").event(3.0, "Updated", "MeterValuePeriodic") == [
        "periodic meter values although they are off"
    ]
    assert Charging("60").event(3.0, "Updated", "MeterValuePeriodic") == []
    scene = Charging("0")
    scene.set(3.0, "1")
    assert scene.event(4.0, "Updated", "MeterValuePeriodic") == []


@pytest.mark.parametrize(("apart_s", "wrong"), [(0.0, 0), (1.0, 1), (3.0, 0), (4.0, 0)])
def test_values_of_another_rhythm_are_found(apart_s, wrong):
    scene = Charging("4")
    at = (
        {"timestamp": "2026-01-01T00:00:09Z"},
        {"timestamp": f"2026-01-01T00:00:{9 + apart_s:06.3f}Z"},
    )
    assert scene.event(6.0, "Updated", "MeterValuePeriodic", **at[0]) == []
    found = scene.event(7.0, "Updated", "MeterValuePeriodic", **at[1])
    assert found == ["periodic meter values too often"] * wrong


@pytest.mark.parametrize(
    ("kind", "trigger", "contexts", "wrong"),
    [
        ("Updated", "MeterValuePeriodic", ["Sample.Periodic"], ""),
        (
            "Updated",
            "MeterValuePeriodic",
            ["Sample.Clock"],
            "MeterValuePeriodic without Sample.Periodic",
        ),
        ("Updated", "MeterValuePeriodic", ["Transaction.Begin"], ""),
        ("Updated", "MeterValueClock", ["Sample.Periodic"], "MeterValueClock without Sample.Clock"),
        ("Updated", "ChargingStateChanged", ["Sample.Clock"], ""),
        ("Ended", "EVDeparted", ["Sample.Periodic"], "Ended without Transaction.End"),
        ("Ended", "EVDeparted", ["Sample.Periodic", "Transaction.End"], ""),
        ("Ended", "EVDeparted", ["Sample.Clock"], ""),
        ("Ended", "EVDeparted", ["Interruption.Begin"], ""),
        ("Ended", "EVDeparted", [], ""),
    ],
)
def test_a_value_is_what_its_event_is_there_for(kind, trigger, contexts, wrong):
    found = Charging().event(3.0, kind, trigger, contexts=contexts)
    assert found == ([wrong] if wrong else [])


def test_the_first_values_begin_a_transaction():
    model = Charging(None)
    model.model = Model()
    model.seq = 0
    found = model.event(1.0, "Started", "Authorized", contexts=["Sample.Periodic"])
    assert found == ["Started without Transaction.Begin"]


@pytest.mark.parametrize(
    ("context", "wrong"), [("Transaction.End", 1), ("Sample.Clock", 0), ("Trigger", 0)]
)
def test_values_of_a_transaction_are_told_by_its_events_alone(context, wrong):
    value = {
        "timestamp": "2026-01-01T00:00:00Z",
        "sampledValue": [{"value": 1, "context": context}],
    }
    found = Model().saw(Called(1.0, "MeterValues", {"evseId": 1, "meterValue": [value]}, "m"))
    assert [o.name for o in found] == ["values of a transaction in MeterValues"] * wrong


@pytest.mark.parametrize(
    ("measurands", "told", "wrong"),
    [
        ("Power.Active.Import,Energy.Active.Import.Register", ["Power.Active.Import"], 1),
        ("Energy.Active.Import.Register", [], 1),
        ("Energy.Active.Import.Register", ["Energy.Active.Import.Register"], 0),
        ("Energy.Active.Import.Register", [""], 0),
        ("Power.Active.Import", [], 0),
        ("", [], 0),
        (None, [], 0),
    ],
)
def test_the_register_is_told_at_the_end_where_it_is_named(measurands, told, wrong):
    scene = Charging(None)
    if measurands is not None:
        named = {
            "component": {"name": "SampledDataCtrlr"},
            "variable": {"name": "TxEndedMeasurands"},
        }
        asked = Asked(2.5, "GetVariables", {"getVariableData": [named]}, "g")
        result = {**named, "attributeStatus": "Accepted", "attributeValue": measurands}
        scene.model.saw(asked)
        scene.model.saw(Told(2.6, asked, {"getVariableResult": [result]}))
    samples = [{"value": 1, "context": "Transaction.End", "measurand": m} for m in told]
    more = {"meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": samples}]}
    found = scene.event(3.0, "Ended", "EVDeparted", **(more if told else {}))
    assert found == ["Ended without the energy register"] * wrong


# --- which measurands are told ------------------------------------------------------------------------------------


def listed(model, at_s, name, value):
    names = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": name}}
    data = {"setVariableData": [{**names, "attributeValue": value}]}
    asked = Asked(at_s, "SetVariables", data, f"l{at_s}")
    model.saw(asked)
    model.saw(Told(at_s, asked, {"setVariableResult": [{**names, "attributeStatus": "Accepted"}]}))


def sampled(value, *samples, kind="Updated", trigger="MeterValuePeriodic", set_s=0.5):
    """What is said of an event with such pairs of measurand and context, under a list that was set at a time."""
    scene = Charging("60")
    scene.model = Model()
    scene.seq = 0
    if set_s < 1.0:
        listed(scene.model, set_s, f"Tx{kind}Measurands", value)
    scene.event(1.0, "Started", "Authorized", "EVConnected")
    if set_s > 1.0:
        listed(scene.model, set_s, f"Tx{kind}Measurands", value)
    values = [{"value": 1, "measurand": m, "context": c} for m, c in samples]
    meter = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": values}
    return [n for n in scene.event(4.0, kind, trigger, meterValue=[meter]) if "its list" in n]


POWER, ENERGY = "Power.Active.Import", "Energy.Active.Import.Register"
PERIODIC, END = "Sample.Periodic", "Transaction.End"


def test_a_measurand_that_no_list_names_is_found():
    assert sampled(POWER, (POWER, PERIODIC), (ENERGY, PERIODIC))
    assert sampled(ENERGY, ("Voltage", END), (ENERGY, END), kind="Ended", trigger="EVDeparted")


@pytest.mark.parametrize(
    ("value", "sample", "more"),
    [
        (POWER, (POWER, PERIODIC), {}),
        (f"{ENERGY}, {POWER}", (POWER, PERIODIC), {}),
        ("Voltage.L1", ("Voltage", PERIODIC), {}),
        ("", (ENERGY, PERIODIC), {}),
        (POWER, (ENERGY, "Sample.Clock"), {}),
        (POWER, (ENERGY, "Transaction.Begin"), {}),
        (POWER, (ENERGY, PERIODIC), {"set_s": 2.0}),
        (POWER, (ENERGY, PERIODIC), {"trigger": "ChargingStateChanged"}),
        (POWER, (ENERGY, PERIODIC), {"kind": "Ended", "trigger": "EVDeparted"}),
    ],
)
def test_a_measurand_may_be_told_for_another_reason(value, sample, more):
    assert sampled(value, sample, **more) == []
