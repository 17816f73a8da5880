"""How a conversation with a CSMS begins: which subprotocol, and who may speak before a boot is accepted."""

from __future__ import annotations

from tlslab.csms_bench import CsmsBench, Unfinished
from tlslab.notes import NotAsked
from tlslab.registry import Attacker, Severity, tls_case
from tlslab.seen import Stage
from tlslab.session import AnsweredWithError, Dialogue, NotAnswered, Payload

SECURITY_ERROR = "SecurityError"


@tls_case("TC-53", expects="no OCPP", severity=Severity.LOW, cwe="CWE-436")
async def no_subprotocol(bench: CsmsBench) -> None:
    """Without a subprotocol in common no OCPP is spoken: the CSMS closes after the opening handshake (Part 4 section 3.2)."""
    for label, offered in (("none", ""), ("one that nobody knows", "ocppfuzz0.0")):
        exposure = await bench.either(bench.proper(subprotocol=offered), label=label)
        bench.require(
            exposure.stage < Stage.OCPP, f"no boot is accepted, the subprotocol being {label}"
        )


@tls_case(
    "TC-54",
    *("B01.FR.10", "B02.FR.09", "B03.FR.07"),
    expects="CALLERROR SecurityError",
    severity=Severity.MEDIUM,
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-841",
)
async def before_acceptance(bench: CsmsBench) -> None:
    """A Charging Station whose boot is not accepted says nothing else: what it says is answered with SecurityError."""
    waiting = bench.csms.waiting
    if waiting is None:
        raise NotAsked("an identity whose boot is answered with Pending or Rejected")
    async with bench.staying(bench.proper(identity=waiting)) as visit:
        if visit.dialogue is None or visit.boot not in ("Pending", "Rejected"):
            raise Unfinished(f"the boot was answered with {visit.boot or 'nothing'}")
        for action, payload in _messages(bench).items():
            code = await _code(visit.dialogue, action, payload)
            bench.require(code, f"{action} is not served before the boot is accepted")
            if code:
                what = f"{action} is answered with {SECURITY_ERROR}"
                bench.require(code == SECURITY_ERROR, what, code, remark=True)


def _messages(bench: CsmsBench) -> dict[str, Payload]:
    moment = bench.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Heartbeat": {},
        "SecurityEventNotification": {"type": "SettingSystemTime", "timestamp": moment},
        "Authorize": {"idToken": {"idToken": "ocppfuzz", "type": "Central"}},
    }


async def _code(dialogue: Dialogue, action: str, payload: Payload) -> str:
    """How it was turned away; "" when it was served."""
    try:
        await dialogue.call(action, payload)
    except AnsweredWithError as error:
        return error.code
    except NotAnswered:
        return "no answer"
    return ""
