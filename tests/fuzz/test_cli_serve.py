"""`serve station` hands the right credentials over."""

from pathlib import Path

import pytest

from fuzz import app
from fuzz.cli import main


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OCPPFUZZ_PASSWORD", raising=False)


@pytest.mark.parametrize(
    ("arguments", "profile"),
    [
        (["ws://127.0.0.1:9000/ocpp"], 0),
        (["ws://127.0.0.1:9000/ocpp", "--password-file", "p"], 1),
        (["wss://localhost:9000/ocpp"], 2),
        (["wss://localhost:9000/ocpp", "--cert", "c", "--key", "k"], 3),
        (["wss://localhost:9000/ocpp", "--security-profile", "3"], 3),
    ],
)
def test_the_station_dials_with_the_security_profile_of_its_credentials(
    monkeypatch, arguments, profile
):
    Path("p").write_text("secret")
    served: list[object] = []
    monkeypatch.setattr(
        app, "serve_station", lambda options, url: served.append((url, options.security_profile))
    )
    assert main(["serve", "station", *arguments]) == 0
    assert served == [(arguments[0], profile)]


def test_the_station_needs_a_websocket_url(capsys):
    assert main(["serve", "station", "http://x"]) == 2
    assert "'http://x' is no ws or wss URL" in capsys.readouterr().err
