"""Real packets of a network interface, for whoever does not want a capture that was rebuilt from the socket's bytes.

Knows scapy's sockets and which packets belong to a connection. Must not know what is in them: what is TLS stays TLS.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from fuzz.capture import written
from fuzz.errors import UsageError
from fuzz.records import Tape

OPTION = "--capture-interface"
MAX_PACKETS = 50_000
"""How many of the latest packets are remembered."""

_LOOK_S = 0.2
_SLACK_S = 1.0
_TELLS = (
    "Real packets of the interface {interface}, taken by ocppfuzz while it played finding {words}."
)


class Sniffer:
    """Remembers the latest packets of an interface from `start` to `stop`."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self._packets: deque[tuple[float, bytes]] = deque(maxlen=MAX_PACKETS)
        self._over = threading.Event()
        self._socket: Any = None
        self._thread = threading.Thread(target=self._read, name="sniffer", daemon=True)

    def start(self) -> None:
        """Begin. Raises `UsageError` where the interface is not there or may not be listened to."""
        import scapy.layers.l2
        import scapy.sendrecv  # noqa: F401 - it chooses the sockets of this machine
        from scapy.config import conf
        from scapy.error import Scapy_Exception

        try:
            self._socket = conf.L2listen(iface=self.interface, promisc=False)
        except (OSError, ValueError, Scapy_Exception) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"cannot capture packets of {self.interface!r}: {why}; name an interface of this machine, run with the "
                f"right to capture (root, or CAP_NET_RAW), or leave {OPTION} out"
            ) from None
        self._thread.start()

    def stop(self) -> None:
        """End; what is remembered stays."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        if self._socket is not None:
            self._socket.close()

    def _read(self) -> None:
        from select import select

        while not self._over.is_set():
            if not select([self._socket], [], [], _LOOK_S)[0]:
                continue
            _, data, at_s = self._socket.recv_raw()
            if data is not None:
                self._packets.append((float(at_s), data))

    def pcapng(self, tapes: Sequence[Tape], words: str) -> bytes:
        """The packets of these connections; b"" when none was seen."""
        told = _TELLS.format(interface=self.interface, words=words)
        return written(list(self._of(tapes)), told)

    def _of(self, tapes: Sequence[Tape]) -> Iterator[Any]:
        from scapy.layers.inet import TCP
        from scapy.layers.l2 import Ether

        spans = [_span(tape) for tape in tapes]
        before = b""
        for at_s, data in list(self._packets):
            # A loopback interface shows every packet twice, as it goes out and as it comes in.
            before, again = data, data == before
            if again:
                continue
            wanted = [ports for ports, start, end in spans if start <= at_s <= end]
            if not wanted:
                continue
            packet = Ether(data)
            if packet.haslayer(TCP) and {packet[TCP].sport, packet[TCP].dport} in wanted:
                packet.time = at_s
                yield packet


@contextlib.contextmanager
def sniffing(interface: str | None) -> Iterator[Sniffer | None]:
    """A sniffer that runs meanwhile; None without an interface. Raises `UsageError` as `start` does."""
    if interface is None:
        yield None
        return
    sniffer = Sniffer(interface)
    sniffer.start()
    try:
        yield sniffer
    finally:
        sniffer.stop()


def _span(tape: Tape) -> tuple[set[int], float, float]:
    """The ports of a connection, and from when to when its packets count, in seconds since 1970."""
    began_s = tape.began.timestamp()
    last_s = tape.ended_s if tape.ended_s is not None else max(c.at_s for c in tape.chunks)
    return {tape.ours[1], tape.theirs[1]}, began_s - _SLACK_S, began_s + last_s + _SLACK_S
