"""A Charging Station on the `ocpp` package over `websockets`, with TLS: `verify` as by default, or `trust` for nobody's sake.

Arguments: URL, the file of trusted roots, `verify` or `trust`, and optionally a password.
"""

import asyncio
import ssl
import sys
from datetime import UTC, datetime

import websockets
from ocpp.v201 import ChargePoint, call


async def main(url, roots, manner, password=""):
    context = ssl.create_default_context(cafile=roots)
    if manner == "trust":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    identity = url.rsplit("/", 1)[1]
    if password:
        url = url.replace("wss://", f"wss://{identity}:{password}@")
    while True:
        try:
            async with websockets.connect(url, ssl=context, subprotocols=["ocpp2.0.1"]) as line:
                station = ChargePoint(identity, line)
                await asyncio.gather(station.start(), boot(station))
        except Exception as error:  # a station in the field has a supervisor; this is it
            print(type(error).__name__, file=sys.stderr, flush=True)
        await asyncio.sleep(0.2)


async def boot(station):
    told = {"model": "plain", "vendor_name": "nobody"}
    await station.call(call.BootNotification(charging_station=told, reason="PowerUp"))
    await station.call(
        call.StatusNotification(
            timestamp=datetime.now(UTC).isoformat(),
            connector_status="Available",
            evse_id=1,
            connector_id=1,
        )
    )


asyncio.run(main(*sys.argv[1:]))
