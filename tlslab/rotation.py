"""Renewing a Charging Station's certificate as its CSMS: ask for a CSR, sign it well or badly, see what is used then.

Knows the messages of A02 by name and which certificate the station shows. Must not know a case, nor judge one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cryptography import x509

from tlslab.authority import Authority
from tlslab.bench import StationBench
from tlslab.describe import Chain, Description, KeyKind
from tlslab.notes import NotAsked, Unfinished
from tlslab.offers import ClientAuth, Engine
from tlslab.pki import Credential, LabError
from tlslab.registry import Need
from tlslab.request import requested
from tlslab.seen import Connection
from tlslab.session import AnsweredWithError, NotAnswered, SessionError

TYPE = "ChargingStationCertificate"
EVENT = "InvalidChargingStationCertificate"
TRIGGER = "SignChargingStationCertificate"
ACCEPTED, REJECTED, SILENT = "Accepted", "Rejected", "no answer"
CSR_S = 40.0
"""How long a CSR may take after its trigger: an RSA key on a small machine, or an older request that hangs."""
ANSWER_S = 30.0
AGAIN, AGAIN_S = 50, 2.0
"""How many repetitions of older CSRs are passed over, and how soon the right one comes behind them."""
_CONTROL, _TAKEN = "a good renewal", "CSRs that were taken"

Describe = Callable[[Description], Chain]
"""The chain to make out of the certificate that was asked for, made proper."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """One CSR, what was sent for it (PEM) and the answer: a status, a CALLERROR's code, or that there was none."""

    csr: str
    certificates: tuple[bytes, ...]
    answer: str

    @property
    def accepted(self) -> bool:
        """Whether the station took it."""
        return self.answer == ACCEPTED

    @property
    def leaf(self) -> bytes:
        """The certificate that was sent first, DER."""
        return der_of(self.certificates[0])


def der_of(pem: bytes) -> bytes:
    """The bytes of the certificate."""
    return Credential(pem, b"").der


def signer_of(bench: StationBench) -> Authority:
    """Who signs stations' certificates. Raises `NotAsked` when its key is not there."""
    if bench.signer is None:
        raise NotAsked(Need.STATION_CA)
    return bench.signer


# --- asking -----------------------------------------------------------------------------------------------


async def trigger(bench: StationBench, *, answer: str = ACCEPTED) -> str:
    """The status, or CALLERROR code, of asking for a renewal, whose CSR is answered with `answer`."""
    bench.session.forget("SignCertificate")
    bench.session.answer("SignCertificate", {"status": answer})
    return await told(bench, "TriggerMessage", {"requestedMessage": TRIGGER})


async def came(bench: StationBench, *, within: float = CSR_S) -> str:
    """The CSR that follows a trigger. Raises `Unfinished` when none does.

    One that was taken before may be an older one that the station sends again (TR-18), and is the answer only when no
    other comes behind it.
    """
    taken = bench.memo.setdefault(_TAKEN, set())
    assert isinstance(taken, set)
    csr = await _next(bench, within)
    for _ in range(AGAIN):
        if csr not in taken:
            break
        try:
            csr = await _next(bench, AGAIN_S)
        except Unfinished:
            break
    taken.add(csr)
    return csr


async def _next(bench: StationBench, within: float) -> str:
    try:
        payload = await bench.session.wait_for("SignCertificate", within=within)
    except SessionError as why:
        raise Unfinished(f"no CSR after its trigger was accepted: {why}") from None
    return str(payload.get("csr", ""))


async def asked(bench: StationBench, *, answer: str = ACCEPTED) -> str:
    """The CSR that the station makes when it is triggered, which is answered with this status.

    Raises:
        NotAsked: a station below security profile 3 asks for none.
        Unfinished: one in security profile 3 asks for none.
    """
    status = await trigger(bench, answer=answer)
    if status != ACCEPTED:
        if bench.station.security_profile < 3:
            raise NotAsked("a station that asks for certificates below security profile 3, too")
        raise Unfinished(f"TriggerMessage {TRIGGER} was answered with {status}")
    return await came(bench)


def proper(bench: StationBench, csr: str) -> Description:
    """The certificate that a CSR asks for, in this station's name (A00.FR.509, FR.511). Raises `Unfinished`."""
    try:
        wanted = requested(csr)
    except LabError as why:
        raise Unfinished(str(why)) from None
    owner = bench.station.organization or wanted.organization
    return replace(wanted, common_name=bench.station.serial, organization=owner)


async def told(bench: StationBench, action: str, payload: dict[str, object]) -> str:
    """The status of an answer, the code of a CALLERROR, or that there was none."""
    try:
        answer = await bench.session.call(action, payload, within=ANSWER_S)
    except AnsweredWithError as error:
        return error.code
    except NotAnswered:
        return SILENT
    return str(answer.get("status", ""))


async def send(bench: StationBench, text: str, *, kind: str | None = TYPE) -> str:
    """What comes of a CertificateSignedRequest with this text."""
    payload: dict[str, object] = {"certificateChain": text}
    return await told(
        bench, "CertificateSigned", payload | ({} if kind is None else {"certificateType": kind})
    )


def text_of(certificates: tuple[bytes, ...]) -> str:
    """PEM certificates as one text."""
    return b"".join(certificates).decode("ascii")


# --- renewing ---------------------------------------------------------------------------------------------


def direct(wanted: Description) -> Chain:
    """What was asked for, directly under the CA."""
    return Chain(wanted)


async def renew(
    bench: StationBench,
    describe: Describe = direct,
    *,
    by: Authority | None = None,
    key: KeyKind | None = None,
) -> Renewal:
    """Asks for a CSR and sends a certificate for it; `key` puts another's key into it."""
    return await fulfil(bench, await asked(bench), describe, by=by, key=key)


async def fulfil(
    bench: StationBench,
    csr: str,
    describe: Describe = direct,
    *,
    by: Authority | None = None,
    key: KeyKind | None = None,
) -> Renewal:
    """Sends a certificate for a CSR."""
    authority = by or signer_of(bench)
    made = authority.sign(csr, describe(proper(bench, csr)), key=key)
    return Renewal(csr, made, await send(bench, text_of(made)))


async def shown(bench: StationBench, connection: Connection | None = None) -> bytes:
    """The certificate of the station, DER, in its present connection; b"" below security profile 3.

    Raises `Unfinished` when it shows none in security profile 3.
    """
    if bench.station.security_profile < 3:
        return b""
    found = connection or await bench.settle()
    if not found.client_chain:
        found = await bench.again()
    if not found.client_chain:
        raise Unfinished("the certificate of the station was not seen")
    return found.client_chain[0]


async def anew(bench: StationBench) -> bytes:
    """The certificate that the station shows on a fresh connection. Raises `Unfinished`."""
    return await shown(bench, await bench.again())


def patience(bench: StationBench) -> float:
    """How long a station may take to come back by itself."""
    return 4 * bench.reconnect_s + 10


def long_patience(bench: StationBench) -> float:
    """How long a station may take that tries something else first, several times."""
    return max(60.0, 20 * bench.reconnect_s)


async def switched(bench: StationBench, first: int) -> tuple[bytes, bool]:
    """The certificate shown after a renewal, and whether the station made that connection by itself."""
    if bench.station.security_profile < 3:
        return b"", True
    found = await bench.comes(first, within=patience(bench))
    own = found is not None
    return await shown(bench, found or await bench.again()), own


async def controlled(bench: StationBench) -> None:
    """A good renewal was accepted and used in this session, without which a refusal proves nothing.

    Raises `Unfinished` when it was not.
    """
    if bench.memo.get(_CONTROL) is signer_of(bench):
        return
    await restored(bench)
    bench.memo[_CONTROL] = bench.signer


async def restored(bench: StationBench) -> None:
    """The station has a certificate in order, whatever it had before. Raises `Unfinished` when it takes none."""
    await reachable(bench)
    first = bench.server.count
    good = await renew(bench)
    if not good.accepted:
        raise Unfinished(f"a good renewal was answered with {good.answer}")
    used, _ = await switched(bench, first)
    if used and used != good.leaf:
        raise Unfinished("a good renewal was accepted, and another certificate is shown after it")


async def reachable(bench: StationBench) -> None:
    """The station is connected, even with a certificate that a CSMS would refuse. Raises `Unfinished`."""
    if bench.station.security_profile < 3:
        await bench.settle()
        return
    try:
        await bench.settle()
    except Unfinished:
        await bench.settle(bench.offer(engine=Engine.PYOPENSSL, client_auth=ClientAuth.ANY))


@contextlib.contextmanager
def answering(bench: StationBench) -> Iterator[None]:
    """Whatever a case answers to SignCertificate, it is answered as usual afterwards."""
    try:
        yield
    finally:
        bench.session.answer_properly("SignCertificate")
        bench.session.forget("SignCertificate")


# --- requiring --------------------------------------------------------------------------------------------


async def refused(bench: StationBench, label: str, describe: Describe, **how: object) -> None:
    """A certificate with this fault is Rejected and told of, and the one before stays in use (A02.FR.06, FR.07)."""
    await controlled(bench)
    before = await shown(bench)
    with answering(bench):
        since, first = len(bench.session.events()), bench.server.count
        bad = await renew(bench, describe, **how)  # type: ignore[arg-type]
        taken = bad.answer in (ACCEPTED, SILENT)
        bench.require(not taken, f"CertificateSigned is not Accepted: {label}", bad.answer)
        if bad.answer == REJECTED:
            events = await bench.told(since, EVENT)
            bench.require(EVENT in events, f"{EVENT} is raised: {label}", ", ".join(events))
        elif not taken:
            what = f"CertificateSigned is Rejected: {label}"
            bench.require(holds=False, what=what, came=bad.answer, remark=True)
        await kept(bench, label, before, bad, first)


async def kept(
    bench: StationBench, label: str, before: bytes, bad: Renewal, first: int = 0
) -> None:
    """The certificate from before is shown on the next connection; one that was taken is replaced by a good one."""
    if not before:
        return
    if not bad.accepted:
        after = await anew(bench)
        bench.require(after == before, f"the certificate from before stays in use: {label}")
        return
    await bench.comes(first, within=patience(bench))
    await restored(bench)


def subject(der: bytes) -> str:
    """Whose certificate it is, for a report."""
    try:
        return x509.load_der_x509_certificate(der).subject.rfc4514_string()
    except ValueError:
        return "unreadable"
