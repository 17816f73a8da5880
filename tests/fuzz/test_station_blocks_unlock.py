import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import PlugIn

START = {"remoteStartId": 7, "evseId": 1, "idToken": {"idToken": "AA01", "type": "Central"}}


@pytest.mark.parametrize("place", [(0, 1), (1, 2), (3, 1), (-1, 0)])
def test_a_connector_that_does_not_exist_is_unknown(place):
    request = {"evseId": place[0], "connectorId": place[1]}
    answer = Bench().boot().ask("UnlockConnector", request)
    assert answer[2]["status"] == "UnknownConnector"


def test_a_fixed_cable_cannot_be_unlocked():
    answer = Bench().boot().ask("UnlockConnector", {"evseId": 1, "connectorId": 1})
    assert answer[2] == {"status": "UnlockFailed", "statusInfo": {"reasonCode": "FixedCable"}}


def test_a_connector_is_not_unlocked_while_it_charges():
    bench = Bench().boot()
    bench.do(PlugIn(1))
    bench.ask("RequestStartTransaction", START)
    answer = bench.ask("UnlockConnector", {"evseId": 1, "connectorId": 1})
    assert answer[2]["status"] == "OngoingAuthorizedTransaction"
