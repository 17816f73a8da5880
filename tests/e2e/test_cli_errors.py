"""What a user gets wrong, or what goes wrong around them: one clear line, the right exit code, nothing lost."""

import json
import resource
import shlex
import socket
import sys
from pathlib import Path

import pytest

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("runn",), "did you mean run?"),
        (("run", "--sed", "7"), "--seed"),
        (("run", "--max-time", "soon"), "'soon' is not a valid float"),
        (("run", "--max-time", "0"), "must be above 0"),
        (("run", "--tier", "half"), "known: sites, full"),
        (("run", "--phases", "generate"), "did you mean generated?"),
        (("run", "--only", "SetVariabels"), "did you mean SetVariables?"),
        (("run", "--security-profile", "4"), "known: 0, 1, 2, 3"),
        (("run", "--security-profile", "0"), "use 1, 2 or 3"),
        (("run", "--defect", "P99"), "unknown defect 'P99'; known: "),
        (("run", "--listen", "9000"), "is not HOST:PORT"),
        (("run", "--target", "http://127.0.0.1/x"), "is no ws or wss URL"),
        (("run", "--listen", "127.0.0.1:9", "--target", "ws://127.0.0.1:9/x"), "exclude each"),
        (("run", "--config", "none.toml"), "cannot read none.toml"),
        (("run", "--corpus", "none"), "none does not exist"),
        (("run", "--resume"), "nothing to resume"),
        (("replay", "none"), "cannot be read"),
        (("replay", "."), "no case or finding to replay"),
        (("show", "oracels"), "did you mean oracles?"),
        (("serve", "station", "http://127.0.0.1"), "is no ws or wss URL"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_word_is_a_usage_error_that_names_what_would_be_right(ocppfuzz, words, said):
    refused = ocppfuzz(*words)
    assert refused.code == 2
    assert said in refused.complains_once()


@pytest.mark.parametrize(
    "words",
    [
        ("--listen", "0.0.0.0:9000"),
        ("--listen", "192.0.2.1:9000", "--identity", "CS-1"),
        ("--target", "ws://192.0.2.1/CS-1"),
    ],
)
def test_nobody_beyond_loopback_is_attacked_without_being_authorized(ocppfuzz, words):
    refused = ocppfuzz("run", *words)
    assert refused.code == 2
    assert "authorized = true" in refused.complains_once()


def test_a_port_in_use_is_told(ocppfuzz):
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        refused = ocppfuzz("run", "--listen", place, "--security-profile", 1)
        examined = ocppfuzz("doctor", "--listen", place, "--security-profile", 1)
    assert (refused.code, examined.code) == (2, 2)
    assert refused.complains_once().startswith(f"{place} is in use")
    assert "in use" in examined.complains_once()


def test_an_address_that_is_not_ours_is_told(ocppfuzz, tmp_path):
    config = '[target]\nlisten = "192.0.2.1:9000"\nidentity = "CS-1"\nauthorized = true\n'
    (tmp_path / "ocppfuzz.toml").write_text(config + "security_profile = 1\n")
    refused = ocppfuzz("run")
    assert refused.code == 2
    assert refused.complains_once().startswith("192.0.2.1 is no address of this machine")


def test_a_station_that_never_calls_is_told_with_what_to_check(ocppfuzz, port):
    place = ("--listen", f"127.0.0.1:{port}", "--security-profile", 1)
    waited = ocppfuzz("run", *place, "--wait", 1)
    assert waited.code == 3
    complaint = waited.complains_once()
    assert complaint.startswith(f"no station connected to ws://127.0.0.1:{port} within 1 s")
    assert "check that the station's CSMS URL is this one" in complaint


def test_a_csms_that_is_not_there_is_told(ocppfuzz, port):
    waited = ocppfuzz("run", "--target", f"ws://127.0.0.1:{port}/CS-1", "--wait", 1)
    assert waited.code == 3
    assert "did not answer within 1 s" in waited.complains_once()


def test_the_last_words_of_a_start_command_are_told(ocppfuzz, port):
    place = ("--listen", f"127.0.0.1:{port}", "--security-profile", 0)
    waited = ocppfuzz("run", *place, "--wait", 1, "--start-cmd", "ls /no/such/folder")
    assert waited.code == 3
    assert "/no/such/folder" in waited.complains_once()
    refused = ocppfuzz("run", *place, "--wait", 1, "--start-cmd", "/no/such/program")
    assert refused.code == 3
    assert refused.complains_once().startswith("cannot start '/no/such/program'")


UPGRADE = (
    "GET /ocpp/{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
)


@pytest.mark.parametrize(
    ("identity", "subprotocol", "reason"),
    [
        ("CS-1", "ocpp1.6", "it offers ocpp1.6; needed is ocpp2.0.1"),
        ("CS-2", "ocpp2.0.1", "'CS-2'"),
        ("CS-1", "ocpp2.0.1", "no BootNotification"),
    ],
    ids=["subprotocol", "identity", "silent"],
)
def test_a_station_that_does_not_get_in_is_told_with_the_reason(
    started, until, port, identity, subprotocol, reason
):
    words = ("--listen", f"127.0.0.1:{port}", "--security-profile", 0, "--identity", "CS-1")
    running = started(OCPPFUZZ, "run", *words, "--wait", 2)
    until(lambda: "identity: CS-1" in running.text, lambda: running.text)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
        caller.sendall(UPGRADE.format(identity=identity, subprotocol=subprotocol).encode())
        assert caller.recv(12) == (b"HTTP/1.1 404" if identity == "CS-2" else b"HTTP/1.1 101")
        assert running.process.wait(120) == 3
    assert reason in running.text.splitlines()[-1]
    assert "Traceback" not in running.text


@pytest.mark.parametrize(
    ("trusts_us", "reason"),
    [(True, "the peer sent no client certificate"), (False, "do not trust our certificate")],
)
def test_a_tls_handshake_that_fails_is_told_with_the_reason(
    started, until, port, own_station, tmp_path, trusts_us, reason
):
    words = ("--listen", f"127.0.0.1:{port}", "--security-profile", 3, "--identity", "CS-1")
    running = started(OCPPFUZZ, "run", *words, "--wait", 3)
    until(lambda: "identity: CS-1" in running.text, lambda: running.text)
    root = tmp_path / "findings" / "private" / "pki" / "root.pem"
    flags = ("--security-profile", 2, *(("--ca", root) if trusts_us else ()))
    started(*own_station(f"wss://localhost:{port}/ocpp", "--identity", "CS-1", *flags))
    assert running.process.wait(120) == 3
    assert reason in running.text.splitlines()[-1]


def test_a_csms_that_refuses_our_password_is_told_at_once(ocppfuzz, started, until, tmp_path):
    refusing = (
        "import http.server as h; r = h.BaseHTTPRequestHandler; r.protocol_version = 'HTTP/1.1'; "
        "r.do_GET = lambda s: s.send_error(401); n = h.HTTPServer(('127.0.0.1', 0), r); "
        "print(n.server_port, flush=True); n.serve_forever()"
    )
    csms = started(sys.executable, "-c", refusing)
    until(lambda: csms.text.partition("\n")[1], lambda: csms.text)
    (tmp_path / "password").write_text("wrong-password-of-ours\n")
    url = f"ws://127.0.0.1:{csms.text.splitlines()[0]}/CS-1"
    refused = ocppfuzz("run", "--target", url, "--identity", "CS-1", "--password-file", "password")
    assert refused.code == 3
    assert "HTTP 401; check identity and password" in (complaint := refused.complains_once())
    assert "wrong-password-of-ours" not in complaint


def test_a_missing_password_file_is_told(ocppfuzz, port):
    place = ("--listen", f"127.0.0.1:{port}", "--identity", "CS-1", "--security-profile", 1)
    refused = ocppfuzz("run", *place, "--password-file", "none")
    assert refused.code == 2
    assert refused.complains_once() == "cannot read the password file none"


def test_a_certificate_that_cannot_be_used_is_told(ocppfuzz, port, tmp_path):
    place = ("--listen", f"127.0.0.1:{port}", "--identity", "CS-1")
    (tmp_path / "c.pem").write_text("not a certificate")
    half = ocppfuzz("run", *place, "--cert", "c.pem")
    assert (half.code, half.complains_once()) == (2, "cert and key belong together; give both")
    pair = ("--cert", "c.pem", "--key", "c.pem")
    assert "needs --ca" in ocppfuzz("run", *place, *pair).complains_once()
    broken = ocppfuzz("run", *place, *pair, "--ca", "c.pem")
    assert broken.code == 2
    assert broken.complains_once().startswith("cannot use certificate c.pem with key c.pem")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not readable as JSON"),
        ("[1, 2]", "case.json: "),
        (json.dumps({"format": 99}), "newer than"),
        ("[" * 100_000, "case.json: "),
    ],
    ids=["cut", "no object", "too new", "deep"],
)
def test_a_case_file_that_cannot_be_read_is_told_before_anything_is_sent(
    ocppfuzz, tmp_path, text, said
):
    (tmp_path / "case.json").write_text(text)
    refused = ocppfuzz("replay", "case.json")
    assert refused.code == 2
    assert said in refused.complains_once()
    assert refused.out == ""


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))


def test_a_full_disk_ends_the_campaign_with_the_finding_told_and_what_was_written_kept(
    ocppfuzz, tmp_path
):
    flags = ("--defect", "P01", "--phases", "systematic", "--max-time", 40)
    stopped = ocppfuzz("run", *flags, preexec_fn=small_files)
    assert stopped.code == 3
    complaint = stopped.complains_once()
    assert complaint.startswith("cannot write findings/")
    assert "free some space or choose another folder with --findings" in complaint
    state = json.loads((tmp_path / "findings" / ".campaign" / "state.json").read_text("utf-8"))
    assert state["phase"] == "systematic"


def test_a_folder_that_cannot_hold_findings_is_told(ocppfuzz, tmp_path):
    (tmp_path / "file").write_text("")
    refused = ocppfuzz("run", "--findings", "file", "--max-time", 20)
    assert refused.code == 3
    assert refused.complains_once().startswith("cannot write file")


@pytest.mark.parametrize("end", ["| head -1", "> /dev/full"])
def test_a_reader_that_goes_away_or_has_no_room_is_no_bug_of_ours(started, tmp_path, end):
    command = shlex.join([str(OCPPFUZZ), "run", "--max-cases", "20", "--phases", "systematic"])
    done = started("bash", "-c", f"{command} {end}")
    done.process.wait(60)
    assert "Traceback" not in done.text
    assert "a bug in ocppfuzz" not in done.text
    assert "Exception ignored" not in done.text
