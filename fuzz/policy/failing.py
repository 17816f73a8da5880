"""Which violations make a build fail: `--fail-on SEVERITY[,BASIS...]`.

Knows severities and bases. Remarks never fail a build, whatever is written here.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuzz.errors import UsageError
from fuzz.records import Basis, Severity, Violation

DEFAULT = "high,shall-broken"

_SEVERITIES = {s.name.lower(): s for s in Severity}
_BASES = {b.value: b for b in Basis} | {b.value.removesuffix("-broken"): b for b in Basis}


@dataclass(frozen=True, slots=True)
class FailOn:
    """A violation fails a build when it is at least as severe, or rests on one of the bases; None: by basis alone."""

    severity: Severity | None
    bases: frozenset[Basis] = frozenset()

    def fails(self, violation: Violation) -> bool:
        """True when a build must not pass with it."""
        if violation.remark:
            return False
        severe = self.severity is not None and violation.severity >= self.severity
        return severe or violation.basis in self.bases

    def __str__(self) -> str:
        """As the option has it."""
        severity = [] if self.severity is None else [self.severity.name.lower()]
        return ",".join([*severity, *sorted(b.value for b in self.bases)])


def fail_on(text: str) -> FailOn:
    """What `--fail-on` says: at most one severity, any number of bases. Raises `UsageError`."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    severities = [word for word in words if word in _SEVERITIES]
    unknown = [word for word in words if word not in _SEVERITIES and word not in _BASES]
    if unknown or not words:
        raise UsageError(
            f"fail_on {(unknown or [text])[0]!r} is neither a severity ({', '.join(_SEVERITIES)}) "
            f"nor a basis ({', '.join(b.value for b in Basis)})"
        )
    if len(severities) > 1:
        raise UsageError(f"fail_on {text!r} names two severities; name the lowest that fails")
    return FailOn(
        _SEVERITIES[severities[0]] if severities else None,
        frozenset(_BASES[word] for word in words if word in _BASES),
    )
