import pytest

from tlslab import registry
from tlslab.bench import Station, StationBench
from tlslab.estimate import Estimate, estimate
from tlslab.offers import ECDSA_SUITES
from tlslab.registry import Severity, TlsCase, all_cases, tls_case

STATION = Station("csms.lab.test", "SN-1", "lab", 2, suites=ECDSA_SUITES)
CASES = [c for c in all_cases().values() if c.id.startswith("TS-")]


async def test_every_case_can_be_estimated_and_costs_no_time_to_do_so() -> None:
    for case in CASES:
        found = await estimate([case], STATION, reconnect_s=1.0)
        assert 0 <= found.seconds < 200
        assert found.operator_actions == 0


async def test_all_cases_together_take_less_than_each_alone() -> None:
    whole = await estimate(CASES, STATION, reconnect_s=1.0)
    single = Estimate()
    for case in CASES:
        single += await estimate([case], STATION, reconnect_s=1.0)
    assert 100 < whole.seconds < single.seconds
    assert 100 < whole.reconnects < single.reconnects


async def test_a_slower_station_takes_longer_and_fast_less_long_where_waits_stay() -> None:
    slow = await estimate(CASES, STATION, reconnect_s=10.0)
    quick = await estimate(CASES, STATION, reconnect_s=1.0)
    flat = await estimate(CASES, STATION, reconnect_s=10.0, repeat_times=0)
    fast = await estimate(CASES, STATION, reconnect_s=10.0, repeat_times=0, fast=True)
    assert quick.seconds < slow.seconds / 4
    assert fast.seconds < flat.seconds < slow.seconds


@pytest.mark.parametrize("error", [KeyError("csr"), ValueError("no PEM")])
async def test_a_conversation_that_cannot_be_rehearsed_counts_as_a_few_reconnects(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_CASES", {})

    @tls_case("TR-90", expects="accept", severity=Severity.LOW)
    async def talks(bench: StationBench) -> None:
        """The station says something that no rule can."""
        raise error

    case: TlsCase = registry._CASES["TR-90"]
    found = await estimate([case], STATION, reconnect_s=2.0)
    assert found.reconnects == 6
    assert found.seconds == pytest.approx(12.0)


async def test_hands_at_the_station_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CASES", {})

    @tls_case("TR-91", expects="accept", severity=Severity.LOW)
    async def pulls_the_plug(bench: StationBench) -> None:
        """Somebody switches the station off and on."""
        await bench.session.operator("power-cycle")

    found = await estimate([registry._CASES["TR-91"]], STATION, reconnect_s=2.0)
    assert found.operator_actions == 1
