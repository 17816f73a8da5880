"""Cases and findings survive the disk, whatever is in them and whenever the writer dies."""

import errno
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, strategies as st

from fuzz.errors import CaseFormatError, StoreError, UsageError
from fuzz.records import (
    AnswerNext,
    Basis,
    Case,
    Disconnect,
    Effect,
    Entry,
    Expect,
    Finding,
    FindingStatus,
    Operator,
    Preamble,
    Provenance,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Severity,
    Side,
    TargetFacts,
    TlsStep,
    Violation,
    Wait,
    Who,
)
from fuzz.store import (
    MAX_FILE_BYTES,
    MAX_REPEATS,
    CampaignState,
    case_from_json,
    case_size,
    case_to_json,
    clear_state,
    corpus_cases,
    drop_private,
    findings_in,
    fingerprint,
    load_case,
    load_finding,
    load_private,
    load_state,
    merge,
    save_case,
    save_finding,
    save_private,
    save_state,
)
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    Mutation,
    Position,
    Repeated,
    Stance,
    Tier,
)

ROOT = Path(__file__).parents[2]
SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "corpus/case.schema.json").read_text()))

words = st.text(max_size=8)
wild_text = st.text(st.characters(codec=None), max_size=8)  # lone and touching surrogates included
texts = st.lists(wild_text | st.builds(Repeated, wild_text, st.integers(0, 1_000)), max_size=3).map(
    tuple
)
seconds = st.floats(0, 1e6)
plain_steps = (
    st.builds(SendText, texts)
    | st.builds(SendBytes, st.binary(max_size=20), st.sampled_from(["text", "binary"]))
    | st.builds(SendFrames, st.binary(max_size=20))
    | st.builds(AnswerNext, words, texts)
    | st.builds(Expect, words, seconds)
    | st.builds(Wait, seconds)
    | st.builds(Disconnect, st.integers(0, 70_000))
    | st.builds(Operator, words, words)
    | st.builds(TlsStep, words, st.lists(st.tuples(words, words), max_size=2).map(tuple))
)
steps = st.recursive(
    plain_steps,
    lambda inner: st.builds(
        RepeatSteps, st.lists(inner, max_size=3).map(tuple), st.integers(0, MAX_REPEATS)
    ),
    max_leaves=4,
)
step_lists = st.lists(steps, max_size=4).map(tuple)
mutations = st.builds(Mutation, st.sampled_from(Channel), words, words, words, words, words)
cases = st.builds(
    Case,
    id=words,
    side=st.sampled_from(Side),
    steps=step_lists,
    expectation=st.builds(
        Expectation,
        st.sampled_from(Stance),
        st.sampled_from(Tier),
        st.none() | st.sampled_from(Fault),
        words,
    ),
    control=step_lists,
    preamble=st.sampled_from(Preamble),
    effect=st.sampled_from(Effect),
    position=st.sampled_from(Position),
    action=words,
    mutations=st.lists(mutations, max_size=2).map(tuple),
    provenance=st.builds(Provenance, words, st.integers(), st.integers(), words),
    heavy=st.booleans(),
    version=words,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)

CASE = Case(
    id="Reset/type/missing",
    side=Side.STATION,
    steps=(SendText(('[2,"{call.id}","Reset",{}]',)),),
    expectation=Expectation(Stance.REJECT, Tier.SCHEMA, Fault.MISSING),
    action="Reset",
    mutations=(Mutation(Channel.PAYLOAD, "/type", "required", "missing"),),
    provenance=Provenance("systematic", 7, 3, "0.1.0"),
)
BIG_CASE = replace(CASE, id="big", steps=(*CASE.steps, Wait(1.0)))
VIOLATION = Violation(
    "O4", "unanswered-call", Basis.SHALL, Severity.HIGH, "silence", "a CALL was never answered"
)
FINDING = Finding(
    fingerprint="0123456789abcdef",
    violation=VIOLATION,
    case=CASE,
    original=BIG_CASE,
    facts=TargetFacts(Side.STATION, supported=frozenset({"Reset"}), items_per_message={"a": 4}),
    entries=(Entry(0.25, Who.US, "text", "{call.id} \ud800"),),
    also=("other",),
    first_seen="2026-01-01T00:00:00.000Z",
    notes=("seen twice",),
)
CONFIRMED = replace(FINDING, status=FindingStatus.CONFIRMED, confirmed=3, tries=3)


def names_in(folder: Path) -> list[str]:
    return sorted(f.name for f in folder.iterdir())


def through_text(value: object) -> object:
    return json.loads(json.dumps(value))


@given(cases)
def test_a_case_comes_back_from_its_stored_form_as_it_was(case):
    assert case_from_json(through_text(case_to_json(case)), source="x") == case


@given(cases)
def test_every_stored_case_fits_the_published_schema(case):
    SCHEMA.validate(through_text(case_to_json(case)))


def test_touching_surrogate_halves_do_not_melt_into_one_character():
    case = replace(CASE, steps=(SendText(("\ud83d\ude00",)),))
    assert case_to_json(case)["steps"] == [
        {"do": "send-text", "text": [{"join": ["\ud83d", "\ude00"]}]}
    ]


@given(json_values)
def test_any_other_value_raises_only_a_case_format_error_that_names_the_file(value):
    with pytest.raises(CaseFormatError, match=r"^x\.json: "):
        case_from_json(value, source="x.json")


@given(st.data())
def test_a_damaged_case_is_read_or_refused_but_never_crashes_the_reader(data):
    stored = through_text(case_to_json(data.draw(cases)))
    stored[data.draw(st.sampled_from(sorted(stored)))] = data.draw(json_values)
    with suppress(CaseFormatError):
        case = case_from_json(stored, source="x.json")
        assert case_from_json(through_text(case_to_json(case)), source="x") == case


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "at /format: 2 is newer than 1, the newest known; update ocppfuzz"),
        ({"format": True}, "at /format: bool is not a format number; this is not our file"),
        ({"format": 0}, "at /format: 0 is no format; known: 1 to 1"),
        ({"side": "moon"}, "at /side: 'moon' is unknown; known: station, csms"),
        ({"colour": 1}, "unknown member 'colour'"),
        ({"heavy": 1}, "at /heavy: int is not of type bool"),
        ({"steps": [{"do": "jump"}]}, "at /steps/0/do: 'jump' is no step; known: send-text,"),
        ({"steps": [{"do": "wait"}]}, "at /steps/0: 'seconds' is missing"),
        ({"steps": [{"do": "wait", "seconds": 1e999}]}, "at /steps/0/seconds: inf is not a finite"),
        ({"steps": [{"do": "send-bytes", "base64": "?"}]}, "at /steps/0/base64: not base64"),
        (
            {"steps": [{"do": "send-text", "text": [{"repeat": "aa", "times": 2**40}]}]},
            "at /steps/0/text: 2199023255552 characters; at most 268435456",
        ),
        (
            {"steps": [{"do": "send-text", "text": [{"repeat": "a", "times": -1}]}]},
            "at /steps/0/text/0/times: -1 is below 0",
        ),
        (
            {"steps": [{"do": "repeat", "steps": [], "times": 10**7}]},
            "at /steps/0/times: 10000000 is not within 0 to 1000000",
        ),
        ({"steps": [{"do": "tls", "id": "a", "parameters": [["b"]]}]}, "1 items where 2 belong"),
    ],
)
def test_a_case_file_that_does_not_fit_is_refused_with_place_and_reason(change, message):
    with pytest.raises(CaseFormatError) as caught:
        case_from_json(case_to_json(CASE) | change, source="c.json")
    assert message in str(caught.value)


def test_steps_nested_beyond_the_recursion_limit_are_refused():
    step: object = {"do": "wait", "seconds": 1}
    for _ in range(5_000):
        step = {"do": "repeat", "steps": [step], "times": 1}
    with pytest.raises(CaseFormatError, match="nested too deeply"):
        case_from_json(case_to_json(CASE) | {"steps": [step]}, source="c.json")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "line 1: not readable as JSON"),
        (b"\xff", "not readable as JSON"),
        (b"[" * 100_000, "not readable as JSON"),
        (b"9" * 5_000, "not readable as JSON"),
    ],
)
def test_a_file_that_is_not_json_is_refused_by_name(tmp_path, data, message):
    file = tmp_path / "broken.json"
    file.write_bytes(data)
    with pytest.raises(CaseFormatError, match=message) as caught:
        load_case(file)
    assert str(file) in str(caught.value)


def test_a_file_too_long_to_be_a_case_is_refused_unread(tmp_path):
    file = tmp_path / "long.json"
    with file.open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(CaseFormatError, match="longer than"):
        load_case(file)


def test_a_file_that_does_not_exist_is_refused_by_name(tmp_path):
    with pytest.raises(CaseFormatError, match=r"none\.json: cannot be read: No such file"):
        load_case(tmp_path / "none.json")


def test_a_saved_case_is_made_for_git_diff(tmp_path):
    file = tmp_path / "family" / "case.json"
    save_case(replace(CASE, action="Zürich"), file)
    data = file.read_bytes()
    assert data.isascii()
    assert data.endswith(b"}\n")
    assert b'\n  "action": "Z\\u00fcrich",\n' in data
    assert list(json.loads(data)) == sorted(json.loads(data))
    assert load_case(file) == replace(CASE, action="Zürich")


# --- the corpus -------------------------------------------------------------------------------------------


def test_the_corpus_is_read_by_family_in_the_order_of_paths(tmp_path):
    save_case(replace(CASE, id="3"), tmp_path / "text" / "a.json")
    save_case(replace(CASE, id="2"), tmp_path / "framing" / "b.json")
    save_case(replace(CASE, id="1"), tmp_path / "framing" / "a.json")
    (tmp_path / "README.md").write_text("not a case")
    (tmp_path / "case.schema.json").write_text("{}")
    assert [c.id for c in corpus_cases(tmp_path)] == ["1", "2", "3"]


def test_a_corpus_in_the_current_folder_goes_before_the_packaged_one(tmp_path, monkeypatch):
    save_case(replace(CASE, id="mine"), tmp_path / "corpus" / "f" / "a.json")
    monkeypatch.chdir(tmp_path)
    assert [c.id for c in corpus_cases()] == ["mine"]


def test_elsewhere_the_corpus_that_came_with_the_product_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert corpus_cases() == corpus_cases(ROOT / "corpus")


def test_a_named_corpus_that_does_not_exist_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="does not exist; give one to --corpus"):
        corpus_cases(tmp_path / "nowhere")


def test_every_committed_case_fits_the_published_schema():
    for file in (ROOT / "corpus").glob("*/*.json"):
        SCHEMA.validate(json.loads(file.read_text()))


# --- findings ---------------------------------------------------------------------------------------------


def report_on(finding, there):
    return {"REPORT.md": f"report on {finding.violation.oracle} beside {sorted(there)}".encode()}


def test_a_finding_comes_back_from_its_folder_as_it_was(tmp_path):
    folder = save_finding(FINDING, tmp_path, render=report_on)
    assert folder == tmp_path / "O4-01234567"
    assert names_in(folder) == [
        "REPORT.md",
        "case.json",
        "finding.json",
        "transcript.ndjson",
    ]
    assert (folder / "REPORT.md").read_text() == "report on O4 beside []"
    assert load_finding(folder) == load_finding(folder / "case.json") == FINDING
    assert findings_in(tmp_path) == (FINDING,)
    assert load_case(folder) == CASE


def test_a_folder_without_findings_has_none(tmp_path):
    assert findings_in(tmp_path / "nowhere") == ()


def test_a_confirmed_finding_takes_the_place_of_its_candidate(tmp_path):
    save_finding(replace(FINDING, case=BIG_CASE), tmp_path)
    folder = save_finding(CONFIRMED, tmp_path)
    stored = load_finding(folder)
    assert (stored.status, stored.confirmed, stored.case) == (FindingStatus.CONFIRMED, 3, CASE)
    assert names_in(tmp_path) == [".lock", "O4-01234567"]


def test_a_later_candidate_does_not_replace_a_confirmed_finding(tmp_path):
    save_finding(CONFIRMED, tmp_path)
    newcomer = replace(FINDING, case=replace(CASE, id="late"), original=replace(CASE, id="late"))
    stored = load_finding(save_finding(newcomer, tmp_path))
    assert (stored.status, stored.case) == (FindingStatus.CONFIRMED, CASE)
    assert stored.also == ("late", "other")


def test_of_two_findings_of_one_status_the_smaller_case_is_kept():
    small, big = CONFIRMED, replace(CONFIRMED, case=BIG_CASE, first_seen="2025-12-31T00:00:00.000Z")
    assert merge(small, big) == merge(big, small)
    assert merge(big, small).case == CASE
    assert merge(big, small).first_seen == "2025-12-31T00:00:00.000Z"


def test_repetitions_count_as_long_as_they_are_when_sizes_are_compared():
    heavy = replace(CASE, steps=(SendText((Repeated("[", 1_000),)), RepeatSteps((Wait(1),), 9)))
    assert case_size(heavy) == (3, 1_000)


def _save_many(root: Path, ids: list[str]) -> None:
    for id in ids:
        save_finding(replace(FINDING, case=replace(CASE, id=id), original=CASE), root)


def test_two_writers_of_one_fingerprint_lose_nothing(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(_save_many, tmp_path, [f"{w}-{n}" for n in range(10)]) for w in "ab"]
    assert [w.result() for w in writers] == [None, None]
    stored = findings_in(tmp_path)[0]
    names = {stored.case.id, stored.original.id, *stored.also}
    assert names >= {f"{w}-{n}" for w in "ab" for n in range(10)}


class Killed(BaseException):
    """Stands for kill -9: no handler of ours may clean up after it."""


def _dies_at(monkeypatch, number: int) -> None:
    left = iter(range(number))

    def patched(original):
        def call(*args, **kwargs):
            if next(left, None) is None:
                raise Killed
            return original(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "fsync", patched(os.fsync))
    for name in ("rename", "mkdir", "unlink"):
        monkeypatch.setattr(Path, name, patched(getattr(Path, name)))
    monkeypatch.setattr("shutil.rmtree", patched(lambda path, ignore_errors: None))


def test_a_writer_killed_at_any_moment_leaves_the_old_finding_or_the_new(tmp_path):
    outcomes = set()
    for number in range(12):
        root = tmp_path / str(number)
        folder = save_finding(FINDING, root)
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            _dies_at(patch, number)
            save_finding(CONFIRMED, root)
        outcomes.add(load_finding(folder).status)
        assert len(findings_in(root)) == 1
        assert load_finding(save_finding(CONFIRMED, root)).status is FindingStatus.CONFIRMED
        assert names_in(root) == [".lock", "O4-01234567"]
    assert outcomes == {FindingStatus.CANDIDATE, FindingStatus.CONFIRMED}


def test_a_case_file_is_old_or_new_when_its_writer_is_killed(tmp_path):
    file = tmp_path / "c" / "case.json"
    save_case(CASE, file)
    for number in range(4):
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            _dies_at(patch, number)
            save_case(BIG_CASE, file)
        assert load_case(file) in (CASE, BIG_CASE)
    assert load_case(file) == BIG_CASE


def test_a_finding_that_cannot_be_read_is_put_aside_for_a_new_one(tmp_path):
    folder = save_finding(CONFIRMED, tmp_path)
    (folder / "finding.json").write_text('{"format": 99}')
    assert load_finding(save_finding(FINDING, tmp_path)) == FINDING
    aside = list(tmp_path.glob(".unreadable-O4-01234567-*/finding.json"))
    assert [f.read_text() for f in aside] == ['{"format": 99}']


def test_a_broken_transcript_is_refused_with_its_line(tmp_path):
    folder = save_finding(FINDING, tmp_path)
    with (folder / "transcript.ndjson").open("a") as file:
        file.write("{\n")
    with pytest.raises(CaseFormatError, match=r"transcript\.ndjson, line 2: not readable as JSON"):
        load_finding(folder)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "No space left on device"), (errno.EACCES, "Permission denied")],
)
def test_a_disk_that_refuses_is_one_clear_line(tmp_path, monkeypatch, number, reason):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    for write in (
        lambda: save_finding(FINDING, tmp_path),
        lambda: save_case(CASE, tmp_path / "a.json"),
        lambda: save_private(tmp_path, "password", b"x"),
    ):
        with pytest.raises(
            StoreError, match=f"^cannot write .*: {reason}; free some space"
        ) as caught:
            write()
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*.tmp"))


def test_the_fingerprint_depends_on_oracle_position_symptom_and_class_only():
    same = replace(CASE, id="x", action="GetReport", steps=())
    elsewhere = replace(CASE, mutations=(replace(CASE.mutations[0], pointer="/other"),))
    assert fingerprint(VIOLATION, CASE) == "cddb85742477742e"
    assert fingerprint(VIOLATION, same) == fingerprint(VIOLATION, elsewhere) == "cddb85742477742e"
    others = [
        (replace(VIOLATION, oracle="O1"), CASE),
        (replace(VIOLATION, symptom="exit 1"), CASE),
        (VIOLATION, replace(CASE, position=Position.CALLRESULT)),
        (VIOLATION, replace(CASE, mutations=())),
    ]
    assert len({fingerprint(*o) for o in others} | {"cddb85742477742e"}) == 5


# --- journal and secrets ----------------------------------------------------------------------------------


def test_a_campaign_finds_its_journal_again_until_it_is_complete(tmp_path):
    state = CampaignState(
        7, "systematic", {"systematic": 120}, "abc", {"cases": 120}, ("availability",)
    )
    assert load_state(tmp_path) is None
    save_state(state, tmp_path)
    assert load_state(tmp_path) == state
    clear_state(tmp_path)
    assert load_state(tmp_path) is None


def test_a_broken_journal_is_refused_by_name(tmp_path):
    (tmp_path / ".campaign").mkdir()
    (tmp_path / ".campaign" / "state.json").write_text('{"format": 1}')
    with pytest.raises(CaseFormatError, match=r"state\.json: 'seed' is missing"):
        load_state(tmp_path)


def test_a_secret_is_readable_by_its_owner_only(tmp_path):
    file = save_private(tmp_path, "password", b"first")
    save_private(tmp_path, "password", b"second")
    assert file.read_bytes() == b"second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_secret_can_be_read_again_until_it_is_dropped(tmp_path):
    assert load_private(tmp_path, "one") is None
    save_private(tmp_path, "one", b"secret")
    assert load_private(tmp_path, "one") == b"secret"
    drop_private(tmp_path, "one")
    drop_private(tmp_path, "one")
    assert load_private(tmp_path, "one") is None
