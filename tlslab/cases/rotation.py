"""The course of a renewal: when it is asked for, when the new certificate is used, and the way back (A02, A03)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tlslab.bench import StationBench, Unfinished
from tlslab.csr import Wish, csr as written
from tlslab.describe import DAY, Chain, Root
from tlslab.keys import new_key
from tlslab.notes import NotAsked
from tlslab.offers import ClientAuth, Engine
from tlslab.registry import Attacker, Effect, Need, Severity, tls_case
from tlslab.roots import Trust, installed
from tlslab.rotation import (
    ACCEPTED,
    REJECTED,
    SILENT,
    TRIGGER,
    anew,
    answering,
    asked,
    came,
    controlled,
    der_of,
    direct,
    fulfil,
    long_patience,
    patience,
    proper,
    reachable,
    renew,
    restored,
    send,
    shown,
    signer_of,
    subject,
    switched,
    text_of,
    told,
    trigger,
)
from tlslab.seen import Connection, Stage
from tlslab.session import SessionError

CSO_NEEDS = (Need.STATION_CA, Need.OCPP)
QUIET_S = 5.0
"""How long nothing may come; a storm shows at once."""
STORM = 2
"""So many further requests, unasked, are odd; more are a storm."""
WAITS = ("1", "2", "5", "10")
TOLERANCE = 0.9
NEAR_END = 20 * DAY
ASKS_ITSELF_S = 60.0
SHORT_S = 25
POWER_S = 90.0
TRIES = 4


# --- the good way -----------------------------------------------------------------------------------------


@tls_case(
    "TR-01",
    *("A02.FR.02", "A02.FR.03", "A02.FR.08"),
    expects="Accepted, and the new certificate with a new key is used",
    severity=Severity.CRITICAL,
    endangers=("TC_A_11_CS",),
    needs=CSO_NEEDS,
    profiles=(3,),
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-324",
)
async def renewed(bench: StationBench) -> None:
    """A triggered renewal is asked for with a new key, accepted, and used from the next connection on."""
    before = await shown(bench)
    with answering(bench):
        first, began = bench.server.count, bench.monotonic()
        status = await trigger(bench)
        bench.require(status == ACCEPTED, "the trigger is accepted", status)
        if status != ACCEPTED:
            return
        made = await fulfil(bench, await came(bench))
        bench.require(made.accepted, "a good certificate is accepted", made.answer)
        if not made.accepted:
            return
        after, itself = await switched(bench, first)
        bench.record(
            "seconds until the new certificate was used", f"{bench.monotonic() - began:.1f}"
        )
        bench.require(after == made.leaf, "the new certificate is used", subject(after))
        new = _key(after) != _key(before)
        bench.require(new, "its key is not that of the certificate before")
        bench.require(itself, "it connects anew by itself", remark=True)


def _key(certificate: bytes) -> bytes:
    return (
        x509.load_der_x509_certificate(certificate)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


# --- unasked, twice, odd ----------------------------------------------------------------------------------


@tls_case(
    "TR-14",
    *("A02.FR.06", "A02.FR.07"),
    expects="Rejected, and never used",
    severity=Severity.HIGH,
    endangers=("TC_A_14_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-295",
)
async def unasked(bench: StationBench) -> None:
    """A certificate that nobody asked for is never used, and neither is one that comes a second time of any effect.

    Accepted alone is a remark: what counts is which certificate is shown afterwards, and that one still is.
    """
    await controlled(bench)
    before = await shown(bench)
    key = new_key(bench.key)
    csr = written(Wish(bench.station.serial, bench.station.organization), key)
    stray = signer_of(bench).sign(csr, direct(proper(bench, csr)))
    answer = await send(bench, text_of(stray))
    bench.record("never asked for", answer)
    bench.require(answer != SILENT, "an answer comes", answer)
    bench.require(
        answer != ACCEPTED, "CertificateSigned is not Accepted: unasked", answer, remark=True
    )
    await _keeps(bench, before, "after one that was never asked for")
    with answering(bench):
        first = bench.server.count
        made = await renew(bench)
        if not made.accepted:
            raise Unfinished(f"a good renewal was answered with {made.answer}")
        used, _ = await switched(bench, first)
        answer = await send(bench, text_of(made.certificates))
        bench.record("sent a second time", answer)
        bench.require(answer != SILENT, "an answer comes to the second", answer)
        await _keeps(bench, used, "after one that came twice")


async def _keeps(bench: StationBench, before: bytes, when: str) -> None:
    """The station comes back, and shows the certificate from before."""
    what = f"it connects with the certificate from before {when}"
    try:
        after = await anew(bench)
    except Unfinished as why:
        bench.require(holds=False, what=what, came=why)
        await restored(bench)
        return
    bench.require(after == before, what, subject(after) if after else "")


@tls_case(
    "TR-15",
    *("A02.FR.13", "A02.FR.14"),
    expects="record",
    severity=Severity.MEDIUM,
    needs=CSO_NEEDS,
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
)
async def another_type(bench: StationBench) -> None:
    """What becomes of the answer to a CSR when it comes as a V2GCertificate, and without a certificateType."""
    await controlled(bench)
    for kind, label in (("V2GCertificate", "V2GCertificate"), (None, "no certificateType")):
        with answering(bench):
            csr = await asked(bench)
            made = signer_of(bench).sign(csr, direct(proper(bench, csr)))
            first = bench.server.count
            answer = await send(bench, text_of(made), kind=kind)
            bench.record(label, answer)
            if answer == ACCEPTED and kind is None:
                await switched(bench, first)
    await restored(bench)


@tls_case(
    "TR-16",
    *("A02.FR.06", "A02.FR.17"),
    expects="one of the two is accepted",
    severity=Severity.MEDIUM,
    needs=CSO_NEEDS,
    effect=Effect.PERSISTENT,
    attacker=Attacker.IS_PEER,
)
async def two_pending(bench: StationBench) -> None:
    """Of two requests that wait for their certificate at least one can be answered, and the station keeps an identity."""
    await controlled(bench)
    with answering(bench):
        answers = []
        csrs = [await asked(bench), await asked(bench)]
        for number, csr in enumerate(csrs, 1):
            made = signer_of(bench).sign(csr, direct(proper(bench, csr)))
            first = bench.server.count
            answer = await send(bench, text_of(made))
            bench.record(f"the answer to request {number}", answer)
            answers.append(answer)
            if answer == ACCEPTED:
                used, _ = await switched(bench, first)
                fits = used in (b"", der_of(made[0]))
                bench.require(fits, f"the certificate for request {number} is used")
        bench.require(
            ACCEPTED in answers, "one of two is accepted", ", ".join(answers), remark=True
        )
        bench.require(SILENT not in answers, "both are answered", ", ".join(answers))
        await restored(bench)


# --- a CSMS that does not sign ----------------------------------------------------------------------------


@tls_case(
    "TR-17",
    *("A02.FR.17", "A02.FR.18", "A02.FR.19"),
    expects="asks again after CertSigningWaitMinimum, then later, then stops",
    severity=Severity.HIGH,
    endangers=("TC_A_23_CS",),
    needs=(Need.OCPP,),
    items=("AS-3",),
    effect=Effect.VOLATILE,
    attacker=Attacker.IS_PEER,
    cwe="CWE-400",
)
async def never_signed(bench: StationBench) -> None:
    """Without a certificate the station asks again after CertSigningWaitMinimum, then after twice that, then stops."""
    wait_s = await _waiting(bench)
    times = await _number(bench, "CertSigningRepeatTimes")
    if times is None:
        raise NotAsked("a station that implements CertSigningRepeatTimes")
    longest = wait_s * 2 ** (times + 1)
    with answering(bench):
        await asked(bench)
        moments = [bench.monotonic()]
        while len(moments) <= times + STORM and await _asks_again(bench, longest + 2):
            moments.append(bench.monotonic())
    waits = [after - before for before, after in pairwise(moments)]
    bench.record("seconds between the requests", ", ".join(f"{w:.1f}" for w in waits) or "none")
    if times:
        bench.require(waits, "it asks again when nothing comes")
    if waits:
        bench.require(
            waits[0] >= TOLERANCE * wait_s, "not before CertSigningWaitMinimum", f"{waits[0]:.1f} s"
        )
    grow = all(b >= TOLERANCE * 2 * a - 1 for a, b in pairwise(waits))
    bench.require(grow, "every wait is twice the one before")
    # Whether the first repetition counts as one of them is a matter of reading.
    bench.require(len(waits) <= times + 1, "it stops after CertSigningRepeatTimes", len(waits))


async def _waiting(bench: StationBench) -> float:
    """CertSigningWaitMinimum, as short as the station lets it be."""
    if await _number(bench, "CertSigningWaitMinimum") is None:
        raise NotAsked("a station that implements CertSigningWaitMinimum")
    await bench.session.set_variable("SecurityCtrlr", "CertSigningRepeatTimes", "2")
    for wait in WAITS:
        status = await bench.session.set_variable("SecurityCtrlr", "CertSigningWaitMinimum", wait)
        if status == ACCEPTED:
            break
    found = await _number(bench, "CertSigningWaitMinimum")
    if found is None or found > float(WAITS[-1]):
        raise NotAsked(f"a CertSigningWaitMinimum of {WAITS[-1]} s or less")
    return float(found)


async def _number(bench: StationBench, name: str) -> int | None:
    value = await bench.session.get_variable("SecurityCtrlr", name)
    return int(value) if value and value.isdecimal() else None


async def _asks_again(bench: StationBench, within: float) -> bool:
    try:
        await bench.session.wait_for("SignCertificate", within=within)
    except SessionError:
        return False
    return True


async def _asked_meanwhile(bench: StationBench, seconds: float) -> int:
    """How many further requests come in so many seconds."""
    await bench.server.until(lambda: False, within=seconds)
    return len(bench.session.heard("SignCertificate"))


@tls_case(
    "TR-18",
    "A02.FR.12",
    expects="no request that nobody asked for",
    severity=Severity.MEDIUM,
    endangers=("TC_A_15_CS",),
    needs=(Need.OCPP,),
    effect=Effect.VOLATILE,
    attacker=Attacker.IS_PEER,
    cwe="CWE-400",
)
async def not_signed(bench: StationBench) -> None:
    """A CSMS that does not sign is not asked again and again, and the station goes on with what it has."""
    await bench.settle()
    with answering(bench):
        await asked(bench, answer=REJECTED)
        more = await _asked_meanwhile(bench, QUIET_S)
        what = f"no further SignCertificate in {QUIET_S:g} s after it was rejected"
        bench.require(more <= STORM, f"no storm: {what}", f"{more} came")
        bench.require(not more, what, f"{more} came", remark=True)
    await bench.again()


@tls_case(
    "TR-19",
    *("A02.FR.07", "A02.FR.20"),
    expects="no request until it is triggered",
    severity=Severity.MEDIUM,
    endangers=("TC_A_14_CS",),
    needs=CSO_NEEDS,
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-400",
)
async def quiet_after_rejecting(bench: StationBench) -> None:
    """After it rejected a certificate the station asks for no other by itself; a trigger brings a new request."""
    await controlled(bench)
    try:
        quiet = 2.5 * await _waiting(bench)
    except NotAsked:
        quiet = QUIET_S
    with answering(bench):
        bad = await renew(bench, lambda d: Chain(d, root=Root.STRANGER))
        if bad.accepted:
            raise Unfinished("a certificate under an unknown root was accepted: see TR-08")
        more = await _asked_meanwhile(bench, quiet)
        bench.require(not more, "no SignCertificate before the next trigger", f"{more} came")
    with answering(bench):
        bench.require(bool(await asked(bench, answer=REJECTED)), "a trigger brings a new request")


@tls_case(
    "TR-40",
    *("A02.FR.02", "A02.FR.11"),
    expects="lives on, and asks when it is triggered again",
    severity=Severity.MEDIUM,
    needs=(Need.OCPP,),
    effect=Effect.VOLATILE,
    attacker=Attacker.IS_PEER,
    cwe="CWE-400",
)
async def never_answered(bench: StationBench) -> None:
    """A CSMS that never answers SignCertificate, and then is gone, keeps the station from nothing."""
    await bench.settle()
    session = bench.session
    with answering(bench):
        session.forget("SignCertificate")
        session.mute("SignCertificate")
        status = await told(bench, "TriggerMessage", {"requestedMessage": TRIGGER})
        if status != ACCEPTED:
            raise NotAsked(f"a station that asks for certificates; the trigger: {status}")
        await bench.server.until(lambda: bool(session.heard("SignCertificate")), within=QUIET_S)
        more = len(session.heard("SignCertificate"))
        bench.record("requests without an answer", more)
        bench.require(more <= STORM, "no storm of requests", more)
    await bench.again()
    with answering(bench):
        bench.require(bool(await asked(bench, answer=REJECTED)), "it asks again when triggered")


# --- the way back -----------------------------------------------------------------------------------------


async def _under_another(bench: StationBench, trust: Trust) -> bytes:
    """A renewal under the second root, accepted; the lab knows both roots or the first alone, as it was before."""
    made = await renew(bench, by=trust.authority)
    if not made.accepted:
        raise Unfinished(f"a certificate under a second, installed root: {made.answer}")
    return made.leaf


@tls_case(
    "TR-20",
    *("A02.FR.10", "A02.FR.28", "A03.FR.24", "B10.FR.07"),
    expects="the old certificate is tried again",
    severity=Severity.CRITICAL,
    needs=(*CSO_NEEDS, Need.CA_KEY),
    profiles=(3,),
    items=("!AS-2",),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-754",
)
async def way_back(bench: StationBench) -> None:
    """A new certificate that the CSMS refuses in the handshake does not lock the station out: it tries the old one."""
    await _fallen_back(bench)


@tls_case(
    "TR-21",
    *("A02.FR.10", "A02.FR.29", "A03.FR.25"),
    expects="the old one works on; 2025-09: DiscardedRenewedClientCertificate",
    severity=Severity.MEDIUM,
    needs=(*CSO_NEEDS, Need.CA_KEY),
    profiles=(3,),
    items=("!AS-2",),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
)
async def discarded(bench: StationBench) -> None:
    """Once the old certificate has worked again the station stays with it; the errata want an event for the new one."""
    told = len(bench.session.events())
    before = await _fallen_back(bench)
    if not before:
        return
    bench.require(await anew(bench) == before, "it stays with the old certificate")
    if bench.station.edition != "ed3":
        events = await bench.told(told, "DiscardedRenewedClientCertificate")
        there = "DiscardedRenewedClientCertificate" in events
        bench.require(there, "the event DiscardedRenewedClientCertificate", remark=True)


async def _fallen_back(bench: StationBench) -> bytes:
    """The old certificate, shown again after the lab refused the new one; b"" when the station stays away."""
    await controlled(bench)
    before = await shown(bench)
    async with installed(bench) as trust:
        with answering(bench):
            first = bench.server.count
            await _under_another(bench, trust)
            found = await bench.comes(first, within=long_patience(bench))
            refused = [c for c in bench.server.since(first) if c.stage < Stage.UPGRADE]
            bench.record("attempts that the lab refused", len(refused))
            what = "it comes back with the old certificate when the new one is refused"
            bench.require(found is not None, what, "nobody let in")
            if found is None:
                await reachable(bench)
            after = await shown(bench, found)
            bench.require(after == before, "the old certificate is shown", subject(after))
            # Whatever it held before, its certificate must not hang under a root that goes.
            await restored(bench) if after != before else None
    return before if found is not None else b""


@tls_case(
    "TR-22",
    "A02.FR.10",
    expects="ed3: record; 2025-09: the old certificate is gone",
    severity=Severity.MEDIUM,
    needs=(*CSO_NEEDS, Need.CA_KEY),
    profiles=(3,),
    items=("!AS-2",),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-324",
)
async def old_one_is_gone(bench: StationBench) -> None:
    """Once the new certificate has worked, the old one is never shown again by the errata; Edition 3 may keep it."""
    await controlled(bench)
    before = await shown(bench)
    async with installed(bench) as trust:
        with answering(bench):
            both = bench.offer(client_roots=(*bench.station.own_roots, trust.root.certificate))
            await bench.again(both)
            first = bench.server.count
            leaf = await _under_another(bench, trust)
            found = await bench.comes(first, within=patience(bench)) or await bench.again(both)
            if await shown(bench, found) != leaf:
                raise Unfinished("the new certificate was not used although the lab takes it")
            # From here on the lab knows the old one alone.
            seen = await bench.attempts_of(bench.offer(), TRIES, within=long_patience(bench))
            back = [c for c in seen if before in c.client_chain[:1] and c.stage >= Stage.WEBSOCKET]
            bench.record(
                "after the new one was refused", "the old one is shown" if back else "never"
            )
            if bench.station.edition != "ed3":
                bench.require(not back, "the old certificate is discarded (A02.FR.10)")
            await bench.again(both, within=long_patience(bench))
            await restored(bench)


@tls_case(
    "TR-23",
    *("A02.FR.08", "A02.FR.10"),
    expects="comes back with one of the two certificates",
    severity=Severity.HIGH,
    needs=(*CSO_NEEDS, Need.OPERATOR),
    profiles=(3,),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-754",
)
async def power_cut(bench: StationBench) -> None:
    """A power cut between the answer and the next connection leaves the station with a certificate that works."""
    await controlled(bench)
    before = await shown(bench)
    with answering(bench):
        made = await renew(bench)
        if not made.accepted:
            raise Unfinished(f"a good renewal was answered with {made.answer}")
        if not await bench.session.operator("power-cycle"):
            raise NotAsked(Need.OPERATOR)
        await asyncio.sleep(0)
        what = "it comes back after a power cut in the middle of a renewal"
        try:
            after = await shown(bench, await bench.again(within=POWER_S))
        except Unfinished as why:
            bench.require(holds=False, what=what, came=why)
            return
        bench.require(holds=True, what=what)
        which = {before: "the old", made.leaf: "the new"}.get(after, "another")
        bench.record("shown after the power cut", f"{which} certificate")
        bench.require(after in (before, made.leaf), "one of the two is shown", subject(after))


# --- time -------------------------------------------------------------------------------------------------


@tls_case(
    "TR-24",
    "A03.FR.02",
    expects="asks for a new certificate by itself",
    severity=Severity.MEDIUM,
    needs=CSO_NEEDS,
    profiles=(3,),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
)
async def near_its_end(bench: StationBench) -> None:
    """A station whose certificate ends within a month asks for a new one by itself, here after a Reset.

    It is given one that ends in 20 days. Not asking within a minute is a remark: it may look only once a day.
    """
    await controlled(bench)
    with answering(bench):
        first = bench.server.count
        made = await renew(bench, lambda d: Chain(replace(d, validity=NEAR_END)))
        if not made.accepted:
            raise Unfinished(f"a certificate that ends in 20 days: {made.answer}")
        await switched(bench, first)
        bench.session.answer("SignCertificate", {"status": REJECTED})
        itself = await _asks_again(bench, 1.0)
        if not itself:
            first = bench.server.count
            await bench.session.call("Reset", {"type": "Immediate"})
            await bench.comes(first, within=POWER_S)
            itself = await _asks_again(bench, ASKS_ITSELF_S)
        bench.require(itself, "it asks for a new certificate by itself", remark=True)
    await restored(bench)


@tls_case(
    "TR-25",
    "A00.FR.430",
    expects="still tries to connect",
    severity=Severity.MEDIUM,
    needs=CSO_NEEDS,
    profiles=(3,),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
)
async def own_one_expired(bench: StationBench) -> None:
    """A station whose own certificate has expired still tries to connect, so that it can be given a new one.

    The errata of 2025 recommend it (A00.FR.430), so that staying away is a remark.
    """
    await controlled(bench)
    short = timedelta(seconds=SHORT_S)
    with answering(bench):
        first = bench.server.count
        made = await renew(bench, lambda d: Chain(replace(d, validity=short)))
        if not made.accepted:
            raise Unfinished(f"a certificate for {SHORT_S} s was answered with {made.answer}")
        used, _ = await switched(bench, first)
        if used != made.leaf:
            raise Unfinished("a certificate for a few seconds was not used before it ended")
        await bench.server.until(lambda: False, within=SHORT_S + 2)
        lenient = bench.offer(engine=Engine.PYOPENSSL, client_auth=ClientAuth.ANY)
        found: Connection | None = None
        try:
            found = await bench.again(lenient, within=long_patience(bench))
        except Unfinished as why:
            bench.record("it stayed away", why)
        bench.require(found is not None, "it connects with an expired certificate", remark=True)
        if found is None:
            raise Unfinished("the station stays away, so that it cannot be given a new certificate")
        bench.record(
            "shown after its end",
            "the expired one" if (await shown(bench, found)) == used else "another",
        )
        await _renewed_leniently(bench)


async def _renewed_leniently(bench: StationBench) -> None:
    """A good certificate again, over a connection in which the lab takes whatever is shown."""
    first = bench.server.count
    good = await renew(bench)
    if not good.accepted:
        raise Unfinished(f"a good renewal after it was answered with {good.answer}")
    await bench.comes(first, within=patience(bench))
    bench.require(await anew(bench) == good.leaf, "it can be given a new certificate then")


# --- secrets ----------------------------------------------------------------------------------------------
