import pytest

from tlslab import registry
from tlslab.registry import (
    Severity,
    Side,
    all_cases,
    all_left_out,
    left_out,
    matching,
    tls_case,
)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    all_cases()
    monkeypatch.setattr(registry, "_CASES", {})
    monkeypatch.setattr(registry, "_LEFT_OUT", {})


async def some_case(bench: object) -> None:
    """A correct peer does this.

    And more is said here.
    """


def register(id_: str) -> None:
    tls_case(id_, "A00.FR.308", expects="refuse", severity=Severity.HIGH)(some_case)


@pytest.mark.usefixtures("tables")
def test_a_case_is_what_its_docstring_and_its_id_say() -> None:
    register("TS-90")
    case = all_cases()["TS-90"]
    assert case.title == "A correct peer does this."
    assert case.text.endswith("And more is said here.")
    assert case.topic == "test registry"
    assert case.side is Side.STATION
    assert case.profiles == {2, 3}


@pytest.mark.usefixtures("tables")
def test_only_tc_cases_are_about_a_csms() -> None:
    for id_ in ("TS-90", "TR-90", "TP-90", "TC-90"):
        register(id_)
    csms = [c.id for c in all_cases().values() if c.side is Side.CSMS]
    assert csms == ["TC-90"]


@pytest.mark.usefixtures("tables")
def test_no_two_cases_have_one_id() -> None:
    register("TS-90")
    with pytest.raises(ValueError, match="two cases are called TS-90"):
        register("TS-90")


@pytest.mark.usefixtures("tables")
def test_cases_come_by_family_and_number_and_are_found_by_pattern() -> None:
    for id_ in ("TC-91", "TP-91", "TS-92", "TR-91", "TS-91"):
        register(id_)
    assert list(all_cases()) == ["TS-91", "TS-92", "TR-91", "TP-91", "TC-91"]
    assert [c.id for c in matching(("TS-9[12]", "TC-*"))] == ["TS-91", "TS-92", "TC-91"]
    assert [c.id for c in matching(("TC-91", "T*-91"))] == ["TC-91", "TS-91", "TR-91", "TP-91"]
    assert len(matching(())) == 5


@pytest.mark.usefixtures("tables")
def test_what_is_left_out_has_a_reason() -> None:
    left_out("TS-91", "no library does it")
    assert all_left_out() == {"TS-91": "no library does it"}
