"""Options of the TLS lab that mean nothing together are told; every sensible set is taken."""

from dataclasses import replace
from pathlib import Path

import pytest

from fuzz.app.tls_checking import check_options
from fuzz.config import RunOptions
from fuzz.errors import UsageError
from fuzz.lab.options import LabOptions

FILE = Path("file.pem")
NOBODY = RunOptions()
STATION = RunOptions(listen="127.0.0.1:9000", identity="CS-1")
CSMS = RunOptions(target="wss://localhost/CS-1", identity="CS-1")


@pytest.mark.parametrize(
    ("options", "given"),
    [
        (NOBODY, {}),
        (NOBODY, {"self_test": "csms"}),
        (STATION, {"issuer": FILE, "issuer_key": FILE, "root": FILE, "name": "csms.example"}),
        (STATION, {"client_ca": FILE, "client_ca_key": FILE, "declared": "ac"}),
        (CSMS, {"client_ca": FILE, "revoked": FILE, "revoked_key": FILE}),
        (CSMS, {"second": "CS-2", "second_cert": FILE, "second_key": FILE}),
        (CSMS, {"second": "CS-2", "second_password_file": FILE}),
    ],
    ids=str,
)
def test_a_sensible_set_is_taken(options, given):
    check_options(options, replace(LabOptions(), **given))


@pytest.mark.parametrize(
    ("options", "given", "said"),
    [
        (STATION, {"self_test": "csms"}, "--listen about a peer"),
        (CSMS, {"self_test": "csms"}, "--target about a peer"),
        (replace(STATION, pics="ac"), {}, "yours has --declared"),
        (NOBODY, {"issuer": FILE, "issuer_key": FILE}, "--issuer means nothing without --listen"),
        (CSMS, {"name": "h"}, "--name means nothing without --listen"),
        (STATION, {"second": "CS-2"}, "--second means nothing without --target"),
        (NOBODY, {"client_ca": FILE}, "--client-ca means nothing without --listen or --target"),
        (STATION, {"issuer": FILE}, "--issuer means nothing without --issuer-key"),
        (CSMS, {"second_password_file": FILE}, "--second-password-file means nothing without"),
        (CSMS, {"revoked_key": FILE}, "--revoked-key means nothing without --revoked"),
        (STATION, {"client_ca_key": FILE}, "--client-ca-key means nothing without --client-ca"),
    ],
    ids=str,
)
def test_what_would_have_no_effect_is_told(options, given, said):
    with pytest.raises(UsageError) as told:
        check_options(options, replace(LabOptions(), **given))
    assert said in str(told.value)
