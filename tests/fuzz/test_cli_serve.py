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
        app,
        "serve_station",
        lambda options, url, stage: served.append((url, options.security_profile)),
    )
    assert main(["serve", "station", *arguments]) == 0
    assert served == [(arguments[0], profile)]


@pytest.mark.parametrize("what", ["station", "csms"])
def test_a_target_in_the_file_keeps_no_defect_out_of_our_own_ends(monkeypatch, what):
    Path("ocppfuzz.toml").write_text(
        '[target]\nlisten = "127.0.0.1:9000"\nidentity = "CS-1"\nsecurity_profile = 1\nrestart_cmd = "x"\n'
    )
    served: list[object] = []
    monkeypatch.setattr(app, f"serve_{what}", lambda options, *_: served.append(options))
    url = ["ws://127.0.0.1:9000/ocpp"] if what == "station" else []
    assert main(["serve", what, *url, "--defect", "P01"]) == 0
    assert [(o.identity, o.defects, o.embedded) for o in served] == [("CS-1", ("P01",), True)]


def test_the_station_needs_a_websocket_url(capsys):
    assert main(["serve", "station", "http://x"]) == 2
    assert "'http://x' is no ws or wss URL" in capsys.readouterr().err


def test_the_url_may_be_an_option_and_everything_to_play_with_is_handed_over(monkeypatch):
    served: list[object] = []
    monkeypatch.setattr(
        app,
        "serve_station",
        lambda options, url, stage: served.append((url, options.edition, stage)),
    )
    arguments = "--csms ws://x --pics p --state d --console --script s --edition 2025-09"
    switches = "--realistic-timing --bench --files-anywhere"
    assert main(["serve", "station", *arguments.split(), *switches.split()]) == 0
    stage = app.Stage(
        pics="p",
        state=Path("d"),
        console=True,
        script=Path("s"),
        realistic_timing=True,
        bench=True,
        files_anywhere=True,
    )
    assert served == [("ws://x", "2025-09", stage)]


@pytest.mark.parametrize("arguments", [[], ["ws://x", "--csms", "ws://x"]])
def test_the_csms_is_named_exactly_once(arguments, capsys):
    assert main(["serve", "station", *arguments]) == 2
    assert "name the CSMS once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--pics", "p"], "unknown PICS file 'p'"),
        (["--script", "none.txt"], "--script none.txt cannot be read"),
        (["--script", "bad.txt"], "bad.txt line 2: unknown word 'plugin'; did you mean 'plug-in'?"),
        (["--state", "p"], "no state can be kept in p"),
        (["--defect", "P99"], "unknown defect 'P99'"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exit_code_2(arguments, complaint, capsys):
    Path("p").write_text("")
    Path("bad.txt").write_text("# first\nplugin 1\n")
    assert main(["serve", "station", "ws://127.0.0.1:1", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


def test_help_shows_examples(capsys):
    assert main(["serve", "station", "--help"]) == 0
    assert "ocppfuzz serve station ws://127.0.0.1:9000/ocpp --state" in capsys.readouterr().out


def served_csms(monkeypatch):
    served: list[object] = []
    monkeypatch.setattr(app, "serve_csms", lambda options, stage: served.append((options, stage)))
    return served


def test_the_csms_is_told_where_to_listen_and_whom_to_know(monkeypatch):
    served = served_csms(monkeypatch)
    arguments = "--listen 3@127.0.0.1:1 --listen 2@127.0.0.1:2 --stations s --pki d --revoked A"
    switches = "--identity CS-1 --defect any-password --console --interval-s 9 --retry-s 3"
    assert main(["serve", "csms", *arguments.split(), *switches.split()]) == 0
    ((options, stage),) = served
    assert (options.identity, options.defects) == ("CS-1", ("any-password",))
    assert stage == app.CsmsStage(
        listen=("3@127.0.0.1:1", "2@127.0.0.1:2"),
        stations=Path("s"),
        pki=Path("d"),
        revoked=("A",),
        interval_s=9,
        retry_s=3,
        console=True,
    )


def test_a_password_makes_it_security_profile_2(monkeypatch):
    Path("p").write_text("secret")
    served = served_csms(monkeypatch)
    assert main(["serve", "csms", "--identity", "A", "--password-file", "p"]) == 0
    assert main(["serve", "csms", "--identity", "A"]) == 0
    assert [options.security_profile for options, _ in served] == [2, 3]


def test_the_csms_has_no_security_profile_0(capsys):
    assert main(["serve", "csms", "--identity", "A", "--security-profile", "0"]) == 2
    assert "security profiles 1 to 3" in capsys.readouterr().err
