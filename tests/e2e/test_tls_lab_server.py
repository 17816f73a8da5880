"""OpenSSL's and GnuTLS' own command lines as callers of the lab: each engine shows them what it is told to.

What a correct client refuses ends in its alert, what it takes is let in, and who verifies nothing is seen to do so.
"""

import asyncio
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest

from tlslab import pki, rogue
from tlslab.authority import Authority
from tlslab.describe import Chain, Description, KeyKind, Root
from tlslab.keys import new_key, pem_of
from tlslab.offers import TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, ClientAuth, Engine, Offer
from tlslab.revocation import ocsp
from tlslab.seen import Stage, Way
from tlslab.server import LabServer

PATIENCE_S = 20.0
UPGRADE = b"GET /ocpp/CS1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
ENGINES = (Engine.STDLIB, Engine.PYOPENSSL, Engine.TLSLITE)
CALLERS = ("openssl", "gnutls-cli")
OLD_SUITES = (0xC009, 0xC00A)
BAD_CERTIFICATE, EXPIRED, ILLEGAL_PARAMETER, UNKNOWN_CA, DECRYPT_ERROR = 42, 45, 47, 48, 51


class Answering:
    async def serve(self, stream, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            data = await stream.read()
            if not data:
                return
            head += data
        await stream.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        while await stream.read():
            pass


def _now():
    return datetime.now(UTC)


class Pki:
    """One root that the callers trust, and what hangs under it."""

    def __init__(self, folder):
        self.root = pki.issue(Description("lab root", is_ca=True), now=_now())
        self.authority = Authority(self.root, now=_now)
        self.proper = self.server()
        self.rsa = self.server(key=KeyKind.RSA_2048)
        self.station = self.authority.issue(Chain(Description("CS1")))
        self.root_file = folder / "root.pem"
        self.shown_file, self.key_file = folder / "shown.pem", folder / "shown.key"
        self.root_file.write_bytes(self.root.certificate)
        self.shown_file.write_bytes(self.station.presented)
        pki.secure_write(self.key_file, self.station.key)

    def server(self, host="localhost", root=Root.TRUSTED, **changes):
        described = Description(host, names=(host,), **changes)
        return self.authority.issue(Chain(described, root=root))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def server():
    found = LabServer("127.0.0.1", 0, session=Answering(), monotonic=time.monotonic, now=_now)
    await found.start()
    yield found
    await found.aclose()


async def _run(words, said):
    process = await asyncio.create_subprocess_exec(
        *map(str, words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, _ = await process.communicate(said)
    except TimeoutError:
        process.kill()
        raise
    return out.decode("utf-8", "replace")


def _openssl(made, port, *, version, verify, shown):
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"]
    words += ["-CAfile", made.root_file, "-verify_hostname", "localhost"]
    words += ["-verify_return_error"] if verify else []
    words += ["-cert", made.shown_file, "-key", made.key_file] if shown else []
    old = version in (TLS_1_0, TLS_1_1)
    words += ["-cipher", "ALL:@SECLEVEL=0"] if old else []
    flags = {TLS_1_0: "-tls1", TLS_1_1: "-tls1_1", TLS_1_2: "-tls1_2", TLS_1_3: "-tls1_3"}
    return [*words, *([flags[version]] if version else [])]


def _gnutls(made, port, *, version, verify, shown):
    words = ["gnutls-cli", "--port", port, "--x509cafile", made.root_file]
    words += [] if verify else ["--insecure"]
    words += ["--x509certfile", made.shown_file, "--x509keyfile", made.key_file] if shown else []
    names = {TLS_1_0: "TLS1.0", TLS_1_1: "TLS1.1", TLS_1_2: "TLS1.2", TLS_1_3: "TLS1.3"}
    only = f"NORMAL:+RSA:-VERS-ALL:+VERS-{names[version]}" if version else "NORMAL:+RSA"
    return [*words, "--priority", only, "localhost"]


@pytest.fixture
def call(server, made):
    """Dials the lab, asks for the upgrade: what came of it, and what the caller printed."""

    async def dial(caller, *flags, version=None, verify=True, shown=False):
        if shutil.which(caller) is None:
            pytest.skip(f"{caller} is not installed")
        build = _openssl if caller == "openssl" else _gnutls
        words = build(made, server.port, version=version, verify=verify, shown=shown)
        first = server.count
        printed = await _run([*words, *flags], UPGRADE)

        def over():
            return [c for c in server.since(first) if c.ended_s is not None]

        (connection,) = await server.until(over, within=PATIENCE_S)
        return connection, printed

    return dial


# --- what is proper ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_proper_offer_is_taken(server, made, call, caller, engine, version):
    server.offer = Offer(made.proper, engine=engine, highest=version)
    connection, printed = await call(caller)
    assert connection.stage is Stage.WEBSOCKET, printed
    assert (connection.version, connection.server_chain) == (version, (made.proper.der,))


@pytest.mark.parametrize("suite", [0xC02B, 0xC02C, 0x009C, 0x009D])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("caller", CALLERS)
async def test_each_suite_of_ocpp_is_spoken(server, made, call, caller, engine, suite):
    credential = made.rsa if suite < 0x100 else made.proper
    server.offer = Offer(credential, engine=engine, highest=TLS_1_2, suites=(suite,))
    connection, printed = await call(caller, version=TLS_1_2)
    assert (connection.stage, connection.suite) == (Stage.WEBSOCKET, suite), printed


@pytest.mark.parametrize("version", [TLS_1_0, TLS_1_1])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("caller", CALLERS)
async def test_old_versions_are_spoken(server, made, call, caller, engine, version):
    server.offer = Offer(
        made.proper, engine=engine, lowest=version, highest=version, suites=OLD_SUITES
    )
    connection, printed = await call(caller, version=version)
    assert (connection.stage, connection.version) == (Stage.WEBSOCKET, version), printed


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_server_of_an_old_version_only_is_refused(server, made, call, caller, engine):
    server.offer = Offer(
        made.proper, engine=engine, lowest=TLS_1_0, highest=TLS_1_1, suites=OLD_SUITES
    )
    connection, _ = await call(caller, version=TLS_1_2)
    assert connection.stage is Stage.ALERT


# --- what is not ------------------------------------------------------------------------------------------

FAULTS = {
    "unknown root": {"root": Root.STRANGER},
    "namesake": {"root": Root.NAMESAKE},
    "self-signed": {"root": Root.NONE},
    "another host": {"host": "elsewhere.example"},
    "expired": {"begins": timedelta(days=-10), "validity": timedelta(days=-2)},
    "not yet valid": {"begins": timedelta(days=2)},
    "broken signature": {"broken": True},
    "client only": {"extended": ("clientAuth",)},
}


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_faulty_certificate_ends_in_the_callers_alert(
    server, made, call, caller, fault, version
):
    server.offer = Offer(made.server(**FAULTS[fault]), highest=version)
    connection, printed = await call(caller)
    assert connection.stage is Stage.ALERT, printed
    assert {alert.way for alert in connection.alerts} == {Way.PEER}
    assert connection.error


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
async def test_openssl_says_which_fault(server, made, call, engine, version):
    expired = made.server(**FAULTS["expired"])
    told = []
    for credential in (expired, made.server(root=Root.STRANGER)):
        server.offer = Offer(credential, engine=engine, highest=version)
        connection, _ = await call("openssl")
        told.append([(alert.way, alert.number) for alert in connection.alerts])
    assert told == [[(Way.PEER, EXPIRED)], [(Way.PEER, UNKNOWN_CA)]]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_caller_that_verifies_nothing_is_seen(server, made, call, caller, fault):
    server.offer = Offer(made.server(**FAULTS[fault]))
    connection, printed = await call(caller, verify=False)
    assert connection.stage is Stage.WEBSOCKET, printed


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_handshake_signed_with_another_key_is_refused(server, made, call, caller, version):
    other = pem_of(new_key(KeyKind.EC_P256))
    server.offer = Offer(made.proper, highest=version, sign_with=other)
    connection, printed = await call(caller, verify=False)
    assert connection.stage < Stage.FINISHED, printed


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_suite_that_was_not_offered_is_refused_at_once(server, made, call, caller):
    server.offer = Offer(made.proper, engine=Engine.HAND, answer=rogue.suite_not_offered())
    connection, printed = await call(caller)
    assert (connection.stage, connection.notes) == (Stage.ALERT, []), printed
    assert connection.alerts[0].number in (ILLEGAL_PARAMETER, 40)


@pytest.mark.parametrize("caller", CALLERS)
async def test_plain_text_on_the_port_of_tls_is_refused(server, made, call, caller):
    server.offer = Offer(made.proper, engine=Engine.PLAIN)
    connection, printed = await call(caller)
    assert Stage.NOTHING < connection.stage < Stage.FINISHED, printed


# --- client certificates ----------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [ClientAuth.VERIFY, ClientAuth.ANY])
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("caller", CALLERS)
async def test_the_callers_certificate_is_seen(server, made, call, caller, engine, version, auth):
    server.offer = Offer(
        made.proper,
        engine=engine,
        highest=version,
        client_auth=auth,
        client_roots=(made.root.certificate,),
    )
    connection, printed = await call(caller, shown=True)
    assert connection.stage is Stage.WEBSOCKET, printed
    assert connection.client_chain[0] == made.station.der


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_caller_without_a_certificate_is_let_in_only_where_any_will_do(
    server, made, call, caller
):
    stages = []
    for auth in (ClientAuth.ANY, ClientAuth.VERIFY):
        roots = (made.root.certificate,)
        server.offer = Offer(made.proper, highest=TLS_1_2, client_auth=auth, client_roots=roots)
        connection, _ = await call(caller)
        assert connection.client_chain == ()
        stages.append(connection.stage)
    assert stages[0] is Stage.WEBSOCKET
    assert stages[1] < Stage.UPGRADE


# --- pyOpenSSL's own --------------------------------------------------------------------------------------


DONE, REFUSED = "renegotiation: a second handshake was done", "renegotiation: refused"


@pytest.mark.parametrize(
    ("caller", "another", "note", "stage"),
    [
        ("openssl", False, DONE, Stage.UPGRADE),
        ("gnutls-cli", False, DONE, Stage.UPGRADE),
        # OpenSSL asks for the same root only, GnuTLS for the same certificate.
        ("openssl", True, DONE, Stage.UPGRADE),
        ("gnutls-cli", True, REFUSED, Stage.FINISHED),
    ],
)
async def test_a_renegotiation_is_settled_before_http(
    server, made, call, caller, another, note, stage
):
    other = made.server(validity=timedelta(days=30)) if another else None
    server.offer = Offer(
        made.proper, renegotiate=True, renegotiate_as=other, http=b"HTTP/1.1 403 No\r\n\r\n"
    )
    stays = ["-ign_eof"] if caller == "openssl" else []
    connection, printed = await call(caller, *stays)
    assert (connection.notes[0], connection.stage) == (note, stage), printed


async def test_a_stapled_response_is_read(server, made, call):
    response = ocsp(made.root, made.proper.certificate, now=_now(), revoked=True)
    server.offer = Offer(made.proper, staple=response)
    _, printed = await call("openssl", "-status")
    assert "Cert Status: revoked" in printed
