"""Reports for CI of every command that judges a target: written at once, valid, and telling the same."""

import json
import re
import signal
import sys
import unicodedata
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from fuzz.report.document import SCHEMA_FILE
from fuzz.report.files import FORMATS

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
SARIF_SCHEMA = Path(__file__).parents[1] / "fuzz" / "schemas" / "sarif-schema-2.1.0.json"
FLAGS = [word for name in FORMATS for word in (f"--{name}", f"ci/{name}")]


class Reports:
    """All six of one run, read and checked by their schemas."""

    def __init__(self, folder: Path) -> None:
        texts = {name: (folder / "ci" / name).read_text("utf-8") for name in FORMATS}
        self.whole = json.loads(texts["json"])
        jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text())).validate(self.whole)
        sarif = json.loads(texts["sarif"])
        jsonschema_rs.validator_for(json.loads(SARIF_SCHEMA.read_text())).validate(sarif)
        self.sarif = sarif["runs"][0]
        self.suite = ET.fromstring(texts["junit"].encode())[0]
        self.lines = [json.loads(line) for line in texts["ndjson"].splitlines()]
        self.markdown = texts["markdown"]
        self.quality = json.loads(texts["gitlab-codequality"])

    @property
    def failed(self) -> list[str]:
        return [
            c.attrib["name"] for c in self.suite.iter("testcase") if c.find("failure") is not None
        ]

    def agree(self) -> None:
        """Who was attacked and which findings there are is the same in each."""
        attacked = self.whole["attacked"]
        assert attacked.startswith("Charging Station ocppfuzz-lab dc-2evse-ccs1, firmware ")
        assert self.suite.find("properties")[0].attrib == {"name": "attacked", "value": attacked}
        assert self.sarif["properties"]["attacked"] == self.lines[0]["attacked"] == attacked
        assert self.markdown.startswith(f"Attacked: `{attacked}`. This is not an OCA certification")
        marks = [f["fingerprint"] for f in self.whole["findings"]]
        assert [f["fingerprint"] for f in self.lines if f["event"] == "finding"] == marks
        assert [r["partialFingerprints"]["ocppfuzz/v1"] for r in self.sarif["results"]] == marks
        assert [entry["fingerprint"] for entry in self.quality] == marks
        assert self.lines[-1]["exit_code"] == self.whole["exit_code"]
        names = [c.attrib["name"] for c in self.suite.iter("testcase")]
        assert len(names) == len(set(names)) == len(self.whole["checks"]) + 1


@pytest.fixture
def played(ocppfuzz, tmp_path):
    """Runs a command with all six reports; its exit code must be the one that they tell."""

    def play(*words: object) -> Reports:
        ended = ocppfuzz(*words, *FLAGS)
        reports = Reports(tmp_path)
        assert reports.whole["exit_code"] == ended.code, ended.err
        reports.agree()
        return reports

    return play


def test_a_campaign_names_its_finding_once_in_each_and_a_replay_finds_it_mended(played, tmp_path):
    flags = (
        "--max-time",
        20,
        "--seed",
        1,
        "--phases",
        "systematic",
        "--only",
        "ChangeAvailability",
    )
    told = played("run", "--defect", "evse-index", *flags)
    assert told.whole["exit_code"] == 1
    assert told.failed == ["process-death (O1): ChangeAvailability, CALL"]
    (finding,) = told.whole["findings"]
    assert (tmp_path / finding["case"]["path"]).is_file()
    assert told.quality[0]["location"]["path"] == finding["case"]["path"]
    assert finding["replay"] == f"ocppfuzz replay {finding['folder']} --defect evse-index"
    (rule,) = told.sarif["tool"]["driver"]["rules"]
    assert (rule["id"], rule["properties"]["security-severity"]) == ("O1", "9.5")
    assert "### ocppfuzz run: 1 finding\n" in told.markdown
    assert told.whole["details"]["findings"][0]["fingerprint"] == finding["fingerprint"]
    assert told.whole["counts"]["passed"] > 10

    broken = played("replay", "findings", "--defect", "evse-index")
    assert broken.failed == [finding["folder"]]
    assert broken.whole["findings"][0]["fingerprint"] == finding["fingerprint"]
    mended = played("replay", "findings")
    assert (mended.failed, mended.whole["counts"]["passed"]) == ([], 1)


def test_the_tls_lab_tells_each_case_under_its_id(played, tmp_path):
    told = played("tls", "--only", "TS-31", "--only", "TS-34", "--defect", "ignores-expiry")
    assert told.failed == ["TS-31"]
    assert {c["name"]: c["status"] for c in told.whole["checks"]} == {
        "TS-31": "failed",
        "TS-34": "passed",
    }
    (finding,) = told.whole["findings"]
    stored = json.loads((tmp_path / finding["folder"] / "finding.json").read_text())
    assert stored["fingerprint"] == finding["fingerprint"]
    assert (
        told.sarif["tool"]["driver"]["rules"][0]["properties"]["tags"][-1] == "external/cwe/cwe-298"
    )


def test_conformance_tests_are_told_under_their_ids(played):
    told = played("conformance", "TC_B_01", "TC_B_11", "--defect", "P20")
    assert told.failed == ["TC_B_11"]
    assert told.whole["findings"][0]["replay"].startswith("ocppfuzz conformance TC_B_11 ")
    assert told.whole["details"]["abstract"]["subject"]["Model"] == "dc-2evse-ccs1"


@pytest.mark.parametrize(
    ("stop", "at_first"),
    [
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_IGN),
    ],
)
def test_a_job_that_is_cancelled_leaves_its_reports(started, until, tmp_path, stop, at_first):
    """A script has those that it starts in the background ignore SIGINT (`at_first`)."""
    before = signal.signal(signal.SIGINT, at_first)
    try:
        running = started(OCPPFUZZ, "tls", "--jobs", 1, *FLAGS)
    finally:
        signal.signal(signal.SIGINT, before)
    until(lambda: " passed, S" in running.text, lambda: running.text)
    running.process.send_signal(stop)
    assert running.process.wait(120) == 130
    told = Reports(tmp_path)
    assert (told.whole["exit_code"], told.whole["reason"]) == (130, "stopped before its end")
    assert told.whole["counts"]["not run"] > 10
    assert told.whole["counts"]["passed"] > 0
    assert "Traceback" not in running.text


def test_a_campaign_that_is_stopped_leaves_its_reports(started, until, tmp_path):
    running = started(OCPPFUZZ, "run", "--max-time", 60, *FLAGS)
    until(lambda: "phase systematic" in running.text, lambda: running.text, 90)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(120) in (0, 3)
    told = Reports(tmp_path)
    told.agree()
    assert told.whole["reason"].startswith("stopped")


def test_a_build_that_is_cancelled_tells_what_works_afterwards(started, until, tmp_path):
    build = ("regress", "--self-test", "--handshakes", "none")
    running = started(OCPPFUZZ, *build, *FLAGS)
    until(lambda: "phase systematic" in running.text, lambda: running.text, 90)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(120) == 3
    assert "a build is not resumed: start it again" in running.text
    assert "--resume" not in running.text


def test_a_station_that_never_calls_is_an_error_in_the_reports(ocppfuzz, tmp_path, port):
    ended = ocppfuzz(
        "run", "--listen", f"127.0.0.1:{port}", "--identity", "CS-1", "--wait", 1, *FLAGS
    )
    assert ended.code == 3
    told = Reports(tmp_path)
    assert (told.suite.attrib["errors"], told.suite.attrib["tests"]) == ("1", "1")
    assert told.sarif["invocations"][0]["executionSuccessful"] is False
    assert "### ocppfuzz run: not everything is proven\n" in told.markdown


def test_what_cannot_be_written_stops_before_the_target_is_started(ocppfuzz, tmp_path):
    ended = ocppfuzz("tls", "--only", "TS-34", "--junit", ".")
    assert (ended.code, ended.complains_once()) == (2, "--junit . is no file; name one")
    assert list(tmp_path.iterdir()) == []


MOST_MB = 600
LIMITS = {
    "junit": 30 * 10**6,  # GitLab: unit test reports
    "sarif": 10 * 10**6,  # GitHub: code scanning
    "json": 3 * 10**6,
    "ndjson": 3 * 10**6,
    "markdown": 65_536,  # GitHub: characters of a comment
    "gitlab-codequality": 3 * 10**6,
    "html": 5 * 10**6,
}
"""The most bytes that the readers of each format take; where none is known, what a person would still open."""


def test_a_station_that_is_after_its_reader_leaves_terminal_and_reports_inert_and_memory_flat(
    started, tmp_path, peers, port
):
    place = ("--listen", f"127.0.0.1:{port}", "--identity", "LOUD", "--security-profile", 0)
    budget = ("--phases", "systematic", "--max-cases", 150, "--seed", 1)
    running = started(OCPPFUZZ, "run", *place, *budget, *FLAGS)
    station = started(sys.executable, peers / "loud_station.py", f"ws://127.0.0.1:{port}/ocpp/LOUD")
    code, peak_mb = running.ended()
    assert code == 1, running.text + station.text
    assert {"knock", "shout 0", "shout 1", "shout 2"} <= set(station.text.splitlines())
    assert 0 < peak_mb < MOST_MB
    assert all(c.isprintable() or c == "\n" for c in running.text), "something is not escaped"
    assert "Traceback" not in running.text

    told = Reports(tmp_path)
    assert told.failed
    assert "<script" in told.whole["attacked"]
    for name in FORMATS:
        text = (tmp_path / "ci" / name).read_text("utf-8")
        assert not {unicodedata.category(c) for c in text if c != "\n"} & {"Cc", "Cf", "Cs", "Cn"}
        assert len(text.encode()) < LIMITS[name]
    assert longest(told.whole, told.sarif, told.lines, told.quality) <= 20_000
    assert max(len(e.text or "") for e in told.suite.iter()) < 60_000
    outside = re.sub(r"(`+).+?\1", "", told.markdown)
    assert not set("<@[]") & set(outside)
    for path in (tmp_path / "findings").glob("*/REPORT.md"):
        assert path.stat().st_size < LIMITS["markdown"]
        assert "\x1b" not in path.read_text("utf-8")


def longest(*values: object) -> int:
    """The longest text anywhere inside."""
    match values:
        case (str() as text,):
            return len(text)
        case (dict() as inside,):
            return longest(*inside, *inside.values())
        case (list() as inside,):
            return longest(*inside)
        case (_,) | ():
            return 0
    return max(map(longest, values))
