"""The reference CSMS over real sockets: who gets in with what, and that nobody stops it."""

import asyncio
import base64
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fuzz.target.embedded_csms import CsmsPort, CsmsStation, EmbeddedCsms
from tlslab.describe import Description, Digest, KeyKind
from tlslab.pki import Lab, issue

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
OPENSSL = shutil.which("openssl") or "openssl"
PASSWORD = "0123456789abcdef-secret"
STATIONS = (
    CsmsStation("CS-3"),
    CsmsStation("CS-4"),
    CsmsStation("OLD", allow_expired=True),
    CsmsStation("CS-2", 2, PASSWORD),
    CsmsStation("CS-1", 1, PASSWORD),
)
SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    return Lab.create(folder, now=datetime.now(UTC), serial="CS-3")


@pytest.fixture
async def run(tmp_path, lab):
    """Starts one CSMS with a port for each security profile; it ends with the test."""
    running = []

    async def start(*defects, **options):
        csms = EmbeddedCsms(
            folder=tmp_path,
            stations=options.pop("stations", STATIONS),
            ports=[CsmsPort(3), CsmsPort(2), CsmsPort(1)],
            pki=lab.folder,
            defects=defects,
            **options,
        )
        running.append(csms)
        await csms.start()
        return csms

    yield start
    for csms in running:
        await csms.stop()


@pytest.fixture(scope="module")
def certified(lab, tmp_path_factory):
    """Makes a client certificate under the lab's root; gives the file with certificate and key."""
    root, folder = lab.root.read(), tmp_path_factory.mktemp("clients")

    def make(name, *, issuer=root, **changes):
        made = issue(Description(name, **changes), now=datetime.now(UTC), issuer=issuer)
        file = folder / f"{len(list(folder.iterdir()))}.pem"
        file.write_bytes(made.key + made.presented)
        return file

    return make


def basic(user, password):
    return ("Authorization", f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}")


@pytest.fixture
def dial(lab):
    """Asks to upgrade; gives the HTTP status, or "closed" when there was none."""

    def once(url, identity, certificate=None, *headers, session=None):
        parts = urlsplit(url)
        lines = (
            f"GET {parts.path}/{identity} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol: ocpp2.0.1",
            *(f"{name}: {value}" for name, value in headers),
            "",
            "",
        )
        try:
            with contextlib.ExitStack() as open_:
                spoken = socket.create_connection((parts.hostname, parts.port), 10)
                open_.enter_context(spoken)
                if parts.scheme == "wss":
                    made = context(lab, certificate)
                    spoken = open_.enter_context(
                        made.wrap_socket(spoken, server_hostname="localhost")
                    )
                spoken.sendall("\r\n".join(lines).encode())
                said = spoken.recv(4096)
        except OSError:
            return "closed"
        return said.split(b" ")[1].decode() if said.startswith(b"HTTP/1.1 ") else "closed"

    return once


def context(lab, certificate):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(lab.root.certificate)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    if certificate is not None:
        made.load_cert_chain(certificate)
    return made


@pytest.fixture
def s_client(lab):
    """What `openssl s_client` says of a handshake."""

    def run_it(url, *options, stdin=""):
        parts = urlsplit(url)
        done = subprocess.run(
            [
                OPENSSL, "s_client", "-connect", f"127.0.0.1:{parts.port}", "-CAfile",
                str(lab.root.certificate), *map(str, options),
            ],
            input=stdin.encode(),
            capture_output=True,
            timeout=30,
            check=False,
        )  # fmt: skip
        return done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")

    return run_it


# --- TLS --------------------------------------------------------------------------------------------------


async def test_each_of_the_four_suites_is_served_and_no_other(run, s_client):
    url = (await run()).url(2)
    for suite in SUITES:
        assert f"Cipher is {suite}" in s_client(url, "-tls1_2", "-cipher", suite)
    weak = "ALL:COMPLEMENTOFALL:" + ":".join(f"!{suite}" for suite in SUITES) + ":@SECLEVEL=0"
    assert "Cipher is (NONE)" in s_client(url, "-tls1_2", "-cipher", weak)


async def test_tls_below_1_2_is_refused_and_nothing_is_compressed_renegotiated_or_ticketed(
    run, s_client
):
    url = (await run()).url(2)
    for version in ("-tls1", "-tls1_1"):
        refused = s_client(url, version, "-cipher", "ALL:@SECLEVEL=0")
        assert "Cipher is (NONE)" in refused
    said = s_client(url, "-tls1_2", stdin="R\n")
    assert "Compression: NONE" in said
    assert "TLS session ticket:" not in said
    assert "no renegotiation" in said
    assert "New, TLSv1.3" in s_client(url, "-tls1_3")


@pytest.mark.parametrize(
    ("defect", "options", "shows"),
    [
        ("old-tls", ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "Protocol  : TLSv1.1"),
        ("null-suite", ("-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"), "Cipher is NULL-SHA256"),
    ],
)
async def test_planted_weak_tls_is_spoken(run, s_client, defect, options, shows):
    assert shows in s_client((await run(defect)).url(2), *options)


# --- client certificates ----------------------------------------------------------------------------------


async def test_a_station_comes_in_with_its_own_certificate_of_either_kind(run, dial, certified):
    url = (await run()).url(3)
    assert dial(url, "CS-3", certified("CS-3")) == "101"
    assert dial(url, "CS-3", certified("CS-3", key=KeyKind.RSA_2048)) == "101"


BAD = {
    "of another station": ("CS-4", {}),
    "with a longer name": ("CS-33", {}),
    "of another organisation": ("CS-3", {"organization": "Somebody"}),
    "expired": ("CS-3", {"validity": timedelta(seconds=-5)}),
    "not yet valid": ("CS-3", {"begins": timedelta(days=1)}),
    "of a server": ("CS-3", {"extended": ("serverAuth",)}),
    "of a CA": ("CS-3", {"is_ca": True}),
    "with a short key": ("CS-3", {"key": KeyKind.RSA_1024}),
    "with an old hash": ("CS-3", {"digest": Digest.SHA1}),
    "with the name elsewhere": ("CS-4", {"names": ("CS-3",)}),
    "with a broken signature": ("CS-3", {"broken": True}),
}


async def test_nobody_comes_in_with_a_wrong_certificate_or_none(run, dial, certified):
    url = (await run()).url(3)
    came_in = {
        what: status
        for what, (name, changes) in BAD.items()
        if (status := dial(url, "CS-3", certified(name, **changes))) not in ("closed", "403")
    }
    assert came_in == {}
    stranger = certified("CS-3", issuer=None)
    assert dial(url, "CS-3", stranger) == "closed"
    assert dial(url, "CS-3") == "closed"
    assert dial(url, "CS-3", certified("CS-3")) == "101"


PLANTED = {
    "cert-identity-unbound": "of another station",
    "prefix-identity": "with a longer name",
    "alternative-identity": "with the name elsewhere",
    "foreign-organisation": "of another organisation",
    "expired-accepted": "expired",
    "weak-accepted": "with a short key",
    "server-certificate-accepted": "of a server",
}


@pytest.mark.parametrize("defect", PLANTED)
async def test_a_planted_defect_lets_in_whom_it_says(run, dial, certified, defect):
    url = (await run(defect)).url(3)
    name, changes = BAD[PLANTED[defect]]
    assert dial(url, "CS-3", certified(name, **changes)) == "101"
    assert dial(url, "CS-3", certified("CS-3", issuer=None)) == "closed"


async def test_without_a_certificate_only_the_planted_defect_lets_in(run, dial):
    assert dial((await run("certificate-optional")).url(3), "CS-3") == "101"


async def test_headers_of_a_proxy_prove_nothing(run, dial, certified):
    header = ("X-Client-CN", "CS-3")
    assert dial((await run()).url(3), "CS-3", certified("CS-4"), header) == "403"


async def test_headers_of_a_proxy_prove_everything_to_the_planted_defect(run, dial, certified):
    header = ("X-Client-CN", "CS-3")
    assert dial((await run("header-trusted")).url(3), "CS-3", certified("CS-4"), header) == "101"


async def test_a_revoked_station_is_refused_at_run_time_and_comes_back(
    run, dial, certified, until_async
):
    csms = await run()
    certificate = certified("CS-3")
    assert dial(csms.url(3), "CS-3", certificate) == "101"
    await csms.operator("revoke", "CS-3")
    await until_async(lambda: "revoked CS-3" in csms.log_lines())
    assert dial(csms.url(3), "CS-3", certificate) == "403"
    await csms.operator("restore", "CS-3")
    await until_async(lambda: "restored CS-3" in csms.log_lines())
    assert dial(csms.url(3), "CS-3", certificate) == "101"


async def test_a_resumed_session_is_still_the_station_that_began_it(run, lab, certified):
    url = urlsplit((await run()).url(3))
    made = context(lab, certified("CS-3"))
    made.maximum_version = ssl.TLSVersion.TLSv1_2

    def connect(identity, session=None):
        with (
            socket.create_connection((url.hostname, url.port), 10) as raw,
            made.wrap_socket(raw, server_hostname="localhost", session=session) as spoken,
        ):
            request = (
                f"GET /ocpp/{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
            )
            spoken.sendall(request.encode())
            return spoken.recv(99)[:12], spoken.session

    first, session = connect("CS-3")
    assert first == b"HTTP/1.1 101"
    assert connect("CS-4", session)[0] == b"HTTP/1.1 403"
    assert connect("CS-3", session)[0] == b"HTTP/1.1 101"


# --- passwords --------------------------------------------------------------------------------------------


async def test_a_password_lets_in_its_own_station_over_tls_only(run, dial):
    csms = await run()
    good = basic("CS-2", PASSWORD)
    assert dial(csms.url(2), "CS-2", None, good) == "101"
    assert dial(csms.url(2), "CS-2") == "401"
    assert dial(csms.url(2), "CS-2", None, basic("CS-2", "x")) == "401"
    assert dial(csms.url(2), "CS-2", None, basic("CS-1", PASSWORD)) == "401"
    assert dial(csms.url(2), "NOBODY", None, good) == "404"
    assert dial(csms.url(2).replace("wss", "ws"), "CS-2", None, good) == "closed"
    assert dial(csms.url(1), "CS-2", None, good) == "403"
    assert dial(csms.url(2), "CS-3", None, basic("CS-3", PASSWORD)) == "403"
    assert dial(csms.url(1), "CS-1", None, basic("CS-1", PASSWORD)) == "101"


@pytest.mark.parametrize(
    ("defect", "user", "password"),
    [("any-password", "CS-2", "x"), ("username-mismatch", "CS-1", PASSWORD)],
)
async def test_planted_carelessness_lets_in(run, dial, defect, user, password):
    assert dial((await run(defect)).url(2), "CS-2", None, basic(user, password)) == "101"


async def test_plain_and_lower_profiles_come_in_by_planted_defects_only(run, dial):
    csms = await run("plain-on-profile2", "profile-unbound")
    plain = csms.url(2).replace("wss", "ws")
    assert dial(plain, "CS-2", None, basic("CS-2", PASSWORD)) == "101"
    assert dial(csms.url(2), "CS-2", None, basic("CS-2", PASSWORD)) == "101"
    assert dial(csms.url(2), "CS-3") == "101"


async def test_guessing_is_slowed_down_but_for_the_planted_defect(run, dial):
    url = (await run()).url(2)
    assert [dial(url, "CS-2", None, basic("CS-2", "x")) for _ in range(11)][-1] == "429"
    url = (await run("no-throttle")).url(2)
    assert {dial(url, "CS-2", None, basic("CS-2", "x")) for _ in range(12)} == {"401"}


# --- stations ---------------------------------------------------------------------------------------------


@pytest.fixture
def until_async():
    async def wait(true, seconds=30.0):
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 (the log is a file of another process)
                await asyncio.sleep(0.02)

    return wait


@pytest.mark.parametrize("profile", [1, 2, 3])
async def test_our_own_station_boots_in_every_security_profile(
    run, lab, certified, started, own_station, until_async, profile
):
    csms = await run()
    more = ("--cert", certified("CS-3"), "--key", certified("CS-3")) if profile == 3 else ()
    if profile == 3:
        more = ("--cert", lab.station.certificate, "--key", lab.station.key)
    command = own_station(
        csms.url(profile), "--identity", f"CS-{profile}", "--security-profile", profile,
        "--ca", lab.root.certificate, *more,
    )  # fmt: skip
    station = started(*command, env={"OCPPFUZZ_PASSWORD": PASSWORD})
    await until_async(lambda: "boot accepted" in station.text)
    await until_async(lambda: f"CS-{profile}: booted: Accepted" in csms.log_lines())


async def test_our_own_station_renews_its_certificate_and_the_old_one_is_over(
    run, lab, dial, started, own_station, until_async, tmp_path
):
    csms = await run()
    credential = lab.station.read()
    old = tmp_path / "old.pem"
    old.write_bytes(credential.key + credential.presented)
    station = started(
        *own_station(
            csms.url(3),
            "--identity",
            "CS-3",
            "--security-profile",
            3,
            "--ca",
            lab.root.certificate,
            "--cert",
            lab.station.certificate,
            "--key",
            lab.station.key,
            "--backoff-min-s",
            0.1,
            "--backoff-range-s",
            0,
        )
    )
    await until_async(lambda: "CS-3: booted: Accepted" in csms.log_lines())
    await csms.operator("trigger", "CS-3 SignChargingStationCertificate")
    taken = "CS-3: uses its new certificate; the old one is not accepted any more"
    await until_async(lambda: taken in csms.log_lines())
    assert dial(csms.url(3), "CS-3", old) == "closed"
    station.end()


async def test_an_expired_station_is_let_in_where_that_is_allowed_and_renews_at_once(
    run, lab, certified, dial, started, own_station, until_async
):
    csms = await run()
    file = certified("OLD", validity=timedelta(seconds=-5))
    assert dial(csms.url(3), "OLD", file) == "101"
    assert dial(csms.url(3), "CS-3", certified("CS-3", validity=timedelta(seconds=-5))) == "closed"
    started(
        *own_station(
            csms.url(3),
            "--identity",
            "OLD",
            "--security-profile",
            3,
            "--ca",
            lab.root.certificate,
            "--cert",
            file,
            "--key",
            file,
            "--backoff-min-s",
            0.1,
            "--backoff-range-s",
            0,
        )
    )
    await until_async(lambda: "OLD: booted: Pending" in csms.log_lines())
    await until_async(lambda: "OLD: CertificateSigned Accepted" in csms.log_lines())


async def test_a_station_of_the_ocpp_package_boots(run, started, peers, until_async):
    csms = await run(stations=[CsmsStation("PLAIN", 1, PASSWORD)])
    url = csms.url(1).replace("://", f"://PLAIN:{PASSWORD}@")
    started(sys.executable, peers / "ocpp_station.py", f"{url}/PLAIN")
    await until_async(lambda: "PLAIN: booted: Accepted" in csms.log_lines())


# --- hostile ----------------------------------------------------------------------------------------------


async def test_after_hostile_bytes_a_good_station_is_still_served(run, dial, certified):
    csms = await run()
    for profile in (1, 2, 3):
        port = urlsplit(csms.url(profile)).port
        for data in (
            b"",
            b"\x00" * 999,
            b"\x16\x03\x01\x40\x00" + b"A" * 99,
            b"GET / HTTP/1.1\r\n",
        ):
            with socket.create_connection(("127.0.0.1", port), 10) as raw:
                raw.sendall(data)
    held = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(50)]
    assert dial(csms.url(3), "CS-3", certified("CS-3")) == "101"
    for one in held:
        one.close()
    assert await csms.ended(0) is None
    said = csms.log_lines()
    assert not any("Traceback" in line or "our own fault" in line for line in said)


# --- the command line -------------------------------------------------------------------------------------


def test_the_command_says_where_to_dial_and_makes_what_is_needed(started, until):
    csms = started(OCPPFUZZ, "serve", "csms", "--listen", "127.0.0.1:0", "--identity", "CS-9")
    until(lambda: "certificate and key of CS-9" in csms.text, lambda: csms.text)
    (port,) = json.loads(csms.text.splitlines()[0])["csms"]
    assert (port["security_profile"], port["url"].startswith("wss://localhost:")) == (3, True)


def test_without_a_station_the_command_says_what_is_missing(ocppfuzz):
    ended = ocppfuzz("serve", "csms")
    assert ended.code == 2
    assert "--identity" in ended.complains_once()
