"""Against the TLS engine of the machine, whose key log and bytes are real."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.traffic.events import Lost, Told
from fuzz.traffic.tls12 import Tls, keys_of, prf
from tlslab.describe import KeyKind
from tlslab.pki import Lab

Piece = tuple[bool, bytes]


@dataclass
class Inside:
    """Keeps what is inside."""

    streams: list[bytearray] = field(default_factory=lambda: [bytearray(), bytearray()])

    def feed(self, data: bytes, *, by_opener: bool) -> Iterator[Told]:
        self.streams[not by_opener] += data
        yield from ()

    def end(self) -> Iterator[Told]:
        yield from ()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with tempfile.TemporaryDirectory() as folder:
        yield Lab.create(
            Path(folder) / "pki",
            csms_names=("localhost",),
            serial="CS",
            station_key=KeyKind.EC_P256,
            now=datetime.now(UTC),
        )


def talk(lab: Lab, keylog: Path, suite: str, version: ssl.TLSVersion) -> list[Piece]:
    """A handshake and a word each, in memory; the pieces as they went over."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(lab.csms.certificate, lab.csms.key)
    server.load_cert_chain(lab.csms_rsa.certificate, lab.csms_rsa.key)
    client.load_verify_locations(lab.root.certificate)
    client.keylog_filename = str(keylog)
    client.minimum_version = client.maximum_version = version
    for context in (server, client):
        context.set_ciphers(suite)
    pieces: list[Piece] = []
    buffers = [ssl.MemoryBIO() for _ in range(4)]
    ends = [
        client.wrap_bio(buffers[0], buffers[1], server_hostname="localhost"),
        server.wrap_bio(buffers[2], buffers[3], server_side=True),
    ]

    def carry() -> None:
        for number, (out, into) in enumerate(((buffers[1], buffers[2]), (buffers[3], buffers[0]))):
            if data := out.read():
                pieces.append((number == 0, data))
                into.write(data)

    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            carry()
    for number, words in enumerate((b"from the client", b"from the server")):
        ends[number].write(words)
        carry()
    ends[0].write(b", and more")
    carry()
    return pieces


def play(pieces: list[Piece], keys: dict[bytes, bytes]) -> tuple[Inside, list[Told]]:
    inside = Inside()
    tls = Tls(inside, keys)
    told = [event for by_opener, data in pieces for event in tls.feed(data, by_opener=by_opener)]
    return inside, [*told, *tls.end()]


SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)


@pytest.mark.parametrize("suite", SUITES)
def test_what_was_said_is_read_with_the_key_however_it_is_cut(
    lab: Lab, tmp_path: Path, suite: str
) -> None:
    keylog = tmp_path / "keys"
    pieces = talk(lab, keylog, suite, ssl.TLSVersion.TLSv1_2)
    keys = keys_of(keylog.read_bytes())
    bits = [(way, data[i : i + 1]) for way, data in pieces for i in range(len(data))]
    for cut in (pieces, bits):
        inside, told = play(cut, keys)
        assert inside.streams == [b"from the client, and more", b"from the server"]
        assert told == []


def test_what_cannot_be_opened_is_told_with_its_reason(lab: Lab, tmp_path: Path) -> None:
    log = tmp_path / "keys"
    pieces = talk(lab, log, SUITES[0], ssl.TLSVersion.TLSv1_2)
    keys = keys_of(log.read_bytes())
    ((random, master),) = keys.items()
    wrong = {random: bytes(len(master))}

    def reasons(these: list[Piece], known: dict[bytes, bytes]) -> list[str]:
        return [e.reason for e in play(these, known)[1] if isinstance(e, Lost)]

    assert reasons(pieces, {}) == ["a TLS connection whose key is not known; --keylog names them"]
    assert reasons(pieces, wrong) == ["a TLS connection that its key does not open"]
    assert reasons(pieces[1:], keys) == [
        "a TLS connection whose key is not known; --keylog names them"
    ]
    assert reasons([(True, b"\x16\x03\x03\xff\xff")], keys) == ["a connection that stops being TLS"]
    other = talk(lab, log, "ECDHE-RSA-CHACHA20-POLY1305", ssl.TLSVersion.TLSv1_2)
    assert reasons(other, keys) == ["a TLS connection of suite 0xCCA8; only AES-GCM is read"]
    newer = talk(lab, log, SUITES[0], ssl.TLSVersion.TLSv1_3)
    assert reasons(newer, keys) == ["a TLS 1.3 connection; only TLS 1.2 is decrypted"]


def test_a_key_log_gives_its_proper_lines_only() -> None:
    log = b"# c\nCLIENT_RANDOM 0a0b 0c\nCLIENT_RANDOM x y\nSERVER_X 01 02\n\xff\nCLIENT_RANDOM 01\n"
    assert keys_of(log) == {b"\x0a\x0b": b"\x0c"}


def test_the_pseudorandom_function_gives_the_published_test_vector() -> None:
    # The vector for P_SHA256 that the TLS working group's list has (2008).
    made = prf(
        "sha256",
        bytes.fromhex("9bbe436ba940f017b17652849a71db35"),
        b"test label",
        bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c"),
        16,
    )
    assert made.hex() == "e3f229ba727be17b8d122620557cd453"


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=80)), max_size=6))
def test_any_bytes_give_events_and_no_exception(pieces: list[Piece]) -> None:
    hello = (True, b"\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03" + bytes(32) + bytes(10))
    assert all(isinstance(e, Lost) for e in play([hello, *pieces], {bytes(32): bytes(48)})[1])
