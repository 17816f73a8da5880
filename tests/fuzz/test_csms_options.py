"""What a CSMS process can be told."""

from datetime import UTC, datetime

import pytest

from fuzz.csms.options import CsmsOptions, Listener, enrol, listener, parse
from fuzz.csms.tls import server_context
from fuzz.errors import UsageError
from tlslab.pki import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC))


def test_a_command_line_names_ports_stations_and_certificates(lab):
    words = f"--listen 127.0.0.1:1 --listen 2@[::1]:0 --pki {lab.folder} --identity A --identity B"
    options = parse([*words.split(), "--defect", "old-tls", "--console"], {})
    assert options.listeners == (Listener("127.0.0.1", 1, 3), Listener("::1", 0, 2))
    assert [one.identity for one in options.enrolled] == ["A", "B"]
    assert (options.name, options.console, options.defects) == ("localhost", True, ("old-tls",))
    assert options.material.organizations == ("ocppfuzz lab",)
    assert options.material.issuer is not None
    assert options.material.issuer.key.decode() not in repr(options)


def test_a_password_comes_from_the_environment_and_is_not_kept():
    words = "--listen 127.0.0.1:1 --security-profile 1 --identity A"
    options = parse(words.split(), {"OCPPFUZZ_PASSWORD": "hush-hush-hush"})
    assert "hush" not in repr(options)
    assert options.enrolled[0].password_hash


@pytest.mark.parametrize("text", ["x", "127.0.0.1", "4@127.0.0.1:1", "@127.0.0.1:x", "a@b:1"])
def test_a_place_that_is_none_is_told_of(text):
    with pytest.raises(UsageError):
        listener(text)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"listeners": ()}, "nowhere to listen"),
        ({}, "need certificates"),
        ({"interval_s": 0, "listeners": (Listener(security_profile=1),)}, "positive"),
    ],
)
def test_options_that_contradict_each_other_are_refused(changes, told):
    given = {"listeners": (Listener(),), "enrolled": (enrol("A", 3, None),), **changes}
    with pytest.raises(UsageError, match=told):
        CsmsOptions(**given)


def test_a_folder_without_a_lab_is_told_of(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        parse(["--listen", "127.0.0.1:1", "--identity", "A", "--pki", str(tmp_path)], {})


def test_a_context_of_security_profile_3_needs_a_root(lab):
    options = parse(["--listen", "127.0.0.1:1", "--identity", "A", "--pki", str(lab.folder)], {})
    context = server_context(options.material, security_profile=3)
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert server_context(options.material, security_profile=2).verify_mode.name == "CERT_NONE"
    with pytest.raises(UsageError, match="needs a root"):
        server_context(type(options.material)(options.material.certificates), security_profile=3)
