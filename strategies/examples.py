"""The simplest valid payload of each message: required members only, neutral values, nothing drawn.

Valid at every tier, and as harmless as its action allows: it names a component that no station has, dates in the
past and the mildest member of each enum. Knows the tree and the primitive types; must not know mutations.
"""

from __future__ import annotations

from collections.abc import Mapping

from strategies.labels import JsonObject, JsonValue
from strategies.primitives import primitives_of
from strategies.schema import (
    AnyNode,
    ArrayNode,
    BooleanNode,
    IntegerNode,
    MessageSchema,
    Node,
    NumberNode,
    ObjectNode,
    Path,
    StringNode,
    path_of,
)

_VALUES: Mapping[str, JsonValue] = {
    # The most harmless member, where the first one of the schema is not.
    "ResetRequest.type": "OnIdle",
    "ChangeAvailabilityRequest.operationalStatus": "Operative",
    "TriggerMessageRequest.requestedMessage": "Heartbeat",
    "GetBaseReportRequest.reportBase": "SummaryInventory",
    "BootNotificationRequest.reason": "PowerUp",
    "FirmwareStatusNotificationRequest.status": "Idle",
    "LogStatusNotificationRequest.status": "Idle",
    "TransactionEventRequest.eventType": "Started",
    "NetworkConnectionProfileType.ocppVersion": "OCPP20",
    "NetworkConnectionProfileType.securityProfile": 3,
    "NetworkConnectionProfileType.messageTimeout": 30,
    "NetworkConnectionProfileType.ocppCsmsUrl": "wss://lab.invalid/ocpp",
    # K01.FR.22: a CSMS may not set external constraints.
    "ChargingProfileType.chargingProfilePurpose": "TxDefaultProfile",
    "ChargingProfileType.chargingProfileKind": "Relative",
    "ChargingProfileCriterionType.chargingProfilePurpose": "TxDefaultProfile",
    "ChargingSchedulePeriodType.startPeriod": 0,
    "TransactionEventRequest.seqNo": 0,
    "BootNotificationResponse.interval": 300,
    "SetMonitoringLevelRequest.severity": 9,
    "SetMonitoringDataType.severity": 9,
    "ComponentType.name": "Lab",
    "VariableType.name": "Lab",
    "VariableCharacteristicsType.dataType": "string",
    "MessageContentType.format": "UTF8",
    "PublishFirmwareRequest.checksum": "0" * 32,
    "UnpublishFirmwareRequest.checksum": "0" * 32,
    # C01.FR.11: the second language differs from the first.
    "IdTokenInfoType.language2": "nl",
}

_COMPANIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    # Optional members that the text asks for beside another ("" is: always).
    ("VariableAttributeType", ""): ("value",),
    ("IdTokenInfoType", "language2"): ("language1",),
}

# N09.FR.04, N09.FR.09: exactly one of three ways to name the customer.
_CUSTOMER = ("idToken", "customerCertificate", "customerIdentifier")


def example(schema: MessageSchema, include: str | None = None) -> JsonObject:
    """The simplest valid payload that has a value at the JSON pointer `include`; fresh at each call."""
    return _object(schema.root, path_of(include) if include else ())


def example_with(schema: MessageSchema, path: Path, value: JsonValue) -> JsonObject:
    """The simplest payload that has `value` at `path`, valid when `value` is; `path` is not empty."""
    payload = _object(schema.root, path)
    target: JsonValue = payload
    for step in path[:-1]:
        target = target[step]  # type: ignore[index]
    target[path[-1]] = value  # type: ignore[index]
    return payload


def sample(node: Node, path: Path = ()) -> JsonValue:
    """The simplest value of one node that goes on along `path`; fresh at each call."""
    match node:
        case ObjectNode():
            return _object(node, path)
        case ArrayNode():
            return [sample(node.item, path[1:]) for _ in range(max(1, node.min_items))]
        case _:
            return _leaf(node)


def _object(node: ObjectNode, path: Path) -> JsonObject:
    first = str(path[0]) if path else ""
    wanted = _wanted(node, first)
    return {
        m.name: sample(m.node, path[1:] if m.name == first else ())
        for m in node.members
        if m.required or m.name in wanted
    }


def _wanted(node: ObjectNode, first: str) -> tuple[str, ...]:
    if node.type_name == "CustomerInformationRequest" and first not in _CUSTOMER:
        return (first, "customerIdentifier")
    companions = _COMPANIONS.get((node.type_name, ""), ())
    return (first, *companions, *_COMPANIONS.get((node.type_name, first), ()))


def _leaf(node: Node) -> JsonValue:
    match node:
        case ObjectNode() | ArrayNode():
            raise TypeError(f"not a leaf: {node}")
        case AnyNode():
            return "lab"
        case BooleanNode():
            return _VALUES.get(node.field, False)
        case _:
            pass
    value = _VALUES.get(node.field)
    if value is not None:
        return value
    if isinstance(node, StringNode) and node.enum:
        return node.enum[0]
    primitives = primitives_of(node, to_station=True)
    return primitives[-1].sample if primitives else _plain(node)


def _plain(node: IntegerNode | NumberNode | StringNode) -> JsonValue:
    return "lab" if isinstance(node, StringNode) else 1
