"""Has an interrupt heard where a script started us in the background, whose shell has it ignored from the start.

Knows signals. Must not know what they end.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


def hear_interrupts() -> None:
    """From now on SIGINT interrupts, even if whoever started us had it ignored; a handler that is set stays."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def interrupts_held_back() -> Iterator[None]:
    """SIGINT that whoever started us had ignored is heard in the block, but only once the main thread unblocks it.

    asyncio ends its tasks in order at an interrupt only if it was heard when the loop began; one that is heard from
    later on would be raised in the midst of them.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    hear_interrupts()
    try:
        yield
    finally:
        # Ignoring it drops one that waits.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
