"""Capture files (pcapng) of recorded connections, for Wireshark, built from the socket's bytes and saying so.

Knows Ethernet, IP and TCP as far as scapy writes them. Must not know what the bytes mean.
"""

from __future__ import annotations

import ipaddress
import tempfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from fuzz.records import Tape
from tlslab.seen import Chunk, Connection, Way

SAYING_SO = (
    "Made by ocppfuzz from the bytes of the socket: payloads, addresses, ports and times are real, "
    "the Ethernet, IP and TCP headers around them were rebuilt. {words}"
)
SEGMENT = 1_400
_SYN, _SYN_ACK, _ACK, _PUSH, _FIN = "S", "SA", "A", "PA", "FA"
_PORT = 443


def pcapng(connections: Iterable[Connection], words: str = "") -> bytes:
    """A capture of these connections, one TCP stream each; `words` are added to the comment of its first packet.

    Without connections there is nothing to capture: b"".
    """
    packets = [packet for connection in connections for packet in _packets(connection)]
    return written(packets, SAYING_SO.format(words=words))


def written(packets: list[Any], comment: str) -> bytes:
    """A capture file of packets in the order of their times; the first one bears the comment. b"" without any."""
    from scapy.utils import PcapNgWriter  # takes long to import

    packets.sort(key=lambda p: float(p.time))
    if not packets:
        return b""
    packets[0].comments = [comment.encode()]
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
        path = Path(folder) / "capture.pcapng"
        with PcapNgWriter(str(path)) as writer:
            for packet in packets:
                writer.write(packet)
        return path.read_bytes()


def taped(tape: Tape) -> Connection:
    """A tape of a door as the connection that `pcapng` takes."""
    chunks = [Chunk(c.at_s, Way.LAB if c.ours else Way.PEER, c.data) for c in tape.chunks]
    return Connection(0, 0.0, tape.began, tape.ours, tape.theirs, tape=chunks, ended_s=tape.ended_s)


def _packets(connection: Connection) -> Iterator[Any]:
    """The handshake of TCP, the bytes, and an end when there was one."""
    talk = _Talk(connection)
    yield from talk.opening()
    last = 0.0
    for chunk in connection.tape:
        last = chunk.at_s
        for at in range(0, len(chunk.data), SEGMENT):
            yield talk.said(chunk.at_s, chunk.way, chunk.data[at : at + SEGMENT])
    if connection.ended_s is not None:
        ended = max(connection.ended_s - connection.began_s, last)
        yield talk.packet(ended, Way.LAB, _FIN)
        yield talk.packet(ended, Way.PEER, _FIN)


class _Talk:
    """One TCP stream being rebuilt: sequence numbers and addresses."""

    def __init__(self, connection: Connection) -> None:
        self._began = connection.began
        self._ends = {Way.LAB: _place(connection.ours), Way.PEER: _place(connection.theirs)}
        self._next = {Way.LAB: 1, Way.PEER: 1}
        # A captured hello tells who opened the connection: it is the client's first word.
        self._opener = connection.tape[0].way if connection.tape else Way.PEER

    def opening(self) -> list[Any]:
        """SYN, SYN ACK, ACK."""
        other = Way.LAB if self._opener is Way.PEER else Way.PEER
        self._next = {Way.LAB: 0, Way.PEER: 0}
        made = [self.packet(0.0, self._opener, _SYN)]
        self._next[self._opener] = 1
        made.append(self.packet(0.0, other, _SYN_ACK))
        self._next[other] = 1
        return [*made, self.packet(0.0, self._opener, _ACK)]

    def said(self, at_s: float, way: Way, data: bytes) -> Any:
        """One segment with data."""
        made = self.packet(at_s, way, _PUSH, data)
        self._next[way] += len(data)
        return made

    def packet(self, at_s: float, way: Way, flags: str, data: bytes = b"") -> Any:
        """One packet; every field is given, because scapy fills what is not from its own clock and chance."""
        from scapy.layers.inet import IP, TCP
        from scapy.layers.inet6 import IPv6
        from scapy.layers.l2 import Ether
        from scapy.packet import Raw

        other = Way.LAB if way is Way.PEER else Way.PEER
        (source, source_port), (target, target_port) = self._ends[way], self._ends[other]
        six = ":" in source
        network = IPv6(src=source, dst=target) if six else IP(src=source, dst=target, id=1)
        transport = TCP(
            sport=source_port,
            dport=target_port,
            seq=self._next[way],
            ack=0 if flags == _SYN else self._next[other],
            flags=flags,
            window=65535,
        )
        ether = Ether(src=_MACS[way], dst=_MACS[other], type=0x86DD if six else 0x0800)
        made = ether / network / transport
        made = made / Raw(data) if data else made
        made.time = (self._began + timedelta(seconds=at_s)).timestamp()
        return made


_MACS = {Way.LAB: "02:00:00:00:00:01", Way.PEER: "02:00:00:00:00:02"}


def _place(address: tuple[str, int]) -> tuple[str, int]:
    """An address that fits into a header; what is not known becomes a documentation address (RFC 5737)."""
    host, port = address
    try:
        known = str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        known = "192.0.2.1"
    return known, port if 0 < port < 2**16 else _PORT
