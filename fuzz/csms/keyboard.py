"""The lines of standard input for an event loop, read by a thread so that a terminal is not altered.

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

from fuzz.csms.console import MAX_LINE

_CHUNK = 4096


async def typed_lines() -> AsyncIterator[str]:
    """Each line of standard input without its end; of an endless one, so much that it is seen to be too long."""
    queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
    arguments = (queue, asyncio.get_running_loop())
    threading.Thread(target=_read, args=arguments, name="keyboard", daemon=True).start()
    rest = b""
    while data := await queue.get():
        *lines, rest = (rest + data).split(b"\n")
        rest = rest[: 4 * MAX_LINE]
        for line in lines:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


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
