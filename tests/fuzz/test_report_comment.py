"""The comment is short, and nothing of a target is anywhere but in a code span."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from fuzz.report.comment import MAX_BYTES, MAX_FINDINGS, comment
from fuzz.report.results import Check, Status
from fuzz.testing import HOSTILE, results

PARSER = MarkdownIt("commonmark", {"html": True})


def skeleton(text: str) -> list[str]:
    """Everything that a reader of Markdown sees, but what is in code spans."""
    tokens = [inner for token in PARSER.parse(text) for inner in (token.children or [token])]
    return [t.type if t.type != "text" else f"text {t.content}" for t in tokens]


@given(st.text(st.characters(codec=None), min_size=1))
def test_any_text_of_a_target_stays_inside_of_code(text):
    assert skeleton(comment(results(text, accepted="y"))) == skeleton(
        comment(results("x", accepted="y"))
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_makes_no_markup_no_link_and_no_mention(text):
    told = comment(results(text, accepted=text))
    assert skeleton(told) == skeleton(comment(results("x", accepted="x")))
    assert len(told) < 20_000
    assert all(c.isprintable() or c in "\n\xa0" for c in told)


def test_it_begins_with_who_was_attacked_and_the_verdict():
    lines = comment(results("x")).splitlines()
    assert lines[0].startswith("Attacked: `Charging Station x x, firmware x")
    assert lines[0].endswith("`. This is not an OCA certification result.")
    assert lines[2] == "### ocppfuzz run: 1 finding"
    assert lines[4] == "Checks: 1 passed, 1 failed, 1 remark, 1 inconclusive, 1 not run."


def test_what_was_reached_is_told_out_of_what_was_asked():
    details = {"coverage": {"actions": {"reached": 3, "total": 3}}, "reached_of": "Reached of `x`"}
    told = comment(replace(results("x"), details=details))
    assert "\n\n``Reached of `x`: actions 3 of 3 (100 %)``\n" in told
    assert "Reached" not in comment(results("x"))


def test_a_finding_is_told_with_its_replay_command():
    told = comment(results("boom"))
    assert "- **critical** `process-death (O1) on boom`\n  - `boom`\n" in told
    assert "  - `ocppfuzz replay boom`\n" in told


def test_a_finding_that_fails_nothing_says_so():
    made = results("boom")
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    low = replace(failed, issues=(replace(failed.issues[0], below="below --fail-on high"),))
    told = comment(replace(made, checks=(low,)))
    assert "`process-death (O1) on boom` (fails nothing: `below --fail-on high`)\n" in told


def test_a_clean_run_is_a_few_lines():
    clean = replace(
        results(), checks=(), exit_code=0, reason="", notes=(), left_changed=(), rules=()
    )
    assert comment(clean).splitlines()[2:] == ["### ocppfuzz run: no finding", "", "Checks: none."]


def test_equal_reasons_are_counted_in_one_line_and_rare_ones_together():
    checks = [
        Check("O1", "g", f"{n}", Status.NOT_RUN, reason=f"why {n if n > 20 else 'not'}")
        for n in range(40)
    ]
    told = comment(replace(results(), checks=tuple(checks)))
    assert "**Not run**\n\n- 21 x `why not`\n" in told
    assert "- 8 x others\n" in told


def test_more_than_a_comment_holds_is_left_out_and_counted():
    made = results("x" * 1_000)
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    many = tuple(replace(failed.issues[0], fingerprint=f"{n}") for n in range(MAX_FINDINGS + 5))
    told = comment(replace(made, checks=(replace(failed, issues=many),)))
    shown = told.count("- **critical** ")
    assert 0 < shown < MAX_FINDINGS
    assert f"\n{MAX_FINDINGS + 5 - shown} more findings are left out here.\n" in told
    assert len(told.encode()) <= MAX_BYTES
