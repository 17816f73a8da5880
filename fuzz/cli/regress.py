"""`ocppfuzz regress`: a build in CI."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz import app
from fuzz.cli import completing
from fuzz.cli.options import (
    build_options,
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
from fuzz.config import MODES, PHASES, RegressOptions, RunOptions, load_regress, read_config

if TYPE_CHECKING:
    from fuzz.app.identities import Lent
    from fuzz.policy.regression import Regression
    from fuzz.records import EngineEvent
    from fuzz.report.terminal import Display

_PATH = click.Path(path_type=Path)

USUAL: Mapping[str, Mapping[str, object]] = {
    "pr": {"phases": ("replay", "systematic"), "tier": "sites", "max_time_s": 1_800.0, "seed": 0},
    "nightly": {"phases": PHASES, "tier": "full", "max_time_s": 3_600.0},
}
"""What each mode plays where neither a flag nor the file says otherwise."""

_OWN = {"": "", "station": "--self-test", "csms": "--self-test csms"}
"""The flag with which `replay` and `tls` mean our own end."""


@click.command(
    name="regress",
    short_help="A build in CI: a fixed list, held against baseline, lock and quirks.",
    epilog=examples(
        "ocppfuzz regress --listen 127.0.0.1:9000 --identity CS-1 --security-profile 2 --wait-ready 120",
        "ocppfuzz regress --listen 127.0.0.1:9000 --identity CS-1 --security-profile 2 --plan",
        "ocppfuzz regress --baseline known.json --restart-cmd ./restart.sh",
        "ocppfuzz regress --baseline known.json --update-baseline --reason 'ticket 12, next release'",
        "ocppfuzz regress --update-lock",
        "ocppfuzz regress --self-test --handshakes none --only GetVariables",
    )
    + "\n\nExit codes: 0 passes, 1 a finding or a stale baseline entry fails the build, 2 usage, "
    "3 nothing proven or the list was cut short.",
)
@click.option(
    "--mode", type=click.Choice(MODES), help="pr: a short fixed list. nightly: all phases."
)
@click.option(
    "--whole", is_flag=True, default=None, help="With pr: also what is left for the night."
)
@click.option(
    "--self-test",
    type=click.Choice(["station", "csms"]),
    is_flag=False,
    flag_value="station",
    help="Our own station as target, or our CSMS endpoint (its handshakes).",
)
@click.option(
    "--fail-on", metavar="SEVERITY[,BASIS]", help="What fails a build: high,shall-broken."
)
@click.option("--baseline", type=_PATH, metavar="FILE", help="Accepted findings.")
@click.option(
    "--update-baseline", is_flag=True, default=None, help="Take out of it what is mended."
)
@click.option("--reason", metavar="TEXT", help="With --update-baseline: accept what fails.")
@click.option("--expires", metavar="DATE", help="Accept until then, or never; in 90 days.")
@click.option("--quirks", type=_PATH, metavar="FILE", help="Muted checks; ./quirks.toml.")
@click.option("--lock", type=_PATH, metavar="FILE", help="Checks that count; ./ocppfuzz.lock.")
@click.option("--update-lock", is_flag=True, default=None, help="Let all of this version count.")
@click.option(
    "--allow-incomplete", is_flag=True, default=None, help="Pass though the list was cut short."
)
@click.option(
    "--handshakes",
    multiple=True,
    metavar="ID",
    shell_complete=completing.completes(completing.tls_cases),
    help="TLS cases, as 'TS-3*', or none.",
)
@click.option(
    "--wait-ready", "wait_ready_s", type=float, metavar="S", help="Wait for the target to come."
)
@click.option("--before", metavar="HOW", help="Command, or http://..., that provisions.")
@build_options
@capture_option
@target_options
@judging_options
@showing_options
@reports_options
def command(**given: Any) -> int:
    """Play a build against a target and hold it against what the project accepts.

    Handshakes first, then the corpus, earlier findings and the systematic tables, then accepted findings.
    """
    from fuzz.app.identities import lent
    from fuzz.report.regression import regression_lines, regression_value
    from fuzz.report.terminal import plain_console, print_lines

    reports, config = reports_from(given), given.get("config")
    names = {f.name for f in fields(RegressOptions)} & set(given)
    flags = {name: given.pop(name) for name in names}
    wanted = load_regress(config, {k: v for k, v in flags.items() if v not in (None, ())})
    filed = read_config(config)[0]
    identities = () if wanted.self_test else wanted.identities
    with lent(identities, given.get("identity") or filed.get("identity")) as credentials:
        # What the file says of remarks and of the first finding is for `run`: a build plays its whole list, and no
        # remark fails it. Nobody stands beside one, either.
        usual: dict[str, object] = {"strict": False, "fail_fast": False, "unattended": True}
        usual |= {k: v for k, v in USUAL[wanted.mode].items() if k not in filed}
        if wanted.self_test:
            # The target of the file is not meant.
            usual |= dict.fromkeys(("listen", "target", "start_cmd", "restart_cmd"))
        options = options_from(given, **usual, **credentials.fields)
        if options.plan:
            print_plan(app.plan_build(options, wanted), options)
            return 0
        with display_for(options) as display:
            build = _run(options, wanted, credentials, display, reports, config)
    if options.json:
        click.echo(json.dumps(regression_value(build), sort_keys=True))
    else:
        console = plain_console(sys.stdout, color=options.color)
        print_lines(
            console, regression_lines(build, options.findings_dir, _naming(wanted, options))
        )
    return build.exit_code


def _run(
    options: RunOptions,
    wanted: RegressOptions,
    credentials: Lent,
    display: Display,
    reports: dict[str, Path],
    config: Path | None,
) -> Regression:
    """The build, with the wanted reports behind it."""
    from fuzz.app.regress_results import RegressHarvest
    from fuzz.app.reporting import desk, reporting

    again = _again(wanted, target_flags(options), options, config)
    harvest = RegressHarvest(desk("regress", options, _naming(wanted, options), config), again)

    def sink(event: EngineEvent) -> None:
        harvest.heard(event)
        display(event)

    with reporting(harvest, reports, keep=options.findings_dir):
        harvest.build = app.regress(options, wanted, sink, credentials.second, harvest.told)
    return harvest.build


def _naming(wanted: RegressOptions, options: RunOptions) -> str:
    """The flags that name the same target; where a file names another, our own end has to say that it is meant."""
    return " ".join(filter(None, (_OWN[wanted.self_test], target_flags(options))))


def _again(wanted: RegressOptions, flags: str, options: RunOptions, config: Path | None) -> str:
    """The command that plays the same target again and asks as much of it; `flags` name it."""
    words = ["ocppfuzz regress"]
    words += [f"--config {shlex.quote(str(config))}"] if config is not None else []
    words += [f"--self-test {wanted.self_test}"] if wanted.self_test else []
    words += [f"--allow {','.join(options.allow)}"] if options.allow else []
    words += [f"--edition {options.edition}"] if options.edition != RunOptions().edition else []
    return " ".join([*words, *([flags] if flags else [])])
