"""A CSMS made of the plain `ocpp` package: answers boot, heartbeat, status and authorisation."""

import asyncio
import logging
import sys
from datetime import UTC, datetime

import websockets
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call_result


def now():
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Csms(ChargePoint):
    @on("BootNotification")
    def boot(self, **_):
        return call_result.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("Heartbeat")
    def heartbeat(self, **_):
        return call_result.Heartbeat(current_time=now())

    @on("StatusNotification")
    def status(self, **_):
        return call_result.StatusNotification()

    @on("Authorize")
    def authorize(self, **_):
        return call_result.Authorize(id_token_info={"status": "Accepted"})


async def connected(connection):
    await Csms(connection.request.path.strip("/"), connection).start()


async def main(port):
    logging.disable()
    async with websockets.serve(connected, "127.0.0.1", port, subprotocols=["ocpp2.0.1"]) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main(int(sys.argv[1])))
