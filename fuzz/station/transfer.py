"""Files over HTTP and HTTPS: what `Download`, `Upload` and `CancelTransfer` ask for (Part 2, L01 and N01).

Owns sockets and TLS; must not know what a file is for. A CSMS under attack, or one that we play, names any location:
by default nobody but this machine is called, whatever the name resolves to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import httpx

from fuzz.station.events import Download, TransferDone, Upload

MAX_DOWNLOAD = 64 * 2**20
"""Longest file that is taken."""

MAX_PARALLEL = 4
"""How many transfers are under way at a time; the others wait for their turn."""

_TOTAL_S = 120.0
_IDLE_S = 20.0
_DENIED = (401, 403, 407)
_NOT_FOUND = (404, 410)
_NO_PUT = (405, 501)
# What a location or a server can bring about: httpx's own errors, sockets and TLS, names and ports that are none.
_FAILURES = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    ValueError,
    OverflowError,
)


class _Failed(Exception):
    """The transfer is over; `failure` is a word of `TransferDone`."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class Transfers:
    """All transfers of one station. Never raises; how each ended is told to `deliver`."""

    def __init__(
        self,
        deliver: Callable[[TransferDone], None],
        *,
        roots: Callable[[], Sequence[str]],
        anywhere: bool = False,
        max_download: int = MAX_DOWNLOAD,
        total_s: float = _TOTAL_S,
    ) -> None:
        """Nothing under way.

        Args:
            deliver: hears of each transfer that was not cancelled, once.
            roots: the CSMS roots as PEM when a transfer begins; https servers are verified against them (N01.FR.15),
                against what the system trusts when there are none.
            anywhere: whether other machines may be called.
            max_download: longest file that is taken.
            total_s: longest that one transfer may take.
        """
        self._deliver = deliver
        self._roots = roots
        self._anywhere = anywhere
        self._max_download = max_download
        self._total_s = total_s
        self._slots = asyncio.Semaphore(MAX_PARALLEL)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, job: Download | Upload) -> None:
        """Begins a transfer; one of the same name is cancelled."""
        self.cancel(job.transfer)
        self._tasks[job.transfer] = asyncio.create_task(self._run(job))

    def cancel(self, name: str) -> None:
        """Stops a transfer, of which nothing is delivered any more."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Stops all transfers and waits until they are gone."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, job: Download | Upload) -> None:
        async with self._slots:
            done = await self._attempt(job)
        self._tasks.pop(job.transfer, None)
        self._deliver(done)

    async def _attempt(self, job: Download | Upload) -> TransferDone:
        try:
            async with asyncio.timeout(self._total_s):
                if isinstance(job, Download):
                    return TransferDone(job.transfer, content=await self._download(job))
                await self._upload(job)
                return TransferDone(job.transfer)
        except _Failed as failed:
            return TransferDone(job.transfer, failure=failed.failure)
        except _FAILURES:
            return TransferDone(job.transfer, failure="unreachable")

    async def _download(self, job: Download) -> bytes:
        async with self._client(job.url) as (client, ask):
            request = ask("GET", b"", {})
            response = await client.send(request, stream=True)
            _judge(response.status_code)
            content = bytearray()
            # As it arrives, so that a few bytes cannot unpack to many.
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > self._max_download:
                    raise _Failed("too-large")
            return bytes(content)

    async def _upload(self, job: Upload) -> None:
        _read(job.url)
        # A location that ends with a slash is a folder.
        url = job.url + job.name if job.url.endswith("/") else job.url
        async with self._client(url) as (client, ask):
            status = await _send(client, ask("PUT", job.content, {}))
        if status in _NO_PUT:
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f'attachment; filename="{job.name}"',
            }
            async with self._client(job.url) as (client, ask):
                status = await _send(client, ask("POST", job.content, headers))
        _judge(status)

    @asynccontextmanager
    async def _client(self, url: str) -> AsyncIterator[tuple[httpx.AsyncClient, _Ask]]:
        """A client for one location, and what makes requests to it; the name is resolved here and never again."""
        location = _read(url)
        host = location.raw_host.decode("ascii")
        address = await self._resolve(host)
        context = self._tls() if location.scheme == "https" else False
        async with httpx.AsyncClient(
            verify=context, trust_env=False, follow_redirects=False, timeout=_IDLE_S
        ) as client:

            def ask(method: str, content: bytes, headers: dict[str, str]) -> httpx.Request:
                named = {"Host": location.netloc.decode("ascii"), "Accept-Encoding": "identity"}
                return client.build_request(
                    method,
                    location.copy_with(host=address),
                    content=content or None,
                    headers={**named, **headers},
                    extensions={"sni_hostname": host},
                )

            yield client, ask

    async def _resolve(self, host: str) -> str:
        if not (self._anywhere or _is_here(host)):
            # Not even a name is looked up: a hostile location must not make us ask strangers.
            raise _Failed("unreachable")
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        here = all(ipaddress.ip_address(address).is_loopback for address in addresses)
        if not addresses or not (here or self._anywhere):
            raise _Failed("unreachable")
        return addresses[0]

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # What is installed is trusted, be it signed by an older root (M05.FR.09 to FR.16).
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if roots := self._roots():
            context.load_verify_locations(cadata="\n".join(roots))
        else:
            context.load_default_certs()
        return context


_Ask = Callable[[str, bytes, dict[str, str]], httpx.Request]


def _read(url: str) -> httpx.URL:
    try:
        location = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise _Failed("unsupported") from None
    if location.scheme not in ("http", "https") or not location.host:
        raise _Failed("unsupported")
    return location


async def _send(client: httpx.AsyncClient, request: httpx.Request) -> int:
    response = await client.send(request, stream=True)
    # What the server says beyond the status is of no interest, and may be endless.
    await response.aclose()
    return response.status_code


def _is_here(host: str) -> bool:
    """Whether a host is this machine by its name alone (RFC 6761 section 6.3) or an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        name = host.rstrip(".").lower()
        return name == "localhost" or name.endswith(".localhost")


def _judge(status: int) -> None:
    if status in _DENIED:
        raise _Failed("denied")
    if status in _NOT_FOUND:
        raise _Failed("not-found")
    # A redirect is refused, too: the location is what the CSMS named and nothing else.
    if not 200 <= status < 300:
        raise _Failed("refused")
