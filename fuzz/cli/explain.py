"""`ocppfuzz explain`: what an oracle means."""

from __future__ import annotations

import textwrap

import click

from fuzz import app
from fuzz.cli import completing
from fuzz.cli.options import examples
from fuzz.report.safe import safe

WIDTH = 100


@click.command(
    name="explain",
    short_help="Tell what an oracle, a TLS case or a finding means.",
    epilog=examples(
        "ocppfuzz explain unanswered-call",
        "ocppfuzz explain O4",
        "ocppfuzz explain TS-01",
        "ocppfuzz explain findings/O4-1a2b3c4d",
    ),
)
@click.argument(
    "name",
    metavar="ORACLE|CASE|FINDING",
    shell_complete=completing.completes(completing.explained, files=True),
)
def command(name: str) -> int:
    """Tell what is asked, why it matters, where it is written, real bugs of its kind, and how to mend it.

    NAME is an oracle (`show oracles` lists them), a case of the TLS lab, or a finding's folder or pack.
    """
    told = app.explain(name)
    click.echo(f"{told.name}\n")
    sections = (
        ("Found", told.found),
        ("Holds", (told.holds,)),
        ("Why", (told.why,)),
        ("Written", (*told.sources, told.cwe)),
        ("Seen", (told.seen,)),
        ("Fix", (told.fix,)),
    )
    for title, texts in sections:
        for number, text in enumerate(filter(None, texts)):
            click.echo(_lines(title if not number else "", text))
    return 0


def _lines(title: str, text: str) -> str:
    begin, margin = f"{title:<9}", " " * 9
    return textwrap.fill(
        safe(text, 4_000),
        WIDTH,
        initial_indent=begin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
