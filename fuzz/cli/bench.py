"""`ocppfuzz bench`: how fast this machine makes messages and plays cases."""

from __future__ import annotations

import click

from fuzz import app
from fuzz.cli.options import display_for, examples, options_from, print_table


@click.command(name="bench", short_help="Measure this machine.", epilog=examples("ocppfuzz bench"))
def command() -> int:
    """Measure generation, and whole cases as a ratio to a bare WebSocket echo in the same run."""
    options = options_from({"quiet": True})
    with display_for(options) as display:
        tables = app.bench(options, display)
    for table in tables:
        print_table(table.title, table.headings, [row.cells for row in table.rows], table.note)
        click.echo()
    return 0
