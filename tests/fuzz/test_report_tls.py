"""The lab's report: what decides the exit code, what is shown, and that a peer's words have no power."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, strategies as st

from fuzz.report.tls import OUTCOMES, TlsReport, TlsRow, report_json, report_lines

outcomes = st.sampled_from(OUTCOMES)


def row(id_: str = "TS-31", outcome: str = "passed", **facts: object) -> TlsRow:
    return TlsRow(id_, "validity", "Something holds.", outcome, "high", **facts)  # type: ignore[arg-type]


def report(*rows: TlsRow, **facts: object) -> TlsReport:
    return TlsReport("Charging Station", rows, **facts)  # type: ignore[arg-type]


def shown(*rows: TlsRow, every: bool = True, **facts: object) -> str:
    return "\n".join(line.text for line in report_lines(report(*rows, **facts), every=every))


@given(st.lists(outcomes, max_size=8))
def test_the_exit_code_is_1_for_a_failure_and_3_for_what_was_not_seen(found: list[str]) -> None:
    code = report(*(row(outcome=o) for o in found)).exit_code
    proven = {"passed", "passed with a remark", "recorded"} & set(found)
    if "failed" in found:
        assert code == 1
    elif "not observed" in found or not proven:
        assert code == 3
    else:
        assert code == 0


def test_a_remark_fails_a_strict_run_only() -> None:
    assert report(row(outcome="passed with a remark")).exit_code == 0
    assert report(row(outcome="passed with a remark"), strict=True).exit_code == 1
    assert report(row(), strict=True).exit_code == 0


@given(st.lists(outcomes, min_size=1, max_size=8))
def test_every_case_is_counted_once(found: list[str]) -> None:
    last = shown(*(row(f"TS-{i}", o) for i, o in enumerate(found))).splitlines()[-1]
    total, _, rest = last.partition(" cases: ")
    parts = rest.split(", ")[:-1]  # the last one is the time
    assert int(total) == len(found)
    assert sum(int(part.split()[0]) for part in parts) == len(found)


def test_who_was_attacked_comes_first() -> None:
    assert shown(row()).startswith("Attacked: Charging Station. This is not an OCA certification")


def test_a_failure_tells_what_it_puts_at_risk_and_where_the_evidence_lies() -> None:
    text = shown(row(outcome="failed", why=("broke",), endangers=("TC_A_05_CS",), folder="f/O18-1"))
    assert "failed: TS-31 (high): Something holds." in text
    assert "certification tests at risk: TC_A_05_CS" in text
    assert "f/O18-1" in text


@pytest.mark.parametrize("outcome", ["passed", "not asked", "n/a"])
def test_what_needs_no_attention_can_be_left_out(outcome: str) -> None:
    assert "TS-31" not in shown(row(outcome=outcome), every=False)
    assert "TS-31" in shown(row(outcome=outcome))


def test_declared_and_observed_suites_are_compared() -> None:
    text = shown(row(), declared=("A1", "B1"), observed=("B1", "C1"))
    lines = {w[0]: w[1:] for line in text.splitlines() if (w := line.split())}
    assert lines["A1"] == ["Yes", "No"]
    assert lines["B1"] == ["Yes", "Yes"]
    assert lines["C1"] == ["No", "Yes"]


@given(st.text())
def test_no_word_of_a_peer_moves_the_cursor(word: str) -> None:
    text = shown(
        row(outcome="failed", why=(word,)), observed=(word,), left_changed=(word,), notes=(word,)
    )
    hidden = {"Cc", "Cf", "Zl", "Zp"}
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in hidden]


def test_the_json_holds_every_row() -> None:
    made = json.loads(json.dumps(report_json(report(row(), row("TS-32", "failed")), [])))
    assert [case["id"] for case in made["cases"]] == ["TS-31", "TS-32"]
    assert made["exit_code"] == 1
    assert made["outcomes"] == {"passed": 1, "failed": 1}
