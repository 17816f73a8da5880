"""Reads the packets of capture files, pcap and pcapng, through scapy, and the TLS secrets that a pcapng file carries.

Knows the containers. Must not know what is in a packet. scapy asks for as many bytes as a file claims; here it gets no more
than `MAX_BLOCK`.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from fuzz.errors import UsageError
from fuzz.traffic.events import Lost

MAX_BLOCK = 32 * 2**20
"""The longest piece of a capture that is read, bytes; captures end packets at 256 KiB."""

PCAPNG = bytes.fromhex("0a0d0d0a")
PCAPS = frozenset(map(bytes.fromhex, ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1")))

_BEGINNINGS = (4, 16)
_SECRETS_HEAD = 8
_TLS_KEY_LOG = 0x544C534B


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured packet; `link` is its LINKTYPE."""

    link: int
    data: bytes


@dataclass(slots=True)
class _Bounded:
    """A file that gives nobody more than `MAX_BLOCK` bytes at once."""

    file: IO[bytes]
    refused: bool = False
    ended: bool = False
    short: bool = False

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_BLOCK:
            self.refused = True
            return b""
        got = self.file.read(size)
        # Nothing at all where a block or a packet would begin is how a whole file ends.
        self.ended = not got and size in _BEGINNINGS
        self.short = self.short or (len(got) < size and not self.ended)
        return got


def is_capture(magic: bytes) -> bool:
    """True when a file that begins like this is a capture."""
    return magic[:4] == PCAPNG or magic[:4] in PCAPS


def packets(
    file: IO[bytes], name: str, told: Callable[[int], None], keys: Callable[[bytes], None]
) -> Iterator[Packet | Lost]:
    """The packets in their order, then what the file promised and does not hold. Raises `UsageError` for no capture.

    `keys` gets the text of every TLS key log inside.
    """
    bounded = _Bounded(file)
    with _quiet():
        reader, links = _opened(bounded, name, keys)
    while True:
        try:
            with _quiet():
                data, about = reader._read_packet(size=MAX_BLOCK)
        except EOFError:
            break
        except Exception as error:  # noqa: BLE001 - scapy on hostile bytes: whatever it is, the file ends here
            yield Lost(f"the capture cannot be read any further ({type(error).__name__})")
            return
        told(file.tell())
        yield Packet(int(links(about)), data)
    if bounded.refused:
        yield Lost(
            f"a block of the capture claims more than {MAX_BLOCK} bytes; the rest is not read"
        )
    elif bounded.short or not bounded.ended:
        yield Lost("the capture is cut off or broken; the rest is not read")


def _opened(
    bounded: _Bounded, name: str, keys: Callable[[bytes], None]
) -> tuple[Any, Callable[[Any], Any]]:
    from scapy.error import Scapy_Exception
    from scapy.utils import RawPcapReader  # takes long to import

    magic = bounded.read(4)
    try:
        if magic == PCAPNG:
            return _pcapng(bounded, name, magic, keys), lambda about: about.linktype
        reader: Any = RawPcapReader.__new__(RawPcapReader)
        reader.__init__(name, bounded, magic)
        return reader, lambda _about: reader.linktype
    except (Scapy_Exception, EOFError, OverflowError):
        raise UsageError(f"{name}: not readable as a capture; save it as pcapng again") from None


def _pcapng(bounded: _Bounded, name: str, magic: bytes, keys: Callable[[bytes], None]) -> Any:
    from scapy.utils import RawPcapNgReader

    reader: Any = RawPcapNgReader.__new__(RawPcapNgReader)
    reader.__init__(name, bounded, magic)

    def secrets(block: bytes, _size: int) -> None:
        if len(block) < _SECRETS_HEAD:
            return
        kind, length = struct.unpack(reader.endian + "II", block[:_SECRETS_HEAD])
        if kind == _TLS_KEY_LOG:
            keys(block[_SECRETS_HEAD : _SECRETS_HEAD + length])

    reader.blocktypes[10] = secrets
    return reader


@contextmanager
def _quiet() -> Iterator[None]:
    """The library warns of every odd byte; we tell once what was lost."""
    log = logging.getLogger("scapy")
    before, log.disabled = log.disabled, True
    runtime = logging.getLogger("scapy.runtime")
    also, runtime.disabled = runtime.disabled, True
    try:
        yield
    finally:
        log.disabled, runtime.disabled = before, also
