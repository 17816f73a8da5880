"""`ocppfuzz show`: the registries with their own texts."""

from __future__ import annotations

import click

from fuzz import app
from fuzz.cli.options import examples, print_table

TOPICS = ("oracles", "violations", "defects", "decoys", "coverage", "actions")


@click.command(
    name="show",
    short_help="Print oracles, violations, defects, coverage ...",
    epilog=examples(
        "ocppfuzz show oracles  what a target is judged by",
        "ocppfuzz show violations  how a rule is broken",
        "ocppfuzz show coverage  how many sites and boundaries each message has",
        "ocppfuzz show defects  what can be planted in the reference station",
    ),
)
@click.argument("topic", metavar="|".join(TOPICS))
def command(topic: str) -> int:
    """Print what there is: what is judged, sent, counted, and planted."""
    table = app.show(topic)
    print_table(table.title, table.headings, [row.cells for row in table.rows], table.note)
    return 0
