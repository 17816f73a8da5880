"""Block P: DataTransfer, and custom data in other messages."""

from __future__ import annotations

from fuzz.conformance.script import Csms, station_test
from strategies.labels import JsonObject

_CUSTOM: JsonObject = {"vendorId": "org.example.nobody", "anything": [1, {"more": True}]}
_ITEM: JsonObject = {
    "component": {"name": "OCPPCommCtrlr", "customData": _CUSTOM},
    "variable": {"name": "OfflineThreshold", "customData": _CUSTOM},
    "customData": _CUSTOM,
}


@station_test("TC_P_01")
async def a_vendor_that_is_not_known(s: Csms) -> None:
    """A DataTransfer of a vendor that the station does not know is refused as such."""
    await s.accepted(
        "DataTransfer",
        {"vendorId": "org.example.nobody", "messageId": "nothing"},
        status=("UnknownVendorId", "UnknownMessageId", "Rejected"),
    )


@station_test("TC_P_03")
async def custom_data_is_ignored(s: Csms) -> None:
    """SetVariables and GetVariables with custom data of somebody are served as without."""
    data = {**_ITEM, "attributeValue": "300"}
    answer = await s.call("SetVariables", {"setVariableData": [data], "customData": _CUSTOM})
    s.require(
        answer["setVariableResult.0.attributeStatus"] == "Accepted", "it is set", answer.payload
    )
    answer = await s.call("GetVariables", {"getVariableData": [_ITEM], "customData": _CUSTOM})
    s.require(
        answer["getVariableResult.0.attributeValue"] == "300", "it is read back", answer.payload
    )
