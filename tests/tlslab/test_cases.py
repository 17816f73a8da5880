import asyncio
import re
from collections.abc import Callable, Mapping

import pytest

from tlslab.bench import Station
from tlslab.build import client_hello
from tlslab.estimate import Rehearsal
from tlslab.lab import Played, play
from tlslab.offers import OCPP_SUITES
from tlslab.registry import EDITIONS, Severity, Side, TlsCase, all_cases, all_left_out
from tlslab.rehearsal import PretendStation, Rule, refuses_everything, takes_everything
from tlslab.seen import Expect
from tlslab.verdict import Outcome
from tlslab.wire import parse_client_hello

CASES = [c for c in all_cases().values() if c.id.startswith("TS-")]
CHECK_LIST = [f"TS-{number:02d}" for number in range(1, 68)]
REQUIREMENT = r"[A-Z]\d{2}\.FR\.\d{2,3}"

SEVERAL = {
    # The name stands in two places, of which a station may read either.
    ("TS-33", "another host in commonName and subjectAltName"): 2,
    ("TS-38", "NUL in commonName and subjectAltName"): 2,
}

SELDOM = {
    "TS-26": "needs TLS 1.3 in the hello",
    "TS-29": "needs a second handshake",
    "TS-30": "needs DHE in the hello",
}
"""Cases whose fault this hello gives no occasion for."""

HELLO = client_hello(suites=OCPP_SUITES, server_name="csms.lab.test", schemes=(0x0403, 0x0401))


@pytest.fixture
def rehearse() -> Callable[..., Played]:
    def run(case: TlsCase, rule: Rule | None = None, *, edition: str = "2025-09") -> Played:
        station = Station(
            "csms.lab.test", "SN-1", "ocppfuzz lab", max(case.profiles), edition, OCPP_SUITES
        )
        pretend = PretendStation(takes_everything, hello=parse_client_hello(HELLO))
        pretend.variables["OCPPCommCtrlr", "RetryBackOffWaitMinimum"] = "1"
        bench = Rehearsal(station, pretend)
        bench.reconnect_s = 1.0
        if rule is not None:
            pretend.rule = rule
        return asyncio.run(play(case, bench))

    return run


def test_every_id_of_the_check_list_has_a_case_or_a_reason() -> None:
    assert [i for i in CHECK_LIST if i not in all_cases() and i not in all_left_out()] == []


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_case_says_what_it_is_about_in_one_sentence(case: TlsCase) -> None:
    assert case.title.endswith(".")
    assert 30 < len(case.title) < 125
    assert case.side is Side.STATION
    assert case.expects


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_case_rests_on_requirements_of_its_security_profiles(case: TlsCase) -> None:
    assert all(re.fullmatch(REQUIREMENT, r) for r in case.requirements)
    numbers = [int(r[-3:]) for r in case.requirements if r.startswith("A00")]
    if case.profiles == {2, 3} and any(301 <= n <= 324 for n in numbers):
        assert any(401 <= n <= 430 for n in numbers)
    if case.severity is Severity.CRITICAL:
        assert case.cwe.startswith("CWE-")


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_station_that_does_as_expected_fails_nothing(
    case: TlsCase, edition: str, rehearse: Callable[..., Played]
) -> None:
    played = rehearse(case, edition=edition)
    if case.id == "TS-66":
        assert played.judged.texts == ("the certificate of the station was not seen",)
    else:
        assert played.outcome not in (Outcome.FAILED, Outcome.NOT_OBSERVED, Outcome.NOT_ASKED)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_station_that_takes_everything_fails_exactly_what_is_to_be_refused(
    case: TlsCase, rehearse: Callable[..., Played]
) -> None:
    played = rehearse(case, takes_everything)
    refuse = case.expects.startswith(("refuse", "never")) or case.id == "TS-64"
    assert (played.outcome is Outcome.FAILED) is (refuse and case.id not in SELDOM)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_station_that_refuses_everything_passes_nothing(
    case: TlsCase, rehearse: Callable[..., Played]
) -> None:
    assert rehearse(case, refuses_everything).outcome is Outcome.NOT_OBSERVED


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_refused_offer_differs_from_its_control_in_the_one_fault(
    case: TlsCase, rehearse: Callable[..., Played]
) -> None:
    for exposure in rehearse(case).seen.exposures:
        if exposure.expect is Expect.REFUSE:
            wanted = SEVERAL.get((case.id, exposure.label), 1)
            assert len(exposure.difference) == wanted, exposure.difference
        assert all(field.isprintable() for field in exposure.difference)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_the_exposures_of_a_case_have_names_of_their_own(
    case: TlsCase, rehearse: Callable[..., Played]
) -> None:
    labels = [exposure.label for exposure in rehearse(case).seen.exposures]
    assert len(labels) == len(set(labels))
    assert all(label.isprintable() for label in labels)


EVENTS: Mapping[str, str] = {
    "TS-31": "InvalidCsmsCertificate",
    "TS-32": "InvalidCsmsCertificate",
    "TS-33": "InvalidCsmsCertificate",
    "TS-39": "InvalidCsmsCertificate",
    "TS-40": "InvalidCsmsCertificate",
}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_silence_about_a_bad_certificate_fails_only_where_the_event_is_demanded(
    case: TlsCase, rehearse: Callable[..., Played]
) -> None:
    class Silent(PretendStation):
        def events(self) -> tuple[tuple[str, str], ...]:
            return ()

    station = Station("csms.lab.test", "SN-1", "ocppfuzz lab", max(case.profiles), "2025-09")
    bench = Rehearsal(station, Silent(takes_everything, hello=parse_client_hello(HELLO)))
    bench.reconnect_s = 1.0
    played = asyncio.run(play(case, bench))
    demanded = case.id in EVENTS or case.id == "TS-67"
    assert (played.outcome is Outcome.FAILED) is demanded
