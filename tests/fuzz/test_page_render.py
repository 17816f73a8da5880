"""The page stays small and inert whatever a target said, and tells what a reader looks for."""

import base64
import hashlib
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.records import Run
from fuzz.report.issues import issue_of
from fuzz.report.page import render
from fuzz.report.page.look import LADDER, Look, Memory, Target
from fuzz.report.page.render import MAX_BYTES, html, page
from fuzz.report.results import Place, Status
from fuzz.testing import HOSTILE, finding, note, results, target, us, violation

ANY = st.text(st.characters(codec=None), min_size=1, max_size=60)


class Tags(HTMLParser):
    """The elements and attributes of a page, without any text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[object] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, attrs))

    def handle_decl(self, decl):
        self.found.append(decl)

    def handle_comment(self, data):
        self.found.append("comment")

    def handle_data(self, data):
        self.said.append(data)


def with_conversation(text: str):
    """A run with one finding in which everything that a target can choose is `text`."""
    told = results(text)
    fault = (
        us(0.0, [2, "1", "Reset", {}]),
        target(0.1, [3, "1", {"a": text}]),
        note(0.2, "close", text),
    )
    made = replace(
        finding(replace(violation(), text=text, symptom=text)),
        runs=(Run(False, True, fault), Run(True, False, fault)),
    )
    issue = issue_of(made, Place(text), f"ocppfuzz replay {text}", text)
    checks = tuple(
        replace(c, issues=(issue,)) if c.status is Status.FAILED else c for c in told.checks
    )
    details = {
        "reach": {
            "constraints": [
                {"action": text, "position": text, "keyword": text, "reached": 1, "total": 2}
            ],
            "states": {text: True},
            "changes": [{"from": text, "to": text, "reached": False}],
        },
        "coverage": {text: {"reached": 1, "total": 2}},
        "declared_suites": [text],
        "observed_suites": [text],
    }
    return replace(told, checks=checks, details=details)


@pytest.fixture(autouse=True)
def _without_pictures(monkeypatch):
    # They are tested by themselves; two of them a page would make hundreds of examples slow.
    monkeypatch.setattr(render, "can_draw", lambda: False)


def tags(text: str) -> list[object]:
    return [t for t in Tags(html(with_conversation(text))).found if not _labels(t)]


def _labels(tag: object) -> bool:
    """Labels of the lab's topics hold their names, which are ours."""
    return isinstance(tag, tuple) and any(name == "aria-label" for name, _ in tag[1])


@settings(max_examples=40, deadline=None)
@given(ANY.filter(str.strip))
def test_any_text_of_a_target_leaves_the_page_as_it_is(text):
    assert tags(text) == tags("x")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_makes_no_element_and_is_cut(text):
    told = html(with_conversation(text))
    assert tags(text) == tags("x")
    assert len(told) < 200_000
    assert all(c.isprintable() or c in "\n\xa0" for c in told)


def test_the_policy_lets_nothing_in_but_this_style_and_pictures():
    told = html(results())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', told)
    (style,) = re.findall(r"<style>(.*)</style>", told, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allowed = dict(rule.strip().split(" ", 1) for rule in unescape(policy).split(";"))
    assert allowed == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "style=" not in told
    assert "<script" not in told


def test_it_begins_with_who_was_attacked_the_verdict_and_that_it_is_no_certificate():
    said = "".join(Tags(html(results("x"))).said)
    said = said[said.index("Attacked:") :]
    order = [
        "Attacked:",
        "Charging Station x x, firmware x",
        "1 finding",
        "Seed",
        "7",
        "This is not an OCA",
    ]
    places = [said.index(word) for word in order]
    assert places == sorted(places)


def test_a_finding_is_told_with_all_that_a_reader_needs():
    said = " ".join("".join(Tags(html(with_conversation("boom"))).said).split())
    for words in (
        "ocppfuzz replay boom",
        "reproduced 3 of 3",
        "CALL Reset",
        "CALLRESULT",
        "connection ended, boom",
        "With the fault",
        "Control, only the fault undone",
        "Attacker",
        "5b 33 2c",
    ):
        assert words in said


@pytest.mark.parametrize("count", [0, 1, 700])
def test_it_stays_small_and_says_what_it_leaves_out(count):
    run = with_conversation("<" * 4_000)
    failed = next(c for c in run.checks if c.status is Status.FAILED)
    many = tuple(replace(failed.issues[0], fingerprint=f"{n:016x}") for n in range(count))
    told = html(replace(run, checks=(replace(failed, issues=many),)))
    assert len(told.encode()) <= MAX_BYTES
    shown = told.count("<article")
    assert shown >= min(count, LADDER[-1].findings)
    assert (f"{count - shown} more findings are left out here" in told) is (count > shown)


def test_a_run_without_findings_says_so_and_one_without_a_verdict_does_not_claim_it():
    clean = replace(results(), checks=(), exit_code=0)
    assert "Nothing was found." in html(clean)
    assert "nothing is proven either" in html(replace(clean, exit_code=3))


def test_what_is_remembered_of_a_finding_stands_beside_it():
    run = with_conversation("x")
    (issue,) = run.issues
    memory = {issue.fingerprint: Memory("2026-01-01", "1.4", "2026-02-01", "1.5", fixed="1.6")}
    said = "".join(Tags(page(Look(run, memory=memory))).said)
    assert "first 2026-01-01, firmware 1.4; last 2026-02-01, firmware 1.5; fixed in 1.6" in said


def test_targets_are_compared_in_columns_of_their_names():
    look = Look(None, targets=(Target("old", (results("a"),)), Target("<new>", (results("b"),))))
    told = page(look)
    assert '<th scope="col">old</th><th scope="col">&lt;new&gt;</th>' in told
    assert "2 targets side by side" in told
