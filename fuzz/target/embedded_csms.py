"""The reference CSMS as a target: a process of its own that we dial.

Knows the command line of `python -m fuzz.csms` and the line that it announces its ports with. Must not import it: our
own CSMS gets no privileges over a real one.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.errors import TargetUnavailable
from fuzz.target.embedded import environment
from fuzz.target.owned import ProcessTarget
from tlslab.pki import secure_write

_POLL_S = 0.02
_ANNOUNCED = '{"csms"'


@dataclass(frozen=True, slots=True)
class CsmsStation:
    """One station that the CSMS shall know, as its TOML file describes it; `serial` is the identity when it is ""."""

    identity: str
    security_profile: int = 3
    password: str | None = field(default=None, repr=False)
    serial: str = ""
    boot: str = "Accepted"
    pending_boots: int = 0
    allow_expired: bool = False


@dataclass(frozen=True, slots=True)
class CsmsPort:
    """Where it listens, and for which security profile; port 0 is chosen once, and kept over restarts."""

    security_profile: int = 3
    host: str = "127.0.0.1"
    port: int = 0

    def __str__(self) -> str:
        """As its command line has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.security_profile}@{host}:{self.port}"


class EmbeddedCsms(ProcessTarget):
    """The reference CSMS; implements `Target`. Its console takes `revoke`, `restore`, `boot-status`, `trigger`.

    Args:
        folder: an own one, for the file with the stations (0600).
        stations: which stations it knows.
        ports: where it listens.
        pki: the lab folder with its certificates and its CA; None for security profile 1 alone.
        defects: planted defects to switch on.
        revoked: identities and serial numbers (hex) that are revoked from the start.
        organizations: the owners whose stations it takes; none means that of the lab's root.
        interval_s: the heartbeat interval.
        retry_s: the interval that it gives with Pending and Rejected.
        extra: further options of its command line.
    """

    def __init__(
        self,
        *,
        folder: Path,
        stations: Sequence[CsmsStation],
        ports: Sequence[CsmsPort] = (CsmsPort(3), CsmsPort(2)),
        pki: Path | None = None,
        defects: Sequence[str] = (),
        revoked: Sequence[str] = (),
        organizations: Sequence[str] = (),
        interval_s: int = 300,
        retry_s: int = 1,
        extra: Sequence[str] = (),
    ) -> None:
        self._ports = tuple(ports)
        file = folder / "stations.toml"
        secure_write(file, _toml(stations).encode())
        rest = [f"--stations={file}", f"--interval-s={interval_s}", f"--retry-s={retry_s}"]
        if pki is not None:
            rest.append(f"--pki={pki}")
        rest += [f"--defect={name}" for name in defects]
        rest += [f"--revoked={what}" for what in revoked]
        rest += [f"--organization={name}" for name in organizations]
        self._rest = (*rest, *extra)
        # Passwords are in the file only.
        super().__init__("embedded CSMS", self._spelt(), environment(None), console=True)

    async def start(self) -> None:
        """Start or restart it; it listens by then, on the same ports. Raises `TargetUnavailable`."""
        before = sum(line.startswith(_ANNOUNCED) for line in self.log_lines())
        await super().start()
        self._ports = await self._announced(before)
        self._command = self._spelt()

    def url(self, security_profile: int) -> str:
        """What to dial for a security profile, without the identity. Raises `TargetUnavailable` where it has no port."""
        for port in self._ports:
            if port.security_profile == security_profile and port.port:
                secure = security_profile > 1
                # The CSMS certificate of a lab is for the name, not for the address.
                host = "localhost" if secure else port.host
                return f"{'wss' if secure else 'ws'}://{host}:{port.port}/ocpp"
        raise TargetUnavailable(f"the CSMS has no port for security profile {security_profile}")

    async def _announced(self, before: int, timeout_s: float = 20.0) -> tuple[CsmsPort, ...]:
        with_time = asyncio.get_running_loop().time() + timeout_s
        while asyncio.get_running_loop().time() < with_time:
            found = [line for line in self.log_lines() if line.startswith(_ANNOUNCED)]
            if len(found) > before:
                return tuple(_port(entry) for entry in json.loads(found[-1])["csms"])
            if await self.ended(0) is not None:
                break
            await asyncio.sleep(_POLL_S)
        said = next(iter(reversed(self.log_lines())), "nothing")
        raise TargetUnavailable(f"the embedded CSMS does not listen; it said: {said}")

    def _spelt(self) -> tuple[str, ...]:
        # -P: the folder that we are called in may hold another `fuzz`.
        words = [sys.executable, "-P", "-m", "fuzz.csms", "--console"]
        return (*words, *(f"--listen={port}" for port in self._ports), *self._rest)


def _port(entry: Mapping[str, object]) -> CsmsPort:
    profile, port = entry["security_profile"], entry["port"]
    assert isinstance(profile, int)
    assert isinstance(port, int)
    return CsmsPort(profile, str(entry["host"]), port)


def _toml(stations: Sequence[CsmsStation]) -> str:
    return "\n".join(line for station in stations for line in _table(station)) + "\n"


def _table(station: CsmsStation) -> Iterator[str]:
    yield "[[station]]"
    members: dict[str, object] = {
        "identity": station.identity,
        "security_profile": station.security_profile,
        "serial": station.serial or station.identity,
        "password": station.password,
        "boot": station.boot,
        "pending_boots": station.pending_boots,
        "allow_expired": station.allow_expired,
    }
    for name, value in members.items():
        if value is not None:
            # A string of JSON is a basic string of TOML as well.
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"
