"""Which stations there are, and how their passwords are kept."""

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.csms.enrolment import (
    MAX_STATIONS,
    Enrolled,
    check_enrolment,
    hash_password,
    password_fits,
    read_enrolment,
)
from fuzz.csms.events import BootStatus
from fuzz.errors import UsageError

SALT = bytes(16)


@settings(max_examples=15, deadline=None)
@given(password=st.text(max_size=70), other=st.text(max_size=70))
def test_a_password_fits_what_was_made_of_it_and_no_other_does(password, other):
    kept = hash_password(password, SALT)
    assert password_fits(password, kept)
    assert password_fits(other, kept) == (other == password)


def test_the_password_cannot_be_read_from_what_is_kept():
    assert "secret-of-the-station" not in hash_password("secret-of-the-station", SALT)
    assert hash_password("a", bytes(16)) != hash_password("a", bytes(15) + b"\1")


@pytest.mark.parametrize("stored", ["", "plain", "scrypt$", "scrypt$00$", "other$00$11"])
def test_no_password_fits_something_that_is_no_hash(stored):
    assert not password_fits("", stored)
    assert not password_fits("plain", stored)


def test_a_file_names_stations_with_defaults():
    text = """
    [[station]]
    identity = "CS-3"
    [[station]]
    identity = "CS-2"
    password = "pw"
    serial = "S2"
    boot = "Pending"
    pending_boots = 2
    """
    first, second = read_enrolment(text, "f", SALT)
    assert first == Enrolled("CS-3", 3)
    assert first.name == "CS-3"
    assert (second.security_profile, second.name) == (2, "S2")
    assert (second.boot, second.pending_boots) == (BootStatus.PENDING, 2)
    assert password_fits("pw", second.password_hash)


def test_no_password_shows_in_the_repr():
    (station,) = read_enrolment('[[station]]\nidentity="A"\npassword="hush"', "f", SALT)
    assert station.password_hash not in repr(station)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no station"),
        ("[[stations]]", "did you mean station"),
        ("station = 3", "names no station"),
        ("station = [3]", "not a table"),
        ('[[station]]\nidentiy = "a"', "did you mean identity"),
        ("[[station]]\nidentity = 3", "write a str"),
        ('[[station]]\nidentity = ""', "1 to 48"),
        ('[[station]]\nidentity = "a:b"', "no ':'"),
        ('[[station]]\nidentity = "a"\nsecurity_profile = 2', "needs a password"),
        ('[[station]]\nidentity = "a"\nsecurity_profile = 4', "known: 1, 2, 3"),
        ('[[station]]\nidentity = "a"\nboot = "Maybe"', "known: Accepted"),
        ('[[station]]\nidentity = "a"\n[[station]]\nidentity = "a"', "there twice"),
        ("[[", "not readable"),
    ],
)
def test_a_file_that_cannot_be_meant_is_told_of_in_one_line(text, told):
    with pytest.raises(UsageError, match=told) as caught:
        read_enrolment(text, "f", SALT)
    assert "\n" not in str(caught.value).strip()


@given(text=st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        read_enrolment(text, "f", SALT)
    except UsageError:
        return


def test_there_are_not_more_stations_than_the_limit():
    with pytest.raises(UsageError, match="more than"):
        check_enrolment([Enrolled(f"CS-{n}") for n in range(MAX_STATIONS + 1)])
