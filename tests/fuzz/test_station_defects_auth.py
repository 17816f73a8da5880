"""The defects of what follows from failures; those that a message shows are in `test_station_defects`."""

import pytest

from fuzz.station.bench import Bench
from fuzz.station.defects import defects
from fuzz.station.events import Connect, Connected, Failure

BAD, OLD, WEAK = Failure.CSMS_CERTIFICATE, Failure.TLS_VERSION, Failure.CIPHER_SUITE


def start(*numbers):
    plants = [defects()[number].plant for number in numbers]
    return Bench(
        *plants,
        security_profile=2,
        csms="wss://localhost",
        backoff_min_s=10.0,
        backoff_range_s=0.0,
    ).boot()


def events_after(bench, *failures):
    """What the CSMS is told of attempts that failed, once one succeeds."""
    bench.lose()
    for failure in failures:
        bench.lose(failure)
    begin = len(bench.said)
    bench.do(Connected())
    bench.settle()
    calls = [said for said in bench.said[begin:] if said[0] == 2]
    return [said[3]["type"] for said in calls if said[2] == "SecurityEventNotification"]


def test_a_healthy_station_tells_each_kind_of_failure_once_for_each_outage():
    bench = start()
    told = ["InvalidCsmsCertificate", "InvalidTLSVersion", "InvalidTLSCipherSuite"]
    assert events_after(bench, BAD, OLD, BAD, WEAK, OLD, WEAK, BAD) == told
    assert events_after(bench, BAD, BAD) == ["InvalidCsmsCertificate"]


def test_p93_does_not_tell_of_certificates_and_tells_the_rest():
    assert events_after(start("P93"), BAD, OLD, WEAK) == [
        "InvalidTLSVersion",
        "InvalidTLSCipherSuite",
    ]


def test_p94_tells_every_attempt():
    assert events_after(start("P94"), BAD, BAD, OLD, BAD) == [
        "InvalidCsmsCertificate",
        "InvalidCsmsCertificate",
        "InvalidTLSVersion",
        "InvalidCsmsCertificate",
    ]


def waits(bench, *failures):
    """How long it takes the station to dial again, after each."""
    bench.lose()
    found = []
    for failure in failures:
        while not any(isinstance(c, Connect) for c in bench.wait(0.5)):
            pass
        bench.lose(failure)
        began = bench.station.deadline - bench.now
        found.append(began)
    return found


@pytest.mark.parametrize(
    ("planted", "expected"), [((), [20, 40, 80]), (("P96",), [0.05, 40, 0.05])]
)
def test_p96_dials_at_once_after_a_failure_of_tls(planted, expected):
    assert waits(start(*planted), BAD, Failure.UNREACHABLE, WEAK) == pytest.approx(expected)
