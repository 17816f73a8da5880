"""Brings a Charging Station under the lab's root over its present OCPP connection, and takes it back from there.

Knows InstallCertificate, SignCertificate, CertificateSigned and DeleteCertificate (M03 to M05, A02). What was done is
remembered in a file, so that it can be undone by a later run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz.errors import TargetUnavailable, UsageError
from strategies.labels import JsonObject
from tlslab.authority import Authority
from tlslab.pki import secure_write
from tlslab.session import Payload, Session, SessionError

CERTIFICATE_S = 60.0
_USE = "CSMSRootCertificate"


@dataclass(frozen=True, slots=True)
class Done:
    """What enrolling, or undoing it, changed at the station: lines for people."""

    lines: tuple[str, ...]


async def enroll(session: Session, authority: Authority, memory: Path) -> Done:
    """The station trusts the lab's root and has a certificate of its CA. Raises `TargetUnavailable` with the reason.

    The root's hash data is on disk before the next step, because without it nobody could take the root away.
    """
    before = await _installed(session)
    root = authority.root.certificate.decode()
    asked = {"certificateType": _USE, "certificate": root}
    await _accepted(session, "InstallCertificate", asked)
    new = [data for data in await _installed(session) if data not in before]
    _remember(memory, new)
    lines = [f"installed the lab's root as {_USE}"]
    lines.append(await _certified(session, authority))
    return Done((*lines, f"`ocppfuzz pki enroll --undo` takes it back; remembered in {memory}"))


async def undo(session: Session, authority: Authority | None, memory: Path) -> Done:
    """The lab's root is gone again; with an `authority` of the user's own the station gets a certificate of that.

    Raises:
        UsageError: nothing is remembered.
        TargetUnavailable: the station refuses.
    """
    lines = []
    if authority is not None:
        lines.append(await _certified(session, authority))
    for data in _remembered(memory):
        answer = await _asked(session, "DeleteCertificate", {"certificateHashData": data})
        if answer.get("status") not in ("Accepted", "NotFound"):
            raise TargetUnavailable(
                f"the station keeps the lab's root: DeleteCertificate was answered {answer.get('status')}; it may be "
                "its last root, then install another one first"
            )
        lines.append(f"deleted the lab's root: {answer.get('status')}")
    _forget(memory)
    if authority is None:
        lines.append(
            "stays changed on the station: its certificate is one of the lab's CA; give your CA with --client-ca and "
            "--client-ca-key to have it replaced"
        )
    return Done(tuple(lines))


async def _certified(session: Session, authority: Authority) -> str:
    """The station has a certificate of this authority."""
    session.forget("SignCertificate")
    session.answer("SignCertificate", {"status": "Accepted"})
    try:
        wanted = {"requestedMessage": "SignChargingStationCertificate"}
        await _accepted(session, "TriggerMessage", wanted)
        request = await session.wait_for("SignCertificate", within=CERTIFICATE_S)
        chain = b"".join(authority.sign(str(request["csr"]))).decode()
    except SessionError as error:
        raise TargetUnavailable(f"the station asked for no certificate: {error}") from None
    finally:
        session.answer_properly("SignCertificate")
    signed: JsonObject = {"certificateChain": chain}
    if "certificateType" in request:
        signed["certificateType"] = str(request["certificateType"])
    await _accepted(session, "CertificateSigned", signed)
    return "the station has a new certificate"


async def _installed(session: Session) -> list[Mapping[str, Any]]:
    answer = await _asked(session, "GetInstalledCertificateIds", {"certificateType": [_USE]})
    chains = answer.get("certificateHashDataChain") or []
    return [chain["certificateHashData"] for chain in chains]


async def _accepted(session: Session, action: str, payload: Payload) -> None:
    answer = await _asked(session, action, payload)
    if answer.get("status") != "Accepted":
        reason = (answer.get("statusInfo") or {}).get("reasonCode", "no reason given")
        raise TargetUnavailable(
            f"the station answers {action} with {answer.get('status')}: {reason}"
        )


async def _asked(session: Session, action: str, payload: Payload) -> Payload:
    try:
        return await session.call(action, payload)
    except SessionError as error:
        raise TargetUnavailable(str(error)) from None


# --- the memory -------------------------------------------------------------------------------------------


def _remember(memory: Path, data: Sequence[Mapping[str, Any]]) -> None:
    memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secure_write(memory, json.dumps([dict(d) for d in data], indent=1).encode() + b"\n")


def _remembered(memory: Path) -> list[JsonObject]:
    try:
        value = json.loads(memory.read_bytes())
    except OSError:
        raise UsageError(f"nothing was enrolled: there is no {memory}") from None
    except ValueError:
        raise UsageError(f"{memory} is broken; remove the root from the station by hand") from None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UsageError(f"{memory} is broken; remove the root from the station by hand")
    return value


def _forget(memory: Path) -> None:
    memory.unlink(missing_ok=True)
