"""A Charging Station made of the plain `ocpp` package: boots, answers a few CALLs, dials again when it is cut off."""

import asyncio
import sys
from datetime import UTC, datetime

import websockets
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result


class Station(ChargePoint):
    @on("GetVariables")
    def get_variables(self, get_variable_data, **_):
        results = [
            {
                "attribute_status": "UnknownComponent",
                "component": d["component"],
                "variable": d["variable"],
                "attribute_type": d.get("attribute_type", "Actual"),
            }
            for d in get_variable_data
        ]
        return call_result.GetVariables(get_variable_result=results)

    @on("ChangeAvailability")
    def change_availability(self, operational_status, **_):
        return call_result.ChangeAvailability(status="Accepted")

    @on("TriggerMessage")
    def trigger_message(self, requested_message, **_):
        return call_result.TriggerMessage(status="NotImplemented")

    @on("DataTransfer")
    def data_transfer(self, vendor_id, **_):
        return call_result.DataTransfer(status="UnknownVendorId")

    async def boot(self):
        station = {"model": "plain", "vendor_name": "nobody"}
        await self.call(call.BootNotification(charging_station=station, reason="PowerUp"))
        await self.call(
            call.StatusNotification(
                timestamp=datetime.now(UTC).isoformat(),
                connector_status="Available",
                evse_id=1,
                connector_id=1,
            )
        )


async def main(url):
    while True:
        try:
            async with websockets.connect(url, subprotocols=["ocpp2.0.1"]) as connection:
                station = Station("PLAIN", connection)
                await asyncio.gather(station.start(), station.boot())
        except Exception as error:  # a station in the field has a supervisor; this is it
            print(type(error).__name__, file=sys.stderr, flush=True)
        await asyncio.sleep(0.1)


asyncio.run(main(sys.argv[1]))
