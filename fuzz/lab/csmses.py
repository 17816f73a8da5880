"""A CSMS on the bench: our own reference endpoint as a process, or somebody's that we dial.

Knows how the lab client, the caller and the bench are put together. Must not know a case.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from cryptography.x509.oid import NameOID, ObjectIdentifier

from fuzz.clock import Clock
from fuzz.config import PASSWORD_VARIABLE, RunOptions, password_of
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.lab.caller import StationCaller
from fuzz.lab.options import LabOptions
from fuzz.records import Side, TargetFacts
from fuzz.station.voice import StationVoice
from fuzz.target.embedded_csms import CsmsPort, CsmsStation, EmbeddedCsms
from fuzz.transport.contexts import client_context
from tlslab import own
from tlslab.authority import Authority
from tlslab.client import LabClient
from tlslab.csms_bench import Csms, CsmsBench
from tlslab.describe import DAY, OWNER, Chain, Description
from tlslab.knock import MIXED_SUITES, Identity
from tlslab.notes import Unfinished
from tlslab.offers import ECDSA_SUITES
from tlslab.pki import Credential, Lab, LabError
from tlslab.registry import Need
from tlslab.suites import openssl_name

IDENTITY, SECOND = "OCPPFUZZ0001", "OCPPFUZZ0002"
STRICT = "OCPPFUZZ0003"
"""Of security profile 3 wherever we dial our own endpoint."""
WAITING = "OCPPFUZZ0004"
"""Answered with Pending whenever it boots."""
PASSWORD, SECOND_PASSWORD = "ocppfuzz-Csms-lab-password", "ocppfuzz-Second-lab-password"
WAITING_PASSWORD = "ocppfuzz-Waiting-lab-password"
EVERYTHING = frozenset({Need.OCPP, Need.STATION_CA, Need.TWO_IDENTITIES, Need.REVOCATION})
"""What there is around our own endpoint."""
VERIFY_S = 10.0
ANY_KEY = (ssl.TLSVersion.TLSv1_3, MIXED_SUITES)
ONE_KEY = (
    (ssl.TLSVersion.TLSv1_2, ECDSA_SUITES),
    (ssl.TLSVersion.TLSv1_2, tuple(s for s in MIXED_SUITES if s not in ECDSA_SUITES)),
)
"""Highest version and suites that show each certificate of a CSMS that has one of either kind."""
DEFAULT_PORTS = {"wss": 443, "ws": 80}


@dataclass(slots=True, eq=False)
class CsmsRig:
    """A CSMS that lets us in and is ready for the lab."""

    bench: CsmsBench
    url: str
    notes: list[str] = field(default_factory=list)

    def facts(self) -> TargetFacts:
        """Who is attacked."""
        csms = self.bench.csms
        return TargetFacts(
            side=Side.CSMS,
            url=self.url,
            identity=csms.identity.name,
            security_profile=csms.security_profile,
            edition=csms.edition,
        )


@dataclass(frozen=True, slots=True)
class Way:
    """How a CSMS is dialled: `path` is what stands before the identity and ends in `/`."""

    host: str
    port: int
    path: str


def way_of(url: str, identity: str) -> Way:
    """Where a URL leads, `{identity}` or the identity itself being its last part. Raises `UsageError` otherwise."""
    parts = urlsplit(url)
    before, slash, last = parts.path.rpartition("/")
    if not slash or unquote(last) not in ("{identity}", identity):
        raise UsageError(
            f"target {url!r} does not end in the identity; write such as wss://host/ocpp/{{identity}}"
        )
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return Way(parts.hostname or "", port, f"{before}/")


# --- our own ----------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def embedded_csms(
    security_profile: int, clock: Clock, *, edition: str = "ed3", defects: tuple[str, ...] = ()
) -> AsyncIterator[CsmsRig]:
    """Our own reference endpoint, with a lab and stations of its own; all are gone when it is left."""
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as name:
        folder = Path(name)
        lab = Lab.create(folder / "pki", serial=IDENTITY, now=clock.now())
        authority = own.from_lab(lab, now=clock.now)
        revoked = authority.issue(Chain(Description(IDENTITY, validity=90 * DAY)))
        target = _process(folder, security_profile, lab, revoked, defects)
        try:
            await target.start()
            url = f"{target.url(security_profile)}/{IDENTITY}"
            with _last_words(target):
                bench = _bench(_known(url, security_profile, edition, authority), url, clock)
                bench.authority, bench.revoked, bench.available = authority, revoked, EVERYTHING
                yield await _ready(CsmsRig(bench, url))
        finally:
            await target.stop()


def _process(
    folder: Path, profile: int, lab: Lab, revoked: Credential, defects: tuple[str, ...]
) -> EmbeddedCsms:
    basic = profile < 3
    stations = (
        CsmsStation(IDENTITY, profile, PASSWORD if basic else None),
        CsmsStation(SECOND, profile, SECOND_PASSWORD if basic else None),
        CsmsStation(STRICT, 3),
        CsmsStation(WAITING, profile, WAITING_PASSWORD if basic else None, boot="Pending"),
    )
    return EmbeddedCsms(
        folder=folder,
        stations=stations,
        ports=(CsmsPort(profile),),
        pki=lab.folder,
        defects=defects,
        revoked=(f"{revoked.x509.serial_number:x}",),
    )


def _known(url: str, profile: int, edition: str, authority: Authority) -> Csms:
    way = way_of(url, IDENTITY)
    one, other, waiting = (
        Identity(
            name,
            password=password if profile < 3 else None,
            credential=authority.issue(Chain(Description(name))) if profile == 3 else None,
        )
        for name, password in (
            (IDENTITY, PASSWORD),
            (SECOND, SECOND_PASSWORD),
            (WAITING, WAITING_PASSWORD),
        )
    )
    return Csms(
        host=way.host,
        identity=one,
        security_profile=profile,
        path=way.path,
        server_name=way.host,
        other=other,
        strict=STRICT if profile < 3 else "",
        waiting=waiting,
        organization=OWNER,
        edition=edition,
        roots=(authority.root.certificate,),
    )


@contextlib.contextmanager
def _last_words(target: EmbeddedCsms) -> Iterator[None]:
    try:
        yield
    except TargetUnavailable as gone:
        last = next(reversed(target.log_lines()), "")
        raise TargetUnavailable(f"{gone}; its last output: {last}") from None


# --- somebody's -------------------------------------------------------------------------------------------


async def standing_csms(options: RunOptions, lab: LabOptions, clock: Clock) -> CsmsRig:
    """A CSMS that somebody else runs, and that lets us in now. Raises `UsageError`, `TargetUnavailable`."""
    if not options.identity:
        raise UsageError("name the station that we are with --identity: only its path is attacked")
    if options.security_profile not in (2, 3):
        raise UsageError("the TLS lab needs a CSMS in security profile 2 or 3")
    url = (options.target or "").replace("{identity}", quote(options.identity, safe=""))
    try:
        csms = _named(options, lab, url, clock)
        bench = _bench(csms, url, clock)
        _equip(bench, lab, clock)
    except LabError as error:
        raise UsageError(str(error)) from None
    rig = CsmsRig(bench, url)
    await _verified(rig, options)
    return await _ready(rig)


def _named(options: RunOptions, lab: LabOptions, url: str, clock: Clock) -> Csms:
    way, profile = way_of(url, options.identity), options.security_profile
    own_one = _identity(options.identity, options.cert, options.key, password_of(options), clock)
    if profile == 3 and own_one.credential is None:
        raise UsageError("security profile 3 needs the certificate: give --cert and --key")
    if profile == 2 and own_one.password is None:
        raise UsageError(f"security profile 2 needs the password: set {PASSWORD_VARIABLE}")
    owner = OWNER
    if own_one.credential is not None:
        owner = _attribute(own_one.credential, NameOID.ORGANIZATION_NAME) or owner
    return Csms(
        host=way.host,
        identity=own_one,
        security_profile=profile,
        path=way.path,
        server_name="" if _is_address(way.host) else way.host,
        other=_second(lab, clock),
        organization=owner,
        edition=options.edition,
        roots=(own.root(options.ca),) if options.ca else (),
    )


def _second(lab: LabOptions, clock: Clock) -> Identity | None:
    if not lab.second:
        return None
    file = lab.second_password_file
    password = password_of(RunOptions(password_file=file), {}) if file else None
    found = _identity(lab.second, lab.second_cert, lab.second_key, password, clock)
    if found.credential is None and found.password is None:
        raise UsageError(
            "--second needs its credentials: --second-cert with --second-key, or --second-password-file"
        )
    return found


def _identity(
    name: str, certificate: Path | None, key: Path | None, password: str | None, clock: Clock
) -> Identity:
    if (certificate is None) != (key is None):
        raise UsageError(f"certificate and key of {name} belong together; give both")
    if certificate is None or key is None:
        return Identity(name, password=password)
    credential = own.finished(certificate, key, now=clock.now)
    serial = _attribute(credential, NameOID.COMMON_NAME)
    return Identity(name, serial=serial, password=password, credential=credential)


def _equip(bench: CsmsBench, lab: LabOptions, clock: Clock) -> None:
    """What there is beyond a connection. Raises `LabError`, `UsageError`."""
    available = {Need.OCPP}
    if lab.client_ca is not None and lab.client_ca_key is not None:
        bench.authority = own.from_ca(lab.client_ca, lab.client_ca_key, now=clock.now)
        available.add(Need.STATION_CA)
    elif lab.client_ca is not None:
        bench.client_root = own.root(lab.client_ca)
    elif lab.client_ca_key is not None:
        raise UsageError("--client-ca-key needs --client-ca, its certificate")
    if bench.csms.other is not None:
        available.add(Need.TWO_IDENTITIES)
    if lab.revoked is not None and lab.revoked_key is not None:
        bench.revoked = own.finished(lab.revoked, lab.revoked_key, now=clock.now)
        available.add(Need.REVOCATION)
    elif lab.revoked is not None:
        raise UsageError("--revoked needs --revoked-key: a certificate is shown with its key")
    bench.available = frozenset(available)


async def _verified(rig: CsmsRig, options: RunOptions) -> None:
    """The CSMS is the one that is meant, before a password is sent. Raises `TargetUnavailable` when it is not.

    The lab itself takes every certificate and reviews it; a password goes only to those that were verified here. In
    security profile 3 nothing of ours is secret on the way, and a CSMS may be played without its root.
    """
    if options.ca is None and options.security_profile == 3:
        rig.notes.append("the certificate of the CSMS was not verified; --ca ROOT does so")
        return
    found = {await _leaf(rig, options, *ANY_KEY)}
    for version, suites in ONE_KEY:
        # One that has a single certificate does not serve the suites of the other kind.
        with contextlib.suppress(TargetUnavailable):
            found.add(await _leaf(rig, options, version, suites))
    rig.bench.csms = replace(rig.bench.csms, verified=frozenset(found))


async def _leaf(
    rig: CsmsRig, options: RunOptions, highest: ssl.TLSVersion, suites: tuple[int, ...]
) -> bytes:
    """The certificate that the CSMS shows with these suites, DER, verified as a station would."""
    context = client_context(ca=options.ca, certificate=options.cert, key=options.key)
    context.maximum_version = highest
    context.set_ciphers(":".join(name for s in suites if (name := openssl_name(s))))
    client, name = rig.bench.client, rig.bench.csms.host
    try:
        async with asyncio.timeout(VERIFY_S):
            _, writer = await asyncio.open_connection(
                client.host, client.port, ssl=context, server_hostname=name
            )
    except ssl.SSLCertVerificationError as error:
        root = options.ca or "a root of this machine; name its root with --ca"
        raise TargetUnavailable(
            f"the certificate of {name} does not lead to {root}: {error.verify_message}"
        ) from None
    except (OSError, TimeoutError) as error:
        raise TargetUnavailable(f"{rig.url} does not answer: {str(error) or 'too slow'}") from None
    try:
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return tls.getpeercert(binary_form=True) or b""
    finally:
        writer.transport.abort()


def _attribute(credential: Credential, oid: ObjectIdentifier) -> str:
    return next((str(a.value) for a in credential.x509.subject if a.oid == oid), "")


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdecimal()


# --- both -------------------------------------------------------------------------------------------------


def _bench(csms: Csms, url: str, clock: Clock) -> CsmsBench:
    way = way_of(url, csms.identity.name)
    client = LabClient(way.host, way.port, monotonic=clock.monotonic, now=clock.now)
    caller = StationCaller(lambda: StationVoice(clock))
    return CsmsBench(csms, client, caller, clock.now, clock.monotonic)


async def _ready(rig: CsmsRig) -> CsmsRig:
    """A proper visitor is let in. Raises `TargetUnavailable` otherwise."""
    try:
        await rig.bench.prepare()
    except Unfinished as why:
        raise TargetUnavailable(f"{rig.url}: {why}") from None
    return rig
