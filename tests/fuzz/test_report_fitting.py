"""What is left out is the end of the list, and it is told how much."""

from fuzz.report.fitting import fitted


def render(items, left_out):
    return "".join(items) + (f"+{left_out}" if left_out else "")


def test_what_fits_is_whole():
    assert fitted(render, ["a", "b"], most=2, max_bytes=2) == "ab"


def test_more_than_the_reader_counts_is_left_out():
    assert fitted(render, ["a", "b", "c"], most=2, max_bytes=100) == "ab+1"


def test_what_is_too_long_is_halved_until_it_fits():
    assert fitted(render, ["aaaa"] * 8, most=8, max_bytes=12) == "aaaaaaaa+6"


def test_bytes_are_counted_and_not_characters():
    assert fitted(render, ["ä", "ä"], most=2, max_bytes=4) == "ää"
    assert fitted(render, ["ä", "ä"], most=2, max_bytes=3) == "+2"


def test_a_text_without_items_is_never_refused():
    assert fitted(render, ["a"], most=1, max_bytes=0) == "+1"
