"""The station's two logs, as rolling lists of lines (A04.FR.04, N01).

Knows lines; what becomes one is decided by the blocks. No line may hold a secret.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

MAX_LINES = 1_000


class Logbook:
    """The diagnostics log and the security log; the oldest lines make room for new ones."""

    def __init__(self) -> None:
        self.diagnostics: deque[str] = deque(maxlen=MAX_LINES)
        self.security: deque[str] = deque(maxlen=MAX_LINES)

    def text_of(self, kind: str) -> bytes:
        """The log of a LogEnumType, `DiagnosticsLog` or `SecurityLog`, as a file's content."""
        lines: Iterable[str] = self.security if kind == "SecurityLog" else self.diagnostics
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
