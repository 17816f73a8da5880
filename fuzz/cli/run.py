"""`ocppfuzz run`: a campaign, or its plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz import app
from fuzz.cli.options import (
    campaign_options,
    capture_option,
    display_for,
    examples,
    judging_options,
    options_from,
    print_plan,
    reports_from,
    reports_options,
    showing_options,
    target_flags,
    target_options,
)
from fuzz.config import RunOptions

if TYPE_CHECKING:
    from fuzz.records import EngineEvent, Summary
    from fuzz.report.terminal import Display


@click.command(
    name="run",
    short_help="Attack a target, or say what would be sent.",
    epilog=examples(
        "ocppfuzz run",
        "ocppfuzz run --plan",
        "ocppfuzz run --seed 7 --max-cases 20000 --only SetVariables,GetVariables",
        "ocppfuzz run --listen 127.0.0.1:9000 --identity CS-1 --security-profile 1",
        "ocppfuzz run --listen 127.0.0.1:9000 --start-cmd ./station.sh --strict",
        "ocppfuzz run --target ws://127.0.0.1:8080/{identity} --identity CS-1",
        "ocppfuzz run --defect P01",
        "ocppfuzz run --junit junit.xml --sarif ocppfuzz.sarif --markdown summary.md",
    ),
)
@campaign_options
@capture_option
@target_options
@judging_options
@showing_options
@reports_options
def command(**given: Any) -> int:
    """Attack a target; without one, the embedded reference station."""
    wanted, config = reports_from(given), given.get("config")
    options = options_from(given)
    if options.plan:
        print_plan(app.plan(options), options)
        return 0
    with display_for(options) as display:
        summary = _run(options, display, wanted, config)
    if options.json:
        from fuzz.report.machine import summary_json

        click.echo(summary_json(summary, options.findings_dir))
    return summary.exit_code


def _run(
    options: RunOptions, display: Display, wanted: dict[str, Path], config: Path | None
) -> Summary:
    """The campaign, with the wanted reports behind it, and one that is kept for `report html`."""
    from fuzz.app.campaign_results import CampaignHarvest
    from fuzz.app.reporting import desk, reporting

    harvest = CampaignHarvest(desk("run", options, target_flags(options), config))

    def sink(event: EngineEvent) -> None:
        harvest.heard(event)
        display(event)

    with reporting(harvest, wanted, keep=options.findings_dir):
        harvest.summary = app.run(options, sink)
    return harvest.summary
