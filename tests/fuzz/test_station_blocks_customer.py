import itertools

import pytest

from fuzz.station.bench import Bench

IDENTIFIERS = {
    "customerIdentifier": "c",
    "idToken": {"idToken": "AA", "type": "ISO14443"},
    "customerCertificate": {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "a",
        "issuerKeyHash": "b",
        "serialNumber": "1",
    },
}


def ask(identifiers=("idToken",), *, report, clear, bench=None):
    """The status, and the notifications that follow."""
    bench = bench or Bench().boot()
    bench.said.clear()
    request = {"requestId": 5, "report": report, "clear": clear}
    request |= {name: IDENTIFIERS[name] for name in identifiers}
    answer = bench.ask("CustomerInformation", request)
    bench.settle()
    return answer[2]["status"], [frame[3] for frame in bench.said if frame[0] == 2]


@pytest.mark.parametrize(
    ("report", "clear", "word"),
    [(False, True, "cleared"), (True, False, "found"), (True, True, "found")],
)
@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_one_notification_tells_what_became_of_the_request(identifier, report, clear, word):
    status, (told,) = ask([identifier], report=report, clear=clear)
    assert status == "Accepted"
    assert (told["requestId"], told["seqNo"], told["tbc"]) == (5, 0, False)
    assert word in told["data"]


def test_a_request_for_nothing_is_rejected():
    assert ask(report=False, clear=False) == ("Rejected", [])


@pytest.mark.parametrize("number", [0, 2, 3])
def test_there_must_be_exactly_one_identifier(number):
    for identifiers in itertools.combinations(IDENTIFIERS, number):
        assert ask(identifiers, report=True, clear=True) == ("Invalid", [])


def test_nothing_is_promised_that_cannot_be_told():
    status, _ = ask(report=True, clear=False, bench=Bench().start())
    assert status == "Rejected"
