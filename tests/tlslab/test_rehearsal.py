import pytest

from tlslab.bench import Station
from tlslab.estimate import Rehearsal
from tlslab.offers import Offer
from tlslab.rehearsal import ATTEMPT_S, PretendStation, refuses_everything, takes_everything
from tlslab.session import NotSeen

OFFER: Offer = Rehearsal(
    Station("csms.test", "1", "lab", 2), PretendStation(takes_everything)
).offer()


async def test_waiting_moves_the_clock_and_nothing_else() -> None:
    station = PretendStation(takes_everything)
    assert await station.until(lambda: False, within=7.0) is None
    assert station.now_s == 7.0
    assert station.count == 0


async def test_it_dials_when_its_back_off_is_over_and_stays() -> None:
    station = PretendStation(takes_everything, reconnect_s=2.0)
    station.offer = OFFER
    assert await station.until(lambda: station.connected, within=10.0)
    assert station.now_s == 2.0
    assert await station.until(lambda: station.count > 1, within=10.0) is None
    await station.drop()
    assert await station.until(lambda: station.count > 1, within=10.0)
    assert station.since(1)[0].began_s == pytest.approx(14.0)


async def test_its_waits_double_until_they_have_doubled_often_enough() -> None:
    station = PretendStation(refuses_everything, reconnect_s=1.0, repeat_times=2)
    station.offer = OFFER
    await station.until(lambda: station.count >= 5, within=100.0)
    began = [round(c.began_s - 1.0 - ATTEMPT_S * i, 3) for i, c in enumerate(station.since(0))]
    assert began == [0.0, 2.0, 6.0, 10.0, 14.0]


async def test_events_wait_for_a_connection_and_come_once_for_the_same_failure() -> None:
    def refuses_thrice(offer: Offer, connection: object) -> str:
        if station.count <= 3:
            return "InvalidCsmsCertificate"
        takes_everything(offer, station.since(station.count - 1)[0])
        return ""

    station = PretendStation(refuses_thrice)
    station.offer = OFFER
    await station.until(lambda: station.count >= 3, within=100.0)
    assert station.events() == ()
    await station.until(lambda: station.connected, within=100.0)
    assert station.events() == (("InvalidCsmsCertificate", ""),)


async def test_no_two_hellos_are_the_same() -> None:
    station = PretendStation(refuses_everything)
    station.offer = OFFER
    await station.until(lambda: station.count >= 4, within=100.0)
    randoms = {c.hello.random for c in station.since(0) if c.hello}
    assert len(randoms) == 4


async def test_as_a_session_it_takes_what_it_is_told_and_says_nothing() -> None:
    station = PretendStation(takes_everything)
    assert await station.call("GetVariables", {}) == {"status": "Accepted"}
    assert await station.set_variable("OCPPCommCtrlr", "RetryBackOffRepeatTimes", "0") == "Accepted"
    assert await station.get_variable("OCPPCommCtrlr", "RetryBackOffRepeatTimes") == "0"
    assert await station.operator("power-cycle")
    assert station.actions == 1
    with pytest.raises(NotSeen):
        await station.wait_for("SignCertificate", within=10.0)
