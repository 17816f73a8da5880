"""Tables are aligned, wrapped and safe."""

from fuzz.report.tables import table_lines


def test_columns_are_aligned_and_long_cells_wrapped():
    rows = [("O1", "process-death", "word " * 20), ("O10", "x", "")]
    lines = [line.text for line in table_lines("Oracles", ("id", "name", "text"), rows, "a note")]
    assert lines == [
        "Oracles",
        "",
        "id   name           text",
        "O1   process-death  " + ("word " * 12).strip(),
        "                    " + ("word " * 8).strip(),
        "O10  x",
        "",
        "a note",
    ]


def test_a_table_without_rows_has_its_headings():
    assert [line.text for line in table_lines("T", ("a", "b"), [])] == ["T", "", "a  b"]


def test_cells_are_made_safe():
    lines = [line.text for line in table_lines("T", ("a",), [("\x1b[2J\n",)])]
    assert lines[-1] == "\\x1b[2J\\n"
