import ssl
from datetime import UTC, datetime, timedelta

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from fuzz.errors import UsageError
from fuzz.station.events import Failure
from fuzz.station.keystore import Credentials
from fuzz.station.tls import client_context, failure_of
from tlslab.describe import Description
from tlslab.pki import Files, Lab, issue

SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC))


def credentials(lab, *, own=True, root=None):
    station = lab.station.read()
    return Credentials(
        chain=station.presented.decode() if own else "",
        key=station.key.decode() if own else "",
        roots=((root or lab).root.certificate.read_text(),),
    )


def server(lab, *, certificate=None, suites=None, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files = certificate or lab.csms
    context.load_cert_chain(files.certificate, files.key)
    if suites:
        context.set_ciphers(suites)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca.root.certificate)
    return context


def shake_hands(client, server, host="localhost"):
    """Both ends of a handshake in memory, as SSLObjects; raises what the client meets."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(down, up, server_hostname=host)
    far = server.wrap_bio(up, down, server_side=True)
    done = set()
    for _ in range(10):
        for end in (near, far):
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                if end is near:
                    raise
        if done == {near, far}:
            break
    return near, far


def failure(client, server):
    with pytest.raises(ssl.SSLError) as caught:
        shake_hands(client, server)
    return failure_of(caught.value)


def context(lab, profile=2, suites=SUITES, **options):
    return client_context(
        credentials(lab, **options), cipher_suites=suites, security_profile=profile
    )


def test_the_lab_s_csms_is_trusted_over_tls_1_2_with_a_suite_of_the_station(lab):
    near, _ = shake_hands(context(lab), server(lab))
    assert near.version() == "TLSv1.2"
    assert near.cipher()[0] in SUITES


def test_a_station_with_rsa_suites_takes_the_rsa_certificate(lab):
    suites = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
    far = server(lab, certificate=lab.csms_rsa, suites=":".join(suites))
    near, _ = shake_hands(context(lab, suites=suites), far)
    assert near.cipher()[0] in suites


@pytest.mark.parametrize(("profile", "shown"), [(2, False), (3, True)])
def test_the_own_certificate_is_shown_with_security_profile_3_only(lab, profile, shown):
    far = server(lab, client_ca=lab)
    far.verify_mode = ssl.CERT_OPTIONAL
    _, end = shake_hands(context(lab, profile), far)
    assert (end.getpeercert() is not None) is shown


def test_nothing_of_the_key_stays_on_disk(lab, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    context(lab, 3)
    assert list(tmp_path.iterdir()) == []


def test_an_installed_certificate_is_trusted_whoever_signed_it(lab):
    pinned = Credentials(roots=(lab.csms.certificate.read_text(),))
    client = client_context(pinned, cipher_suites=SUITES, security_profile=2)
    near, _ = shake_hands(client, server(lab))
    assert near.version() == "TLSv1.2"


def test_without_a_root_no_csms_is_trusted(lab):
    client = client_context(Credentials(), cipher_suites=SUITES, security_profile=2)
    assert client.get_ca_certs() == []
    assert failure(client, server(lab)) is Failure.CSMS_CERTIFICATE


def test_broken_credentials_are_a_usage_error(lab):
    for broken in (
        Credentials(roots=("none",)),
        Credentials(chain="none", key="none", roots=credentials(lab).roots),
    ):
        with pytest.raises(UsageError, match="cannot be loaded"):
            client_context(broken, cipher_suites=SUITES, security_profile=3)


def test_nobody_may_renegotiate(lab):
    assert context(lab).options & ssl.OP_NO_RENEGOTIATION


def test_validity_is_left_to_whoever_knows_the_station_s_clock(lab, tmp_path):
    long_ago = datetime.now(UTC) - timedelta(days=9)
    old = issue(
        Description("localhost", validity=timedelta(days=1)), now=long_ago, issuer=lab.root.read()
    )
    files = Files(tmp_path / "old.pem", tmp_path / "old.key")
    files.write(old)
    assert failure(context(lab), server(lab, certificate=files)) is Failure.CSMS_CERTIFICATE
    lenient = client_context(
        credentials(lab), cipher_suites=SUITES, security_profile=2, own_clock=True
    )
    near, _ = shake_hands(lenient, server(lab, certificate=files))
    assert near.version() == "TLSv1.2"


# --- what errors mean -------------------------------------------------------------------------------------


def test_a_foreign_root_and_a_foreign_name_are_the_certificate_s_fault(lab, tmp_path):
    stranger = Lab.create(tmp_path, now=datetime.now(UTC), csms_names=("other.test",))
    assert failure(context(lab), server(stranger)) is Failure.CSMS_CERTIFICATE
    assert failure(context(lab, root=stranger), server(stranger)) is Failure.CSMS_CERTIFICATE


def test_no_common_suite_is_the_suite_s_fault(lab):
    far = server(lab, certificate=lab.csms_rsa)
    assert failure(context(lab), far) is Failure.CIPHER_SUITE


def test_a_refused_own_certificate_is_a_refusal(lab, tmp_path):
    stranger = Lab.create(tmp_path, now=datetime.now(UTC))
    far = server(lab, client_ca=stranger)
    assert failure(context(lab, 3), far) is Failure.REFUSED


def hear_server_hello(lab, *, version=0x0303, suite=0xC02B):
    """What the station makes of a hand-made ServerHello (RFC 5246 section 7.4.1.3)."""
    body = version.to_bytes(2, "big") + bytes(32) + b"\0" + suite.to_bytes(2, "big") + b"\0"
    handshake = b"\x02" + len(body).to_bytes(3, "big") + body
    down = ssl.MemoryBIO()
    end = context(lab).wrap_bio(down, ssl.MemoryBIO(), server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        end.do_handshake()
    down.write(b"\x16\x03\x03" + len(handshake).to_bytes(2, "big") + handshake)
    with pytest.raises(ssl.SSLError) as caught:
        end.do_handshake()
    return failure_of(caught.value)


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302])
def test_an_old_version_is_the_version_s_fault(lab, version):
    assert hear_server_hello(lab, version=version) is Failure.TLS_VERSION


@pytest.mark.parametrize("suite", [0x0005, 0x000A, 0x009C, 0x1301])
def test_a_suite_that_was_not_offered_is_the_suite_s_fault(lab, suite):
    assert hear_server_hello(lab, suite=suite) is Failure.CIPHER_SUITE


@pytest.mark.parametrize(
    ("code", "expected"), [(401, "refused"), (403, "refused"), (500, "unreachable")]
)
def test_refused_credentials_are_a_refusal(code, expected):
    assert failure_of(InvalidStatus(Response(code, "", Headers()))) == expected


def test_the_cause_of_an_error_tells_what_the_error_does_not():
    outer = OSError("cannot connect")
    outer.__cause__ = ssl.SSLCertVerificationError("expired")
    assert failure_of(outer) is Failure.CSMS_CERTIFICATE
    assert failure_of(ConnectionRefusedError()) is Failure.UNREACHABLE
    outer.__cause__ = outer
    assert failure_of(outer) is Failure.UNREACHABLE
