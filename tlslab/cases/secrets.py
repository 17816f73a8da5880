"""What must not leave a Charging Station over OCPP, and what it must not take as a secret (A01, A02.FR.05)."""

from __future__ import annotations

import json

from tlslab.bench import StationBench
from tlslab.registry import Attacker, Effect, Need, Severity, tls_case
from tlslab.session import AnsweredWithError, SessionError

SECRET = "PRIVATE KEY"
GUESSES = ("PrivateKey", "ChargingStationPrivateKey", "ChargingStationCertificate", "ClientKey")
REPORT_S = 30.0


@tls_case(
    "TR-26",
    "A02.FR.05",
    expects="no private key",
    severity=Severity.CRITICAL,
    needs=(Need.OCPP,),
    effect=Effect.NONE,
    attacker=Attacker.IS_PEER,
    cwe="CWE-522",
    telling=True,
)
async def key_stays_inside(bench: StationBench) -> None:
    """No variable and no report of the device model holds a private key; the log is not fetched."""
    session = bench.session
    await bench.settle()
    texts = []
    for name in GUESSES:
        texts.append(await session.get_variable("SecurityCtrlr", name) or "")
    session.forget("NotifyReport")
    try:
        await session.call("GetBaseReport", {"requestId": 4711, "reportBase": "FullInventory"})
        await session.wait_for("NotifyReport", lambda p: not p.get("tbc"), within=REPORT_S)
    except SessionError as why:
        bench.record("report", why)
    reports = session.heard("NotifyReport")
    texts += [json.dumps(payload, default=str) for payload in reports]
    leaks = [text for text in texts if SECRET in text]
    bench.record("reports read", len(reports))
    bench.require(not leaks, "no private key is readable over OCPP", f"{len(leaks)} answers")


@tls_case(
    "TR-41",
    *("A01.FR.01", "A01.FR.12", "B06.FR.09"),
    expects="no password",
    severity=Severity.CRITICAL,
    needs=(Need.OCPP,),
    profiles=(2,),
    attacker=Attacker.IS_PEER,
    cwe="CWE-522",
    telling=True,
)
async def password_stays_inside(bench: StationBench) -> None:
    """BasicAuthPassword is write-only: GetVariables does not tell it."""
    await bench.settle()
    try:
        told = await bench.session.get_variable("SecurityCtrlr", "BasicAuthPassword")
    except AnsweredWithError:
        told = None
    what = "BasicAuthPassword is not told"
    bench.require(not told, what, f"{len(told or '')} characters")


@tls_case(
    "TR-42",
    *("A00.FR.304", "A01.FR.04"),
    expects="Rejected",
    severity=Severity.HIGH,
    endangers=("TC_A_10_CS",),
    needs=(Need.OCPP,),
    profiles=(2,),
    effect=Effect.LOCK_OUT,
    attacker=Attacker.IS_PEER,
    cwe="CWE-521",
)
async def short_password(bench: StationBench) -> None:
    """A password of fewer than 16 characters is Rejected, in an answer, and the old one goes on working."""
    await bench.settle()
    try:
        came = await bench.session.set_variable(
            "SecurityCtrlr", "BasicAuthPassword", "short-password1"
        )
    except AnsweredWithError as error:
        came = error.code
    except SessionError:
        came = "no answer"
    bench.require(came != "no answer", "SetVariables of BasicAuthPassword is answered", came)
    bench.require(came != "Accepted", "a password that is too short is not Accepted", came)
    await bench.again()
