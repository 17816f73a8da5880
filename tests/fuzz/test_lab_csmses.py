"""Where a CSMS is and who we are there: what the options say, and what is wrong with them in one line."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from fuzz.clock import SystemClock
from fuzz.config import RunOptions
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.lab.csmses import standing_csms, way_of
from fuzz.lab.options import LabOptions
from tlslab.pki import Lab

CLOCK = SystemClock()
URL = "wss://localhost:1/ocpp/{identity}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("pki"), now=datetime.now(UTC), serial="CS-1")


@pytest.fixture
def options(lab):
    return RunOptions(
        target=URL,
        identity="CS-1",
        security_profile=3,
        cert=lab.station.certificate,
        key=lab.station.key,
    )


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=48))
def test_the_identity_is_the_last_part_of_the_url(identity):
    encoded = quote(identity, safe="")
    way = way_of(f"wss://csms.example:4443/a/b/{encoded}", identity)
    assert (way.host, way.port, way.path) == ("csms.example", 4443, "/a/b/")


@pytest.mark.parametrize(("url", "port"), [("wss://h/CS-1", 443), ("ws://h/CS-1", 80)])
def test_a_url_without_a_port_has_that_of_its_scheme(url, port):
    assert way_of(url, "CS-1").port == port


@pytest.mark.parametrize(
    "url", ["wss://h", "wss://h/", "wss://h/ocpp", "wss://h/CS-1/", "wss://h/cs-1"]
)
def test_a_url_that_does_not_end_in_the_identity_is_refused(url):
    with pytest.raises(UsageError, match="identity"):
        way_of(url, "CS-1")


@pytest.mark.parametrize(
    ("run", "lab_options", "what"),
    [
        ({"identity": ""}, {}, "--identity"),
        ({"security_profile": 1}, {}, "profile 2 or 3"),
        ({"cert": None, "key": None}, {}, "--cert and --key"),
        ({"security_profile": 2, "cert": None, "key": None}, {}, "OCPPFUZZ_PASSWORD"),
        ({}, {"second": "CS-2"}, "--second-cert"),
        ({}, {"client_ca_key": "root"}, "--client-ca"),
        ({}, {"revoked": "station"}, "--revoked-key"),
        ({}, {"client_ca": "missing"}, "missing"),
        ({}, {"client_ca": "station", "client_ca_key": "station"}, "no CA"),
        ({}, {"revoked": "station", "revoked_key": "root"}, "not the key"),
    ],
)
async def test_what_is_wrong_with_the_options_is_told_in_one_line(
    lab, options, monkeypatch, run, lab_options, what
):
    monkeypatch.delenv("OCPPFUZZ_PASSWORD", raising=False)
    files = {
        "root": (lab.root.certificate, lab.root.key),
        "station": (lab.station.certificate, lab.station.key),
    }
    given_ = {
        name: files[value][name.endswith("_key")] if value in files else value
        for name, value in lab_options.items()
    }
    if "client_ca" in given_ and given_["client_ca"] == "missing":
        given_["client_ca"] = lab.folder / "missing.pem"
    with pytest.raises(UsageError) as told:
        await standing_csms(replace(options, **run), LabOptions(**given_), CLOCK)
    assert what in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("with_root", [True, False])
async def test_nobody_at_the_url_is_told_with_the_url(lab, options, unused_tcp_port, with_root):
    target = f"wss://localhost:{unused_tcp_port}/ocpp/{{identity}}"
    ca = lab.root.certificate if with_root else None
    with pytest.raises(TargetUnavailable, match=f"localhost:{unused_tcp_port}/ocpp/CS-1"):
        await standing_csms(replace(options, target=target, ca=ca), LabOptions(), CLOCK)
