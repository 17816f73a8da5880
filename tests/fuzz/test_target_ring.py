from __future__ import annotations

from hypothesis import given, strategies as st

from fuzz.target.ring import MAX_LINE, MAX_LINES, Ring


@given(lines=st.lists(st.text("abc é", max_size=8), max_size=20), cut=st.integers(1, 7))
def test_lines_come_out_as_they_went_in_however_they_were_cut(lines: list[str], cut: int) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    ring = Ring()
    for start in range(0, len(data), cut):
        ring.feed(data[start : start + cut])
    assert list(ring.lines()) == lines


def test_only_the_last_lines_are_kept_and_none_grows_without_end() -> None:
    ring = Ring()
    for number in range(MAX_LINES + 10):
        ring.feed(b"%d\n" % number)
    ring.feed(b"x" * 10 * MAX_LINE)
    ring.feed(b"x" * 10 * MAX_LINE)
    assert len(ring.lines()) == MAX_LINES + 1
    assert ring.lines()[0] == "10"
    assert ring.lines()[-1] == "x" * MAX_LINE


def test_bytes_that_are_not_utf_8_are_kept_readable() -> None:
    ring = Ring()
    ring.feed(b"\xff ok\r\n")
    assert list(ring.lines()) == ["\ufffd ok"]


def test_lines_since_a_mark_are_told_once() -> None:
    ring = Ring()
    ring.feed(b"one\ntwo\nunfin")
    mark, lines = ring.since(0)
    assert (mark, list(lines)) == (2, ["one", "two"])
    ring.feed(b"ished\n")
    assert ring.since(mark) == (3, ("unfinished",))
    assert ring.since(3) == (3, ())


def test_lines_since_a_mark_that_are_not_kept_any_more_are_lost() -> None:
    ring = Ring()
    ring.feed(b"".join(b"%d\n" % number for number in range(MAX_LINES + 10)))
    count, lines = ring.since(5)
    assert count == MAX_LINES + 10
    assert (len(lines), lines[0]) == (MAX_LINES, "10")
