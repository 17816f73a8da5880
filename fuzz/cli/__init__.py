"""The command line: parses, calls one function of `fuzz.app`, shows what came of it, and exits with its code.

One module a command, imported when it is asked for, so that `--help` and `--version` stay quick.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from fuzz import __version__
from fuzz.cli.options import examples
from fuzz.config import ConfigError, nearest
from fuzz.errors import OcppfuzzError
from fuzz.report.safe import safe

COMMANDS = (
    "init",
    "run",
    "replay",
    "regress",
    "report",
    "explain",
    "show",
    "shrink",
    "corpus",
    "record",
    "diff",
    "tls",
    "conformance",
    "doctor",
    "serve",
    "pki",
    "pics",
    "bench",
)
"""The commands, in the order of `--help`; each is `fuzz.cli.<name>.command`."""

USAGE, OUR_ERROR, INTERRUPTED = 2, 3, 130


class Commands(click.Group):
    """A group whose commands are imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of `--help`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`; None for an unknown one while the shell completes words.

        Raises a usage error with the nearest name.
        """
        if cmd_name not in COMMANDS:
            if ctx.resilient_parsing:
                return None
            raise click.UsageError(f"unknown command {cmd_name!r}; {nearest(cmd_name, COMMANDS)}")
        command: click.Command = importlib.import_module(f"fuzz.cli.{cmd_name}").command
        return command


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "ocppfuzz run",
        "ocppfuzz run --listen 127.0.0.1:9000 --identity CS-1 --security-profile 1",
        "ocppfuzz replay findings/O4-1a2b3c4d",
        "ocppfuzz COMMAND --help",
    )
    + "\n\nExit codes: 0 no finding, 1 findings, 2 usage or configuration, "
    "3 target unavailable, nothing proven, or our own error.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, "-V", "--version", message="ocppfuzz %(version)s")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:  # debug is read by `main`
    """Attacks an OCPP 2.0.1 Charging Station or CSMS the way a hostile peer would."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never raises."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _let_any_character_pass()
    try:
        code = cli.main(given, prog_name="ocppfuzz", standalone_mode=False)
    except (
        OcppfuzzError,
        ConfigError,
        click.ClickException,
        click.Abort,
        KeyboardInterrupt,
    ) as error:
        code = _explain(error, debug="--debug" in given)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug of ours is exit 3, never a verdict
        code = _admit(error, debug="--debug" in given)
    _flush()
    return code if isinstance(code, int) else 0


def _explain(error: BaseException, *, debug: bool) -> int:
    """One line for what we could not do."""
    if debug:
        traceback.print_exception(error)
    match error:
        case OcppfuzzError() | ConfigError():
            return _complain(str(error), error.exit_code)
        case click.ClickException():
            context = getattr(error, "ctx", None)
            help_ = f"; see {context.command_path} --help" if context is not None else ""
            return _complain(error.format_message().rstrip(".") + help_, USAGE)
        case _:
            return _complain("stopped; what was found so far is saved", INTERRUPTED)


def _admit(error: Exception, *, debug: bool) -> int:
    """One line for a bug of ours."""
    if debug:
        traceback.print_exception(error)
    how = "" if debug else "; `ocppfuzz --debug ...` shows where"
    return _complain(
        f"a bug in ocppfuzz, no verdict on the target: {type(error).__name__}: {error}{how}; "
        "please report it to the project with the command and this line",
        OUR_ERROR,
    )


def _complain(text: str, code: int) -> int:
    with contextlib.suppress(OSError):
        click.echo(f"error: {safe(text, 1_000)}", err=True)
    return code


def _let_any_character_pass() -> None:
    # A terminal that cannot show a character gets its escape, not our traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        # The reader of a pipe went away; keep the interpreter from saying so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
