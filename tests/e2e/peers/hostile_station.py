"""A station that comes in properly and behaves badly: PORT, FOLDER-OF-THE-LAB, BEHAVIOUR, [CERTIFICATE-AND-KEY].

Speaks TLS and WebSocket by hand, so that nothing keeps it from saying what no library would.
"""

import contextlib
import json
import os
import socket
import ssl
import struct
import sys
import time

PORT, LAB, BEHAVIOUR = int(sys.argv[1]), sys.argv[2], sys.argv[3]
ESCAPES = "\x1b]0;owned\x07\x1b[31m\u202e|**x**<b>\r\n"
REQUEST = (
    "GET /ocpp/CS-1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
)
BOOT = {
    "reason": "PowerUp",
    "chargingStation": {
        "vendorName": f"V{ESCAPES}"[:50],
        "model": f"M{ESCAPES}"[:20],
        "serialNumber": "CS-1",
        "firmwareVersion": ESCAPES,
    },
}
EVENT = {
    "type": f"E{ESCAPES}"[:50],
    "timestamp": "2026-01-01T00:00:00Z",
    "techInfo": ESCAPES * 5,
}


def frame(data, opcode=1):
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return bytes([0x80 | opcode]) + length + b"\0\0\0\0" + data


def text(*parts):
    return frame(json.dumps(parts).encode())


def exactly(tls, size):
    data = b""
    while len(data) < size:
        more = tls.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def messages(tls):
    while True:
        first, second = exactly(tls, 2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", exactly(tls, 2))
        data = exactly(tls, size)
        if first & 15 == 8:
            return
        if first & 15 == 9:
            tls.sendall(frame(data, 10))
        elif first & 15 == 1:
            yield json.loads(data)


def values(payload):
    return [
        {
            "attributeStatus": "Accepted",
            "attributeValue": ESCAPES,
            "component": asked["component"],
            "variable": asked["variable"],
        }
        for asked in payload.get("getVariableData", ())
    ]


def react(tls, call):
    _, id_, action, payload = call
    if BEHAVIOUR == "escapes":
        known = {"getVariableResult": values(payload)} if action == "GetVariables" else {}
        tls.sendall(text(3, id_, known or {"status": "Accepted"}))
    elif BEHAVIOUR == "errors":
        tls.sendall(text(4, id_, ESCAPES, ESCAPES * 20, {}))
    elif BEHAVIOUR == "garbage":
        tls.sendall(frame(os.urandom(60_000), 2) + os.urandom(3_000))
    elif BEHAVIOUR == "flood":
        for number in range(5_000):
            tls.sendall(text(2, f"f{number}", "SecurityEventNotification", EVENT))
        tls.sendall(text(3, id_, {}))


def converse(tls):
    tls.sendall(REQUEST.encode())
    while not tls.recv(9_999).endswith(b"\r\n\r\n"):
        pass
    tls.sendall(text(2, "1", "BootNotification", BOOT))
    tls.sendall(text(2, "2", "SecurityEventNotification", EVENT))
    for message in messages(tls):
        if message[0] == 2:
            react(tls, message)


def call():
    context = ssl.create_default_context(cafile=f"{LAB}/root.pem")
    own = sys.argv[4:] or [f"{LAB}/station.pem", f"{LAB}/station.key"]
    context.load_cert_chain(*own)
    with socket.create_connection(("127.0.0.1", PORT), 10) as raw:
        if BEHAVIOUR == "raw":
            for _ in range(999):
                raw.sendall(os.urandom(65_536))
            return
        if BEHAVIOUR == "unfinished":
            others = [socket.create_connection(("127.0.0.1", PORT), 10) for _ in range(100)]
            for one in others:
                one.sendall(bytes.fromhex("1603010200010001fc"))
            time.sleep(0.5)
            return
        with context.wrap_socket(raw, server_hostname="localhost") as tls:
            if BEHAVIOUR == "headers":
                tls.sendall(b"GET /ocpp/CS-1 HTTP/1.1\r\nX-\x1b[31m: " + b"A" * 5_000_000)
            else:
                converse(tls)


while True:
    with contextlib.suppress(OSError, EOFError, ValueError):
        call()
    time.sleep(0.2)
