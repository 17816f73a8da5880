"""`pki` makes certificates and puts certificates into words."""

import pytest

from fuzz.cli import main


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_pki_makes_certificates_and_shows_them(tmp_path, capsys):
    assert main(["pki", "create", "lab", "--name", "csms.example"]) == 0
    root = next(line for line in capsys.readouterr().out.splitlines() if "root cert" in line)
    assert main(["pki", "show", root.split("  ")[0]]) == 0
    shown = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines() if line)
    assert {"subject", "issuer", "key", "signature", "SHA-256"} <= set(shown)
    assert shown["key"].startswith("EC secp")


def test_keys_are_never_overwritten(tmp_path, capsys):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "something").touch()
    assert main(["pki", "create", "lab"]) == 2
    assert "folder lab is not empty; keys are never overwritten" in capsys.readouterr().err


def test_what_is_no_certificate_is_refused(tmp_path, capsys):
    (tmp_path / "x").write_text("hello")
    assert main(["pki", "show", "x"]) == 2
    assert main(["pki", "show", "none"]) == 2
    assert capsys.readouterr().err == (
        "error: x holds no PEM certificate; give a certificate or chain\n"
        "error: cannot read none: No such file or directory; check the path\n"
    )
