"""From facts to an outcome: pure, so that stored facts can be judged again.

Knows the method of the lab: a refusal counts only beside an accepted control, a connection that was not seen proves
nothing. Must not know how anything was played.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tlslab.seen import STAGE_WORDS, Check, Expect, Exposure, Seen, Stage


class Outcome(StrEnum):
    """What came of a case."""

    PASSED = "passed"
    REMARK = "passed with a remark"
    RECORDED = "recorded"
    FAILED = "failed"
    NOT_OBSERVED = "not observed"
    NOT_ASKED = "not asked"
    NOT_APPLICABLE = "n/a"


_WORST = (
    Outcome.FAILED,
    Outcome.NOT_OBSERVED,
    Outcome.REMARK,
    Outcome.PASSED,
    Outcome.RECORDED,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome of one case; `stage` is the worst of its exposures, `texts` say what broke or is remarkable.

    `symptom` is short, stable and free of values: what makes two failures of one case the same.
    """

    outcome: Outcome
    stage: Stage | None = None
    texts: tuple[str, ...] = ()
    symptom: str = ""


def judge(seen: Seen, *, csms: bool = False) -> Judged:
    """The worst that the facts of a case say. Of a CSMS, refusing our HTTP request is as good as an alert."""
    each = [_exposed(e, csms=csms) for e in seen.exposures] + [_checked(c) for c in seen.checks]
    each += [Judged(Outcome.REMARK, texts=(text,)) for text in seen.remarks]
    if seen.unfinished:
        each.append(Judged(Outcome.NOT_OBSERVED, texts=(seen.unfinished,)))
    if not each:
        recorded = Outcome.RECORDED if seen.records else Outcome.NOT_OBSERVED
        return Judged(recorded, texts=tuple(f"{k}: {v}" for k, v in seen.records.items()))
    worst = min((j.outcome for j in each), key=_WORST.index)
    telling = [j for j in each if j.outcome is worst]
    return Judged(
        worst,
        _worst_stage(seen),
        tuple(text for j in telling for text in j.texts),
        next((j.symptom for j in telling if j.symptom), ""),
    )


def _worst_stage(seen: Seen) -> Stage | None:
    bad = [e.stage for e in seen.exposures if e.expect is not Expect.ACCEPT]
    return max(bad or [e.stage for e in seen.exposures], default=None)


def _exposed(exposure: Exposure, *, csms: bool) -> Judged:
    text = f"{exposure.label}: {STAGE_WORDS[exposure.stage]}"
    match exposure.expect:
        case Expect.RECORD:
            return Judged(Outcome.RECORDED, texts=(text,))
        case Expect.ACCEPT:
            return _accepted(exposure, text)
        case Expect.REFUSE:
            return _refused(exposure, text, csms=csms)


def _accepted(exposure: Exposure, text: str) -> Judged:
    if exposure.stage is Stage.NOTHING:
        return Judged(Outcome.NOT_OBSERVED, texts=(text,))
    if exposure.stage >= Stage.WEBSOCKET:
        return Judged(Outcome.PASSED)
    return Judged(Outcome.FAILED, texts=(text,), symptom="refused")


def _refused(exposure: Exposure, text: str, *, csms: bool) -> Judged:
    if exposure.stage is Stage.NOTHING:
        return Judged(Outcome.NOT_OBSERVED, texts=(text,))
    usual = Stage.UPGRADE if csms else Stage.FINISHED
    if exposure.stage > (exposure.tolerated or usual):
        # What went wrong is certain, whatever the control did.
        return Judged(Outcome.FAILED, texts=(text,), symptom=STAGE_WORDS[exposure.stage])
    if exposure.control is None or exposure.control < Stage.WEBSOCKET:
        why = "no control was accepted beside it, so its refusal proves nothing"
        return Judged(Outcome.NOT_OBSERVED, texts=(f"{exposure.label}: {why}",))
    if exposure.stage > usual or (exposure.stage is Stage.FINISHED and not csms):
        return Judged(Outcome.REMARK, texts=(text,))
    return Judged(Outcome.PASSED)


def _checked(check: Check) -> Judged:
    if check.holds:
        return Judged(Outcome.PASSED)
    text = f"expected: {check.what}" + (f"; came: {check.came}" if check.came else "")
    if check.remark:
        return Judged(Outcome.REMARK, texts=(text,))
    return Judged(Outcome.FAILED, texts=(text,), symptom=f"not: {check.what}")
