"""The parts of a page out of anybody's document: whatever it holds, they are made, and what it tells they tell."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.conformance.catalogue import catalogue
from fuzz.report.page import abstracts, comparing, coverage, handshakes
from fuzz.report.page.look import Look, Memory, Target
from fuzz.report.page.risks import HEADINGS, risks, risks_csv
from fuzz.report.page.timing import LIMIT_S, times, words
from fuzz.report.results import Check, Dossier, Rule, Status
from fuzz.testing import results

NAMES = [
    "reach",
    "constraints",
    "action",
    "position",
    "keyword",
    "reached",
    "total",
    "states",
    "changes",
    "from",
    "to",
    "answer_times_s",
    "coverage",
    "cases",
    "id",
    "abstract",
    "profiles",
    "timings",
    "limit_s",
    "samples",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(["reach", "coverage", "answer_times_s", "cases", "abstract"]), JSON
    )
)
def test_no_document_keeps_a_part_from_being_made(details):
    run = replace(results(), details=details)
    coverage.matrix(details, run.issues)
    coverage.states(details)
    coverage.tables(details)
    coverage.out_of(details)
    times(details)
    handshakes.topics(replace(run, command="tls"))
    handshakes.suites(run)
    abstracts.form(run, run)


# --- coverage ---------------------------------------------------------------------------------------------


def rule(action="Reset", position="call", keyword="maxLength", reached=1, total=4):
    return {
        "action": action,
        "position": position,
        "keyword": keyword,
        "reached": reached,
        "total": total,
    }


def test_rules_of_one_family_share_a_cell_and_calls_come_first():
    told = {
        "reach": {
            "constraints": [
                rule(),
                rule(keyword="text", reached=3),
                rule("Aa", "callresult", "type"),
            ]
        }
    }
    made = coverage.matrix(told, ())
    assert made.columns == ("type", "length")
    assert made.rows == (
        ("Reset", (coverage.Cell(), coverage.Cell(4, 8))),
        ("Aa, CALLRESULT", (coverage.Cell(1, 4), coverage.Cell())),
    )


def test_findings_are_counted_where_their_rule_is():
    (issue,) = results().issues
    seen = replace(issue, dossier=Dossier("Reset", "call", ("maxLength", "type")))
    made = coverage.matrix({"reach": {"constraints": [rule(), rule(keyword="type")]}}, [seen, seen])
    assert made.rows[0][1] == (coverage.Cell(1, 4), coverage.Cell(1, 4, 2))


@pytest.mark.parametrize(
    ("reached", "total", "percent", "tone"),
    [
        (0, 0, 0, "none"),
        (0, 9, 0, "none-of"),
        (1, 1_000, 0, "some0"),
        (7, 9, 77, "some3"),
        (999, 1_000, 99, "some3"),
        (9, 9, 100, "all"),
    ],
)
def test_only_what_is_whole_counts_as_all(reached, total, percent, tone):
    cell = coverage.Cell(reached, total)
    assert (cell.percent, cell.tone) == (percent, tone)


def test_states_say_what_was_reached_and_what_was_not():
    changes = [
        {"from": "a/x", "to": "b/x", "reached": True},
        {"from": "b/x", "to": "a/x", "reached": False},
        7,
    ]
    made = coverage.states({"reach": {"states": {"a/x": True, "b/x": False}, "changes": changes}})
    assert made.counts == (1, 2, 1, 2)
    assert made.changes == {("a/x", "b/x"): True, ("b/x", "a/x"): False}


# --- answer times -----------------------------------------------------------------------------------------


def test_times_are_told_with_the_limit_and_how_many_are_beyond_it():
    made = times({"answer_times_s": [0.002, 0.001, LIMIT_S + 1, True, "x", -1, float("nan")]})
    assert made is not None
    assert made.late == 1
    told = dict(made.rows)
    assert (told["Shortest"], told["Median"], told["Longest"]) == ("1.0 ms", "2.0 ms", "11 s")
    assert told["Limit of a certificate"] == words(LIMIT_S) == "10 s"


def test_without_times_there_is_nothing_to_tell():
    assert times({}) is times({"answer_times_s": []}) is None


# --- tests at risk ----------------------------------------------------------------------------------------


def endangering(*tests: str):
    told = results()
    failed = next(c for c in told.checks if c.status is Status.FAILED)
    issue = replace(failed.issues[0], endangers=tests)
    return replace(told, checks=(replace(failed, issues=(issue,)),))


MANDATORY = {entry.id: entry.mandatory for entry in catalogue()}


def test_mandatory_tests_come_first_and_what_is_not_known_before_what_is_not():
    look = Look(endangering("TC_A_20", "TC_Z_99", "TC_B_20", "TC_A_05_CS"), mandatory=MANDATORY)
    assert [(r.test, r.mandatory) for r in risks(look)] == [
        ("TC_A_05_CS", True),
        ("TC_B_20", True),
        ("TC_Z_99", None),
        ("TC_A_20", False),
    ]


def test_a_handshake_beside_the_campaign_endangers_as_well_and_each_is_told_once():
    one = endangering("TC_A_05")
    assert len(risks(Look(one, tls=one))) == 1
    tls = replace(
        one, checks=(replace(one.checks[0], issues=(replace(one.issues[0], fingerprint="f"),)),)
    )
    assert len(risks(Look(one, tls=tls))) == 2


def test_the_table_as_csv_holds_the_same():
    (mark,) = (i.fingerprint for i in endangering("TC_A_05").issues)
    memory = {mark: Memory("2026-01-01", "1.4", "2026-02-01", "1.5", missed="1.6")}
    read = list(
        csv.reader(
            io.StringIO(risks_csv(Look(endangering("TC_A_05"), memory=memory, mandatory=MANDATORY)))
        )
    )
    assert read[0] == list(HEADINGS)
    assert read[1][:2] == ["TC_A_05", "yes"]
    assert read[1][7:] == ["2026-01-01", "1.4", "2026-02-01", "1.5", "", "1.6"]


@given(st.text(st.characters(codec=None), max_size=40))
def test_no_cell_of_the_csv_is_a_formula_or_breaks_a_row(text):
    told = endangering("TC_A_05", text)
    check = replace(told.checks[0], issues=(replace(told.issues[0], title=text, clause=text),))
    rows = list(csv.reader(io.StringIO(risks_csv(Look(replace(told, checks=(check,)))))))
    assert all(len(row) == len(HEADINGS) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


# --- the TLS table and the abstract -----------------------------------------------------------------------


def shake(id_: str, status: Status, topic: str = "versions") -> Check:
    return Check(id_, topic, id_, status, position="handshake", reason="because")


def test_handshakes_are_told_by_topic_what_failed_first():
    run = replace(
        results(),
        command="tls",
        checks=(
            shake("TS-1", Status.PASSED),
            shake("TS-2", Status.REMARK),
            shake("TS-3", Status.FAILED),
        ),
        rules=(Rule("TS-3", "versions TS-3", "Old versions are refused.", "x"),),
        details={
            "cases": [{"id": "TS-3", "stage": "S3", "outcome": "failed", "clause": ["A00.FR.313"]}]
        },
    )
    (topic,) = handshakes.topics(run)
    assert [s.id for s in topic.loud] == ["TS-3", "TS-2"]
    assert [s.id for s in topic.quiet] == ["TS-1"]
    worst = topic.loud[0]
    assert (worst.stage, worst.title, worst.clause) == (
        "S3",
        "Old versions are refused.",
        "A00.FR.313",
    )


def test_a_campaign_has_no_handshakes():
    assert handshakes.topics(results()) == ()


def test_suites_are_told_as_the_certificate_does():
    run = replace(results(), details={"declared_suites": ["A", "B"], "observed_suites": ["B", "C"]})
    assert handshakes.suites(run) == (("A", "Yes", "No"), ("B", "Yes", "Yes"), ("C", "No", "Yes"))


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([Status.FAILED, Status.PASSED], "Fail"),
        ([Status.INCONCLUSIVE, Status.PASSED], "Incomplete"),
        ([Status.REMARK], "Pass"),
        ([Status.NOT_RUN], "Not run"),
    ],
)
def test_a_rule_passes_only_when_nothing_speaks_against_it(statuses, verdict):
    checks = tuple(Check("O1", "process-death", f"{n}", s) for n, s in enumerate(statuses))
    (tally,) = abstracts.form(replace(results(), checks=checks), None).rules
    assert tally.verdict == verdict


def test_profiles_and_times_of_a_conformance_run_stand_in_the_abstract():
    profile = {"name": "Core", "passed": 3, "failed": 1, "not_run": 0, "not_applicable": 2}
    timing = {"name": "OCPP response time", "limit_s": 10, "samples": [0.5, 11]}
    beside = replace(results(), details={"abstract": {"profiles": [profile], "timings": [timing]}})
    made = abstracts.form(results(), beside)
    assert [(p.name, p.verdict, p.passed) for p in made.profiles] == [("Core", "Fail", 3)]
    assert [t.kept for t in made.timings] == [True, False]


# --- side by side -----------------------------------------------------------------------------------------


def against(name: str, **checks: Status) -> Target:
    made = tuple(Check("O1", "process-death", n, s) for n, s in checks.items())
    return Target(name, (replace(results(), checks=made),))


def test_only_checks_that_tell_something_are_lines_and_the_whole_is_what_is_worst():
    targets = (
        against("a", x=Status.PASSED, y=Status.FAILED, z=Status.NOT_RUN),
        against("b", x=Status.PASSED, y=Status.PASSED, z=Status.NOT_RUN),
    )
    (group,) = comparing.groups(targets)
    assert [m.word for m in group.whole.marks] == ["failed", "passed"]
    assert [m.text for m in group.whole.marks] == [
        "1 failed, 1 passed, 1 not run",
        "2 passed, 1 not run",
    ]
    assert [line.name for line in group.lines] == ["y"]


def test_what_was_not_asked_is_no_pass():
    (group,) = comparing.groups((against("a", x=Status.PASSED), against("b")))
    assert [m.text for m in group.whole.marks] == ["1 check", ""]
    assert [m.word for m in group.whole.marks] == ["passed", "not asked"]
    assert [[m.word for m in line.marks] for line in group.lines] == [["passed", "not asked"]]


def test_a_finding_says_who_has_it_and_claims_nothing_of_the_others():
    lines = comparing.findings((Target("a", (results(),)), against("b", x=Status.PASSED)))
    (name,) = (line.name for line in lines)
    assert name == ("critical: process-death (O1) on it ended, it ended; it ended (1a2b3c4d)")
    assert [[(m.word, m.status) for m in line.marks] for line in lines] == [
        [("found", Status.FAILED), ("not met", None)]
    ]


def test_lines_are_bounded_and_what_is_left_out_is_counted():
    many = {f"c{n}": Status.FAILED for n in range(comparing.MAX_LINES + 5)}
    (group,) = comparing.groups((against("a", **many), against("b", **many)))
    assert (len(group.lines), group.left_out) == (comparing.MAX_LINES, 5)
