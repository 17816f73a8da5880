"""`ocppfuzz show`: the registries with their own texts."""

from __future__ import annotations

import click

from fuzz import app
from fuzz.cli import completing
from fuzz.cli.options import examples, print_table

TOPICS = (
    "oracles",
    "severity",
    "violations",
    "defects",
    "decoys",
    "coverage",
    "actions",
    "tls-cases",
    "pics",
    "words",
    "config-schema",
    "completion",
)


@click.command(
    name="show",
    help=f"""Print what there is: what is judged, sent, counted, planted, and claimed.

    TOPIC is one of {", ".join(TOPICS)}; NAME is a PICS file, for pics.
    """,
    short_help="Print oracles, violations, defects, coverage ...",
    epilog=examples(
        "ocppfuzz show words  a glossary of one screen",
        "ocppfuzz show oracles  what a target is judged by",
        "ocppfuzz show severity  what a severity stands for",
        "ocppfuzz show violations  how a rule is broken",
        "ocppfuzz show coverage  how many sites and boundaries each message has",
        "ocppfuzz show pics dc-2evse-ccs1  the certificate, line by line, with what proves it",
        "ocppfuzz show tls-cases  what the TLS lab plays, and what it leaves out",
        "ocppfuzz show completion  how the shell completes commands and words at Tab",
        "ocppfuzz show config-schema  the JSON Schema of ocppfuzz.toml, for editors",
        "ocppfuzz show defects  what can be planted in the reference station",
    ),
)
@click.argument(
    "topic",
    metavar="TOPIC",
    shell_complete=completing.completes(completing.plain(TOPICS)),
)
@click.argument(
    "name",
    required=False,
    metavar="[NAME]",
    shell_complete=completing.completes(completing.pics, files=True),
)
def command(topic: str, name: str | None) -> int:
    """Print one topic."""
    if topic == "pics":
        for number, made in enumerate(app.show_pics(name or "dc-2evse-ccs1")):
            click.echo("\n" if number else "", nl=False)
            print_table(made.title, made.headings, [row.cells for row in made.rows], made.note)
        return 0
    if name is not None:
        raise click.UsageError(f"show {topic} takes no name; only show pics does")
    if topic == "config-schema":
        click.echo(app.config_schema_text(), nl=False)
        return 0
    if topic == "completion":
        title = "Completion of words at Tab: a line in a file that the shell reads when it starts"
        print_table(title, ("shell", "file", "line"), completing.SHELLS)
        return 0
    table = app.show(topic)
    print_table(table.title, table.headings, [row.cells for row in table.rows], table.note)
    return 0
