"""What CI systems read, with the real tool in it, against the embedded station.

The container is not built: its first stage is played by hand, with the packages of this environment in the place of those
that it would download.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
(JOB,) = list(yaml.safe_load_all((ROOT / "templates/ocppfuzz/template.yml").read_text("utf-8")))[
    1
].values()
CONTAINER = (ROOT / "Containerfile").read_text("utf-8")
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"] if "id" in step}
SMALL = "--handshakes=none\n--phases=replay\n--corpus=corpus"


def two_cases(folder: Path) -> None:
    """A corpus for builds that are over soon."""
    for name in ("corpus/frames/action-array.json", "corpus/valid/clear-cache.json"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, folder / name)


@pytest.fixture
def step(tmp_path):
    """Runs a step of the action as GitHub's runner does, with a corpus of two cases."""
    two_cases(tmp_path / "work")
    given = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "COMMAND": "regress",
        "MODE": "pr",
        "CONFIG": "",
        "SELF_TEST": "true",
        "BASELINE": "",
        "FAIL_ON": "",
        "WAIT_READY": "",
        "INCOMPLETE": "fail",
        "OCPPFUZZ_PASSWORD": "",
    }

    def run(name: str, **env: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]],
            cwd=tmp_path / "work",
            env=given | env,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_healthy_build_is_green_and_a_defect_turns_it_red_with_all_reports(step, tmp_path):
    code, said = step("attack", ARGS=SMALL)
    assert code == 0, said
    code, said = step("attack", ARGS=f"{SMALL}\n--defect=P05")
    assert code == 1, said
    reports = tmp_path / "ocppfuzz-reports"
    (found,) = json.loads((reports / "ocppfuzz.sarif").read_text("utf-8"))["runs"]
    assert [result["ruleId"] for result in found["results"]] == ["O3"]
    assert ET.parse(reports / "junit.xml").getroot().findall(".//failure")
    assert step("show", REPORTS=str(reports))[0] == 0
    assert "connection-closed" in (tmp_path / "summary").read_text("utf-8")
    outputs = (tmp_path / "output").read_text("utf-8").splitlines()
    assert f"sarif={reports}/ocppfuzz.sarif" in outputs
    assert "exit-code=1" in outputs


def test_without_a_target_nothing_is_attacked(step):
    code, said = step("attack", ARGS=SMALL, SELF_TEST="false")
    assert code == 2, said
    assert "error: " in said


# --- GitLab and the container -------------------------------------------------------------------------------


@pytest.fixture
def packages(tmp_path) -> Path:
    """A folder of the packages of this environment without pip, which a script might take out."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith("pip"):
            (folder / path.name).symlink_to(path)
    return folder


def by_hand(script: str, cwd: Path, path: Path, **env: str) -> subprocess.CompletedProcess:
    """Run a script in `sh`, as GitLab's runner and a container's build do; pip downloads nothing."""
    given = {
        "PATH": f"{path}:{os.environ['PATH']}",
        "HOME": str(cwd),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    return subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=cwd,
        env=given | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize(("defect", "code"), [("", 0), ("--defect=P05", 1)])
def test_the_job_of_gitlab_is_as_green_or_red_as_the_target_and_leaves_its_reports(
    tmp_path, defect, code
):
    two_cases(tmp_path)
    (tmp_path / "target.toml").write_text("[run]\nphases = ['replay']\n")
    done = by_hand(
        JOB["script"][0],
        tmp_path,
        Path(sys.executable).parent,
        MODE="pr",
        CONFIG="target.toml",
        BASELINE="",
        ARGS=f"--self-test --handshakes=none --corpus=corpus {defect}",
    )
    assert done.returncode == code, done.stdout + done.stderr
    reports = JOB["artifacts"]["reports"]
    failures = ET.parse(tmp_path / reports["junit"]).getroot().findall(".//failure")
    quality = json.loads((tmp_path / reports["codequality"]).read_text("utf-8"))
    assert len(failures) == len(quality) == code


def test_the_steps_of_the_container_make_a_tool_that_runs_without_pip(tmp_path, packages):
    first, _, last = CONTAINER.rpartition("\nFROM ")
    home, source = tmp_path / "opt" / "ocppfuzz", tmp_path / "src"
    for *names, place in (line.split()[1:] for line in re.findall(r"^COPY .+$", first, re.M)):
        there = Path(place.replace("/src", str(source)))
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, there)
            else:
                there.mkdir(exist_ok=True)
                shutil.copy(ROOT / name, there)
    (step,) = re.findall(r"^RUN ((?:.+\\\n)*.+)$", first, re.M)
    moved = step.replace("/opt/ocppfuzz", str(home)).replace("/src", str(source))
    here = {"PYTHONPATH": str(packages)}
    built = by_hand(moved, tmp_path, Path(sys.base_prefix) / "bin", **here)
    assert built.returncode == 0, built.stdout + built.stderr

    assert "COPY --from=build /opt/ocppfuzz /opt/ocppfuzz" in last
    assert not list(home.glob("lib/*/site-packages/pip"))
    attack = "ocppfuzz run --phases replay --max-cases 5 --no-color"
    said = by_hand(attack, tmp_path, home / "bin", **here)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "NO FINDING: 5 cases" in said.stdout
