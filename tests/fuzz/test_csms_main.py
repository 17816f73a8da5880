"""`python -m fuzz.csms`."""

from fuzz.csms.__main__ import main


def test_what_cannot_be_run_is_told_in_one_line(capsys):
    assert main(["--listen", "127.0.0.1:0", "--security-profile", "1", "--identity", "A"]) == 2
    assert capsys.readouterr().err == "error: station A needs a password in security profile 1\n"


def test_a_place_where_nobody_can_listen_is_told_of(capsys, monkeypatch):
    monkeypatch.setenv("OCPPFUZZ_PASSWORD", "0123456789abcdef")
    arguments = ["--listen", "1@203.0.113.1:1", "--security-profile", "1", "--identity", "A"]
    assert main(arguments) == 2
    assert "error: cannot listen on 203.0.113.1:1" in capsys.readouterr().err
