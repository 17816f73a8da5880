"""`repro.py` beside a finding: plays it again with nothing but Python, or the reason why there is none.

Knows the template `repro_script` and the stored form of steps. Must not know how a symptom is told (`signs` does).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from fuzz.ocppj.framed import written
from fuzz.records import (
    Finding,
    FindingStatus,
    Misbehave,
    Preamble,
    RepeatSteps,
    SendFrames,
    Side,
    Step,
)
from fuzz.report.signs import Sign, sign_of
from fuzz.report.words import folder_name, oracle_words
from fuzz.store import case_to_json
from fuzz.transport.misbehaving import stored_answer
from strategies.labels import JsonObject
from strategies.version import version

BACK_S, PATIENT_BACK_S = 120.0, 300.0
"""How long a script waits for a target that should come back; a station waits longer after each attempt that failed."""


def why_no_repro(finding: Finding) -> str:
    """Why no script is written for a finding, as a sentence without its full stop; "" when one is."""
    if finding.status is FindingStatus.CANDIDATE:
        return "it was not repeated yet"
    sign = sign_of(finding)
    return sign if isinstance(sign, str) else ""


def repro_of(finding: Finding, probe: tuple[str, JsonObject]) -> bytes:
    """The script; b"" when there is a reason against it. `probe` is the harmless CALL that must be served."""
    sign = sign_of(finding)
    if isinstance(sign, str) or finding.status is FindingStatus.CANDIDATE:
        return b""
    told = json.dumps(_stored(finding, sign, probe), indent=1, ensure_ascii=True)
    # A JSON text holds an apostrophe in strings only, where it may be written otherwise: nothing can end the literal.
    told = told.replace("'", "\\u0027")
    script = resources.files("fuzz.report").joinpath("repro_script.py").read_text("utf-8")
    tail = f"\n\nSTORED = r'''\n{told}\n'''\n\nif __name__ == \"__main__\":\n    sys.exit(main(json.loads(STORED)))\n"
    return (script + tail).encode()


def _stored(finding: Finding, sign: Sign, probe: tuple[str, JsonObject]) -> JsonObject:
    case = finding.case
    violation = finding.violation
    known = version(case.version)
    handshakes = _handshakes(case.steps)
    return {
        "finding": folder_name(finding),
        "expects": ascii(f"{oracle_words(violation)}: {violation.symptom}")[1:-1],
        "side": case.side.value,
        "subprotocol": known.subprotocol,
        "preamble": case.preamble.value,
        "opening": _opening(finding),
        "probe": [*probe],
        "position": case.position.value,
        "timeout_s": finding.facts.message_timeout_s,
        "back_s": PATIENT_BACK_S if handshakes or sign["see"] == "away" else BACK_S,
        "sign": sign,
        "handshakes": handshakes,
        "steps": _steps(case_to_json(case)["steps"]),
    }


def _opening(finding: Finding) -> list[Any]:
    """The CALLs by which a station says to a CSMS that it is there (B01.FR.03)."""
    if finding.case.side is Side.STATION or finding.case.preamble is Preamble.CONNECTED:
        return []
    station: JsonObject = {"vendorName": "ocppfuzz-lab", "model": "dc-2evse-ccs1"}
    return [["BootNotification", {"reason": "PowerUp", "chargingStation": station}]]


def _handshakes(steps: Iterable[Step]) -> JsonObject:
    """The opening handshakes that the steps answer badly, as bytes."""
    told: JsonObject = {}
    for step in steps:
        if isinstance(step, RepeatSteps):
            told |= _handshakes(step.steps)
        elif isinstance(step, Misbehave) and (answer := stored_answer(step.how)) is not None:
            told[step.how] = base64.b64encode(answer).decode()
    return told


def _steps(stored: Any) -> list[Any]:
    """The stored steps, with the messages that raw frames hold beside their bytes."""
    return [_step(step) for step in stored]


def _step(step: Any) -> Any:
    if step["do"] == "repeat":
        return {**step, "steps": _steps(step["steps"])}
    if step["do"] == "send-frames":
        texts = written([SendFrames(base64.b64decode(step["base64"]))]).texts
        return {**step, "messages": [*texts]}
    return step
