"""What CI systems look for in this repository says only what the installed command line understands.

The scripts in these files are really run by bash; in the place of `ocppfuzz` stands a recorder, whose words the command
line then parses. Nothing is sent anywhere.
"""

import importlib
import itertools
import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import jsonschema_rs
import pytest
import yaml
from packaging.specifiers import SpecifierSet

from fuzz.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
TEMPLATE = (ROOT / "templates/ocppfuzz/template.yml").read_text("utf-8")
SPEC, JOBS = yaml.safe_load_all(TEMPLATE)
(JOB,) = JOBS.values()
CONTAINER = (ROOT / "Containerfile").read_text("utf-8")
STEPS = ACTION["runs"]["steps"]
ATTACK = next(step for step in STEPS if step.get("id") == "attack")
SHOW = next(step for step in STEPS if step.get("id") == "show")
GIVEN = {
    "CONFIG": "my target.toml",
    "SELF_TEST": "true",
    "BASELINE": "known.json",
    "FAIL_ON": "high,shall-broken",
    "WAIT_READY": "120",
    "ARGS": "--max-time=600\n\n--only\nGetVariables",
}
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""As GitHub runs a step whose shell is bash."""


@pytest.fixture
def run(tmp_path):
    """Runs a script with a recorder in the place of `ocppfuzz` that ends with `code`; what it was called with."""
    programs = tmp_path / "bin"
    programs.mkdir()
    recorder = programs / "ocppfuzz"
    recorder.write_text('#!/bin/sh\nprintf "%s\\0" "$@" > "$CALLED"\nexit "$CODE"\n')
    recorder.chmod(0o755)
    given = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CALLED": str(tmp_path / "called"),
        "RUNNER_TEMP": str(tmp_path / "runner temp"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }

    def run_(script: str, *, code: int = 0, shell=BASH, **env: str) -> tuple[list[str], int, str]:
        done = subprocess.run(
            [*shell, script],
            cwd=tmp_path,
            env={**given, "CODE": str(code), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        called = tmp_path / "called"
        words = called.read_text().split("\0")[:-1] if called.exists() else []
        assert "unbound" not in done.stderr, done.stderr
        return words, done.returncode, done.stdout + done.stderr

    return run_


def parsed(words: list[str]) -> dict:
    """The values that the installed command line reads out of the words. Raises `click.UsageError`."""
    name, *rest = words
    assert name in COMMANDS
    command: click.Command = importlib.import_module(f"fuzz.cli.{name}").command
    return command.make_context(name, rest).params


def scripts() -> list[str]:
    steps = [step["run"] for step in STEPS if "run" in step]
    return [*steps, *JOB["before_script"], *JOB["script"]]


def checked(value: object, schema: str) -> None:
    """What a schema of other people says of a value. Raises `jsonschema_rs.ValidationError`."""
    text = (ROOT / "tests" / "fuzz" / "schemas" / schema).read_text("utf-8")
    jsonschema_rs.validator_for(json.loads(text)).validate(value)


# --- the action for GitHub ---------------------------------------------------------------------------------


def environment(**given: str) -> dict[str, str]:
    """The environment of the attack, with the defaults of the inputs that are not given."""
    default = {
        name: ACTION["inputs"][found[1]]["default"]
        for name, value in ATTACK["env"].items()
        if (found := re.match(r"\$\{\{ inputs\.([a-z-]+)", value))
    }
    return default | given


def test_the_action_is_one_by_the_schema_of_actions():
    checked(ACTION, "github-action.json")
    with pytest.raises(jsonschema_rs.ValidationError):
        checked({**ACTION, "runs": {"using": "composite"}}, "github-action.json")


@pytest.mark.parametrize("command", ["regress", "run"])
@pytest.mark.parametrize("names", [(), *itertools.combinations(GIVEN, 1), tuple(GIVEN)])
def test_whatever_inputs_are_given_the_command_line_understands_the_action(run, command, names):
    given = {name: GIVEN[name] for name in names}
    words, code, said = run(ATTACK["run"], **environment(COMMAND=command, **given))
    assert code == 0, said
    values = parsed(words)
    reports = Path(values["sarif"]).parent
    assert reports.name == "ocppfuzz-reports"
    assert {Path(values[name]).parent for name in ("junit", "json", "markdown")} == {reports}
    assert values.get("mode") == ("pr" if command == "regress" else None)
    assert (
        str(values["config"]) == GIVEN["CONFIG"] if "CONFIG" in names else values["config"] is None
    )
    if "ARGS" in names:
        assert (values["max_time_s"], values["only"]) == (600.0, ("GetVariables",))
    if "SELF_TEST" in names and command == "regress":
        assert values["self_test"] == "station"


@pytest.mark.parametrize(
    "hostile", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "'\"", "*"]
)
def test_no_input_is_read_as_shell(run, tmp_path, hostile):
    names = ("CONFIG", "BASELINE", "FAIL_ON", "ARGS")
    words, _, _ = run(ATTACK["run"], **environment(**dict.fromkeys(names, hostile)))
    assert words.count(hostile) == 4
    assert not (tmp_path / "pwned").exists()


def test_no_expression_stands_in_a_script():
    assert not [script for script in scripts() if "${{" in script or "$[[" in script]


@pytest.mark.parametrize(
    ("code", "incomplete", "ends"),
    [(0, "fail", 0), (1, "warn", 1), (2, "warn", 2), (3, "fail", 3), (3, "warn", 0)],
)
def test_the_exit_code_of_the_tool_decides_the_step(run, tmp_path, code, incomplete, ends):
    _, ended, said = run(ATTACK["run"], code=code, **environment(INCOMPLETE=incomplete))
    assert ended == ends
    assert f"exit-code={code}" in (tmp_path / "output").read_text().splitlines()
    assert ("::warning" in said) == (code == 3 and ends == 0)


def test_the_summary_is_shown_and_code_scanning_told_whatever_came_before(run, tmp_path):
    assert SHOW["if"] == "always()"
    (upload,) = [step for step in STEPS if "upload-sarif" in step.get("uses", "")]
    assert upload["if"].startswith("always() && ")
    reports = tmp_path / "reports"
    reports.mkdir()
    assert run(SHOW["run"], REPORTS=str(reports))[1] == 0
    assert not (tmp_path / "summary").exists()
    (reports / "summary.md").write_text("# one finding\n")
    (reports / "ocppfuzz.sarif").write_text("{}")
    assert run(SHOW["run"], REPORTS=str(reports))[1] == 0
    assert (tmp_path / "summary").read_text() == "# one finding\n"
    assert (tmp_path / "output").read_text() == f"sarif={reports}/ocppfuzz.sarif\n"


def test_each_input_is_used_and_each_one_that_is_used_is_there():
    text = json.dumps(ACTION["runs"])
    used = set(re.findall(r"inputs\.([a-z-]+)", text))
    assert used == set(ACTION["inputs"])
    outputs = set(re.findall(r"steps\.attack\.outputs\.([a-z-]+)", json.dumps(ACTION)))
    assert all(f"{name}=" in ATTACK["run"] for name in outputs)


def test_the_only_foreign_actions_are_githubs_own_by_their_major_version():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    for name in used:
        assert re.fullmatch(
            r"(actions/(setup-python|checkout)|github/codeql-action/upload-sarif)@v\d+", name
        )


def test_every_script_of_the_action_names_its_shell():
    assert all(step["shell"] == "bash" for step in STEPS if "run" in step)


def test_the_action_installs_its_own_checkout(run, tmp_path):
    (step,) = [step for step in STEPS if step.get("name") == "Install ocppfuzz"]
    assert step["env"] == {"SOURCE": "${{ github.action_path }}"}
    assert '-c "$SOURCE/constraints.txt" "$SOURCE"' in " ".join(step["run"].split())
    assert (ROOT / "constraints.txt").is_file()


# --- the component for GitLab ------------------------------------------------------------------------------


GIVEN_INPUTS = {
    name: {"default": "./ocppfuzz", **told} for name, told in SPEC["spec"]["inputs"].items()
}
"""The template's inputs where the only one without a default is given."""


def pipeline() -> dict:
    """The pipeline of a project that includes the template, says what to install, and leaves all other inputs."""
    inputs = GIVEN_INPUTS
    _, _, jobs = TEMPLATE.partition("\n---\n")
    filled = re.sub(
        r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda m: inputs[m[1]]["default"] or '""', jobs
    )
    return yaml.safe_load(filled)


def test_the_template_and_what_becomes_of_it_are_pipelines_by_the_schema_of_gitlab():
    checked(SPEC, "gitlab-ci.json")
    checked(pipeline(), "gitlab-ci.json")
    job = pipeline()["ocppfuzz"]
    with pytest.raises(jsonschema_rs.ValidationError):
        checked({"ocppfuzz": {**job, "allow_failure": {"codes": [3]}}}, "gitlab-ci.json")


@pytest.mark.parametrize("shell", [BASH, ("sh", "-e", "-c")])
@pytest.mark.parametrize("given", [{}, {"BASELINE": "known.json", "ARGS": "--wait-ready 120"}])
@pytest.mark.parametrize("mode", ["pr", "nightly"])
def test_the_command_line_understands_the_template(run, shell, given, mode):
    inputs = GIVEN_INPUTS
    default = {
        name: inputs[re.fullmatch(r"\$\[\[ inputs\.([a-z-]+) \]\]", value)[1]]["default"]
        for name, value in JOB["variables"].items()
    }
    words, code, said = run(JOB["script"][0], shell=shell, **{**default, "MODE": mode, **given})
    assert code == 0, said
    values = parsed(words)
    assert (values["mode"], str(values["config"])) == (mode, "ocppfuzz.toml")
    assert values["wait_ready_s"] == (120.0 if given else None)
    reports = JOB["artifacts"]["reports"]
    assert str(values["junit"]) == reports["junit"]
    assert str(values["gitlab_codequality"]) == reports["codequality"]


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_of_the_tool_is_that_of_the_job(run, code):
    default = {"MODE": "pr", "CONFIG": "ocppfuzz.toml", "BASELINE": "", "ARGS": ""}
    assert run(JOB["script"][0], code=code, **default)[1] == code


def test_only_what_proves_nothing_may_fail_and_reports_are_kept_always():
    assert JOB["allow_failure"] == {"exit_codes": [3]}
    assert JOB["artifacts"]["when"] == "always"
    assert "findings/" in JOB["artifacts"]["paths"]


def test_what_findings_keep_private_is_no_artifact():
    assert "findings/private/**/*" in JOB["artifacts"]["exclude"]


def test_no_secret_is_an_input_of_the_template_and_none_is_shown():
    names = " ".join((*SPEC["spec"]["inputs"], *JOB["variables"])).lower()
    assert not [word for word in ("password", "secret", "key", "token") if word in names]
    assert not [s for s in scripts() if "PASSWORD" in s or "set -x" in s or "printenv" in s]


def test_each_input_of_the_template_is_used():
    used = set(re.findall(r"\$\[\[ inputs\.([a-z-]+) \]\]", json.dumps(JOBS)))
    assert used == set(SPEC["spec"]["inputs"])


def test_a_mode_of_the_template_is_one_that_the_command_knows():
    from fuzz.config import MODES

    assert sorted(SPEC["spec"]["inputs"]["mode"]["options"]) == sorted(MODES)


# --- both ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", scripts())
def test_a_script_is_well_formed(script):
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if shutil.which("shellcheck"):
        checked = subprocess.run(
            ["shellcheck", "--shell=bash", "-"],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout


def test_the_interpreter_is_one_that_the_package_takes():
    needed = SpecifierSet(PROJECT["requires-python"])
    images = [
        SPEC["spec"]["inputs"]["image"]["default"],
        *re.findall(r"^FROM (\S+)", CONTAINER, re.M),
    ]
    versions = [re.fullmatch(r"python:(\d+\.\d+)-slim", image)[1] for image in images]
    assert all(version in needed for version in versions)
    assert ACTION["inputs"]["python-version"]["default"] in needed


def test_the_name_is_that_of_the_package():
    assert ACTION["name"] == PROJECT["name"]


def test_nothing_is_installed_by_a_name_that_is_not_ours_on_any_index():
    inputs = SPEC["spec"]["inputs"]
    assert [name for name, told in inputs.items() if "default" not in told] == ["package"]
    assert JOB["before_script"] == [
        'python -m pip install --quiet --disable-pip-version-check "$PACKAGE"'
    ]


# --- the container ------------------------------------------------------------------------------------------


def test_the_container_starts_the_program_as_a_user_without_rights():
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", CONTAINER, re.M)
    assert json.loads(entry) == ["ocppfuzz"]
    assert "ocppfuzz" in PROJECT["scripts"]
    assert re.findall(r"^USER (\S+)$", CONTAINER, re.M) == ["ocppfuzz"]
    assert (
        CONTAINER.index("useradd") < CONTAINER.index("\nUSER ") < CONTAINER.index("\nENTRYPOINT ")
    )


def test_the_container_is_built_of_all_that_the_wheel_needs_and_of_nothing_else():
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINER, re.M)
        for word in line.split()
    }
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    target = wheel["targets"]["wheel"]
    folders = {Path(path).parts[0] for path in (*target["packages"], *target["force-include"])}
    files = {"pyproject.toml", "constraints.txt", PROJECT["readme"], *PROJECT["license-files"]}
    assert copied == folders | files
    assert all((ROOT / name).exists() for name in copied)
