"""The step of the GitHub action with the real tool in it, against the embedded station."""

import json
import os
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"] if "id" in step}
SMALL = "--handshakes=none\n--phases=replay\n--corpus=corpus"


@pytest.fixture
def step(tmp_path):
    """Runs a step of the action as GitHub's runner does, with a corpus of two cases."""
    import sys

    for name in ("corpus/framing/action-array.json", "corpus/valid/clear-cache.json"):
        (tmp_path / "work" / name).parent.mkdir(parents=True)
        (tmp_path / "work" / name).write_bytes((ROOT / name).read_bytes())
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
