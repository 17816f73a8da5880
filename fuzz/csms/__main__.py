"""`python -m fuzz.csms`: one reference CSMS as a process of its own."""

from __future__ import annotations

import asyncio
import sys

from fuzz.csms.options import parse
from fuzz.csms.shell import serve_until_told
from fuzz.errors import OcppfuzzError


def main(arguments: list[str] | None = None) -> int:
    """Runs the CSMS until SIGTERM or SIGINT; 2 for wrong options."""
    try:
        asyncio.run(serve_until_told(parse(sys.argv[1:] if arguments is None else arguments)))
    except OcppfuzzError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
