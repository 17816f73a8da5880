"""A short clause names its document, edition, section and requirement."""

import pytest

from fuzz.report.sources import sources

ED3 = "(Edition 3, which holds the errata up to 2024-04)"


@pytest.mark.parametrize(
    ("clause", "lines"),
    [
        ("Part 4 section 4.1.1", [f"OCPP 2.0.1 Part 4, OCPP-J {ED3}, section 4.1.1"]),
        ("FR.03", [f"OCPP 2.0.1 Part 4, OCPP-J {ED3}, requirement FR.03"]),
        ("B01.FR.07", [f"OCPP 2.0.1 Part 2, Specification {ED3}, requirement B01.FR.07"]),
        ("B05", [f"OCPP 2.0.1 Part 2, Specification {ED3}, use case B05"]),
        ("Part 3", [f"OCPP 2.0.1 Part 3, JSON schemas {ED3}"]),
        ("RFC 6455 section 7.4", ["RFC 6455 section 7.4"]),
        ("B05; RFC 8259", [f"OCPP 2.0.1 Part 2, Specification {ED3}, use case B05", "RFC 8259"]),
        ("", []),
    ],
)
def test_a_clause_is_written_out(clause, lines):
    assert list(sources(clause, "ed3")) == lines


def test_the_errata_sheet_is_named_where_it_decides():
    (line,) = sources("FR.03", "2025-09")
    assert "(Edition 3 with the errata sheet of 2025-09)" in line
