"""Valid: a realistic message for every action that a CSMS sends; half of the generated messages start from these."""

from __future__ import annotations

from pieces import EVSE_1, KNOWN, get, gets, sets
from recipe import Recipe, call, table

from fuzz.records import Case
from strategies.labels import JsonObject
from strategies.primitives import EXPIRED_CERTIFICATE

_HASH: JsonObject = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "issuerKeyHash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "serialNumber": "2a",
}
TOKEN: JsonObject = {"idToken": "04A1B2C3D4E5F6", "type": "ISO14443"}
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


PAYLOADS: tuple[tuple[str, str, JsonObject], ...] = (
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
        {"requestId": 11, "report": True, "clear": False, "idToken": TOKEN},
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
        gets(
            KNOWN,
            get("EVSE", "AvailabilityState", evse=EVSE_1),
            get("Connector", "ConnectorType", evse={"id": 1, "connectorId": 1}),
        ),
    ),
    (
        "GetVariables",
        "get-variables-with-attribute-and-instance",
        gets(get("OCPPCommCtrlr", "MessageTimeout", instance="Default", attributeType="Actual")),
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
            "idToken": TOKEN,
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
            "idToken": TOKEN,
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
                    "idToken": TOKEN,
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
        sets(
            get("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="300"),
            get("AuthCtrlr", "Enabled", attributeValue="true", attributeType="Actual"),
        ),
    ),
    (
        "SetVariables",
        "set-variables-list-of-members",
        sets(
            get(
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

WORDS = """
= C and D: authorisation
clear-cache | . | The authorisation cache is emptied. | a clear that takes the local list with it
get-local-list-version | . | The version of the local list. | 0 for an empty list is told as an error
send-local-list | . | A whole local list, one token accepted, one blocked. | entries are taken in one by one, and a failure leaves half a list
reserve-now | . | A reservation with everything but a group. | a transaction under a reservation reads a reservation that is not there
cancel-reservation | . | A reservation is cancelled that may never have been made. | what is not found is erased all the same, and the process ends
= B: booting, variables, reports, network
get-variables-three-at-once | . | Variables of the station, an EVSE and a connector. | the EVSE of the first item is kept for all
get-variables-with-attribute-and-instance | . | A variable with attribute type and instance. | optional members of an item throw when they are there
set-variables-two-at-once | . | Two variables, one with an attribute type. | a valid list is answered with one result
set-variables-list-of-members | . | A list of measurands. | a list is compared as one text with the values that are allowed
get-base-report | . | The configuration of the station. | the report is longer than a message may be, and is sent in one
get-report-by-variable | . | Two variables, one of them of an EVSE. | a criterion that is not given excludes everything
get-report-by-criteria | . | All that is available and enabled. | criteria are joined by and where or is meant
set-network-profile | . | A network profile for another slot. | a profile is taken that no connection can be made with
reset-of-one-evse | . | An EVSE is to be reset when idle. | the whole station is reset
reset-of-the-station | . | The station is reset at once. | it dials again before it has gone down, and its last event is lost
= E and F: transactions and remote control
request-start-transaction | . | A transaction with a profile of its own. | the profile is kept when the start is refused
request-stop-transaction | . | A transaction is stopped that never was. | an unknown transaction stops the most recent one
get-transaction-status | . | The status of a transaction that never was. | messages of others are counted as its own
unlock-connector | . | A connector is unlocked. | the answer is sent before the lock has moved
trigger-status-notification | . | The status of a connector is asked for. | Accepted, and the message never comes
trigger-boot-notification | . | A BootNotification is triggered. | the message that is asked for comes twice
= G: availability
change-availability-of-a-connector | . | A connector is made available. | the state of the EVSE is overwritten by that of one connector
change-availability-to-inoperative | . | An EVSE is made unavailable. | the state is forgotten over a reboot
change-availability-of-the-station | . | The whole station is made available. | EVSEs that were unavailable by themselves are made available, too
= I and K: cost and smart charging
cost-updated | . | The cost of a transaction that never was. | a cost for nobody is shown to the one who charges
set-charging-profile-relative | . | A default profile that begins with the transaction. | a limit of one decimal is refused by arithmetic in binary
set-charging-profile-recurring | . | A default profile for every night, for all EVSEs. | EVSE 0 is stored as a place of its own, and never applied
clear-charging-profile | . | The default profiles of an EVSE. | Accepted, and copies on connectors stay
get-charging-profiles | . | The profiles from two sources. | an absent profile is answered with one that is empty
get-composite-schedule | . | A schedule for an hour. | a duration of 0 gives a schedule without an end
= L: firmware
update-firmware | . | New firmware with a certificate and a signature. | the update is executed twice
publish-firmware | . | Firmware is to be published in the local network. | the checksum is stored, and never compared
unpublish-firmware | . | Firmware that was never published is taken back. | the file is named by the checksum, as it came
= M: certificates
certificate-signed | . | A certificate that nobody asked for. | it is taken without a look at the key
install-certificate | . | A V2G root that has expired. | an unsupported use throws, and no answer comes
delete-certificate | . | A root that is not there is deleted. | NotFound is told as Failed, and asked again for ever
get-installed-certificate-ids | . | The roots of two uses. | a chain without a child is told with a null child
= N: diagnostics, monitoring, customers
get-log | . | A log of one day, to a host that is not there. | an upload that fails is tried without a pause, or blocks the reader
get-monitoring-report | . | Monitors of one variable. | a report of nothing is promised, and never comes
set-variable-monitoring | . | A threshold on a power. | a monitor on what changes every second fills the queue
clear-variable-monitoring | . | Two monitors by id. | one that is not there ends the list, and the next one stays
set-monitoring-base | . | Monitors as they came from the factory. | a periodic monitor and any set variable after it spin the reader
set-monitoring-level | . | Only what is severe is told. | the level is compared the wrong way round
customer-information-by-token | . | What is known of a token. | nothing known is no report at all
= O: display
set-display-message | . | A message with a beginning and an end. | text for the display is rendered as markup
get-display-messages | . | Messages by everything at once. | criteria that fit nothing give all
clear-display-message | . | A message is cleared. | an unknown id clears the first one
= P: data transfer
data-transfer-with-an-object | . | Data that is an object. | an object where text was expected throws, and the module dies
"""


def _valid(name: str) -> Case:
    return next(call(action, asked) for action, named, asked in PAYLOADS if named == name)


CASES: list[Recipe] = table(_valid, WORDS)
