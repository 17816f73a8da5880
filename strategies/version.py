"""What one protocol version is: subprotocol, actions with their senders, error codes, message types, raw schemas.

The only place that spells `ocpp2.0.1`. Knows where the `ocpp` package keeps the schema files; must not interpret
them (that is `schema.py`) and must not import Hypothesis, so that the reference ends start fast.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from strategies.labels import Kind, Sender

_FROM_STATION = frozenset(
    [
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    ]
)
_FROM_BOTH = frozenset({"DataTransfer"})

ERROR_CODES = (
    "FormatViolation",
    "GenericError",
    "InternalError",
    "MessageTypeNotSupported",
    "NotImplemented",
    "NotSupported",
    "OccurrenceConstraintViolation",
    "PropertyConstraintViolation",
    "ProtocolError",
    "RpcFrameworkError",
    "SecurityError",
    "TypeConstraintViolation",
)
"""All error codes of OCPP-J 2.0.1, exact spelling (Part 4 section 4.3)."""

OLD_ERROR_CODES = ("FormationViolation", "OccurenceConstraintViolation")
"""The misspelt codes of OCPP-J 1.6 that some 2.0.1 implementations still send."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of OCPP-J.

    `actions` maps each action to who sends its CALL; `schema_folder` holds one file a message,
    `<Action>Request.json` and `<Action>Response.json`.
    """

    name: str
    subprotocol: str
    schema_folder: Path
    actions: Mapping[str, Sender]
    error_codes: tuple[str, ...] = ERROR_CODES
    old_error_codes: tuple[str, ...] = OLD_ERROR_CODES
    message_types: tuple[int, ...] = (2, 3, 4)
    max_message_id: int = 36
    max_error_description: int = 255
    max_identity: int = 48
    unreadable_id: str = "-1"
    _schemas: dict[tuple[str, Kind], dict[str, Any]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _validators: dict[tuple[str, Kind], jsonschema_rs.Draft6Validator] = field(
        default_factory=dict, repr=False, compare=False
    )

    def sent_by(self, sender: Sender) -> tuple[str, ...]:
        """The actions whose CALL `sender` (STATION or CSMS) may send, sorted; DataTransfer is in both."""
        return tuple(sorted(a for a, s in self.actions.items() if s in (sender, Sender.BOTH)))

    def raw_schema(self, action: str, kind: Kind) -> dict[str, Any]:
        """The schema file as published, parsed. Raises KeyError for an action this version does not have."""
        if action not in self.actions:
            raise KeyError(action)
        found = self._schemas.get((action, kind))
        if found is None:
            path = self.schema_folder / f"{action}{kind.value.capitalize()}.json"
            found = self._schemas[action, kind] = json.loads(path.read_text("utf-8-sig"))
        return found

    def validator(self, action: str, kind: Kind) -> jsonschema_rs.Draft6Validator:
        """A validator of the raw schema, formats on, made once. Raises KeyError for an unknown action.

        Draft 6 as the files say; `1.0` counts as an integer there, which Draft 4 readers dispute.
        """
        found = self._validators.get((action, kind))
        if found is None:
            found = self._validators[action, kind] = jsonschema_rs.Draft6Validator(
                self.raw_schema(action, kind), validate_formats=True
            )
        return found


def _schema_folder(module: str) -> Path:
    # find_spec does not run the package's code, which takes longer than everything else in this module.
    spec = importlib.util.find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package 'ocpp' is not installed; it holds the OCPP schemas")
    return Path(spec.submodule_search_locations[0]) / module / "schemas"


@cache
def version(name: str = "2.0.1") -> Version:
    """The version called `name`. Raises ValueError with the known names for any other."""
    if name != "2.0.1":
        raise ValueError(f"unknown OCPP version {name!r}; known: 2.0.1")
    folder = _schema_folder("v201")
    names = sorted(p.stem.removesuffix("Request") for p in folder.glob("*Request.json"))
    return Version(
        name="2.0.1",
        subprotocol="ocpp2.0.1",
        schema_folder=folder,
        actions={
            n: Sender.BOTH
            if n in _FROM_BOTH
            else Sender.STATION
            if n in _FROM_STATION
            else Sender.CSMS
            for n in names
        },
    )
