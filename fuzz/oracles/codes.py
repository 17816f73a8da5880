"""Does the error code say what is wrong (O10)?

Knows the table of acceptable reactions; must not judge spelling (O7) nor whether an error was due (O9).
"""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.oracles.reading import first_answer, reaction, unsupported
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, FrameKind, Observation, Preamble, Severity, Violation
from strategies.labels import Stance
from strategies.version import version

_UNSUPPORTED_CODES = ("NotSupported", "NotImplemented")


@oracle("O10", name="error-code-fit", clause="Part 4 section 4.3", cwe="CWE-573")
def error_code_fit(obs: Observation) -> Iterator[Violation]:
    """The error code of a refusal is one that can be defended for the fault.

    OCPP does not map each fault to one code, and respected implementations disagree on half of them; so the best code
    and those as good are all right, and any other 2.0.1 code is a remark.

    Seen: the failure of a database told as if the message had been wrong; and codes of OCPP 1.6 on a connection of
    2.0.1.

    Fix: use the code that the text names; operators look at codes to tell their own mistakes from the peer's.
    """
    case = obs.case
    if case.expectation.stance is not Stance.REJECT or case.expectation.fault is None:
        return
    reply = first_answer(obs)
    if reply is None or reply.kind is not FrameKind.CALLERROR or case.expectation.disputed:
        return
    code, allowed = reply.error_code, reaction(obs)
    if not isinstance(code, str) or allowed.fits(code):
        return
    if code not in version(case.version).error_codes or _right_for_anything(obs, code):
        return
    fault = case.expectation.fault
    yield violation(
        "O10",
        Basis.HARDENING,
        Severity.INFO,
        f"{code} for {fault}",
        f"{code} for {fault}; nearest to the specification: {allowed.best}",
        remark=True,
    )


def _right_for_anything(obs: Observation, code: str) -> bool:
    if code == "SecurityError":
        return obs.case.preamble is Preamble.CONNECTED  # B01.FR.10, B02.FR.09
    may_be_unsupported = obs.facts.supported is None or unsupported(obs)
    return code in _UNSUPPORTED_CODES and may_be_unsupported
