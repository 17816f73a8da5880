"""A quirk mutes one check for one target, until its day, and never without a reason."""

from datetime import date

import pytest

from fuzz.policy.flaw import Flaw
from fuzz.policy.quirks import Quirk, muting, quirks_from
from fuzz.records import Side, TargetFacts

CHECKS = {"O4": "O4", "unanswered-call": "O4", "TS-31": "TS-31"}
FACTS = TargetFacts(Side.STATION, vendor="Vendor", model="M-2", firmware="1.2", identity="CS-7")
TODAY = date(2026, 6, 1)
WHY = "they know"


def quirk(**more: object) -> dict[str, object]:
    return {"quirk": [{"check": "O4", "reason": WHY, "identity": "CS-*", **more}]}


def test_a_check_may_be_named_in_words():
    (found,) = quirks_from(quirk(check="unanswered-call"), CHECKS)
    assert found == Quirk("O4", WHY, identity="CS-*")
    assert found.target == "identity CS-*"


@pytest.mark.parametrize(
    ("who", "fits"),
    [
        ({"vendor": "Vendor"}, True),
        ({"vendor": "vendor"}, False),
        ({"model": "M-*", "firmware": "1.*"}, True),
        ({"model": "M-*", "firmware": "2.*"}, False),
        ({"identity": "CS-[0-8]"}, True),
    ],
)
def test_every_pattern_that_is_given_must_fit(who, fits):
    assert Quirk("O4", WHY, **who).fits(FACTS) is fits


def test_only_its_own_check_is_muted_and_only_until_its_day():
    quirks = (Quirk("O4", WHY, identity="CS-7", expires="2026-06-01"),)
    assert muting(quirks, "O4", FACTS, TODAY) is quirks[0]
    assert muting(quirks, "O1", FACTS, TODAY) is None
    assert muting(quirks, "O4", FACTS, date(2026, 6, 2)) is None


@pytest.mark.parametrize(
    ("value", "place", "said"),
    [
        ({"quirks": []}, "quirks", "unknown table 'quirks'"),
        ({"quirk": {}}, "quirk", r"write \[\[quirk\]\]"),
        ({"quirk": [3]}, "quirk 1", "is not a table"),
        (quirk(reason=" "), "quirk 1", "has no reason"),
        (quirk(identity=""), "quirk 1", "names no target"),
        (quirk(check="O44"), "quirk 1, check", "unknown check 'O44'; did you mean O4"),
        (quirk(resaon="x"), "quirk 1", "unknown key 'resaon'; did you mean reason"),
        (quirk(vendor=3), "quirk 1, vendor", "is of type int"),
        (quirk(expires="soon"), "quirk 1, expires", "'soon' is no date"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(value, place, said):
    with pytest.raises(Flaw, match=said) as error:
        quirks_from(value, CHECKS)
    assert error.value.place == place
