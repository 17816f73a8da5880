"""A plain station with one bad habit: URL, HABIT.

It serves little, but properly: GetVariables, GetBaseReport and ChangeAvailability; whatever else it is asked it says
that it does not support. Its habit shows from the first CALL of TRIGGER on, or after GENTLE CALLs, or at once.
"""

import asyncio
import contextlib
import json
import os
import struct
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import websockets
from ocpp.messages import MessageType, get_validator
from websockets.exceptions import WebSocketException

URL, HABIT = sys.argv[1], sys.argv[2]
TRIGGER = "ClearCache"
GENTLE = 25
MESSAGE_TIMEOUT_S = 30 if HABIT == "slow" else 1
SLOW_S = 5
BROKEN, VANISHED = Path("broken-for-good"), Path("vanished")
SERVED = {"GetVariables", "GetBaseReport", "ChangeAvailability"}
SUPPORTED = SERVED | {TRIGGER}
RED = "\x1b[31m"
ZEROS = "0" * 2**20


class Bad(Exception):
    """What it was sent breaks a rule; the arguments are an error code and the messageId."""


def now():
    return datetime.now(UTC).isoformat()


def read(data):
    """The parts of a CALL; None for an answer."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise Bad("RpcFrameworkError", "-1") from None
    if not isinstance(message, list) or not message:
        raise Bad("RpcFrameworkError", "-1")
    if message[0] in (3, 4):
        return None
    id_ = message[1] if len(message) > 1 and isinstance(message[1], str) else "-1"
    if type(message[0]) is not int or message[0] != 2:
        raise Bad("MessageTypeNotSupported", id_)
    if id_ == "-1" or len(message) != 4 or not isinstance(message[2], str):
        raise Bad("RpcFrameworkError", id_)
    if message[2] not in SUPPORTED:
        raise Bad("NotSupported" if message[2].isalpha() else "NotImplemented", id_)
    if not get_validator(MessageType.Call, message[2], "2.0.1").is_valid(message[3]):
        raise Bad("FormatViolation", id_)
    return id_, message[2], message[3]


def variables(payload):
    return {
        "getVariableResult": [
            {"attributeStatus": "UnknownComponent"}
            | {
                part: one[part]
                for part in ("component", "variable", "attributeType")
                if part in one
            }
            for one in payload["getVariableData"]
        ]
    }


def report(payload):
    entry = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "MessageTimeout", "instance": "Default"},
        "variableAttribute": [{"value": str(MESSAGE_TIMEOUT_S), "mutability": "ReadOnly"}],
        "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": False},
    }
    return {
        "requestId": payload.get("requestId"),
        "generatedAt": now(),
        "seqNo": 0,
        "tbc": False,
        "reportData": [entry],
    }


class Station:
    def __init__(self, link):
        self.link = link
        self.calls = 0
        self.numbers = iter(range(10**9))
        self.others = set()

    async def ask(self, action, payload):
        await self.link.send(json.dumps([2, f"own-{next(self.numbers)}", action, payload]))

    async def boot(self):
        station = {"model": "plain", "vendorName": f"nobody{RED}"}
        await self.ask("BootNotification", {"chargingStation": station, "reason": "PowerUp"})

    async def serve(self):
        """Answer until the connection ends."""
        if HABIT in ("restarts", "crashes"):
            self.start(self.restart())
        async for data in self.link:
            try:
                call = read(data)
                if call is not None:
                    await self.answer(*call)
            except Bad as bad:
                code, id_ = bad.args
                await self.link.send(json.dumps([4, id_, code, "", {}]))

    async def answer(self, id_, action, payload):
        self.calls += 1
        if HABIT == "mute":
            return
        if HABIT == "slow":
            await asyncio.sleep(SLOW_S)
        if action == TRIGGER or self.calls > GENTLE:
            await self.misbehave(action)
        if HABIT == "silent" and action == TRIGGER:
            return
        accepted = (
            action == TRIGGER
            or (action, payload.get("reportBase")) == ("GetBaseReport", "FullInventory")
            or (action, payload.get("operationalStatus")) == ("ChangeAvailability", "Operative")
        )
        if action != "GetVariables" and not accepted:
            raise Bad("NotSupported", id_)
        result = {"status": "Accepted"} if accepted else variables(payload)
        await self.link.send(json.dumps([3, id_, result]))
        if action == "GetBaseReport":
            await self.ask("NotifyReport", report(payload))

    async def misbehave(self, action):
        """What it does of its own accord, or to a message that it cannot bear."""
        on_trigger = {
            "hangs": self.hang,
            "deaf": self.deafen,
            "drips": self.drip,
            "vanishes": self.vanish,
            "breaks": self.break_down,
        }
        by_itself = {
            "calls": self.flood,
            "pings": self.ping,
            "texts": self.pour,
            "bombs": self.bomb,
        }
        if action == TRIGGER and HABIT in on_trigger:
            await on_trigger[HABIT]()
        elif self.calls > GENTLE and HABIT in by_itself:
            self.start(by_itself[HABIT]())
            self.calls = -(10**9)

    def start(self, work):
        task = asyncio.create_task(work)
        self.others.add(task)
        task.add_done_callback(self.others.discard)

    async def end(self):
        for task in self.others:
            task.cancel()
        await asyncio.gather(*self.others, return_exceptions=True)

    # --- habits -------------------------------------------------------------------------------------------

    async def hang(self):
        """Read no message any more; pings are answered."""
        await self.link.wait_closed()

    async def deafen(self):
        """Read nothing at all."""
        self.link.transport.pause_reading()
        await asyncio.sleep(10**6)

    async def drip(self):
        """Send one byte of a message each second."""
        self.link.transport.write(b"\x81\xfe\xff\xff\0\0\0\0")
        while self.link.close_code is None:
            await asyncio.sleep(1)
            self.link.transport.write(b"[")

    async def vanish(self):
        """Hang up and never come again."""
        leave_a_sign()
        self.link.transport.abort()
        await asyncio.sleep(10**6)

    async def break_down(self):
        """End, and be broken after every restart."""
        break_for_good()

    async def restart(self):
        """Restart, which nothing caused: the connection alone is seen to end, or the process."""
        await asyncio.sleep(2)
        if HABIT == "crashes":
            os._exit(9)
        self.link.transport.abort()

    async def flood(self):
        payload = {"type": "SettingSystemTime", "timestamp": now()}
        while True:
            await self.ask("SecurityEventNotification", payload)
            await asyncio.sleep(0)  # sending alone lets nobody else have a turn

    async def ping(self):
        frame = struct.pack(">BB4s", 0x89, 0x80, b"\0\0\0\0")
        while self.link.close_code is None:
            if self.link.transport.get_write_buffer_size() < 2**16:
                self.link.transport.write(frame * 1000)
            await asyncio.sleep(0)

    async def pour(self):
        text = ZEROS * 8
        while True:
            await self.link.send(f'["{text}"]')
            await asyncio.sleep(0)

    async def bomb(self):
        """A gigabyte in a few kilobytes, in one message."""
        await self.link.send(iter([ZEROS] * 1024))


def leave_a_sign():
    VANISHED.touch()


def break_for_good():
    BROKEN.touch()
    os._exit(7)


# --- those that never get as far ------------------------------------------------------------------------------


async def drip_request():
    """Send one byte of the opening handshake each second."""
    parts = urlsplit(URL)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for byte in f"GET {parts.path} HTTP/1.1\r\n".encode() * 100:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def connect():
    if HABIT == "drips-request":
        await drip_request()
    offered = "ocpp1.6" if HABIT == "other-protocol" else "ocpp2.0.1"
    async with websockets.connect(
        URL, subprotocols=[offered], ping_interval=None, close_timeout=1
    ) as link:
        if HABIT == "leaves":
            return
        station = Station(link)
        try:
            await station.boot()
            await station.serve()
        finally:
            await station.end()


async def main():
    while True:
        with contextlib.suppress(OSError, WebSocketException):
            await connect()
        await asyncio.sleep(0.1)


if BROKEN.exists():
    sys.exit("beyond repair")
asyncio.run(main())
