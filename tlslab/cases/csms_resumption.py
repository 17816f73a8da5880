"""Sessions that are resumed: who somebody was is looked at again, not only that somebody was there (A00.FR.405)."""

from __future__ import annotations

from tlslab.csms_bench import CsmsBench, Unfinished
from tlslab.knock import Ticket
from tlslab.offers import TLS_1_2, TLS_1_3
from tlslab.registry import Attacker, Need, Severity, tls_case
from tlslab.seen import Stage
from tlslab.wire import version_name


async def _session(bench: CsmsBench, version: int) -> Ticket | None:
    """A session that the CSMS let in; None when it hands out none in this version."""
    async with bench.staying(bench.proper(lowest=version, highest=version)) as visit:
        return visit.ticket if visit.stage >= Stage.WEBSOCKET else None


@tls_case(
    "TC-31",
    *("A00.FR.405", "A00.FR.407", "B01.FR.12"),
    expects="the identity is looked at again",
    severity=Severity.HIGH,
    needs=(Need.TWO_IDENTITIES,),
    profiles=(3,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-287",
)
async def other_identity(bench: CsmsBench) -> None:
    """A session that our certificate opened does not open the path of another Charging Station when it is resumed."""
    tried = 0
    for version in (TLS_1_2, TLS_1_3):
        name = version_name(version)
        ticket = await _session(bench, version)
        if ticket is None:
            bench.record(name, "no session to resume")
            continue
        tried += 1
        control = bench.proper(ticket=ticket, lowest=version, highest=version)
        other = bench.other
        knock = bench.proper(
            path=bench.path_of(other.name),
            serial=other.common_name,
            ticket=ticket,
            lowest=version,
            highest=version,
        )
        exposure = await bench.refuses(
            knock, label=name, control=control, tolerated=Stage.WEBSOCKET
        )
        notes = [n for c in exposure.connections for n in c.notes if "resumed" in n]
        bench.record(name, notes[0] if notes else "a full handshake took its place")
    if not tried and not bench.seen.records:
        raise Unfinished("no session came about")
