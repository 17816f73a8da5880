"""What a check is called in policy files: an oracle by its id, a case of the TLS lab by its own.

Knows the records.
"""

from __future__ import annotations

from fuzz.records import Case, TlsStep, Violation


def check_of(violation: Violation, case: Case) -> str:
    """The id of the check that objected: `O4`, or `TS-31` for a case of the TLS lab."""
    handshakes = [step.id for step in case.steps if isinstance(step, TlsStep)]
    return handshakes[0] if handshakes else violation.oracle


def handshake_of(case: Case) -> str:
    """The case of the TLS lab that a stored case plays, "" when it is one of messages."""
    return next((step.id for step in case.steps if isinstance(step, TlsStep)), "")
