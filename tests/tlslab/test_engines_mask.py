"""What would be readable on a tape is hidden there, whatever way it is cut."""

from hypothesis import given, strategies as st

from tlslab.engines.mask import Mask

HELLO = b"\x16\x03\x01\x00\x04hell"
DATA = b"\x17\x03\x03\x00\x06secret"
HTTP = b"GET / HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\n\r\n"


@st.composite
def cuts(draw, data):
    at = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True)]


def _hidden(mask, parts):
    return b"".join(mask.hide(part) for part in parts)


@given(cuts(HELLO + DATA + HELLO))
def test_records_are_kept(parts):
    assert _hidden(Mask(), parts) == HELLO + DATA + HELLO


@given(cuts(HELLO + DATA + HELLO))
def test_data_is_hidden_where_nothing_encrypts_it(parts):
    assert _hidden(Mask(data=True), parts) == HELLO + DATA[:5] + b"******" + HELLO


@given(cuts(HTTP))
def test_what_is_in_no_record_is_hidden(parts):
    assert _hidden(Mask(), parts) == b"*" * len(HTTP)


@given(cuts(HELLO + HTTP))
def test_what_comes_after_the_records_is_hidden(parts):
    assert _hidden(Mask(), parts) == HELLO + b"*" * len(HTTP)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_the_length_never_changes(parts):
    assert len(_hidden(Mask(), parts)) == sum(map(len, parts))
