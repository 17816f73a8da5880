import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from hypothesis import given, strategies as st

from tlslab import der

ARCS = st.lists(st.integers(0, 2**40), min_size=1, max_size=6)


@given(body=st.binary(max_size=70_000), tag=st.sampled_from([0x04, 0x30, 0x31, 0xA0, 0x82]))
def test_what_is_written_is_read_again_as_one_element(body, tag):
    element = der.tlv(tag, body)
    assert der.elements(element) == [element]
    assert element[0] == tag
    assert element.endswith(body)


@given(parts=st.lists(st.binary(max_size=300), max_size=5))
def test_a_constructed_element_gives_back_its_parts(parts):
    inner = [der.tlv(der.OCTET_STRING, part) for part in parts]
    assert der.inside(der.tlv(der.SEQUENCE, *inner)) == inner


@given(data=st.binary(max_size=300))
def test_garbage_raises_nothing_but_value_error(data):
    with contextlib.suppress(ValueError):
        assert b"".join(der.elements(data)) == data


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (256, "02020100"),
        (-1, "0201ff"),
        (-128, "020180"),
        (-129, "0202ff7f"),
    ],
)
def test_an_integer_takes_as_few_bytes_as_it_needs(number, expected):
    assert der.integer(number).hex() == expected


@given(number=st.integers(-(2**1000), 2**1000))
def test_an_integer_is_its_two_s_complement(number):
    element = der.integer(number)
    assert int.from_bytes(element[2:], "big", signed=True) == number


@given(first=st.integers(0, 1), second=st.integers(0, 39), rest=ARCS)
def test_an_object_identifier_reads_as_cryptography_writes_it(first, second, rest):
    dotted = ".".join(map(str, (first, second, *rest)))
    usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(dotted)])
    assert der.inside(usage.public_bytes()) == [der.oid(dotted)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (datetime(2026, 5, 1, 12, 0, 9, tzinfo=UTC), b"\x17\r260501120009Z"),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\r491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(1949, 1, 1, tzinfo=UTC), b"\x18\x0f19490101000000Z"),
        (datetime(2026, 5, 1, 1, tzinfo=timezone(timedelta(hours=2))), b"\x17\r260430230000Z"),
    ],
)
def test_a_time_has_two_digits_of_the_year_through_2049(when, expected):
    assert der.moment(when) == expected
