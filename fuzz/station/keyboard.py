"""The lines of standard input for an event loop: a terminal, a pipe or a file, none of which is altered.

Knows threads and bytes; what a line means is in `console`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError

from fuzz.station.console import MAX_LINE

_CHUNK = 4096


async def typed_lines() -> AsyncIterator[str]:
    """Each line of standard input without its end; of an endless one, so much that it is seen to be too long."""
    rest = b""
    async for data in _chunks():
        *lines, rest = (rest + data).split(b"\n")
        rest = rest[: 4 * MAX_LINE]
        for line in lines:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


async def _chunks() -> AsyncIterator[bytes]:
    """What is read, in pieces, until there is nothing more; the reader waits until a piece is taken."""
    queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
    # A thread that is left behind: switching a terminal to non-blocking would do so for the shell behind it, too, and
    # a loop cannot wait for a regular file.
    arguments = (queue, asyncio.get_running_loop())
    threading.Thread(target=_read, args=arguments, name="keyboard", daemon=True).start()
    while data := await queue.get():
        yield data


def _read(queue: asyncio.Queue[bytes], loop: asyncio.AbstractEventLoop) -> None:
    data = b"-"
    # RuntimeError, CancelledError: the loop has ended, and nobody listens any more.
    with contextlib.suppress(RuntimeError, CancelledError):
        while data:
            data = _next()
            putting = queue.put(data)
            try:
                asyncio.run_coroutine_threadsafe(putting, loop).result()
            finally:
                putting.close()


def _next() -> bytes:
    """The next piece, b"" at the end. Not by way of `sys.stdin`, whose lock would stay taken when we exit."""
    try:
        return b"" if sys.stdin is None else os.read(sys.stdin.fileno(), _CHUNK)
    except (OSError, ValueError):
        return b""
