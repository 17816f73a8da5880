"""From one security profile to the next, and never back (A05, A00.FR.005; B09, B10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tlslab.bench import StationBench, Unfinished
from tlslab.describe import Chain
from tlslab.networks import COMPONENT, PRIORITY, REBOOT, prefer, put, reset, slots
from tlslab.notes import NotAsked
from tlslab.offers import ClientAuth
from tlslab.registry import Attacker, Effect, Need, Severity, tls_case
from tlslab.rotation import ACCEPTED, answering, renew, restored
from tlslab.seen import Stage

SHORT_S = 12
BOOT_S = 120.0
DEAD_PORT = 9
"""Of the discard protocol (RFC 863), which nobody speaks any more."""
DOWNGRADE = "AllowSecurityProfileDowngrade"
TAKEN = (ACCEPTED, REBOOT)


@tls_case(
    "TP-01",
    *("A05.FR.02", "A05.FR.03"),
    expects="Rejected",
    severity=Severity.HIGH,
    endangers=("TC_A_20_CS", "TC_A_21_CS"),
    needs=(Need.OCPP, Need.STATION_CA),
    profiles=(2,),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-754",
)
async def without_certificate(bench: StationBench) -> None:
    """Security profile 3 is Rejected by a station without a valid certificate of its own, which stays where it is.

    It is given a certificate that ends after some seconds, then told to prefer a network profile with security profile
    3. To be without a CSMS root cannot be arranged over OCPP.
    """
    await bench.settle()
    known = await slots(bench)
    short = timedelta(seconds=SHORT_S)
    with answering(bench):
        made = await renew(bench, lambda d: Chain(replace(d, validity=short)))
        if not made.accepted:
            raise NotAsked(
                f"a station that takes a certificate in profile 2; it said {made.answer}"
            )
        await bench.server.until(lambda: False, within=SHORT_S + 2)
        status = await put(bench, known.free, bench.server.url, 3)
        bench.record("SetNetworkProfile with security profile 3", status)
        if status == ACCEPTED:
            status = await prefer(bench, known.free, known.before)
            bench.record(f"{PRIORITY} with it first", status)
            bench.require(status not in TAKEN, f"{PRIORITY} is Rejected", status)
            held = await bench.session.get_variable(COMPONENT, PRIORITY)
            bench.require(held == known.before, f"{PRIORITY} stays as it was", held)
            await prefer(bench, known.before)
        await put(bench, known.free, bench.server.url, 2)
        await restored(bench)


@tls_case(
    "TP-02",
    *("A05.FR.04", "A05.FR.05", "A05.FR.06", "B10.FR.04"),
    expects="connects in the higher profile, the lower is forgotten",
    severity=Severity.HIGH,
    endangers=("TC_A_19_CS",),
    needs=(Need.OCPP, Need.STATION_CA),
    profiles=(2,),
    effect=Effect.ONE_WAY,
    attacker=Attacker.IS_PEER,
)
async def upgraded(bench: StationBench) -> None:
    """With all that it needs, a station is led from security profile 2 to 3, and forgets the network profile below."""
    await bench.settle()
    await restored(bench)
    known = await slots(bench)
    status = await put(bench, known.free, bench.server.url, 3)
    bench.require(status == ACCEPTED, "SetNetworkProfile with security profile 3", status)
    status = await prefer(bench, known.free, known.before)
    bench.require(status in TAKEN, f"{PRIORITY} with it first", status)
    if status not in TAKEN:
        return
    before = bench.station
    bench.station = replace(before, security_profile=3)
    bench.server.offer = bench.offer()
    first = bench.server.count
    await reset(bench)
    found = await bench.comes(first, within=BOOT_S)
    what = "it connects in security profile 3"
    certified = found is not None and bool(found.client_chain)
    bench.require(certified, what, "not connected" if found is None else "without its certificate")
    if found is None:
        bench.station = before
        await bench.again(within=BOOT_S)
        return
    level = await bench.session.get_variable("SecurityCtrlr", "SecurityProfile")
    bench.require(level == "3", "SecurityProfile tells the new one", level)
    held = await bench.session.get_variable(COMPONENT, PRIORITY)
    bench.require(held == str(known.free), f"{PRIORITY} holds no lower profile", held)
    bare = not found.sent_authorization
    bench.require(bare, "no Basic credentials in security profile 3", remark=True)


@tls_case(
    "TP-03",
    *("B10.FR.03", "B10.FR.07"),
    expects="comes back in the one that worked",
    severity=Severity.CRITICAL,
    endangers=("TC_B_49_CS",),
    needs=(Need.OCPP,),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-754",
)
async def next_one_fails(bench: StationBench) -> None:
    """A network profile that leads nowhere does not lock the station out: it goes on to the next one.

    The one in use stays second in NetworkConfigurationPriority (B10.FR.03).
    """
    await bench.settle()
    known = await slots(bench)
    level = bench.station.security_profile
    dead = f"wss://{bench.station.host}:{DEAD_PORT}/ocpp"
    status = await put(bench, known.free, dead, level)
    if status != ACCEPTED:
        raise NotAsked(f"a station that takes a network profile that leads nowhere: {status}")
    status = await prefer(bench, known.free, known.before)
    if status not in TAKEN:
        raise Unfinished(f"{PRIORITY} with it first was answered with {status}")
    first, began = bench.server.count, bench.monotonic()
    await reset(bench)
    found = await bench.comes(first, within=2 * BOOT_S + 10 * bench.reconnect_s)
    bench.require(found is not None, "it comes back in the profile that worked", "not seen again")
    bench.record("seconds until it came back", f"{bench.monotonic() - began:.0f}")
    if found is None:
        return
    await prefer(bench, known.before)
    await put(bench, known.free, bench.server.url, level)


# --- never back -------------------------------------------------------------------------------------------


@tls_case(
    "TP-04",
    *("A00.FR.005", "A05.FR.08", "A05.FR.09", "A05.FR.10", "B09.FR.04", "B09.FR.31"),
    expects="Rejected",
    severity=Severity.CRITICAL,
    endangers=("TC_A_22_CS",),
    needs=(Need.OCPP,),
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-757",
)
async def downgrade(bench: StationBench) -> None:
    """A network profile with a lower security profile is Rejected, and SecurityProfile cannot be set lower.

    By the errata 3 may become 2 where AllowSecurityProfileDowngrade is true; nothing ever becomes 1.
    """
    await bench.settle()
    known = await slots(bench)
    level = bench.station.security_profile
    allowed = await bench.session.get_variable("SecurityCtrlr", DOWNGRADE)
    may = bench.station.edition != "ed3" and (allowed or "").lower() == "true"
    for lower in range(1, level):
        url = _url(bench, lower)
        status = await put(bench, known.free, url, lower)
        label = f"a network profile with security profile {lower} on {level}"
        bench.record(label, status)
        if not (may and lower == 2):
            bench.require(status != ACCEPTED, f"not Accepted: {label}", status)
            bench.require(status == "Rejected", f"Rejected: {label}", status, remark=True)
        if status == ACCEPTED:
            taken = await prefer(bench, known.before, known.free)
            bench.record("and in the priority", taken)
            await prefer(bench, known.before)
            await put(bench, known.free, bench.server.url, level)
        # Whatever was answered, the level is what counts.
        await bench.session.call("SetVariables", _set(lower))
        held = await bench.session.get_variable("SecurityCtrlr", "SecurityProfile")
        same = held in (None, str(level))
        bench.require(same, "SecurityProfile stays as it was", held)
    await bench.again()


def _url(bench: StationBench, security_profile: int) -> str:
    url = bench.server.url
    return url.replace("wss://", "ws://", 1) if security_profile == 1 else url


def _set(level: int) -> dict[str, object]:
    names = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "SecurityProfile"}}
    return {"setVariableData": [{**names, "attributeValue": str(level)}]}


@tls_case(
    "TP-05",
    *("A00.FR.005", "A05.FR.07", "A00.FR.401"),
    expects="no password to who asks for no certificate",
    severity=Severity.CRITICAL,
    endangers=("TC_A_07_CS",),
    profiles=(3,),
    attacker=Attacker.ON_PATH,
    cwe="CWE-757",
)
async def no_way_down(bench: StationBench) -> None:
    """A station in security profile 3 never falls back to a password, nor to plain text, whatever the server asks.

    To a server that asks for no certificate it may talk (TS-65), but not as in security profile 2.
    """
    offer = bench.offer(client_auth=ClientAuth.NONE, client_roots=())
    for number in (1, 2):
        seen = await bench.either(offer, label=f"no certificate asked for, {number}")
        if seen.stage is Stage.NOTHING:
            raise Unfinished("no connection was seen")
        password = any(c.sent_authorization for c in seen.connections)
        bench.require(not password, "no Basic credentials are sent")
        plain = any(c.hello is None and c.request for c in seen.connections)
        bench.require(not plain, "every attempt begins with TLS")
