from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from websockets.datastructures import Headers
from websockets.http11 import Request

from fuzz.transport.admission import Admitted, Refused, Rules, admit, identity_of, shown

RULES = Rules(frozenset({"CS 1"}), ("ocpp2.0.1",))
STRICT = Rules(frozenset({"CS 1"}), ("ocpp2.0.1",), {"CS 1": "pass:wörd"})


def _request(path: str, *headers: tuple[str, str]) -> Request:
    return Request(path, Headers(headers))


def _basic(user: str, password: str) -> tuple[str, str]:
    return "Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/CS001", "CS001"),
        ("/ocpp/RDAM%20123", "RDAM 123"),
        ("/ocpp/a%2Fb", "a/b"),
        ("/CS001?token=/x", "CS001"),
        ("/", None),
        ("/ocpp/", None),
        ("/%ff", None),
        ("/raw\udcff", None),
    ],
)
def test_the_identity_is_the_last_part_of_the_path_decoded(path: str, identity: str | None) -> None:
    assert identity_of(path) == identity


def test_who_is_named_comes_in_with_our_subprotocol() -> None:
    request = _request("/x/CS%201", ("Sec-WebSocket-Protocol", "ocpp1.6, ocpp2.0.1"))
    assert admit(request, RULES) == Admitted("CS 1", "", "ocpp2.0.1")


def test_subprotocols_over_several_headers_are_all_offered() -> None:
    request = _request(
        "/CS%201", ("Sec-WebSocket-Protocol", "ocpp1.6"), ("Sec-WebSocket-Protocol", "ocpp2.0.1")
    )
    assert admit(request, RULES) == Admitted("CS 1", "", "ocpp2.0.1")


@pytest.mark.parametrize("offer", ["ocpp1.6", "OCPP2.0.1", ""])
def test_without_a_common_subprotocol_there_is_none(offer: str) -> None:
    request = _request("/CS%201", ("Sec-WebSocket-Protocol", offer))
    assert admit(request, RULES) == Admitted("CS 1", "", "")


def test_who_is_not_named_is_not_found() -> None:
    assert admit(_request("/CS2"), RULES) == Refused("CS2", 404, "not an identity that was named")


def test_everybody_is_let_in_where_nobody_is_named() -> None:
    assert admit(_request("/CS2"), Rules(None, ("x",))) == Admitted("CS2", "", "")


def test_the_right_password_comes_in() -> None:
    request = _request("/CS%201", _basic("CS 1", "pass:wörd"))
    assert admit(request, STRICT) == Admitted("CS 1", "CS 1", "", 0)


def test_it_is_told_which_password_was_given_and_not_what_it_is() -> None:
    told = replace(STRICT, further_passwords=("first", "second"), further_identities=("CS-2",))
    for number, password in enumerate(("pass:wörd", "first", "second")):
        for identity in ("CS 1", "CS-2"):
            request = _request(f"/{identity.replace(' ', '%20')}", _basic(identity, password))
            assert admit(request, told) == Admitted(identity, identity, "", number)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (("X", "y"), "no Basic credentials"),
        (("Authorization", "Bearer abc"), "no Basic credentials"),
        (("Authorization", "Basic %%%"), "no Basic credentials"),
        (("Authorization", "Basic é"), "no Basic credentials"),
        (
            ("Authorization", "Basic " + base64.b64encode(b"\xff:x").decode()),
            "no Basic credentials",
        ),
        (_basic("CS 1", "guess"), "wrong Basic password"),
        (_basic("CS 2", "pass:wörd"), "the Basic user is not the identity"),
    ],
)
def test_wrong_credentials_are_unauthorized_and_never_shown(
    header: tuple[str, str], reason: str
) -> None:
    refused = admit(_request("/CS%201", header), STRICT)
    assert refused == Refused("CS 1", 401, reason)
    assert "guess" not in str(refused)
    assert "wörd" not in repr(STRICT)


def test_credentials_that_nobody_asked_for_are_noted_and_not_judged() -> None:
    asked_of_others = Rules(None, (), {"other": "x", "CS 1": None})
    request = _request("/CS%201", _basic("CS 1", "any"))
    assert admit(request, asked_of_others) == Admitted("CS 1", "CS 1", "")


@given(
    path=st.text("/%?:a1\udc80\udcff", max_size=12),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Authorization", "Sec-WebSocket-Protocol"]),
            st.sampled_from(["", "Basic "]).flatmap(
                lambda start: st.text(st.characters(max_codepoint=126), max_size=12).map(
                    lambda rest: start + "".join(c for c in rest if c.isprintable())
                )
            ),
        ),
        max_size=4,
    ),
)
def test_no_request_raises(path: str, headers: list[tuple[str, str]]) -> None:
    found = admit(_request(path, *headers), Rules(None, ("ocpp2.0.1",), {"a": "b"}))
    assert isinstance(found, Admitted | Refused)
    assert isinstance(found.identity.encode(), bytes)


@given(text=st.text())
def test_what_is_shown_of_a_peer_is_short_and_harmless(text: str) -> None:
    assert len(shown(text)) <= 83
    assert shown(text).isprintable()
    assert shown(text).isascii()


def test_a_refusal_reads_as_one_line() -> None:
    refused = Refused("CS2", 404, "not an identity that was named", "10.0.0.1:5")
    assert str(refused) == "'CS2' from 10.0.0.1:5 with HTTP 404: not an identity that was named"


def test_a_password_that_the_station_was_told_is_as_good_as_the_configured_one() -> None:
    told = replace(STRICT, further_passwords=("new password",))
    for password in ("new password", "pass:wörd"):
        admitted = admit(_request("/CS%201", _basic("CS 1", password)), told)
        assert isinstance(admitted, Admitted)
    refused = admit(_request("/CS%201", _basic("CS 1", "other")), told)
    assert isinstance(refused, Refused)
    assert refused.status == 401


def test_a_further_password_asks_nobody_for_one() -> None:
    told = replace(RULES, further_passwords=("new password",))
    assert isinstance(admit(_request("/CS%201"), told), Admitted)


def test_an_identity_that_the_station_was_told_must_still_give_its_password() -> None:
    told = replace(STRICT, further_identities=("CS-2",))
    assert isinstance(admit(_request("/CS-2", _basic("CS-2", "pass:wörd")), told), Admitted)
    for headers in ([], [_basic("CS-2", "wrong")], [_basic("CS 1", "pass:wörd")]):
        refused = admit(_request("/CS-2", *headers), told)
        assert isinstance(refused, Refused)
        assert refused.status == 401
    assert isinstance(admit(_request("/CS-3"), told), Refused)
