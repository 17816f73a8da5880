"""The lab as a careful client: the password of the user's own station goes to the CSMS that was verified, and no other."""

import ssl
import threading
from datetime import UTC, datetime
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest

from tlslab.describe import Description
from tlslab.pki import Lab, issue

PASSWORD = "0123456789abcdef-of-the-user"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC))


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """Certificate and key, in one file, of one who is nobody."""
    made = issue(Description("localhost", names=("localhost",)), now=datetime.now(UTC), issuer=None)
    file = tmp_path_factory.mktemp("strange") / "strange.pem"
    file.write_bytes(made.key + made.certificate)
    return file


@pytest.fixture
def listening():
    """A CSMS that writes down what it is told inside TLS; gives its URL. Each caller gets the next certificate."""
    servers, heard = [], []

    def start(*certificates):
        contexts = []
        for certificate, key in certificates:
            contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            contexts[-1].load_cert_chain(certificate, key)
        left = iter(contexts)

        class Caller(BaseRequestHandler):
            def handle(self):
                context = next(left, contexts[-1])
                try:
                    with context.wrap_socket(self.request, server_side=True) as spoken:
                        heard.append(spoken.recv(9999))
                except OSError:
                    return

        server = ThreadingTCPServer(("127.0.0.1", 0), Caller)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"wss://localhost:{server.server_address[1]}/ocpp/{{identity}}", heard

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def knock(ocppfuzz, tmp_path):
    """Plays one case towards a URL, with the password."""
    (tmp_path / "password").write_text(PASSWORD)

    def play(url, *more):
        words = ("--target", url, "--identity", "CS-1", "--security-profile", 2)
        return ocppfuzz("tls", "--only", "TC-44", *words, "--password-file", "password", *more)

    return play


@pytest.mark.parametrize("with_root", [True, False], ids=["its root is given", "no root is given"])
def test_a_csms_with_a_strange_certificate_gets_no_password(
    knock, listening, lab, strange, with_root
):
    url, heard = listening((strange, strange))
    done = knock(url, *(("--ca", lab.root.certificate) if with_root else ()))
    assert done.code == 3
    assert "the certificate of localhost does not lead to" in (said := done.complains_once())
    assert with_root or "--ca" in said
    assert b"".join(heard) == b""


def test_who_takes_the_place_of_a_verified_csms_gets_no_password(knock, listening, lab, strange):
    proper = (lab.csms.certificate, lab.csms.key)
    url, heard = listening(proper, proper, (strange, strange))
    done = knock(url, "--ca", lab.root.certificate)
    assert done.code == 3
    assert "another certificate than the one that was verified" in done.complains_once()
    assert b"".join(heard) == b""


def test_a_verified_csms_gets_it(knock, listening, lab):
    url, heard = listening((lab.csms.certificate, lab.csms.key))
    done = knock(url, "--ca", lab.root.certificate)
    assert done.code == 3
    assert "does not let a proper visitor in" in done.complains_once()
    assert b"Authorization: Basic " in b"".join(heard)
    assert PASSWORD not in done.out + done.err
