import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.station.events import Download, TransferDone, Upload
from fuzz.station.transfer import MAX_PARALLEL, Transfers
from tlslab.describe import Description
from tlslab.pki import issue

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nimage"
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def answer(status: int) -> bytes:
    head = f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n"
    return f"{head}Location: /elsewhere\r\n\r\n".encode()


class Server:
    """A small HTTP server: says what `answers` holds for a method, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, bytes | None] = {}
        self.port = 0
        self.never = asyncio.Event()
        self.arrived = asyncio.Semaphore(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            self.asked.append((method, path, fields, body))
            self.arrived.release()
            said = self.answers.get(method)
            if said is None:
                await self.never.wait()
            else:
                writer.write(said)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        server.never.set()
        listening.close()


class Inbox:
    """What the transfers deliver."""

    def __init__(self, **options) -> None:
        self.queue: asyncio.Queue[TransferDone] = asyncio.Queue()
        self.transfers = Transfers(self.queue.put_nowait, **{"roots": lambda: (), **options})

    async def carry_out(self, job: Download | Upload) -> TransferDone:
        self.transfers.start(job)
        return await self.queue.get()


async def test_what_is_downloaded_is_delivered():
    async with serving() as server:
        server.answers["GET"] = OK
        done = await Inbox().carry_out(Download("t1", f"{server.url}/firmware.bin"))
        assert done == TransferDone("t1", content=b"image")
        assert server.asked[0][:2] == ("GET", "/firmware.bin")


async def test_an_upload_is_put_at_the_location():
    async with serving() as server:
        server.answers["PUT"] = CREATED
        done = await Inbox().carry_out(Upload("t1", f"{server.url}/here", "a.log", b"lines"))
        assert done == TransferDone("t1")
        assert [(m, path, body) for m, path, _, body in server.asked] == [
            ("PUT", "/here", b"lines")
        ]


async def test_an_upload_to_a_folder_is_put_under_its_name():
    async with serving() as server:
        server.answers["PUT"] = CREATED
        await Inbox().carry_out(Upload("t1", f"{server.url}/logs/", "a.log", b""))
        assert server.asked[0][1] == "/logs/a.log"


@pytest.mark.parametrize("status", [405, 501])
async def test_a_server_without_put_gets_a_post_with_the_file_name(status):
    async with serving() as server:
        server.answers = {"PUT": answer(status), "POST": CREATED}
        done = await Inbox().carry_out(Upload("t1", f"{server.url}/here", "a.log", b"lines"))
        assert done.failure == ""
        method, path, fields, body = server.asked[1]
        assert (method, path, body) == ("POST", "/here", b"lines")
        assert fields["content-type"] == "application/octet-stream"
        assert fields["content-disposition"] == 'attachment; filename="a.log"'


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, "denied"),
        (403, "denied"),
        (404, "not-found"),
        (410, "not-found"),
        (301, "refused"),
        (307, "refused"),
        (400, "refused"),
        (500, "refused"),
        (503, "refused"),
    ],
)
async def test_a_bad_answer_is_told_as_its_failure_and_a_redirect_is_not_followed(status, failure):
    async with serving() as server:
        server.answers = {"GET": answer(status), "PUT": answer(status)}
        inbox = Inbox()
        down = await inbox.carry_out(Download("t1", f"{server.url}/x"))
        up = await inbox.carry_out(Upload("t2", f"{server.url}/x", "a.log", b"lines"))
        assert (down.failure, up.failure) == (failure, failure)
        assert [path for _, path, _, _ in server.asked] == ["/x", "/x"]


@pytest.mark.parametrize("size", [5, 4])
async def test_a_file_that_is_too_large_is_not_taken(size):
    async with serving() as server:
        server.answers["GET"] = OK
        done = await Inbox(max_download=size).carry_out(Download("t1", server.url))
        assert done.failure == ("" if size == 5 else "too-large")


async def test_what_a_server_has_packed_stays_packed():
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbomb"
    async with serving() as server:
        server.answers["GET"] = packed
        done = await Inbox().carry_out(Download("t1", server.url))
        assert done.content == b"bomb"
        assert server.asked[0][2]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "said", [b"\0\1\2\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b""]
)
async def test_a_server_that_talks_nonsense_is_unreachable(said):
    async with serving() as server:
        server.answers["GET"] = said
        done = await Inbox().carry_out(Download("t1", server.url))
        assert done == TransferDone("t1", failure="unreachable")


async def test_a_server_that_never_answers_is_unreachable_after_the_total_time():
    async with serving() as server:
        done = await Inbox(total_s=0.05).carry_out(Download("t1", server.url))
        assert done.failure == "unreachable"


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/x", "file:///etc/passwd", "x", "", "http://", "http://[::1", "http:///x"],
)
async def test_what_is_neither_http_nor_https_is_not_supported(url):
    inbox = Inbox()
    assert (await inbox.carry_out(Download("t1", url))).failure == "unsupported"
    assert (await inbox.carry_out(Upload("t1", url, "n", b""))).failure == "unsupported"


# --- whom it calls ----------------------------------------------------------------------------------------


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Has every name resolve to `addresses`; the names that were looked up."""
    names: list[str] = []

    async def getaddrinfo(host, port, **_options):
        if port is None:
            names.append(host)
            return [(2, 1, 6, "", (address, 0)) for address in addresses]
        return [(2, 1, 6, "", (host, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return names


async def test_a_name_is_resolved_once_and_its_server_hears_the_name(monkeypatch):
    async with serving() as server:
        names = resolving(monkeypatch, "127.0.0.1")
        server.answers["GET"] = OK
        done = await Inbox().carry_out(Download("t1", f"http://files.localhost:{server.port}/x"))
        assert (done.failure, names) == ("", ["files.localhost"])
        assert server.asked[0][2]["host"] == f"files.localhost:{server.port}"


@pytest.mark.parametrize("anywhere", [False, True])
async def test_a_name_that_may_mean_another_machine_is_not_called(monkeypatch, anywhere):
    async with serving() as server:
        resolving(monkeypatch, "127.0.0.1", "192.0.2.1")
        server.answers["GET"] = OK
        url = f"http://files.localhost:{server.port}/x"
        done = await Inbox(anywhere=anywhere).carry_out(Download("t1", url))
        assert done.failure == ("" if anywhere else "unreachable")
        assert len(server.asked) == (1 if anywhere else 0)


async def test_a_name_of_another_machine_is_not_even_looked_up(monkeypatch):
    names = resolving(monkeypatch, "127.0.0.1")
    done = await Inbox().carry_out(Download("t1", "http://files.test/x"))
    assert (done.failure, names) == ("unreachable", [])


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "10.0.0.1", "0.0.0.0", "[2001:db8::1]", "[::ffff:10.0.0.1]"]
)
async def test_another_machine_is_not_called(monkeypatch, host):
    async def refuse(*_arguments, **_options):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
    done = await Inbox().carry_out(Download("t1", f"http://{host}/x"))
    assert done.failure == "unreachable"


@settings(max_examples=60, deadline=None)
@given(rest=st.text(max_size=40), scheme=st.sampled_from(["http://", "https://", "HTTP:", ""]))
def test_no_location_makes_it_raise_or_stay_silent(rest, scheme):
    async def try_it() -> TransferDone:
        async def unknown(*_arguments, **_options):
            raise OSError("no such name")

        loop = asyncio.get_running_loop()
        loop.getaddrinfo = unknown
        return await Inbox().carry_out(Upload("t1", scheme + rest, "a.log", b""))

    assert asyncio.run(try_it()).failure in ("unsupported", "unreachable")


# --- https ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab():
    now = datetime.now(UTC)
    root = issue(Description("lab root", is_ca=True), now=now)
    return root, issue(
        Description("localhost", names=("localhost", "127.0.0.1")), now=now, issuer=root
    )


@pytest.fixture
def server_tls(lab, tmp_path):
    _, server = lab
    file = tmp_path / "server.pem"
    file.write_bytes(server.key + server.presented)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_an_https_server_is_verified_against_the_roots_of_the_csms(lab, server_tls):
    root = lab[0].certificate.decode()
    async with serving(server_tls) as server:
        server.answers["GET"] = OK
        inbox = Inbox(roots=lambda: (root,))
        done = await inbox.carry_out(Download("t1", f"https://127.0.0.1:{server.port}/x"))
        assert done.content == b"image"


async def test_an_https_server_of_other_roots_hears_nothing(server_tls):
    other = issue(Description("another root", is_ca=True), now=datetime.now(UTC))
    async with serving(server_tls) as server:
        server.answers["GET"] = OK
        inbox = Inbox(roots=lambda: (other.certificate.decode(),))
        done = await inbox.carry_out(Download("t1", f"https://127.0.0.1:{server.port}/x"))
        assert (done.failure, server.asked) == ("unreachable", [])


async def test_an_https_server_of_another_name_hears_nothing(monkeypatch, lab, server_tls):
    root = lab[0].certificate.decode()
    async with serving(server_tls) as server:
        resolving(monkeypatch, "127.0.0.1")
        inbox = Inbox(roots=lambda: (root,))
        done = await inbox.carry_out(Download("t1", f"https://files.localhost:{server.port}/x"))
        assert (done.failure, server.asked) == ("unreachable", [])


async def test_broken_roots_trust_nobody(server_tls):
    async with serving(server_tls) as server:
        inbox = Inbox(roots=lambda: ("no certificate",))
        done = await inbox.carry_out(Download("t1", f"https://127.0.0.1:{server.port}/x"))
        assert done.failure == "unreachable"


# --- several ----------------------------------------------------------------------------------------------


async def test_a_cancelled_transfer_is_not_heard_of_again():
    async with serving() as server:
        server.answers["PUT"] = CREATED
        inbox = Inbox()
        inbox.transfers.start(Download("hangs", server.url))
        inbox.transfers.cancel("hangs")
        inbox.transfers.cancel("never was")
        done = await inbox.carry_out(Upload("t2", server.url, "a.log", b""))
        assert done.transfer == "t2"
        await inbox.transfers.close()
        assert inbox.queue.empty()


async def test_a_transfer_of_the_same_name_takes_the_place_of_the_first():
    async with serving() as server:
        server.answers["PUT"] = CREATED
        inbox = Inbox()
        inbox.transfers.start(Download("t1", server.url))
        done = await inbox.carry_out(Upload("t1", server.url, "a.log", b""))
        await inbox.transfers.close()
        assert (done, inbox.queue.empty()) == (TransferDone("t1"), True)


async def test_more_transfers_than_may_run_wait_for_their_turn():
    async with serving() as server:
        server.answers["PUT"] = CREATED
        inbox = Inbox()
        names = [f"t{number}" for number in range(3 * MAX_PARALLEL)]
        for name in names:
            inbox.transfers.start(Upload(name, server.url, "a.log", b""))
        ended = [await inbox.queue.get() for _ in names]
        assert sorted(done.transfer for done in ended) == sorted(names)


async def test_no_more_transfers_than_allowed_are_under_way():
    async with serving() as server:
        server.answers["PUT"] = CREATED
        inbox = Inbox()
        for number in range(MAX_PARALLEL):
            inbox.transfers.start(Download(f"hangs {number}", server.url))
        inbox.transfers.start(Upload("waits", server.url, "a.log", b""))
        for _ in range(MAX_PARALLEL):
            await server.arrived.acquire()
        assert {method for method, *_ in server.asked} == {"GET"}
        inbox.transfers.cancel("hangs 0")
        assert (await inbox.queue.get()).transfer == "waits"
        await inbox.transfers.close()
        assert inbox.queue.empty()
