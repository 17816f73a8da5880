"""A CSMS of our own making: strict, but with `--defect` it ends the connection when an action is no string."""

import asyncio
import json
import logging
import sys

import websockets

NOW = "2026-01-01T00:00:00Z"
ANSWERS = {
    "BootNotification": {"currentTime": NOW, "interval": 300, "status": "Accepted"},
    "Heartbeat": {"currentTime": NOW},
    "StatusNotification": {},
}


def refuse(items):
    """Why a message is no proper CALL, as an error code; "" when it is one."""
    if not isinstance(items, list) or len(items) != 4:
        return "RpcFrameworkError"
    kind, message_id, action, payload = items
    if type(kind) is not int or kind != 2:
        return "MessageTypeNotSupported"
    if not isinstance(message_id, str) or not 0 < len(message_id) <= 36:
        return "RpcFrameworkError"
    if not isinstance(action, str):
        if "--defect" in sys.argv:
            raise TypeError("unhashable action")
        return "RpcFrameworkError"
    if action not in ANSWERS:
        return "NotImplemented"
    return "" if isinstance(payload, dict) else "FormatViolation"


def answer(text):
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    if isinstance(items, list) and items and items[0] in (3, 4):
        return None
    code = refuse(items)
    second = items[1] if isinstance(items, list) and len(items) > 1 else None
    known = second if isinstance(second, str) and 0 < len(second) <= 36 else "-1"
    return [4, known, code, "", {}] if code else [3, known, ANSWERS[items[2]]]


async def connected(connection):
    async for text in connection:
        told = answer(text)
        if told is not None:
            await connection.send(json.dumps(told))


async def main(port):
    logging.disable()
    async with websockets.serve(connected, "127.0.0.1", port, subprotocols=["ocpp2.0.1"]) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main(int(sys.argv[1])))
