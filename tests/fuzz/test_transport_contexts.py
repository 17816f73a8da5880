from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fuzz.errors import UsageError
from fuzz.transport.contexts import client_context, server_context, tls_failure
from tlslab.describe import Description
from tlslab.pki import Credential, Files, Lab, issue

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.create(tmp_path_factory.mktemp("lab"), now=NOW)


def _server(lab: Lab, *, client_ca: Path | None = None) -> ssl.SSLContext:
    certificates = [(f.certificate, f.key) for f in (lab.csms, lab.csms_rsa)]
    return server_context(certificates=certificates, client_ca=client_ca)


def _shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost"
) -> tuple[str, str]:
    """Both ends' outcome: the suite agreed on, or why it failed."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    outcome = ["", ""]
    for _ in range(6):
        for number, end in enumerate(ends):
            try:
                if not outcome[number]:
                    end.do_handshake()
                    outcome[number] = (end.cipher() or ("",))[0]
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as exc:
                outcome[number] = tls_failure(exc)
    return outcome[0], outcome[1]


def _only(context: ssl.SSLContext, suite: str) -> ssl.SSLContext:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    return context


@pytest.mark.parametrize(
    "suite",
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
    ],
)
def test_a_client_with_any_one_of_the_four_suites_is_served(suite: str, lab: Lab) -> None:
    client = _only(client_context(ca=lab.root.certificate), suite)
    assert _shake_hands(_server(lab), client) == (suite, suite)


def test_security_profile_3_takes_the_station_certificate(lab: Lab) -> None:
    client = client_context(
        ca=lab.root.certificate, certificate=lab.station.certificate, key=lab.station.key
    )
    ends = _shake_hands(_server(lab, client_ca=lab.root.certificate), client)
    assert ends == ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384")


def test_security_profile_3_says_when_there_is_no_client_certificate(lab: Lab) -> None:
    _, server = _shake_hands(
        _server(lab, client_ca=lab.root.certificate), client_context(ca=lab.root.certificate)
    )
    assert server == "the peer sent no client certificate"


def test_a_client_certificate_of_another_root_is_named_as_such(lab: Lab, tmp_path: Path) -> None:
    stranger = Files(tmp_path / "s.pem", tmp_path / "s.key")
    stranger.write(issue(Description("OCPPFUZZ0001"), now=NOW))
    client = client_context(
        ca=lab.root.certificate, certificate=stranger.certificate, key=stranger.key
    )
    _, server = _shake_hands(_server(lab, client_ca=lab.root.certificate), client)
    assert server == "the peer's certificate is not valid: self-signed certificate"


def test_a_client_that_does_not_trust_us_is_heard_saying_so(lab: Lab, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    made: Credential = issue(Description("other", is_ca=True), now=NOW)
    other.write_bytes(made.certificate)
    client, server = _shake_hands(_server(lab), client_context(ca=other))
    assert client.startswith("the peer's certificate is not valid: ")
    assert server == "the peer does not trust our certificate's root (alert unknown_ca)"


def test_a_client_that_dials_another_name_refuses_us(lab: Lab) -> None:
    client, server = _shake_hands(
        _server(lab), client_context(ca=lab.root.certificate), "csms.test"
    )
    assert "csms.test" in client
    assert server.endswith("(alert bad_certificate)")


def test_a_client_without_a_common_suite_is_named_as_such(lab: Lab) -> None:
    client = _only(client_context(ca=lab.root.certificate), "ECDHE-RSA-CHACHA20-POLY1305")
    client_end, server_end = _shake_hands(_server(lab), client)
    assert server_end == "the peer offers no suite that we serve"
    assert client_end == "the peer found no common ground (alert handshake_failure)"


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (ConnectionResetError(), "without an alert"),
        (TimeoutError(), "in time"),
        (ConnectionAbortedError("slow"), "in time"),
        (ValueError("x"), "ValueError"),
    ],
)
def test_failures_below_tls_are_told_too(exc: Exception, words: str) -> None:
    assert words in tls_failure(exc)


def test_files_that_cannot_be_used_are_usage_errors(lab: Lab, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    missing = tmp_path / "missing.pem"
    with pytest.raises(UsageError, match=r"missing\.pem .*No such file"):
        server_context(certificates=[(missing, lab.csms.key)])
    with pytest.raises(UsageError, match="cannot use certificate"):
        server_context(certificates=[(lab.csms.certificate, lab.csms_rsa.key)])
    with pytest.raises(UsageError, match=r"CA file .*nonsense\.pem"):
        client_context(ca=nonsense)
    with pytest.raises(UsageError, match="belong together"):
        client_context(certificate=lab.station.certificate)
