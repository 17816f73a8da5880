"""What leaves the house: packs are replayed elsewhere, and `repro.py` needs nothing but Python."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.engine.line import PROBES
from fuzz.records import (
    Basis,
    Case,
    Disconnect,
    Finding,
    FindingStatus,
    Misbehave,
    SendFrames,
    SendText,
    Settle,
    Severity,
    Side,
    TargetFacts,
    Violation,
)
from fuzz.report.repro import repro_of
from strategies.labels import Expectation, Stance, Tier
from strategies.wsframes import Opcode, frame

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")

# Defect, its depth, the flags that find it, and what `repro.py` sees of it.
PLAYED = [
    ("P01", ("systematic", "--max-cases", 800), "the connection ended with 1006; it did not"),
    ("P02", ("systematic", "--max-cases", 800), "the connection ended with 1006; it did not"),
    ("P03", ("systematic", "--strict"), "the message was not answered"),
    ("P04", ("systematic",), "the connection ended with 1011"),
    ("P05", ("systematic", "--only", "GetVariables"), "the connection ended with 1011"),
    ("P06", ("systematic",), "the connection ended with 1011"),
    ("P07", ("systematic",), "the connection ended with 1011"),
    ("P08", ("systematic", "--strict"), "answered with [3, "),
    ("P09", ("answers",), "the connection ended with 1006; it did not"),
    ("P10", ("answers",), "the connection ended with 1006; it did not"),
    ("P15", ("frames",), "0 pongs came"),
    ("P19", ("systematic", "--only", "ChangeAvailability"), "the connection ended with 1006"),
    ("P20", ("systematic", "--only", "SetVariables"), "answered with [3, "),
    ("P61", ("systematic,twins",), "Traceback"),
    ("P62", ("systematic", "--strict"), "OccurenceConstraintViolation"),
]


@pytest.fixture
def found(ocppfuzz, tmp_path):
    """The folder of the first finding of a campaign with a planted defect."""

    def run(*flags: object) -> Path:
        budget = ("--seed", 1, "--max-time", 90, "--fail-fast", "--json")
        ended = ocppfuzz("run", "--security-profile", 1, *budget, *flags)
        assert ended.code == 1, ended.err
        return tmp_path / ended.json["findings"][0]["folder"]

    return run


@pytest.fixture
def repro(started, until, tmp_path_factory, port):
    """Runs a script alone in an empty folder, with a station that dials it; how it ended and what it said."""

    def play(script: bytes, *flags: object, back: int = 3) -> tuple[int, str]:
        empty = tmp_path_factory.mktemp("empty")
        (empty / "repro.py").write_bytes(script)
        place = ("--listen", f"127.0.0.1:{port}", "--wait", 30, "--back", back, "--timeout", 5)
        words = (sys.executable, "-I", "-S", "repro.py", *place)
        running = started(*words, cwd=empty)
        until(lambda: "listening at" in running.text, lambda: running.text)
        url = f"ws://127.0.0.1:{port}"
        station = started(OCPPFUZZ, "serve", "station", url, "--identity", "CS-1", *flags)
        code = running.process.wait(240)
        station.end()
        assert sorted(path.name for path in empty.iterdir()) == ["repro.py"]
        return code, running.text

    return play


@pytest.mark.parametrize(("number", "flags", "seen"), PLAYED, ids=[p[0] for p in PLAYED])
def test_a_script_reproduces_a_planted_defect_and_nothing_without_it(
    number, flags, seen, found, repro
):
    script = (found("--defect", number, "--phases", *flags) / "repro.py").read_bytes()
    code, told = repro(script, "--defect", number)
    assert code == 1, told
    assert "\nREPRODUCED: " in told
    assert seen in told
    code, told = repro(script)
    assert code == 0, told
    assert "\nNOT REPRODUCED: " in told


# A campaign waits half a minute for each answer that never comes, so these two are told without one.
SILENT = [
    (
        "P12",
        SendFrames(
            frame(b'[2,"in-parts","Get', Opcode.TEXT, fin=0, mask=None)
            + frame(b"between", Opcode.PING, mask=None)
            + frame(b'LocalListVersion",{}]', Opcode.CONTINUATION, mask=None)
        ),
    ),
    (
        "P53",
        SendText(
            (
                '[2,"{call.id}","InstallCertificate",{"certificateType":"V2GRootCertificate",',
                '"certificate":"-----BEGIN CERTIFICATE-----"}]',
            )
        ),
    ),
]


@pytest.mark.parametrize(("number", "step"), SILENT, ids=[s[0] for s in SILENT])
def test_a_script_tells_silence_from_an_answer(number, step, repro):
    case = Case("c", Side.STATION, (step,), Expectation(Stance.ACCEPT, Tier.MODEL))
    silence = Violation("O4", "unanswered-call", Basis.SHALL, Severity.MEDIUM, "no answer", "")
    facts = TargetFacts(Side.STATION)
    finding = Finding("0" * 16, silence, case, case, facts, status=FindingStatus.CONFIRMED)
    script = repro_of(finding, PROBES[Side.STATION])
    code, told = repro(script, "--defect", number)
    assert code == 1, told
    assert "REPRODUCED: the message was not answered; harmless CALLs are served" in told
    code, told = repro(script)
    assert code == 0, told


def test_a_script_receives_a_caller_badly_and_sees_that_it_comes_back(repro):
    call = SendText(('[2,"{call.id}","GetLocalListVersion",{}]',))
    steps = (Misbehave("101-nonsense"), Disconnect(), call, Settle())
    case = Case("c", Side.STATION, steps, Expectation(Stance.ACCEPT, Tier.MODEL))
    away = Violation("O29", "recovery", Basis.STOPPED_SERVING, Severity.HIGH, "not back", "")
    facts = TargetFacts(Side.STATION)
    finding = Finding("0" * 16, away, case, case, facts, status=FindingStatus.CONFIRMED)
    code, told = repro(repro_of(finding, PROBES[Side.STATION]), back=180)
    assert code == 0, told
    assert told.count("connected: ") == 2
    assert "a caller was answered badly: 101-nonsense" in told


def test_a_pack_is_replayed_elsewhere_and_its_script_run_with_nothing_but_python(
    ocppfuzz, found, repro, tmp_path, tmp_path_factory
):
    folder = found("--defect", "P01", "--phases", "systematic")
    packed = ocppfuzz("report", "pack", folder, "-o", "sealed.zip")
    assert packed.code == 0, packed.err
    again = ocppfuzz("report", "pack", folder, "-o", "again.zip")
    assert packed.out.splitlines()[1] == again.out.splitlines()[1]

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    pack = elsewhere / "sealed.zip"
    (tmp_path / "sealed.zip").rename(pack)
    broken = ocppfuzz("replay", pack, "--defect", "P01", "--json", cwd=elsewhere)
    assert (broken.code, broken.json["outcome"]) == (1, "reproduced"), broken.err
    mended = ocppfuzz("replay", pack, "--json", cwd=elsewhere)
    assert (mended.code, mended.json["outcome"]) == (0, "fixed"), mended.err
    told = ocppfuzz("explain", pack)
    assert told.out.startswith("process-death (O1)\n")

    unpacked = tmp_path_factory.mktemp("unpacked")
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", pack, unpacked], check=True, capture_output=True
    )
    manifest = json.loads((unpacked / "manifest.json").read_text("utf-8"))
    names = {"REPORT.md", "capture.pcapng", "case.json", "finding.json"}
    names |= {"repro.py", "runs.ndjson", "transcript.ndjson"}
    assert set(manifest["files"]) == names
    assert abs(manifest["clock_offset_s"]) < 60
    runs = [json.loads(line) for line in (unpacked / "runs.ndjson").read_text().splitlines()]
    assert [(run["control"], run["shown"]) for run in runs] == [(False, True)] * 3 + [
        (True, False)
    ] * 3
    code, said = repro((unpacked / "repro.py").read_bytes(), "--defect", "P01")
    assert code == 1, said


def test_a_pack_that_was_tampered_with_is_refused(ocppfuzz, found, tmp_path):
    ocppfuzz("report", "pack", found("--defect", "P05", "--phases", "systematic"), "-o", "p.zip")
    pack = tmp_path / "p.zip"
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    refused = ocppfuzz("replay", pack)
    assert refused.code == 2
    assert "nothing in it can be trusted" in refused.complains_once()


def test_a_defect_that_became_another_one_is_shown_beside_what_was_expected(ocppfuzz, found):
    folder = found("--defect", "P05", "--phases", "systematic", "--only", "GetVariables")
    case = json.loads((folder / "case.json").read_text("utf-8"))
    # The same message with the trigger of another defect in it.
    case["steps"][0]["text"] = ['[2,"\\ud800",[],{}]']
    (folder / "case.json").write_text(json.dumps(case))
    changed = ocppfuzz("replay", folder, "--defect", "P01")
    assert changed.code == 1, changed.err
    lines = [line for line in changed.out.splitlines() if line.startswith(("changed", "  "))]
    assert lines[1:] == [
        "  expected  connection-closed (O3): close 1011",
        "  seen      process-death (O1): exit 70",
    ]


def test_a_corpus_folder_is_replayed_as_a_whole(ocppfuzz, tmp_path):
    corpus = Path(__file__).parents[2] / "corpus"
    played = ocppfuzz("replay", corpus / "text", "--json")
    assert played.code == 0, played.out
    outcomes = [json.loads(line)["outcome"] for line in played.out.splitlines()]
    assert len(outcomes) == len(list((corpus / "text").glob("*.json")))
    assert set(outcomes) == {"fixed"}


@pytest.mark.parametrize(("flag", "code"), [("--defect", 1), ("--healthy", 0)])
def test_a_script_dials_a_csms(
    ocppfuzz, started, until, peers, tmp_path, tmp_path_factory, flag, code
):
    def served(word: str) -> str:
        csms = started(sys.executable, peers / "own_csms.py", 0, word)
        until(lambda: csms.text.partition("\n")[1], lambda: csms.text)
        return f"ws://127.0.0.1:{int(csms.text.splitlines()[0])}/CS-1"

    url = served("--defect")
    flags = ("--phases", "systematic", "--fail-fast", "--max-time", 60, "--seed", 1, "--json")
    named = ("--target", url, "--identity", "CS-1", "--security-profile", 1)
    ended = ocppfuzz("run", *named, *flags)
    assert ended.code == 1, ended.err
    folder = Path(ended.json["findings"][0]["folder"])
    empty = tmp_path_factory.mktemp("empty")
    script = empty / "repro.py"
    script.write_bytes((tmp_path / folder / "repro.py").read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", "-S", "repro.py", served(flag), "--wait", "20"],
        cwd=empty,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("NOT REPRODUCED" in done.stdout) is (code == 0)


def test_a_pack_of_another_target_is_played_there_once_that_is_named(
    ocppfuzz, started, until, peers, tmp_path_factory
):
    csms = started(sys.executable, peers / "own_csms.py", 0, "--defect")
    until(lambda: csms.text.partition("\n")[1], lambda: csms.text)
    url = f"ws://127.0.0.1:{int(csms.text.splitlines()[0])}/CS-1"
    named = ("--target", url, "--identity", "CS-1", "--security-profile", 1)
    flags = ("--phases", "systematic", "--fail-fast", "--max-time", 60, "--seed", 1, "--json")
    ended = ocppfuzz("run", *named, *flags)
    assert ended.code == 1, ended.err
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    pack = elsewhere / "sock.zip"
    ocppfuzz("report", "pack", ended.json["findings"][0]["folder"], "-o", pack)

    unasked = ocppfuzz("replay", pack, cwd=elsewhere)
    assert (unasked.code, unasked.out) == (2, "")
    assert " ".join(map(str, named)) in unasked.complains_once()
    (elsewhere / "ocppfuzz.toml").write_text(
        f'[target]\nurl = "{url}"\nidentity = "CS-1"\nsecurity_profile = 1\n'
    )
    again = ocppfuzz("replay", pack, cwd=elsewhere)
    assert again.code == 1, again.err
    assert again.out.startswith(f"Attacking the CSMS at {url}, security profile 1\n")
    assert "\nreproduced  " in again.out
