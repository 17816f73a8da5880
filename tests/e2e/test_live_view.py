"""A campaign in a real pseudo terminal: what a person sees at 80 columns, at 40, and resized in between."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte
import pytest

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
ROWS = 40
PATIENCE_S = 90.0


class Terminal:
    """A process behind a pseudo terminal, with an emulator that shows what it drew."""

    def __init__(self, columns: int, folder: Path, *words: str) -> None:
        self.screen = pyte.HistoryScreen(columns, ROWS, history=1_000)
        self._stream = pyte.ByteStream(self.screen)
        own = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
        self._fd, end = pty.openpty()
        self._sized(columns)
        self.process = subprocess.Popen(
            [OCPPFUZZ, *words],
            cwd=folder,
            env={**own, "TERM": "xterm-256color"},
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
        )
        os.close(end)

    def resize(self, columns: int) -> None:
        self._sized(columns)
        self.screen.resize(columns=columns)
        self.process.send_signal(signal.SIGWINCH)

    def _sized(self, columns: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def until(self, true) -> list[str]:
        """What is to be seen once it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not true(self.lines):
            assert time.monotonic() < deadline, self.lines
            assert self._read(), self.lines
        return self.lines

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._fd)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], PATIENCE_S)
        try:
            data = os.read(self._fd, 65_536) if ready else b""
        except OSError:  # what Linux says when the last process behind it is gone
            data = b""
        self._stream.feed(data)
        return bool(data)


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def open_(columns, *words):
        opened.append(Terminal(columns, tmp_path, *words))
        return opened[-1]

    yield open_
    for one in opened:
        one.kill()


def panel(lines):
    """The rows of the panel, when it is there."""
    starts = [n for n, line in enumerate(lines) if line.startswith("time ")]
    return lines[starts[-1] - 1 :] if starts else []


def test_a_campaign_is_calm_at_80_columns_at_40_and_back(terminal):
    seen = terminal(
        80,
        "run",
        "--phases",
        "systematic",
        "--seed",
        "1",
        "--max-cases",
        "4000",
        "--max-time",
        "300",
    )
    wide = panel(seen.until(lambda lines: any("boundaries" in line for line in panel(lines))))
    assert any(line.startswith("actions") and "[####" in line for line in wide)
    assert " left" in wide[1]
    assert wide[2].split()[0] == "found"
    assert seen.screen.cursor.hidden

    seen.resize(40)
    # The row that shows the width comes last: what was seen in the midst of drawing is not looked at.
    narrow = panel(
        seen.until(lambda lines: any(x.startswith("envelopes a\u2026") for x in panel(lines)))
    )
    assert not any("[##" in line for line in narrow)
    assert max(map(len, narrow)) <= 40
    assert " left" in narrow[1]

    seen.resize(80)
    again = panel(seen.until(lambda lines: any("[##" in line for line in panel(lines))))
    assert sum(line.startswith("time ") for line in again) == 1

    seen.process.send_signal(signal.SIGINT)
    assert seen.end() == 0
    assert panel(seen.lines) == []
    assert not seen.screen.cursor.hidden
    assert any(line.startswith("Next: ocppfuzz run ") for line in seen.lines)


def test_what_a_person_must_do_is_in_colour_and_quiet_shows_it_too(terminal, port):
    words = ("doctor", "--listen", f"127.0.0.1:{port}", "--security-profile", "1", "--wait", "2")
    for more in ((), ("--quiet",)):
        seen = terminal(60, *words, *more)
        lines = seen.until(lambda lines: any(line.startswith("PLEASE DO") for line in lines))
        row = next(n for n, line in enumerate(seen.screen.display) if line.startswith("PLEASE DO"))
        first = seen.screen.buffer[row][0]
        assert (first.fg, first.bold) == ("magenta", True), lines
        assert seen.end() == 3
