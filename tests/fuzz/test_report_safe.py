"""Nothing that a target says has power over a reader's screen or page."""

import re
import unicodedata

import pytest
from hypothesis import given, strategies as st

from fuzz.report.safe import code, fence, prose, safe, short

wild_text = st.text(st.characters(codec=None), max_size=40)
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(wild_text)
def test_every_character_that_comes_out_can_be_seen(text):
    assert not {unicodedata.category(c) for c in safe(text)} & UNSEEN


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_plain_text_stays_as_it_is(text):
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("abc\u202ecba\u2066", "abc\\u202ecba\\u2066"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\ud800 \udfff", "\\ud800 \\udfff"),
        ("[bold]x[/bold] :smile:", "[bold]x[/bold] :smile:"),
        ("Zürich 充电", "Zürich 充电"),
        ("\U000e0041", "\\U000e0041"),
        ("a" + "\u0301" * 5, "a" + "\u0301" * 3 + "\\u0301\\u0301"),
    ],
)
def test_what_is_hidden_or_moves_the_cursor_is_written_out(text, shown):
    assert safe(text) == shown


def test_long_text_is_cut_and_says_so():
    assert safe("a" * 3_000, 5) == "aaaaa... (5 of 3,000 characters)"
    assert safe("aaaaa", 5) == "aaaaa"


@given(wild_text, st.integers(40, 300))
def test_short_text_is_safe_and_never_longer_than_allowed(text, most):
    shown = short(text * 5, most)
    assert len(shown.encode()) <= most
    assert not {unicodedata.category(c) for c in shown} & UNSEEN


def test_short_text_that_fits_is_not_cut():
    assert short("Zürich\n", 20) == "Zürich\\n"
    assert short("\U000e0041" * 100, 50) == "\\U000e0041\\U000e0041\\U000... (cut, 100 characters)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&#60;script\\>alert(1)&#60;/script\\>"),
        ("[click](http://x) ![i](//y)", "\\[click\\](http&#58;//x) !\\[i\\](//y)"),
        ("# a | b `c` *d* _e_ ~f~", "\\# a \\| b \\`c\\` \\*d\\* \\_e\\_ \\~f\\~"),
        ("@everyone &lt; \\", "&#64;everyone &#38;lt; \\\\"),
    ],
)
def test_markdown_and_html_in_prose_are_inert(text, shown):
    assert prose(text) == shown


@given(st.text("`ab \n", max_size=12))
def test_a_code_span_cannot_be_ended_from_inside(text):
    span = code(text)
    ticks = re.match("`+", span)[0]
    assert span.endswith(ticks)
    assert not re.search(f"(?<!`){ticks}(?!`)", span[len(ticks) : -len(ticks)])


@given(st.lists(st.text("`~ab\n", max_size=12), max_size=3))
def test_a_fence_cannot_be_ended_from_inside(lines):
    first, *inside, last = fence(lines)
    assert first == last + "text"
    assert len(inside) == len(lines)
    assert not any(line.strip().startswith(last) or "\n" in line for line in inside)
