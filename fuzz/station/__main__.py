"""`python -m fuzz.station`: one reference Charging Station as a process of its own."""

from __future__ import annotations

import asyncio
import sys

from fuzz.errors import OcppfuzzError
from fuzz.station.options import parse
from fuzz.station.shell import serve_until_told


def main(arguments: list[str] | None = None) -> int:
    """Runs the station until SIGTERM or SIGINT; 2 for wrong options."""
    try:
        asyncio.run(serve_until_told(parse(sys.argv[1:] if arguments is None else arguments)))
    except OcppfuzzError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
