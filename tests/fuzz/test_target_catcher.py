import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from hypothesis import given, settings, strategies as st

from fuzz.errors import UsageError
from fuzz.records import Caught
from fuzz.target.catcher import MAX_CONNECTIONS, MAX_HEAD, MAX_KEPT, MAX_VISITS, CatchingServer


@asynccontextmanager
async def catching() -> AsyncIterator[CatchingServer]:
    catcher = CatchingServer()
    await catcher.start()
    try:
        yield catcher
    finally:
        await catcher.aclose()


async def say(catcher: CatchingServer, data: bytes) -> bytes:
    """What comes back for bytes and an end of the stream."""
    host, port = catcher.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


async def fetch(method: str, url: str, content: bytes | None = None) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, url, content=content)


def brief(caught: Caught) -> tuple[str, str, str, bytes]:
    return caught.kind, caught.method, caught.path, caught.data


async def test_every_play_has_addresses_of_its_own():
    async with catching() as catcher:
        first, second = dict(catcher.slots()), dict(catcher.slots())
    assert first["canary.address"] == second["canary.address"] == catcher.address
    varying = ("canary.url", "canary.hit", "canary.token")
    assert all(first[name] != second[name] for name in varying)
    assert second["canary.hit"] == f"http://{catcher.address}/hit/{second['canary.token']}"


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("GET", None, 200), ("HEAD", None, 200), ("PUT", b"a log", 201), ("POST", b"a log", 201)],
)
async def test_files_may_be_fetched_and_uploaded(method, body, status):
    async with catching() as catcher:
        url = catcher.slots()["canary.url"]
        answer = await fetch(method, url, body)
        seen = [brief(c) for c in catcher.caught()]
    assert answer.status_code == status
    assert seen == [("http", method, f"/ok/{url.rpartition('/')[2]}", body or b"")]


async def test_an_upload_in_chunks_is_put_together():
    async with catching() as catcher:
        path = "/ok/" + catcher.slots()["canary.url"].rpartition("/")[2]
        head = f"PUT {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        answer = await say(catcher, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
        (seen,) = catcher.caught()
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert seen.data == b"abcde"


async def test_who_waits_for_leave_to_upload_gets_it():
    async with catching() as catcher:
        path = "/ok/" + catcher.slots()["canary.url"].rpartition("/")[2]
        head = f"PUT {path} HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"
        assert (await say(catcher, head.encode() + b"x")).startswith(
            b"HTTP/1.1 100 Continue\r\n\r\n"
        )


async def test_a_request_that_was_split_in_two_shows_both():
    async with catching() as catcher:
        slots = catcher.slots()
        first = "GET /ok/" + slots["canary.url"].rpartition("/")[2]
        second = "GET /hit/" + slots["canary.token"]
        await say(catcher, f"{first} HTTP/1.1\r\n\r\n{second} HTTP/1.1\r\n\r\n".encode())
        paths = [c.path for c in catcher.caught()]
    assert paths == [first.removeprefix("GET "), second.removeprefix("GET ")]


async def test_a_request_by_its_whole_address_counts_by_its_path():
    async with catching() as catcher:
        slots = catcher.slots()
        await say(catcher, f"GET {slots['canary.hit']} HTTP/1.1\r\n\r\n".encode())
        assert [c.path for c in catcher.caught()] == [f"/hit/{slots['canary.token']}"]


async def test_where_there_is_little_room_the_token_alone_is_a_hit():
    async with catching() as catcher:
        token = catcher.slots()["canary.token"]
        await fetch("GET", f"http://{catcher.address}/{token}")
        assert [c.path for c in catcher.caught()] == [f"/hit/{token}"]


async def test_plain_bytes_that_tell_the_token_are_a_hit():
    async with catching() as catcher:
        token = catcher.slots()["canary.token"]
        await say(catcher, f"{token}\n".encode())
        assert [brief(c) for c in catcher.caught()] == [
            ("tcp", "", f"/hit/{token}", f"{token}\n".encode())
        ]


async def test_a_directory_client_is_welcomed_until_it_names_what_it_looks_for():
    async with catching() as catcher:
        token = catcher.slots()["canary.token"]
        host, port = catcher.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"\x30\x0c\x02\x01\x07\x60\x07\x02\x01\x03\x04\x00\x80\x00")
        welcome = await reader.readexactly(14)
        writer.write(b"\x30\x25\x02\x01\x08\x63\x20\x04\x08" + token.encode())
        writer.write_eof()
        await reader.read()
        writer.close()
        assert [c.path for c in catcher.caught()] == [f"/hit/{token}"]
    assert welcome == b"\x30\x0c\x02\x01\x07\x61\x07\x0a\x01\x00\x04\x00\x04\x00"


async def test_who_comes_late_or_by_chance_counts_for_nobody():
    async with catching() as catcher:
        early = catcher.slots()["canary.hit"]
        catcher.slots()
        await fetch("GET", early)
        await fetch("GET", f"http://{catcher.address}/favicon.ico")
        await say(catcher, b"hello")
        assert list(catcher.caught()) == []


async def test_what_is_kept_of_one_visit_is_bounded():
    async with catching() as catcher:
        answer = await fetch("PUT", catcher.slots()["canary.url"], b"x" * (MAX_KEPT + 1))
        (seen,) = catcher.caught()
    assert (answer.status_code, len(seen.data)) == (201, MAX_KEPT)


async def test_the_number_of_visits_that_are_kept_is_bounded():
    async with catching() as catcher:
        path = "/ok/" + catcher.slots()["canary.url"].rpartition("/")[2]
        for _ in range(MAX_VISITS // 8 + 1):
            await say(catcher, f"GET {path} HTTP/1.1\r\n\r\n".encode() * 8)
        assert len(catcher.caught()) == MAX_VISITS


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"x" * 2 * MAX_HEAD,
        b"GET / HTTP/1.1\r\nA: " + b"x" * 2 * MAX_HEAD,
        b"PUT / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"x" * 4096,
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 99,
    ],
    ids=["line", "head", "length", "negative", "chunk", "no-chunk", "trailers"],
)
async def test_a_broken_request_ends_the_connection(request_):
    async with catching() as catcher:
        answer = await say(catcher, request_)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        assert (await fetch("GET", catcher.slots()["canary.url"])).status_code == 200


async def test_more_visitors_than_there_is_room_for_are_turned_away():
    async with catching() as catcher:
        host, port = catcher.address.split(":")
        idle = [await asyncio.open_connection(host, int(port)) for _ in range(MAX_CONNECTIONS)]
        for _, writer in idle:
            writer.write(b"G")
            await writer.drain()
        one_more = await asyncio.open_connection(host, int(port))
        with suppress(ConnectionResetError):
            assert await one_more[0].read() == b""
        for _, writer in (*idle, one_more):
            writer.close()


async def test_an_address_that_cannot_be_had_is_told():
    async with catching() as catcher:
        taken = CatchingServer("127.0.0.1", int(catcher.address.rpartition(":")[2]))
        with pytest.raises(UsageError, match="give another --catcher"):
            await taken.start()


@settings(max_examples=30, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=100).map(lambda b: b"PUT /ok HTTP/1.1\r\nContent-Length: 5\r\n" + b),
        st.binary(max_size=100).map(
            lambda b: b"PUT /ok HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b
        ),
    )
)
def test_whatever_is_said_the_next_visitor_is_served(data):
    async def visit() -> int:
        async with catching() as catcher:
            await say(catcher, data)
            return (await fetch("GET", catcher.slots()["canary.url"])).status_code

    assert asyncio.run(visit()) == 200


async def test_who_comes_late_is_told_once_by_the_token():
    async with catching() as catcher:
        first = catcher.slots()
        catcher.slots()
        await fetch("GET", first["canary.hit"])
        await fetch("GET", first["canary.url"])
        assert list(catcher.late()) == [first["canary.token"]]
        assert list(catcher.late()) == []


async def test_who_comes_late_is_remembered_over_the_next_plays():
    async with catching() as catcher:
        first = catcher.slots()
        catcher.slots()
        await say(catcher, first["canary.token"].encode())
        for _ in range(3):
            catcher.slots()
        assert list(catcher.late()) == [first["canary.token"]]
