import pytest

from fuzz.app.credentials import hider


def test_a_configured_password_is_hidden_wherever_it_stands() -> None:
    hide = hider("correct-horse")
    assert hide(b"GET /?p=correct-horse\ncorrect-horse") == (
        b"GET /?p={secret.password.old}\n{secret.password.old}"
    )


@pytest.mark.parametrize("password", [None, "", "short"])
def test_what_is_too_short_to_be_a_password_stays(password: str | None) -> None:
    assert hider(password)(b"a short word") == b"a short word"
