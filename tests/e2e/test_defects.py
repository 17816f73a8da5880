"""Planted defects: switched on, a campaign finds exactly that one and proves it; switched off, a replay says fixed."""

import json

import pytest

from fuzz.station.defects import defects

SEED = 1
MAX_CASES = 2_000
"""The corpus, every boundary and every violation site."""

# Number, flags, how many cases, the symptoms that may be told, and what the smallest case of all findings says, or how
# long it may be at most: a shrinking that costs a connection each time ends with its budget on a busy machine.
# Where every case costs a process, fewer are played.
FOUND = [
    ("P01", (), 800, {"exit 70"}, 60),
    ("P02", (), 800, {"exit 70"}, None),
    ("P04", (), MAX_CASES, {"close 1011"}, 24),
    ("P05", (), MAX_CASES, {"close 1011"}, '[2,"{call.id}",[],{}]'),
    ("P06", (), MAX_CASES, {"close 1011"}, None),
    ("P07", (), MAX_CASES, {"close 1011"}, 2 * 1500),
    (
        "P08",
        ("--strict",),
        MAX_CASES,
        {"non-string messageId echoed", "over-long messageId echoed"},
        '[2,null,"GetVariables",{}]',
    ),
    (
        "P19",
        (),
        MAX_CASES,
        {"exit 70"},
        '[2,"{call.id}","ChangeAvailability",{"operationalStatus":"Operative","evse":{"id":3}}]',
    ),
    (
        "P20",
        (),
        MAX_CASES,
        {"device-model accepted"},
        (
            '[2,"{call.id}","SetVariables",{"setVariableData":[{"component":{"name":"AuthCtrlr"},'
            '"variable":{"name":"Enabled"},"attributeValue":""}]}]'
        ),
    ),
    ("P21", (), MAX_CASES, {"device-model accepted"}, None),
    ("P140", (), 800, {"a result is missing"}, None),
    ("P141", (), MAX_CASES, {"a result of another attributeType"}, None),
    ("P62", ("--strict",), MAX_CASES, {"1.6 spelling"}, '[2,"{call.id}","GetVariables",{}]'),
    ("P03", ("--strict",), MAX_CASES, {"no answer"}, '[5,"{call.id}","GetVariables",{}]'),
    (
        "P23",
        ("--strict",),
        MAX_CASES,
        {"identifier accepted", "date-time accepted"},
        120,
    ),
]


CORPUS = (
    *("frames/call-*", "frames/message-type-5", "frames/message-id-[3n]*", "frames/action-*"),
    *("frames/error-w*", "text/*", "schema/*", "device-model/*", "valid/*", "heavy/*"),
)
"""Stored cases of one message each: scenes would take the time of the tables, and what comes first is what is shrunk."""


@pytest.fixture
def campaign(ocppfuzz, small_corpus):
    small_corpus(*CORPUS)

    def run(number, *flags, max_cases=MAX_CASES):
        budget = ("--seed", SEED, "--max-cases", max_cases, "--max-time", 60)
        budget += ("--phases", "replay,systematic,generated")
        return ocppfuzz("run", "--defect", number, *budget, *flags, "--json")

    return run


@pytest.fixture
def read(tmp_path):
    def load(finding, name):
        return json.loads((tmp_path / finding["folder"] / name).read_text("utf-8"))

    return load


@pytest.mark.parametrize(
    ("number", "flags", "cases", "symptoms", "smallest"), FOUND, ids=[f[0] for f in FOUND]
)
def test_a_defect_is_found_by_its_oracle_alone_then_proven_shrunk_and_replayed(
    number, flags, cases, symptoms, smallest, campaign, ocppfuzz, read, tmp_path
):
    ended = campaign(number, *flags, max_cases=cases)
    assert ended.code == 1, ended.err
    findings = ended.json["findings"]
    assert findings
    assert {f["oracle"] for f in findings} <= set(defects()[number].oracle.split())

    said = []
    for finding in findings:
        proof, case = read(finding, "finding.json"), read(finding, "case.json")
        assert proof["violation"]["symptom"] in symptoms
        assert (proof["status"], proof["confirmed"], proof["tries"]) == ("confirmed", 3, 3)
        assert (proof["control_hits"], proof["control_tries"]) == (0, 3)
        assert len(case["steps"]) == 1
        assert len(spelled(case)) <= len(spelled(proof["original"]))
        said.append(spelled(case))
        folder = tmp_path / finding["folder"]
        files = {"case.json", "finding.json", "transcript.ndjson", "runs.ndjson"}
        files |= {"REPORT.md", "capture.pcapng"}
        # What is counted in a long answer is judged by no plain fact; the report says so.
        files |= set() if finding["oracle"] == "O35" else {"repro.py"}
        assert {f.name for f in folder.iterdir() if f.stat().st_size > 0} == files
    if isinstance(smallest, str):
        assert min(said, key=len) == smallest
    elif smallest is not None:
        assert min(map(len, said)) <= smallest

    again = ocppfuzz("replay", "findings", "--defect", number, "--json")
    assert (again.code, outcomes(again)) == (1, {"reproduced"}), again.out
    mended = ocppfuzz("replay", "findings", "--json")
    assert (mended.code, outcomes(mended)) == (0, {"fixed"}), mended.out


def outcomes(replayed):
    return {json.loads(line)["outcome"] for line in replayed.out.splitlines()}


def spelled(case):
    """What a case says, repetitions written out; base64 where it says bytes."""
    parts = [part for step in case["steps"] for part in step.get("text", [step.get("base64")])]
    return "".join(p if isinstance(p, str) else p["repeat"] * p["times"] for p in parts)


@pytest.mark.parametrize(("number", "oracle"), [("P03", "O4"), ("P23", "O8")])
def test_what_is_tolerated_in_the_field_is_a_remark_by_default(number, oracle, campaign):
    ended = campaign(number)
    assert ended.code == 0, ended.err
    assert ended.json["findings"] == []
    assert {r["oracle"] for r in ended.json["remarks"]} == {oracle}
