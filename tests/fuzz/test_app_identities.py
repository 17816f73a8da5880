"""Credentials come out of the environment, as files that go away again."""

import stat

import pytest

from fuzz.app.identities import lent
from fuzz.config import ConfigError, Identity

PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
ONE = Identity("CS-1", 2, password_env="ONE_PW")
TWO = Identity("CS-2", 3, cert_env="TWO_CERT", key_env="TWO_KEY")
ENVIRON = {"ONE_PW": "s3cret-s3cret-s3cret", "TWO_CERT": PEM, "TWO_KEY": "keys/two.key"}


def test_the_first_identity_is_used_and_the_next_is_the_second():
    with lent((ONE, TWO), None, ENVIRON) as credentials:
        assert credentials.fields == {
            "identity": "CS-1",
            "security_profile": 2,
            "password_env": "ONE_PW",
        }
        second = credentials.second
        assert second["second"] == "CS-2"
        assert second["second_cert"].read_text() == PEM
        assert str(second["second_key"]) == "keys/two.key"


def test_another_one_can_be_named():
    with lent((ONE, TWO), "CS-2", ENVIRON) as credentials:
        cert = credentials.fields["cert"]
        assert cert.read_text() == PEM
        assert stat.S_IMODE(cert.stat().st_mode) == 0o600
        password = credentials.second["second_password_file"]
        assert password.read_text() == "s3cret-s3cret-s3cret"
    assert not cert.exists()
    assert not password.exists()


def test_an_identity_that_is_not_listed_has_no_credentials_here():
    with lent((ONE,), "CS-9", ENVIRON) as credentials:
        assert (credentials.fields, credentials.second) == ({}, {})


def test_a_variable_that_is_not_set_is_named():
    with (
        pytest.raises(ConfigError, match="variable ONE_PW of identity CS-1 is not set"),
        lent((ONE,), None, {}),
    ):
        pytest.fail("nothing must be played without credentials")
