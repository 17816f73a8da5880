"""Puts a target, a door and a voice together from the options: embedded, a command, or somebody else's station.

Knows every seam's implementation; must not know phases, oracles or reports.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.x509.oid import NameOID

from fuzz.app.elsewhere import naming_of
from fuzz.app.refusing import saying
from fuzz.clock import SystemClock
from fuzz.config import RunOptions, host_and_port, is_loopback, password_of
from fuzz.csms.voice import CsmsVoice
from fuzz.engine.line import Pace, Wiring
from fuzz.errors import StoreError, TargetUnavailable, UsageError
from fuzz.pics.answers import Pics
from fuzz.pics.loading import load_pics
from fuzz.records import EngineEvent, Note, Side, Target, TargetFacts
from fuzz.station.planting import find_plants
from fuzz.station.voice import StationVoice
from fuzz.target.catcher import CatchingServer
from fuzz.target.command import CommandTarget
from fuzz.target.embedded import EmbeddedTarget
from fuzz.target.nothing import NoTarget
from fuzz.target.operators import Operated, hand, rescue
from fuzz.transport.contexts import client_context, server_context
from fuzz.transport.dial import Dialler
from fuzz.transport.listen import Listener
from tlslab.describe import KeyKind
from tlslab.pki import Files, Lab, LabError

EMBEDDED_IDENTITY = "OCPPFUZZ0001"
DEFAULT_PICS = "dc-2evse-ccs1"
EMBEDDED_PASSWORD = "ocppfuzz-embedded-password"
ANYBODY = "no password is known, so whoever calls is let in with any: give OCPPFUZZ_PASSWORD or --password-file what the station has"
LAB_FOLDER = "pki"
_LOOPBACK = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


@dataclass(frozen=True, slots=True)
class Rig:
    """A wired target, and what a person must configure on it to make it call."""

    wiring: Wiring
    pace: Pace
    instructions: tuple[str, ...] = ()


def create_pki(folder: Path, names: Sequence[str], serial: str) -> list[tuple[str, Path]]:
    """Create the lab's certificates and tell which file holds what."""
    lab = Lab.create(
        folder, csms_names=tuple(names) or ("localhost",), serial=serial, now=SystemClock().now()
    )
    return [
        (
            "root certificate: install it on the station as CSMSRootCertificate",
            lab.root.certificate,
        ),
        ("CSMS certificate, ECDSA", lab.csms.certificate),
        ("CSMS certificate, RSA", lab.csms_rsa.certificate),
        ("station certificate for security profile 3", lab.station.certificate),
        ("station key", lab.station.key),
    ]


def key_for(pics: Pics) -> KeyKind:
    """The kind of key of a station's certificate: the one that its cipher suites sign with (C-41)."""
    elliptic = any("ECDSA" in suite for suite in pics.cipher_suites)
    return KeyKind.EC_P256 if elliptic else KeyKind.RSA_2048


@contextlib.asynccontextmanager
async def rig(
    options: RunOptions,
    sink: Callable[[EngineEvent], None],
    *,
    behind: int | None = None,
    met: bool = False,
) -> AsyncIterator[Rig]:
    """The rig that the options ask for; everything it started is stopped when it is left.

    `behind` is a port of this machine to listen on instead, where something else already answers the public one. `met`
    says that we talked with the target just before: a station that is booted does not boot for us again.
    """
    async with contextlib.AsyncExitStack() as stack:
        if options.target is not None:
            made = await stack.enter_async_context(_csms_rig(options, sink))
        elif options.listen is not None:
            made = await stack.enter_async_context(_listening_rig(options, sink, behind, met=met))
        else:
            made = await stack.enter_async_context(_embedded_rig(options))
        made.wiring.met = met and not made.wiring.target.owned
        made.wiring.tell = sink
        made.wiring.please = asked_of_a_person(options, made.wiring.target)
        made.wiring.catcher = await stack.enter_async_context(_catching(options))
        yield made


@contextlib.asynccontextmanager
async def _catching(options: RunOptions) -> AsyncIterator[CatchingServer | None]:
    """Who waits for visitors; None where nobody does."""
    address = catcher_address(options)
    if address is None:
        yield None
        return
    catcher = CatchingServer(*host_and_port(address))
    await catcher.start()
    try:
        yield catcher
    finally:
        await catcher.aclose()


def catcher_address(options: RunOptions) -> str | None:
    """Where visitors are waited for: where the options say, else on loopback when the target is there."""
    return options.catcher or ("127.0.0.1:0" if _here(options) else None)


def _here(options: RunOptions) -> bool:
    """True when the target can only be on this machine."""
    if options.target is not None:
        return is_loopback(urlsplit(options.target).hostname or "")
    return options.listen is None or is_loopback(host_and_port(options.listen)[0])


@contextlib.asynccontextmanager
async def _embedded_rig(options: RunOptions) -> AsyncIterator[Rig]:
    """The reference station as a process of its own, over loopback."""
    profile = options.security_profile
    if profile == 0:
        raise UsageError("the embedded station has no security profile 0; use 1, 2 or 3")
    find_plants(options.defects, options.decoys)  # an unknown name is told before a process starts
    pics = load_pics(options.pics or DEFAULT_PICS)
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
        lab = Lab.create(
            Path(folder),
            csms_names=("localhost",),
            serial=pics.serial,
            station_key=key_for(pics),
            now=SystemClock().now(),
        )
        listener = Listener(
            "127.0.0.1",
            0,
            identities=frozenset({EMBEDDED_IDENTITY}),
            tls=_lab_context(lab, profile) if profile > 1 else None,
            basic={EMBEDDED_IDENTITY: EMBEDDED_PASSWORD} if profile in (1, 2) else None,
        )
        await listener.start()
        scheme = "wss" if profile > 1 else "ws"
        url = f"{scheme}://localhost:{listener.port}/ocpp"
        target = EmbeddedTarget(
            csms=url,
            identity=EMBEDDED_IDENTITY,
            security_profile=profile,
            ca=lab.root.certificate if profile > 1 else None,
            certificate=lab.station.certificate if profile == 3 else None,
            key=lab.station.key if profile == 3 else None,
            password=EMBEDDED_PASSWORD if profile in (1, 2) else None,
            defects=options.defects,
            decoys=options.decoys,
            pics=options.pics,
            backoff_min_s=0.0,
        )
        wiring = Wiring(
            door=listener,
            voice=CsmsVoice(SystemClock(), edition=options.edition),
            target=target,
            clock=SystemClock(),
            facts=_facts(options, Side.STATION, f"{url}/{EMBEDDED_IDENTITY}", EMBEDDED_IDENTITY),
        )
        try:
            with _telling_why(target):
                await target.start()
                yield Rig(wiring, Pace(come_back_s=30.0, boot_s=20.0))
        finally:
            await target.stop()
            await listener.aclose()


@contextlib.asynccontextmanager
async def _listening_rig(
    options: RunOptions, sink: Callable[[EngineEvent], None], behind: int | None, *, met: bool
) -> AsyncIterator[Rig]:
    """A station that somebody else runs and that dials in."""
    if options.pics is not None:
        load_pics(options.pics)  # a file that is none is told before anybody waits
    host, port = host_and_port(options.listen or "")
    context, ca = _server_side(options, host)
    password = password_of(options)
    if not met and options.security_profile in (1, 2) and not password:
        sink(Note(ANYBODY, "warning"))
    listener = Listener(
        host if behind is None else "127.0.0.1",
        port if behind is None else behind,
        identities=frozenset({options.identity}) if options.identity else None,
        tls=context,
        basic={options.identity: password} if options.identity and password else None,
        on_refused=saying(sink, addresses=behind is None),
    )
    await listener.start()
    scheme = "wss" if context is not None else "ws"
    name = dialled(host, by_name=context is not None)
    url = f"{scheme}://{name}:{listener.port if behind is None else port}/ocpp"
    target = attended(started_by_user(options), options, sink)
    instructions = how_to_dial(url, options, ca)
    # Who dialled us a moment ago knows where; only a port that is drawn is another one each time.
    for line in () if met and port else instructions:
        # What a command starts dials by itself: nobody is asked to do anything.
        sink(Note(line, "info" if target.owned else "action"))
    wiring = Wiring(
        door=listener,
        voice=CsmsVoice(SystemClock(), edition=options.edition, booted=met and not target.owned),
        target=target,
        clock=SystemClock(),
        facts=_facts(options, Side.STATION, url, options.identity or ""),
        on_stuck=when_stuck(options, target, sink),
    )
    try:
        with _telling_why(target):
            if target.owned:
                await target.start()
            yield Rig(wiring, Pace(come_back_s=options.wait_s, boot_s=options.wait_s), instructions)
    finally:
        await target.stop()
        await listener.aclose()


@contextlib.asynccontextmanager
async def _csms_rig(options: RunOptions, sink: Callable[[EngineEvent], None]) -> AsyncIterator[Rig]:
    """A CSMS that we dial as a station would."""
    identity = options.identity or EMBEDDED_IDENTITY
    url = (options.target or "").replace("{identity}", identity)
    password = password_of(options)
    tls = None
    if options.security_profile >= 2:
        tls = client_context(ca=options.ca, certificate=options.cert, key=options.key)
    dialler = Dialler(url, tls=tls, basic=(identity, password) if password else None)
    target = started_by_user(options)
    wiring = Wiring(
        door=dialler,
        voice=StationVoice(SystemClock()),
        target=target,
        clock=SystemClock(),
        facts=_facts(options, Side.CSMS, url, identity),
        on_stuck=when_stuck(options, target, sink),
    )
    try:
        with _telling_why(target):
            if target.owned:
                await target.start()
            yield Rig(wiring, Pace(come_back_s=options.wait_s, boot_s=options.wait_s))
    finally:
        await target.stop()
        await dialler.aclose()


@contextlib.contextmanager
def _telling_why(target: Target) -> Iterator[None]:
    """A target of ours that never came: its last words are the best explanation."""
    try:
        yield
    except TargetUnavailable as gone:
        last = next(reversed(target.log_lines()), "")
        if not last:
            raise
        raise TargetUnavailable(f"{gone}; its last output: {last}") from gone


def _facts(options: RunOptions, side: Side, url: str, identity: str) -> TargetFacts:
    return TargetFacts(
        side=side,
        url=url,
        identity=identity,
        security_profile=options.security_profile,
        edition=options.edition,
        naming=naming_of(options),
    )


def when_stuck(
    options: RunOptions, target: Target, sink: Callable[[EngineEvent], None]
) -> Callable[[], Awaitable[bool]] | None:
    """Asks the hook, else a person where it is not ours, to bring the target back; None when there is nobody.

    Raises `UsageError` for a hook that cannot be read.
    """
    helps = rescue(options.on_stuck, options.identity) if options.on_stuck is not None else None
    if helps is None and (target.owned or options.unattended):
        return None
    more = f"it is waited for another {options.wait_s:g} s, and all goes on when it boots"

    async def ask() -> bool:
        if helps is None:
            sink(Note(f"the target went away and stays away; restart it: {more}", "action"))
            return True
        sink(Note("the target went away and stays away: asking the --on-stuck hook"))
        helped = await helps()
        if helped:
            sink(Note(f"the --on-stuck hook is done; {more}"))
        else:
            sink(Note("the --on-stuck hook failed: nobody brings the target back", "warning"))
        return helped

    return ask


def asked_of_a_person(options: RunOptions, target: Target) -> str:
    """What a person can do for a target that is away for long; "" where there is nobody, or something else does it."""
    helped = target.owned or options.on_stuck or options.restart_cmd
    return "" if helped or options.unattended else "if it does not run any more, start it again"


def started_by_user(options: RunOptions) -> Target:
    """The target that the user's own commands start; nothing at all where there are none."""
    if options.start_cmd or options.restart_cmd:
        return CommandTarget(start=options.start_cmd, restart=options.restart_cmd)
    return NoTarget()


def attended(target: Target, options: RunOptions, sink: Callable[[EngineEvent], None]) -> Target:
    """The target with whoever does things at it, where somebody does. Raises `UsageError`."""
    if options.operator is None:
        return target
    by = hand(
        options.operator,
        say=lambda line: sink(Note(line, "action")),
        hear=_typed,
        unattended=options.unattended,
    )
    return Operated(target, by)


def _typed() -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _lab_context(lab: Lab, profile: int) -> ssl.SSLContext:
    return server_context(
        certificates=[
            (lab.csms.certificate, lab.csms.key),
            (lab.csms_rsa.certificate, lab.csms_rsa.key),
        ],
        client_ca=lab.root.certificate if profile == 3 else None,
    )


def _server_side(options: RunOptions, host: str) -> tuple[ssl.SSLContext | None, Path | None]:
    """The TLS context of the listener and the root that the station must trust, both None for profile 1."""
    if options.security_profile < 2:
        return None, None
    if options.cert is not None and options.key is not None:
        if options.security_profile == 3 and options.ca is None:
            raise UsageError("security profile 3 needs --ca: the root of the station's certificate")
        client_ca = options.ca if options.security_profile == 3 else None
        return server_context(
            certificates=[(options.cert, options.key)], client_ca=client_ca
        ), options.ca
    lab = lab_in(
        options.findings_dir / "private" / LAB_FOLDER, host, options.identity or EMBEDDED_IDENTITY
    )
    return _lab_context(lab, options.security_profile), lab.root.certificate


def lab_in(folder: Path, host: str, serial: str) -> Lab:
    """The lab kept in a folder, made there when there is none.

    Raises:
        UsageError: the lab there is broken, or was made for another host or station. It is not made anew without
            being asked: stations may trust its root already.
        StoreError: it cannot be written.
    """
    now = SystemClock().now()
    name = dialled(host)
    try:
        if folder.is_dir() and any(folder.iterdir()):
            lab = Lab.load(folder)
            if lab.valid_at(now):
                return _fitting(lab, name, serial)
        names = (name,) if name == "localhost" else (name.strip("[]"), "localhost")
        return Lab.create(folder, csms_names=names, serial=serial, now=now)
    except LabError as broken:
        raise UsageError(str(broken)) from None
    except OSError as error:
        raise StoreError(
            f"cannot keep certificates in {folder}: {error.strerror}; give another --findings"
        ) from None


def _fitting(lab: Lab, name: str, serial: str) -> Lab:
    made_for = _common_name(lab.csms), _common_name(lab.station)
    if made_for == (name.strip("[]"), serial):
        return lab
    raise UsageError(
        f"the certificates in {lab.folder} are for {made_for[0]} and station {made_for[1]}, not for {name} and "
        f"{serial}; remove that folder, or give another --findings"
    )


def _common_name(files: Files) -> str:
    (name,) = files.read().x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def how_to_dial(url: str, options: RunOptions, ca: Path | None) -> tuple[str, ...]:
    """What a person must configure on the station."""
    lines = [
        f"configure on the station: CSMS URL {url}, subprotocol ocpp2.0.1, security profile {options.security_profile}",
        f"identity: {options.identity}"
        if options.identity
        else "identity: any (none was named with --identity)",
    ]
    if ca is not None:
        lines.append(f"CSMS root certificate to install on the station: {ca}")
    if options.security_profile == 3 and options.cert is None and ca is not None:
        lines.append(
            f"station certificate and key for security profile 3: station.pem and station.key in {ca.parent}"
        )
    return tuple(lines)


def dialled(host: str, *, by_name: bool = True) -> str:
    """What a station writes into its URL to reach a listener on `host`.

    `by_name` where a certificate must name it: the one of the lab is made for localhost, and for no loopback address.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if by_name and address in _LOOPBACK:
        return "localhost"
    if address.is_unspecified:
        return socket.gethostname()
    return f"[{address}]" if address.version == 6 else str(address)
