"""A scripted Charging Station in memory, for rooms that need one to talk to, and certificates of every kind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fuzz.clock import SystemClock
from fuzz.csms.voice import CsmsVoice
from fuzz.engine.executor import Executor
from fuzz.engine.line import Pace, Wiring
from fuzz.records import Ability, Handshake, LinkClosed, ProcessEnd, Side, TargetFacts
from fuzz.target.nothing import NoTarget
from fuzz.transport.memory import MemoryDoor, MemoryLink

BOOT = '[2,"boot","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}]'

Behaviour = Callable[[MemoryLink, str], Awaitable[None]]


class OwnStation(NoTarget):
    """A station that counts as started by us, though it is only a task: every effect is allowed."""

    name = "scripted station"
    owned = True
    abilities: frozenset[Ability] = frozenset()

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        return None

    def log_lines(self) -> Sequence[str]:
        return ()


@pytest.fixture
def scripted() -> Callable[..., AbstractAsyncContextManager[Executor]]:
    """An executor on a station that treats each message as `behaviour` says and dials again when it is cut off."""

    @asynccontextmanager
    async def station(
        behaviour: Behaviour,
        *,
        owned: bool = True,
        lives: int = 1_000,
        patience_s: float = 0.2,
        handshake: Handshake | None = None,
        door: MemoryDoor | None = None,
    ) -> AsyncIterator[Executor]:
        door = door or MemoryDoor(Side.STATION)

        async def live() -> None:
            for _ in range(lives):
                link = door.connect(handshake)
                try:
                    await link.send_text(BOOT)
                    await link.receive()
                    while True:
                        await behaviour(link, str(await link.receive()))
                except LinkClosed:
                    continue

        task = asyncio.create_task(live())
        pace = Pace(soft_s=0.06, linger_s=0.01, death_s=0.03, come_back_s=1.5, boot_s=1.5)
        facts = TargetFacts(side=Side.STATION, message_timeout_s=patience_s)
        target = OwnStation() if owned else NoTarget()
        try:
            yield Executor(
                Wiring(door, CsmsVoice(SystemClock()), target, SystemClock(), facts), pace
            )
        finally:
            task.cancel()
            await asyncio.wait({task})

    return station


@dataclass(frozen=True)
class Minted:
    """A certificate with its private key."""

    x509: x509.Certificate
    private: Any

    @property
    def pem(self) -> str:
        return self.x509.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.x509.public_bytes(serialization.Encoding.DER)

    @property
    def key(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


@pytest.fixture(scope="session")
def mint() -> Callable[..., Minted]:
    """Makes one certificate; times are days from the beginning of every bench. Proper unless told otherwise."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)

    def make(
        name: str | None = "OCPPFUZZ0001",
        *,
        issuer: Minted | None = None,
        private: Any = None,
        public: Any = None,
        organization: str | None = "ocppfuzz-lab",
        ca: bool = False,
        signs: bool | None = None,
        length: int | None = None,
        days: tuple[float, float] = (-1, 365),
        digest: hashes.HashAlgorithm | None = None,
        serial: int | None = None,
        names: Sequence[x509.GeneralName] = (),
        critical: x509.ExtensionType | None = None,
    ) -> Minted:
        private = private or ec.generate_private_key(ec.SECP256R1())
        pairs = ((NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, name))
        subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs if text])
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        signer = issuer or Minted(None, private)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.x509.subject if issuer else subject)
            .public_key(public or private.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(begin + timedelta(days[0]))
            .not_valid_after(begin + timedelta(days[1]))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=length), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not ca,
                    key_cert_sign=ca if signs is None else signs,
                    **usage,
                ),
                critical=True,
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if critical:
            builder = builder.add_extension(critical, critical=True)
        return Minted(builder.sign(signer.private, digest or hashes.SHA256()), private)

    return make
