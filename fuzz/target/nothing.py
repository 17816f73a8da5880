"""A target that nobody controls: it is there or it is not.

Knows nothing, and says so: every ability is absent.
"""

from __future__ import annotations

from collections.abc import Sequence

from fuzz.errors import TargetUnavailable
from fuzz.records import Ability, Figures, ProcessEnd


class NoTarget:
    """A `Target` without abilities."""

    @property
    def name(self) -> str:
        """For people."""
        return "a target that we do not control"

    @property
    def owned(self) -> bool:
        """False: we did not start it."""
        return False

    @property
    def abilities(self) -> frozenset[Ability]:
        """None."""
        return frozenset()

    async def start(self) -> None:
        """Impossible. Raises `TargetUnavailable`."""
        raise TargetUnavailable(
            "nobody can restart this target for us; restart it by hand, or give --restart-cmd"
        )

    async def stop(self) -> None:
        """Nothing to do."""

    async def kill(self) -> None:
        """Nothing to do."""

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        """None: it cannot be known."""
        return None

    async def operator(self, event: str, argument: str = "") -> bool:
        """False: nobody can."""
        return False

    def memory(self) -> int | None:
        """None: it cannot be known."""
        return None

    def figures(self) -> Figures | None:
        """None: it cannot be known."""
        return None

    def log_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """None: it cannot be known."""
        return 0, ()

    def log_lines(self) -> Sequence[str]:
        """Nothing."""
        return ()
