"""`ocppfuzz tls`: the TLS lab."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz.cli import completing
from fuzz.cli.options import (
    examples,
    judging_options,
    options_from,
    reports_from,
    reports_options,
    showing_options,
    target_flags,
    target_options,
)
from fuzz.report.safe import safe

if TYPE_CHECKING:
    from fuzz.config import RunOptions
    from fuzz.lab.options import LabOptions
    from fuzz.report.tls import TlsReport, TlsRow

_PATH = click.Path(path_type=Path)
_LEVELS = click.Choice(["info", "low", "medium", "high", "critical"])


@click.command(
    name="tls",
    short_help="Every bad certificate, downgrade and step of a certificate's life.",
    epilog=examples(
        "ocppfuzz tls",
        "ocppfuzz tls --only 'TS-3*' --only TR-01",
        "ocppfuzz tls --listen 0.0.0.0:9000 --identity CS-1 --security-profile 2 --tune",
        "ocppfuzz tls --target wss://csms.example/ocpp/{identity} --identity CS-1 --ca root.pem",
        "ocppfuzz tls --self-test csms",
        "ocppfuzz tls --plan",
        "ocppfuzz tls --junit junit.xml --sarif ocppfuzz.sarif --markdown summary.md",
    )
    + "\n\nExit codes: 0 nothing failed, 1 a case failed, 2 usage, 3 a case was not observed.",
)
@click.option(
    "--only",
    "only_ids",
    multiple=True,
    metavar="ID",
    shell_complete=completing.completes(completing.tls_cases),
    help="Cases, such as 'TS-3*'.",
)
@click.option("--severity", type=_LEVELS, default="info", help="Leave out what matters less.")
@click.option("--self-test", type=click.Choice(["csms"]), help="Our own CSMS endpoint as target.")
@click.option("--fast", is_flag=True, help="No good run between refusals that were seen.")
@click.option("--tune", is_flag=True, help="Shortest back-off at the station, set back in the end.")
@click.option(
    "--jobs", type=click.IntRange(1, 16), default=4, metavar="N", help="Our stations at once; 4."
)
@click.option("--resume", "go_on", is_flag=True, help="Go on behind what the last run finished.")
@click.option(
    "--with-secrets", is_flag=True, help="Keep TLS secrets in private/, for captures to be read."
)
@click.option("--plan", is_flag=True, help="Say what would be played, and how long; send nothing.")
@click.option("--name", default="", metavar="HOST", help="The host in the URL that it dials.")
@click.option("--declared", default="", metavar="PICS", help="PICS file of the real station.")
@click.option("--issuer", type=_PATH, metavar="FILE", help="Your CA that signs what the lab shows.")
@click.option("--issuer-key", type=_PATH, metavar="FILE", help="Its key.")
@click.option("--root", type=_PATH, metavar="FILE", help="The root that the station trusts.")
@click.option("--client-ca", type=_PATH, metavar="FILE", help="CA of stations' certificates.")
@click.option("--client-ca-key", type=_PATH, metavar="FILE", help="Its key.")
@click.option("--second", default="", metavar="ID", help="Another identity that the CSMS knows.")
@click.option("--second-cert", type=_PATH, metavar="FILE", help="Its certificate.")
@click.option("--second-key", type=_PATH, metavar="FILE", help="Its key.")
@click.option("--second-password-file", type=_PATH, metavar="FILE", help="Its password.")
@click.option("--revoked", type=_PATH, metavar="FILE", help="A revoked station certificate.")
@click.option("--revoked-key", type=_PATH, metavar="FILE", help="Its key.")
@target_options
@judging_options
@showing_options
@reports_options
def command(
    only_ids: tuple[str, ...],
    self_test: str | None,
    *,
    go_on: bool,
    **given: Any,
) -> int:
    """Play the TLS lab: handshakes, certificates, suites and rotation, with the evidence.

    Without a target the embedded station is tested. --listen waits for a real one, --target dials a CSMS.
    """
    from dataclasses import fields

    from fuzz.lab.options import LabOptions
    from fuzz.report.tls import report_json, report_lines

    wanted, config, plan = reports_from(given), given.get("config"), given.pop("plan")
    names = {f.name for f in fields(LabOptions)} & set(given)
    lab = LabOptions(
        only=only_ids,
        self_test=self_test or "",
        resume=go_on,
        attended=not given.get("unattended"),
        **{name: given.pop(name) for name in names},
    )
    options = options_from(given)
    if plan:
        return _show_plan(options, lab)
    # What is said along the way must not stand between a reader of JSON and the report.
    say = partial(click.echo, err=options.json)
    quiet = options.json or options.quiet
    report, facts = _play(
        options,
        lab,
        wanted,
        config,
        told=_told(quiet=quiet),
        note=lambda text: say(safe(text, 1_000)),
        operator=None if options.unattended else partial(_ask, say),
    )
    if options.json:
        click.echo(json.dumps(report_json(report, facts), sort_keys=True))
    else:
        click.echo("")
        for line in report_lines(report, every=not options.quiet):
            click.echo(line.text)
    return report.exit_code


def _play(
    options: RunOptions,
    lab: LabOptions,
    wanted: dict[str, Path],
    config: Path | None,
    *,
    told: Callable[[TlsRow, int, int], None],
    **how: Any,
) -> tuple[TlsReport, Sequence[Mapping[str, object]]]:
    """The lab's cases, with the wanted reports behind them, and one that is kept for `report html`."""
    from fuzz.app import tlsing
    from fuzz.app.reporting import desk, reporting
    from fuzz.app.tls_results import TlsHarvest

    flags = " ".join(filter(None, (_self_test(lab), target_flags(options))))
    ids = tuple(case.id for case in tlsing.chosen(lab, tlsing.side_of(options, lab)))
    harvest = TlsHarvest(desk("tls", options, flags, config), ids)

    def both(row: TlsRow, done: int, total: int) -> None:
        harvest.told(row)
        told(row, done, total)

    # A look at some cases must not take the place of a whole table.
    with reporting(harvest, wanted, keep=None if lab.only else options.findings_dir):
        report, facts = tlsing.tls(options, lab, told=both, **how)
        harvest.report, harvest.facts = report, facts
    return report, facts


def _self_test(lab: LabOptions) -> str:
    return f"--self-test {lab.self_test}" if lab.self_test else ""


def _told(*, quiet: bool) -> Any:
    def told(row: TlsRow, done: int, total: int) -> None:
        if quiet and row.outcome != "failed":
            return
        why = f": {safe('; '.join(row.why), 300)}" if row.why and row.outcome != "passed" else ""
        stage = f", {row.stage}" if row.stage else ""
        line = f"[{done}/{total}] {row.id} {row.outcome}{stage}, {row.seconds:.1f} s{why}"
        click.echo(line, err=quiet)

    return told


def _show_plan(options: Any, lab: Any) -> int:
    from dataclasses import asdict

    from fuzz.app.tls_planning import plan_lines, plan_tls

    if options.json:
        click.echo(json.dumps(asdict(plan_tls(options, lab)), sort_keys=True))
    else:
        for line in plan_lines(options, lab):
            click.echo(line)
    return 0


async def _ask(say: Callable[[str], None], event: str, argument: str) -> bool:
    """A person does it and presses Enter; False at the end of the input."""
    import asyncio

    wanted = safe(f"{event} {argument}".rstrip(), 300)
    say(f"please do this at the station, then press Enter: {wanted}")
    try:
        await asyncio.to_thread(input)
    except EOFError:
        return False
    return True
