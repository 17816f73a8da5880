"""`python -m fuzz.station`: one reference Charging Station as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys

from fuzz.errors import OcppfuzzError
from fuzz.station.options import parse
from fuzz.station.shell import serve_station


async def _serve_until_told(arguments: list[str]) -> None:
    task = asyncio.ensure_future(serve_station(parse(arguments)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


def main(arguments: list[str] | None = None) -> int:
    """Runs the station until SIGTERM or SIGINT; 2 for wrong options."""
    try:
        asyncio.run(_serve_until_told(sys.argv[1:] if arguments is None else arguments))
    except OcppfuzzError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
