"""Links and doors: WebSocket (a station dials us, or we dial a CSMS) and in memory. Moves messages, knows no meaning."""

from fuzz.transport.admission import Refused
from fuzz.transport.contexts import client_context, server_context, tls_failure
from fuzz.transport.dial import Dialler
from fuzz.transport.hello import ClientHelloTap, Tapped
from fuzz.transport.link import WebSocketLink
from fuzz.transport.listen import HandshakeFailure, Listener
from fuzz.transport.memory import MemoryDoor, MemoryLink, memory_pair

__all__ = [
    "ClientHelloTap",
    "Dialler",
    "HandshakeFailure",
    "Listener",
    "MemoryDoor",
    "MemoryLink",
    "Refused",
    "Tapped",
    "WebSocketLink",
    "client_context",
    "memory_pair",
    "server_context",
    "tls_failure",
]
