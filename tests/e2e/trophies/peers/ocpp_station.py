"""A Charging Station made of one release of the `ocpp` package: `ocpp_station.py URL FOLDER...`.

The folders hold the release and what it needs. Written as the documentation of the package has it: answers are
dataclasses, and whatever the receive loop does not catch ends the connection, after which the station dials again.
"""

import asyncio
import logging
import sys

sys.path[0:0] = sys.argv[2:]

import websockets
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result, datatypes


def payload(module, name):
    """The class of a message: releases before 1.0 write `Payload` behind its name."""
    return getattr(module, f"{name}Payload", None) or getattr(module, name)


def variable_of(data):
    return {"component": data["component"], "variable": data["variable"]}


class Station(ChargePoint):
    @on("GetVariables")
    def get_variables(self, get_variable_data, **_):
        results = [
            {"attribute_status": "UnknownComponent", **variable_of(one)}
            for one in get_variable_data
        ]
        return payload(call_result, "GetVariables")(get_variable_result=results)

    @on("SetVariables")
    def set_variables(self, set_variable_data, **_):
        results = [
            datatypes.SetVariableResultType(attribute_status="Rejected", **variable_of(one))
            for one in set_variable_data
        ]
        return payload(call_result, "SetVariables")(set_variable_result=results)

    @on("ChangeAvailability")
    def change_availability(self, **_):
        why = datatypes.StatusInfoType(reason_code="NotEnabled")
        return payload(call_result, "ChangeAvailability")(status="Rejected", status_info=why)

    @on("TriggerMessage")
    def trigger_message(self, **_):
        return payload(call_result, "TriggerMessage")(status="NotImplemented")

    @on("DataTransfer")
    def data_transfer(self, data=None, **_):
        return payload(call_result, "DataTransfer")(status="Accepted", data=data)

    async def boot(self):
        station = {"model": "plain", "vendor_name": "nobody"}
        await self.call(
            payload(call, "BootNotification")(charging_station=station, reason="PowerUp")
        )


async def main(url):
    logging.disable()
    while True:
        try:
            async with websockets.connect(url, subprotocols=["ocpp2.0.1"]) as connection:
                station = Station("TROPHY", connection)
                await asyncio.gather(station.start(), station.boot())
        except Exception as error:  # a station in the field has a supervisor; this is it
            print(type(error).__name__, error, file=sys.stderr, flush=True)
        await asyncio.sleep(0.1)


asyncio.run(main(sys.argv[1]))
