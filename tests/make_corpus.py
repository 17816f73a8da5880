"""Writes the cases of `corpus/` that this project ships: `.venv/bin/python tests/make_corpus.py`.

Every file is made from the tables of `strategies` or from a realistic payload below, never by hand; a test makes them
again and compares. A finding that becomes a regression case is simply copied in and needs no recipe here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fuzz import store
from fuzz.engine.cases import CaseMaker, call_text
from fuzz.engine.effects import effect_of
from fuzz.engine.line import PROBES
from fuzz.records import Case, Effect, Provenance, Side
from strategies.boundaries import boundaries
from strategies.frames import envelope_faults, unsolicited
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    Kind,
    Mutation,
    Position,
    Stance,
    Tier,
    Utterance,
    spell,
)
from strategies.pool import Pool, PoolVariable
from strategies.primitives import EXPIRED_CERTIFICATE
from strategies.schema import message_schema
from strategies.text import text_faults
from strategies.variables import variable_breaks
from strategies.version import version
from strategies.violations import violations

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
Recipe = tuple[str, str, Case]

ACCEPT = Expectation(Stance.ACCEPT, Tier.MODEL)
MAY_REFUSE = Expectation(Stance.ACCEPT, Tier.PRIMITIVE)

# --- single messages out of the tables: family, name, id in the table -----------------------------------------

MESSAGES = """
framing     empty-array                     envelope/arity:0
framing     type-and-id-alone               envelope/arity:2
framing     call-without-payload            envelope/arity:3
framing     call-with-five-elements         envelope/arity:5
framing     message-type-5                  envelope/messageTypeId:5
framing     message-type-string             envelope/messageTypeId:string
framing     message-type-fraction           envelope/messageTypeId:fraction
framing     message-type-beyond-64-bits     envelope/messageTypeId:2**64
framing     message-type-float              envelope/messageTypeId:2.0
framing     action-array                    envelope/action:array
framing     action-object                   envelope/action:object
framing     action-null                     envelope/action:null
framing     action-unknown                  envelope/action:unknown
framing     action-lower-case               envelope/action:lower
framing     action-of-the-other-direction   envelope/action:direction/BootNotification
framing     payload-array                   envelope/payload:array
identifiers message-id-36-characters        envelope/messageId:36
identifiers message-id-37-characters        envelope/messageId:37
identifiers message-id-number               envelope/messageId:number
identifiers message-id-null                 envelope/messageId:null
identifiers message-id-object               envelope/messageId:object
identifiers message-id-empty                envelope/messageId:empty
identifiers message-id-lone-surrogate       envelope/messageId:surrogate
identifiers message-id-minus-1              envelope/messageId:reserved
json-text   empty-text                      text/not-json:empty
json-text   single-quotes                   text/not-json:single-quotes
json-text   cut-in-the-payload              text/truncated:payload
json-text   cut-long-text                   text/truncated:long
json-text   cut-lone-surrogate              text/truncated:surrogate
json-text   two-messages-in-one             text/trailing:same-message
json-text   byte-order-mark                 text/bom
json-text   object-instead-of-array         text/not-array:object
json-text   batch-of-calls                  text/not-array:batch
json-text   number-nan                      text/number:NaN
json-text   number-beyond-a-double          text/number:1e999
json-text   duplicate-member                text/duplicate:vendorId
json-text   raw-nul-in-a-string             text/string:nul
json-text   lone-high-surrogate             text/surrogate:high
json-text   utf-8-byte-ff                   text/utf-8:ff
json-text   binary-message                  text/binary:call
heavy       integer-of-5000-digits          text/number:5000-digits
heavy       brackets-2000-deep              text/depth:bare-2000
heavy       objects-2000-deep               text/depth:objects-2000
heavy       brackets-100000-deep            text/depth:bare-100000
heavy       same-member-100000-times        text/size:100000-same-members
heavy       message-id-500000-characters    envelope/messageId:500000
unsolicited result-nobody-asked-for         unsolicited/callresult/unknown-id
unsolicited result-of-two-elements          unsolicited/callresult/arity:2
unsolicited result-with-null-id             unsolicited/callresult/id:null
unsolicited result-with-number-as-id        unsolicited/callresult/id:number
unsolicited error-nobody-asked-for          unsolicited/callerror/unknown-id
unsolicited error-without-description       unsolicited/callerror/no-description
unsolicited error-with-number-as-code       unsolicited/callerror/code:number
unsolicited error-with-256-characters       unsolicited/callerror/description:256
unsolicited error-with-details-as-string    unsolicited/callerror/details:string
"""

# --- payloads that break one rule, or stand at an edge: family, name, id in the table -------------------------

PAYLOADS = """
schema      missing-member                  Reset.req/type#required:missing
schema      missing-list                    GetVariables.req/getVariableData#required:missing
schema      extra-member                    TriggerMessage.req#additionalProperties:extra-member
schema      list-empty                      GetVariables.req/getVariableData#minItems:empty
schema      number-instead-of-string        DataTransfer.req/vendorId#type:integer
schema      string-instead-of-number        TriggerMessage.req/evse/id#type:string
schema      null-instead-of-object          TriggerMessage.req/evse#type:null
schema      enum-unknown                    Reset.req/type#enum:unknown
schema      enum-in-wrong-case              TriggerMessage.req/requestedMessage#enum:wrong-case
schema      string-one-too-long             GetVariables.req/getVariableData/0/component/name#maxLength:one-more
schema      string-far-too-long             DataTransfer.req/vendorId#maxLength:far-more
schema      missing-member-of-an-item       SetVariables.req/setVariableData/0/variable#required:missing
primitives  integer-beyond-32-bits          GetBaseReport.req/requestId#integer:2**31
primitives  integer-beyond-64-bits          GetBaseReport.req/requestId#integer:2**64
primitives  identifier-with-space           GetVariables.req/getVariableData/0/component/name#identifierString:space
primitives  identifier-not-ascii            GetVariables.req/getVariableData/0/variable/name#identifierString:not-ascii
primitives  identifier-with-punctuation     GetVariables.req/getVariableData/0/component/name#identifierString:punctuation
primitives  request-id-greatest             GetBaseReport.req/requestId#integer:2**31-1
primitives  data-empty-array                DataTransfer.req/data#any:empty-array
primitives  data-nested-object              DataTransfer.req/data#any:nested
primitives  date-time-no-date               GetLog.req/log/oldestTimestamp#format:text
primitives  evse-id-negative                TriggerMessage.req/evse/id#integer:-1
"""

# --- the device model: variables that every station has -------------------------------------------------------

VARIABLES = (
    PoolVariable("AuthCtrlr", "Enabled", data_type="boolean", value="true"),
    PoolVariable("OCPPCommCtrlr", "HeartbeatInterval", data_type="integer", value="300"),
    PoolVariable("TxCtrlr", "EVConnectionTimeOut", data_type="integer", value="60"),
)

WRONG_VALUES = """
boolean-maybe               SetVariables.req/AuthCtrlr.Enabled#dataType:text
boolean-empty               SetVariables.req/AuthCtrlr.Enabled#dataType:empty
integer-with-text-behind    SetVariables.req/OCPPCommCtrlr.HeartbeatInterval#dataType:text-after
integer-beyond-32-bits      SetVariables.req/OCPPCommCtrlr.HeartbeatInterval#dataType:2**31
integer-beyond-64-bits      SetVariables.req/TxCtrlr.EVConnectionTimeOut#dataType:2**64
"""


def _get(component: str, variable: str, **more: object) -> JsonObject:
    evse = {"evse": more.pop("evse")} if "evse" in more else {}
    instance = {"instance": more.pop("instance")} if "instance" in more else {}
    return {
        "component": {"name": component, **evse},
        "variable": {"name": variable, **instance},
        **more,
    }  # type: ignore[return-value]


def _gets(*items: JsonObject) -> JsonObject:
    return {"getVariableData": list(items)}


def _sets(*items: JsonObject) -> JsonObject:
    return {"setVariableData": list(items)}


_KNOWN = _get("OCPPCommCtrlr", "HeartbeatInterval")
_EVSE_1 = {"id": 1}
_BEYOND = 3

# What a station of two EVSEs with one connector each does not have; of a bigger one these are simply valid.
NEIGHBOURS: tuple[tuple[str, str, str, str, JsonObject, JsonObject], ...] = (
    (
        "evse-beyond-the-last-in-get-variables",
        "GetVariables",
        "/getVariableData/0/component/evse/id",
        "beyond-last",
        _gets(_get("EVSE", "AvailabilityState", evse={"id": _BEYOND})),
        _gets(_get("EVSE", "AvailabilityState", evse=_EVSE_1)),
    ),
    (
        "evse-beyond-the-last-in-trigger-message",
        "TriggerMessage",
        "/evse/id",
        "beyond-last",
        {
            "requestedMessage": "StatusNotification",
            "evse": {"id": _BEYOND, "connectorId": 1},
        },
        {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
    ),
    (
        "evse-beyond-the-last-in-change-availability",
        "ChangeAvailability",
        "/evse/id",
        "beyond-last",
        {"operationalStatus": "Operative", "evse": {"id": _BEYOND}},
        {"operationalStatus": "Operative", "evse": _EVSE_1},
    ),
    (
        "connector-beyond-the-last",
        "ChangeAvailability",
        "/evse/connectorId",
        "beyond-last",
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 9}},
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}},
    ),
    (
        "unknown-variable-of-a-known-component",
        "GetVariables",
        "/getVariableData/0/variable/name",
        "unknown",
        _gets(_get("OCPPCommCtrlr", "LabVariable")),
        _gets(_KNOWN),
    ),
    (
        "unknown-component",
        "GetVariables",
        "/getVariableData/0/component/name",
        "unknown",
        _gets(_get("LabCtrlr", "HeartbeatInterval")),
        _gets(_KNOWN),
    ),
    (
        "known-variable-with-unknown-instance",
        "GetVariables",
        "/getVariableData/0/variable/instance",
        "unknown",
        _gets(_get("OCPPCommCtrlr", "HeartbeatInterval", instance="lab")),
        _gets(_KNOWN),
    ),
    (
        "same-variable-twice",
        "GetVariables",
        "/getVariableData/1",
        "repeated",
        _gets(_KNOWN, _KNOWN),
        _gets(_KNOWN),
    ),
    (
        "attribute-that-the-variable-lacks",
        "GetVariables",
        "/getVariableData/0/attributeType",
        "absent",
        _gets(_get("OCPPCommCtrlr", "HeartbeatInterval", attributeType="MaxSet")),
        _gets(_KNOWN),
    ),
    (
        "set-what-is-read-only",
        "SetVariables",
        "/setVariableData/0",
        "read-only",
        _sets(_get("EVSE", "AvailabilityState", evse=_EVSE_1, attributeValue="Available")),
        _sets(_get("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="300")),
    ),
)

# --- valid messages of every action of a CSMS: action, name, payload ------------------------------------------

_HASH: JsonObject = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "issuerKeyHash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "serialNumber": "2a",
}
_TOKEN: JsonObject = {"idToken": "04A1B2C3D4E5F6", "type": "ISO14443"}
_POWER: JsonObject = {"name": "EVSE", "evse": {"id": 1}}
_PERIODS: list[JsonObject] = [
    {"startPeriod": 0, "limit": 50000.0},
    {"startPeriod": 900, "limit": 22000.5, "numberPhases": 3},
]
_SCHEDULE: JsonObject = {
    "id": 1,
    "chargingRateUnit": "W",
    "duration": 3600,
    "chargingSchedulePeriod": _PERIODS,  # type: ignore[dict-item]
}


def _profile(purpose: str, kind: str, **more: object) -> JsonObject:
    return {
        "id": 10,
        "stackLevel": 1,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [_SCHEDULE],
        **more,
    }  # type: ignore[return-value]


VALID: tuple[tuple[str, str, JsonObject], ...] = (
    ("CancelReservation", "cancel-reservation", {"reservationId": 42}),
    (
        "CertificateSigned",
        "certificate-signed",
        {
            "certificateChain": EXPIRED_CERTIFICATE,
            "certificateType": "ChargingStationCertificate",
        },
    ),
    (
        "ChangeAvailability",
        "change-availability-of-a-connector",
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}},
    ),
    (
        "ChangeAvailability",
        "change-availability-to-inoperative",
        {"operationalStatus": "Inoperative", "evse": {"id": 1}},
    ),
    (
        "ChangeAvailability",
        "change-availability-of-the-station",
        {"operationalStatus": "Operative"},
    ),
    ("ClearCache", "clear-cache", {}),
    (
        "ClearChargingProfile",
        "clear-charging-profile",
        {
            "chargingProfileCriteria": {
                "evseId": 1,
                "chargingProfilePurpose": "TxDefaultProfile",
                "stackLevel": 1,
            }
        },
    ),
    ("ClearDisplayMessage", "clear-display-message", {"id": 7}),
    ("ClearVariableMonitoring", "clear-variable-monitoring", {"id": [1, 2]}),
    ("CostUpdated", "cost-updated", {"totalCost": 12.34, "transactionId": "tx-0001"}),
    (
        "CustomerInformation",
        "customer-information-by-token",
        {"requestId": 11, "report": True, "clear": False, "idToken": _TOKEN},
    ),
    (
        "DataTransfer",
        "data-transfer-with-an-object",
        {"vendorId": "org.lab", "messageId": "Ping", "data": {"sequence": 1, "values": [1.5, "a"]}},
    ),
    ("DeleteCertificate", "delete-certificate", {"certificateHashData": _HASH}),
    (
        "GetBaseReport",
        "get-base-report",
        {"requestId": 101, "reportBase": "ConfigurationInventory"},
    ),
    (
        "GetChargingProfiles",
        "get-charging-profiles",
        {
            "requestId": 12,
            "evseId": 1,
            "chargingProfile": {
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingLimitSource": ["CSO", "EMS"],
            },
        },
    ),
    (
        "GetCompositeSchedule",
        "get-composite-schedule",
        {"duration": 3600, "evseId": 1, "chargingRateUnit": "W"},
    ),
    (
        "GetDisplayMessages",
        "get-display-messages",
        {"requestId": 13, "priority": "InFront", "state": "Charging", "id": [7]},
    ),
    (
        "GetInstalledCertificateIds",
        "get-installed-certificate-ids",
        {"certificateType": ["CSMSRootCertificate", "V2GRootCertificate"]},
    ),
    ("GetLocalListVersion", "get-local-list-version", {}),
    (
        "GetLog",
        "get-log",
        {
            "logType": "SecurityLog",
            "requestId": 14,
            "retries": 1,
            "retryInterval": 60,
            "log": {
                "remoteLocation": "https://lab.invalid/upload",
                "oldestTimestamp": "2026-01-01T00:00:00Z",
                "latestTimestamp": "2026-01-02T00:00:00.000Z",
            },
        },
    ),
    (
        "GetMonitoringReport",
        "get-monitoring-report",
        {
            "requestId": 15,
            "monitoringCriteria": ["ThresholdMonitoring"],
            "componentVariable": [{"component": _POWER, "variable": {"name": "Power"}}],
        },
    ),
    (
        "GetReport",
        "get-report-by-variable",
        {
            "requestId": 16,
            "componentVariable": [
                {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}},
                {"component": _POWER, "variable": {"name": "AvailabilityState"}},
            ],
        },
    ),
    (
        "GetReport",
        "get-report-by-criteria",
        {"requestId": 17, "componentCriteria": ["Available", "Enabled"]},
    ),
    ("GetTransactionStatus", "get-transaction-status", {"transactionId": "tx-0001"}),
    (
        "GetVariables",
        "get-variables-three-at-once",
        _gets(
            _KNOWN,
            _get("EVSE", "AvailabilityState", evse=_EVSE_1),
            _get("Connector", "ConnectorType", evse={"id": 1, "connectorId": 1}),
        ),
    ),
    (
        "GetVariables",
        "get-variables-with-attribute-and-instance",
        _gets(_get("OCPPCommCtrlr", "MessageTimeout", instance="Default", attributeType="Actual")),
    ),
    (
        "InstallCertificate",
        "install-certificate",
        {"certificateType": "V2GRootCertificate", "certificate": EXPIRED_CERTIFICATE},
    ),
    (
        "PublishFirmware",
        "publish-firmware",
        {
            "location": "https://lab.invalid/firmware.bin",
            "checksum": "d41d8cd98f00b204e9800998ecf8427e",
            "requestId": 18,
            "retries": 1,
        },
    ),
    (
        "RequestStartTransaction",
        "request-start-transaction",
        {
            "evseId": 1,
            "remoteStartId": 19,
            "idToken": _TOKEN,
            "chargingProfile": _profile("TxProfile", "Relative"),
        },
    ),
    ("RequestStopTransaction", "request-stop-transaction", {"transactionId": "tx-0001"}),
    (
        "ReserveNow",
        "reserve-now",
        {
            "id": 42,
            "expiryDateTime": "2099-12-31T23:59:59Z",
            "connectorType": "cCCS1",
            "evseId": 1,
            "idToken": _TOKEN,
        },
    ),
    ("Reset", "reset-of-one-evse", {"type": "OnIdle", "evseId": 1}),
    ("Reset", "reset-of-the-station", {"type": "Immediate"}),
    (
        "SendLocalList",
        "send-local-list",
        {
            "versionNumber": 2,
            "updateType": "Full",
            "localAuthorizationList": [
                {
                    "idToken": _TOKEN,
                    "idTokenInfo": {
                        "status": "Accepted",
                        "cacheExpiryDateTime": "2099-12-31T23:59:59Z",
                    },
                },
                {
                    "idToken": {"idToken": "LAB-2", "type": "Central"},
                    "idTokenInfo": {"status": "Blocked"},
                },
            ],
        },
    ),
    (
        "SetChargingProfile",
        "set-charging-profile-relative",
        {"evseId": 1, "chargingProfile": _profile("TxDefaultProfile", "Relative")},
    ),
    (
        "SetChargingProfile",
        "set-charging-profile-recurring",
        {
            "evseId": 0,
            "chargingProfile": _profile(
                "TxDefaultProfile",
                "Recurring",
                recurrencyKind="Daily",
                validFrom="2026-01-01T00:00:00Z",
                validTo="2099-01-01T00:00:00Z",
                chargingSchedule=[{**_SCHEDULE, "startSchedule": "2026-01-01T22:00:00Z"}],
            ),
        },
    ),
    (
        "SetDisplayMessage",
        "set-display-message",
        {
            "message": {
                "id": 7,
                "priority": "InFront",
                "state": "Idle",
                "startDateTime": "2026-01-01T00:00:00Z",
                "endDateTime": "2099-01-01T00:00:00Z",
                "message": {
                    "format": "UTF8",
                    "language": "en",
                    "content": "Out of order until noon",
                },
            }
        },
    ),
    ("SetMonitoringBase", "set-monitoring-base", {"monitoringBase": "FactoryDefault"}),
    ("SetMonitoringLevel", "set-monitoring-level", {"severity": 5}),
    (
        "SetNetworkProfile",
        "set-network-profile",
        {
            "configurationSlot": 2,
            "connectionData": {
                "ocppVersion": "OCPP20",
                "ocppTransport": "JSON",
                "ocppCsmsUrl": "wss://lab.invalid/ocpp",
                "messageTimeout": 30,
                "securityProfile": 3,
                "ocppInterface": "Wired0",
            },
        },
    ),
    (
        "SetVariableMonitoring",
        "set-variable-monitoring",
        {
            "setMonitoringData": [
                {
                    "value": 150000.0,
                    "type": "UpperThreshold",
                    "severity": 4,
                    "component": _POWER,
                    "variable": {"name": "Power"},
                }
            ]
        },
    ),
    (
        "SetVariables",
        "set-variables-two-at-once",
        _sets(
            _get("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="300"),
            _get("AuthCtrlr", "Enabled", attributeValue="true", attributeType="Actual"),
        ),
    ),
    (
        "SetVariables",
        "set-variables-list-of-members",
        _sets(
            _get(
                "SampledDataCtrlr",
                "TxEndedMeasurands",
                attributeValue="Energy.Active.Import.Register",
            )
        ),
    ),
    (
        "TriggerMessage",
        "trigger-status-notification",
        {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
    ),
    ("TriggerMessage", "trigger-boot-notification", {"requestedMessage": "BootNotification"}),
    ("UnlockConnector", "unlock-connector", {"evseId": 1, "connectorId": 1}),
    ("UnpublishFirmware", "unpublish-firmware", {"checksum": "d41d8cd98f00b204e9800998ecf8427e"}),
    (
        "UpdateFirmware",
        "update-firmware",
        {
            "requestId": 20,
            "retries": 1,
            "retryInterval": 600,
            "firmware": {
                "location": "https://lab.invalid/firmware.bin",
                "retrieveDateTime": "2026-01-01T00:00:00Z",
                "installDateTime": "2026-01-02T03:00:00Z",
                "signingCertificate": EXPIRED_CERTIFICATE,
                "signature": "bGFi",
            },
        },
    ),
)


# --- credentials: played only where `lock-out` is allowed by name; the password is a slot, made when it is said ----


def _password(value: str) -> JsonObject:
    return _sets(_get("SecurityCtrlr", "BasicAuthPassword", attributeValue=value))


TOO_SHORT = Expectation(Stance.REJECT, Tier.MODEL, Fault.DEVICE_MODEL)
CREDENTIALS: tuple[tuple[str, Expectation, str, JsonObject], ...] = (
    ("password-of-20-characters", ACCEPT, "", _password("{secret.password}")),
    # Part 2 names 16 as the least; TC_A_10 wants a refusal by status, and the old password to stay.
    (
        "password-of-15-characters",
        TOO_SHORT,
        "minLength:one-less",
        _password("{secret.password.15}"),
    ),
    (
        "password-of-1000-characters",
        MAY_REFUSE,
        "maxLimit:far-more",
        _password("{secret.password.1000}"),
    ),
)


# --- the recipes ----------------------------------------------------------------------------------------------


def recipes() -> dict[str, Case]:
    """Every case by its path below `corpus/`, without ending."""
    made = [
        *_messages(),
        *_payloads(),
        *_device_model(),
        *_long_refusals(),
        *_credentials(),
        *_valid(),
    ]
    cases = {
        f"{family}/{name}": _named(case, f"corpus/{family}/{name}") for family, name, case in made
    }
    if len(cases) != len(made):
        raise ValueError("two recipes have one name")
    return cases


def _named(case: Case, id_: str) -> Case:
    return replace(case, id=id_, provenance=Provenance("corpus"))


def _maker() -> CaseMaker:
    return CaseMaker(Side.STATION, "corpus", 0)


def _rows(table: str) -> Iterator[list[str]]:
    return (line.split() for line in table.strip().splitlines())


def _messages() -> Iterator[Recipe]:
    action, payload = PROBES[Side.STATION]
    known = version()
    table = {
        said.id: said
        for said in (
            *envelope_faults(action, payload, known),
            *text_faults(action, payload, known),
            *unsolicited(known),
        )
    }
    for family, name, id_ in _rows(MESSAGES):
        said = table[id_]
        yield family, name, _maker().utterance(said, _effect(said))
    yield "framing", "message-id-in-use", _maker().twice(action, payload)


def _effect(said: Utterance) -> Effect:
    return effect_of(said.action) if said.action else Effect.VOLATILE


def _payloads() -> Iterator[Recipe]:
    for family, name, id_ in _rows(PAYLOADS):
        action = id_.partition(".")[0]
        schema = message_schema(action, Kind.REQUEST)
        broken = {b.id: b for b in violations(schema, full=True)}
        if id_ in broken:
            yield family, name, _maker().broken(action, broken[id_])
        else:
            edges = {b.id: b for b in boundaries(schema)}
            yield family, name, _maker().boundary(action, edges[id_])


def _device_model() -> Iterator[Recipe]:
    wrong = {b.id: b for b in variable_breaks(Pool(variables=VARIABLES))}
    for name, id_ in _rows(WRONG_VALUES):
        yield "device-model", name, _maker().broken("SetVariables", wrong[id_])
    for name, action, pointer, operator, payload, control in NEIGHBOURS:
        # Numbers share the keyword of their boundaries, so that one cause makes one finding.
        keyword = "integer" if operator == "beyond-last" else "device-model"
        mutation = Mutation(Channel.PAYLOAD, pointer, keyword, operator)
        made = _maker().drawn("", action, payload, control, MAY_REFUSE, mutation)
        yield "device-model", name, made


def _long_refusals() -> Iterator[Recipe]:
    """Refusals of long texts: an error text that quotes them must be cut to 255 characters (Part 4 section 4.2.3)."""
    schema = message_schema("Reset", Kind.REQUEST)
    extra = {b.id: b for b in violations(schema, full=True)}[
        "Reset.req#additionalProperties:extra-member"
    ]
    payload = {**extra.control, "x" * 240: 0}
    mutation = replace(extra.mutation, operator="long-name", after="x * 240")
    long_name = _maker().drawn("", "Reset", payload, extra.control, extra.expectation, mutation)
    yield "schema", "extra-member-with-a-long-name", replace(long_name, effect=Effect.PERSISTENT)
    wanted = "TriggerMessage.req/requestedMessage#enum:unknown"
    trigger = {
        b.id: b for b in violations(message_schema("TriggerMessage", Kind.REQUEST), full=True)
    }
    unknown = trigger[wanted]
    long_enum = _maker().drawn(
        "",
        "TriggerMessage",
        {"requestedMessage": "x" * 300},
        unknown.control,
        unknown.expectation,
        replace(unknown.mutation, operator="long", after="x * 300"),
    )
    yield "schema", "enum-of-300-characters", long_enum
    yield "identifiers", "id-that-cannot-be-written-back", _unwritable()


def _unwritable() -> Case:
    """A message to be refused whose text has no UTF-8 form: whoever writes it into the answer stumbles."""
    action, payload = PROBES[Side.STATION]
    good = spell(call_text(action, payload))
    said = Utterance(
        id="",
        action="",
        position=Position.CALL,
        expectation=Expectation(
            Stance.REJECT, Tier.RPC, Fault.NOT_ARRAY, "RFC 8259 section 8.2: unpaired surrogates"
        ),
        text=('["\\ud800"]',),
        control=(good,),
        mutation=Mutation(Channel.ENVELOPE, "/0", "messageTypeId", "surrogate"),
    )
    return _maker().utterance(said, Effect.NONE)


def _credentials() -> Iterator[Recipe]:
    pointer = "/setVariableData/0/attributeValue"
    control = _password("{secret.password}")
    for name, expectation, broken, payload in CREDENTIALS:
        keyword, _, operator = broken.partition(":")
        mutation = Mutation(Channel.PAYLOAD, pointer, keyword, operator) if broken else None
        made = _maker().drawn(
            "", "SetVariables", payload, control if broken else None, expectation, mutation
        )
        yield "credentials", name, made


def _valid() -> Iterator[Recipe]:
    for action, name, payload in VALID:
        yield "valid", name, _maker().drawn("", action, payload, None, ACCEPT, None)


def main(folder: Path = CORPUS) -> int:
    """Write every recipe."""
    for name, case in recipes().items():
        store.save_case(case, folder / f"{name}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
