"""Report files are taken out of the flags by their formats."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fuzz.cli.options import reports_from, reports_options
from fuzz.report.files import FORMATS


@click.command()
@reports_options
def command(**given: object) -> None:
    """Says what it was given."""
    wanted = reports_from(given)
    click.echo(f"{sorted(f'{name}={path}' for name, path in wanted.items())} {given}")


def said(*flags: str) -> str:
    return CliRunner().invoke(command, flags).output


def test_every_format_has_a_flag_of_its_name():
    flags = [word for name in FORMATS for word in (f"--{name}", f"f.{name}")]
    wanted = sorted(f"{name}=f.{name}" for name in FORMATS)
    assert said(*flags) == f"{wanted} {{}}\n"


@pytest.mark.parametrize("flags", [("--json",), ("--json", "-"), ("--json=-",)])
def test_json_without_a_file_goes_to_stdout(flags):
    assert said(*flags) == "[] {'json': True}\n"


@pytest.mark.parametrize("flags", [("--json", "a"), ("--json=a",)])
def test_json_with_a_file_is_a_report(flags):
    assert said(*flags) == "['json=a'] {}\n"


def test_json_before_another_flag_takes_no_file():
    assert said("--json", "--junit", "j") == "['junit=j'] {'json': True}\n"


def test_without_flags_nothing_is_wanted():
    assert said() == "[] {}\n"


def test_only_json_can_be_printed():
    assert "--sarif goes into a file" in said("--sarif", "-")


def test_a_plan_has_no_report():
    with pytest.raises(click.UsageError, match="a plan has no report; leave --junit away"):
        reports_from({"junit": Path("j"), "plan": True})
    given = {"json": "-", "plan": True}
    assert (reports_from(given), given) == ({}, {"plan": True, "json": True})
