"""How much one request about variables may hold (Part 2, B05, B06 and B08), for the blocks that answer such requests."""

from __future__ import annotations

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import ErrorCode
from fuzz.station.blocks.base import objects
from fuzz.station.context import Context
from strategies.labels import JsonObject, JsonValue


def limited(context: Context, action: str, items: JsonValue) -> list[JsonObject]:
    """The items of the present request.

    Raises:
        RemoteProtocolError: there are more items or bytes than the device model says (B06.FR.16, FR.17).
    """
    listed = objects(items)
    if len(listed) > context.model.number("DeviceDataCtrlr", "ItemsPerMessage", action):
        raise RemoteProtocolError(
            ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "more items than ItemsPerMessage"
        )
    if context.message_size > context.model.number("DeviceDataCtrlr", "BytesPerMessage", action):
        raise RemoteProtocolError(ErrorCode.FORMAT_VIOLATION, "more bytes than BytesPerMessage")
    return listed
