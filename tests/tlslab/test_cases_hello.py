import asyncio
from collections.abc import Callable

import pytest

from tlslab.bench import Station
from tlslab.build import client_hello
from tlslab.estimate import Rehearsal
from tlslab.lab import Played, play
from tlslab.offers import OCPP_SUITES, Offer
from tlslab.registry import all_cases
from tlslab.rehearsal import PretendStation
from tlslab.seen import Connection, Stage
from tlslab.verdict import Outcome
from tlslab.wire import parse_client_hello

SCHEMES = (0x0403, 0x0401)


def lets_in(offer: Offer, connection: Connection) -> str:
    connection.reached(Stage.OCPP)
    return ""


@pytest.fixture
def judged() -> Callable[..., Played]:
    def run(id_: str, hello: bytes, *, host: str = "csms.lab.test") -> Played:
        station = Station(host, "SN-1", "ocppfuzz lab", 2)
        pretend = PretendStation(lets_in, hello=parse_client_hello(hello))
        bench = Rehearsal(station, pretend)
        return asyncio.run(play(all_cases()[id_], bench))

    return run


@pytest.mark.parametrize(
    ("id_", "hello"),
    [
        ("TS-01", client_hello(suites=OCPP_SUITES, versions=(0x0302,))),
        ("TS-02", client_hello(suites=OCPP_SUITES, versions=(0x0304, 0x0303, 0x0301))),
        ("TS-03", client_hello(suites=(0xC02B, 0x009C))),
        ("TS-04", client_hello(suites=(*OCPP_SUITES, 0x003B))),
        ("TS-04", client_hello(suites=(*OCPP_SUITES, 0x0005))),
        ("TS-04", client_hello(suites=(*OCPP_SUITES, 0xC018))),
        ("TS-07", client_hello(suites=OCPP_SUITES, compression=b"\x01\x00")),
        ("TS-08", client_hello(suites=OCPP_SUITES, schemes=(0x0403, 0x0101))),
        ("TS-09", client_hello(suites=OCPP_SUITES, groups=(23, 19))),
    ],
)
def test_a_hello_with_a_fault_fails_the_case_of_that_fault(
    id_: str, hello: bytes, judged: Callable[..., Played]
) -> None:
    assert judged(id_, hello).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("id_", "hello"),
    [
        ("TS-05", client_hello(suites=(*OCPP_SUITES, 0x000A))),
        ("TS-05", client_hello(suites=(*OCPP_SUITES, 0xC00F))),
        ("TS-06", client_hello(suites=(*OCPP_SUITES, 0xC009))),
        ("TS-08", client_hello(suites=OCPP_SUITES, schemes=(0x0403, 0x0201))),
        ("TS-08", client_hello(suites=OCPP_SUITES, schemes=())),
        ("TS-10", client_hello(suites=OCPP_SUITES, server_name="other.test")),
        ("TS-10", client_hello(suites=OCPP_SUITES)),
        ("TS-11", client_hello(suites=OCPP_SUITES, bare=True)),
    ],
)
def test_what_a_maintainer_could_dispute_is_a_remark(
    id_: str, hello: bytes, judged: Callable[..., Played]
) -> None:
    assert judged(id_, hello).outcome is Outcome.REMARK


@pytest.mark.parametrize("number", range(1, 13))
@pytest.mark.parametrize("versions", [(0x0303,), (0x0304, 0x0303)])
def test_a_proper_hello_passes_every_case(
    number: int, versions: tuple[int, ...], judged: Callable[..., Played]
) -> None:
    hello = client_hello(
        suites=OCPP_SUITES,
        versions=versions,
        schemes=SCHEMES,
        server_name="csms.lab.test",
        grease=True,
    )
    outcome = judged(f"TS-{number:02d}", hello).outcome
    assert outcome is (Outcome.RECORDED if number == 10 else Outcome.PASSED)


def test_a_name_is_not_missed_by_a_station_that_dials_an_address(
    judged: Callable[..., Played],
) -> None:
    hello = client_hello(suites=OCPP_SUITES)
    assert judged("TS-10", hello, host="192.0.2.7").outcome is Outcome.RECORDED


def test_a_random_that_comes_twice_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    hello = parse_client_hello(client_hello(suites=OCPP_SUITES))

    def same(offer: Offer, connection: Connection) -> str:
        connection.hello = hello
        connection.reached(Stage.OCPP)
        return ""

    bench = Rehearsal(Station("csms.lab.test", "SN-1", "lab", 2), PretendStation(same))
    bench.pretend.rule = same
    assert asyncio.run(play(all_cases()["TS-12"], bench)).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "weaker",
    [
        client_hello(suites=OCPP_SUITES, versions=(0x0302,)),
        client_hello(suites=(*OCPP_SUITES, 0x000A)),
        client_hello(suites=(*OCPP_SUITES, 0x0005)),
    ],
)
def test_a_weaker_hello_after_a_failure_fails_ts_13(weaker: bytes) -> None:
    proper = parse_client_hello(client_hello(suites=OCPP_SUITES))
    failures = 0

    def dances(offer: Offer, connection: Connection) -> str:
        nonlocal failures
        if offer.answer is None:
            failures = 0
            connection.hello = proper
            connection.reached(Stage.OCPP)
            return ""
        connection.hello = parse_client_hello(weaker) if failures else proper
        failures += 1
        connection.reached(Stage.ALERT)
        return ""

    bench = Rehearsal(Station("csms.lab.test", "SN-1", "lab", 2), PretendStation(dances))
    bench.pretend.rule = dances
    assert asyncio.run(play(all_cases()["TS-13"], bench)).outcome is Outcome.FAILED
