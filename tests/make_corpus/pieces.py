"""Pieces of payloads that several families use."""

from __future__ import annotations

from strategies.labels import JsonObject


def get(component: str, variable: str, **more: object) -> JsonObject:
    """One item about a variable."""
    evse = {"evse": more.pop("evse")} if "evse" in more else {}
    instance = {"instance": more.pop("instance")} if "instance" in more else {}
    return {
        "component": {"name": component, **evse},
        "variable": {"name": variable, **instance},
        **more,
    }  # type: ignore[return-value]


def gets(*items: JsonObject) -> JsonObject:
    """GetVariables of these items."""
    return {"getVariableData": list(items)}


def sets(*items: JsonObject) -> JsonObject:
    """SetVariables of these items."""
    return {"setVariableData": list(items)}


KNOWN = get("OCPPCommCtrlr", "HeartbeatInterval")
EVSE_1: JsonObject = {"id": 1}
