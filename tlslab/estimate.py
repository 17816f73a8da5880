"""How long cases will take, before they are played: they are rehearsed against a station that is only a rule.

Knows benches, cases and the pretended station. Must not know a real one; makes no key but one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tlslab.authority import Authority
from tlslab.bench import NotAsked, Station, StationBench, Unfinished
from tlslab.describe import DAY, OWNER, Chain, Description
from tlslab.offers import Engine, Offer
from tlslab.pki import Credential, issue
from tlslab.pretending import Papers
from tlslab.registry import Need, TlsCase
from tlslab.rehearsal import BEGAN, PretendStation
from tlslab.seen import Connection, Expect, Exposure, Seen, Stage
from tlslab.session import SessionError

UNREHEARSED = 6
"""Reconnects that a case is thought to need whose conversation cannot be rehearsed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will ask for: time, attempts of the station to connect, and hands at the station."""

    seconds: float = 0.0
    reconnects: int = 0
    operator_actions: int = 0

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(
            self.seconds + other.seconds,
            self.reconnects + other.reconnects,
            self.operator_actions + other.operator_actions,
        )


class Rehearsal(StationBench):
    """A bench on which everything goes as a case expects it, against a station that is only a rule."""

    def __init__(self, station: Station, pretend: PretendStation, *, fast: bool = False) -> None:
        super().__init__(
            station,
            pretend,
            pretend,  # type: ignore[arg-type]
            None,
            pretend.wall,
            pretend.monotonic,
            fast=fast,
            available=frozenset(Need),
        )
        self.pretend = pretend
        pretend.rule = self._as_expected
        self._expect = Expect.ACCEPT
        self._event = ""
        self._shown = issue(Description(station.host), now=BEGAN)

    def certify(self) -> None:
        """The station has papers from now on, whose CA is anybody's: whoever signs, it costs the same."""
        station, pretend = self.station, self.pretend
        root = issue(Description("ocppfuzz rehearsal", is_ca=True, begins=-DAY), now=BEGAN)
        self.authority = self.signer = Authority(root, now=pretend.wall)
        pretend.papers = Papers(
            self.signer,
            serial=station.serial,
            organization=station.organization or OWNER,
            now=pretend.wall,
            level=station.security_profile,
            checks_roots=station.items.get("AS-2", False),
            errata=station.edition != "ed3",
        )
        if station.items.get("AS-3", False):
            pretend.variables["SecurityCtrlr", "CertSigningWaitMinimum"] = "60"

    def credential(self, chain: Chain, by: Authority | None = None) -> Credential:
        """Always the same: nobody looks at it."""
        return self._shown

    def _as_expected(self, offer: Offer, connection: Connection) -> str:
        if self._expect is Expect.ACCEPT:
            connection.reached(Stage.OCPP)
            return ""
        if self._expect is Expect.RECORD and offer.engine is Engine.HAND:
            connection.notes.append("it went on with the handshake")
        connection.reached(Stage.ALERT)
        return self._event

    async def _comes_to(self, offer: Offer, *, within: float = 0.0) -> Connection | None:
        self._expect = Expect.ACCEPT
        return await super()._comes_to(offer, within=within)

    async def attempts(self, offer: Offer, count: int, *, within: float) -> tuple[Connection, ...]:
        """As a station that refuses the offer."""
        await self.settle()
        self._expect, self._event = Expect.REFUSE, "InvalidCsmsCertificate"
        return await super().attempts(offer, count, within=within)

    async def _expose(
        self,
        offer: Offer,
        expect: Expect,
        control: Offer,
        label: str,
        event: tuple[str, ...],
        patience: float = 0.0,
    ) -> Exposure:
        self._event = next(iter(event), "")
        return await super()._expose(offer, expect, control, label, event, patience)

    async def _met(self, offer: Offer, expect: Expect, control: Offer, label: str) -> Exposure:
        self._expect = expect
        return await super()._met(offer, expect, control, label)


async def estimate(
    cases: Iterable[TlsCase],
    station: Station,
    *,
    reconnect_s: float,
    repeat_times: int = 3,
    fast: bool = False,
) -> Estimate:
    """What these cases will ask for, all in a row; `reconnect_s` is how long the station takes to come back.

    `repeat_times` is its RetryBackOffRepeatTimes: how often the wait doubles after a failure.
    """
    pretend = PretendStation(lambda *_: "", reconnect_s=reconnect_s, repeat_times=repeat_times)
    pretend.variables["OCPPCommCtrlr", "RetryBackOffWaitMinimum"] = str(reconnect_s)
    bench = Rehearsal(station, pretend, fast=fast)
    bench.reconnect_s = reconnect_s
    cases = tuple(cases)
    if any(case.id.startswith(("TR", "TP")) for case in cases):
        bench.certify()
    total = Estimate()
    for case in cases:
        total += await _rehearsed(case, bench)
    return total


async def _rehearsed(case: TlsCase, bench: Rehearsal) -> Estimate:
    pretend = bench.pretend
    bench.seen = Seen()
    before = Estimate(pretend.now_s, pretend.count, pretend.actions)
    least = 0
    try:
        await case.play(bench)
    except NotAsked:
        least = 0
    except (Unfinished, SessionError, LookupError, ValueError, TypeError):
        # A conversation that takes more than a rule to answer.
        least = UNREHEARSED
    found = Estimate(
        pretend.now_s - before.seconds,
        pretend.count - before.reconnects,
        pretend.actions - before.operator_actions,
    )
    missing = max(0, least - found.reconnects)
    return found + Estimate(missing * bench.reconnect_s, missing)
