"""Every line of the certificate has a line in the form, an answer, and a test that proves it."""

import re
from pathlib import Path

import pytest

from fuzz.conformance.catalogue import catalogue
from fuzz.pics.form import Kind, form
from fuzz.pics.loading import known_pics, load_pics
from fuzz.report.pics import NOT_STATED, answer_to

TESTS = Path(__file__).resolve().parents[1]


def numbered(prefix, first, last, sub=0):
    if sub:
        return [f"{prefix}.{n}" for n in range(1, sub + 1)]
    return [
        f"{prefix}-{n:02}" if prefix == "C" else f"{prefix}-{n}" for n in range(first, last + 1)
    ]


SUBS = {"C-06": 2, "C-09": 6, "C-10": 5, "C-12": 2, "C-29": 6, "C-40": 5, "C-48": 2}
LISTED_C = [*range(1, 5), *range(6, 11), 12, 13, 14, 20, 21, 23, 25, 26, *range(28, 44), 47, 48, 49]
LISTED_C += [51, 52, 53, 54, 56, 57, 58, 59, 60]
CERTIFICATE = {
    *numbered("HFS", 1, 10),
    "EVSE",
    *(f"C-{n:02}" for n in LISTED_C),
    *(line for item, count in SUBS.items() for line in numbered(item, 0, 0, count)),
    "AS-2",
    "AS-3",
    *numbered("AQ", 1, 9),
    *(f"ORS-{n}" for n in (1, 2, 3, 4, 5, 6, 8, 16, 24)),
    "vendor",
    "response",
    "triggered",
    "remote-start",
    "remote-stop",
}
LEFT_OUT = {f"C-{n:02}" for n in (5, 11, *range(15, 20), 22, 24, 27, 44, 45, 46, 50, 55)}
LEFT_OUT |= {f"ORS-{n}" for n in (7, *range(9, 16), *range(17, 24))}


def proofs_there_are():
    text = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    return set(re.findall(r"def (test_\w+)\(", text)) | {entry.id for entry in catalogue()}


THERE = proofs_there_are()


def test_the_form_has_every_line_and_no_other():
    assert set(form()) == CERTIFICATE | LEFT_OUT


@pytest.mark.parametrize("item", sorted(CERTIFICATE | LEFT_OUT))
def test_every_line_has_a_proof_that_exists(item):
    line = form()[item]
    if line.kind is Kind.HEADING:
        assert not line.proofs
        assert any(other.startswith(f"{item}.") for other in form())
    else:
        assert line.proofs
        assert [proof for proof in line.proofs if proof not in THERE] == []


@pytest.mark.parametrize("name", known_pics())
def test_every_line_has_an_answer_in_every_pics_file(name):
    pics = load_pics(name)
    for line in form().values():
        assert bool(answer_to(line, pics)) == (line.kind is not Kind.HEADING)


def test_what_the_certificate_leaves_out_is_shown_as_not_stated():
    shown = {
        i for i, line in form().items() if answer_to(line, load_pics("dc-2evse-ccs1")) == NOT_STATED
    }
    assert shown == LEFT_OUT


def test_what_belongs_to_no_message_is_shown_as_answered():
    pics = load_pics("dc-2evse-ccs1")
    shown = {item: answer_to(form()[item], pics) for item in ("HFS-9", "HFS-10", "C-31", "C-39")}
    assert shown == {
        "HFS-9": "Wired, Wifi, Mobile network",
        "HFS-10": "Single",
        "C-31": "No",
        "C-39": "No",
    }
