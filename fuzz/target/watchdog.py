"""Kills what we started when we die without a chance to do it ourselves (a signal, a crash, the power of 9).

One small process a run: it reads process groups to watch from its standard input, whose other end only we hold. The
end of the input means that we are gone, and every group still on its list is killed. It is our own child and not the
target's, so that restarts leave no orphans behind in a container whose first process does not reap. Run as a script it
imports nothing of ours.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
from functools import cache


class Watchdog:
    """Our end of the watching process."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """The group is killed when we die."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The group is over; its number may become somebody else's."""
        self._tell(f"-{group}\n")

    def dismiss(self) -> None:
        """It has gone, and has killed what was not forgotten."""
        if self._popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._popen.stdin.close()
        self._popen.wait()

    def _tell(self, line: str) -> None:
        # Somebody may have killed the watchdog; that is no reason to stop.
        if self._popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._popen.stdin.write(line.encode())
                self._popen.stdin.flush()


@cache
def watchdog() -> Watchdog:
    """The one of this process, started when it is first needed."""
    found = Watchdog()
    atexit.register(found.dismiss)
    return found


def _watch() -> None:
    """What the watching process does; a signal meant for us all must not end it before its work is done."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    _watch()
