"""A station that boots, serves GetVariables, and answers everything else with text that is after its reader."""

import asyncio
import json
import sys

import websockets

LOUD = (
    "]]><!--<script>alert(1)</script>",
    "\x1b[2J\x00\x9b31m\ufffe\u202e",
    "@everyone [x](javascript:alert(1)) ![y](//z) `` ``` |",
)
HUGE = "[y](//z)" * 500_000


def answer(number, call_id, action, payload):
    """A text, or bytes that are not UTF-8."""
    if action == "GetVariables" and isinstance(payload, dict):
        asked = payload.get("getVariableData") or []
        results = [{**one, "attributeStatus": "UnknownVariable"} for one in asked]
        return json.dumps([3, call_id, {"getVariableResult": results}])
    if number % 20 == 19:
        return b'[4,"' + call_id.encode() + b'","\xff\xfe\x80","\xed\xa0\x80",{}]'
    loud = HUGE if number % 20 == 18 else LOUD[number % len(LOUD)]
    return json.dumps([4, call_id, loud[:300], loud, {loud[:100]: loud}])


async def serve(connection):
    station = {"model": LOUD[0][:20], "vendorName": LOUD[2][:50], "firmwareVersion": LOUD[1]}
    await connection.send(
        json.dumps([2, "b", "BootNotification", {"reason": "PowerUp", "chargingStation": station}])
    )
    number = 0
    async for text in connection:
        try:
            kind, call_id, action, payload = json.loads(text)
        except ValueError:
            continue
        if kind == 2 and isinstance(call_id, str):
            number += 1
            said = answer(number, call_id, action, payload)
            await connection.send(said, text=True)


async def main(url):
    while True:
        try:
            async with websockets.connect(
                url, subprotocols=["ocpp2.0.1"], max_size=None, compression=None
            ) as connection:
                await serve(connection)
        except Exception as error:
            print(type(error).__name__, file=sys.stderr, flush=True)
        await asyncio.sleep(0.1)


asyncio.run(main(sys.argv[1]))
