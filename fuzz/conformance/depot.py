"""A file server for the tests of firmware and logs: offers files, takes uploads, can be slow or refuse.

Knows HTTP only; must not know what the files are.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_UPLOAD = 2**24
"""An upload of more bytes is refused."""


class Depot:
    """Offers `files` by path and keeps what is uploaded in `taken`.

    Downloads and uploads wait at the `gate`, which is open unless a test closes it; `uploads` counts the attempts.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.taken: dict[str, bytes] = {}
        self.uploads = 0
        self.refuses = False
        self.gate = threading.Event()
        self.gate.set()

    def offer(self, name: str, content: bytes) -> str:
        """The URL at which `content` can be fetched from now on."""
        self.files[f"/{name}"] = content
        return f"{self.url}/{name}"


@contextlib.contextmanager
def depot(host: str = "127.0.0.1", name: str = "127.0.0.1") -> Iterator[Depot]:
    """A running file server on `host`, which the station reaches as `name`; gone when it is left."""
    server = _Server((host, 0), _Handler)
    server.depot = Depot(f"http://{name}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.depot
    finally:
        server.depot.gate.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    depot: Depot
    daemon_threads = True
    # A transfer that the station broke off may still hang in a thread; nobody waits for it.
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A station that hangs up in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30.0

    def do_GET(self) -> None:
        """Answers with the file, or 404."""
        depot = self.server.depot
        depot.gate.wait(self.timeout)
        content = depot.files.get(self.path)
        self._answer(404 if content is None else 200, content or b"")

    def do_PUT(self) -> None:
        """Takes a file, unless it is refused."""
        depot = self.server.depot
        depot.uploads += 1
        length = self.headers.get("Content-Length", "")
        if depot.refuses or not length.isdecimal() or int(length) > MAX_UPLOAD:
            self.close_connection = True
            self._answer(403 if depot.refuses else 400)
            return
        content = self.rfile.read(int(length))
        depot.gate.wait(self.timeout)
        depot.taken[self.path] = content
        self._answer(201)

    def do_POST(self) -> None:
        """As PUT."""
        self.do_PUT()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: what a station asks for does not belong on the terminal."""

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
