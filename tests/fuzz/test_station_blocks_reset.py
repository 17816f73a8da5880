import json

import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import Reboot
from fuzz.station.states import Registration


@pytest.mark.parametrize("kind", ["Immediate", "OnIdle"])
def test_a_reset_is_answered_then_the_station_boots_with_that_reason(kind):
    bench = Bench().boot()
    commands = bench.hear(json.dumps([2, "q", "Reset", {"type": kind}]))
    assert json.loads(commands[0].text) == [3, "q", {"status": "Accepted"}]
    assert Reboot() in commands
    assert bench.station.registration is Registration.OFF
    bench.lose()
    bench.said.clear()
    bench.boot()
    assert bench.said[0][3]["reason"] == "RemoteReset"
    events = [frame[3]["type"] for frame in bench.said if frame[2] == "SecurityEventNotification"]
    assert events == ["ResetOrReboot"]


@pytest.mark.parametrize("evse_id", [1, 2, 0, 3, -1])
def test_one_evse_alone_is_never_reset(evse_id):
    answer = Bench().boot().ask("Reset", {"type": "Immediate", "evseId": evse_id})
    assert answer[2]["status"] == "Rejected"


def test_availability_survives_a_reset():
    bench = Bench().boot()
    bench.ask("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    bench.settle()
    bench.ask("Reset", {"type": "Immediate"})
    bench.lose()
    bench.said.clear()
    bench.boot()
    states = [f[3]["connectorStatus"] for f in bench.said if f[2] == "StatusNotification"]
    assert states == ["Unavailable", "Available"]
