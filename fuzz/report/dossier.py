"""What people want to look at of one finding: what was sent, what is wrong with it, and both conversations.

Knows findings and their steps. Must not know how any of it is drawn. Texts are cut here and made safe where they are shown.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from fuzz.records import (
    AnswerNext,
    Ask,
    Entry,
    Finding,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Step,
    TlsStep,
)
from fuzz.report.markdown import preview
from fuzz.report.results import Dossier
from fuzz.report.words import alterations, expected

MAX_SENT = 6
SENT_LIMIT = 2_000
WRONG_LIMIT = 400


def dossier_of(finding: Finding) -> Dossier:
    """The dossier of a finding; its conversations are told as far as they are at hand."""
    case = finding.case
    fault, control = conversations(finding)
    return Dossier(
        action=case.action,
        position=case.position.value,
        keywords=tuple(m.keyword for m in case.mutations),
        sent=tuple(islice(_sent(case.steps), MAX_SENT)),
        wrong=tuple(line[:WRONG_LIMIT] for line in islice(alterations(case), MAX_SENT)),
        expected=expected(finding),
        fault=fault,
        control=control,
        smaller=_smaller(finding),
        first_seen=finding.first_seen,
        firmware=finding.facts.firmware,
    )


def conversations(finding: Finding) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """One play that showed the fault, of the case that is told, and one control; () where there is none.

    Repeats and controls are kept of the case as it was found. Of a smaller one there is the play that showed it as well.
    """
    faults = [run.entries for run in finding.runs if run.shown and not run.control]
    controls = [run.entries for run in finding.runs if run.control and not run.inconclusive]
    repeated = faults[-1] if faults else ()
    if _smaller(finding):
        return finding.entries or repeated, controls[-1] if controls else ()
    if repeated and controls:
        return repeated, controls[-1]
    return finding.entries or repeated, ()


def _smaller(finding: Finding) -> bool:
    """True when the case was made smaller after it was found."""
    return finding.case.steps != finding.original.steps


def _sent(steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    for step in steps:
        match step:
            case SendText(text):
                yield "sent as text", preview(text, SENT_LIMIT)
            case SendBytes(data, opcode):
                yield f"sent as one {opcode} message, in Base64", _base64(data)
            case SendFrames(data):
                yield "written below the WebSocket layer, in Base64", _base64(data)
            case Ask(text):
                yield "asked properly before or after", preview(text, SENT_LIMIT)
            case AnswerNext(action, text) if text:
                yield f"answered to the target's next {action}", preview(text, SENT_LIMIT)
            case AnswerNext(action, _):
                yield f"the target's next {action} left without an answer", ""
            case RepeatSteps(inner, times):
                yield from ((f"{times:,} times {words}", text) for words, text in _sent(inner))
            case TlsStep(id_):
                yield f"the offer of case {id_} of the TLS lab", ""
            case _:
                pass


def _base64(data: bytes) -> str:
    shown = base64.b64encode(data[: SENT_LIMIT // 2]).decode()
    return shown + (
        f"... ({SENT_LIMIT // 2:,} of {len(data):,} bytes)" if len(data) > SENT_LIMIT // 2 else ""
    )
