"""`ocppfuzz conformance`: the station tests of the certification profiles, and their abstract."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz.cli.options import end_options, examples, options_from, print_table
from fuzz.report.safe import safe

if TYPE_CHECKING:
    from fuzz.app.conforming import Planned
    from fuzz.conformance.runner import Result
    from fuzz.report.abstract import Abstract


@click.command(
    name="conformance",
    short_help="Play the station tests of Core and Advanced Security.",
    epilog=examples(
        "ocppfuzz conformance",
        "ocppfuzz conformance TC_B_01 TC_B_20",
        "ocppfuzz conformance --list",
        "ocppfuzz conformance --listen 0.0.0.0:9000 --identity CS-1 --security-profile 2",
    )
    + "\n\nExit codes: 0 all passed, 1 a test failed, 2 usage, 3 a test could not be played.",
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--profile", type=click.Choice(["core", "security"]), help="One profile only.")
@click.option("--pics", default="dc-2evse-ccs1", metavar="NAME", help="What the station claims.")
@click.option("--jobs", type=click.IntRange(1, 16), default=4, metavar="N", help="Default: 4.")
@click.option("--listen", metavar="HOST:PORT", help="Wait here for a real station.")
@click.option("--wait", "wait_s", type=float, metavar="S", help="How long to wait for it.")
@click.option("--unattended", is_flag=True, help="Nobody stands at the real station.")
@click.option("--edition", metavar="ED", help="ed3 (default) or 2025-09.")
@click.option("--list", "listed", is_flag=True, help="Show the tests; play none.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE")
@end_options
def command(
    ids: tuple[str, ...],
    profile: str | None,
    pics: str,
    jobs: int,
    *,
    unattended: bool,
    listed: bool,
    json_file: Path | None,
    **given: Any,
) -> int:
    """Play the conformance tests and print an abstract in the form of a certificate's."""
    from fuzz.app import conforming
    from fuzz.pics.loading import load_pics
    from fuzz.report.abstract import abstract_lines

    options = options_from(given)
    wanted = {"core": "Core", "security": "Advanced Security"}.get(profile or "", "")
    planned = conforming.plan(load_pics(pics), ids, wanted)
    if listed:
        _list(planned)
        return 0
    click.echo(_announcement(planned))
    progress = _Progress(len(planned.tests))
    abstract, results = conforming.conform(
        options,
        pics,
        ids,
        profile=wanted,
        jobs=jobs,
        told=progress.told,
        operator=None if unattended else _ask,
    )
    if json_file is not None:
        _write(json_file, abstract, results)
    click.echo("")
    for line in abstract_lines(abstract):
        click.echo(line.text)
    return _exit_code(results)


class _Progress:
    """One line a test, with how many are done."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def told(self, result: Result) -> None:
        """A test is over."""
        self._done += 1
        why = f": {safe(result.text, 300)}" if result.text else ""
        click.echo(
            f"[{self._done}/{self._total}] {result.id} {result.verdict}, security profile "
            f"{result.profile}, {result.seconds:.1f} s{why}"
        )


def _announcement(planned: Planned) -> str:
    parts = [
        f"{len(planned.automatic)} tests run by themselves",
        f"{len(planned.by_hand)} need an operator (of our own station: its console)",
        f"{len(planned.not_applicable)} do not apply",
    ]
    if planned.unwritten:
        parts.append(f"{len(planned.unwritten)} have no script yet")
    return ", ".join(parts)


async def _ask(event: str, argument: str) -> bool:
    """A person does it and presses Enter; False at the end of the input."""
    import asyncio

    click.echo(f"please do this at the station, then press Enter: {event} {argument}".rstrip())
    try:
        await asyncio.to_thread(input)
    except EOFError:
        return False
    return True


def _list(planned: Planned) -> None:
    from fuzz.conformance.catalogue import catalogue

    how = (
        {e.id: "automatic" for e in planned.automatic}
        | {e.id: "by hand" for e in planned.by_hand}
        | {e.id: "no script" for e in planned.unwritten}
    )
    rows = [
        (
            e.id,
            e.profile,
            how.get(e.id, "not applicable"),
            e.title,
            planned.not_applicable.get(e.id, ""),
        )
        for e in catalogue()
        if e.id in how or (planned.asked_for_all and e.id in planned.not_applicable)
    ]
    headings = ("Id", "Profile", "Here", "What it is about", "Why not")
    print_table("Station tests", headings, rows, _announcement(planned))


def _write(path: Path, abstract: Abstract, results: Iterable[Result]) -> None:
    tests = [
        {
            "id": r.id,
            "verdict": r.verdict,
            "security_profile": r.profile,
            "seconds": round(r.seconds, 3),
            "text": r.text,
            "judgements": r.judgements,
        }
        for r in results
    ]
    document = {"abstract": asdict(abstract), "tests": tests}
    try:
        path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror}") from None


def _exit_code(results: Iterable[Result]) -> int:
    verdicts = {str(r.verdict) for r in results}
    if "failed" in verdicts:
        return 1
    return 3 if "not run" in verdicts or not verdicts else 0
