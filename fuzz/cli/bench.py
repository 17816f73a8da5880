"""`ocppfuzz bench`: how fast this machine makes messages, plays cases and enumerates suites."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from fuzz import app
from fuzz.cli.options import display_for, examples, options_from, print_table
from fuzz.errors import UsageError


@click.group(
    name="bench",
    short_help="Measure this machine.",
    invoke_without_command=True,
    epilog=examples(
        "ocppfuzz bench",
        "ocppfuzz bench tls --sslyze ~/sslyze/bin/python",
        "ocppfuzz bench record",
        "ocppfuzz bench detect",
    ),
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


@command.command(epilog=examples("ocppfuzz bench record"))
def record() -> int:
    """Measure what the recording proxy adds to a round trip."""
    return _print(app.bench_record())


@command.command(
    epilog=examples(
        "ocppfuzz bench detect --results detection.ndjson",
        "ocppfuzz bench detect --results detection.ndjson --known --picture detection.svg",
        "ocppfuzz bench detect --only P35,P40 --seeds 1 --tool ocppfuzz",
    )
)
@click.option(
    "--only", metavar="DEFECTS", default="", help="Numbers, such as P35,P40; default all."
)
@click.option("--seeds", type=click.IntRange(1, 100), default=3, metavar="N", help="Default: 3.")
@click.option(
    "--tool", "tools", multiple=True, metavar="TOOL", help="Default: ours and each baseline."
)
@click.option(
    "--healthy",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Exchanges with a healthy station as well, 20,000 for each seed; decoys and the second PICS file get 20,000 at most.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, metavar="N", help="Side by side; 2.")
@click.option(
    "--results",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep outcomes there, and go on from what it holds.",
)
@click.option(
    "--picture", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="An SVG."
)
@click.option("--known", is_flag=True, help="Run nothing: tell what --results holds.")
def detect(
    only: str,
    seeds: int,
    tools: tuple[str, ...],
    healthy: int,
    jobs: int,
    results: Path | None,
    picture: Path | None,
    known: bool,
) -> int:
    """Measure how many planted defects campaigns find, by which oracle, after how many exchanges."""
    if known and results is None:
        raise UsageError("--known tells what a file holds: name it with --results FILE")
    options = options_from({"quiet": False})
    with display_for(options) as display:
        tables, missed = app.bench_detect(
            options,
            display,
            only=[name for name in only.split(",") if name],
            seeds=seeds,
            tools=tools,
            healthy=healthy,
            jobs=jobs,
            results=results,
            picture=picture,
            run=not known,
        )
    _print(tables)
    for line in missed:
        click.echo(line)
    return 0


def _print(tables: Iterable[app.Table]) -> int:
    for table in tables:
        print_table(table.title, table.headings, [row.cells for row in table.rows], table.note)
        click.echo()
    return 0
