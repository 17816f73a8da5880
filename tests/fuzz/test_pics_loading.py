"""A PICS file is read as what was written, and what does not fit is explained in one line."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.errors import UsageError
from fuzz.pics.answers import Cable, Current, Measurands, Outlet, Performance
from fuzz.pics.checking import TRIGGER_OF
from fuzz.pics.form import Kind, ids_of
from fuzz.pics.loading import DATA, ENDING, dump_pics, known_pics, load_pics, parse_pics

DC = load_pics("dc-2evse-ccs1")
TEXT = (DATA / f"{DC.name}{ENDING}").read_text("utf-8")

words = st.text(st.characters(codec="utf-8"), max_size=12)
lists = st.lists(words, max_size=3).map(tuple)
seconds = st.floats(0, 1e6)
times = st.builds(Performance, seconds, *[st.none() | seconds] * 3)
free = [i for i in ids_of(Kind.YES_NO) if i.startswith(("AQ", "AS", "C-3", "C-13", "C-5"))]
free = [i for i in free if i not in ("C-53", "C-54", "C-59")]


@st.composite
def measurands(draw):
    supported = draw(lists)
    return Measurands(supported[:1], supported)


def mapped(kind, values):
    return st.fixed_dictionaries(dict.fromkeys(ids_of(kind), values))


@st.composite
def anybody(draw):
    rows = [Outlet(n, 1, Current.DC, 0, draw(words), Cable.FIXED) for n in (1, 2, 3)]
    answers = draw(st.fixed_dictionaries({item: st.booleans() for item in free}))
    settings = st.dictionaries(st.sampled_from(["A::B", "Ä x::\x7f", 'a"::b']), words)
    return replace(
        DC,
        vendor=draw(words),
        serial=draw(words),
        certification_profiles=draw(lists),
        security_profiles=tuple(draw(st.lists(st.integers(0, 3), max_size=3))),
        cipher_suites=draw(lists),
        outlets=tuple(rows[: draw(st.integers(1, 3))]),
        items=DC.items | answers,
        words=draw(mapped(Kind.WORDS, lists)),
        measurands=draw(mapped(Kind.MEASURANDS, measurands())),
        limits=draw(mapped(Kind.LIMIT, st.integers(0, 2**31 - 1))),
        vendor_settings=draw(settings),
        performance=draw(mapped(Kind.PERFORMANCE, times)),
    )


def complaint(text):
    """What is wrong with a file; "" when nothing is. Everything but a UsageError is a failure of the test."""
    try:
        parse_pics(text, "x.toml")
    except UsageError as error:
        return str(error)
    return ""


@given(anybody())
def test_what_was_written_is_read(pics):
    assert parse_pics(dump_pics(pics), pics.name) == pics


@pytest.mark.parametrize("name", known_pics())
def test_every_packaged_file_survives_being_written(name):
    assert parse_pics(dump_pics(load_pics(name)), name) == load_pics(name)


@given(st.text() | st.integers(0, len(TEXT)).map(lambda n: TEXT[:n]))
def test_garbage_is_a_usage_error_in_one_line(text):
    assert complaint(text) == "" or complaint(text).startswith("x.toml: ")
    assert "\n" not in complaint(text)


LINES = TEXT.splitlines()


@given(
    st.integers(0, len(LINES) - 1),
    st.sampled_from(["", "1", "nan", "[]", "{}", '"x"', "[1]", "true", "-1"]),
)
def test_a_spoilt_line_is_a_usage_error_or_an_answer(number, value):
    key = LINES[number].partition("=")[0]
    spoilt = [*LINES[:number], f"{key}= {value}", *LINES[number + 1 :]]
    text = "\n".join(spoilt)
    assert complaint(text) == "" or complaint(text).startswith("x.toml: ")
    assert "\n" not in complaint(text)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("vendor =", "vendr =", r"unknown key 'vendr'; did you mean vendor\?"),
        ("C-13 =", "C-113 =", r"unknown line in \[items\] 'C-113'; did you mean C-13\?"),
        ("C-13 = false\n", "", "no answer to C-13"),
        ("C-13 = false", 'C-13 = "no"', r"C-13 in \[items\] is a text; write true or false"),
        ("ORS-1 = 1000", "ORS-1 = -1", "ORS-1 in .* is -1"),
        ("ORS-1 = 1000", "ORS-1 = true", "is true or false; write a whole number"),
        ('cable = "fixed"', 'cable = "fixd"', "did you mean fixed"),
        ('"ocppfuzz-lab"', '"', "not readable as TOML"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(old, new, why):
    with pytest.raises(UsageError, match=why):
        parse_pics(TEXT.replace(old, new, 1), "my.toml")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"HFS-1": True}, "HFS-1 is Yes, but the EVSE table says No"),
        ({"HFS-2": False}, "HFS-2 is No, but the EVSE table says Yes"),
        ({"HFS-3": True}, "HFS-3"),
        ({"HFS-4": False}, "HFS-4"),
        ({"C-06.2": False}, "C-06.1 and C-06.2 are both No"),
        ({"C-12.1": True}, "a fixed cable is never unlocked"),
        ({"C-48.2": False}, "C-48.1 and C-48.2"),
        ({"C-53": True}, "C-53 is Yes, but C-49 is No"),
        ({"C-29.1": True}, "C-29.1 is Yes, but triggers lack MeterValues"),
        ({"C-29.5": False}, "C-29.5 is No, but triggers hold StatusNotification"),
        ({f"C-09.{n}": False for n in range(1, 7)}, "C-09 has no Yes"),
    ],
)
def test_contradictory_answers_are_refused(changed, why):
    text = dump_pics(replace(DC, items=DC.items | changed))
    with pytest.raises(UsageError, match=why):
        parse_pics(text, "my.toml")


@pytest.mark.parametrize("places", [[(2, 1)], [(1, 2)], [(1, 1), (1, 1)], [(2, 1), (1, 1)]])
def test_the_evse_table_is_numbered_without_gaps(places):
    rows = tuple(replace(DC.outlets[0], evse=e, connector=c) for e, c in places)
    with pytest.raises(UsageError, match="EVSE"):
        parse_pics(dump_pics(replace(DC, outlets=rows)), "my.toml")


def test_every_trigger_that_the_form_names_is_one_of_its_lines():
    assert set(TRIGGER_OF) == {i for i in ids_of(Kind.YES_NO) if i.startswith("C-29.")}


def test_a_file_of_somebodys_own_is_read_from_its_path(tmp_path):
    path = tmp_path / "my.pics.toml"
    path.write_text(TEXT, "utf-8")
    assert load_pics(str(path)) == replace(DC, name=str(path))


@pytest.mark.parametrize("content", [None, b"\xff", b"#" * 1_000_001])
def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path, content):
    path = tmp_path / "my.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"my\.toml"):
        load_pics(str(path))


def test_notes_stand_at_the_end_of_their_lines():
    text = dump_pics(DC, {"C-13": "observed: x", "vendor": "assumed: y"}, head="a\nb")
    assert text.startswith('# a\n# b\n\nvendor = "ocppfuzz-lab"  # assumed: y\n')
    assert "\nC-13 = false  # observed: x\n" in text
    assert parse_pics(text, DC.name) == DC
