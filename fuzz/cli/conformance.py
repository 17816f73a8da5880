"""`ocppfuzz conformance`: the station tests of the certification profiles, and their abstract."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz.cli import completing
from fuzz.cli.options import (
    end_options,
    examples,
    options_from,
    print_table,
    reports_from,
    reports_options,
    target_flags,
)
from fuzz.report.safe import safe

if TYPE_CHECKING:
    from fuzz.app.conforming import Planned
    from fuzz.config import RunOptions
    from fuzz.conformance.runner import Result
    from fuzz.report.abstract import Abstract

Say = Callable[[str], None]


@click.command(
    name="conformance",
    short_help="Play the station tests of Core and Advanced Security.",
    epilog=examples(
        "ocppfuzz conformance",
        "ocppfuzz conformance TC_B_01 TC_B_20",
        "ocppfuzz conformance --list",
        "ocppfuzz conformance --junit junit.xml --json conformance.json",
        "ocppfuzz conformance --listen 0.0.0.0:9000 --identity CS-1 --security-profile 2",
    )
    + "\n\nExit codes: 0 all passed, 1 a test failed, 2 usage, 3 a test could not be played.",
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--profile", type=click.Choice(["core", "security"]), help="One profile only.")
@click.option(
    "--pics",
    default="dc-2evse-ccs1",
    metavar="NAME",
    shell_complete=completing.completes(completing.pics, files=True),
    help="What the station claims.",
)
@click.option("--jobs", type=click.IntRange(1, 16), default=4, metavar="N", help="Default: 4.")
@click.option("--listen", metavar="HOST:PORT", help="Wait here for a real station.")
@click.option("--wait", "wait_s", type=float, metavar="S", help="How long to wait for it.")
@click.option("--unattended", is_flag=True, help="Nobody stands at the real station.")
@click.option("--edition", metavar="ED", help="ed3 (default) or 2025-09.")
@click.option("--list", "listed", is_flag=True, help="Show the tests; play none.")
@end_options
@reports_options
def command(
    ids: tuple[str, ...],
    profile: str | None,
    pics: str,
    jobs: int,
    *,
    unattended: bool,
    listed: bool,
    **given: Any,
) -> int:
    """Play the conformance tests and print an abstract in the form of a certificate's."""
    from fuzz.app import conforming
    from fuzz.pics.loading import load_pics
    from fuzz.report.abstract import abstract_lines

    reports, config = reports_from(given), given.get("config")
    options = options_from(given)
    wanted = {"core": "Core", "security": "Advanced Security"}.get(profile or "", "")
    planned = conforming.plan(load_pics(pics), ids, wanted)
    if listed:
        if reports:
            raise click.UsageError("a list has no report; leave the files away")
        _list(planned)
        return 0
    # What is said along the way must not stand between a reader of JSON and the outcome.
    say = partial(click.echo, err=options.json)
    say(_announcement(planned))
    abstract, results = _play(
        options,
        planned,
        reports,
        config,
        told=_Progress(len(planned.tests), say).told,
        pics=pics,
        ids=ids,
        profile=wanted,
        jobs=jobs,
        operator=None if unattended else partial(_ask, say),
    )
    if options.json:
        from fuzz.app.conformance_results import details_of

        click.echo(json.dumps(details_of(abstract, results), sort_keys=True))
    else:
        click.echo("")
        for line in abstract_lines(abstract):
            click.echo(line.text)
    return _exit_code(results)


def _play(
    options: RunOptions,
    planned: Planned,
    wanted: dict[str, Path],
    config: Path | None,
    *,
    told: Callable[[Result], None],
    **how: Any,
) -> tuple[Abstract, list[Result]]:
    """The tests, with the wanted reports behind them."""
    from fuzz.app import conforming

    # A folder that remembers its runs keeps this one as well; no other is made for it.
    keep = options.findings_dir if options.findings_dir.joinpath(".campaign").is_dir() else None
    if not wanted and keep is None:
        return conforming.conform(options, told=told, **how)
    from fuzz.app.conformance_results import ConformanceHarvest
    from fuzz.app.reporting import desk, reporting

    flags = " ".join(filter(None, (f"--pics {shlex.quote(how['pics'])}", target_flags(options))))
    harvest = ConformanceHarvest(desk("conformance", options, flags, config), planned)

    def both(result: Result) -> None:
        harvest.told(result)
        told(result)

    with reporting(harvest, wanted, keep=None if how["ids"] else keep):
        abstract, results = conforming.conform(options, told=both, **how)
        harvest.add(results)
        harvest.abstract, harvest.exit_code = abstract, _exit_code(results)
    return abstract, results


class _Progress:
    """One line a test, with how many are done."""

    def __init__(self, total: int, say: Say) -> None:
        self._total = total
        self._say = say
        self._done = 0

    def told(self, result: Result) -> None:
        """A test is over."""
        self._done += 1
        why = f": {safe(result.text, 300)}" if result.text else ""
        self._say(
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


async def _ask(say: Say, event: str, argument: str) -> bool:
    """A person does it and presses Enter; False at the end of the input."""
    import asyncio

    say(f"please do this at the station, then press Enter: {event} {argument}".rstrip())
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


def _exit_code(results: Iterable[Result]) -> int:
    verdicts = {str(r.verdict) for r in results}
    if "failed" in verdicts:
        return 1
    return 3 if "not run" in verdicts or not verdicts else 0
