"""What is done before a build: a hook that provisions, and waiting for the target.

Knows commands, HTTP hooks and rigs. Must not know what is played afterwards.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable

from fuzz.app.campaign import prepare
from fuzz.app.rig import rig
from fuzz.config import RunOptions
from fuzz.engine.executor import Executor
from fuzz.engine.line import Pace
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import EngineEvent, TargetFacts
from fuzz.target.command import is_hook
from fuzz.target.operators import HttpHand

HOOK_TIMEOUT_S = 300.0


async def before(hook: str | None) -> None:
    """Run the command, or ask the address, that provisions identities.

    Raises:
        UsageError: the command cannot be read or started.
        TargetUnavailable: it failed, so that nothing can be proven.
    """
    if hook is None:
        return
    if is_hook(hook):
        if not await HttpHand(hook).do("before", ""):
            raise TargetUnavailable(f"the hook {hook} did not answer with 2xx in time")
        return
    words = _words(hook)
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise UsageError(f"cannot start the hook {hook!r}: {error.strerror}") from None
    try:
        async with asyncio.timeout(HOOK_TIMEOUT_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise TargetUnavailable(
            f"the hook {hook!r} did not end within {HOOK_TIMEOUT_S:g} s"
        ) from None
    if process.returncode:
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no output"]
        raise TargetUnavailable(f"the hook {hook!r} ended with {process.returncode}: {last[0]}")


def _words(hook: str) -> list[str]:
    try:
        words = shlex.split(hook)
    except ValueError as error:
        raise UsageError(f"--before {hook!r} cannot be split into words: {error}") from None
    if not words:
        raise UsageError("--before is empty; give a command or leave it out")
    return words


async def ready(
    options: RunOptions, seconds: float, sink: Callable[[EngineEvent], None]
) -> TargetFacts | None:
    """Wait until the target serves a harmless CALL; what it told of itself, None for one that we start ourselves.

    Raises:
        TargetUnavailable: it does not in time.
    """
    if options.embedded or options.start_cmd:
        return None  # what we start ourselves is waited for anyway
    async with rig(options, sink) as made:
        executor = Executor(made.wiring, Pace(come_back_s=seconds, boot_s=seconds))
        await prepare(executor, sink)
        await executor.hang_up()
        return executor.facts
