"""A CSMS made of the plain `ocpp` package that a test drives: commands in on stdin, what happens out on stdout, as JSON.

In:  {"call": ACTION, "payload": {...}}            {"answer": ACTION, "payload": {...}} from now on   {"drop": true}
     {"deaf": true | false} refuses or serves new connections
Out: {"listening": PORT} {"connected": IDENTITY, "authorization": ..., "serial": ...} {"disconnected": IDENTITY}
     {"heard": ACTION, "payload": {...}} {"answered": ACTION, "payload": {...}} {"failed": ACTION, "why": ...}

Payloads are the JSON of the wire: the package validates every message in both directions by its own schemas.
"""

import argparse
import asyncio
import base64
import contextlib
import dataclasses
import json
import logging
import ssl
import sys
from datetime import UTC, datetime

import websockets
from ocpp.charge_point import camel_to_snake_case, remove_nones, snake_to_camel_case
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result

HEARD = (
    "Authorize",
    "BootNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "NotifyCustomerInformation",
    "NotifyReport",
    "SecurityEventNotification",
    "SignCertificate",
    "StatusNotification",
    "TransactionEvent",
)


def now():
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-4] + "Z"


ANSWERS = {
    "Authorize": {"idTokenInfo": {"status": "Accepted"}},
    "BootNotification": {"interval": 300, "status": "Accepted"},
    "SignCertificate": {"status": "Accepted"},
}


def tell(**event):
    print(json.dumps(event), flush=True)


def handler(action):
    async def handle(self, **payload):
        tell(heard=action, payload=snake_to_camel_case(remove_nones(payload)))
        answer = dict(ANSWERS.get(action, {}))
        if action in ("BootNotification", "Heartbeat"):
            answer["currentTime"] = now()
        return getattr(call_result, action)(**camel_to_snake_case(answer))

    handle.__name__ = action  # the package finds a handler by the name of its function
    return on(action)(handle)


Csms = type("Csms", (ChargePoint,), {action: handler(action) for action in HEARD})


class Door:
    def __init__(self):
        self.station = None
        self.deaf = False

    async def connected(self, connection):
        identity = connection.request.path.rpartition("/")[2]
        peer = connection.transport.get_extra_info("peercert") or {}
        subject = dict(pair for names in peer.get("subject", ()) for pair in names)
        serial = peer.get("serialNumber", "")
        tell(
            connected=identity,
            authorization=connection.request.headers.get("Authorization", ""),
            common_name=subject.get("commonName", ""),
            serial=serial,
        )
        self.station = Csms(identity, connection, response_timeout=20)
        with contextlib.suppress(websockets.ConnectionClosed):
            await self.station.start()
        tell(disconnected=identity)

    def request(self, connection, request):
        if self.deaf:
            return connection.respond(503, "not now\n")
        return None

    async def ask(self, action, payload):
        try:
            request = getattr(call, action)(**camel_to_snake_case(payload))
            answer = await self.station.call(request, suppress=False)
            found = snake_to_camel_case(remove_nones(dataclasses.asdict(answer)))
            tell(answered=action, payload=found)
        except Exception as error:  # a test reads it
            tell(failed=action, why=f"{type(error).__name__}: {error}")


def tls_context(certificate, key, ca):
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if ca is not None:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def credentials_check(pair):
    if pair is None:
        return None
    wanted = "Basic " + base64.b64encode(pair.encode()).decode()

    def check(connection, request):
        if request.headers.get("Authorization") != wanted:
            tell(refused=request.headers.get("Authorization", ""))
            return connection.respond(401, "who are you?\n")
        return None

    return check


async def commands(door):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    asked = set()
    while line := await reader.readline():
        order = json.loads(line)
        if "answer" in order:
            ANSWERS[order["answer"]] = order["payload"]
        elif "deaf" in order:
            door.deaf = order["deaf"]
        elif "drop" in order:
            await door.station._connection.close()
        else:
            task = asyncio.create_task(door.ask(order["call"], order["payload"]))
            asked.add(task)
            task.add_done_callback(asked.discard)


async def main():
    parser = argparse.ArgumentParser()
    for name in ("--cert", "--key", "--ca", "--credentials"):
        parser.add_argument(name)
    given = parser.parse_args()
    logging.disable()
    door = Door()
    check = credentials_check(given.credentials)

    def request(connection, request):
        return door.request(connection, request) or (check and check(connection, request))

    async with websockets.serve(
        door.connected,
        "127.0.0.1",
        0,
        subprotocols=["ocpp2.0.1"],
        process_request=request,
        ssl=tls_context(given.cert, given.key, given.ca),
    ) as server:
        tell(listening=server.sockets[0].getsockname()[1])
        await commands(door)


asyncio.run(main())
