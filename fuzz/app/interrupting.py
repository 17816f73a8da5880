"""Has an interrupt heard where a script started us in the background, whose shell has it ignored from the start.

Knows signals. Must not know what they end.
"""

from __future__ import annotations

import signal


def hear_interrupts() -> None:
    """From now on SIGINT interrupts, even if whoever started us had it ignored; a handler that is set stays."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
