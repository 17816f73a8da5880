"""`ocppfuzz bench`: how fast this machine makes messages, plays cases and enumerates suites."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from fuzz import app
from fuzz.cli.options import display_for, examples, options_from, print_table


@click.group(
    name="bench",
    short_help="Measure this machine.",
    invoke_without_command=True,
    epilog=examples("ocppfuzz bench", "ocppfuzz bench tls --sslyze ~/sslyze/bin/python"),
)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Measure generation, and whole cases as a ratio to a bare WebSocket echo in the same run."""
    if ctx.invoked_subcommand is not None:
        return 0
    options = options_from({"quiet": True})
    with display_for(options) as display:
        tables = app.bench(options, display)
    return _print(tables)


@command.command(
    epilog=examples("ocppfuzz bench tls", "ocppfuzz bench tls --sslyze ~/sslyze/bin/python")
)
@click.option(
    "--sslyze",
    type=click.Path(path_type=Path),
    envvar="OCPPFUZZ_SSLYZE",
    metavar="PYTHON",
    help="Python of an environment that has sslyze, to compare with.",
)
def tls(sslyze: Path | None) -> int:
    """Measure how fast the suites of a local server are enumerated."""
    return _print(app.bench_tls(sslyze))


def _print(tables: Iterable[app.Table]) -> int:
    for table in tables:
        print_table(table.title, table.headings, [row.cells for row in table.rows], table.note)
        click.echo()
    return 0
